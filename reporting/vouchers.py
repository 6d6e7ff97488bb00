"""Vouchers of a month and their lines, as the workbook lists them: from `marts`, without what leads to a person."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from ingestion.database import Connection
from reporting.books import rows


@dataclass(frozen=True)
class Voucher:
    """A voucher; amounts in yuan. `reviewed_by` is empty until somebody has reviewed it."""

    voucher_no: int
    posting_date: date
    business_type: str
    entry_count: int
    debit_amount: Decimal
    credit_amount: Decimal
    attachment_count: int
    prepared_by: str
    reviewed_by: str


@dataclass(frozen=True)
class VoucherLine:
    """A line of a voucher with the place in the file that it comes from; both empty for what the pipeline wrote."""

    voucher_no: int
    posting_date: date
    entry_id: str
    line_no: int
    summary: str
    account_code: str
    account_name: str
    sub_fund: str
    debit_amount: Decimal
    credit_amount: Decimal
    source_file: str
    source_line: int | None


@dataclass(frozen=True)
class Listing:
    """The first vouchers and lines of a month, in order, and how many of each there are."""

    vouchers: list[Voucher]
    lines: list[VoucherLine]
    voucher_count: int
    line_count: int


_VOUCHERS = """
    SELECT voucher_no, posting_date, business_type, entry_count, debit_amount, credit_amount, attachment_count,
        prepared_by, coalesce(reviewed_by, '') AS reviewed_by
    FROM marts.voucher WHERE region_code = %s AND fund_code = %s AND accounting_month = %s
    ORDER BY voucher_no LIMIT %s
"""
# The first part of a summary names the kind of event; what follows may name a settlement or a receipt, and is left out.
_LINES = """
    SELECT voucher_no, posting_date, entry_id, line_no,
        concat_ws(' · ', split_part(summary, ' · ', 1),
            CASE entry_kind WHEN 'closing' THEN '结转 / closing' WHEN 'merger' THEN '并转 / merger' END, benefit_item,
            '原属 / belongs to ' || to_char(original_month, 'YYYY-MM')) AS summary,
        account_code, account_name, sub_fund, debit_amount, credit_amount,
        CASE WHEN source_file IS NULL THEN '' ELSE source_system || '/' || source_file END AS source_file,
        CASE WHEN source_file IS NOT NULL THEN source_line END AS source_line
    FROM marts.general_ledger WHERE region_code = %s AND fund_code = %s AND accounting_month = %s
    ORDER BY voucher_no, event_seq, length(entry_id), entry_id, line_no LIMIT %s
"""
_COUNTS = """
    SELECT
        (SELECT count(*) FROM marts.voucher WHERE region_code = %(region)s AND fund_code = %(fund)s
            AND accounting_month = %(month)s) AS voucher_count,
        (SELECT count(*) FROM marts.general_ledger WHERE region_code = %(region)s AND fund_code = %(fund)s
            AND accounting_month = %(month)s) AS line_count
"""


def listing(
    connection: Connection, region_code: str, fund_code: str, month: date, vouchers_most: int, lines_most: int
) -> Listing:
    """The vouchers of a fund's month by number and their lines, as many as given at most."""
    key = (region_code, fund_code, month)
    vouchers = [Voucher(**row) for row in rows(connection, _VOUCHERS, (*key, vouchers_most))]
    lines = [VoucherLine(**row) for row in rows(connection, _LINES, (*key, lines_most))]
    (counts,) = rows(connection, _COUNTS, dict(zip(("region", "fund", "month"), key, strict=True)))
    return Listing(vouchers, lines, **counts)
