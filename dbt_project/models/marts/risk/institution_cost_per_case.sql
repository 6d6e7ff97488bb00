with head as (
    {{ ledger_head('published') }}
),

latest as (
    {{ region_latest_month() }}
),

-- A claim is one case, in the month of its first settlement: what is settled later of it adds to what it cost. Settlements of no single
-- person (per capita, annual clearing) are no cases.
settled as (
    select
        event.region_code,
        event.claim_no,
        (array_agg(event.institution_code order by event.seq))[1] as institution_code,
        (array_agg(event.benefit_item order by event.seq))[1] as benefit_item,
        date_trunc('month', min(event.occurred_on)::timestamp)::date as settled_month,
        sum(event.medical_fee_total) as medical_fee_total,
        sum(event.pooled_amount) as pooled_amount
    from {{ source('events', 'event') }} as event
    inner join head
        on event.region_code = head.region_code and event.seq <= head.seq and {{ readable('event.region_code') }}
    where
        event.event_type = 'claim.settled'
        and event.benefit_item in ({{ quoted(maternity_medical_items()) }})
        and event.institution_code is not null
        and event.person_no is not null
        and coalesce(event.settlement_kind, 'case') = 'case'
    group by event.region_code, event.claim_no
),

monthly as (
    select
        region_code,
        settled_month,
        institution_code,
        benefit_item,
        count(*) as cases,
        count(*) filter (where benefit_item = 'delivery_caesarean') as caesareans,
        coalesce(sum(medical_fee_total), 0) as fees,
        coalesce(sum(pooled_amount), 0) as pooled
    from settled
    group by region_code, settled_month, institution_code, benefit_item
    union all
    select
        region_code,
        settled_month,
        institution_code,
        'delivery',
        count(*),
        count(*) filter (where benefit_item = 'delivery_caesarean'),
        coalesce(sum(medical_fee_total), 0),
        coalesce(sum(pooled_amount), 0)
    from settled
    where benefit_item like 'delivery%'
    group by region_code, settled_month, institution_code
),

-- Every month of the year from an institution's first case on, with all cases of the year up to it.
year_to_date as (
    select
        monthly.region_code,
        month.started_at::date as accounting_month,
        monthly.institution_code,
        monthly.benefit_item,
        sum(monthly.cases) as case_count,
        sum(monthly.caesareans) as caesarean_count,
        sum(monthly.fees) as medical_fee_total,
        sum(monthly.pooled) as pooled_amount,
        round(sum(monthly.fees) / sum(monthly.cases), 2) as cost_per_case
    from monthly
    left join latest on monthly.region_code = latest.region_code
    cross join
        lateral generate_series(
            monthly.settled_month::timestamp,
            least(
                date_trunc('year', monthly.settled_month::timestamp) + interval '11 months',
                greatest(latest.latest_month, monthly.settled_month)::timestamp
            ),
            interval '1 month'
        ) as month (started_at)
    group by monthly.region_code, month.started_at, monthly.institution_code, monthly.benefit_item
),

limited as (
    select
        year_to_date.*,
        coalesce(minimum.yellow_below, 0) as cases_needed
    from year_to_date
    left join lateral (
        {{ threshold_in_force('year_to_date.region_code', "'institution_cases_compared'", last_day('year_to_date.accounting_month')) }}
    ) as minimum on true
),

-- The institutions that can be peers, listed once a month and item: each is then held against this short list alone.
peer as (
    select
        region_code,
        accounting_month,
        benefit_item,
        array_agg(institution_code order by institution_code) as institutions,
        array_agg(cost_per_case order by institution_code) as costs
    from limited
    where case_count >= cases_needed
    group by region_code, accounting_month, benefit_item
),

compared as (
    select
        own.*,
        others.peer_count,
        others.peer_median,
        case when own.case_count >= own.cases_needed then own.cost_per_case / nullif(others.peer_median, 0) end as cost_ratio,
        case
            when own.benefit_item = 'delivery' and own.case_count >= own.cases_needed
                then own.caesarean_count::numeric / own.case_count
        end as caesarean_share
    from limited as own
    left join peer
        on
            own.region_code = peer.region_code
            and own.accounting_month = peer.accounting_month
            and own.benefit_item = peer.benefit_item
    cross join
        lateral (
            select
                count(*) as peer_count,
                (percentile_cont(0.5) within group (order by other.cost_per_case))::numeric as peer_median
            from unnest(peer.institutions, peer.costs) as other (institution_code, cost_per_case)
            where other.institution_code <> own.institution_code
        ) as others
)

select
    compared.region_code,
    compared.accounting_month,
    compared.institution_code,
    compared.benefit_item,
    compared.case_count::bigint as case_count,
    compared.medical_fee_total::numeric(18, 2) as medical_fee_total,
    compared.pooled_amount::numeric(18, 2) as pooled_amount,
    compared.cost_per_case::numeric(18, 2) as cost_per_case,
    round(compared.pooled_amount / compared.case_count, 2)::numeric(18, 2) as pooled_per_case,
    compared.peer_count::bigint as peer_count,
    round(compared.peer_median, 2)::numeric(18, 2) as peer_median,
    round(compared.cost_ratio, 4)::numeric(12, 4) as cost_ratio,
    case
        when compared.cost_ratio is null then 'no_data'
        else {{ risk_level('compared.cost_ratio', 'ratio_limit') }}
    end as cost_level,
    compared.caesarean_count::bigint as caesarean_count,
    round(compared.caesarean_share, 4)::numeric(7, 4) as caesarean_share,
    case when compared.benefit_item = 'delivery' then {{ risk_level('compared.caesarean_share', 'caesarean_limit') }} end as caesarean_level
from compared
left join lateral (
    {{ threshold_in_force('compared.region_code', "'institution_cost_ratio'", last_day('compared.accounting_month')) }}
) as ratio_limit on true
left join lateral (
    {{ threshold_in_force('compared.region_code', "'caesarean_share'", last_day('compared.accounting_month')) }}
) as caesarean_limit on true
