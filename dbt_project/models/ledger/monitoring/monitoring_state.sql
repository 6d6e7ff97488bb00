-- noqa: disable=RF02
with required (rule_code, parameter) as (
    values
    {{ monitoring_required() }}
),

stated as (
    select
        head.region_code,
        required.rule_code,
        required.parameter,
        given.value
    from (
        {{ ledger_head('published') }}
    ) as head
    cross join required
    left join lateral (
        select known.value
        from {{ ref('monitoring_parameter') }} as known
        where
            known.parameter = required.parameter
            and coalesce(known.rule_code, required.rule_code) = required.rule_code
            and coalesce(known.region_code, head.region_code) = head.region_code
            and {{ in_force('known', "(head.published_at at time zone 'Asia/Shanghai')::date") }}
        order by known.rule_code is null asc, known.region_code is null asc, known.known_from desc, known.effective_from desc
        limit 1
    ) as given on true
)

select
    region_code,
    rule_code,
    case
        when min(value) filter (where parameter = 'switched_on') = 0 then 'off'
        when bool_and(value is not null) then 'on'
        else 'incomplete'
    end as state,
    array_agg(parameter order by parameter) filter (where value is null) as missing
from stated
where rule_code is not null
group by region_code, rule_code
