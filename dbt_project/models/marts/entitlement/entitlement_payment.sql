-- noqa: disable=ST05
-- Recomputed when read: filter by region_code and paid_month, or claim_no; both reach the claims before anything is computed.
with head as (
    {{ ledger_head('published') }}
),

{{ entitlement_ctes('published') }}

select
    entitlement.region_code,
    date_trunc('month', entitlement.paid_on::timestamp)::date as paid_month,
    entitlement.claim_no,
    entitlement.benefit_item,
    case
        when entitlement.outcome in ('payee', 'stated', 'as_computed') then 'as_due'
        else entitlement.outcome
    end as kind,
    entitlement.person_no,
    entitlement.employer_no,
    case when entitlement.is_dated then entitlement.rule_date end as event_on,
    entitlement.paid_on,
    case when entitlement.is_nursing and entitlement.is_allowance then 'nursing_leave' else entitlement.care_item end as case_item,
    entitlement.care_claim_no,
    entitlement.births,
    entitlement.weeks as gestation_weeks,
    entitlement.days as days_due,
    entitlement.stated_days as days_paid,
    operation.days as days_of_operations,
    case when entitlement.is_allowance then entitlement.daily_base end::numeric(18, 2) as base_due,
    entitlement.stated_base as base_paid,
    case
        when not entitlement.is_allowance then null
        when entitlement.demanded_base is null and entitlement.stated_base is null then null
        when entitlement.demanded_base is null then 'stated'
        when entitlement.base_until = entitlement.rule_month then 'employer_months_before_birth'
        when entitlement.base_months < 12 then 'employer_months_paid'
        else 'employer_previous_year'
    end as base_source,
    entitlement.base_months::integer as base_months,
    round(entitlement.average_base, 2)::numeric(18, 2) as base_average,
    entitlement.is_enrolled as enrolled_at_event,
    entitlement.enrollment_category,
    entitlement.months_contributed::integer as months_contributed,
    coalesce(entitlement.consecutive_months, 0)::integer as months_required,
    coalesce(entitlement.months_lacking, 0)::integer as months_lacking,
    coalesce(entitlement.months_made_up, 0)::integer as months_made_up,
    coalesce(entitlement.months_beyond_log, 0)::integer as months_beyond_log,
    entitlement.payee_demanded as payee_due,
    entitlement.payee_type as payee_paid,
    entitlement.is_right_payee as payee_as_due,
    entitlement.is_stated_base and entitlement.is_stated_days as statement_as_due,
    entitlement.computed_amount as amount_due,
    entitlement.paid_amount::numeric(18, 2) as amount_paid,
    entitlement.awaited_amount::numeric(18, 2) as amount_awaited,
    entitlement.difference,
    entitlement.all_rules as rules,
    entitlement.rules_status,
    entitlement.reason_zh,
    entitlement.reason_en,
    entitlement.clause,
    entitlement.event_seq,
    file.file_name as source_file,
    event.line_no as source_line
from entitlement
left join {{ source('events', 'event') }} as event
    on entitlement.region_code = event.region_code and entitlement.event_seq = event.seq
left join {{ source('events', 'batch') }} as batch
    on event.region_code = batch.region_code and event.batch_id = batch.batch_id
left join {{ source('events', 'file_registry') }} as file on batch.file_id = file.file_id
left join lateral (
    select string_agg(distinct rule.allowance_days::text, ', ') as days
    from {{ ref('policy_allowance_days') }} as rule
    where
        rule.region_code = entitlement.region_code
        and rule.allowance_case in ('tubal_ligation', 'vasectomy', 'intrauterine_device', 'tubal_reversal', 'vas_reversal')
        and {{ in_force('rule', 'entitlement.rule_date') }}
) as operation on entitlement.care_item = 'family_planning' and entitlement.is_allowance
