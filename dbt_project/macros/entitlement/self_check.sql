{#- Numerator and denominator of each item of the self-check, one row a region and item; an item without a row can't be told from here. -#}

{#- Registration: persons with a gap, as the newest version of each says, and key groups. -#}
{% macro self_check_registration() -%}
covered as (
    select distinct on (gap.region_code, gap.person_no, gap.gap_kind) gap.region_code, gap.person_no, gap.gap_kind, gap.gap_until
    from {{ ref('enrollment_coverage') }} as gap
    inner join reviewed on gap.region_code = reviewed.region_code and gap.last_seq <= reviewed.head_seq
    where
        {{ readable('gap.region_code') }}
        and not exists (
            select from {{ ref('enrollment_coverage') }} as later
            where
                later.region_code = gap.region_code
                and later.person_no = gap.person_no
                and later.batch_id > gap.batch_id
                and later.last_seq <= reviewed.head_seq
        )
    order by gap.region_code asc, gap.person_no asc, gap.gap_kind asc, gap.gap_until desc
),

registration_answer as (
    select
        region_code, 'R1' as item_code,
        count(distinct person_no) filter (where gap_kind in ('uncovered_after_merger', '510_after_merger') and gap_until is null) as numerator,
        count(distinct person_no) as denominator
    from covered
    group by region_code
    union all
    select
        region_code, 'R2',
        count(distinct person_no) filter (where gap_kind in ('310_without_510', '510_without_310')),
        count(distinct person_no)
    from covered
    group by region_code
    union all
    select
        reviewed.region_code, 'R3',
        count(distinct event.person_no) filter (where event.worker_group in ('new_form', 'migrant')),
        count(distinct event.person_no)
    from reviewed
    inner join {{ source('events', 'event') }} as event
        on reviewed.region_code = event.region_code and reviewed.head_seq >= event.seq
    where event.family = 'registration' and event.person_no is not null
    group by reviewed.region_code
)
{%- endmacro %}

{#- Collection and rates. -#}
{% macro self_check_collection() -%}
premium as (
    select
        turnover.region_code, turnover.employer_no, turnover.contribution_month, turnover.insurance_type,
        sum(turnover.assessed_change) as assessed, sum(turnover.collected_amount - turnover.refunded_amount) as collected
    from {{ ref('contribution_turnover') }} as turnover
    inner join reviewed
        on
            turnover.region_code = reviewed.region_code
            and turnover.last_seq <= reviewed.head_seq
            and turnover.contribution_month >= reviewed.merger_month
    where turnover.enrollment_category = 'employee'
    group by turnover.region_code, turnover.employer_no, turnover.contribution_month, turnover.insurance_type
),

-- The rates of the last day of the separate funds and of the first of the merged one; a type without a row uses the row for all.
rate_pair as (
    select
        reviewed.region_code, kind.enrollment_category, kind.employer_type,
        {{ rate_on('310', 'reviewed.merger_date - 1') }} as medical_before,
        {{ rate_on('510', 'reviewed.merger_date - 1') }} as maternity_before,
        {{ rate_on('310', 'reviewed.merger_date') }} as after
    from reviewed
    inner join (
        select distinct region_code, enrollment_category, employer_type
        from {{ ref('policy_rate') }}
        where enrollment_category in ('employee', 'flexible') and insurance_type = '310'
    ) as kind on reviewed.region_code = kind.region_code
),

collection_answer as (
    select
        region_code, 'F1' as item_code,
        count(*) filter (where insurance_type = '510' and (assessed <> 0 or collected <> 0)) as numerator,
        count(*) filter (where insurance_type = '310') as denominator
    from premium
    group by region_code
    union all
    select
        region_code, 'F2',
        count(*) filter (where after is distinct from medical_before + coalesce(maternity_before, 0)),
        count(*)
    from rate_pair
    where enrollment_category = 'employee'
    group by region_code
    union all
    select region_code, 'F4', count(*) filter (where after is distinct from medical_before), count(*)
    from rate_pair
    where enrollment_category = 'flexible'
    group by region_code
    union all
    select reviewed.region_code, 'F3', count(*) filter (where rule.personal_rate > 0), count(*)
    from reviewed
    inner join {{ ref('policy_rate') }} as rule on reviewed.region_code = rule.region_code and rule.insurance_type = '510'
    group by reviewed.region_code
)
{%- endmacro %}

{#- Employer's rate, or the person's own of a flexible worker, on a day. -#}
{% macro rate_on(insurance_type, day) -%}
(
            select coalesce(nullif(rule.employer_rate, 0), rule.personal_rate)
            from {{ ref('policy_rate') }} as rule
            where
                rule.region_code = reviewed.region_code
                and rule.enrollment_category = kind.enrollment_category
                and rule.insurance_type = '{{ insurance_type }}'
                and (rule.employer_type is null or rule.employer_type = kind.employer_type)
                and {{ in_force('rule', day) }}
            order by (rule.employer_type is not null) desc, rule.known_from desc, rule.effective_from desc
            limit 1
        )
{%- endmacro %}

{#- What the books show. -#}
{% macro self_check_books() -%}
booked as (
    select
        turnover.region_code,
        turnover.fund_code,
        turnover.accounting_month,
        turnover.account_code,
        turnover.entry_kind,
        account.account_class,
        turnover.accounting_month >= reviewed.merger_month as is_after,
        account.is_of_maternity_fund,
        sum(turnover.credit_amount - turnover.debit_amount) as amount
    from {{ ref('account_turnover') }} as turnover
    inner join reviewed on turnover.region_code = reviewed.region_code and turnover.last_seq <= reviewed.head_seq
    inner join (
        select account_code, min(account_class) as account_class, bool_or(fund_code = 'MAT') as is_of_maternity_fund
        from {{ ref('chart_of_accounts') }}
        group by account_code
    ) as account on turnover.account_code = account.account_code
    group by
        turnover.region_code, turnover.fund_code, turnover.accounting_month, turnover.account_code, turnover.entry_kind,
        account.account_class, reviewed.merger_month, account.is_of_maternity_fund
),

maternity_month as (
    select booked.region_code, line.line_code, count(distinct booked.accounting_month) as months
    from booked
    inner join (
        {{ ledger_account_line() }}
    ) as line on booked.account_code = line.account_code
    where
        line.line_code in ('E1131', 'E1132')
        and line.entry_kind = 'normal'
        and booked.entry_kind = 'normal'
        and booked.fund_code = 'EMI'
        and booked.is_after
        and booked.amount <> 0
        and {{ in_layout('booked.accounting_month', 'line') }}
    group by booked.region_code, line.line_code
),

merged_month as (
    select
        region_code,
        count(distinct accounting_month) filter (where is_after) as months,
        count(distinct accounting_month) filter (where is_after and account_class = 'income' and amount <> 0) as income_months,
        count(distinct accounting_month) filter (where is_after and account_class = 'expenditure' and amount <> 0) as expenditure_months,
        count(distinct accounting_month) filter (
            where is_after and account_class = 'income' and is_of_maternity_fund and amount <> 0
        ) as maternity_income_months,
        count(distinct accounting_month) filter (where not is_after) as months_before
    from booked
    where fund_code = 'EMI' and entry_kind = 'normal'
    group by region_code
),

books_answer as (
    select region_code, 'F5' as item_code, maternity_income_months::numeric as numerator, income_months::numeric as denominator
    from merged_month
    union all
    select merged_month.region_code, item.item_code, coalesce(maternity_month.months, 0), merged_month.expenditure_months
    from merged_month
    cross join (values ('F6', 'E1131'), ('F7', 'E1132')) as item (item_code, line_code)
    left join maternity_month
        on merged_month.region_code = maternity_month.region_code and item.line_code = maternity_month.line_code
    union all
    select region_code, 'F8', count(*) filter (where balance <> 0), count(*)
    from (
        select region_code, account_code, sum(amount) as balance
        from booked
        where fund_code = 'MAT'
        group by region_code, account_code
    ) as old_account
    group by region_code
    union all
    select month.region_code, 'F9', sum(month.pooled_income), sum(month.pooled_expenditure_in_all)
    from {{ ref('fund_month') }} as month
    where month.is_merged
    group by month.region_code
    union all
    select merged_month.region_code, 'F13', (
        select count(distinct closing.accounting_month)
        from {{ source('events', 'event') }} as closing
        where
            closing.region_code = merged_month.region_code
            and closing.event_type = 'period.closed'
            and closing.accounting_month >= reviewed.merger_month
            and closing.seq <= reviewed.head_seq
    ), merged_month.months
    from merged_month
    inner join reviewed on merged_month.region_code = reviewed.region_code
    union all
    select merged_month.region_code, 'C1', least(merged_month.months_before, reviewed.months_before), reviewed.months_before
    from merged_month
    inner join reviewed on merged_month.region_code = reviewed.region_code
)
{%- endmacro %}

{#- Services and platforms. -#}
{% macro self_check_services() -%}
{{ payments_of_sides() }},

care as (
    select
        payment.*,
        method.payment_method as method_demanded,
        payment.benefit_item in ('maternity_allowance', 'nutrition_subsidy') as is_cash
    from payment
    left join lateral (
        {{ payment_method_in_force('payment.region_code', 'payment.benefit_item', 'payment.rule_date') }}
    ) as method on true
    where payment.side = 'after'
),

platform as (
    select distinct on (known.region_code, known.source_system) known.region_code, known.source_system, known.migrated_on
    from {{ ref('policy_settlement_platform') }} as known
    order by known.region_code asc, known.source_system asc, known.known_from desc
),

service_answer as (
    select
        region_code, 'S2' as item_code, count(*) filter (where payment_method = method_demanded)::numeric as numerator,
        count(*) filter (where method_demanded is not null)::numeric as denominator
    from care
    group by region_code
    union all
    select
        region_code, 'S3', count(*) filter (where payee_type = 'institution' and not is_cash), count(*) filter (where not is_cash)
    from care
    group by region_code
    union all
    select
        region_code, 'S1', count(distinct institution_code) filter (where is_agreed), count(distinct institution_code)
    from (
        select
            care.region_code,
            care.institution_code,
            bool_and(exists(
                select from {{ ref('provider_agreement') }} as agreement
                where
                    agreement.region_code = care.region_code
                    and agreement.institution_code = care.institution_code
                    and agreement.is_designated_for_maternity
                    and agreement.has_maternity_clauses
                    and {{ in_force('agreement', 'care.occurred_on') }}
            )) as is_agreed
        from care
        where care.institution_code is not null and not care.is_cash
        group by care.region_code, care.institution_code
    ) as institution
    group by region_code
    union all
    select
        region_code, 'B3', count(distinct claim_no) filter (where benefit_item = 'nutrition_subsidy'),
        count(distinct claim_no) filter (where benefit_item like 'delivery%')
    from care
    group by region_code
    union all
    select
        care.region_code, 'B4',
        count(distinct care.claim_no) filter (where care.benefit_item like 'delivery%' and flexible.is_flexible),
        count(distinct care.claim_no) filter (where care.benefit_item like 'delivery%')
    from care
    left join lateral (
        select event.enrollment_category = 'flexible' as is_flexible
        from {{ source('events', 'event') }} as event
        where
            event.region_code = care.region_code
            and event.person_no = care.person_no
            and event.event_type in ('enrollment.started', 'enrollment.changed')
            and event.occurred_on <= care.occurred_on
        order by event.occurred_on desc, event.seq desc
        limit 1
    ) as flexible on care.benefit_item like 'delivery%'
    group by care.region_code
    union all
    select
        reviewed.region_code, 'P1',
        count(platform.source_system) filter (
            where platform.migrated_on is null or platform.migrated_on > reviewed.after_day or exists(
                select from {{ ref('maternity_source_turnover') }} as moved
                where
                    moved.region_code = platform.region_code
                    and moved.source_system = platform.source_system
                    and moved.paid_month >= platform.migrated_on
                    and moved.last_seq <= reviewed.head_seq
            )
        ),
        count(platform.source_system) + 1
    from reviewed
    left join platform on reviewed.region_code = platform.region_code
    group by reviewed.region_code
)
{%- endmacro %}

{#- Benefits: cash cases of the review's months, by old and new rules. -#}
{% macro self_check_benefits() -%}
{{ cash_by_old_and_new_rules('published') }},

benefit_answer as (
    select
        cash_case.region_code, 'B1' as item_code,
        count(*) filter (
            where cash_case.amount_new_rules < cash_case.amount_old_rules
            or (
                cash_case.event_on >= cash_case.merger_date
                and cash_case.amount_paid + cash_case.amount_awaited < cash_case.amount_old_rules
            )
        )::numeric as numerator,
        count(*) filter (where cash_case.amount_old_rules is not null and cash_case.amount_new_rules is not null)::numeric as denominator
    from cash_case
    group by cash_case.region_code
    union all
    select
        cash_case.region_code, 'B2',
        count(*) filter (where cash_case.amount_paid + cash_case.amount_awaited <> cash_case.amount_new_rules),
        count(cash_case.amount_new_rules)
    from cash_case
    where cash_case.event_on >= cash_case.merger_date
    group by cash_case.region_code
)
{%- endmacro %}
