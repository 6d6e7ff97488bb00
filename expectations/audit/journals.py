"""Journals of closed months hashed anew, byte for byte as they were when they were signed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from expectations.audit.sessions import Sessions
from ingestion.database import Connection

# Months whose figures were stored, at the seq that was signed. What is not public yet can't be asked for, and was
# hashed by the close itself a moment ago.
_MONTHS = """
    select figures.region_code, figures.accounting_month, figures.figures_seq
    from events.event as closing
    inner join signoff.closing_figures as figures
        on figures.region_code = closing.region_code and figures.accounting_month = closing.accounting_month
        and figures.ledger_sha256 = closing.ledger_sha256
    where closing.event_type = 'period.closed'
        and figures.figures_seq <= (
            select max(published.seq) from ledger.publication as published
            where published.region_code = closing.region_code
        )
    group by 1, 2, 3
    order by 1, 2, 3
"""
_HASH = "select journal_sha256 from marts.figures_sha256(%s, %s, %s)"


@dataclass(frozen=True)
class ClosedJournal:
    """The journal of a closed month (its first day) as of the seq that was signed; sha256 in hexadecimal."""

    region_code: str
    accounting_month: date
    figures_seq: int
    sha256: str


def closed_journals(snapshot: Connection, reading: Sessions) -> list[ClosedJournal]:
    """The journals of all closed months, by region and month."""
    with snapshot.cursor() as cursor:
        cursor.execute(_MONTHS)
        months: Sequence[tuple[str, date, int]] = cursor.fetchall()
    return list(reading.map(_hashed, months))


def _hashed(session: Connection, month: tuple[str, date, int]) -> ClosedJournal:
    with session.cursor() as cursor:
        cursor.execute(_HASH, month)
        (sha256,) = cursor.fetchone() or ("",)
    return ClosedJournal(*month, sha256)
