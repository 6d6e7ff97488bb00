"""What checks C07 to C10 look at in the hand-made books: registrations, assessments, settlements, and their deltas.

All of it comes with batch 2 (month N), late for what it is about: batch 1 holds a payment (C1) and premiums (E1) whose
settlement and employer nobody had registered then. E1 and E2 are assessed 880 each for months M and N; of E2 nothing is
collected. C1 is settled for 30 + 5 and paid, C2 for 200, paid and 50 of it recovered, C3 for 300 and paid; C4 for 999,
all of it kept back as a deposit.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from psycopg2 import sql
from psycopg2.extensions import cursor as Cursor

_ASSESSED = {
    "insurance_type": "310", "enrollment_category": "employee", "contribution_base": "8000.00",
    "employer_amount": "720.00", "personal_amount": "160.00",
}  # fmt: skip
_MEDICAL = {"insurance_type": "310", "person_no": "P1"}
_OF_P1 = _ASSESSED | {"person_no": "P1", "employer_no": "E1"}
_OF_P2 = _ASSESSED | {"person_no": "P2", "employer_no": "E2"}

# Type, family, day of month N and columns; months M and N stand for their first days.
CLAIM_FACTS: tuple[tuple[str, str, int, dict[str, Any]], ...] = (
    ("employer.registered", "registration", 1, {"employer_no": "E1", "employer_type": "enterprise"}),
    ("employer.registered", "registration", 1, {"employer_no": "E2", "employer_type": "enterprise"}),
    ("enrollment.started", "registration", 1, _MEDICAL | {
        "person_no": "P2", "employer_no": "E2", "enrollment_category": "employee",
    }),
    ("contribution.assessed", "contribution", 3, _OF_P1 | {"contribution_month": "M"}),
    ("contribution.assessed", "contribution", 3, _OF_P2 | {"contribution_month": "M"}),
    ("contribution.assessed", "contribution", 3, _OF_P1 | {"contribution_month": "N"}),
    ("contribution.assessed", "contribution", 3, _OF_P2 | {"contribution_month": "N"}),
    ("claim.settled", "claim", 22, {
        "claim_no": "C1", "person_no": "P1", "insurance_type": "510", "benefit_item": "delivery_normal",
        "pooled_amount": "30.00", "personal_account_amount": "5.00",
    }),
    ("claim.settled", "claim", 22, _MEDICAL | {
        "claim_no": "C2", "benefit_item": "delivery_caesarean", "pooled_amount": "200.00",
    }),
    ("claim.settled", "claim", 22, _MEDICAL | {
        "claim_no": "C3", "benefit_item": "maternity_allowance", "pooled_amount": "300.00",
    }),
)  # fmt: skip


def write_claim_deltas(cursor: Cursor, region: str, months: tuple[str, str], seqs: dict[str, int]) -> None:
    """The rows that a build would make of the facts; `seqs`: seq by claim (its settlement), `enrolled`, `assessed`."""
    month_m, month_n = (f"{month}-01" for month in months)
    for row in _premiums(month_m, month_n, seqs["assessed"]):
        _insert(cursor, "ledger.contribution_turnover", {"region_code": region} | row)
    for place, (person, employer, month) in enumerate(
        [("P1", "E1", month_m), ("P2", "E2", month_m), ("P1", "E1", month_n), ("P2", "E2", month_n)]
    ):
        row = {
            "person_no": person, "employer_no": employer, "contribution_month": month, "insurance_type": "310",
            "enrollment_category": "employee", "batch_id": 2, "last_seq": seqs["assessed"] + place,
            "assessed_amount": 880, "change_amount": 880,
        }  # fmt: skip
        _insert(cursor, "ledger.assessed_contribution", {"region_code": region} | row)
    for row in _claims(month_n, seqs):
        amounts = dict.fromkeys(
            ("settled_pooled_amount", "settled_personal_amount", "withheld_amount", "paid_pooled_amount",
             "paid_personal_amount", "released_amount", "taken_back_pooled_amount", "taken_back_personal_amount",
             "unpaid_change"), Decimal(0),
        )  # fmt: skip
        _insert(cursor, "ledger.claim_turnover", {"region_code": region} | amounts | row)
    for row in _awaited(month_m):
        _insert(cursor, "ledger.awaited_reference", {"region_code": region} | row)
    # P2, enrolled from the merger on: nothing is missing
    covered = {"person_no": "P2", "batch_id": 2, "last_seq": seqs["enrolled"], "gap_kind": "none"}
    _insert(cursor, "ledger.enrollment_coverage", {"region_code": region} | covered)


def _premiums(month_m: str, month_n: str, assessed: int) -> list[dict[str, Any]]:
    """Collected by batch 1 for month M and by batch 2 for month N, assessed by batch 2."""
    nothing = {"assessed_change": 0, "collected_amount": 0, "refunded_amount": 0, "enrollment_category": "employee"}
    collected = [
        {"employer_no": "E1", "contribution_month": month, "insurance_type": kind, "batch_id": batch, "last_seq": seq,
         "collected_amount": amount}
        for kind, amount, seqs in (("310", 880, (2, 11)), ("510", 40, (3, 12)))
        for batch, (seq, month) in enumerate(zip(seqs, (month_m, month_n), strict=True), start=1)
    ]  # fmt: skip
    stated = [
        {"employer_no": employer, "contribution_month": month, "insurance_type": "310", "batch_id": 2,
         "last_seq": assessed + place, "assessed_change": 880}
        for place, (employer, month) in enumerate(
            [("E1", month_m), ("E2", month_m), ("E1", month_n), ("E2", month_n)]
        )
    ]  # fmt: skip
    return [nothing | row for row in collected + stated]


def _claims(month_n: str, seqs: dict[str, int]) -> list[dict[str, Any]]:
    known = {name: {"claim_no": name, "batch_id": 2, "settled_seq": seqs[name], "settled_month": month_n,
                    "last_seq": seqs[name]} for name in ("C1", "C2", "C3", "C4")}  # fmt: skip
    return [
        {"claim_no": "C1", "batch_id": 1, "last_seq": 4, "paid_pooled_amount": 30, "paid_personal_amount": 5},
        known["C1"] | {"settled_pooled_amount": 30, "settled_personal_amount": 5},
        known["C2"] | {"settled_pooled_amount": 200, "paid_pooled_amount": 200, "taken_back_pooled_amount": 50},
        known["C3"] | {"settled_pooled_amount": 300, "paid_pooled_amount": 300},
        known["C4"] | {"settled_pooled_amount": 999, "withheld_amount": 999},
    ]


def _awaited(month_m: str) -> list[dict[str, Any]]:
    """What batch 1 referred to before it was there; batch 2 lacks nothing."""
    on = month_m[:8]
    return [
        {"reference_kind": "settlement", "reference_no": "C1", "claim_no": "C1", "batch_id": 1, "first_seq": 4,
         "last_seq": 4, "event_count": 1, "occurred_on": f"{on}08", "amount": 35},
        {"reference_kind": "employer", "reference_no": "E1", "batch_id": 1, "first_seq": 2, "last_seq": 3,
         "event_count": 2, "occurred_on": f"{on}05", "amount": 920},
    ]  # fmt: skip


def _insert(cursor: Cursor, table: str, row: dict[str, Any]) -> None:
    statement = sql.SQL("insert into {} ({}) values ({})").format(
        sql.Identifier(*table.split(".")),
        sql.SQL(", ").join(map(sql.Identifier, row)),
        sql.SQL(", ").join([sql.Placeholder()] * len(row)),
    )
    cursor.execute(statement, list(row.values()))
