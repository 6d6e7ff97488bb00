-- What a case cost on either side of the merger, within the months that the review compares. Averages follow wages, prices and who gave
-- birth as well as rules: benefit_before_after_merger tells of the rules alone.
with head as (
    {{ ledger_head('published') }}
),

{{ medical_cases('published') }},

{{ entitlement_claims('published') }},

{{ entitlement_cares() }},

paid_case as (
    select region_code, benefit_item, event_on, amount_paid from treated
    union all
    select region_code, benefit_item, rule_date, paid_amount from cared
),

placed as (
    select
        paid_case.region_code,
        paid_case.benefit_item,
        paid_case.amount_paid,
        case when paid_case.event_on < region.merger_date then 'before' else 'after' end as side,
        date_trunc('month', paid_case.event_on::timestamp)::date as event_month
    from paid_case
    inner join {{ ref('stg_region') }} as region
        on paid_case.region_code = region.region_code and region.known_until = 'infinity'
    cross join lateral ({{ review_months('paid_case.region_code') }}) as review
    where
        paid_case.amount_paid > 0
        and paid_case.event_on >= region.merger_date - make_interval(months => review.months_before)
        and paid_case.event_on < region.merger_date + make_interval(months => review.months_after)
)

select
    region_code,
    benefit_item,
    side,
    count(*) as case_count,
    sum(amount_paid)::numeric(18, 2) as amount_paid,
    round(avg(amount_paid), 2)::numeric(18, 2) as mean_amount,
    round(percentile_cont(0.5) within group (order by amount_paid)::numeric, 2)::numeric(18, 2) as median_amount,
    min(event_month) as first_month,
    max(event_month) as last_month,
    count(distinct event_month)::integer as months_present,
    '平均数随工资、价格和分娩情况变动，案例少时差异可出于偶然；规则本身是否降低待遇，见 benefit_before_after_merger' as caveat_zh,
    'averages move with wages, prices and who gave birth, and few cases differ by chance; whether the rules reduced a benefit is told'
    ' by benefit_before_after_merger' as caveat_en
from placed
group by region_code, benefit_item, side
