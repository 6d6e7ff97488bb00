-- noqa: disable=ST05,ST03
-- Items and the rules that judge them are rows of the seed; the figures are computed here, and what isn't can't be told.
with head as (
    {{ ledger_head('published') }}
),

{{ reviewed_regions() }},

{{ review_sides() }},

{{ self_check_registration() }},

{{ self_check_collection() }},

{{ self_check_books() }},

{{ self_check_services() }},

{{ self_check_benefits() }},

{{ self_check_running() }},

answer as (
    select
        region_code, item_code, numerator::numeric as numerator, denominator::numeric as denominator, null::timestamptz as evidenced_at
    from registration_answer
    union all
    select region_code, item_code, numerator, denominator, null from collection_answer
    union all
    select region_code, item_code, numerator, denominator, null from books_answer
    union all
    select region_code, item_code, numerator, denominator, null from service_answer
    union all
    select region_code, item_code, numerator, denominator, null from benefit_answer
    union all
    select region_code, item_code, numerator, denominator, evidenced_at from running_answer
),

item as (
    select distinct on (reviewed.region_code, known.item_code)
        reviewed.region_code as of_region, known.*
    from reviewed
    inner join {{ ref('merger_check_item') }} as known
        on known.region_code is null or reviewed.region_code = known.region_code
    order by reviewed.region_code asc, known.item_code asc, (known.region_code is not null) desc, known.known_from desc
)

select
    item.of_region as region_code,
    item.item_code,
    item.item_order,
    item.task_zh,
    item.task_en,
    item.clause,
    case
        when answer.denominator is null or answer.denominator = 0 or item.met_when = 'not_judged' then 'cannot_tell'
        when item.met_when = 'numerator_zero' and answer.numerator = 0 then 'met'
        when item.met_when = 'numerator_positive' and answer.numerator > 0 then 'met'
        when item.met_when = 'share_at_least' and answer.numerator >= item.target * answer.denominator then 'met'
        else 'not_met'
    end as result,
    item.met_when,
    item.target,
    answer.numerator::numeric(18, 2) as numerator,
    item.numerator_zh,
    item.numerator_en,
    answer.denominator::numeric(18, 2) as denominator,
    item.denominator_zh,
    item.denominator_en,
    item.where_to_look,
    item.status,
    answer.evidenced_at
from item
left join answer on item.of_region = answer.region_code and item.item_code = answer.item_code
