-- noqa: disable=ST05
-- Stocks are counted on one day of each side; flows are summed over the months of the side and divided by the months that the books hold.
with head as (
    {{ ledger_head('published') }}
),

{{ reviewed_regions() }},

{{ review_sides() }},

spell as (
    {{ newest_spell('published') }}
),

-- Enrolments on the day. Maternity insurance is 510 before the merger; since then whoever is an employee in 310 has it, and enrolments of
-- 510 have gone over.
enrolled as (
    select side.region_code, side.side, spell.insurance_type, spell.enrollment_category, count(*) as persons
    from side
    inner join spell
        on
            side.region_code = spell.region_code
            and side.counted_on >= spell.valid_from
            and (spell.valid_until is null or side.counted_on < spell.valid_until)
    group by side.region_code, side.side, spell.insurance_type, spell.enrollment_category
),

insured as (
    select region_code, side, '310' as detail, sum(persons) as persons
    from enrolled
    where insurance_type = '310'
    group by region_code, side
    union all
    select region_code, side, '310_employee', sum(persons)
    from enrolled
    where insurance_type = '310' and enrollment_category = 'employee'
    group by region_code, side
    union all
    select region_code, side, 'maternity', sum(persons)
    from enrolled
    where insurance_type = case side when 'before' then '510' else '310' end and enrollment_category = 'employee'
    group by region_code, side
),

moved as (
    select
        side.region_code,
        side.side,
        turnover.fund_code,
        turnover.sub_fund,
        turnover.account_code,
        account.account_class,
        turnover.accounting_month,
        turnover.accounting_month >= side.month_from as is_within,
        turnover.entry_kind,
        sum(turnover.credit_amount - turnover.debit_amount) as amount
    from side
    inner join {{ ref('account_turnover') }} as turnover
        on
            side.region_code = turnover.region_code
            and side.month_until >= turnover.accounting_month
            and side.head_seq >= turnover.last_seq
            and {{ readable('turnover.region_code') }}
    inner join (
        {{ ledger_account() }}
    ) as account on turnover.account_code = account.account_code
    where account.account_class in ('income', 'expenditure', 'net_assets')
    group by
        side.region_code, side.side, turnover.fund_code, turnover.sub_fund, turnover.account_code, account.account_class,
        turnover.accounting_month, side.month_from, turnover.entry_kind
),

fund_flow as (
    select
        moved.region_code, moved.side, moved.fund_code, moved.measure_code,
        sum(moved.amount) as amount,
        count(distinct moved.accounting_month) filter (where moved.amount <> 0) as months
    from (
        select region_code, side, fund_code, accounting_month, 'income' as measure_code, amount
        from moved
        where account_class = 'income' and is_within and entry_kind = 'normal'
        union all
        select region_code, side, fund_code, accounting_month, 'expenditure', -amount
        from moved
        where account_class = 'expenditure' and is_within and entry_kind = 'normal'
        union all
        select moved.region_code, moved.side, moved.fund_code, moved.accounting_month, 'maternity_expenditure', -moved.amount
        from moved
        inner join (
            {{ ledger_account_line() }}
        ) as line on moved.account_code = line.account_code
        where
            line.line_code = 'E113' and line.entry_kind = 'normal' and moved.entry_kind = 'normal' and moved.is_within
            and {{ in_layout('moved.accounting_month', 'line') }}
    ) as moved
    group by moved.region_code, moved.side, moved.fund_code, moved.measure_code
),

-- Net assets with the surplus that is not yet closed into them.
fund_stock as (
    select region_code, side, fund_code, sum(amount) as amount, sum(amount) filter (where sub_fund = 'pooled') as pooled_amount
    from moved
    group by region_code, side, fund_code
),

served as (
    select side.region_code, side.side, count(distinct turnover.institution_code) as institutions
    from side
    inner join {{ ref('institution_turnover') }} as turnover
        on
            side.region_code = turnover.region_code
            and turnover.accounting_month between side.month_from and side.month_until
            and side.head_seq >= turnover.last_seq
    where turnover.payment_amount > 0
    group by side.region_code, side.side
),

{{ payments_of_sides() }},

treated as (
    select
        region_code, side, benefit_item,
        count(distinct claim_no) as claims,
        count(distinct date_trunc('month', occurred_on::timestamp)) as months
    from payment
    group by region_code, side, benefit_item
),

delivering as (
    select region_code, side, count(distinct institution_code) as institutions
    from payment
    where benefit_item like 'delivery%'
    group by region_code, side
),

measured as (
    select
        region_code, side, 'persons_insured' as measure_code, detail, null::text as fund_code,
        persons::numeric as numerator, null::bigint as months
    from insured
    union all
    select region_code, side, measure_code, null, fund_code, amount, months from fund_flow
    union all
    select region_code, side, 'balance', null, fund_code, amount, null from fund_stock
    union all
    select region_code, side, 'pooled_balance', null, fund_code, pooled_amount, null from fund_stock
    union all
    select region_code, side, 'institutions_paid', null, null, institutions, null from served
    union all
    select region_code, side, 'institutions_delivering', null, null, institutions, null from delivering
    union all
    select region_code, side, 'cases', benefit_item, null, claims, months from treated
),

named (measure_code, unit, is_stock, title_zh, title_en) as (
    values
    ('persons_insured', 'person', true, '参保人数', 'persons insured'),
    ('income', 'yuan', false, '基金收入', 'income of the fund'),
    ('expenditure', 'yuan', false, '基金支出', 'expenditure of the fund'),
    ('maternity_expenditure', 'yuan', false, '其中：生育待遇支出', 'of which maternity benefits'),
    ('balance', 'yuan', true, '期末结余', 'balance at the end'),
    ('pooled_balance', 'yuan', true, '其中：统筹基金结余', 'of which pooled fund'),
    ('institutions_paid', 'count', false, '有支付的定点医药机构数', 'institutions paid'),
    ('institutions_delivering', 'count', false, '有分娩支付的定点医疗机构数', 'institutions paid for deliveries'),
    ('cases', 'count', false, '支付的结算数', 'claims paid')
),

compared as (
    select
        region_code, measure_code, detail, fund_code,
        max(numerator) filter (where side = 'before') as before_amount,
        max(months) filter (where side = 'before') as before_months,
        max(numerator) filter (where side = 'after') as after_amount,
        max(months) filter (where side = 'after') as after_months
    from measured
    group by region_code, measure_code, detail, fund_code
),

each_measure as (
    select
        compared.*, named.title_zh, named.title_en, named.unit, region.merger_date,
        named.is_stock,
        case when named.is_stock then region.before_day else region.before_from end as before_from,
        case when named.is_stock then region.before_day else region.before_until end as before_until,
        case when named.is_stock then region.after_day else region.after_from end as after_from,
        case when named.is_stock then region.after_day else region.after_until end as after_until,
        compared.before_amount / nullif(compared.before_months, 0) as before_monthly,
        compared.after_amount / nullif(compared.after_months, 0) as after_monthly
    from compared
    inner join reviewed as region on compared.region_code = region.region_code
    inner join named on compared.measure_code = named.measure_code
)

select
    region_code,
    measure_code,
    detail,
    fund_code,
    title_zh,
    title_en,
    unit,
    merger_date,
    before_from,
    before_until,
    before_amount::numeric(18, 2) as before_amount,
    before_months::integer as before_months,
    round(before_monthly, 2)::numeric(18, 2) as before_monthly,
    after_from,
    after_until,
    after_amount::numeric(18, 2) as after_amount,
    after_months::integer as after_months,
    round(after_monthly, 2)::numeric(18, 2) as after_monthly,
    round(
        (coalesce(after_monthly, after_amount) / nullif(coalesce(before_monthly, before_amount), 0) - 1) * 100, 2
    )::numeric(18, 2) as change_percent
from each_measure
