-- One text says how the event is booked: posting_variant, joined by equality to the posting rules.
with event as (
    select * from {{ ref('stg_event_fund') }}
),

money_account as (
    select jsonb_object_agg(symbol, account_code) as code from {{ ref('money_account') }}
),

account as (
    -- class and successor never change with a version of the chart
    select distinct on (account_code) account_code, account_class, successor_code
    from {{ ref('chart_of_accounts') }}
    order by account_code asc, known_from asc, effective_from asc
)

select
    event.region_code, event.seq as event_seq, event.batch_id, event.event_type, event.business_type, event.known_on,
    event.posting_month as accounting_month, event.posting_date, event.original_month,
    event.original_seq, event.corrected_seq, event.advance_no, event.advance_institution_code,
    event.target_fund_code, event.sub_fund, event.carries_money,
    event.root_person_no as person_no, event.root_employer_no as employer_no, event.root_institution_code as institution_code,
    event.root_benefit_item as benefit_item, event.root_payment_method as payment_method, event.root_claim_no as claim_no,
    event.receipt_no,
    event.is_maternity_fact
    and event.root_occurred_on < event.merger_date
    and event.root_posting_month < event.merger_month as corrects_mat,
    case
        when not event.carries_money then 'no_entry'
        when event.event_type like 'contribution.%' and event.root_insurance_type = '510' then lower(event.target_fund_code) || '_maternity'
        when event.event_type like 'contribution.%' then 'emi_' || event.root_enrollment_category
        when event.event_type in ('claim.paid', 'advance.offset') then event.benefit_class
        when event.event_type in ('claim.reversed', 'claim.recovered') and event.is_same_year then 'same_year_' || event.benefit_class
        when event.event_type in ('claim.reversed', 'claim.recovered') then 'earlier_year_' || lower(event.target_fund_code)
        when event.event_type = 'return.written_back' and not event.is_same_year then 'earlier_year'
        when event.event_type = 'return.written_back' and event.sub_fund = 'personal' then 'same_year_personal_' || event.personal_class
        when event.event_type = 'return.written_back' then 'same_year_pooled_' || event.benefit_class
        when event.event_type = 'outofarea.cleared' and event.sub_fund = 'personal' then 'personal_' || event.personal_class
        when event.event_type = 'outofarea.cleared' then 'pooled_' || event.benefit_class
        when event.event_type = 'receipt.identified'
            then case when identified.account_class in ('asset', 'liability') then 'asset_liability' else identified.account_class end
        when event.event_type = 'balance.opened' and event.account = 'personal_balance' then 'personal_balance'
        when event.event_type = 'balance.opened' then opened.account_class
        when event.event_type = 'fund.merged' then 'merger'
        when event.event_type = 'year.closed' then 'year_end'
        else 'standard'
    end as posting_variant,
    money_account.code ->> event.deposit_account as deposit_code,
    money_account.code ->> event.pay_account as pay_code,
    case when event.root_type = 'advance.offset' then '1101' else money_account.code ->> event.root_pay_account end as counter_code,
    money_account.code ->> event.account as account_code,
    money_account.code ->> event.from_account as from_code,
    money_account.code ->> event.to_account as to_code,
    case when event.target_fund_code = 'EMI' then coalesce(identified.successor_code, event.identified_as) else event.identified_as end
        as identified_code,
    event.employer_amount, event.personal_amount, event.personal_account_credit, event.late_fee, event.amount,
    -- a reversal takes back the whole payment, whatever its own row says
    case when event.event_type = 'claim.reversed' then event.root_pooled_amount else event.pooled_amount end as pooled_amount,
    case when event.event_type = 'claim.reversed' then event.root_personal_account_amount else event.personal_account_amount end
        as personal_account_amount
from event
cross join money_account
left join account as identified on event.identified_as = identified.account_code
left join account as opened on money_account.code ->> event.account = opened.account_code
