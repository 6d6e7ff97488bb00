"""The page of rates and forecasts: the review of each region, its reserve ahead, and how far to trust both."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from ingestion.database import Connection
from reporting import quality
from reporting.analysis.figures import percent
from reporting.books import Row, rows
from reporting.names import Name, name_of
from reporting.site.frame import Frame
from reporting.site.pages import Source

KEY = "rate_review"
FILE = "rate_review.html"

SERIES = {
    "contribution_income": Name("统筹缴费收入", "Pooled contribution income"),
    "employer_contribution": Name("单位缴费", "Employers' contributions"),
    "other_income": Name("其他统筹收入", "Other pooled income"),
    "pooled_income": Name("统筹收入", "Pooled income"),
    "pooled_expenditure": Name("统筹支出", "Pooled expenditure"),
    "pooled_net": Name("统筹收支差", "Pooled surplus"),
    "maternity_medical": Name("生育医疗费用", "Maternity medical expenditure"),
    "maternity_allowance": Name("生育津贴", "Maternity allowances"),
    "other_expenditure": Name("其他统筹支出", "Other pooled expenditure"),
    "deliveries": Name("分娩结算数", "Deliveries settled"),
    "cost_per_delivery": Name("次均分娩费用", "Cost a delivery"),
    "assessed_employees": Name("核定职工人数", "Employees assessed"),
    "national_maternity_expenditure": Name("全国生育支出（亿元）", "National maternity expenditure (100 million)"),
    "national_maternity_insured": Name("全国生育参保人数（万人）", "National maternity insured (10,000)"),
    "national_maternity_visits_before_2023": Name(
        "全国享受待遇人次，2023 年前口径（万）", "National visits, definition before 2023 (10,000)"
    ),
    "national_fund_income": Name("全国职工医保收入（亿元）", "National fund income (100 million)"),
    "national_fund_expenditure": Name("全国职工医保支出（亿元）", "National fund expenditure (100 million)"),
    "national_income_year_to_date": Name("全国收入：累计数推全年", "National income: year to date to year"),
    "national_expenditure_year_to_date": Name("全国支出：累计数推全年", "National expenditure: year to date to year"),
    "national_maternity_year_to_date": Name("全国生育支出：累计数推全年", "National maternity: year to date to year"),
}
METHODS = {
    "model": Name("模型", "model"),
    "naive": Name("沿用上期", "last value"),
    "seasonal_naive": Name("沿用上年同期", "a year before"),
    "annualised": Name("按月数年化", "annualised"),
}
SCENARIOS = {
    "low": Name("低方案", "low"),
    "mid": Name("中方案", "mid"),
    "high": Name("高方案", "high"),
    "actual": Name("当年实际", "the year as it was"),
}
LIMITS = {
    "none": Name("建议未受限额限制", "the proposal is not limited"),
    "change_max": Name(
        "建议受一次调整上限，未到所需费率", "the proposal is held by the largest change at once and falls short of it"
    ),
    "rate_limits": Name(
        "建议受费率上下限，未到所需费率", "the proposal is held by the limits of the rate and falls short of it"
    ),
}
INDICATORS = {
    "expenditure_per_visit": Name("次均支出", "Expenditure a visit"),
    "expenditure_per_insured": Name("人均支出", "Expenditure an insured"),
    "benefit_per_capita": Name("人均待遇", "Benefit per capita"),
    "maternity_share_of_pooled": Name("生育占统筹支出", "Maternity share of pooled"),
    "months_in_reserve": Name("可支付月数", "Months in reserve"),
    "surplus": Name("当期结余", "Surplus"),
    "surplus_personal": Name("个人账户当期结余", "Surplus of personal accounts"),
    "income_sum": Name("收入合计", "Sum of income"),
    "asset_sum": Name("资产合计", "Sum of assets"),
    "sub_fund_sum": Name("统筹加个人账户", "Pooled + personal"),
    "closing_roll": Name("年末结余", "Closing balance"),
    "pooled_closing_roll": Name("统筹年末结存", "Pooled closing"),
    "income_of_sub_funds": Name("两部分收入之和", "Income of both parts"),
    "expenditure_of_sub_funds": Name("两部分支出之和", "Expenditure of both parts"),
    "income_growth": Name("收入增长率", "Growth of income"),
    "expenditure_growth": Name("支出增长率", "Growth of expenditure"),
    "quick_growth": Name("快报增长率", "Growth, quick reports"),
}
SUBJECTS = {
    "national": Name("全国职工医保", "national employee fund"),
    "national_maternity": Name("全国生育保险", "national maternity"),
    "RESIDENT": Name("全国居民医保", "national resident fund"),
}

_LOW_TO_HIGH = "array_position(ARRAY['low', 'mid', 'high'], scenario_code::text), scenario_code"
_REVIEW = (
    f"SELECT * FROM marts.rate_review ORDER BY region_code, review_year, scenario_code = 'actual' DESC, {_LOW_TO_HIGH}"
)
# The page of risks has the books of the employee fund alone: its figure stands beside that of both funds.
_OF_ONE_FUND = """
SELECT region_code, accounting_month, value FROM marts.risk_indicator
WHERE indicator_code = 'pooled_months_in_reserve'
"""
_BASIS = f"""
SELECT * FROM marts.rate_review_basis
ORDER BY region_code, review_year DESC, scenario_code = 'actual' DESC, {_LOW_TO_HIGH}, figure_order
"""
_SUMMARY = f"SELECT * FROM marts.reserve_outlook_summary ORDER BY region_code, {_LOW_TO_HIGH}"
_OUTLOOK = """
SELECT region_code, scenario_code, outlook_month, months_in_reserve, months_in_reserve_lower, months_in_reserve_upper,
    pooled_balance, pooled_income, pooled_expenditure, horizon
FROM marts.reserve_outlook ORDER BY region_code, outlook_month, scenario_code
"""
_FORECAST = """
SELECT region_code, series_code, model, note_zh, note_en, months_known, last_month,
    max(mean) FILTER (WHERE horizon = 12) AS mean, max(lower_95) FILTER (WHERE horizon = 12) AS lower_95,
    max(upper_95) FILTER (WHERE horizon = 12) AS upper_95
FROM marts.forecast
GROUP BY region_code, series_code, model, note_zh, note_en, months_known, last_month ORDER BY region_code, series_code
"""
_BACKTEST = """
SELECT * FROM marts.forecast_backtest ORDER BY region_code, series_code, mean_absolute_error, method
"""
_REPRODUCED = "SELECT * FROM marts.indicator_reproduction ORDER BY indicator_code, subject_code, year"


@dataclass(frozen=True)
class Reviewed:
    """A region: rows of the review, of what it rests on, of the outlook, of forecasts and their tests.

    `of_one_fund`: months in reserve by the books of the employee fund alone, by month.
    """

    region_code: str
    of_one_fund: Mapping[date, Decimal]
    review: Sequence[Row]
    basis: Sequence[Row]
    summary: Sequence[Row]
    outlook: Sequence[Row]
    forecasts: Sequence[Row]
    backtests: Sequence[Row]

    @property
    def years(self) -> list[Row]:
        """The years as they were, oldest first."""
        return [row for row in self.review if row["scenario_code"] == "actual"]

    @property
    def scenarios(self) -> list[Row]:
        """What lies ahead: a row a scenario; none without a forecast."""
        return [row for row in self.review if row["scenario_code"] != "actual"]

    @property
    def codes(self) -> list[str]:
        """Scenarios of the outlook; the one whose interval is drawn first."""
        found = sorted({row["scenario_code"] for row in self.outlook})
        return sorted(found, key=lambda code: (code != "mid", code))

    @property
    def months(self) -> list[tuple[Any, dict[str, Row]]]:
        """The outlook month by month: the rows by scenario."""
        by_month: dict[Any, dict[str, Row]] = {}
        for row in self.outlook:
            by_month.setdefault(row["outlook_month"], {})[row["scenario_code"]] = row
        return list(by_month.items())


def build(source: Source, frame: Frame) -> Mapping[str, str]:
    """The page."""
    if not quality.exists(source.connection, "marts.rate_review"):
        return {FILE: _html(source, frame, [], [], [])}
    backtests = rows(source.connection, _BACKTEST)
    regions = _regions(source.connection, backtests)
    national = [row for row in backtests if row["region_code"] == "-"]
    return {FILE: _html(source, frame, regions, national, rows(source.connection, _REPRODUCED))}


def _regions(connection: Connection, backtests: Sequence[Row]) -> list[Reviewed]:
    parts = [rows(connection, query) for query in (_REVIEW, _BASIS, _SUMMARY, _OUTLOOK, _FORECAST)]
    of_one_fund = rows(connection, _OF_ONE_FUND)
    codes = sorted({row["region_code"] for row in parts[0]})
    return [
        Reviewed(
            code,
            {row["accounting_month"]: row["value"] for row in of_one_fund if row["region_code"] == code},
            *([row for row in part if row["region_code"] == code] for part in (*parts, backtests)),
        )
        for code in codes
    ]


def _html(source: Source, frame: Frame, regions: list[Reviewed], national: list[Row], reproduced: Sequence[Row]) -> str:
    return frame.html(
        "rate_review.html.j2",
        KEY,
        regions=regions,
        national=national,
        reproduced=reproduced,
        names={region.region_code: Name(region.region_code, region.region_code) for region in regions} | source.names,
        name_of=name_of,
        percent=percent,
        SERIES=SERIES,
        METHODS=METHODS,
        SCENARIOS=SCENARIOS,
        LIMITS=LIMITS,
        INDICATORS=INDICATORS,
        SUBJECTS=SUBJECTS,
    )
