{{ config(
    materialized='incremental', incremental_strategy='append', on_schema_change='fail',
    indexes=[
        {'columns': ['region_code', 'accounting_month', 'account_code']},
        {'columns': ['region_code', 'batch_id', 'posting_date', 'business_type']}
    ]
) }}

with leg as materialized (
    select * from {{ ref('posting_leg') }}
    where {{ pending(ref('built_head'), 'event_seq') }}
),

-- A region stops before its first batch that can't be booked in full and goes on by itself once the rules are right.
blocked as (
    select region_code, min(batch_id) as batch_id
    from leg
    where problem is not null
    group by region_code
),

bookable as (
    select leg.*
    from leg
    left join blocked on leg.region_code = blocked.region_code
    where blocked.batch_id is null or leg.batch_id < blocked.batch_id
),

booked as (
    select
        region_code, event_seq, entry_no, account_code, sub_fund, side, is_red,
        min(batch_id) as batch_id, min(event_type) as event_type, min(business_type) as business_type,
        min(entry_kind) as entry_kind, min(fund_code) as fund_code, min(accounting_month) as accounting_month,
        min(posting_date) as posting_date, min(original_month) as original_month, min(account_class) as account_class,
        min(region_code || '-' || original_seq || '-' || reversed_entry_no) as reverses_entry_id,
        min(corrected_seq) as corrected_seq, min(advance_no) as advance_no, min(advance_institution_code) as advance_institution_code,
        string_agg(distinct rule_id, ' ' order by rule_id) as rule_ids,
        sum(amount) as amount
    from bookable
    group by region_code, event_seq, entry_no, account_code, sub_fund, side, is_red
    having sum(amount) <> 0
),

fact as materialized (
    select
        booked.*,
        coalesce(corrected.person_no, event.person_no) as person_no,
        coalesce(corrected.employer_no, event.employer_no) as employer_no,
        coalesce(corrected.benefit_item, event.benefit_item) as benefit_item,
        coalesce(corrected.payment_method, event.payment_method) as payment_method,
        -- an advance is followed under its own institution and number until it is used up
        coalesce(
            case when booked.account_code = '1101' then booked.advance_institution_code end,
            corrected.institution_code,
            event.institution_code
        ) as institution_code,
        coalesce(case when booked.account_code = '1101' then booked.advance_no end, corrected.claim_no, event.claim_no) as claim_no,
        event.tax_voucher_no as receipt_no
    from booked
    inner join {{ source('events', 'event') }} as event
        on booked.region_code = event.region_code and booked.event_seq = event.seq
    left join {{ source('events', 'event') }} as corrected
        on booked.region_code = corrected.region_code and booked.corrected_seq = corrected.seq
),

closable as ({{ closable_line('fact', ref('posting_account'), regions_closing(ref('built_head'), ref('stg_closing'), 'event_seq')) }}),

closing_position as ({{ closing_position('closable', ref('stg_closing'), pending(ref('built_head'), 'event_seq', 'closing_seq')) }}),

closing as ({{ closing_line('closing_position') }}),

line as (
    select
        region_code, event_seq, batch_id, event_type, business_type, entry_no, entry_kind, fund_code, accounting_month, posting_date,
        original_month, reverses_entry_id, account_code, sub_fund, side, is_red, amount, person_no, employer_no, institution_code,
        benefit_item, payment_method, claim_no, receipt_no, rule_ids
    from fact

    union all

    select
        region_code, event_seq, batch_id, event_type, business_type, entry_no, entry_kind, fund_code, accounting_month, posting_date,
        null, null, account_code, sub_fund, case when amount > 0 then 'debit' else 'credit' end, false, abs(amount), null, null,
        institution_code, null, null, claim_no, null, rule_ids
    from closing
)

select
    region_code,
    event_seq,
    entry_no::integer as entry_no,
    row_number() over (
        partition by region_code, event_seq, entry_no
        order by side desc, account_code asc, sub_fund asc, is_red asc, institution_code asc, claim_no asc
    )::integer as line_no,
    region_code || '-' || event_seq || '-' || entry_no as entry_id,
    entry_kind, fund_code, accounting_month, posting_date, account_code, sub_fund,
    case side when 'debit' then amount else 0 end::numeric(18, 2) as debit_amount,
    case side when 'credit' then amount else 0 end::numeric(18, 2) as credit_amount,
    original_month, reverses_entry_id, person_no, employer_no, institution_code, benefit_item, payment_method, claim_no, receipt_no,
    event_type, business_type, batch_id, rule_ids
from line
