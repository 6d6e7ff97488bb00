"""Canonical form by the document, in plain Python: rows are dicts of what psycopg2 reads."""

from __future__ import annotations

import hashlib
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

Row = dict[str, Any]


def _names(text: str) -> list[str]:
    return text.split()


ENVELOPE = _names("region_code event_type family schema_version source_system source_event_key occurred_on")
FAMILIES = {
    ("registration", 1): _names(
        """employer_no employer_credit_code employer_name employer_type person_no certificate_pseudonym
        birth_date sex insurance_type enrollment_category worker_group contribution_base reason
        original_event_key original_source_system"""
    ),
    ("contribution", 1): _names(
        """employer_no person_no insurance_type enrollment_category contribution_month contribution_base
        employer_amount personal_amount personal_account_credit late_fee receipt_no deposit_account
        original_event_key original_source_system"""
    ),
    ("contribution", 2): _names(
        """employer_no person_no insurance_type enrollment_category contribution_month contribution_base
        employer_amount personal_amount personal_account_credit late_fee tax_voucher_no deposit_account
        tax_authority_code original_event_key original_source_system"""
    ),
    ("claim", 1): _names(
        """claim_no settlement_kind person_no account_holder_no employer_no institution_code insurance_type
        benefit_item payment_method payee_type admitted_on discharged_on service_on birth_count leave_days
        allowance_daily_base gestation_weeks medical_fee_total pooled_amount personal_account_amount
        personal_cash_amount institution_borne_amount other_funds_amount deposit_withheld_amount pay_account
        deposit_account payment_no original_event_key original_source_system"""
    ),
    ("claim", 2): _names(
        """claim_no settlement_kind person_no account_holder_no employer_no institution_code insurance_type
        benefit_item payment_method payee_type admitted_on discharged_on service_on birth_count leave_days
        allowance_daily_base gestation_weeks medical_fee_total pooled_amount personal_account_amount
        personal_cash_amount institution_borne_amount other_funds_amount deposit_withheld_amount pay_account
        deposit_account payment_no applied_on original_event_key original_source_system"""
    ),
    ("treasury", 1): _names(
        """fund_code sub_fund benefit_item person_no institution_code account from_account to_account amount
        identified_as counterparty statement_kind accounting_month original_event_key original_source_system"""
    ),
    ("treasury", 2): _names(
        """fund_code sub_fund benefit_item person_no institution_code account from_account to_account amount
        identified_as counterparty statement_kind accounting_month payment_no tax_voucher_no original_event_key
        original_source_system"""
    ),
    ("control", 1): _names(
        """accounting_month prepared_by approved_by approved_at reason checks_run_id checked_seq report_sha256
        ledger_sha256 rules_sha256 decision"""
    ),
    ("control", 2): _names(
        """accounting_month prepared_by approved_by approved_at reason checks_run_id checked_seq report_sha256
        ledger_sha256 rules_sha256 decision finding_code finding_key valid_until amount_max rows_max"""
    ),
}
BESIDE = _names("""seq recorded_at batch_id line_no content_hash original_seq derived_columns pseudonym_key_id""")
MONTHS = {"contribution_month", "accounting_month"}
COMPUTED = _names("birth_date sex personal_account_credit sub_fund")
ZEROS = bytes(32)


class NotCanonicalError(ValueError):
    """A value that no source could have sent."""


def field(name: str, value: object) -> bytes:
    """A value as a netstring."""
    if value is None:
        return b"-"
    text = canonical(name, value).encode("utf-8")
    return str(len(text)).encode("ascii") + b":" + text


def canonical(name: str, value: object) -> str:
    """A value as text."""
    if isinstance(value, datetime):
        return value.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    if isinstance(value, date):
        if name in MONTHS:
            if value.day != 1:
                raise NotCanonicalError(f"{name} {value} is no month")
            return f"{value.year:04}-{value.month:02}"
        return f"{value.year:04}-{value.month:02}-{value.day:02}"
    if isinstance(value, Decimal):
        if not value.is_finite():
            raise NotCanonicalError(f"{name} {value} is no amount")
        return f"{value:.2f}"
    return str(value)


def event(row: Row) -> bytes:
    """The bytes below the content hash."""
    computed = row["derived_columns"] or []
    names = ENVELOPE + FAMILIES[row["family"], int(row["schema_version"])]
    return b"\x01" + b"".join(field(name, None if name in computed else row[name]) for name in names)


def content_hash(row: Row) -> bytes:
    """The content hash that the row should have."""
    return hashlib.sha256(event(row)).digest()


def batch_hash(batch: Row, rows: list[Row], previous: bytes) -> bytes:
    """The batch hash that the batch should have."""
    body = b"".join(bytes(row["content_hash"]) + row["line_no"].to_bytes(4, "big", signed=True) for row in rows)
    names = _names("region_code batch_id first_seq last_seq recorded_at file_sha256")
    text = b"".join(field(name, batch[name]) for name in names)
    return hashlib.sha256(b"\x02" + previous + text + hashlib.sha256(body).digest()).digest()


def derived_body(rows: list[Row]) -> bytes:
    """What acceptance added to the rows."""
    body = b""
    for row in rows:
        computed = row["derived_columns"]
        if row["original_seq"] is None and computed is None and row["pseudonym_key_id"] is None:
            continue
        body += field("seq", row["seq"]) + field("original_seq", row["original_seq"])
        body += field("derived_columns", None if computed is None else joined(computed))
        body += b"".join(field(name, row[name] if name in (computed or []) else None) for name in COMPUTED)
        body += field("pseudonym_key_id", row["pseudonym_key_id"])
    return body


def joined(names: list[Any]) -> str:
    """The names of the computed columns."""
    if not names or any(name not in COMPUTED for name in names):
        raise NotCanonicalError(f"{names} is no list of computed columns")
    return ",".join(names)


def derived_hash(batch: Row, rows: list[Row], previous: bytes) -> bytes:
    """The derived hash that the batch should have."""
    body = hashlib.sha256(derived_body(rows)).digest()
    return hashlib.sha256(b"\x03" + previous + bytes(batch["batch_hash"]) + body).digest()
