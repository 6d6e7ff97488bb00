with head as (
    {{ ledger_head('published') }}
),

{{ maternity_claim_month() }},

month as (
    select
        fund.*,
        definition.definition_code,
        definition.counted_items,
        definition.definition_zh,
        definition.definition_en
    from {{ ref('fund_month') }} as fund
    left join lateral (
        {{ definition_in_force('visit', 'fund.accounting_month') }}
    ) as definition on true
),

paid as (
    select
        claim_month.region_code,
        claim_month.accounting_month,
        -- What visits cost is what was paid for the items that count as visits.
        sum(claim_month.amount) filter (
            where claim_month.benefit_item = any(string_to_array(month.counted_items, ' '))
        ) as counted_amount,
        count(distinct claim_month.claim_no) filter (where claim_month.amount > 0) as claim_count,
        count(distinct claim_month.person_no) filter (where claim_month.amount > 0) as beneficiary_count,
        sum(claim_month.amount) as amount
    from claim_month
    inner join month
        on claim_month.region_code = month.region_code and claim_month.accounting_month = month.accounting_month
    group by claim_month.region_code, claim_month.accounting_month
),

-- Of the year, a person counts once, in the month of the first payment.
first_of_year as (
    select
        once.region_code,
        once.accounting_month,
        count(*) as person_count
    from (
        select
            claim_month.region_code,
            claim_month.person_no,
            min(claim_month.accounting_month) as accounting_month
        from claim_month
        where claim_month.amount > 0 and claim_month.person_no is not null
        group by claim_month.region_code, claim_month.person_no, extract(year from claim_month.accounting_month)
    ) as once
    group by once.region_code, once.accounting_month
),

{{ maternity_first_paid() }},

visit as (
    select
        month.region_code,
        month.accounting_month,
        count(*) as visit_count
    from first_paid
    inner join month
        on first_paid.region_code = month.region_code and first_paid.accounting_month = month.accounting_month
    where first_paid.benefit_item = any(string_to_array(month.counted_items, ' '))
    group by month.region_code, month.accounting_month
),

insured as (
    {{ insured_persons() }}
),

-- Days from the settlement of a claim to its first payment, in the month of the payment; cases only.
awaited as (
    select
        claim.region_code,
        date_trunc('month', claim.paid_on::timestamp)::date as paid_month,
        count(*) as claim_count,
        sum(claim.paid_on - claim.settled_on) as days,
        max(claim.paid_on - claim.settled_on) as longest
    from (
        select
            event.region_code,
            event.claim_no,
            min(event.occurred_on) filter (where event.event_type = 'claim.settled') as settled_on,
            min(event.occurred_on) filter (where event.event_type = 'claim.paid') as paid_on
        from {{ source('events', 'event') }} as event
        inner join head
            on event.region_code = head.region_code and event.seq <= head.seq and {{ readable('event.region_code') }}
        where
            event.event_type in ('claim.settled', 'claim.paid')
            and event.benefit_item in ({{ quoted(maternity_items()) }})
            and coalesce(event.settlement_kind, 'case') = 'case'
        group by event.region_code, event.claim_no
    ) as claim
    where claim.settled_on is not null and claim.paid_on >= claim.settled_on
    group by claim.region_code, date_trunc('month', claim.paid_on::timestamp)
),

counted as (
    select
        month.region_code,
        month.accounting_month,
        month.definition_code,
        month.definition_zh,
        month.definition_en,
        month.maternity_expenditure,
        month.pooled_expenditure,
        month.is_merged,
        insured.maternity_participant_count as insured_count,
        coalesce(paid.claim_count, 0) as claim_count,
        coalesce(paid.beneficiary_count, 0) as beneficiary_count,
        coalesce(visit.visit_count, 0) as visit_count,
        coalesce(paid.amount, 0) as amount,
        coalesce(paid.counted_amount, 0) as counted_amount,
        coalesce(sum(first_of_year.person_count) over this_year, 0) as beneficiary_count_year,
        coalesce(sum(visit.visit_count) over this_year, 0) as visit_count_year,
        coalesce(sum(paid.amount) over this_year, 0) as amount_year,
        count(*) over this_year as months_present,
        awaited.claim_count as awaited_claim_count,
        awaited.days,
        awaited.longest
    from month
    left join paid on month.region_code = paid.region_code and month.accounting_month = paid.accounting_month
    left join first_of_year
        on month.region_code = first_of_year.region_code and month.accounting_month = first_of_year.accounting_month
    left join visit on month.region_code = visit.region_code and month.accounting_month = visit.accounting_month
    left join insured on month.region_code = insured.region_code and month.accounting_month = insured.insured_month
    left join awaited on month.region_code = awaited.region_code and month.accounting_month = awaited.paid_month
    window this_year as (
        partition by month.region_code, extract(year from month.accounting_month) order by month.accounting_month
    )
)

select
    region_code,
    accounting_month,
    insured_count::bigint as insured_count,
    beneficiary_count::bigint as beneficiary_count,
    visit_count::bigint as visit_count,
    amount::numeric(18, 2) as amount,
    round({{ per_case('amount', 'beneficiary_count') }}, 2)::numeric(18, 2) as amount_per_beneficiary,
    round({{ per_case('amount', 'insured_count') }}, 2)::numeric(18, 2) as amount_per_insured,
    -- Before the merger the maternity fund paid: the employee fund's share would be nothing, which says nothing.
    case
        when is_merged then round({{ share('maternity_expenditure', 'pooled_expenditure') }}, 6)
    end::numeric(12, 6) as share_of_pooled_expenditure,
    claim_count::bigint as claim_count,
    counted_amount::numeric(18, 2) as counted_amount,
    round({{ per_case('counted_amount', 'visit_count') }}, 2)::numeric(18, 2) as amount_per_visit,
    beneficiary_count_year::bigint as beneficiary_count_year_to_date,
    visit_count_year::bigint as visit_count_year_to_date,
    amount_year::numeric(18, 2) as amount_year_to_date,
    round({{ per_case('amount_year', 'beneficiary_count_year') }}, 2)::numeric(18, 2) as amount_per_beneficiary_year_to_date,
    months_present::integer as months_present,
    definition_code as visit_definition,
    definition_zh as visit_definition_zh,
    definition_en as visit_definition_en,
    coalesce(awaited_claim_count, 0)::bigint as first_paid_count,
    round(days::numeric / nullif(awaited_claim_count, 0), 2)::numeric(12, 2) as average_days_to_payment,
    longest::integer as longest_days_to_payment
from counted
