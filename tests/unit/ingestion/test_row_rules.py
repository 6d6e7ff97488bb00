"""Every rule that a row has to meet by itself."""

from __future__ import annotations

from pathlib import Path

import pytest

from ingestion.contracts import FAMILIES
from ingestion.settings import beijing_today
from tests.unit.ingestion.valid_rows import (
    FAMILY_OF,
    IN_VERSION_2,
    VALID,
    Row,
    codes_of,
    csv_text,
    examine_text,
    sound_row,
)

NEXT_YEAR = f"{beijing_today().year + 1}-12-31"
GOOD_CERTIFICATE = "11010519491231002X"
GOOD_CREDIT_CODE = "91350100M000100Y43"

# code, event type, changes that must give exactly this code
CASES: list[tuple[str, str, Row]] = [
    ("E-SCHEMA-VERSION", "employer.closed", {"schema_version": "2"}),
    ("E-SCHEMA-VERSION", "employer.closed", {"schema_version": "one"}),
    ("E-SCHEMA-VERSION", "contribution.collected", {"schema_version": "3"}),
    ("E-SCHEMA-VERSION", "contribution.collected", {"schema_version": "one", "tax_authority_code": "13201"}),
    ("E-SCHEMA-VERSION", "contribution.assessed", {"schema_version": "0"}),
    ("E-SCHEMA-VERSION-COLUMN", "contribution.collected", {"tax_authority_code": "13201"}),
    ("E-SCHEMA-VERSION-COLUMN", "contribution.assessed", {"schema_version": "1", "tax_voucher_no": "T1"}),
    ("E-SCHEMA-VERSION-COLUMN", "contribution.refunded", IN_VERSION_2 | {"receipt_no": "T1"}),
    ("E-TYPE-AMOUNT", "interest.credited", {"amount": "1.234"}),
    ("E-TYPE-AMOUNT", "interest.credited", {"amount": "1e999"}),
    ("E-TYPE-AMOUNT", "interest.credited", {"amount": "１２.５００"}),
    ("E-TYPE-AMOUNT", "interest.credited", {"amount": "１，２３４.５０"}),
    ("E-TYPE-AMOUNT", "interest.credited", {"amount": "1.2345E+1"}),
    ("E-TYPE-AMOUNT", "interest.credited", {"amount": "1.23457E+11"}),
    ("E-TYPE-DATE", "interest.credited", {"occurred_on": "43800"}),
    ("E-SCHEMA-CELL-DIGITS", "claim.paid", {"source_event_key": "3.20102E+17"}),
    ("E-SCHEMA-CELL-DIGITS", "claim.paid", {"person_no": "3E+17"}),
    ("E-TYPE-AMOUNT", "interest.credited", {"amount": "1,234.50"}),
    ("E-TYPE-AMOUNT", "interest.credited", {"amount": "NaN"}),
    ("E-TYPE-AMOUNT", "interest.credited", {"amount": "12."}),
    ("E-TYPE-AMOUNT", "interest.credited", {"amount": "10000000000000000.00"}),
    ("E-TYPE-DATE", "claim.paid", {"admitted_on": "2019-02-29"}),
    ("E-TYPE-DATE", "claim.paid", {"occurred_on": "2019-1-5"}),
    ("E-TYPE-DATE", "claim.paid", {"occurred_on": "2019/11/05"}),
    ("E-TYPE-DATE", "claim.paid", {"occurred_on": "0000-01-01"}),
    ("E-TYPE-MONTH", "contribution.assessed", {"contribution_month": "2019-13"}),
    ("E-TYPE-MONTH", "contribution.assessed", {"contribution_month": "201910"}),
    ("E-TYPE-INTEGER", "claim.paid", {"leave_days": "3.5"}),
    ("E-TYPE-AMOUNT", "interest.credited", {"amount": "10000000000000.00"}),
    ("E-TYPE-INTEGER", "claim.paid", {"leave_days": "99999999999"}),
    ("E-TYPE-TEXT", "claim.paid", {"claim_no": "x" * 401}),
    ("E-TYPE-TEXT", "claim.paid", {"claim_no": "a\x00b"}),
    ("E-VALUE-LIST", "claim.paid", {"payee_type": "hospital"}),
    ("E-VALUE-LIST", "claim.paid", {"insurance_type": "390"}),
    ("E-VALUE-LIST", "enrollment.ended", {"reason": "bored"}),
    ("E-VALUE-LIST", "contribution.collected", {"deposit_account": "expenditure"}),
    ("E-VALUE-NEGATIVE", "interest.credited", {"amount": "-0.01"}),
    ("E-VALUE-NEGATIVE", "claim.paid", {"leave_days": "-1"}),
    ("E-VALUE-REGION", "employer.closed", {"region_code": "999999"}),
    ("E-VALUE-REGION", "employer.closed", {"region_code": "32O100"}),
    ("E-VALUE-CERTIFICATE", "enrollment.started", {"certificate_no": "110105194912310021"}),
    ("E-VALUE-CERTIFICATE", "enrollment.started", {"certificate_no": "110105491231002"}),
    ("E-VALUE-CERTIFICATE", "enrollment.started", {"certificate_no": "110105-19491231-002X"}),
    ("E-VALUE-BIRTH-DATE", "enrollment.started", {"certificate_no": GOOD_CERTIFICATE, "birth_date": "1949-12-30"}),
    ("E-VALUE-SEX", "enrollment.started", {"certificate_no": GOOD_CERTIFICATE, "sex": "M"}),
    ("E-VALUE-PERSONAL", "employer.registered", {"employer_credit_code": "11010519491231037X"}),
    ("E-VALUE-CREDIT-CODE", "employer.registered", {"employer_credit_code": "91350100M000100Y44"}),
    ("E-VALUE-AMOUNT", "contribution.collected", {"employer_amount": ""}),
    ("E-VALUE-AMOUNT", "contribution.collected", {"employer_amount": "0.00", "personal_amount": "0"}),
    ("E-VALUE-NO-AMOUNT", "fund.merged", {"amount": "1.00"}),
    ("E-VALUE-BASE", "contribution.collected", {"contribution_base": ""}),
    ("E-VALUE-CREDIT", "contribution.collected", {"personal_account_credit": "720.01"}),
    (
        "E-VALUE-CREDIT",
        "contribution.collected",
        {"personal_account_credit": "1", "employer_amount": "", "late_fee": "1"},
    ),
    ("E-VALUE-ACCOUNT", "interest.credited", {"account": "bond"}),
    ("E-VALUE-ACCOUNT", "balance.stated", {"account": "personal_balance"}),
    ("E-VALUE-ACCOUNT", "balance.opened", {"account": "personal_balance", "fund_code": "MAT"}),
    ("E-VALUE-ACCOUNT-CODE", "receipt.identified", {"identified_as": "3001"}),
    ("E-VALUE-ACCOUNT-CODE", "receipt.identified", {"identified_as": "2001"}),
    ("E-VALUE-ACCOUNT-CODE", "receipt.identified", {"identified_as": "4001"}),
    ("E-VALUE-ACCOUNT-CODE", "receipt.identified", {"identified_as": "400110"}),
    ("E-VALUE-ACCOUNT-CODE", "receipt.identified", {"identified_as": "income"}),
    ("E-VALUE-FUND", "catastrophic.transferred", {"fund_code": "MAT"}),
    ("E-VALUE-FUND", "interest.allocated", {"fund_code": "MAT"}),
    ("E-VALUE-SUB-FUND", "interest.credited", {"fund_code": "MAT", "sub_fund": "personal"}),
    ("E-MATERNITY-ITEM", "outofarea.cleared", {"fund_code": "MAT"}),
    ("E-MATERNITY-ITEM", "outofarea.cleared", {"benefit_item": "maternity_allowance"}),
    (
        "E-VALUE-SERVICE-DATE",
        "claim.recovered",
        {"settlement_kind": "annual_clearing", "original_event_key": "", "service_on": "2020-12-31"},
    ),
    ("E-VALUE-BIRTH-COUNT", "claim.settled", {"birth_count": "0"}),
    ("E-VALUE-BIRTH-COUNT", "claim.paid", {"birth_count": "0"}),
    ("E-VALUE-NEGATIVE", "claim.paid", {"birth_count": "-1"}),
    ("E-VALUE-SUB-FUND", "cash.transferred", {"sub_fund": "pooled"}),
    ("E-VALUE-SUB-FUND", "account.credited", {"sub_fund": "personal"}),
    ("E-VALUE-SUB-FUND", "receipt.identified", {"identified_as": "400101", "sub_fund": "personal"}),
    ("E-SCHEMA-REQUIRED", "receipt.identified", {"sub_fund": ""}),
    ("E-VALUE-FUND", "fund.merged", {"fund_code": "EMI"}),
    ("E-VALUE-MERGER-DATE", "fund.merged", {"occurred_on": "2020-01-02"}),
    ("E-VALUE-MERGER-DATE", "fund.merged", {"occurred_on": "2020-01-01", "region_code": "340400"}),
    ("E-CLAIM-SUM", "claim.settled", {"personal_cash_amount": "49.99"}),
    ("E-CLAIM-SUM", "claim.settled", {"medical_fee_total": ""}),
    ("E-MATERNITY-MONTH", "contribution.collected", {"insurance_type": "510", "contribution_month": "2020-01"}),
    (
        "E-MATERNITY-MONTH",
        "contribution.assessed",
        {"insurance_type": "510", "contribution_month": "2019-12", "region_code": "340400"},
    ),
    ("E-MATERNITY-CATEGORY", "contribution.assessed", {"insurance_type": "510", "enrollment_category": "flexible"}),
    ("E-MATERNITY-CATEGORY", "contribution.assessed", {"insurance_type": "510", "enrollment_category": "retiree"}),
    ("E-MATERNITY-PERSONAL", "contribution.collected", {"insurance_type": "510", "personal_amount": "0.01"}),
    ("E-MATERNITY-ITEM", "claim.paid", {"insurance_type": "510", "benefit_item": "pharmacy"}),
    ("E-MATERNITY-ITEM", "claim.paid", {"benefit_item": "maternity_allowance"}),
    ("E-MATERNITY-ITEM", "advance.offset", {"benefit_item": "nutrition_subsidy"}),
    (
        "E-MATERNITY-PA",
        "claim.paid",
        {"insurance_type": "510", "benefit_item": "nutrition_subsidy", "personal_account_amount": "0.01"},
    ),
    ("E-TREASURY-PATH", "cash.transferred", {"from_account": "expenditure", "to_account": "treasury"}),
    ("E-TREASURY-PATH", "cash.transferred", {"from_account": "treasury", "to_account": "treasury"}),
    ("E-TREASURY-TRANSFER", "transfer.sent", {"sub_fund": "pooled"}),
    ("E-TREASURY-TRANSFER", "transfer.received", {"fund_code": "MAT"}),
    ("E-TREASURY-MERGED", "interest.credited", {"fund_code": "MAT", "occurred_on": "2020-01-01"}),
    ("E-TREASURY-MERGED", "balance.stated", {"fund_code": "MAT", "occurred_on": "2019-12-01", "region_code": "340400"}),
    ("E-PERIOD-FUTURE", "enrollment.ended", {"occurred_on": NEXT_YEAR}),
]

# Rows that must load although they look like the ones above.
SOUND: list[tuple[str, Row]] = [
    ("enrollment.started", {"certificate_no": GOOD_CERTIFICATE}),
    ("enrollment.started", {"certificate_no": GOOD_CERTIFICATE.lower()}),
    ("enrollment.started", {"enrollment_category": "flexible", "employer_no": ""}),
    ("employer.registered", {"employer_credit_code": GOOD_CREDIT_CODE}),
    ("employer.closed", {"schema_version": "1"}),
    ("contribution.collected", {"schema_version": "1"}),
    ("contribution.collected", IN_VERSION_2),
    ("contribution.collected", IN_VERSION_2 | {"tax_authority_code": "13201"}),
    ("contribution.refunded", IN_VERSION_2),
    ("contribution.assessed", {"schema_version": "2"}),
    ("interest.credited", {"amount": "0"}),
    ("interest.credited", {"amount": "9999999999999.99"}),
    ("interest.credited", {"fund_code": "MAT", "occurred_on": "2019-12-31"}),
    ("contribution.collected", {"insurance_type": "510", "contribution_month": "2019-12", "contribution_base": ""}),
    ("contribution.collected", {"insurance_type": "510", "occurred_on": "2020-05-01"}),
    ("contribution.collected", {"employer_amount": "", "late_fee": "1.00", "contribution_base": ""}),
    ("contribution.collected", {"personal_account_credit": "720.00", "contribution_base": ""}),
    (
        "contribution.collected",
        {
            "enrollment_category": "flexible",
            "employer_no": "",
            "personal_amount": "5",
            "personal_account_credit": "725",
        },
    ),
    ("contribution.refunded", {"employer_amount": ""}),
    ("claim.settled", {"benefit_item": "maternity_allowance", "insurance_type": "510", "medical_fee_total": ""}),
    ("claim.settled", {"settlement_kind": "monthly", "person_no": "", "medical_fee_total": ""}),
    ("claim.paid", {"benefit_item": "maternity_allowance", "occurred_on": "2020-01-01"}),
    ("claim.paid", {"benefit_item": "prenatal"}),
    ("claim.recovered", {"settlement_kind": "annual_clearing", "original_event_key": "", "service_on": "2019-01-01"}),
    ("cash.transferred", {"from_account": "expenditure", "to_account": "special_demand"}),
    ("receipt.identified", {"identified_as": "1101", "sub_fund": ""}),
    ("return.written_back", {"sub_fund": ""}),
    ("fund.merged", {"occurred_on": "2019-12-01", "region_code": "340400"}),
    ("balance.opened", {"account": "bond"}),
]


@pytest.mark.parametrize("event_type", sorted(VALID))
def test_a_sound_row_of_every_event_type_has_no_reason(event_type: str, tmp_path: Path) -> None:
    assert codes_of(sound_row(event_type), tmp_path) == set()


def test_there_is_a_sound_row_for_every_event_type() -> None:
    assert set(VALID) == set(FAMILY_OF)


@pytest.mark.parametrize(("code", "event_type", "changes"), CASES)
def test_a_broken_rule_gives_its_code_and_no_other(code: str, event_type: str, changes: Row, tmp_path: Path) -> None:
    assert codes_of(sound_row(event_type, **changes), tmp_path) == {code}


@pytest.mark.parametrize(("event_type", "changes"), SOUND)
def test_a_row_within_the_rules_loads(event_type: str, changes: Row, tmp_path: Path) -> None:
    assert codes_of(sound_row(event_type, **changes), tmp_path) == set()


REQUIRED = [
    (event_type, entry.column)
    for family in FAMILIES.values()
    for entry in family.version(1).required
    if not entry.when
    for event_type in entry.event_types
]
CONDITIONAL = [
    ("enrollment.started", "employer_no", {}),
    ("contribution.collected", "employer_no", {}),
    ("contribution.collected", "original_event_key", {"deposit_account": "temporary_receipt"}),
    ("contribution.collected", "tax_voucher_no", {"schema_version": "2", "receipt_no": ""}),
    ("contribution.refunded", "tax_voucher_no", {"schema_version": "2", "receipt_no": ""}),
    ("claim.paid", "person_no", {}),
    ("claim.paid", "person_no", {"settlement_kind": "case"}),
    ("claim.paid", "institution_code", {"payee_type": "institution"}),
    ("claim.recovered", "original_event_key", {}),
    ("claim.recovered", "service_on", {"settlement_kind": "annual_clearing", "original_event_key": ""}),
]


@pytest.mark.parametrize(("event_type", "column"), REQUIRED)
def test_an_empty_required_field_is_reported(event_type: str, column: str, tmp_path: Path) -> None:
    assert "E-SCHEMA-REQUIRED" in codes_of(sound_row(event_type, **{column: ""}), tmp_path)


@pytest.mark.parametrize(("event_type", "column", "changes"), CONDITIONAL)
def test_a_field_required_under_a_condition_is_reported(
    event_type: str, column: str, changes: Row, tmp_path: Path
) -> None:
    assert codes_of(sound_row(event_type, **changes, **{column: ""}), tmp_path) == {"E-SCHEMA-REQUIRED"}


@pytest.mark.parametrize("column", ["source_event_key", "occurred_on", "region_code"])
def test_empty_shared_fields_are_reported(column: str, tmp_path: Path) -> None:
    assert "E-SCHEMA-REQUIRED" in codes_of(sound_row("interest.allocated", **{column: ""}), tmp_path)


def test_event_types_of_another_family_unknown_ones_and_control_are_refused(tmp_path: Path) -> None:
    rows = [
        sound_row("claim.paid") | {"event_type": name} for name in ("cash.transferred", "claim.lost", "period.closed")
    ]
    examined = examine_text(csv_text(rows), "claim", tmp_path)
    assert [{code for code, _ in examined.reasons[n]} for n in range(3)] == [{"E-SCHEMA-EVENT-TYPE"}] * 3


def test_all_reasons_of_a_row_are_collected_with_their_columns(tmp_path: Path) -> None:
    row = sound_row(
        "contribution.collected",
        insurance_type="510",
        contribution_month="2020-03",
        personal_amount="1.00",
        employer_amount="x",
        receipt_no="",
        deposit_account="pocket",
    )
    examined = examine_text(csv_text([row], header=[*row, "receipt_no"]), "contribution", tmp_path)
    assert dict(examined.reasons[0]) == {
        "E-TYPE-AMOUNT": ("employer_amount",),
        "E-VALUE-LIST": ("deposit_account",),
        "E-SCHEMA-REQUIRED": ("receipt_no",),
        "E-MATERNITY-MONTH": ("contribution_month",),
        "E-MATERNITY-PERSONAL": ("personal_amount",),
    }


def test_each_row_keeps_to_its_own_version(tmp_path: Path) -> None:
    old, new = sound_row("contribution.collected"), sound_row("contribution.collected", **IN_VERSION_2)
    mixed = sound_row("contribution.collected", schema_version="2")
    examined = examine_text(csv_text([old, new, mixed, old | {"schema_version": ""}]), "contribution", tmp_path)
    assert examined.reasons == {
        2: [("E-SCHEMA-VERSION-COLUMN", ("receipt_no",)), ("E-SCHEMA-REQUIRED", ("tax_voucher_no",))]
    }


def test_birth_date_and_sex_are_told_by_the_certificate(tmp_path: Path) -> None:
    row = sound_row("enrollment.started", certificate_no=GOOD_CERTIFICATE)
    frame = examine_text(csv_text([row]), "registration", tmp_path).frame
    assert frame["certificate_no|birth_date"].to_list()[0].isoformat() == "1949-12-31"
    assert frame["certificate_no|sex"].to_list() == ["F"]
    assert GOOD_CERTIFICATE not in str(frame["certificate_no"].to_list())
