{#-
    Closing entries, for the merger of the maternity fund, for facts of it that come after the merger, and for the year end.
    `lines` has one row a posted line: region_code, event_seq, batch_id, event_type, business_type, fund_code, accounting_month, account_code,
    account_class, sub_fund, institution_code, claim_no, amount (debit positive), is_new (false: already in the journal).
-#}

{#- One row a closing event and account (advances by institution and number): its balance, and what of it is not yet closed. -#}
{% macro closing_position(lines, closing, pending) %}
    select
        region_code, event_seq, batch_id, event_type, business_type, closing_kind, step_offset, accounting_month, posting_date,
        fund_code, account_code, account_class, sub_fund, institution_code, claim_no,
        sum(amount) as balance,
        sum(amount) filter (where is_open) as open_balance
    from (
        select
            closing.region_code, closing.closing_seq as event_seq, closing.batch_id, closing.event_type, closing.business_type,
            closing.closing_kind, 0 as step_offset, closing.accounting_month, closing.posting_date,
            line.fund_code, line.account_code, line.account_class, line.sub_fund, line.institution_code, line.claim_no, line.amount,
            line.event_seq > closing.previous_seq or line.accounting_month > closing.previous_cutoff_month as is_open
        from (select * from {{ closing }} where {{ pending }}) as closing
        inner join {{ lines }} as line
            on
                closing.region_code = line.region_code
                and closing.fund_code = line.fund_code
                and closing.closing_seq > line.event_seq
                and closing.cutoff_month >= line.accounting_month
        where not exists (
            select 1 from blocked where blocked.region_code = closing.region_code and blocked.batch_id <= closing.batch_id
        )

        union all

        -- a maternity fact recorded after the merger, but booked before it, follows at once under its own event
        select
            line.region_code, line.event_seq, line.batch_id, line.event_type, line.business_type,
            merger.closing_kind, 2 as step_offset, merger.accounting_month, merger.posting_date,
            line.fund_code, line.account_code, line.account_class, line.sub_fund, line.institution_code, line.claim_no, line.amount,
            true as is_open
        from {{ closing }} as merger
        inner join {{ lines }} as line
            on
                merger.region_code = line.region_code
                and merger.fund_code = line.fund_code
                and merger.closing_seq < line.event_seq
        where merger.closing_kind = 'merger' and line.is_new
    ) as closed_line
    group by
        region_code, event_seq, batch_id, event_type, business_type, closing_kind, step_offset, accounting_month, posting_date,
        fund_code, account_code, account_class, sub_fund, institution_code, claim_no
{% endmacro %}

{#- Steps of a closing: 1 income and expenditure to net assets, 2 balances out of MAT, 3 the same into EMI. One row a line. -#}
{% macro closing_line(position) %}
    select
        position.region_code, position.event_seq, position.batch_id, position.event_type, position.business_type,
        position.accounting_month, position.posting_date, leg.entry_kind, leg.fund_code, leg.account_code, leg.sub_fund,
        leg.step + position.step_offset as entry_no,
        position.institution_code, position.claim_no,
        case when position.closing_kind = 'year' then 'YEAR-01' else 'MERG-0' || leg.step end as rule_ids,
        sum(leg.amount) as amount
    from (
        select
            *,
            account_class in ('income', 'expenditure') as is_flow,
            case when closing_kind = 'year' and sub_fund = 'personal' then '3002' else '3001' end as net_assets_code,
            case when account_class in ('asset', 'liability') then account_code else '3001' end as carried_code,
            case when account_class in ('asset', 'liability') then sub_fund else 'pooled' end as carried_sub_fund,
            case when closing_kind = 'year' and fund_code = 'MAT' then 2 else 1 end as first_step
        from {{ position }}
    ) as position
    cross join lateral (
        values
        (position.first_step, 'closing', position.fund_code, position.account_code, position.sub_fund, position.is_flow, -position.open_balance),
        (position.first_step, 'closing', position.fund_code, position.net_assets_code, position.sub_fund, position.is_flow, position.open_balance),
        (2, 'merger', 'MAT', position.carried_code, position.carried_sub_fund, position.closing_kind = 'merger', -position.balance),
        (3, 'merger', 'EMI', position.carried_code, position.carried_sub_fund, position.closing_kind = 'merger', position.balance)
    ) as leg (step, entry_kind, fund_code, account_code, sub_fund, applies, amount)
    where leg.applies and leg.amount is not null
    group by
        position.region_code, position.event_seq, position.batch_id, position.event_type, position.business_type, position.closing_kind,
        position.accounting_month, position.posting_date, leg.entry_kind, leg.fund_code, leg.account_code, leg.sub_fund,
        leg.step, position.step_offset, position.institution_code, position.claim_no,
        -- each account is closed gross: surplus and deficit accounts don't net in 3001
        case when leg.entry_kind = 'closing' then sign(leg.amount) end
    having sum(leg.amount) <> 0
{% endmacro %}

{#- The lines closing events look at: the new facts, and for regions with a closing among the pending events their journal so far. -#}
{% macro closable_line(facts, account, regions) %}
    select
        region_code, event_seq, batch_id, event_type, business_type, fund_code, accounting_month, account_code, account_class, sub_fund,
        case when account_code = '1101' then institution_code end as institution_code,
        case when account_code = '1101' then claim_no end as claim_no,
        case side when 'debit' then amount else -amount end as amount,
        true as is_new
    from {{ facts }}
    {% if is_incremental() and regions %}
    union all

    select
        line.region_code, line.event_seq, line.batch_id, line.event_type, line.business_type, line.fund_code, line.accounting_month,
        line.account_code, account.account_class, line.sub_fund,
        case when line.account_code = '1101' then line.institution_code end as institution_code,
        case when line.account_code = '1101' then line.claim_no end as claim_no,
        line.debit_amount - line.credit_amount as amount,
        false as is_new
    from {{ this }} as line
    inner join (select distinct account_code, account_class from {{ account }}) as account
        on line.account_code = account.account_code
    where
        line.entry_kind in ('normal', 'opening')
        and line.region_code in ({% for region in regions %}'{{ region }}'{{ ', ' if not loop.last }}{% endfor %})
    {% endif %}
{% endmacro %}
