"""Rules a row has to meet by itself, without looking at the log (E3, E4). Answers with code groups."""

from __future__ import annotations

import re
from datetime import date
from decimal import Decimal

from .accounts import ALLOWANCE, LEAVES, MATERNITY, MATERNITY_MEDICAL, NUTRITION, ORDINARY, PATHS, account_class
from .policy import Policy
from .rows import Row
from .vocabulary import (
    AMOUNTS,
    COLUMNS,
    DATES,
    EVENT_TYPES,
    INTEGERS,
    LISTS,
    MONTHS,
    OF_VERSION,
    ORIGINAL_TYPES,
    PAYMENTS,
    RECEIPTS,
    SHARED,
    VERSIONS,
)

_GB11643_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
_GB32100_ALPHABET = "0123456789ABCDEFGHJKLMNPQRTUWXY"
_NEEDS_ACCOUNT = frozenset(
    [
        *RECEIPTS,
        *PAYMENTS,
        "receipt.unidentified",
        "payment.returned",
        "loan.received",
        "loan.repaid",
        "account.paid_out",
        "balance.opened",
    ]
)


def examine(row: Row, family: str, policy: Policy, today: date) -> None:
    """Add to `row.groups` every group of reasons the row fails for."""
    if "E-SCHEMA" in row.groups:
        return
    event_type = str(row.values.get("event_type", ""))
    version = row.text.get("schema_version", "1")
    if version not in VERSIONS[family] or any(OF_VERSION.get(column, version) != version for column in row.text):
        row.groups.add("E-SCHEMA")
    if event_type not in EVENT_TYPES[family]:
        row.groups.add("E-SCHEMA")
        return
    _check_required(row, family, event_type)
    _check_lists(row, family, policy)
    _check_personal(row, family, today)
    _check_future(row, today)
    if not row.groups & {"E-TYPE", "E-SCHEMA", "E-VALUE"}:
        _FAMILY_RULES[family](row, event_type, policy)


def _check_required(row: Row, family: str, event_type: str) -> None:
    wanted = [*SHARED, *_REQUIRED[family](row, event_type)]
    if any(column not in row.text for column in wanted):
        row.groups.add("E-SCHEMA")


def _required_registration(row: Row, event_type: str) -> list[str]:
    if event_type == "employer.registered":
        return ["employer_no", "employer_type"]
    if event_type == "employer.closed":
        return ["employer_no"]
    employee = row.text.get("enrollment_category") == "employee"
    return ["person_no", "insurance_type", "enrollment_category"] + ["employer_no"] * employee


def _required_contribution(row: Row, event_type: str) -> list[str]:
    wanted = ["person_no", "insurance_type", "enrollment_category", "contribution_month"]
    if row.text.get("enrollment_category") == "employee":
        wanted.append("employer_no")
    if event_type == "contribution.assessed":
        return [*wanted, "contribution_base"]
    if event_type == "contribution.refunded" or row.text.get("deposit_account") == "temporary_receipt":
        wanted.append("original_event_key")
    return [*wanted, "tax_voucher_no" if row.text.get("schema_version") == "2" else "receipt_no", "deposit_account"]


def _required_claim(row: Row, event_type: str) -> list[str]:
    wanted = ["claim_no", "insurance_type"]
    kind = row.text.get("settlement_kind", "case")
    if event_type.startswith("claim.") and kind == "case":
        wanted.append("person_no")
    if event_type.startswith("advance.") or row.text.get("payee_type") == "institution":
        wanted.append("institution_code")
    if event_type in ("advance.paid", "advance.returned"):
        wanted.append("pooled_amount")
    else:
        wanted.append("benefit_item")
    if event_type == "claim.paid":
        wanted += ["payee_type", "payment_no"]
    if event_type in ORIGINAL_TYPES and kind != "annual_clearing":
        wanted.append("original_event_key")
    return wanted


def _required_treasury(row: Row, event_type: str) -> list[str]:
    wanted = ["fund_code"] + ["amount"] * (event_type != "fund.merged")
    if event_type == "cash.transferred":
        wanted += ["from_account", "to_account"]
    if event_type in _NEEDS_ACCOUNT:
        wanted.append("account")
    if event_type == "balance.stated":
        wanted += ["statement_kind", "accounting_month"]
    if event_type in ORIGINAL_TYPES:
        wanted.append("original_event_key")
    if event_type == "receipt.identified":
        wanted.append("identified_as")
    if event_type == "outofarea.cleared":
        wanted.append("benefit_item")
    if event_type in (*RECEIPTS, *PAYMENTS, "outofarea.cleared", "return.written_back"):
        wanted.append("sub_fund")
    if event_type == "receipt.identified" and account_class(row.text.get("identified_as", "0")) in "45":
        wanted.append("sub_fund")
    return wanted


_REQUIRED = {
    "registration": _required_registration,
    "contribution": _required_contribution,
    "claim": _required_claim,
    "treasury": _required_treasury,
}


def _check_lists(row: Row, family: str, policy: Policy) -> None:
    for (listed_family, column), allowed in LISTS.items():
        if listed_family == family and row.text.get(column, "") not in allowed | {""}:
            row.groups.add("E-VALUE")
    if "region_code" in row.text and row.text["region_code"] not in policy.merger_dates:
        row.groups.add("E-VALUE")


def _check_personal(row: Row, family: str, today: date) -> None:
    """E6: no identity number of a person of fifteen or more in a column of free text or keys."""
    day = row.values.get("occurred_on", today)
    assert isinstance(day, date)
    taken = COLUMNS[family] - {"certificate_no", "region_code", "schema_version", *AMOUNTS, *DATES, *MONTHS, *INTEGERS}
    listed = {column for listed_family, column in LISTS if listed_family == family}
    for column in taken - listed:
        digits = re.split("[^0-9Xx]", row.text.get(column, ""))
        for number in (part for part in digits if len(part) == 18 and valid_certificate(part.upper())):
            born, _ = told_by(number)
            if date(born.year + 15, born.month, min(born.day, 28)) <= day:
                row.groups.add("E-VALUE")


def _check_future(row: Row, today: date) -> None:
    """L3: facts dated after the Beijing date of their recording."""
    occurred_on = row.values.get("occurred_on")
    if isinstance(occurred_on, date) and occurred_on > today:
        row.groups.add("E-PERIOD")


def _registration(row: Row, event_type: str, policy: Policy) -> None:
    del event_type, policy
    certificate = row.text.get("certificate_no")
    if certificate and not valid_certificate(certificate):
        row.groups.add("E-VALUE")
    elif certificate:
        born, sex = told_by(certificate)
        if row.values.get("birth_date", born) != born or row.text.get("sex", sex) != sex:
            row.groups.add("E-VALUE")
    credit_code = row.text.get("employer_credit_code")
    if credit_code and not valid_credit_code(credit_code):
        row.groups.add("E-VALUE")


def _contribution(row: Row, event_type: str, policy: Policy) -> None:
    if row.text["insurance_type"] == "510":
        _maternity_contribution(row, policy)
    paid = [row.amount(column) for column in ("employer_amount", "personal_amount", "late_fee")]
    if event_type == "contribution.collected" and not any(paid):
        row.groups.add("E-VALUE")
    if "personal_account_credit" in row.values and row.amount("personal_account_credit") > _credit_limit(row):
        row.groups.add("E-VALUE")
    if event_type == "contribution.collected" and computes_credit(row) and "contribution_base" not in row.values:
        row.groups.add("E-VALUE")


def _maternity_contribution(row: Row, policy: Policy) -> None:
    """E3: 510 only for months before the region's merger, never flexible or retiree, never personal."""
    merger_date = policy.merger_date(row.text["region_code"])
    month = row.values["contribution_month"]
    assert isinstance(month, date)
    late = month >= merger_date.replace(day=1)
    if late or row.text["enrollment_category"] != "employee" or row.amount("personal_amount"):
        row.groups.add("E-MATERNITY")


def _credit_limit(row: Row) -> Decimal:
    """E3: a given credit lies within 0 … amount; for flexible workers the amount is both together (L2)."""
    if row.text["enrollment_category"] == "employee":
        return row.amount("employer_amount")
    return row.amount("employer_amount") + row.amount("personal_amount")


def computes_credit(row: Row) -> bool:
    """E3: null for 310 employee with employer_amount > 0."""
    return (
        (row.text["insurance_type"], row.text["enrollment_category"]) == ("310", "employee")
        and row.amount("employer_amount") > 0
        and "personal_account_credit" not in row.values
    )


def _claim(row: Row, event_type: str, policy: Policy) -> None:
    item = row.text.get("benefit_item")
    if event_type not in ("advance.paid", "advance.returned") and item not in _items_with_a_rule(row, policy):
        row.groups.add("E-MATERNITY")
    if item in (ALLOWANCE, NUTRITION) and row.amount("personal_account_amount"):
        row.groups.add("E-MATERNITY")
    kind = row.text.get("settlement_kind", "case")
    if event_type == "claim.settled" and kind == "case" and item not in (ALLOWANCE, NUTRITION):
        _check_sum(row)


def _items_with_a_rule(row: Row, policy: Policy) -> frozenset[str]:
    """E3 benefit_item: "under 510 and under 310 before the merger only where L2 has a rule"."""
    occurred_on = row.values["occurred_on"]
    assert isinstance(occurred_on, date)
    if row.text["insurance_type"] == "510":
        return MATERNITY
    before = occurred_on < policy.merger_date(row.text["region_code"])
    return ORDINARY | (MATERNITY_MEDICAL if before else MATERNITY)


def _check_sum(row: Row) -> None:
    """E3: the parts add up to medical_fee_total."""
    parts = ("pooled", "personal_account", "personal_cash", "institution_borne", "other_funds")
    if sum(row.amount(f"{part}_amount") for part in parts) != row.amount("medical_fee_total"):
        row.groups.add("E-CLAIM")


def _treasury(row: Row, event_type: str, policy: Policy) -> None:
    occurred_on = row.values["occurred_on"]
    merger_date = policy.merger_date(row.text["region_code"])
    assert isinstance(occurred_on, date)
    if event_type == "fund.merged":
        if row.text["fund_code"] != "MAT" or occurred_on != merger_date:
            row.groups.add("E-VALUE")
    elif row.text["fund_code"] == "MAT" and occurred_on >= merger_date:
        row.groups.add("E-TREASURY")
    if event_type == "cash.transferred" and (row.text["from_account"], row.text["to_account"]) not in PATHS:
        row.groups.add("E-TREASURY")
    moves_a_person = event_type in ("transfer.received", "transfer.sent")
    if moves_a_person and (row.text["fund_code"], row.text["sub_fund"]) != ("EMI", "personal"):
        row.groups.add("E-TREASURY")
    if event_type == "receipt.identified" and row.text["identified_as"] not in LEAVES:
        row.groups.add("E-VALUE")


_FAMILY_RULES = {
    "registration": _registration,
    "contribution": _contribution,
    "claim": _claim,
    "treasury": _treasury,
}


def certificate_check_digit(body: str) -> str:
    """GB 11643: ISO 7064 MOD 11-2 over 17 digits."""
    total = sum(int(digit) * weight for digit, weight in zip(body, _GB11643_WEIGHTS, strict=True))
    return "10X98765432"[total % 11]


def valid_certificate(number: str) -> bool:
    """E3: check digit verified, and the date in it exists."""
    if len(number) != 18 or not number[:17].isdecimal() or certificate_check_digit(number[:17]) != number[17]:
        return False
    try:
        date.fromisoformat(f"{number[6:10]}-{number[10:12]}-{number[12:14]}")
    except ValueError:
        return False
    return True


def told_by(number: str) -> tuple[date, str]:
    """Birth date and sex that a valid identity number tells."""
    born = date.fromisoformat(f"{number[6:10]}-{number[10:12]}-{number[12:14]}")
    return born, "FM"[int(number[16]) % 2]


def credit_code_check_digit(body: str) -> str:
    """GB 32100: weights 3^i mod 31 over 17 characters."""
    total = sum(_GB32100_ALPHABET.index(character) * pow(3, place, 31) for place, character in enumerate(body))
    return _GB32100_ALPHABET[(31 - total % 31) % 31]


def valid_credit_code(code: str) -> bool:
    """E3: check digit verified."""
    known = len(code) == 18 and all(character in _GB32100_ALPHABET for character in code)
    return known and credit_code_check_digit(code[:17]) == code[17]
