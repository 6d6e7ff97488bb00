"""Events `finding.decided`: what somebody has decided on a finding, in the region's log, under its lock.

Whether the decision is allowed is for the caller to say, who knows what kind of finding it is; here it is put on
record once, with its limits. A later decision on the same item replaces an earlier one.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Literal

from psycopg2.extensions import cursor as Cursor

from ingestion.control import Place, control_event
from ingestion.database import connect
from ingestion.errors import FindingRefused
from ingestion.event_log import Appender
from ingestion.masking import holds_number
from ingestion.settings import Settings

Verdict = Literal["accepted", "withdrawn", "dismissed", "confirmed"]

# Stands for every finding of a code together.
EVERY_ITEM = "*"
_SCHEMA_VERSION = 2
_OF_ITEM = """
SELECT seq, finding_key, decision, prepared_by, reason, valid_until, amount_max, rows_max FROM events.event
WHERE event_type = 'finding.decided' AND region_code = %s AND finding_code = %s
    AND events.item_of(decision, finding_key) = %s ORDER BY seq DESC
"""


@dataclass(frozen=True)
class Decision:
    """What is decided on one item of one check or rule, and how far it reaches: null is without a limit.

    `valid_until` is the last day, `amount_max` in yuan.
    """

    region_code: str
    finding_code: str
    finding_key: str
    decision: Verdict
    prepared_by: str
    reason: str
    valid_until: date | None = None
    amount_max: Decimal | None = None
    rows_max: int | None = None

    @property
    def item(self) -> str:
        """The item decided on: of a dismissal, which is of an item with its facts, without their fingerprint."""
        return re.sub("#[0-9a-f]{16}$", "", self.finding_key) if self.decision == "dismissed" else self.finding_key

    @property
    def said(self) -> tuple[object, ...]:
        """What would be said again by the same decision."""
        return (
            self.finding_key,
            self.decision,
            self.prepared_by,
            self.reason,
            self.valid_until,
            self.amount_max,
            self.rows_max,
        )


def decide(
    decision: Decision, permit: Callable[[Verdict | None], None] = lambda _: None, settings: Settings | None = None
) -> Place:
    """Append the decision; one that says the same as the newest of its item is found, and nothing is appended.

    `permit` is called under the region's lock with the item's newest verdict and raises when the decision is not
    allowed. FindingRefused E-FINDING-REASON, E-FINDING-UNKNOWN for a region without a log.
    """
    settings = settings or Settings.from_env()
    _check_words(decision, settings.business_date)
    region = decision.region_code
    with closing(connect("fund_ingest", settings=settings)) as connection, connection, connection.cursor() as cursor:
        appender = Appender(cursor, None)
        appender.lock([region])
        if not appender.last_seqs()[region]:
            raise FindingRefused("E-FINDING-UNKNOWN", f"统筹区没有日志 / no log of this region: {region}")
        earlier = _earlier(cursor, decision)
        if earlier and earlier[0][1:] == decision.said:
            return Place(int(str(earlier[0][0])), is_new=False)
        permit(earlier[0][2] if earlier else None)  # type: ignore[arg-type]
        key = f"{decision.finding_code}/{decision.item}/{len(earlier) + 1}"
        appender.add(control_event(_texts(decision, key, settings.business_date), _SCHEMA_VERSION))
        appender.seal()
        return Place(appender.last_seqs()[region], is_new=True)


def _earlier(cursor: Cursor, decision: Decision) -> list[tuple[object, ...]]:
    """Decisions on the same item, the newest first."""
    cursor.execute(_OF_ITEM, (decision.region_code, decision.finding_code, decision.item))
    return list(cursor.fetchall())


def _check_words(decision: Decision, today: date) -> None:
    words = (decision.prepared_by, decision.reason)
    if not all(word.strip() for word in words) or any(holds_number(word, today) for word in words):
        raise FindingRefused("E-FINDING-REASON")


def _texts(decision: Decision, key: str, today: date) -> dict[str, str | None]:
    return {
        "region_code": decision.region_code,
        "event_type": "finding.decided",
        "source_event_key": key,
        "occurred_on": today.isoformat(),
        "prepared_by": decision.prepared_by,
        "reason": decision.reason,
        "decision": decision.decision,
        "finding_code": decision.finding_code,
        "finding_key": decision.finding_key,
        "valid_until": None if decision.valid_until is None else decision.valid_until.isoformat(),
        "amount_max": None if decision.amount_max is None else f"{decision.amount_max:.2f}",
        "rows_max": None if decision.rows_max is None else str(decision.rows_max),
    }
