{#- What the names in the table of posting rules stand for. -#}

{#- Amount of a rule, in yuan, by its amount_name. -#}
{% macro rule_amount(name, event) -%}
    case {{ name }}
        when 'employer_pooled' then {{ event }}.employer_amount - {{ event }}.personal_account_credit
        when 'account_credit' then {{ event }}.personal_account_credit
        when 'personal_amount' then {{ event }}.personal_amount
        when 'flexible_pooled' then {{ event }}.employer_amount + {{ event }}.personal_amount - {{ event }}.personal_account_credit
        when 'contribution_total' then {{ event }}.employer_amount + {{ event }}.personal_amount
        when 'late_fee' then {{ event }}.late_fee
        when 'pooled_amount' then {{ event }}.pooled_amount
        when 'personal_account_amount' then {{ event }}.personal_account_amount
        when 'amount' then {{ event }}.amount
    end
{%- endmacro %}

{#- Account of a rule: a code, or a symbol for an account that the event names. -#}
{% macro rule_account(account, event) -%}
    case {{ account }}
        when '@deposit' then {{ event }}.deposit_code
        when '@pay' then {{ event }}.pay_code
        when '@counter' then {{ event }}.counter_code
        when '@account' then {{ event }}.account_code
        when '@from' then {{ event }}.from_code
        when '@to' then {{ event }}.to_code
        when '@identified' then {{ event }}.identified_code
        else {{ account }}
    end
{%- endmacro %}

{#- An event booked by the one row of `posting_set` in force for it, if there is one: FROM items `event`, `booked` and `rules`.
    `booked` holds what legs are made of, worked out once an event: without the fence each leg would work it out again. The event's
    place stays outside, so that a condition on it reaches the log's key. -#}
{% macro event_with_rules(event, posting_set) -%}
    {{ event }} as event
    cross join lateral (
        select
            event.event_type, event.posting_variant, event.posting_date, event.known_on, event.target_fund_code, event.sub_fund,
            event.corrects_mat, event.deposit_code, event.pay_code, event.counter_code, event.account_code, event.from_code,
            event.to_code, event.identified_code, event.employer_amount, event.personal_amount, event.personal_account_credit,
            event.late_fee, event.pooled_amount, event.personal_account_amount, event.amount
        where true
        offset 0
    ) as booked
    left join {{ posting_set }} as rules
        on
            booked.event_type = rules.event_type
            and booked.posting_variant = rules.posting_variant
            and booked.posting_date between rules.valid_from and rules.valid_until
            and booked.known_on >= rules.known_from
            and booked.known_on < rules.known_until
{%- endmacro %}

{#- Legs of the event, those of zero left out: a subquery for a lateral join after `event_with_rules`. -#}
{% macro event_legs() %}
        select
            unfolded.rule_id,
            unfolded.entry_kind,
            unfolded.is_red,
            unfolded.is_credit,
            {{ rule_account('unfolded.account', 'booked') }} as account_code,
            case when unfolded.sub_fund = '@row' then booked.sub_fund else unfolded.sub_fund end as sub_fund,
            case when unfolded.fund_code = '@row' then booked.target_fund_code else unfolded.fund_code end as fund_code,
            case when unfolded.fund_code in ('@row', booked.target_fund_code) then 1 else 2 end as entry_no,
            case when booked.corrects_mat and unfolded.amount_name = 'personal_account_amount' then 2 else 1 end as reversed_entry_no,
            case when unfolded.is_red then -unfolded.amount else unfolded.amount end as amount
        from (
            select
                named.*,
                {{ rule_amount('named.amount_name', 'booked') }} as amount
            from (
                select
                    unnest(rules.rule_ids) as rule_id,
                    unnest(rules.amount_names) as amount_name,
                    unnest(rules.fund_codes) as fund_code,
                    unnest(rules.entry_kinds) as entry_kind,
                    unnest(rules.are_red) as is_red,
                    unnest(rules.are_credit) as is_credit,
                    unnest(rules.accounts) as account,
                    unnest(rules.sub_funds) as sub_fund
            ) as named
            offset 0
        ) as unfolded
        where unfolded.amount <> 0
{%- endmacro %}

{#- Lines of the event: its legs on the same account, side and sub-fund are one. A subquery like `event_legs`. One order serves the
    groups, the rule ids and the numbers, so that the handful of legs is sorted once. -#}
{% macro event_lines() %}
        select
            entry_no,
            is_credit,
            account_code,
            sub_fund,
            is_red,
            min(fund_code) as fund_code,
            min(entry_kind) as entry_kind,
            min(reversed_entry_no) as reversed_entry_no,
            sum(amount) as amount,
            string_agg(rule_id, ' ' order by rule_id) as rule_ids,
            row_number() over (partition by entry_no order by is_credit, account_code, sub_fund, is_red)::integer as line_no
        from ({{ event_legs() }}) as leg
        group by entry_no, is_credit, account_code, sub_fund, is_red
        having sum(amount) <> 0
{%- endmacro %}

{#- The version of a leg's account that is in the chart of its fund and sub-fund on its day. -#}
{% macro account_in_chart(leg, account) -%}
    {{ leg }}.account_code = {{ account }}.account_code
        and {{ leg }}.posting_date between {{ account }}.effective_from and {{ account }}.effective_until
        and {{ leg }}.known_on >= {{ account }}.known_from
        and {{ leg }}.known_on < {{ account }}.known_until
        and ({{ account }}.fund_code is null or {{ leg }}.fund_code = {{ account }}.fund_code)
        and case
            when {{ account }}.sub_fund is null then {{ leg }}.sub_fund in ('pooled', 'personal')
            else {{ leg }}.sub_fund = {{ account }}.sub_fund
        end
        and not ({{ leg }}.fund_code = 'MAT' and {{ leg }}.sub_fund = 'personal')
{%- endmacro %}

{#- Why a leg can't be booked; null when it can. -#}
{% macro posting_problem(leg, account, rule_ids) -%}
    case
        when not {{ leg }}.has_rules
            then 'no posting rule for ' || {{ leg }}.event_type || ' / ' || coalesce({{ leg }}.posting_variant, '(none)')
        when {{ account }}.account_code is null then format(
            '%s: account %s sub-fund %s is not in the chart of fund %s',
            {{ rule_ids }}, coalesce({{ leg }}.account_code, '(none)'), coalesce({{ leg }}.sub_fund, '(none)'), {{ leg }}.fund_code
        )
    end
{%- endmacro %}
