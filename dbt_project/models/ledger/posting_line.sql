-- The lines an event leads to: its legs on the same account, side and sub-fund are one line. Unfolded, summed and numbered event
-- by event, so that a million events need neither a sort nor a sum of all of them.
with posted as (
    select
        event.region_code, event.event_seq, event.batch_id, event.event_type, event.business_type, event.known_on,
        event.accounting_month, event.posting_date, event.original_month, event.original_seq, event.advance_no,
        event.advance_institution_code, event.person_no, event.employer_no, event.benefit_item, event.payment_method, event.receipt_no,
        event.institution_code, event.claim_no,
        booked.posting_variant,
        line.*,
        rules.event_type is not null as has_rules
    from {{ event_with_rules(ref('stg_event_posting'), ref('posting_set')) }}
    left join lateral ({{ event_lines() }}) as line on true -- noqa: ST05
    where event.carries_money
)

select
    line.region_code, line.event_seq, line.batch_id, line.event_type, line.business_type,
    line.accounting_month, line.posting_date, line.original_month,
    line.entry_no, line.line_no, line.entry_kind, line.fund_code, line.account_code, line.sub_fund,
    case line.is_credit when true then 'credit' when false then 'debit' end as side,
    line.amount, line.rule_ids, account.account_class,
    line.region_code || '-' || line.original_seq || '-' || line.reversed_entry_no as reverses_entry_id,
    line.person_no, line.employer_no, line.benefit_item, line.payment_method, line.receipt_no,
    -- an advance is followed under its own institution and number until it is used up
    coalesce(case when line.account_code = '1101' then line.advance_institution_code end, line.institution_code) as institution_code,
    coalesce(case when line.account_code = '1101' then line.advance_no end, line.claim_no) as claim_no,
    {{ posting_problem('line', 'account', 'line.rule_ids') }} as problem
from posted as line
left join {{ ref('posting_account') }} as account
    on {{ account_in_chart('line', 'account') }}
where line.line_no is not null or not line.has_rules
