"""Decisions on what the checks have found: accept a warning for a time, confirm that it has to be corrected, withdraw.

A decision is an event of the region's log. It changes nothing that was found: the finding stays listed, and an
accepted one counts again as soon as its date has passed or it has outgrown its limits.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal

from psycopg2.extensions import cursor as Cursor

from expectations.check import REVIEW
from expectations.record import CUT_OFF
from expectations.suites import suites_of
from ingestion import heads
from ingestion.control import Place
from ingestion.database import connect
from ingestion.errors import FindingRefused
from ingestion.finding_decisions import EVERY_ITEM, Decision, Verdict, decide
from ingestion.settings import Settings

VALID_DAYS_MAX = 366

_SEVERITIES = """
    select severity from quality.finding_status
    where region_code = %s and code = %s and (finding_key = %s or %s) and status in ('open', 'accepted')
    group by severity
"""
_FACTS = """
    select severity, amount, item ->> 'evidence' from quality.finding_status
    where region_code = %s and code = %s and finding_key = %s and status in ('open', 'accepted')
"""
_LIST = """
    select region_code, code, finding_key, severity, status, owner, title_zh, title_en, amount, first_seen_at, age_days,
        accepted_by, accepted_until, accepted_amount_max, accepted_reason, lapse, decision
    from quality.finding_status
    where (%(region)s::text is null or region_code = %(region)s) and (%(code)s::text is null or code = %(code)s)
        and status = any(%(statuses)s)
    order by region_code, code, status, abs(amount) desc nulls last, finding_key
"""


@dataclass(frozen=True)
class Item:
    """What is decided on: one item of a check in a region, or `*` for every warning of the check."""

    region_code: str
    code: str
    key: str

    def __str__(self) -> str:
        return f"{self.region_code} {self.code} {self.key}"


@dataclass(frozen=True)
class By:
    """Who decides, and why."""

    name: str
    reason: str


@dataclass(frozen=True)
class Limits:
    """How far an acceptance reaches: the last day, the amount in yuan, and for `*` the number of rows.

    Amount and rows are those of the item, or of the check's whole result for `*`.
    """

    until: date
    amount_max: Decimal | None = None
    rows_max: int | None = None


@dataclass(frozen=True)
class Listed:
    """A finding as it stands, with the acceptance that holds or has lapsed; amounts in yuan."""

    region_code: str
    code: str
    key: str
    severity: str
    status: str
    owner: str
    title_zh: str
    title_en: str
    amount: Decimal | None
    first_seen_at: datetime
    age_days: int
    accepted_by: str | None
    accepted_until: date | None
    accepted_amount_max: Decimal | None
    accepted_reason: str | None
    lapse: str | None
    decision: str | None


def accept(item: Item, by: By, limits: Limits, settings: Settings | None = None) -> Place:
    """Accept a warning, or all warnings of a check (`*`), within limits.

    FindingRefused: E-FINDING-UNKNOWN, E-FINDING-FAIL, E-FINDING-LIMIT, E-FINDING-REASON.
    """
    settings = settings or Settings.from_env()
    _check_limits(item, limits, settings.business_date)

    def permit(_: Verdict | None) -> None:
        found = _severities(item, settings)
        if not found or item.key == CUT_OFF:
            raise FindingRefused("E-FINDING-UNKNOWN", str(item))
        if "warn" not in found:
            raise FindingRefused("E-FINDING-FAIL", str(item))

    limit = (limits.until, limits.amount_max, limits.rows_max)
    return _record(
        Decision(item.region_code, item.code, item.key, "accepted", by.name, by.reason, *limit), permit, settings
    )


def reject(item: Item, by: By, settings: Settings | None = None) -> Place:
    """Put on record that a finding is real and has to be corrected; no acceptance of all (`*`) covers it any more.

    FindingRefused: E-FINDING-UNKNOWN, E-FINDING-REASON.
    """
    settings = settings or Settings.from_env()

    def permit(_: Verdict | None) -> None:
        if item.key in (EVERY_ITEM, CUT_OFF) or not _severities(item, settings):
            raise FindingRefused("E-FINDING-UNKNOWN", str(item))

    return _record(Decision(item.region_code, item.code, item.key, "confirmed", by.name, by.reason), permit, settings)


def dismiss(item: Item, by: By, settings: Settings | None = None) -> Place:
    """Put on record that a finding of the review is nothing to act on, as its facts are now.

    It stays dismissed while they stay the same: its `evidence`, the fingerprint of amount and claims; where a finding
    has none, its amount. FindingRefused: E-FINDING-UNKNOWN, E-FINDING-REVIEW, E-FINDING-REASON.
    """
    settings = settings or Settings.from_env()
    _check_of_review(item)
    amount, evidence = _facts(item, settings)
    key = item.key if evidence is None else f"{item.key}#{evidence}"
    limit = None if evidence is not None else abs(amount or Decimal(0))
    decision = Decision(item.region_code, item.code, key, "dismissed", by.name, by.reason, amount_max=limit)
    return _record(decision, lambda _: None, settings)


def confirm(item: Item, by: By, settings: Settings | None = None) -> Place:
    """Put on record that a finding of the review is real: it stays open until its money has come back.

    FindingRefused: E-FINDING-UNKNOWN, E-FINDING-REVIEW, E-FINDING-REASON.
    """
    _check_of_review(item)
    return reject(item, by, settings)


def withdraw(item: Item, by: By, settings: Settings | None = None) -> Place:
    """Withdraw the decision on an item, or on all of a check (`*`), so that the finding counts again.

    FindingRefused: E-FINDING-UNKNOWN, E-FINDING-REASON.
    """

    def permit(newest: Verdict | None) -> None:
        if newest in (None, "withdrawn"):
            raise FindingRefused("E-FINDING-UNKNOWN", str(item))

    decision = Decision(item.region_code, item.code, item.key, "withdrawn", by.name, by.reason)
    return _record(decision, permit, settings or Settings.from_env())


def listed(
    region: str | None = None,
    code: str | None = None,
    statuses: tuple[str, ...] = ("open", "accepted"),
    settings: Settings | None = None,
) -> list[Listed]:
    """Findings as they stand today, by region, check and falling amount."""
    settings = settings or Settings.from_env()
    with closing(connect("fund_quality", settings=settings)) as connection, connection.cursor() as cursor:
        _on_business_date(cursor, settings)
        cursor.execute(_LIST, {"region": region, "code": code, "statuses": list(statuses)})
        return [Listed(*row) for row in cursor.fetchall()]


def _record(decision: Decision, permit: Callable[[Verdict | None], None], settings: Settings) -> Place:
    place = decide(decision, permit, settings)
    heads.record(settings)
    return place


def _check_limits(item: Item, limits: Limits, today: date) -> None:
    amount, rows = limits.amount_max, limits.rows_max
    if not today <= limits.until <= today + timedelta(days=VALID_DAYS_MAX):
        raise FindingRefused("E-FINDING-LIMIT", f"until {limits.until}")
    if amount is not None and (not amount.is_finite() or amount < 0):
        raise FindingRefused("E-FINDING-LIMIT", f"amount-max {amount}")
    if (item.key == EVERY_ITEM) != (rows is not None) or (rows or 0) < 0:
        raise FindingRefused("E-FINDING-LIMIT", f"rows-max {rows}")


def _check_of_review(item: Item) -> None:
    codes = {check.code for checks in suites_of(REVIEW).values() for check in checks}
    if item.code not in codes:
        raise FindingRefused("E-FINDING-REVIEW", str(item))


def _facts(item: Item, settings: Settings) -> tuple[Decimal | None, str | None]:
    """Amount and fingerprint of the evidence of an item that stands."""
    with closing(connect("fund_quality", settings=settings)) as connection, connection.cursor() as cursor:
        _on_business_date(cursor, settings)
        cursor.execute(_FACTS, (item.region_code, item.code, item.key))
        found = cursor.fetchone()
    if found is None or item.key in (EVERY_ITEM, CUT_OFF):
        raise FindingRefused("E-FINDING-UNKNOWN", str(item))
    if found[0] != "warn":
        raise FindingRefused("E-FINDING-FAIL", str(item))
    return found[1], found[2]


def _severities(item: Item, settings: Settings) -> set[str]:
    """Severities of what stands under the item's key, or of all that stands of the check."""
    with closing(connect("fund_quality", settings=settings)) as connection, connection.cursor() as cursor:
        _on_business_date(cursor, settings)
        cursor.execute(_SEVERITIES, (item.region_code, item.code, item.key, item.key == EVERY_ITEM))
        return {severity for (severity,) in cursor.fetchall()}


def _on_business_date(cursor: Cursor, settings: Settings) -> None:
    cursor.execute("select set_config('merged_fund.business_date', %s, true)", (settings.business_date.isoformat(),))
