"""The marts of risk, budget, statistics and disclosure for the pages, region by region; rows by column name.

Months are the first day of the month, amounts Decimal yuan. Nothing names a person or a claim.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from ingestion.database import Connection
from reporting import quality
from reporting.books import Row, rows
from reporting.statements.month import month_before

# Months on charts and in tables, and of public tables on their page; all of them are in the marts.
MONTHS_SHOWN = 24
MONTHS_DISCLOSED = 12

_INDICATORS = """
    SELECT * FROM marts.risk_indicator WHERE region_code = %s AND accounting_month = (
        SELECT max(accounting_month) FROM marts.fund_month WHERE region_code = %s
    ) ORDER BY indicator_order
"""
# What employers were spared in the year that a proposal is made annual of: it is in no figure of that year's execution.
_RELIEF = """
    SELECT review_year, relief_amount FROM marts.rate_review
    WHERE region_code = %s AND review_year = %s AND scenario_code = 'actual' AND relief_amount <> 0
"""
# Within a year of the merger the employee fund's months were paid for without maternity benefits; with those of the old
# fund they are what the reserve has to last for, and what the rate review goes by. Nothing once all months are merged.
_BOTH_FUNDS = """
    SELECT pooled_balance, sum(both_funds_expenditure) AS expenditure, count(*) AS months,
        round(pooled_balance * count(*) / nullif(sum(both_funds_expenditure), 0), 2) AS months_in_reserve
    FROM (
        SELECT is_merged, both_funds_expenditure,
            first_value(pooled_balance) OVER (ORDER BY accounting_month DESC) AS pooled_balance,
            first_value(is_merged) OVER (ORDER BY accounting_month DESC) AS is_merged_now
        FROM marts.fund_month WHERE region_code = %s ORDER BY accounting_month DESC LIMIT 12
    ) AS month
    WHERE is_merged_now
    GROUP BY pooled_balance HAVING NOT bool_and(is_merged)
"""
_TREND = """
    SELECT accounting_month, indicator_code, value, level, red_below, yellow_below, yellow_above, excessive_above
    FROM marts.risk_indicator
    WHERE region_code = %s AND accounting_month >= %s
        AND indicator_code IN ('pooled_months_in_reserve', 'maternity_share')
    ORDER BY accounting_month
"""
_FUND_MONTHS = """
    SELECT accounting_month, pooled_income, pooled_expenditure_in_all AS pooled_expenditure, maternity_expenditure
    FROM marts.fund_month WHERE region_code = %s AND accounting_month >= %s ORDER BY accounting_month
"""
_INSTITUTIONS = """
    SELECT institution_code, benefit_item, case_count, cost_per_case, pooled_per_case, peer_count, peer_median,
        cost_ratio, cost_level, caesarean_count, caesarean_share, caesarean_level
    FROM marts.institution_cost_per_case
    WHERE region_code = %s AND accounting_month = %s
    ORDER BY benefit_item, cost_ratio DESC NULLS LAST, institution_code
"""
_TEMPORARY = """
    SELECT band.band_code, band.name_zh, band.name_en,
        coalesce(sum(item.open_amount) FILTER (WHERE item.account_code = '1101'), 0) AS payments,
        count(item.open_amount) FILTER (WHERE item.account_code = '1101') AS payment_count,
        coalesce(sum(item.open_amount) FILTER (WHERE item.account_code = '2001'), 0) AS receipts,
        count(item.open_amount) FILTER (WHERE item.account_code = '2001') AS receipt_count
    FROM policy.age_band AS band
    LEFT JOIN marts.temporary_item AS item ON item.age_band = band.band_code AND item.region_code = %s
    GROUP BY band.band_code, band.band_order, band.name_zh, band.name_en ORDER BY band.band_order
"""
_EXECUTION = """
    SELECT * FROM marts.budget_execution WHERE region_code = %s AND accounting_month = (
        SELECT max(accounting_month) FROM marts.fund_month WHERE region_code = %s
    )
"""
_LINE_ORDER = """
    SELECT line_code, line_order, name_en FROM policy.statement_line WHERE statement = 'income_expenditure'
"""
_TOTALS = """
    SELECT * FROM marts.budget_total WHERE region_code = %s AND difference <> 0
    ORDER BY fund_code, budget_year, adjustment_no, line_code
"""
_PROPOSAL = """
    SELECT * FROM marts.budget_proposal WHERE region_code = %s AND budget_year = (
        SELECT extract(year FROM max(accounting_month))::integer + 1 FROM marts.fund_month WHERE region_code = %s
    )
"""
_STATISTICS = """
    SELECT * FROM marts.maternity_statistics WHERE region_code = %s AND accounting_month >= %s
    ORDER BY accounting_month DESC
"""
_STATISTICS_ITEMS = """
    SELECT benefit_item, bool_or(is_counted_as_visit) AS is_counted, sum(visit_count) AS visits,
        sum(claim_count) AS claims, sum(amount) AS amount
    FROM marts.maternity_statistics_item
    WHERE region_code = %s AND accounting_month BETWEEN %s AND %s
    GROUP BY benefit_item ORDER BY benefit_item
"""
_METHODS = """
    SELECT benefit_item, payment_method, sum(claim_count) AS claims, sum(amount) AS amount
    FROM marts.maternity_expenditure
    WHERE region_code = %s AND accounting_month BETWEEN %s AND %s
    GROUP BY benefit_item, payment_method ORDER BY benefit_item, payment_method
"""
_VISITS = """
    SELECT definition_code, definition_zh, definition_en, status, source, bool_or(is_in_force) AS is_in_force,
        sum(visit_count) AS visits
    FROM marts.maternity_visit_count
    WHERE region_code = %s AND accounting_month BETWEEN %s AND %s
    GROUP BY definition_code, definition_zh, definition_en, status, source ORDER BY definition_code
"""
_COMPLETENESS = "SELECT * FROM marts.statistics_completeness WHERE region_code = %s ORDER BY family"
_FILES = """
    SELECT count(*) AS due, count(*) FILTER (WHERE arrived_on <= due_on) AS in_time,
        count(*) FILTER (WHERE arrived_on > due_on) AS late, count(*) FILTER (WHERE arrived_on IS NULL) AS missing
    FROM events.due_file(%s) WHERE due_on < %s AND (region_code = %s OR region_code IS NULL)
"""
_DISCLOSED = """
    SELECT * FROM marts.public_disclosure WHERE region_code = %s AND accounting_month >= %s
    ORDER BY accounting_month DESC, fund_code
"""


@dataclass(frozen=True)
class Outlook:
    """Risk of a region: indicators of the latest month, and what the charts are drawn from, oldest month first."""

    region_code: str
    month: date
    indicators: Sequence[Row]
    trend: Sequence[Row]
    months: Sequence[Row]
    institutions: Sequence[Row]
    temporary: Sequence[Row]
    both_funds: Sequence[Row]

    def indicator(self, code: str) -> Row | None:
        """The indicator of the latest month; None where the mart has none."""
        return next((row for row in self.indicators if row["indicator_code"] == code), None)

    def series(self, code: str) -> Sequence[Row]:
        """One indicator by month."""
        return series(self.trend, code)


@dataclass(frozen=True)
class Reserve:
    """What the first page shows of a region's risk: months in reserve and maternity share by month, oldest first."""

    region_code: str
    reserve: Sequence[Row]
    maternity: Sequence[Row]


@dataclass(frozen=True)
class Budget:
    """Budget of a region: execution by fund, totals that do not add up, and the proposal for the next year."""

    region_code: str
    month: date
    execution: dict[str, list[Row]]
    totals: Sequence[Row]
    proposal: Sequence[Row]
    relief: Sequence[Row]


@dataclass(frozen=True)
class Statistics:
    """Maternity statistics of a region, newest month first; items and methods are of the year to date."""

    region_code: str
    months: Sequence[Row]
    items: Sequence[Row]
    methods: Sequence[Row]
    visits: Sequence[Row]
    completeness: Sequence[Row]
    files: Row


def regions(connection: Connection, relation: str) -> list[tuple[str, date]]:
    """Regions with published books and their latest month; none before the mart has been deployed."""
    if not quality.exists(connection, relation):
        return []
    query = "SELECT region_code, max(accounting_month) AS month FROM marts.fund_month GROUP BY 1 ORDER BY 1"
    return [(row["region_code"], row["month"]) for row in rows(connection, query)]


def risks(connection: Connection) -> list[Outlook]:
    """Risk of every region."""
    return [
        Outlook(
            code,
            month,
            rows(connection, _INDICATORS, (code, code)),
            rows(connection, _TREND, (code, _first(month))),
            rows(connection, _FUND_MONTHS, (code, _first(month))),
            rows(connection, _INSTITUTIONS, (code, month)),
            rows(connection, _TEMPORARY, (code,)),
            rows(connection, _BOTH_FUNDS, (code,)),
        )
        for code, month in regions(connection, "marts.risk_indicator")
    ]


def reserves(connection: Connection) -> list[Reserve]:
    """Months in reserve and maternity share of every region that has months."""
    found = []
    for code, month in regions(connection, "marts.risk_indicator"):
        trend = rows(connection, _TREND, (code, _first(month)))
        found.append(Reserve(code, series(trend, "pooled_months_in_reserve"), series(trend, "maternity_share")))
    return found


def budgets(connection: Connection) -> list[Budget]:
    """Budget of every region, lines in the order of the statement."""
    return [
        Budget(
            code,
            month,
            _by_fund(_ordered(connection, rows(connection, _EXECUTION, (code, code)))),
            rows(connection, _TOTALS, (code,)),
            _ordered(connection, rows(connection, _PROPOSAL, (code, code))),
            rows(connection, _RELIEF, (code, month.year)),
        )
        for code, month in regions(connection, "marts.budget_execution")
    ]


def statistics(connection: Connection, business_date: date) -> list[Statistics]:
    """Statistics of every region."""
    found = []
    for code, month in regions(connection, "marts.maternity_statistics"):
        first = month.replace(month=1)
        span = (code, first, month)
        found.append(
            Statistics(
                code,
                rows(connection, _STATISTICS, (code, _first(month))),
                rows(connection, _STATISTICS_ITEMS, span),
                rows(connection, _METHODS, span),
                rows(connection, _VISITS, span),
                rows(connection, _COMPLETENESS, (code,)),
                rows(connection, _FILES, (business_date, business_date, code))[0],
            )
        )
    return found


def disclosures(connection: Connection) -> dict[str, list[Row]]:
    """The public tables of every region's newest months, newest first; earlier ones are in the file."""
    return {
        code: rows(connection, _DISCLOSED, (code, _first(month, MONTHS_DISCLOSED)))
        for code, month in regions(connection, "marts.public_disclosure")
    }


def disclosure_csv(connection: Connection, region_code: str) -> str:
    """The public tables of a region as canonical CSV: every line ended by LF."""
    query = "SELECT line FROM marts.disclosure_csv(%s) ORDER BY place"
    return "".join(f"{row['line']}\n" for row in rows(connection, query, (region_code,)))


def series(trend: Sequence[Row], code: str) -> Sequence[Row]:
    """One indicator by month, of several."""
    return [row for row in trend if row["indicator_code"] == code]


def _first(latest: date, months: int = MONTHS_SHOWN) -> date:
    """The first of so many months of which the latest is given."""
    return month_before(latest, months - 1)


def share(part: int, whole: int) -> Decimal | None:
    """A part of a whole; None of nothing."""
    return Decimal(part) / whole if whole else None


def _ordered(connection: Connection, found: list[Row]) -> list[Row]:
    layout = {row["line_code"]: row for row in rows(connection, _LINE_ORDER)}
    for row in found:
        row["name_en"] = layout[row["line_code"]]["name_en"]
    return sorted(found, key=lambda row: (row["fund_code"], layout[row["line_code"]]["line_order"]))


def _by_fund(found: list[Row]) -> dict[str, list[Row]]:
    funds: dict[str, list[Row]] = {}
    for row in found:
        funds.setdefault(row["fund_code"], []).append(row)
    return funds
