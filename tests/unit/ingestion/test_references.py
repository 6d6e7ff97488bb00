"""References: what a correction may take from its original, in which order, and what is given back."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from decimal import Decimal

import pytest

from ingestion.contracts import FAMILIES
from ingestion.references import ORIGINALS, Book, Decision, Fact, decide_rows

MERGED = {"320100": date(2020, 1, 1)}
FAMILY = {name: family.name for family in FAMILIES.values() for name in family.event_types}


def fact(place: int, event_type: str, key: str, of: str | None = None, **amounts: object) -> Fact:
    """A row of a file at line `place`; keyword arguments are amounts in yuan, or fields of the fact."""
    fields = {name: amounts.pop(name) for name in list(amounts) if name in Fact.__dataclass_fields__}
    family = ORIGINALS[event_type][0] if of else ""
    row = Fact(
        place,
        ("320100", "s", FAMILY[event_type], key),
        event_type,
        date(2019, 11, 15),
        repr((event_type, key, of, sorted(amounts.items()))).encode(),
        ("320100", "s", family, of) if of else None,
        insurance_type="310",
        enrollment_category="employee",
        fund_code="EMI" if FAMILY[event_type] == "treasury" else None,
        amounts={name: Decimal(str(value)) for name, value in amounts.items()},
    )
    return replace(row, **fields)


def decide(*rows: Fact, log: tuple[Fact, ...] = (), merged: tuple[str, ...] = ()) -> dict[int, Decision]:
    book = Book(MERGED, merged)
    for event in log:
        book.replay(event)
    return decide_rows(list(rows), book)


def told(*rows: Fact, log: tuple[Fact, ...] = ()) -> list[str]:
    """Per line: `ok`, its codes, or what it repeats."""
    result = []
    for decision in decide(*rows, log=log).values():
        result.append(
            "ok" if decision.accepted
            else " ".join(decision.codes)
            or (decision.duplicate_of and f"duplicate of {decision.duplicate_of}")
            or f"conflict with {decision.conflict_with}"
        )  # fmt: skip
    return result


COLLECTED = fact(1, "contribution.collected", "C", employer_amount=720, personal_amount=160, personal_account_credit=80)
PAID = fact(1, "claim.paid", "P", pooled_amount=60, personal_account_amount=40)
ADVANCE = fact(1, "advance.paid", "A", pooled_amount=100)
UNKNOWN = fact(1, "receipt.unidentified", "U", amount=100)

CODES = [
    ("E-REF-ORIGINAL", fact(2, "claim.reversed", "R", "nowhere"), PAID),
    ("E-REF-TYPE", fact(2, "claim.reversed", "R", "A"), ADVANCE),
    ("E-REF-TYPE", fact(2, "advance.returned", "R", "P", pooled_amount=1), PAID),
    ("E-REF-AMOUNT", fact(2, "contribution.refunded", "R", "C", employer_amount="720.01"), COLLECTED),
    ("E-REF-AMOUNT", fact(2, "contribution.refunded", "R", "C", late_fee="0.01"), COLLECTED),
    (
        "E-REF-AMOUNT",
        fact(2, "contribution.refunded", "R", "C", employer_amount=100, personal_account_credit=81),
        COLLECTED,
    ),
    ("E-REF-AMOUNT", fact(2, "contribution.collected", "R", "U", employer_amount=100, late_fee="0.01"), UNKNOWN),
    ("E-REF-AMOUNT", fact(2, "claim.reversed", "R", "P", pooled_amount=59), PAID),
    ("E-REF-AMOUNT", fact(2, "claim.recovered", "R", "P", personal_account_amount=41), PAID),
    ("E-REF-AMOUNT", fact(2, "advance.offset", "R", "A", pooled_amount=60, personal_account_amount=41), ADVANCE),
    ("E-REF-AMOUNT", fact(2, "payment.returned", "R", "P", amount="100.01"), PAID),
    ("E-REF-FUND", fact(2, "payment.returned", "R", "P", amount=1, fund_code="MAT"), PAID),
    ("E-REF-FUND", fact(2, "receipt.identified", "R", "U", amount=1), replace(UNKNOWN, fund_code="MAT")),
]


@pytest.mark.parametrize(("code", "row", "original"), CODES)
def test_what_an_original_does_not_allow_has_its_code(code: str, row: Fact, original: Fact) -> None:
    assert told(original, row) == ["ok", code]


def test_amounts_are_consumed_in_line_order() -> None:
    rows = [fact(n, "claim.recovered", f"R{n}", "P", pooled_amount=25) for n in (2, 3, 4)]
    assert told(PAID, *rows) == ["ok", "ok", "ok", "E-REF-AMOUNT"]


def test_what_the_log_has_consumed_is_gone() -> None:
    taken = fact(2, "claim.recovered", "R1", "P", pooled_amount=50, original_seq=1)
    assert told(fact(9, "claim.recovered", "R2", "P", pooled_amount=11), log=(PAID, taken)) == ["E-REF-AMOUNT"]
    assert told(fact(9, "claim.recovered", "R2", "P", pooled_amount=10), log=(PAID, taken)) == ["ok"]


def test_an_original_further_down_the_file_is_found_and_named_by_its_line() -> None:
    decision = decide(fact(2, "claim.recovered", "R", "P", pooled_amount=10), replace(PAID, place=7))[2]
    assert (decision.accepted, decision.original_line, decision.original_seq) == (True, 7, None)


def test_an_original_of_the_log_is_named_by_its_seq() -> None:
    decision = decide(fact(2, "claim.recovered", "R", "P", pooled_amount=10), log=(replace(PAID, place=41),))[2]
    assert (decision.original_line, decision.original_seq) == (None, 41)


def test_a_chain_in_the_wrong_order_resolves() -> None:
    reissued = fact(2, "payment.reissued", "X", "T", amount=100)
    returned = fact(3, "payment.returned", "T", "P", amount=100)
    assert told(reissued, returned, log=(PAID,)) == ["ok", "ok"]


def test_rows_above_take_before_one_that_is_decided_early() -> None:
    rows = (
        fact(2, "payment.reissued", "X", "T2", amount=60),
        fact(3, "payment.returned", "T1", "P", amount=60),
        fact(4, "payment.returned", "T2", "P", amount=60),
    )
    found = decide(*rows, log=(PAID,))
    assert found[3].accepted
    assert (found[4].codes, found[2].codes) == (("E-REF-AMOUNT",), ("E-REF-ORIGINAL",))


def test_a_reversed_offset_frees_the_advance() -> None:
    rows = (
        ADVANCE,
        fact(2, "advance.offset", "O1", "A", pooled_amount=100),
        fact(3, "advance.offset", "O2", "A", pooled_amount=100),
        fact(4, "claim.reversed", "V", "O1"),
        fact(5, "advance.offset", "O3", "A", pooled_amount=100),
    )
    assert told(*rows) == ["ok", "ok", "E-REF-AMOUNT", "ok", "ok"]


def test_a_payment_issued_again_can_be_recovered_again() -> None:
    rows = (
        PAID,
        fact(2, "payment.returned", "T", "P", amount=100),
        fact(3, "claim.recovered", "R1", "P", pooled_amount=60),
        fact(4, "payment.reissued", "X", "T", amount=100),
        fact(5, "claim.recovered", "R2", "P", pooled_amount=60),
    )
    assert told(*rows) == ["ok", "ok", "E-REF-AMOUNT", "ok", "ok"]


def test_a_reversal_needs_the_whole() -> None:
    part = fact(2, "claim.recovered", "R", "P", pooled_amount=1)
    assert told(PAID, part, fact(3, "claim.reversed", "V", "P")) == ["ok", "ok", "E-REF-AMOUNT"]
    whole = fact(2, "claim.reversed", "V", "P", pooled_amount=60, personal_account_amount=40)
    assert told(PAID, whole, fact(3, "claim.reversed", "V2", "P")) == ["ok", "ok", "E-REF-AMOUNT"]


def test_corrections_follow_their_fund_across_the_merger() -> None:
    maternity = replace(PAID, insurance_type="510")
    returned = fact(2, "payment.returned", "T", "P", amount=100, fund_code="EMI")
    assert told(maternity, returned) == ["ok", "E-REF-FUND"]
    assert told(maternity, replace(returned, occurred_on=date(2020, 1, 1))) == ["ok", "ok"]
    assert told(maternity, replace(returned, fund_code="MAT")) == ["ok", "ok"]


def test_a_null_credit_of_a_refund_is_pro_rata_and_never_more_than_is_left() -> None:
    third = fact(2, "contribution.refunded", "R1", "C", employer_amount=240)
    odd = fact(3, "contribution.refunded", "R2", "C", employer_amount="0.05")
    rest = fact(4, "contribution.refunded", "R3", "C", employer_amount="479.95")
    found = decide(COLLECTED, third, odd, rest)
    # 80 × 240 / 720 = 26.666… → 26.67; 80 × 0.05 / 720 = 0.0055… → 0.01;
    # 80 × 479.95 / 720 = 53.327… → 53.33, of which 53.32 are left
    credits = [found[line].personal_account_credit for line in (2, 3, 4)]
    assert credits == [Decimal("26.67"), Decimal("0.01"), Decimal("53.32")]


def test_the_credit_of_flexible_workers_is_pro_rata_of_both_amounts() -> None:
    collected = replace(COLLECTED, enrollment_category="flexible")
    refund = fact(2, "contribution.refunded", "R", "C", personal_amount=110)
    assert decide(collected, refund)[2].personal_account_credit == Decimal("10.00")  # 80 × 110 / 880


@pytest.mark.parametrize(("pooled", "personal", "expected"), [(60, 0, "pooled"), (0, 40, "personal"), (60, 40, None)])
def test_a_written_back_payment_takes_the_only_sub_fund_it_has(
    pooled: int, personal: int, expected: str | None
) -> None:
    paid = fact(1, "claim.paid", "P", pooled_amount=pooled, personal_account_amount=personal)
    returned = fact(2, "payment.returned", "T", "P", amount=pooled + personal)
    back = decide(paid, returned, fact(3, "return.written_back", "B", "T", amount=10))[3]
    assert (back.sub_fund, back.codes) == (expected, () if expected else ("E-SCHEMA-REQUIRED",))


def test_a_payment_is_not_written_back_to_a_sub_fund_that_paid_less() -> None:
    paid = fact(1, "claim.paid", "P", pooled_amount=60, personal_account_amount=40)
    returned = fact(2, "payment.returned", "T", "P", amount=100)
    too_much = fact(3, "return.written_back", "B", "T", amount=41, sub_fund="personal")
    just_all = fact(4, "return.written_back", "C", "T", amount=40, sub_fund="personal")
    assert told(paid, returned, too_much, just_all) == ["ok", "ok", "E-REF-AMOUNT", "ok"]


def test_the_first_line_of_a_key_wins_and_a_refused_one_does_not_block() -> None:
    refused = fact(2, "claim.recovered", "R", "P", pooled_amount=61)
    good = fact(3, "claim.recovered", "R", "P", pooled_amount=60)
    assert told(PAID, refused, good) == ["ok", "E-REF-AMOUNT", "ok"]
    again = replace(good, place=4)
    other = fact(5, "claim.recovered", "R", "P", pooled_amount=1)
    assert told(PAID, refused, good, again, other) == ["ok", "E-REF-AMOUNT", "ok", "duplicate of 3", "conflict with 3"]


def test_the_merger_of_a_region_is_recorded_once() -> None:
    rows = [fact(n, "fund.merged", f"M{n}") for n in (2, 3)]
    assert told(*rows) == ["ok", "E-VALUE-MERGER-TWICE"]
    assert decide(rows[0], merged=("320100",))[2].codes == ("E-VALUE-MERGER-TWICE",)


def test_an_original_of_another_source_is_found_by_its_own() -> None:
    elsewhere = replace(PAID, key=("320100", "t", "claim", "P"))
    row = fact(2, "claim.recovered", "R", "P", pooled_amount=1)
    assert told(row, log=(elsewhere,)) == ["E-REF-ORIGINAL"]
    assert told(replace(row, original_key=elsewhere.key), log=(elsewhere,)) == ["ok"]
