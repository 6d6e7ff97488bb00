{#- How many months before and after its merger a region's review compares. -#}
{% macro review_months(region_code) -%}
        select rule.months_before, rule.months_after, rule.status
        from {{ ref('policy_merger_review') }} as rule
        where rule.region_code is null or rule.region_code = {{ region_code }}
        order by (rule.region_code is not null) desc, rule.known_from desc
        limit 1
{%- endmacro %}

{#- Regions with the bounds of their review: the last day before the merger and of the months after it, as far as anything is published. -#}
{% macro reviewed_regions() -%}
reviewed as (
    select
        head.region_code,
        head.seq as head_seq,
        region.merger_date,
        region.merger_month,
        review.months_before,
        (region.merger_month - make_interval(months => review.months_before))::date as before_from,
        (region.merger_month - interval '1 month')::date as before_until,
        region.merger_month as after_from,
        least(
            (region.merger_month + make_interval(months => review.months_after - 1))::date, latest.latest_month
        ) as after_until,
        region.merger_date - 1 as before_day,
        least(
            (region.merger_date + make_interval(months => review.months_after))::date - 1,
            (latest.latest_month + interval '1 month')::date - 1
        ) as after_day
    from head
    inner join (
        {{ region_latest_month() }}
    ) as latest on head.region_code = latest.region_code
    inner join {{ ref('stg_region') }} as region
        on head.region_code = region.region_code and region.known_until = 'infinity'
    cross join lateral ({{ review_months('head.region_code') }}) as review
)
{%- endmacro %}

{#- The two sides of each review: region, side, months compared, day on which stocks are counted. -#}
{% macro review_sides() -%}
side as (
    select region_code, head_seq, 'before' as side, before_from as month_from, before_until as month_until, before_day as counted_on
    from reviewed
    union all
    select region_code, head_seq, 'after', after_from, after_until, after_day
    from reviewed
)
{%- endmacro %}

{#- Payments of births, operations and cash benefits on either side, but for reversed ones. Two branches: each has an index of its own. -#}
{% macro payments_of_sides() -%}
payment as (
    {%- for items in [
        ['delivery_normal', 'delivery_assisted', 'delivery_caesarean', 'miscarriage', 'family_planning'],
        ['maternity_allowance', 'nutrition_subsidy'],
    ] %}
    select
        side.region_code, side.side, event.seq, event.benefit_item, event.claim_no, event.person_no, event.institution_code,
        event.occurred_on, event.payee_type, event.payment_method, event.pooled_amount,
        {{ treatment_day('event') }} as rule_date
    from side
    inner join {{ source('events', 'event') }} as event
        on
            side.region_code = event.region_code
            and event.occurred_on >= side.month_from
            and side.month_until + interval '1 month' > event.occurred_on
            and side.head_seq >= event.seq
    where
        event.event_type = 'claim.paid'
        and event.benefit_item in ({{ quoted(items) }})
        and {{ readable('event.region_code') }}
        and {{ not_reversed('event', 'side.head_seq') }}
    {% if not loop.last %}union all{% endif %}
    {%- endfor %}
)
{%- endmacro %}
