"""Forecasts, outlook and rate review of the published samples: figures recomputed, rights, document, page."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from datetime import date
from decimal import Decimal
from itertools import groupby
from pathlib import Path
from typing import Any

import psycopg2
import pytest

from forecasting import run
from forecasting.__main__ import main
from ingestion.settings import Settings
from reporting.books import one_state
from reporting.overview import Clock, read
from reporting.site import Source, frame_of, rate_review
from tests.conftest import WarehouseFactory, isolate
from tests.integration.forecast_document import DOCUMENT, tables
from tests.integration.overview_support import MADE_AT

Rows = list[dict[str, Any]]

NANJING, HUAINAN = "320100", "340400"
CENT = Decimal("0.01")
OUTLOOK = """
SELECT * FROM marts.reserve_outlook WHERE region_code = '{region_code}' AND scenario_code = '{scenario_code}'
ORDER BY horizon
"""


@pytest.fixture(scope="module")
def warehouse(
    warehouse_factory: WarehouseFactory, published_template: tuple[str, Path], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[str]:
    """Published samples of two cities with their forecasts made, and the FUND_* variables of it."""
    url = warehouse_factory(template=published_template[0])
    with pytest.MonkeyPatch.context() as patch:
        isolate(patch, tmp_path_factory.mktemp("forecast") / "local")
        patch.setenv("FUND_DATABASE_URL", url)
        assert "尚未作预测" in page()
        assert [(told.region_code, told.made > 0) for told in run()] == [("-", True), (NANJING, True), (HUAINAN, True)]
        yield url


def rows(url: str, query: str, *before: str) -> Rows:
    with closing(psycopg2.connect(url)) as connection, connection.cursor() as cursor:
        for statement in before:
            cursor.execute(statement)
        cursor.execute(query)
        names = [column.name for column in cursor.description or ()]
        return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]


def page() -> str:
    settings = Settings.from_env()
    with one_state(settings) as connection:
        source = Source(connection, read(connection, None, Clock(MADE_AT, settings.business_date)))
        return dict(rate_review.build(source, frame_of(source)))[rate_review.FILE]


def test_repeated_for_the_same_books_it_does_nothing(warehouse: str) -> None:
    before = rows(warehouse, "SELECT count(*) AS n, max(run_no) AS newest FROM forecast.run")
    assert [told.made for told in run()] == [0, 0, 0]
    assert rows(warehouse, "SELECT count(*) AS n, max(run_no) AS newest FROM forecast.run") == before


def test_what_was_forecast_is_never_changed(warehouse: str) -> None:
    for statement in (
        "UPDATE forecast.point SET mean = 0",
        "DELETE FROM forecast.backtest",
        "TRUNCATE forecast.run CASCADE",
    ):
        with pytest.raises(psycopg2.errors.RestrictViolation):
            rows(warehouse, "SELECT 1", statement)


def test_series_are_those_of_the_statements_both_funds_together(warehouse: str) -> None:
    """Also over the merger: the maternity line of the month before it is the old fund's."""
    found = rows(
        warehouse,
        "SELECT region_code, series_code, accounting_month, series_value FROM marts.forecast_series"
        " WHERE series_code IN ('pooled_expenditure', 'pooled_balance', 'maternity_allowance')",
    )
    stated = rows(
        warehouse,
        "SELECT region_code, line_code, accounting_month, sum(amount_month) AS amount"
        " FROM marts.income_expenditure_statement WHERE sub_fund = 'pooled' AND line_code IN ('E50', 'S30', 'E1132')"
        " GROUP BY 1, 2, 3",
    )
    lines = {"E50": "pooled_expenditure", "S30": "pooled_balance", "E1132": "maternity_allowance"}
    wanted = {(s["region_code"], lines[s["line_code"]], s["accounting_month"]): s["amount"] for s in stated}
    assert {(s["region_code"], s["series_code"], s["accounting_month"]): s["series_value"] for s in found} == wanted


def test_the_balance_ahead_is_the_balance_and_every_flow_since(warehouse: str) -> None:
    start = {
        (s["region_code"], s["accounting_month"]): s["series_value"]
        for s in rows(warehouse, "SELECT * FROM marts.forecast_series WHERE series_code = 'pooled_balance'")
    }
    outlook = rows(warehouse, "SELECT * FROM marts.reserve_outlook ORDER BY region_code, scenario_code, outlook_month")
    assert len(outlook) == 2 * 3 * 36
    for (region, _), path in groupby(outlook, key=lambda row: (row["region_code"], row["scenario_code"])):
        months = list(path)
        balance = start[region, months[0]["start_month"]]
        for month in months:
            balance += month["pooled_income"] - month["pooled_expenditure"]
            assert month["pooled_balance"] == balance
            in_reserve = balance * month["months_counted"] / month["expenditure_last_12_months"]
            assert month["months_in_reserve"] == in_reserve.quantize(CENT)
            assert month["pooled_balance_lower"] < balance < month["pooled_balance_upper"]
        year = sum(month["pooled_expenditure"] for month in months[-12:])
        assert months[-1]["expenditure_last_12_months"] == year


def test_without_changes_the_scenario_is_the_model(warehouse: str) -> None:
    """The seed's mid scenario adds nothing: pooled income is the sum of its forecasts while the rate stays."""
    query = """
        SELECT o.pooled_income, o.pooled_expenditure,
            sum(f.mean) FILTER (WHERE f.series_code IN ('contribution_income', 'other_income')) AS income,
            sum(f.mean) FILTER (WHERE f.series_code LIKE 'maternity%' OR f.series_code = 'other_expenditure') AS spent
        FROM marts.reserve_outlook AS o
        INNER JOIN marts.forecast AS f ON f.region_code = o.region_code AND f.month = o.outlook_month
        WHERE o.scenario_code = 'mid' AND o.region_code = '340400'
        GROUP BY o.region_code, o.outlook_month, o.pooled_income, o.pooled_expenditure
    """
    found = rows(warehouse, query)
    assert len(found) == 36
    assert all((row["income"], row["spent"]) == (row["pooled_income"], row["pooled_expenditure"]) for row in found)


def test_the_rate_put_back_in_holds_the_reserve_within_its_target(warehouse: str) -> None:
    """Every month of the path is made anew in Python at the rate that SQL has solved for."""
    reviews = rows(warehouse, "SELECT * FROM marts.rate_review WHERE scenario_code <> 'actual'")
    assert {(r["region_code"], r["scenario_code"]) for r in reviews} == {
        (region, scenario) for region in (NANJING, HUAINAN) for scenario in ("low", "mid", "high")
    }
    assert {r["solved_for"] for r in reviews} <= {"every_year", "third_year"}
    for review in reviews:
        path = rows(warehouse, OUTLOOK.format(**review))
        for rate in (review["lowest_rate"], review["highest_rate"], review["needed_rate"]):
            months = at_rate(path, rate)
            ends = (12, 24, 36) if review["solved_for"] == "every_year" else (36,)
            told = [months[end].quantize(Decimal("0.0001")) for end in ends]
            assert min(told) >= review["target_low"], (review["scenario_code"], rate, told)
            assert max(told) <= review["target_high"], (review["scenario_code"], rate, told)
        beyond = at_rate(path, review["lowest_rate"] - Decimal("0.0001"))
        assert min(beyond[end] for end in (12, 24, 36)) < review["target_low"]
        assert review["months_in_reserve_proposed"] == at_rate(path, review["proposed_rate"])[36].quantize(CENT)
        assert abs(review["proposed_change"]) <= Decimal("0.010")
        assert (review["proposed_change"] % Decimal("0.001")) == 0


def at_rate(path: Rows, rate: Decimal) -> dict[int, Decimal]:
    """Months in reserve by horizon if the rate held from the first month ahead on."""
    more, found = Decimal(0), {}
    for month in path:
        more += (rate - month["employer_rate"]) * month["income_per_rate"]
        expenditure = month["expenditure_last_12_months"] / month["months_counted"]
        found[month["horizon"]] = (month["pooled_balance"] + more) / expenditure
    return found


def test_the_year_as_it_was(warehouse: str) -> None:
    """The rate from the log itself: bases assessed, within their limits, and the rates of policy, person by person."""
    reviews = rows(warehouse, "SELECT * FROM marts.rate_review WHERE scenario_code = 'actual'")
    assert {(r["region_code"], r["review_year"], r["months_present"]) for r in reviews} == {
        (region, year, months) for region in (NANJING, HUAINAN) for year, months in ((2019, 4), (2020, 6))
    }
    for review in reviews:
        rate = weighted_rate(warehouse, review["region_code"], review["review_year"])
        assert review["rate_in_force"] == pytest.approx(rate, abs=Decimal("0.000000001"))
        due = weighted_rate(warehouse, review["region_code"], review["review_year"], relieved=True)
        assert review["rate_due"] == pytest.approx(due, abs=Decimal("0.000000001"))
        in_full = review["employer_contribution"] + review["relief_amount"]
        assert review["income_per_rate_point"] == pytest.approx(in_full / rate / 100, abs=CENT)
        without = (
            rate + (review["pooled_expenditure"] - review["pooled_income"] - review["relief_amount"]) * rate / in_full
        )
        assert review["balancing_rate_without_relief"] == pytest.approx(without, abs=Decimal("0.000000001"))
        per_rate = review["employer_contribution"] / rate  # as it was, relief and all
        balanced = rate + (review["pooled_expenditure"] - review["pooled_income"]) / per_rate
        assert review["balancing_rate"] == pytest.approx(balanced, abs=Decimal("0.000000001"))
        at_balance = review["pooled_income"] + (review["balancing_rate"] - rate) * per_rate
        # to the ninth place of the rate
        assert at_balance == pytest.approx(review["pooled_expenditure"], abs=per_rate / 10**9 + CENT)


def test_a_temporary_relief_is_not_the_income_of_the_rate(warehouse: str) -> None:
    """What was halved from February to June counts in full: the same as before it, and in every month ahead."""
    found = rows(
        warehouse,
        "SELECT region_code, accounting_month, series_value, full_value FROM marts.forecast_series"
        " WHERE series_code = 'employer_contribution' AND is_complete",
    )
    for region in (NANJING, HUAINAN):
        relieved = [r for r in found if r["region_code"] == region and r["accounting_month"] >= date(2020, 2, 1)]
        before = [r for r in found if r["region_code"] == region and r["accounting_month"] < date(2020, 2, 1)]
        assert len(relieved) == len(before) == 5
        assert all(r["full_value"] == r["series_value"] for r in before)
        in_full, usual = (sum(r["full_value"] for r in part) for part in (relieved, before))
        assert sum(r["series_value"] for r in relieved) < Decimal("0.7") * usual
        assert Decimal("0.95") < in_full / usual < Decimal("1.05")
        (review,) = rows(
            warehouse,
            f"SELECT * FROM marts.rate_review WHERE region_code = '{region}' AND review_year = 2020"
            " AND scenario_code = 'actual'",
        )
        assert review["relief_amount"] == sum(r["full_value"] - r["series_value"] for r in relieved)
        path = rows(warehouse, OUTLOOK.format(region_code=region, scenario_code="mid"))
        a_month = review["income_per_rate_point"] * 100 / review["months_present"]
        assert {month["due_share"] for month in path} == {1}
        assert all(Decimal("0.9") < month["income_per_rate"] / a_month < Decimal("1.1") for month in path)


def test_a_relief_of_months_ahead_lowers_them_alone(warehouse: str) -> None:
    query = (
        "SELECT outlook_month, due_share, contribution_income, employer_rate, income_per_rate"
        " FROM marts.reserve_outlook WHERE region_code = '340400' AND scenario_code = 'mid' ORDER BY horizon"
    )
    before = rows(warehouse, query)
    after = rows(
        warehouse,
        query,
        "INSERT INTO policy.policy_contribution_relief VALUES"
        " ('340400', NULL, '310', '2020-09-01', '2020-10-31', 0.25, 0, 'clause', '2020-03-01', 'assumed', 'test')",
    )
    for was, now in zip(before, after, strict=True):
        share = Decimal("0.25") if was["outlook_month"] in (date(2020, 9, 1), date(2020, 10, 1)) else Decimal(1)
        assert now["due_share"] == share
        assert now["income_per_rate"] == pytest.approx(was["income_per_rate"] * share, abs=Decimal("0.000001"))
        less = was["employer_rate"] * was["income_per_rate"] * (1 - share)
        assert was["contribution_income"] - now["contribution_income"] == pytest.approx(less, abs=CENT)


def weighted_rate(url: str, region: str, year: int, *, relieved: bool = False) -> Decimal:
    assessed = rows(
        url,
        f"""
        SELECT DISTINCT ON (e.person_no, e.employer_no, e.contribution_month)
            e.contribution_month, greatest(least(e.contribution_base, l.base_ceiling), l.base_floor) AS base,
            e.employer_amount > 0 OR e.personal_amount > 0 AS counts, o.employer_type
        FROM events.event AS e
        INNER JOIN policy.policy_base AS l ON l.region_code = e.region_code
            AND e.contribution_month BETWEEN l.effective_from AND coalesce(l.effective_to, 'infinity')
        LEFT JOIN LATERAL (
            SELECT r.employer_type FROM events.event AS r WHERE r.event_type = 'employer.registered'
                AND r.region_code = e.region_code AND r.employer_no = e.employer_no ORDER BY r.seq DESC LIMIT 1
        ) AS o ON true
        WHERE e.region_code = '{region}' AND e.event_type = 'contribution.assessed' AND e.insurance_type = '310'
            AND e.enrollment_category = 'employee' AND extract(year FROM e.contribution_month) = {year}
        ORDER BY e.person_no, e.employer_no, e.contribution_month, e.seq DESC
        """,
    )
    rates = rows(
        url, f"SELECT * FROM policy.policy_rate WHERE region_code = '{region}' AND enrollment_category = 'employee'"
    )
    reliefs = rows(url, f"SELECT * FROM policy.policy_contribution_relief WHERE region_code = '{region}'")
    known: dict[tuple[Any, Any], Decimal] = {}
    total = weighted = Decimal(0)
    for row in assessed:
        key = (row["employer_type"], row["contribution_month"])
        if key not in known:
            known[key] = _rate(rates, reliefs if relieved else [], *key)
        if row["counts"]:
            total += row["base"]
            weighted += row["base"] * known[key]
    return weighted / total


def _rate(rates: Rows, reliefs: Rows, employer_type: str | None, month: date) -> Decimal:
    """The medical and the maternity rate of the month, what is due of each, added; a type's row before that of all."""
    found = Decimal(0)
    for insurance in ("310", "510"):
        if rate := _fitting(rates, insurance, employer_type, month):
            relief = _fitting(reliefs, insurance, employer_type, month)
            found += rate["employer_rate"] * (relief["due_share"] if relief else 1)
    return found


def _fitting(of: Rows, insurance: str, employer_type: str | None, month: date) -> dict[str, Any] | None:
    fitting = [
        row
        for row in of
        if row["insurance_type"] == insurance
        and row["effective_from"] <= month
        and (row["effective_to"] is None or month <= row["effective_to"])
        and row["employer_type"] in (None, employer_type)
    ]
    return max(fitting, key=lambda row: row["employer_type"] is not None, default=None)


def test_a_row_of_the_seed_moves_the_outlook(warehouse: str) -> None:
    """Births halved: maternity expenditure halves, nothing else moves; the rate raised: contributions rise with it."""
    query = (
        "SELECT horizon, maternity_expenditure, pooled_expenditure, contribution_income, employer_rate, income_per_rate"
        " FROM marts.reserve_outlook WHERE region_code = '340400' AND scenario_code = 'mid' ORDER BY horizon LIMIT 6"
    )
    before = rows(warehouse, query)
    after = rows(
        warehouse,
        query,
        "INSERT INTO policy.forecast_scenario VALUES"
        " ('340400', 'mid', 2020, -0.5, 0, 0, 0, 0.09, '2026-01-01', 'assumed', 'of this test')",
    )
    for was, now in zip(before, after, strict=True):
        less = was["maternity_expenditure"] / 2
        assert now["maternity_expenditure"] == pytest.approx(less, abs=CENT)
        assert was["pooled_expenditure"] - now["pooled_expenditure"] == pytest.approx(less, abs=CENT)
        more = (Decimal("0.09") - was["employer_rate"]) * was["income_per_rate"]
        assert now["contribution_income"] - was["contribution_income"] == pytest.approx(more, abs=CENT)
    assert rows(warehouse, query) == before, "the row was not kept"


def test_readers_see_their_regions_and_national_figures(warehouse: str) -> None:
    grant = (
        "INSERT INTO access.region_grant (reader, reader_role, region_code)"
        " VALUES ('finance_reader', 'finance_reader', '320100')",
        "SET LOCAL ROLE finance_reader",
    )
    for mart in (
        "forecast",
        "reserve_outlook",
        "reserve_outlook_summary",
        "rate_review",
        "rate_review_basis",
        "rate_base",
    ):
        seen = rows(warehouse, f"SELECT DISTINCT region_code FROM marts.{mart}", *grant)
        assert seen == [{"region_code": NANJING}], mart
    seen = rows(warehouse, "SELECT DISTINCT region_code FROM marts.forecast_backtest ORDER BY 1", *grant)
    assert seen == [{"region_code": "-"}, {"region_code": NANJING}]
    with pytest.raises(psycopg2.errors.InsufficientPrivilege):
        rows(warehouse, "SELECT * FROM forecast.run", *grant)


def test_the_document_says_what_is_computed(warehouse: str) -> None:
    """Otherwise: python -m tests.integration.forecast_document."""
    text = DOCUMENT.read_text("utf-8")
    with closing(psycopg2.connect(warehouse)) as connection:
        for table in tables(connection):
            assert table in text


def test_a_published_figure_that_is_not_reproduced_says_why(warehouse: str) -> None:
    found = rows(warehouse, "SELECT * FROM marts.indicator_reproduction")
    others = [row for row in found if not row["is_reproduced"]]
    assert len(found) > 50
    assert len(others) < len(found) / 3
    assert all(row["reason_zh"] and row["reason_en"] for row in others)
    shares = {
        r["year"]: round(r["computed_value"], 1) for r in found if r["indicator_code"] == "maternity_share_of_pooled"
    }
    assert shares == {2023: Decimal("10.1"), 2024: Decimal("10.6"), 2025: Decimal("10.3")}


def test_the_page_shows_review_outlook_and_tests(warehouse: str) -> None:
    html = page()
    ((months,),) = [
        tuple(row.values())
        for row in rows(
            warehouse,
            "SELECT months_in_reserve FROM marts.reserve_outlook"
            " WHERE region_code = '340400' AND scenario_code = 'mid' AND horizon = 36",
        )
    ]
    assert f">{months}<" in html
    assert html.count('data-chart="fan"') == 2
    assert "尚未作预测" not in html
    assert "person_no" not in html


def test_commands_tell_in_json(warehouse: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert warehouse
    assert main(["show", "--what", "rates", "--region", HUAINAN]) == 0
    assert '"region_code": "340400"' in capsys.readouterr().out
    assert main(["backtest", "--region", "-"]) == 0
    assert '"series_code": "national_maternity_expenditure"' in capsys.readouterr().out
    with pytest.raises(SystemExit) as left:
        main(["--help"])
    assert left.value.code == 0
