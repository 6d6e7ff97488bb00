{{ config(
    materialized='incremental', on_schema_change='fail',
    meta={'guards': ['append_only', 'closed_month'], 'seq_column': 'event_seq'},
    indexes=[
        {'columns': ['region_code', 'accounting_month', 'account_code']},
        {'columns': ['region_code', 'batch_id', 'posting_date', 'business_type']}
    ]
) }}

{%- set closing_regions = regions_closing(ref('built_head'), ref('stg_closing'), 'event_seq') %}

with posted as materialized (
    select * from {{ ref('posting_line') }}
    where {{ pending(ref('built_head'), 'event_seq') }}
),

-- A region stops before its first batch that can't be booked in full and goes on by itself once the rules are right.
blocked as materialized (
    select region_code, min(batch_id) as batch_id
    from posted
    where problem is not null
    group by region_code
),

closable as ({{ closable_line('posted', ref('posting_account'), ref('stg_closing'), closing_regions) }}),

closing_position as (
    {{ closing_position('closable', 'posted', ref('stg_closing'), pending(ref('built_head'), 'event_seq', 'closing_seq')) }}
),

closing as ({{ closing_line('closing_position') }}),

line as (
    select
        posted.region_code, posted.event_seq, posted.batch_id, posted.event_type, posted.business_type, posted.entry_no, posted.line_no,
        posted.entry_kind, posted.fund_code, posted.accounting_month, posted.posting_date, posted.original_month,
        posted.reverses_entry_id, posted.account_code, posted.sub_fund, posted.side, posted.amount, posted.person_no, posted.employer_no,
        posted.institution_code, posted.benefit_item, posted.payment_method, posted.claim_no, posted.receipt_no, posted.rule_ids
    from posted
    left join blocked
        on posted.region_code = blocked.region_code
    where blocked.batch_id is null or posted.batch_id < blocked.batch_id

    union all

    select
        region_code, event_seq, batch_id, event_type, business_type, entry_no,
        row_number() over (
            partition by region_code, event_seq, entry_no
            order by amount < 0, account_code, sub_fund, institution_code, claim_no
        )::integer,
        entry_kind, fund_code, accounting_month, posting_date,
        null, null, account_code, sub_fund, case when amount > 0 then 'debit' else 'credit' end, abs(amount), null, null,
        institution_code, null, null, claim_no, null, rule_ids
    from closing
)

select
    region_code,
    event_seq,
    entry_no::integer as entry_no,
    line_no,
    region_code || '-' || event_seq || '-' || entry_no as entry_id,
    entry_kind, fund_code, accounting_month, posting_date, account_code, sub_fund,
    case side when 'debit' then amount else 0 end::numeric(18, 2) as debit_amount,
    case side when 'credit' then amount else 0 end::numeric(18, 2) as credit_amount,
    original_month, reverses_entry_id, person_no, employer_no, institution_code, benefit_item, payment_method, claim_no, receipt_no,
    event_type, business_type, batch_id, rule_ids
from line
