"""What figures are made of: accounts behind a line, vouchers behind an account, institutions behind maternity benefits.

Without what leads to a person: no numbers of persons, settlements or receipts.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from ingestion.database import Connection
from reporting.books import rows

# What a page can hold and still be read. What is beyond is one row, so that sums remain those of the books.
VOUCHERS_OF_ACCOUNT = 40
INSTITUTIONS_OF_ITEM = 20


@dataclass(frozen=True)
class Part:
    """What an account contributes to a line. `amount`: of the month, or of its end; `other`: of the year to date, or of
    the beginning of the month. Both with the sign of the line."""

    account_code: str
    name_zh: str
    name_en: str
    sub_fund: str
    amount: Decimal
    other: Decimal


@dataclass(frozen=True)
class AccountVoucher:
    """An account's lines of one voucher and kind of entry, summed; of `voucher_count` others when it has no number."""

    account_code: str
    sub_fund: str
    entry_kind: str
    voucher_no: int | None
    posting_date: date
    summary: str
    voucher_count: int
    entry_count: int
    debit_amount: Decimal
    credit_amount: Decimal


@dataclass(frozen=True)
class InstitutionShare:
    """Maternity benefits of an item paid to an institution; those of `institution_count` others when not `listed`."""

    account_code: str
    benefit_item: str
    institution_code: str
    listed: bool
    institution_count: int
    claim_count: int
    amount: Decimal


# As in the statements, a movement counts by the layout of its own month, a balance by that of the month shown.
_PARTS = """
    WITH movement AS MATERIALIZED (
        SELECT accounting_month, account_code, sub_fund, entry_kind, sum(credit_amount - debit_amount) AS amount
        FROM marts.account_turnover
        WHERE region_code = %(region)s AND fund_code = %(fund)s AND accounting_month <= %(last)s
        GROUP BY 1, 2, 3, 4
    ),
    asked AS (
        SELECT month, (month - interval '1 month')::date AS before, date_trunc('year', month)::date AS new_year,
            (date_trunc('year', month) - interval '1 month')::date AS before_year
        FROM unnest(%(months)s::date[]) AS month
    ),
    counted AS (
        SELECT asked.month, made_of.line_code, movement.account_code, movement.sub_fund,
            made_of.sign * movement.amount AS amount,
            CASE made_of.shown_as
                WHEN 'movement' THEN movement.accounting_month = asked.month AND asked.month <@ layout.span
                WHEN 'opening' THEN movement.accounting_month < asked.month AND asked.before <@ layout.span
                ELSE asked.month <@ layout.span
            END AS counts,
            CASE made_of.shown_as
                WHEN 'movement'
                    THEN movement.accounting_month >= asked.new_year AND movement.accounting_month <@ layout.span
                WHEN 'opening' THEN movement.accounting_month < asked.new_year AND asked.before_year <@ layout.span
                WHEN 'balance' THEN movement.accounting_month < asked.month AND asked.before <@ layout.span
                ELSE asked.month <@ layout.span
            END AS counts_for_other
        FROM movement
        INNER JOIN asked ON movement.accounting_month <= asked.month
        INNER JOIN marts.statement_account AS made_of
            ON made_of.account_code = movement.account_code
            AND made_of.entry_kind IN ('any', movement.entry_kind)
            AND made_of.sub_fund IN ('any', movement.sub_fund)
        CROSS JOIN LATERAL (SELECT daterange(made_of.effective_from, made_of.effective_to, '[]') AS span) AS layout
    ),
    part AS (
        SELECT month, line_code, account_code, sub_fund,
            coalesce(sum(amount) FILTER (WHERE counts), 0)::numeric(18, 2) AS amount,
            coalesce(sum(amount) FILTER (WHERE counts_for_other), 0)::numeric(18, 2) AS other
        FROM counted WHERE counts OR counts_for_other GROUP BY 1, 2, 3, 4
    )
    SELECT part.month, part.line_code, part.account_code, coalesce(account.name_zh, part.account_code) AS name_zh,
        coalesce(account.name_en, part.account_code) AS name_en, part.sub_fund, part.amount, part.other
    FROM part
    LEFT JOIN marts.account ON account.account_code = part.account_code
    WHERE part.amount <> 0 OR part.other <> 0
    ORDER BY part.month, part.line_code, part.account_code, part.sub_fund
"""
_VOUCHERS = """
    WITH booked AS (
        SELECT account_code, sub_fund, entry_kind, voucher_no, posting_date,
            string_agg(DISTINCT split_part(summary, ' · ', 1), chr(10)) AS summary,
            count(DISTINCT entry_id) AS entry_count, sum(debit_amount) AS debit_amount,
            sum(credit_amount) AS credit_amount
        FROM marts.general_ledger
        WHERE region_code = %(region)s AND fund_code = %(fund)s AND accounting_month = %(month)s
        GROUP BY 1, 2, 3, 4, 5
    ),
    placed AS (
        SELECT *, row_number() OVER (
            PARTITION BY account_code, sub_fund, entry_kind ORDER BY voucher_no, posting_date
        ) <= %(most)s AS listed
        FROM booked
    )
    SELECT account_code, sub_fund, entry_kind, CASE WHEN listed THEN voucher_no END AS voucher_no,
        max(posting_date) AS posting_date, CASE WHEN listed THEN max(summary) ELSE '' END AS summary,
        count(DISTINCT voucher_no) AS voucher_count, sum(entry_count)::bigint AS entry_count,
        sum(debit_amount)::numeric(18, 2) AS debit_amount, sum(credit_amount)::numeric(18, 2) AS credit_amount
    FROM placed
    GROUP BY account_code, sub_fund, entry_kind, listed, CASE WHEN listed THEN voucher_no END,
        CASE WHEN listed THEN posting_date END
    ORDER BY account_code, sub_fund, array_position(ARRAY['opening', 'normal', 'merger', 'closing'], entry_kind),
        listed DESC, voucher_no, posting_date
"""
_INSTITUTIONS = """
    WITH claim AS (
        SELECT account_code, benefit_item, institution_code, claim_no, sum(debit_amount - credit_amount) AS amount
        FROM marts.general_ledger
        WHERE region_code = %(region)s AND fund_code = %(fund)s AND accounting_month = %(month)s
            AND entry_kind = 'normal' AND account_code = ANY(ARRAY(
                SELECT account_code FROM marts.statement_account
                WHERE line_code = 'E113' AND %(month)s <@ daterange(effective_from, effective_to, '[]')
            ))
        GROUP BY 1, 2, 3, 4
    ),
    paid AS (
        SELECT account_code, coalesce(benefit_item, '') AS benefit_item,
            coalesce(institution_code, '') AS institution_code,
            count(DISTINCT claim_no) FILTER (WHERE amount > 0) AS claim_count, sum(amount) AS amount
        FROM claim GROUP BY 1, 2, 3
    ),
    placed AS (
        SELECT *, row_number() OVER (
            PARTITION BY account_code, benefit_item ORDER BY institution_code = '' DESC, amount DESC, institution_code
        ) <= %(most)s AS listed
        FROM paid
    )
    SELECT account_code, benefit_item, CASE WHEN listed THEN institution_code ELSE '' END AS institution_code, listed,
        count(*) AS institution_count, sum(claim_count)::bigint AS claim_count, sum(amount)::numeric(18, 2) AS amount
    FROM placed
    GROUP BY account_code, benefit_item, listed, CASE WHEN listed THEN institution_code ELSE '' END
    ORDER BY account_code, benefit_item, listed DESC, sum(amount) DESC, institution_code
"""


def parts(
    connection: Connection, region_code: str, fund_code: str, months: Sequence[date]
) -> dict[date, dict[str, list[Part]]]:
    """By month and line code the accounts that make up the line; lines of which nothing was ever booked have none."""
    asked = {"region": region_code, "fund": fund_code, "months": list(months), "last": max(months)}
    found: dict[date, dict[str, list[Part]]] = {month: {} for month in months}
    for row in rows(connection, _PARTS, asked):
        found[row.pop("month")].setdefault(row.pop("line_code"), []).append(Part(**row))
    return found


def vouchers(
    connection: Connection, region_code: str, fund_code: str, month: date, most: int = VOUCHERS_OF_ACCOUNT
) -> Mapping[tuple[str, str], Sequence[AccountVoucher]]:
    """By account and sub-fund the vouchers of a month, the first `most` of each kind of entry and the others summed."""
    asked = {"region": region_code, "fund": fund_code, "month": month, "most": most}
    found: dict[tuple[str, str], list[AccountVoucher]] = {}
    for row in rows(connection, _VOUCHERS, asked):
        found.setdefault((row["account_code"], row["sub_fund"]), []).append(AccountVoucher(**row))
    return found


def institutions(
    connection: Connection, region_code: str, fund_code: str, month: date, most: int = INSTITUTIONS_OF_ITEM
) -> Mapping[tuple[str, str], Sequence[InstitutionShare]]:
    """By account and benefit item what institutions got of the month's maternity benefits, and the others summed.

    Without an institution: paid to persons or employers.
    """
    asked = {"region": region_code, "fund": fund_code, "month": month, "most": most}
    found: dict[tuple[str, str], list[InstitutionShare]] = {}
    for row in rows(connection, _INSTITUTIONS, asked):
        found.setdefault((row["account_code"], row["benefit_item"]), []).append(InstitutionShare(**row))
    return found
