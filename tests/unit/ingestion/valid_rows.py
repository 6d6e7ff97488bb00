"""One sound row of every event type, and a way to put rows through reading and validation without a database."""

from __future__ import annotations

import csv
import io
from pathlib import Path

from ingestion.contracts import FAMILIES
from ingestion.mapping import canonical_texts
from ingestion.profiles import CanonicalProfile
from ingestion.readers import chunks
from ingestion.rotation import Keyring
from ingestion.seeds import Seeds
from ingestion.settings import REPOSITORY, beijing_today
from ingestion.validation import Examined, Rulebook, examine

Row = dict[str, str]
SEEDS = REPOSITORY / "dbt_project" / "seeds"

_PERSON = {"person_no": "P1", "insurance_type": "310", "enrollment_category": "employee", "employer_no": "U1"}
_PREMIUM = _PERSON | {"contribution_month": "2019-10"}
_MONEY = {
    "receipt_no": "T1",
    "deposit_account": "treasury",
    "employer_amount": "720.00",
    "contribution_base": "8000.00",
}
_CLAIM = {"claim_no": "S1", "person_no": "P1", "insurance_type": "310", "benefit_item": "inpatient"}
_PAID = {"payee_type": "person", "payment_no": "Z1", "pooled_amount": "100.00"}
_ADVANCE = {"claim_no": "A1", "insurance_type": "310", "institution_code": "H1", "pooled_amount": "100.00"}
_FUND = {"fund_code": "EMI", "amount": "100.00"}
_POOLED = _FUND | {"sub_fund": "pooled", "account": "special_demand"}
_PERSONAL = _FUND | {"sub_fund": "personal", "account": "special_demand"}
_ORIGINAL = {"original_event_key": "O1"}

VALID: dict[str, Row] = {
    "employer.registered": {"employer_no": "U1", "employer_type": "enterprise"},
    "employer.closed": {"employer_no": "U1"},
    "enrollment.started": _PERSON,
    "enrollment.changed": _PERSON,
    "enrollment.ended": _PERSON | {"reason": "retired"},
    "contribution.assessed": _PREMIUM | {"contribution_base": "8000.00"},
    "contribution.collected": _PREMIUM | _MONEY,
    "contribution.refunded": _PREMIUM | _MONEY | _ORIGINAL,
    "claim.settled": _CLAIM
    | {"medical_fee_total": "150.00", "pooled_amount": "100.00", "personal_cash_amount": "50.00"},
    "claim.paid": _CLAIM | _PAID,
    "claim.reversed": _CLAIM | _ORIGINAL,
    "claim.recovered": _CLAIM | _ORIGINAL | {"pooled_amount": "10.00"},
    "advance.paid": _ADVANCE,
    "advance.offset": _ADVANCE | _ORIGINAL | {"benefit_item": "inpatient"},
    "advance.returned": _ADVANCE | _ORIGINAL,
    "cash.transferred": _FUND | {"from_account": "treasury", "to_account": "special_demand"},
    "interest.credited": _POOLED,
    "interest.allocated": _FUND,
    "subsidy.received": _POOLED,
    "superior.received": _POOLED,
    "subordinate.received": _POOLED,
    "remitted.up": _POOLED,
    "subsidised.down": _POOLED,
    "transfer.received": _PERSONAL,
    "transfer.sent": _PERSONAL,
    "receipt.unidentified": _FUND | {"account": "treasury"},
    "receipt.identified": _FUND | _ORIGINAL | {"identified_as": "490109", "sub_fund": "pooled"},
    "payment.returned": _FUND | _ORIGINAL | {"account": "expenditure"},
    "payment.reissued": _FUND | _ORIGINAL,
    "return.written_back": _FUND | _ORIGINAL | {"sub_fund": "pooled"},
    "other.received": _POOLED,
    "other.paid": _POOLED,
    "catastrophic.transferred": _POOLED,
    "loan.received": _FUND | {"account": "special_demand"},
    "loan.repaid": _FUND | {"account": "special_demand"},
    "account.credited": _FUND,
    "account.paid_out": _FUND | {"account": "expenditure"},
    "outofarea.advanced": _FUND,
    "outofarea.cleared": _FUND | _ORIGINAL | {"benefit_item": "inpatient", "sub_fund": "pooled"},
    "outofarea.paid_for_others": _FUND,
    "outofarea.reimbursed": _FUND | _ORIGINAL,
    "balance.opened": _FUND | {"account": "personal_balance"},
    "balance.stated": _FUND | {"statement_kind": "bank_balance", "accounting_month": "2019-10"},
    "fund.merged": {"fund_code": "MAT", "occurred_on": "2020-01-01"},
}
# Changes that make a row of version 1 say the same in version 2.
IN_VERSION_2: Row = {"schema_version": "2", "receipt_no": "", "tax_voucher_no": "T1"}
FAMILY_OF = {event_type: family.name for family in FAMILIES.values() for event_type in family.event_types}


def sound_row(event_type: str, **changes: str) -> Row:
    """A row that loads, with changes; an empty text removes a field."""
    shared = {
        "event_type": event_type,
        "source_event_key": "K1",
        "occurred_on": "2019-11-15",
        "region_code": "320100",
    }
    return {name: text for name, text in (shared | VALID[event_type] | changes).items() if text != ""}


def csv_text(rows: list[Row], header: list[str] | None = None) -> str:
    """Rows as a canonical CSV file with the columns they use, the shared ones first."""
    shared = ["event_type", "source_event_key", "occurred_on", "region_code"]
    names = header or list(dict.fromkeys([*shared, *(name for row in rows for name in row)]))
    text = io.StringIO()
    writer = csv.DictWriter(text, names, lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()


def rulebook(family: str) -> Rulebook:
    """The family's rules under the project's own seeds."""
    return Rulebook(FAMILIES[family], Seeds.load(SEEDS), beijing_today(), Keyring("k" * 64))


def examine_text(text: str, family: str, folder: Path) -> Examined:
    """A one-chunk canonical file through reading, mapping and validation."""
    path = folder / f"t.{family}.1.csv"
    path.write_text(text, encoding="utf-8")
    feed = CanonicalProfile(()).feed_of(path.name)
    (chunk,) = chunks(path, feed)
    return examine(canonical_texts(chunk.frame, feed), feed, rulebook(family))


def codes_of(row: Row, folder: Path) -> set[str]:
    """All codes that one row gets."""
    examined = examine_text(csv_text([row]), FAMILY_OF[row["event_type"]], folder)
    return {code for code, _ in examined.reasons.get(0, [])}
