with item as (
    select
        region_code,
        accounting_month,
        benefit_item,
        visit_count
    from {{ ref('maternity_statistics_item') }}
),

definition as (
    select distinct on (known.statistic_code, known.definition_code) known.*
    from {{ ref('statistic_definition') }} as known
    where known.statistic_code = 'visit'
    order by known.statistic_code asc, known.definition_code asc, known.known_from desc
)

select
    item.region_code,
    item.accounting_month,
    definition.definition_code,
    item.accounting_month between definition.effective_from and coalesce(definition.effective_to, 'infinity') as is_in_force,
    (coalesce(sum(item.visit_count) filter (
        where item.benefit_item = any(string_to_array(definition.counted_items, ' '))
    ), 0))::bigint as visit_count,
    definition.counted_items,
    definition.definition_zh,
    definition.definition_en,
    definition.status,
    definition.source
from item
cross join definition
where {{ readable('item.region_code') }}
group by
    item.region_code, item.accounting_month, definition.definition_code, definition.effective_from, definition.effective_to,
    definition.counted_items, definition.definition_zh, definition.definition_en, definition.status, definition.source
