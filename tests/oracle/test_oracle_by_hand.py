"""The oracle against figures worked out by hand; the arithmetic stands in the comments."""

from __future__ import annotations

import csv
import io
from datetime import date
from decimal import Decimal

import pytest

from tests.oracle import generator
from tests.oracle.oracle import Expected, expect
from tests.oracle.policy import load, personal_account_credit
from tests.oracle.positions import Settlement
from tests.oracle.rows import LandedFile
from tests.oracle.statements import TrialRow

POLICY = load()
TODAY = date(2026, 11, 22)
HUAINAN, NANJING = "340400", "320100"  # merged 2019-12-01 and 2020-01-01


def landed(family: str, *rows: dict[str, object], name: str = "a") -> LandedFile:
    """A canonical file of these rows; keys are k0, k1, … unless given."""
    full = [{"region_code": HUAINAN, "source_event_key": f"k{number}"} | row for number, row in enumerate(rows)]
    stream = io.StringIO()
    writer = csv.DictWriter(stream, sorted({column for row in full for column in row}))
    writer.writeheader()
    writer.writerows(full)
    return LandedFile("hand", f"{name}.{family}.1.csv", stream.getvalue().encode())


def premium(day: str, amount: str, **columns: object) -> dict[str, object]:
    """A maternity contribution of September 2019."""
    about = {"event_type": "contribution.collected", "occurred_on": day, "employer_no": "E", "person_no": "P"}
    about |= {"insurance_type": "510", "enrollment_category": "employee", "contribution_month": "2019-09"}
    return about | {"employer_amount": amount, "receipt_no": "T", "deposit_account": "treasury"} | columns


def payment(day: str, item: str, amount: str, **columns: object) -> dict[str, object]:
    """A benefit paid to a person out of the expenditure account."""
    about = {"event_type": "claim.paid", "occurred_on": day, "claim_no": "C", "person_no": "P", "payment_no": "Z"}
    about |= {"insurance_type": "510", "payee_type": "person", "benefit_item": item, "payment_method": "per_disease"}
    return about | {"pooled_amount": amount} | columns


def treasury(event_type: str, day: str, fund: str, amount: str, **columns: object) -> dict[str, object]:
    """A treasury fact."""
    return {"event_type": event_type, "occurred_on": day, "fund_code": fund, "amount": amount} | columns


MERGED = treasury("fund.merged", "2019-12-01", "MAT", "")


def books(*runs: list[LandedFile]) -> Expected:
    return expect(runs, POLICY, TODAY)


def line(expected: Expected, fund: str, month: str, code: str, sub_fund: str = "total") -> tuple[str, str]:
    """Month and year to date of a statement line in Huainan."""
    found = expected.income_expenditure_statement[HUAINAN, fund, date.fromisoformat(f"{month}-01"), code, sub_fund]
    return f"{found[0]:.2f}", f"{found[1]:.2f}"


def trial(expected: Expected, fund: str, month: str, account: str, sub_fund: str = "shared") -> TrialRow:
    return expected.trial_balance[HUAINAN, fund, date.fromisoformat(f"{month}-01"), account, sub_fund]


@pytest.mark.parametrize(
    ("born", "base", "employer", "credit"),
    [
        ("1973-10-02", "8000.00", "500.00", "80.00"),  # 45 on 1 October 2019: 8000 × (3 % - 2 %)
        ("1973-10-01", "8000.00", "500.00", "160.00"),  # 46 on that day: 8000 × (4 % - 2 %)
        ("1990-01-01", "900.00", "500.00", "33.68"),  # floor 3368 × 1 %
        ("1990-01-01", "99999.00", "500.00", "168.42"),  # ceiling 16842 × 1 %
        ("1990-01-01", "8000.00", "50.00", "50.00"),  # never more than the employer pays
        ("1990-01-01", "8050.50", "500.00", "80.51"),  # 80.505, half up
    ],
)
def test_credit_to_the_personal_account(born: str, base: str, employer: str, credit: str) -> None:
    month = date(2019, 10, 1)
    found = personal_account_credit(POLICY, NANJING, month, Decimal(base), date.fromisoformat(born), Decimal(employer))
    assert found == Decimal(credit)


def merger_facts() -> dict[str, LandedFile]:
    """MAT: opened with 1000.00, premium 300.00, delivery 200.00; a refund of 50.00 that comes in a file of its own."""
    opened = treasury("balance.opened", "2019-10-01", "MAT", "1000.00", account="special_demand")
    refund = premium("2019-11-20", "50.00", event_type="contribution.refunded", original_event_key="k0")
    return {
        "opened": landed("treasury", opened, name="o"),
        "premium": landed("contribution", premium("2019-11-05", "300.00")),
        "delivery": landed("claim", payment("2019-11-10", "delivery_normal", "200.00")),
        "refund": landed("contribution", refund | {"source_event_key": "r"}, name="late"),
        "merged": landed("treasury", MERGED | {"source_event_key": "m"}, name="m"),
    }


@pytest.mark.parametrize(
    "order",
    [
        ["opened", "premium", "delivery", "refund", "merged"],
        ["merged", "opened", "premium", "delivery", "refund"],
        ["refund", "premium", "merged", "delivery", "opened"],
    ],
)
def test_the_maternity_fund_moves_over_whatever_comes_first(order: list[str]) -> None:
    facts = merger_facts()
    expected = books(*([facts[name]] for name in order))
    # November in MAT: income 300 - 50, expenditure 200, so 50 more than the 1000 of October.
    assert line(expected, "MAT", "2019-10", "S25") == ("1000.00", "1000.00")
    assert line(expected, "MAT", "2019-11", "I11") == ("250.00", "250.00")
    assert line(expected, "MAT", "2019-11", "E1131") == ("200.00", "200.00")
    assert line(expected, "MAT", "2019-11", "S30") == ("1050.00", "1050.00")
    # December: 1050 go out of MAT and come into EMI's pool; neither is income.
    assert line(expected, "MAT", "2019-12", "S25") == ("-1050.00", "-50.00")
    assert line(expected, "MAT", "2019-12", "S30") == ("0.00", "0.00")
    assert line(expected, "EMI", "2019-12", "S25", "pooled") == ("1050.00", "1050.00")
    assert line(expected, "EMI", "2019-12", "S10") == ("0.00", "0.00")
    # The money: 1000 special account; treasury 300 - 50 refunded; 200 paid out of an empty expenditure account.
    assert trial(expected, "EMI", "2019-12", "100301").closing == Decimal("1000.00")
    assert trial(expected, "EMI", "2019-12", "1005").closing == Decimal("250.00")
    assert trial(expected, "EMI", "2019-12", "1004").closing == Decimal("-200.00")
    assert max(month for _, fund, month, *_ in expected.trial_balance if fund == "MAT") == date(2019, 12, 1)


def test_a_refund_is_red_on_its_own_side() -> None:
    refund = premium("2019-11-20", "50.00", event_type="contribution.refunded", original_event_key="k0")
    expected = books([landed("contribution", premium("2019-11-05", "300.00"), refund)])
    # 400110: credit 300 - 50; the money's turnover stays true: debit 300, credit 50.
    income, money = trial(expected, "MAT", "2019-11", "400110", "pooled"), trial(expected, "MAT", "2019-11", "1005")
    assert income == TrialRow(Decimal(0), Decimal(0), Decimal("250.00"), Decimal("-250.00"))
    assert money == TrialRow(Decimal(0), Decimal("300.00"), Decimal("50.00"), Decimal("250.00"))


def test_a_premium_out_of_a_temporary_receipt_is_refunded_by_its_own_kind() -> None:
    receipt = treasury("receipt.unidentified", "2019-11-01", "MAT", "500.00", account="income")
    named = {"deposit_account": "temporary_receipt", "original_event_key": "k0"}
    refund = premium("2019-11-20", "50.00", event_type="contribution.refunded", original_event_key="c")
    rows = [premium("2019-11-05", "300.00") | named | {"source_event_key": "c"}, refund]
    expected = books([landed("treasury", receipt)], [landed("contribution", *rows)])
    # 500 came in, 300 of it are premium, 50 of that go back out of the treasury account.
    assert trial(expected, "MAT", "2019-11", "2001").closing == Decimal("-200.00")
    assert trial(expected, "MAT", "2019-11", "1005").closing == Decimal("-50.00")
    assert line(expected, "MAT", "2019-11", "I11") == ("250.00", "250.00")


def test_a_reversed_offset_gives_the_advance_its_amount_back() -> None:
    about = {"insurance_type": "310", "institution_code": "H", "claim_no": "A"}
    advance = {"event_type": "advance.paid", "occurred_on": "2020-01-05", "pooled_amount": "100.00"} | about
    offset = {"event_type": "advance.offset", "occurred_on": "2020-01-20", "benefit_item": "inpatient"} | about
    offset |= {"original_event_key": "k0", "pooled_amount": "80.00"}
    reversal = offset | {"event_type": "claim.reversed", "original_event_key": "k1", "person_no": "P"}
    again = offset | {"pooled_amount": "90.00"}
    expected = books([landed("claim", advance, offset, reversal, again)])
    # 100 advanced; 80 settled and taken back; 90 settled. The reversal is red on both sides: 1101 credit 80 - 80 + 90.
    assert expected.files[0].counts["loaded"] == 4
    money = trial(expected, "EMI", "2020-01", "1101")
    assert (money.debit, money.credit) == (Decimal("100.00"), Decimal("90.00"))
    assert line(expected, "EMI", "2020-01", "E111") == ("90.00", "90.00")


def test_arrears_after_the_merger_are_employers_contributions_of_the_one_fund() -> None:
    expected = books([landed("contribution", premium("2019-12-01", "300.00", late_fee="1.50"))])
    assert line(expected, "EMI", "2019-12", "I11", "pooled") == ("300.00", "300.00")
    assert line(expected, "EMI", "2019-12", "I50", "pooled") == ("1.50", "1.50")
    assert not any(fund == "MAT" for _, fund, *_ in expected.trial_balance)


def test_corrections_of_a_maternity_payment_after_the_merger_post_to_its_successor() -> None:
    back = {"event_type": "claim.recovered", "original_event_key": "k0", "source_event_key": "x"}
    expected = books(
        [
            landed(
                "claim",
                payment("2019-11-10", "maternity_allowance", "900.00"),
                payment("2019-12-31", "maternity_allowance", "100.00") | back,
                payment("2020-01-01", "maternity_allowance", "200.00") | back | {"source_event_key": "y"},
            ),
            landed("treasury", MERGED),
        ]
    )
    # December, same year: 5001010302 red. January, earlier year: 490102. Both into the special account.
    assert line(expected, "MAT", "2019-11", "E1132") == ("900.00", "900.00")
    assert line(expected, "EMI", "2019-12", "E1132") == ("-100.00", "-100.00")
    assert line(expected, "EMI", "2020-01", "I50", "pooled") == ("200.00", "200.00")
    assert trial(expected, "EMI", "2020-01", "100301").closing == Decimal("300.00")
    key = (HUAINAN, "EMI", date(2019, 12, 1), "maternity_allowance", "per_disease")
    assert expected.maternity_expenditure[key] == Decimal("-100.00")


def test_a_reversal_takes_back_both_sides() -> None:
    reversal = {"event_type": "claim.reversed", "occurred_on": "2020-02-01", "claim_no": "C", "person_no": "P"}
    reversal |= {"insurance_type": "310", "benefit_item": "inpatient", "original_event_key": "k0"}
    paid = payment("2020-01-10", "inpatient", "70.00", insurance_type="310", personal_account_amount="30.00")
    expected = books([landed("claim", paid, reversal)])
    money = trial(expected, "EMI", "2020-02", "1004")
    assert (money.debit, money.credit, money.closing) == (Decimal(0), Decimal("-100.00"), Decimal(0))
    assert line(expected, "EMI", "2020-02", "E111") == ("-70.00", "0.00")
    assert line(expected, "EMI", "2020-02", "E12") == ("-30.00", "0.00")


def test_year_to_date_starts_anew_and_carries_the_balance_of_december() -> None:
    first, second = (
        treasury("subsidy.received", day, "EMI", amount, account="special_demand", sub_fund="pooled")
        for day, amount in (("2019-11-05", "100.00"), ("2020-02-05", "7.00"))
    )
    expected = books([landed("treasury", first, second)])
    assert line(expected, "EMI", "2019-12", "I20") == ("0.00", "100.00")
    assert line(expected, "EMI", "2020-01", "S20") == ("100.00", "100.00")
    assert line(expected, "EMI", "2020-02", "I20") == ("7.00", "7.00")
    assert line(expected, "EMI", "2020-02", "S20") == ("100.00", "100.00")
    assert line(expected, "EMI", "2020-02", "S30") == ("107.00", "107.00")


def test_duplicates_conflicts_and_corrected_rows() -> None:
    row = treasury("interest.credited", "2019-11-05", "EMI", "10.00", account="income", sub_fund="pooled")
    same, other = row | {"amount": "10"}, row | {"amount": "11.00"}
    wrong = row | {"source_event_key": "w", "amount": "ten"}
    right = wrong | {"amount": "10.00"}
    keyed = [r | {"source_event_key": "k"} for r in (row, same, other)]
    expected = books([landed("treasury", *keyed, wrong)], [landed("treasury", right, name="b")])
    first, second = expected.files
    assert dict(first.counts) == {"rows": 4, "loaded": 1, "duplicate": 1, "quarantined": 2}
    assert second.now_loaded == 1
    assert [(q.row.line_no, q.groups) for q in expected.quarantine if q.still_open] == [(4, {"E-CONFLICT"})]


def test_content_is_compared_in_the_version_that_came_first() -> None:
    old = premium("2019-11-05", "300.00") | {"source_event_key": "p"}
    new = {c: v for c, v in old.items() if c != "receipt_no"} | {"schema_version": "2", "tax_voucher_no": "T"}
    more = new | {"tax_authority_code": "1"}
    for first, second, told in ((old, new, "duplicate"), (new, old, "duplicate"), (old, more, "quarantined")):
        expected = books([landed("contribution", first)], [landed("contribution", second, name="b")])
        assert [file.counts[told] for file in expected.files] == [0, 1]
        assert expected.files[0].now_loaded == 1


def test_a_correction_waits_for_its_original_and_takes_no_more_than_is_left() -> None:
    refunds = [
        premium("2019-11-20", "200.00", event_type="contribution.refunded", original_event_key="p")
        | {"source_event_key": key}
        for key in ("r1", "r2")
    ]
    collected = premium("2019-11-05", "300.00") | {"source_event_key": "p"}
    expected = books([landed("contribution", *refunds)], [landed("contribution", collected, name="b")])
    # 300 were paid in: the first refund of 200 loads, the second would make 400.
    assert [(f.counts["quarantined"], f.now_loaded) for f in expected.files] == [(2, 1), (0, 1)]
    assert [q.row.line_no for q in expected.quarantine if q.still_open] == [3]
    assert line(expected, "MAT", "2019-11", "I11") == ("100.00", "100.00")


@pytest.mark.parametrize("seed", range(10))
def test_sound_facts_all_load_and_statements_do_not_depend_on_the_order(seed: int) -> None:
    runs = generator.generate(seed, generator.Shape(bad_rows=0, copies=0, bad_files=False))
    forwards, backwards = books(*runs), books(*reversed(runs))
    waiting = [q for q in forwards.quarantine if q.still_open and q.groups == {"E-REF"}]
    assert not waiting
    assert forwards.income_expenditure_statement == backwards.income_expenditure_statement
    assert forwards.balance_sheet == backwards.balance_sheet
    assert forwards.maternity_expenditure == backwards.maternity_expenditure
    assert forwards.personal_account_balance == backwards.personal_account_balance
    assert forwards.institution_settlement == backwards.institution_settlement


def test_accounts_arrears_and_institutions() -> None:
    about = {"insurance_type": "310", "contribution_month": "2019-11"}
    assessed = premium("2019-11-01", "500.00", event_type="contribution.assessed", contribution_base="8000.00", **about)
    flexible = {"enrollment_category": "flexible", "employer_no": "", "employer_amount": "", "personal_amount": "90.00"}
    paid_in = premium("2019-11-05", "", personal_account_credit="40.00", **about) | flexible
    claim = {"insurance_type": "310", "institution_code": "H", "payee_type": "institution", "account_holder_no": "Q"}
    paid = payment("2019-11-07", "inpatient", "60.00", personal_account_amount="25.00", **claim)
    settled = {c: v for c, v in paid.items() if c not in ("payee_type", "payment_no")}
    settled |= {"event_type": "claim.settled", "pooled_amount": "70.00", "deposit_withheld_amount": "10.00"}
    settled |= {"medical_fee_total": "95.00"}
    back = payment("2019-12-08", "inpatient", "20.00", event_type="claim.recovered", original_event_key="k1", **claim)
    money = {c: v for c, v in back.items() if c not in ("payee_type", "payment_no", "payment_method")}
    expected = books(
        [
            landed("contribution", assessed, assessed | {"employer_amount": "450.00"}, paid_in),
            landed("claim", settled, paid, money),
        ]
    )
    november, december = date(2019, 11, 1), date(2019, 12, 1)
    of = expected.personal_account_balance
    assert of[HUAINAN, "EMI", november, "P"] == (Decimal(40), 0, 0, Decimal(40))
    assert of[HUAINAN, "EMI", november, "Q"] == (0, 0, Decimal(25), Decimal(-25))  # Q's account paid P's bill
    owed = expected.contribution_arrears
    assert owed[HUAINAN, "E", november, "310", "employee"] == (Decimal(450), 0, 0, Decimal(450), 1)
    assert owed[HUAINAN, "", november, "310", "flexible"] == (0, Decimal(90), 0, 0, 0)
    # 95 settled, 85 paid, 10 of it kept back; 20 recovered in December are not owed again
    rows = expected.institution_settlement
    assert rows[HUAINAN, "H", november] == Settlement(Decimal(95), Decimal(85), Decimal(10), 0, 0, 1, Decimal(1))
    assert rows[HUAINAN, "H", december] == Settlement(Decimal(0), Decimal(-20), Decimal(10), 0, 0, 0, None)
