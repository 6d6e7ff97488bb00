"""Reviewing vouchers: a row beside the voucher, in the name of who is logged in to the database."""

from __future__ import annotations

import re
from contextlib import closing
from dataclasses import dataclass
from datetime import date, datetime

import psycopg2
from psycopg2 import errors

from ingestion.database import connect
from ingestion.errors import PeriodRefused
from ingestion.settings import Settings

_NUMBER = re.compile(r"(\d{6})/(EMI|MAT)/(\d{4}-(?:0[1-9]|1[0-2]))/([1-9]\d{0,8})")
_REVIEW = """
    INSERT INTO signoff.voucher_review (region_code, fund_code, accounting_month, voucher_no, outcome, reason)
    VALUES (%s, %s, %s, %s, %s, %s) RETURNING review_no, reviewed_by, reviewed_at
"""


@dataclass(frozen=True)
class VoucherNumber:
    """Region, fund, month and number: `340400/EMI/2020-06/17`."""

    region_code: str
    fund_code: str
    month: date
    voucher_no: int

    @classmethod
    def parse(cls, text: str) -> VoucherNumber:
        """From its text; ValueError when it is no such number."""
        found = _NUMBER.fullmatch(text)
        if found is None:
            raise ValueError(f"{text!r}: 340400/EMI/2020-06/17")
        region, fund, month, number = found.groups()
        return cls(region, fund, date.fromisoformat(f"{month}-01"), int(number))


@dataclass(frozen=True)
class Review:
    """A review as it was recorded."""

    review_no: int
    reviewed_by: str
    reviewed_at: datetime


def review(
    number: VoucherNumber, reason: str | None = None, *, objected: bool = False, settings: Settings | None = None
) -> Review:
    """Record a review as the account that FUND_DATABASE_URL names; the newest of a voucher counts.

    PeriodRefused: E-REVIEW-ROLE, E-REVIEW-PREPARER, E-REVIEW-VOUCHER, E-REVIEW-REASON.
    """
    outcome = "objected" if objected else "passed"
    values = (number.region_code, number.fund_code, number.month, number.voucher_no, outcome, reason)
    with closing(connect(settings=settings)) as connection, connection, connection.cursor() as cursor:
        try:
            cursor.execute(_REVIEW, values)
        except psycopg2.DatabaseError as error:
            raise _refusal(error) from error
        return Review(*cursor.fetchone())


def _refusal(error: psycopg2.DatabaseError) -> Exception:
    """The refusal that the database has told, by its code; another error as it is."""
    told = error.diag.message_primary or ""
    if found := re.match(r"(E-REVIEW-[A-Z]+) [^\[]*(?:\[([^\]]*)\])?", told):
        return PeriodRefused(found[1], found[2] or "")
    return PeriodRefused("E-REVIEW-ROLE", told) if isinstance(error, errors.InsufficientPrivilege) else error
