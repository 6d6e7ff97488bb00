{#-
    Closing entries, for the merger of the maternity fund, for facts of it that come after the merger, and for the year end.
    `lines` has one row an account of the books so far and closing that comes next: region_code, event_seq (of its last line),
    fund_code, accounting_month, account_code, account_class, sub_fund, institution_code, claim_no, amount (debit positive).
    `facts` has one row a new line.
-#}

{#- One row a closing event and account (advances by institution and number): its balance, and what of it is not yet closed. -#}
{% macro closing_position(lines, facts, closing, pending) %}
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
            line.fund_code, line.account_code, line.account_class, line.sub_fund,
            case when line.account_code = '1101' then line.institution_code end,
            case when line.account_code = '1101' then line.claim_no end,
            case line.side when 'debit' then line.amount else -line.amount end,
            true as is_open
        from {{ closing }} as merger
        inner join {{ facts }} as line
            on
                merger.region_code = line.region_code
                and merger.fund_code = line.fund_code
                and merger.closing_seq < line.event_seq
        where
            merger.closing_kind = 'merger'
            and line.fund_code = 'MAT'
            and line.problem is null
            and not exists (
                select 1 from blocked where blocked.region_code = line.region_code and blocked.batch_id <= line.batch_id
            )
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

{#- In an audit: whether there is a closing among what is audited. Literally false otherwise, so that nothing is read for it. -#}
{% macro only_audited_closings() -%}
    {%- if var('audit', false) == true %} and {{ audit_tokens().closings }}{% endif -%}
{%- endmacro %}

{#-
    What the pending closings of `regions` look at: the new facts, and the regions' books so far, by account. A year end takes income
    and expenditure, a merger everything of the maternity fund. Lines between the same two closings count together.
    Of the books turnover stands for the lines of a batch where it is complete; lines themselves are read of batches that hold
    a closing (it may divide them), after the turnover's own watermark (a build broke between the two), and of advances of the
    maternity fund, which leave it by institution and number.
-#}
{% macro closable_line(facts, account, closing, regions) %}
    {#- not by ref: turnover is made of these lines; here that of earlier builds is read -#}
    {%- set turnover = api.Relation.create(schema=this.schema or 'ledger', identifier='account_turnover') if execute -%}
    {% if not regions -%}
    select
        region_code, event_seq, fund_code, accounting_month, account_code, account_class, sub_fund, institution_code, claim_no, amount
    from {{ facts }}
    where false
    {%- else -%}
    select
        fact.region_code,
        max(fact.event_seq) as event_seq,
        fact.fund_code,
        fact.accounting_month,
        fact.account_code,
        fact.account_class,
        fact.sub_fund,
        case when fact.account_code = '1101' then fact.institution_code end as institution_code,
        case when fact.account_code = '1101' then fact.claim_no end as claim_no,
        sum(case fact.side when 'debit' then fact.amount else -fact.amount end) as amount
    from {{ facts }} as fact
    inner join (
        select region_code, array_agg(distinct closing_seq order by closing_seq) as closing_seqs
        from {{ closing }}
        where region_code in ({{ quoted(regions) }})
        group by region_code
    ) as cut
        on fact.region_code = cut.region_code
    where
        (fact.account_class in ('income', 'expenditure') or fact.fund_code = 'MAT'){{ only_audited_closings() }}
        and fact.problem is null
        and not exists (
            select 1 from blocked where blocked.region_code = fact.region_code and blocked.batch_id <= fact.batch_id
        )
    group by
        fact.region_code, fact.fund_code, fact.accounting_month, fact.account_code, fact.account_class, fact.sub_fund,
        case when fact.account_code = '1101' then fact.institution_code end,
        case when fact.account_code = '1101' then fact.claim_no end,
        width_bucket(fact.event_seq, cut.closing_seqs)
    {%- if is_incremental() %}
    union all

    select
        booked.region_code, booked.event_seq, booked.fund_code, booked.accounting_month, booked.account_code, account.account_class,
        booked.sub_fund, booked.institution_code, booked.claim_no, booked.amount
    from (
        with booked_until as (
            select region_code, max(last_seq) as seq
            from {{ turnover }}
            where region_code in ({{ quoted(regions) }}){{ before_audited('last_seq') }}{{ only_audited_closings() }}
            group by region_code
        ),

        closing_batch as (
            select distinct closing.region_code, closing.batch_id, batch.first_seq, batch.last_seq
            from {{ closing }} as closing
            inner join {{ source('events', 'batch') }} as batch
                on closing.region_code = batch.region_code and closing.batch_id = batch.batch_id
            where closing.region_code in ({{ quoted(regions) }})
        ),

        line as (
            select line.*
            from closing_batch
            inner join {{ this }} as line
                on closing_batch.region_code = line.region_code and line.event_seq between closing_batch.first_seq and closing_batch.last_seq
            inner join booked_until
                on line.region_code = booked_until.region_code and line.event_seq <= booked_until.seq
            where
                not (line.account_code = '1101' and line.fund_code = 'MAT')
                {{- before_audited('line.event_seq') }}{{ only_audited_closings() }}

            union all

            select line.*
            from {{ this }} as line
            left join booked_until
                on line.region_code = booked_until.region_code
            where
                line.region_code in ({{ quoted(regions) }})
                and line.event_seq > coalesce(booked_until.seq, 0){{ before_audited('line.event_seq') }}{{ only_audited_closings() }}
                and not (line.account_code = '1101' and line.fund_code = 'MAT')

            union all

            select line.*
            from {{ this }} as line
            where
                line.region_code in ({{ quoted(regions) }}) and line.fund_code = 'MAT' and line.account_code = '1101'
                {{- before_audited('line.event_seq') }}{{ only_audited_closings() }}
        )

        select
            region_code, last_seq as event_seq, fund_code, accounting_month, account_code, sub_fund,
            null::text as institution_code, null::text as claim_no,
            debit_amount - credit_amount as amount
        from {{ turnover }} as turned
        where
            region_code in ({{ quoted(regions) }}){{ before_audited('last_seq') }}{{ only_audited_closings() }}
            and entry_kind in ('normal', 'opening')
            and not (account_code = '1101' and fund_code = 'MAT')
            and not exists (
                select 1 from closing_batch
                where closing_batch.region_code = turned.region_code and closing_batch.batch_id = turned.batch_id
            )

        union all

        select
            region_code, event_seq, fund_code, accounting_month, account_code, sub_fund,
            case when account_code = '1101' then institution_code end,
            case when account_code = '1101' then claim_no end,
            debit_amount - credit_amount
        from line
        where entry_kind in ('normal', 'opening')
    ) as booked
    inner join (select distinct account_code, account_class from {{ account }}) as account
        on booked.account_code = account.account_code
    where account.account_class in ('income', 'expenditure') or booked.fund_code = 'MAT'
    {%- endif %}
    {%- endif %}
{% endmacro %}
