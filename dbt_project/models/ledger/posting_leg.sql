-- Each rule of an event gives two legs. A red leg stands in the column of its own account's side, as a negative amount.
with posted as (
    select
        event.region_code, event.event_seq, event.batch_id, event.event_type, event.posting_variant, event.business_type, event.known_on,
        event.accounting_month, event.posting_date, event.original_month, event.original_seq, event.corrected_seq,
        event.advance_no, event.advance_institution_code,
        leg.*,
        rules.event_type is not null as has_rules
    from {{ event_with_rules(ref('stg_event_posting'), ref('posting_set')) }}
    left join lateral ({{ event_legs() }}) as leg on true
    where event.carries_money
)

select
    leg.region_code, leg.event_seq, leg.batch_id, leg.event_type, leg.business_type,
    leg.accounting_month, leg.posting_date, leg.original_month, leg.original_seq, leg.reversed_entry_no, leg.corrected_seq,
    leg.advance_no, leg.advance_institution_code,
    leg.entry_no, leg.entry_kind, leg.fund_code, leg.account_code, leg.sub_fund,
    case leg.is_credit when true then 'credit' when false then 'debit' end as side,
    leg.is_red, leg.rule_id, account.account_class, leg.amount,
    {{ posting_problem('leg', 'account', 'leg.rule_id') }} as problem
from posted as leg
left join {{ ref('posting_account') }} as account
    on {{ account_in_chart('leg', 'account') }}
where leg.rule_id is not null or not leg.has_rules
