{{ config(
    materialized='incremental', on_schema_change='fail',
    meta={'guards': ['append_only', 'closed_month'], 'seq_column': 'event_seq'},
    indexes=[{'columns': ['region_code', 'fund_code', 'accounting_month']}]
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

{#- not by ref: the turnover is made of these lines; here it is read of earlier builds -#}
closable as ({{ closable_line('posted', ref('posting_account'), api.Relation.create(schema=this.schema or 'ledger', identifier='account_turnover'), ref('stg_closing'), closing_regions) }}),

closing_position as ({{ closing_position('closable', 'posted', ref('stg_closing'), pending(ref('built_head'), 'event_seq', 'closing_seq')) }}),

closing as ({{ closing_line('closing_position') }}),

line as (
    select
        region_code, event_seq, batch_id, event_type, business_type, entry_no, line_no, entry_kind, fund_code, accounting_month, posting_date,
        original_month, reverses_entry_id, account_code, sub_fund, side, amount, person_no, employer_no, institution_code,
        benefit_item, payment_method, claim_no, receipt_no, rule_ids
    from posted
    where not exists (
        select 1 from blocked where blocked.region_code = posted.region_code and blocked.batch_id <= posted.batch_id
    )

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
