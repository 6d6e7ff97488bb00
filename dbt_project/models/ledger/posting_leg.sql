-- Each rule of an event gives two legs. A red leg stands in the column of its own account's side, as a negative amount.
with event as (
    select * from {{ ref('stg_event_posting') }}
    where carries_money
),

matched as (
    select
        event.*,
        rule.rule_id, rule.debit_account, rule.debit_sub_fund, rule.credit_account, rule.credit_sub_fund, rule.red,
        coalesce(rule.entry_kind, 'normal') as entry_kind,
        case when rule.fund_code = '@row' then event.target_fund_code else rule.fund_code end as fund_code,
        case rule.amount_name
            when 'employer_pooled' then event.employer_amount - event.personal_account_credit
            when 'account_credit' then event.personal_account_credit
            when 'personal_amount' then event.personal_amount
            when 'flexible_pooled' then event.employer_amount + event.personal_amount - event.personal_account_credit
            when 'contribution_total' then event.employer_amount + event.personal_amount
            when 'late_fee' then event.late_fee
            when 'pooled_amount' then event.pooled_amount
            when 'personal_account_amount' then event.personal_account_amount
            when 'amount' then event.amount
        end as rule_amount,
        case when event.corrects_mat and rule.amount_name = 'personal_account_amount' then 2 else 1 end as reversed_entry_no
    from event
    left join {{ ref('posting_rule') }} as rule
        on
            event.event_type = rule.event_type
            and event.posting_variant = rule.posting_variant
            and event.posting_date between rule.effective_from and rule.effective_until
            and event.known_on >= rule.known_from
            and event.known_on < rule.known_until
),

leg as (
    select
        matched.*,
        leg.side,
        leg.is_red,
        case leg.account
            when '@deposit' then matched.deposit_code
            when '@pay' then matched.pay_code
            when '@counter' then matched.counter_code
            when '@account' then matched.account_code
            when '@from' then matched.from_code
            when '@to' then matched.to_code
            when '@identified' then matched.identified_code
            else leg.account
        end as leg_account_code,
        case when leg.sub_fund = '@row' then matched.sub_fund else leg.sub_fund end as leg_sub_fund
    from matched
    cross join lateral (
        values
        (case when matched.red in ('debit', 'both') then 'credit' else 'debit' end, matched.red in ('debit', 'both'),
            matched.debit_account, matched.debit_sub_fund),
        (case when matched.red in ('credit', 'both') then 'debit' else 'credit' end, matched.red in ('credit', 'both'),
            matched.credit_account, matched.credit_sub_fund)
    ) as leg (side, is_red, account, sub_fund)
    where matched.rule_id is null or matched.rule_amount <> 0
)

select
    leg.region_code, leg.event_seq, leg.batch_id, leg.event_type, leg.business_type,
    leg.accounting_month, leg.posting_date, leg.original_month, leg.original_seq, leg.reversed_entry_no, leg.corrected_seq,
    leg.advance_no, leg.advance_institution_code,
    case when leg.fund_code = leg.target_fund_code then 1 else 2 end as entry_no,
    leg.entry_kind, leg.fund_code, leg.leg_account_code as account_code, leg.leg_sub_fund as sub_fund, leg.side, leg.is_red, leg.rule_id,
    account.account_class,
    case when leg.is_red then -leg.rule_amount else leg.rule_amount end as amount,
    case
        when leg.rule_id is null then 'no posting rule for ' || leg.event_type || ' / ' || coalesce(leg.posting_variant, '(none)')
        when account.account_code is null
            then leg.rule_id || ': account ' || coalesce(leg.leg_account_code, '(none)') || ' sub-fund ' || coalesce(leg.leg_sub_fund, '(none)')
            || ' is not in the chart of fund ' || leg.fund_code
    end as problem
from leg
left join {{ ref('posting_account') }} as account
    on
        leg.leg_account_code = account.account_code
        and leg.posting_date between account.effective_from and account.effective_until
        and leg.known_on >= account.known_from
        and leg.known_on < account.known_until
        and (account.fund_code is null or leg.fund_code = account.fund_code)
        and case
            when account.sub_fund is null then leg.leg_sub_fund in ('pooled', 'personal')
            else leg.leg_sub_fund = account.sub_fund
        end
        and not (leg.fund_code = 'MAT' and leg.leg_sub_fund = 'personal')
