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
        {{ rule_amount('rule.amount_name', 'event') }} as rule_amount,
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

side as (
    select * from (values ('debit', 'credit'), ('credit', 'debit')) as named (own_side, other_side)
),

sided as (
    select
        matched.*,
        side.own_side,
        side.other_side,
        coalesce(matched.red in (side.own_side, 'both'), false) as is_red,
        case side.own_side when 'debit' then matched.debit_account else matched.credit_account end as rule_account,
        case side.own_side when 'debit' then matched.debit_sub_fund else matched.credit_sub_fund end as rule_sub_fund
    from matched
    cross join side
    where matched.rule_id is null or matched.rule_amount <> 0
),

leg as (
    select
        sided.*,
        case when sided.is_red then sided.other_side else sided.own_side end as side,
        {{ rule_account('sided.rule_account', 'sided') }} as leg_account_code,
        case when sided.rule_sub_fund = '@row' then sided.sub_fund else sided.rule_sub_fund end as leg_sub_fund
    from sided
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
        when account.account_code is null then format(
            '%s: account %s sub-fund %s is not in the chart of fund %s',
            leg.rule_id, coalesce(leg.leg_account_code, '(none)'), coalesce(leg.leg_sub_fund, '(none)'), leg.fund_code
        )
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
