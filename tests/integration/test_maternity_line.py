"""The maternity checks on facts that the models have read themselves, day after day: findings stay until they are mended.

Nanjing, merged on 1 January 2020; 8,000 a month within floor and ceiling, maternity rate 0.8 %, medical 9 % + 2 %.
P1 is enrolled in medical insurance in October 2019 and in maternity insurance a month later: October lacks 64.00.
P2 is enrolled in maternity insurance alone from November on: November and December lack 880.00 each, then P2 is not covered.
P3 at E2 is enrolled in medical insurance alone in December, with no base: what it lacks is not known.
P1 bears a child on 10 March 2020. E1 was registered in October 2019 and assessed 8,000 in each month since: 8,000 / 30 = 266.67 a
day, 98 + 30 days, 34,133.76. 34,200 are stated, settled and paid, 66.24 too much, which are recovered a month later.
"""

# ruff: noqa: E501 - one fact a row reads better than wrapped

from __future__ import annotations

from collections.abc import Mapping
from contextlib import closing
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import psycopg2
import pytest
from posting_log import Fact, PostingLog

from expectations.candidate import read_candidates
from expectations.suites import maternity_line
from expectations.validation import CheckResult, Run, Target, open_context, run_suite
from ingestion.database import connect
from ingestion.settings import Settings
from runtime import dbt

NANJING = "320100"
MONTHS = ("2019-10", "2019-11", "2019-12", "2020-01", "2020-02")
MENDED = (("P2", "310", "2019-11-01"), ("P1", "510", "2019-10-01"), ("P3", "510", "2019-12-01"))
BENEFIT = {"insurance_type": "310", "person_no": "P1", "employer_no": "E1"}


def enrolled(person: str, insurance_type: str, day: str, employer: str = "E1", base: int | None = 8000) -> Fact:
    about = {"event_type": "enrollment.started", "occurred_on": day, "person_no": person, "employer_no": employer}
    return about | {"insurance_type": insurance_type, "enrollment_category": "employee", "contribution_base": base}


def assessed(month: str, insurance_type: str) -> Fact:
    about = {
        "event_type": "contribution.assessed",
        "occurred_on": f"{month}-03",
        "contribution_month": f"{month}-01",
        "person_no": "P1",
    }
    return about | {
        "employer_no": "E1",
        "insurance_type": insurance_type,
        "enrollment_category": "employee",
        "contribution_base": 8000,
        "employer_amount": 700,
    }


def premium(month: str) -> Fact:
    """Money in the books, so that they reach the month."""
    return {
        **assessed(month, "310"),
        "event_type": "contribution.collected",
        "receipt_no": "T",
        "deposit_account": "treasury",
    }


def first_days() -> list[Fact]:
    registered = {
        "event_type": "employer.registered",
        "occurred_on": "2019-10-01",
        "employer_no": "E1",
        "employer_type": "enterprise",
    }
    enrolments = [
        enrolled("P1", "310", "2019-10-01"),
        enrolled("P1", "510", "2019-11-01"),
        enrolled("P2", "510", "2019-11-01"),
        enrolled("P3", "310", "2019-12-01", "E2", None),
    ]
    # the log knows maternity assessments of October too: P1's premium of that month was made up for
    assessments = [
        assessed(month, kind) for month in MONTHS for kind in (("310", "510") if month < "2020" else ("310",))
    ]
    return [registered, *enrolments, *assessments, *(premium(month) for month in MONTHS)]


def birth() -> list[Fact]:
    born = {"service_on": "2020-03-10", "benefit_item": "maternity_allowance", "claim_no": "A1", "pooled_amount": 34200}
    return [
        BENEFIT
        | {
            "event_type": "claim.settled",
            "occurred_on": "2020-03-14",
            "claim_no": "D1",
            "benefit_item": "delivery_normal",
            "service_on": "2020-03-10",
            "institution_code": "H1",
            "pooled_amount": 4200,
        },
        BENEFIT
        | born
        | {
            "event_type": "claim.settled",
            "occurred_on": "2020-03-20",
            "allowance_daily_base": "267.19",
            "leave_days": 128,
        },
        BENEFIT
        | born
        | {
            "event_type": "claim.paid",
            "occurred_on": "2020-03-25",
            "payee_type": "employer",
            "payment_method": "fixed_amount",
            "payment_no": "Z1",
        },
    ]


def results() -> Mapping[str, CheckResult]:
    settings = Settings.from_env()
    with closing(connect("fund_quality", settings=settings)) as connection:
        (candidate,) = read_candidates(connection, settings)
        context = open_context(settings.database_url)
        target = Target(Run("by hand", datetime.now(UTC)), candidate, maternity_line.CHECKS)
        found = run_suite(context, connection, "merger", target)
    return {result.check.code: result for result in found.results}


def listed(result: CheckResult) -> dict[str, Decimal | None]:
    """Amounts by item."""
    return {row["item"]: None if row["amount"] is None else Decimal(str(row["amount"])) for row in result.rows}


def publish_built() -> None:
    with closing(connect(autocommit=True)) as connection, connection.cursor() as cursor:
        cursor.execute(
            "insert into ledger.publication (region_code, seq, batch_id, batch_hash, rules_sha256, run_id)"
            " select distinct on (region_code) region_code, seq, batch_id, batch_hash, '-', 'by hand'"
            " from ledger.built_head order by region_code, seq desc"
        )


@pytest.mark.timeout(600)
@pytest.mark.usefixtures("deployed_warehouse")
def test_findings_stay_until_they_are_mended(fund_environment: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert fund_environment.is_dir()
    monkeypatch.setenv("FUND_BUSINESS_DATE", "2020-05-05")
    log = PostingLog(NANJING)
    log.add(*first_days())
    paid = log.add(*birth()) + 2
    dbt.build("first")
    first = results()
    gaps: dict[str, Any] = {
        "310_without_510/E1/2019-10": Decimal("64.00"),
        "510_without_310/E1/2019-11": Decimal("880.00"),
        "510_without_310/E1/2019-12": Decimal("880.00"),
        "310_without_510/E2/2019-12": None,
    }
    # January and February, the months that the books have reached since the merger; March's payment takes them on
    uncovered = {"uncovered_after_merger/E1": 3 * Decimal("944.00")}
    assert listed(first["M04"]) == gaps | uncovered
    assert first["M04"].rows_examined == 3
    assert listed(first["M08"]) == {f"overpaid/maternity_allowance/event/{paid}": Decimal("66.24")}
    assert first["M07"].success
    assert first["M05"].success

    publish_built()
    log.add(
        BENEFIT
        | {
            "event_type": "claim.recovered",
            "occurred_on": "2020-04-20",
            "claim_no": "A1",
            "benefit_item": "maternity_allowance",
            "pooled_amount": "66.24",
            "deposit_account": "special",
            "original": paid,
        }
    )
    dbt.build("second")
    second = results()
    assert listed(second["M04"]) == gaps | {"uncovered_after_merger/E1": 4 * Decimal("944.00")}, (
        "nothing was said of them"
    )
    assert second["M04"].rows_examined == 0
    assert second["M08"].rows_examined == 1
    outcome = {f"stated/maternity_allowance/event/{paid}": Decimal("0.00")}
    assert listed(second["M08"]) == outcome, "the sum is right now, the daily base stated is not"

    publish_built()
    log.add(*(enrolled(person, kind, day) for person, kind, day in MENDED))
    dbt.build("third")
    third = results()
    assert (third["M04"].success, third["M04"].rows_examined, listed(third["M04"])) == (True, 3, {})


def test_the_samples_are_clean_and_looked_at(published_samples: str) -> None:
    with closing(psycopg2.connect(published_samples)) as connection, connection.cursor() as cursor:
        cursor.execute(
            "select code, bool_and(success), sum(unexpected_count), max(rows_examined) > 0 from quality.check_result"
            " where code = any(%s) group by code order by code",
            ([check.code for check in maternity_line.CHECKS],),
        )
        assert cursor.fetchall() == [(check.code, True, 0, True) for check in maternity_line.CHECKS]
