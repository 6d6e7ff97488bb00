"""SQL of the checks on risk, budget, statistics and disclosure (P11-P14), over the marts that people read."""

from __future__ import annotations

from expectations.suites._due_files import DUE, DUE_FILES
from expectations.suites._tie_out_sql import threshold

LATEST_MONTH = """(
            select max(latest.accounting_month) from ledger.account_turnover as latest
            where latest.region_code = $region and latest.last_seq <= $head
        )"""

# Months of the books, from the postings alone.
BOOK_MONTHS = """
    select count(distinct turnover.accounting_month) from ledger.account_turnover as turnover
    where turnover.region_code = $region and turnover.last_seq <= $head
"""

_INDICATORS = f"""marts.risk_indicator as indicator
        where indicator.region_code = $region and indicator.accounting_month = {LATEST_MONTH}
            and indicator.indicator_code <> 'institution_cost_ratio'"""
_INSTITUTIONS = f"""marts.institution_cost_per_case as institution
        where institution.region_code = $region and institution.accounting_month = {LATEST_MONTH}"""
_WARNED = "('red', 'yellow', 'yellow_high', 'excessive')"

INDICATORS = f"""
    select
        indicator.indicator_code as item,
        concat(indicator.name_zh, '：', trim_scale(round(indicator.value, 4)), '（', indicator.level, '；',
            indicator.threshold, '） / ', indicator.name_en) as reason,
        indicator.accounting_month, indicator.level, indicator.value, indicator.numerator, indicator.denominator,
        indicator.threshold, indicator.formula_zh as formula, null::text as institution_code, null::numeric as amount
    from {_INDICATORS} and indicator.level in {_WARNED}
    union all
    select
        concat_ws('/', 'institution_cost_ratio', institution.institution_code, institution.benefit_item),
        concat('次均费用为同类机构中位数的 ', trim_scale(institution.cost_ratio),
            ' 倍 / cost per case against the median of the peers'),
        institution.accounting_month, institution.cost_level, institution.cost_ratio, institution.cost_per_case,
        institution.peer_median, null, null, institution.institution_code,
        (institution.cost_per_case - institution.peer_median) * institution.case_count
    from {_INSTITUTIONS} and institution.cost_level in {_WARNED}
    union all
    select
        concat_ws('/', 'caesarean_share', institution.institution_code),
        concat('机构剖宫产率 ', trim_scale(institution.caesarean_share), ' / caesarean share of an institution'),
        institution.accounting_month, institution.caesarean_level, institution.caesarean_share,
        institution.caesarean_count, institution.case_count, null, null, institution.institution_code, null
    from {_INSTITUTIONS} and institution.caesarean_level in {_WARNED}
"""
INDICATORS_EXAMINED = f"""
    select (select count(*) from {_INDICATORS} and indicator.level is not null)
        + (select count(*) from {_INSTITUTIONS})
"""

_EXECUTED = f"""marts.budget_execution as line
        where line.region_code = $region and line.accounting_month = {LATEST_MONTH}"""
# The year of the latest month and those after it.
_CURRENT_YEARS = f"extract(year from {LATEST_MONTH})"
_KNOWN_BUDGET = f"""
    select distinct on (known.fund_code, known.budget_year, known.line_code, known.adjustment_no) known.*
    from policy.budget as known
    where known.region_code = $region and known.budget_year >= {_CURRENT_YEARS}
    order by known.fund_code, known.budget_year, known.line_code, known.adjustment_no, known.known_from desc
"""
_LACKING = "concat_ws('、', {})".format(
    ", ".join(
        f"case when coalesce(trim(stated.{column}), '') = '' then '{said}' end"
        for column, said in (
            ("principle", "编制原则 principles"),
            ("policy_basis", "政策依据 policy basis"),
            ("data_source", "数据来源 data source"),
            ("forecast_basis", "预测及计算依据 forecast basis"),
            ("change_reason", "增减变化原因 reasons for change"),
        )
    )
)

# Totals repeat what their lines say: of far-off shares only lines that accounts make up, and the three that are read.
BUDGETS = f"""
    select
        concat_ws('/', line.fund_code, line.budget_year, line.line_code) as item,
        case when line.is_exceeded then '支出超过预算 / expenditure exceeds the budget'
            else '执行率与时间进度相差较大 / execution is far from the share of time' end as reason,
        line.line_code, line.line_name, line.adjusted_amount, line.amount_year_to_date, line.execution_rate,
        line.expected_share, null::text as lacking,
        case when line.is_exceeded then line.amount_year_to_date - coalesce(line.adjusted_amount, 0)
            else round(abs(line.amount_year_to_date - line.adjusted_amount * line.expected_share), 2) end as amount
    from {_EXECUTED}
        and (
            line.is_exceeded
            or line.deviation_level in {_WARNED} and (
                line.line_code in ('E113', 'I90', 'E90')
                or not exists (
                    select from policy.statement_line as layout
                    where layout.statement = 'income_expenditure' and layout.line_code = line.line_code
                        and layout.formula ~ '^[IE][0-9]+ [+-]'
                )
            )
        )
    union all
    select
        concat_ws('/', 'explanation', stated.fund_code, stated.budget_year, stated.line_code, stated.adjustment_no),
        '已批准的预算缺少说明 / an approved budget lacks an explanation', stated.line_code, null, stated.amount, null,
        null, null, stated.lacking, stated.amount
    from (select stated.*, {_LACKING} as lacking from ({_KNOWN_BUDGET}) as stated) as stated
    where stated.approved_on is not null and stated.lacking <> ''
    union all
    select
        concat_ws('/', 'total', total.fund_code, total.budget_year, total.line_code, total.adjustment_no),
        concat('合计不等于所属各行之和（', total.parts, '） / a total is not the sum of its lines'),
        total.line_code, null, total.amount, total.parts_amount, null, null, null, abs(total.difference)
    from marts.budget_total as total
    where total.region_code = $region and total.budget_year >= {_CURRENT_YEARS} and total.difference <> 0
"""
BUDGETS_EXAMINED = f"""
    select (select count(*) from {_EXECUTED} and line.adjusted_amount is not null)
        + (select count(*) from ({_KNOWN_BUDGET}) as stated)
"""
BUDGETS_POPULATION = f"""
    select count(*) from policy.budget as stated
    where stated.region_code = $region and stated.budget_year >= {_CURRENT_YEARS}
"""

_STATISTICS = """marts.maternity_statistics as told where told.region_code = $region"""
_OPEN_ROWS = """
    select waiting.family, count(*) as open_rows, coalesce(sum(waiting.amount), 0) as open_amount,
        $business_date - min((waiting.quarantined_at at time zone 'Asia/Shanghai')::date) as oldest_days,
        count(*)::numeric / (count(*) + (
            select coalesce(sum(batch.last_seq - batch.first_seq + 1), 0) from events.batch as batch
            inner join events.file as file on file.file_id = batch.file_id
            where batch.region_code = $region and file.family = waiting.family
        )) as open_share
    from events.quarantine_open as waiting
    where waiting.region_code = $region
    group by waiting.family
"""
_OPEN_SHARE = threshold("statistics_open_share", "yellow_above", 0)
_OPEN_DAYS = threshold("statistics_open_days", "yellow_above", 0)

# What the maternity line of the statement says, of both funds.
_STATED = """
    select statement.accounting_month, sum(statement.amount_month) as amount
    from marts.income_expenditure_statement as statement
    where statement.region_code = $region and statement.line_code = 'E113' and statement.sub_fund = 'total'
    group by statement.accounting_month
"""

STATISTICS = f"""
    select
        'open/' || waiting.family as item,
        case when waiting.open_share > {_OPEN_SHARE}
            then '待更正的行过多，统计不完整 / too many rows wait: the statistics are incomplete'
            else '待更正的行过久，统计不及时 / rows have waited too long: the statistics are late' end as reason,
        waiting.family, waiting.open_rows, round(waiting.open_share, 6) as open_share, waiting.oldest_days,
        null::text as period, null::date as due_on, null::text as evidence, waiting.open_amount as amount
    from ({_OPEN_ROWS}) as waiting
    where waiting.open_share > {_OPEN_SHARE} or waiting.oldest_days > {_OPEN_DAYS}
    union all
    select
        'file/' || due.item, '应到文件未到，统计不及时 / a due file has not come: the statistics are late',
        due.family, null, null, null, due.period, due.due_on, null, null
    from ({DUE_FILES}) as due
    union all
    select
        -- one finding as their number grows, with its age and what was decided on it; the number is its evidence
        concat_ws('/', 'late', due.family),
        concat('来源文件逾期到达 ', count(*), ' 个，统计不及时（日历自来源启用的期间起算） / ', count(*),
            ' files came late: the statistics were late (the calendar counts from the activation of a source)'),
        due.family, null, null, null, max(due.period), max(due.due_on), count(*)::text, null
    from ({DUE}) as due
    where due.state = 'late'
    group by due.family
    union all
    select
        'tie/' || to_char(coalesce(told.accounting_month, stated.accounting_month)::timestamp, 'YYYY-MM'),
        '统计的支付额与收支表生育待遇支出不符 / payments told differ from the statement of maternity benefits',
        null, null, null, null, null, null, null, abs(coalesce(told.amount, 0) - coalesce(stated.amount, 0))
    from (select told.accounting_month, told.amount from {_STATISTICS}) as told
    full join ({_STATED}) as stated on stated.accounting_month = told.accounting_month
    where coalesce(told.amount, 0) <> coalesce(stated.amount, 0)
"""
STATISTICS_EXAMINED = f"select count(*) from {_STATISTICS}"

# Every month that is over, from the first of the books on, with the calendar's rule in force, if any.
_OVER_MONTHS = """
    select month.started_at::date as accounting_month, rule.due_day,
        (month.started_at + interval '1 month' - interval '1 day')::date + rule.due_day as due_on
    from generate_series(
        (select min(first.accounting_month) from ledger.account_turnover as first
            where first.region_code = $region and first.last_seq <= $head)::timestamp,
        $business_date::timestamp, interval '1 month'
    ) as month (started_at)
    left join lateral (
        select known.due_day from policy.disclosure_calendar as known
        where known.region_code = $region
            and month.started_at::date between known.effective_from and coalesce(known.effective_to, 'infinity')
        order by known.known_from desc, known.effective_from desc limit 1
    ) as rule on true
    where month.started_at + interval '1 month' <= $business_date
"""

_DUE_MONTHS = f"select over_month.* from ({_OVER_MONTHS}) as over_month where over_month.due_on < $business_date"


def _in_runs(months: str) -> str:
    """Months that follow one another have the same `run`: what lacks for years is one finding, by its first month."""
    return f"""
        select each_month.*, each_month.accounting_month - make_interval(
            months => (row_number() over (order by each_month.accounting_month))::integer
        ) as run
        from ({months}) as each_month
    """


_LATE_MONTHS = _in_runs(f"""
    select due.accounting_month, due.due_on from ({_DUE_MONTHS}) as due
    where not exists (
        select from marts.public_disclosure as told
        where told.region_code = $region and told.fund_code = 'EMI' and told.accounting_month = due.accounting_month
    )
""")
_UNRULED_MONTHS = _in_runs(f"""
    select over_month.accounting_month from ({_OVER_MONTHS}) as over_month
    where over_month.due_day is null and over_month.accounting_month <= {LATEST_MONTH}
""")

# When each of them was first public: by the first publication after the month's end that has the month in it.
_PUBLIC_MONTHS = f"""
    select due.accounting_month, due.due_on, (
            select min((told.published_at at time zone 'Asia/Shanghai')::date) from ledger.publication as told
            where told.region_code = $region
                and told.seq >= first.first_seq
                and (told.published_at at time zone 'Asia/Shanghai')::date
                    > (due.accounting_month + interval '1 month' - interval '1 day')::date
        ) as public_on
    from ({_DUE_MONTHS}) as due
    inner join (
        select turnover.accounting_month, min(turnover.last_seq) as first_seq
        from ledger.account_turnover as turnover
        where turnover.region_code = $region and turnover.fund_code = 'EMI' and turnover.last_seq <= $head
        group by turnover.accounting_month
    ) as first on first.accounting_month = due.accounting_month
"""

DISCLOSURES = f"""
    select
        to_char(min(due.accounting_month)::timestamp, 'YYYY-MM') as item,
        concat('逾期未公开基金运行情况，至 ', to_char(max(due.accounting_month)::timestamp, 'YYYY-MM'), ' 共 ',
            count(*), ' 个月 / public tables are late: ', count(*), ' months') as reason,
        min(due.accounting_month) as accounting_month, min(due.due_on) as due_on,
        $business_date - min(due.due_on) as days_late, count(*)::text as evidence, null::numeric as amount
    from ({_LATE_MONTHS}) as due
    group by due.run
    union all
    select
        'calendar/' || to_char(min(unruled.accounting_month)::timestamp, 'YYYY-MM'),
        concat('公开日历无有效行，人数一律不公布、期限未知，至 ',
            to_char(max(unruled.accounting_month)::timestamp, 'YYYY-MM'), ' 共 ', count(*),
            ' 个月 / no row of the disclosure calendar is in force, numbers of persons are withheld: ', count(*),
            ' months'),
        min(unruled.accounting_month), null, null, count(*)::text, null
    from ({_UNRULED_MONTHS}) as unruled
    group by unruled.run
    union all
    select
        'late',
        concat('逾期公开的月份 ', count(*), ' 个 / ', count(*), ' months were made public after their day'),
        max(told.accounting_month), max(told.due_on), max(told.public_on - told.due_on), count(*)::text, null
    from ({_PUBLIC_MONTHS}) as told
    where told.public_on > told.due_on
    having count(*) > 0
"""
DISCLOSURES_EXAMINED = f"select count(*) from ({_OVER_MONTHS}) as over_month"
# From the postings alone: a calendar that has ended must not make it look as if there were nothing to tell.
DISCLOSURES_POPULATION = """
    select count(distinct turnover.accounting_month) from ledger.account_turnover as turnover
    where turnover.region_code = $region and turnover.last_seq <= $head
        and turnover.accounting_month + interval '1 month' <= $business_date
"""
