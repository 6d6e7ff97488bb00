"""From one event to its lines: the posting rules of the ledger contract (L2), read row by row."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from .accounts import ALLOWANCE, MATERNITY_MEDICAL, MONEY, NUTRITION, SUCCESSOR, account_class, is_shared
from .policy import Policy
from .references import Event
from .vocabulary import PAYMENTS, RECEIPTS

ZERO = Decimal(0)


@dataclass(frozen=True)
class Line:
    """One journal line. A red line is a negative amount on its own side."""

    region: str
    event: Event
    fund: str
    month: date
    kind: str  # normal, opening, closing, merger
    account: str
    sub_fund: str
    debit: Decimal
    credit: Decimal
    item: str = ""
    method: str = ""
    institution: str = ""
    claim: str = ""


@dataclass(frozen=True)
class Leg:
    """Account and sub-fund before it is known which side and amount."""

    account: str
    sub_fund: str = "shared"


def month_of(day: date) -> date:
    """First of the month."""
    return day.replace(day=1)


def following(month: date) -> date:
    """First of the month after."""
    return date(month.year + month.month // 12, month.month % 12 + 1, 1)


def closed_month(event: Event) -> date:
    """What a period.closed closes, or a year.closed ends with."""
    month = event.row.values["accounting_month"]
    assert isinstance(month, date)
    return month


class Posting:
    """Posts the events of one region, once they know their months."""

    def __init__(self, policy: Policy, region: str) -> None:
        self.region = region
        self.merger_date = policy.merger_date(region)

    @staticmethod
    def assign_months(events: Iterable[Event]) -> None:
        """Give the events of a log, in its order, the months they post to (L3).

        Before any line is made: an original may stand behind its correction in the same file.
        """
        open_month = date.min
        for event in events:
            event.month = max(month_of(event.occurred_on), open_month)
            if event.event_type == "period.closed":
                open_month = max(open_month, following(closed_month(event)))

    def lines(self, event: Event) -> list[Line]:
        """All lines of an event but those of merger and year end; lines of zero are not written."""
        post = _RULES.get(event.event_type)
        lines = list(post(self, event)) if post else []
        self._assert_balanced(lines)
        return [line for line in lines if line.debit or line.credit]

    def before_merger(self, event: Event) -> bool:
        """Dated before the day from which there is one fund."""
        return event.occurred_on < self.merger_date

    def in_mat(self, event: Event) -> bool:
        """L2: dated before the merger, and posting to a month before it; what comes too late for that is EMI's."""
        return self.before_merger(event) and event.month < month_of(self.merger_date)

    def fund(self, event: Event) -> str:
        """Of a row that names its fund."""
        return "MAT" if event.text("fund_code") == "MAT" and self.in_mat(event) else "EMI"

    def insurance_fund(self, event: Event) -> str:
        """L2: a 510 fact is MAT's when it and all that it corrects occurred before the merger."""
        chain = list(event.chain)
        maternity = any(step.text("insurance_type") == "510" for step in chain)
        return "MAT" if maternity and self.in_mat(event) and all(map(self.before_merger, chain)) else "EMI"

    def same_year(self, event: Event) -> bool:
        """L2 Corrections: year of this entry's accounting month against the year of the original's.

        The original is the payment whose expenditure is corrected, so a write-back looks through payment.returned.
        """
        paid_in = event.row.values.get("service_on")  # a recovery of kind annual_clearing without an original (E3)
        if event.original:
            payment = event.original.original if event.event_type == "return.written_back" else event.original
            assert payment
            paid_in = payment.month
        assert isinstance(paid_in, date)
        return event.month.year == paid_in.year

    def entry(
        self, event: Event, fund: str, debit: Leg, credit: Leg, amount: Decimal, *, red: str = "", kind: str = "normal"
    ) -> Iterator[Line]:
        """Two lines. `red` names the legs written as negatives on their own side: debit, credit or both.

        The economic direction is debit -> credit; a red leg stands on the other side with its sign turned.
        """
        if red in ("debit", "both"):
            yield self.line(event, fund, debit, ZERO, -amount, kind)
        else:
            yield self.line(event, fund, debit, amount, ZERO, kind)
        if red in ("credit", "both"):
            yield self.line(event, fund, credit, -amount, ZERO, kind)
        else:
            yield self.line(event, fund, credit, ZERO, amount, kind)

    def line(self, event: Event, fund: str, leg: Leg, debit: Decimal, credit: Decimal, kind: str) -> Line:
        """A line with what maternity_expenditure and the merger ask for; items and methods are the root payment's."""
        root = _benefit_root(event)
        return Line(
            self.region,
            event,
            fund,
            event.month,
            kind,
            leg.account,
            "shared" if is_shared(leg.account) else leg.sub_fund,
            debit,
            credit,
            item=root.text("benefit_item"),
            method=root.text("payment_method"),
            institution=event.root.text("institution_code"),
            claim=event.root.text("claim_no"),
        )

    @staticmethod
    def _assert_balanced(lines: list[Line]) -> None:
        """L6.1: every entry balances within its fund."""
        for fund in {line.fund for line in lines}:
            assert sum(line.debit - line.credit for line in lines if line.fund == fund) == 0


def _benefit_root(event: Event) -> Event:
    """The payment whose item and method a line carries: an offset is a payment of its own."""
    step: Event | None = event
    while step is not None:
        if step.event_type in ("claim.paid", "advance.offset", "outofarea.cleared"):
            return step
        step = step.original
    return event


# ---- contributions -------------------------------------------------------------------------------------------------


def _income_parts(event: Event, fund: str) -> list[tuple[Leg, Decimal]]:
    """L2 contribution.collected: income legs with amounts; `fund` is the premium's fund."""
    employer, personal, credit = event.amount("employer_amount"), event.amount("personal_amount"), event.credit
    late_fee = (Leg("490101", "pooled"), event.amount("late_fee"))
    kind = event.original if event.event_type == "contribution.refunded" else event
    assert kind
    if kind.text("insurance_type") == "510":
        account = "400110" if fund == "MAT" else "400101"
        return [(Leg(account, "pooled"), employer), late_fee]
    category = kind.text("enrollment_category")
    if category == "employee":
        return [
            (Leg("400101", "pooled"), employer - credit),
            (Leg("400102", "personal"), credit),
            (Leg("400103", "personal"), personal),
            late_fee,
        ]
    if category == "flexible":
        return [
            (Leg("400104", "pooled"), employer + personal - credit),
            (Leg("400104", "personal"), credit),
            late_fee,
        ]
    return [(Leg("400104", "pooled"), employer + personal), late_fee]  # retiree


def _collected(posting: Posting, event: Event) -> Iterator[Line]:
    maternity = event.text("insurance_type") == "510"
    fund = "MAT" if maternity and posting.in_mat(event) else "EMI"
    for income, amount in _income_parts(event, fund):
        yield from posting.entry(event, fund, Leg(MONEY[event.text("deposit_account")]), income, amount)


def _refunded(posting: Posting, event: Event) -> Iterator[Line]:
    """Income of the original as a negative credit; money leaves the refund's own account, positive."""
    assert event.original
    fund = "MAT" if _is_mat_premium(posting, event.original) and posting.in_mat(event) else "EMI"
    deposit = Leg(MONEY[event.text("deposit_account")])
    for income, amount in _income_parts(event, fund):
        yield from posting.entry(event, fund, income, deposit, amount, red="debit")


def _is_mat_premium(posting: Posting, collected: Event) -> bool:
    return collected.text("insurance_type") == "510" and posting.before_merger(collected)


# ---- benefits ------------------------------------------------------------------------------------------------------

_POOLED = {
    "inpatient": "50010101",
    "outpatient": "50010102",
    "outpatient_chronic": "50010102",
    "pharmacy": "50010102",
    ALLOWANCE: "5001010302",
    NUTRITION: "5001010303",
} | dict.fromkeys(MATERNITY_MEDICAL, "5001010301")
_MATERNITY_FUND = {ALLOWANCE: "50011002", NUTRITION: "50011003"} | dict.fromkeys(MATERNITY_MEDICAL, "50011001")
_PERSONAL = {"inpatient": "50010202", "pharmacy": "50010203"}


def _payment_parts(posting: Posting, event: Event, payment: Event) -> list[tuple[str, Leg, Decimal]]:
    """L2 claim.paid: (fund, expenditure leg, amount); accounts are the payment's, amounts the event's."""
    fund = posting.insurance_fund(event)
    personal = Leg(_PERSONAL.get(payment.text("benefit_item"), "50010201"), "personal")
    return [
        (fund, _pooled_leg(posting, payment, fund), event.amount("pooled_amount")),
        ("EMI", personal, event.amount("personal_account_amount")),  # MAT has no personal accounts (L1)
    ]


def _pooled_leg(posting: Posting, payment: Event, fund: str) -> Leg:
    item = payment.text("benefit_item")
    if payment.text("insurance_type") == "510":
        account = _MATERNITY_FUND[item]
        return Leg(account if fund == "MAT" else SUCCESSOR[account], "pooled")
    if item in MATERNITY_MEDICAL and posting.before_merger(payment):  # L2: flexible workers' bills under 310
        return Leg("50010101" if payment.text("admitted_on") else "50010102", "pooled")
    return Leg(_POOLED[item], "pooled")


def _pay_leg(payment: Event) -> Leg:
    """An offset has taken its amount from the advance; E3: `pay_account` is `expenditure` by default."""
    if payment.event_type == "advance.offset":
        return Leg("1101")
    return Leg(MONEY[payment.text("pay_account", "expenditure")])


def _deposit_leg(event: Event) -> Leg:
    """E3 claim: deposit_account is `special` by default."""
    return Leg(MONEY[event.text("deposit_account", "special")])


def _paid(posting: Posting, event: Event) -> Iterator[Line]:
    for fund, expenditure, amount in _payment_parts(posting, event, event):
        yield from posting.entry(event, fund, expenditure, _pay_leg(event), amount)


def _reversed(posting: Posting, event: Event) -> Iterator[Line]:
    """Full red: both negative. Payment of an earlier year: pay_account / 490102."""
    payment = event.original
    assert payment
    for fund, expenditure, amount in _payment_parts(posting, event, payment):
        if posting.same_year(event):
            yield from posting.entry(event, fund, _pay_leg(payment), expenditure, amount, red="both")
        else:
            other = Leg("490102", expenditure.sub_fund)
            yield from posting.entry(event, fund, _pay_leg(payment), other, amount)


def _recovered(posting: Posting, event: Event) -> Iterator[Line]:
    """Money in, positive; same year a negative debit of the expenditure, earlier year 490102."""
    for fund, expenditure, amount in _payment_parts(posting, event, event.original or event):
        if posting.same_year(event):
            yield from posting.entry(event, fund, _deposit_leg(event), expenditure, amount, red="credit")
        else:
            other = Leg("490102", expenditure.sub_fund)
            yield from posting.entry(event, fund, _deposit_leg(event), other, amount)


def _advance_paid(posting: Posting, event: Event) -> Iterator[Line]:
    fund = posting.insurance_fund(event)
    yield from posting.entry(event, fund, Leg("1101"), _pay_leg(event), event.amount("pooled_amount"))


def _advance_returned(posting: Posting, event: Event) -> Iterator[Line]:
    fund = posting.insurance_fund(event)
    yield from posting.entry(event, fund, _deposit_leg(event), Leg("1101"), event.amount("pooled_amount"))


# ---- treasury ------------------------------------------------------------------------------------------------------


def _account(event: Event, column: str = "account") -> Leg:
    return Leg(MONEY[event.text(column)])


def _simple(posting: Posting, event: Event, debit: Leg, credit: Leg, *, red: str = "") -> Iterator[Line]:
    return posting.entry(event, posting.fund(event), debit, credit, event.amount("amount"), red=red)


def _receipt(posting: Posting, event: Event) -> Iterator[Line]:
    income = Leg(RECEIPTS[event.event_type], event.text("sub_fund"))
    return _simple(posting, event, _account(event), income)


def _payment(posting: Posting, event: Event) -> Iterator[Line]:
    expenditure = Leg(PAYMENTS[event.event_type], event.text("sub_fund"))
    return _simple(posting, event, expenditure, _account(event))


def _split(account_pooled: str, account_personal: str) -> tuple[Leg, Leg]:
    """L2 †: pooled as a negative credit, personal as a positive credit."""
    return Leg(account_pooled, "pooled"), Leg(account_personal, "personal")


def _written_back(posting: Posting, event: Event) -> Iterator[Line]:
    """2001 / expenditure red, earlier year 490102. The expenditure is that of the payment returned."""
    payment = event.root
    sub_fund = event.text("sub_fund")
    if not posting.same_year(event):
        return _simple(posting, event, Leg("2001"), Leg("490102", sub_fund))
    if sub_fund == "personal":
        expenditure = Leg(_PERSONAL.get(payment.text("benefit_item"), "50010201"), "personal")
    else:
        expenditure = _pooled_leg(posting, payment, posting.fund(event))
    return _simple(posting, event, Leg("2001"), expenditure, red="credit")


def _cleared(posting: Posting, event: Event) -> Iterator[Line]:
    item = event.text("benefit_item")
    if event.text("sub_fund") == "personal":
        expenditure = Leg(_PERSONAL.get(item, "50010201"), "personal")
    else:
        by_item = _MATERNITY_FUND if posting.fund(event) == "MAT" else _POOLED
        if event.text("fund_code") == "EMI" and item in MATERNITY_MEDICAL and posting.before_merger(event):
            item = "outpatient"  # L2: 310 before the merger has no maternity line; the row knows no admission
        expenditure = Leg(by_item[item], "pooled")
    return _simple(posting, event, expenditure, Leg("1101"))


def _identified(posting: Posting, event: Event) -> str:
    """A MAT account that posts to EMI is its successor's."""
    account = event.text("identified_as")
    return account if posting.fund(event) == "MAT" else SUCCESSOR.get(account, account)


def _opened(posting: Posting, event: Event) -> Iterator[Line]:
    """Asset / 3001 pooled; 3001 pooled / liability; personal_balance: 3001 pooled / 3002 personal."""
    leg, pool = _account(event), Leg("3001", "pooled")
    debit, credit = (leg, pool) if account_class(leg.account) == "1" else (pool, leg)
    if leg.account == "3002":
        credit = Leg("3002", "personal")
    return posting.entry(event, posting.fund(event), debit, credit, event.amount("amount"), kind="opening")


_RULES = {
    "contribution.collected": _collected,
    "contribution.refunded": _refunded,
    "claim.paid": _paid,
    "advance.offset": _paid,
    "claim.reversed": _reversed,
    "claim.recovered": _recovered,
    "advance.paid": _advance_paid,
    "advance.returned": _advance_returned,
    "cash.transferred": lambda p, e: _simple(p, e, _account(e, "to_account"), _account(e, "from_account")),
    "interest.allocated": lambda p, e: _simple(p, e, *_split("4201", "4201"), red="debit"),
    "account.credited": lambda p, e: _simple(p, e, *_split("400101", "400102"), red="debit"),
    "account.paid_out": lambda p, e: _simple(p, e, Leg("5901", "personal"), _account(e)),
    "receipt.unidentified": lambda p, e: _simple(p, e, _account(e), Leg("2001")),
    "receipt.identified": lambda p, e: _simple(p, e, Leg("2001"), Leg(_identified(p, e), e.text("sub_fund"))),
    "payment.returned": lambda p, e: _simple(p, e, _account(e), Leg("2001")),
    "payment.reissued": lambda p, e: _simple(p, e, Leg("2001"), Leg("1004")),
    "return.written_back": _written_back,
    "loan.received": lambda p, e: _simple(p, e, _account(e), Leg("2101")),
    "loan.repaid": lambda p, e: _simple(p, e, Leg("2101"), _account(e)),
    "outofarea.advanced": lambda p, e: _simple(p, e, Leg("1101"), Leg("100301")),
    "outofarea.cleared": _cleared,
    "outofarea.paid_for_others": lambda p, e: _simple(p, e, Leg("1101"), Leg("1004")),
    "outofarea.reimbursed": lambda p, e: _simple(p, e, Leg("100301"), Leg("1101")),
    "balance.opened": _opened,
    **dict.fromkeys(RECEIPTS, _receipt),
    **dict.fromkeys(PAYMENTS, _payment),
}
