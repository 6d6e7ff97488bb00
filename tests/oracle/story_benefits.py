"""Invented benefits: payments of every kind, their reversals, recoveries and returns, advances and offsets."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal

from .accounts import MATERNITY_MEDICAL, ORDINARY
from .teller import FIRST_DAY, Fact, Teller

METHODS = ("per_disease", "per_capita", "per_unit", "fee_for_service", "drg", "dip", "fixed_amount", "")
MATERNITY_CASH = ("maternity_allowance", "nutrition_subsidy")
METHOD_ITEMS = sorted(MATERNITY_MEDICAL)


class Benefits(Teller):
    """What is paid out to the insured and to hospitals."""

    def _benefits(self) -> None:
        for _ in range(3):
            payment = self._payment(self.day())
            self._settlement(payment)
            if self.maybe(0.7):
                self._correct_payment(payment)
        self._clear_a_year()

    def _insured_item(self, day: date) -> tuple[str, str]:
        """Insurance type and an item that has a rule on that day."""
        if self.maybe(0.5):
            return "510", self.random.choice([*METHOD_ITEMS, *MATERNITY_CASH, *MATERNITY_CASH])
        items = [*sorted(ORDINARY), *METHOD_ITEMS]
        return "310", self.random.choice(items if day < self.merger_date else [*items, *MATERNITY_CASH])

    def _payment(self, day: date) -> Fact:
        insurance, item = self._insured_item(day)
        kind = self.random.choice(["", "case", "monthly", "per_capita", "annual_clearing", "deposit_release"])
        payee = self.random.choice(["institution", "employer", "person"])
        personal = item not in MATERNITY_CASH and self.maybe(0.4)
        number = len(self.facts)
        return self.add(
            "claim.paid",
            day,
            claim_no=f"C{number}",
            settlement_kind=kind,
            person_no=self.random.choice(sorted(self.persons)) if kind in ("", "case") else "",
            account_holder_no=self.random.choice(sorted(self.persons)) if personal and self.maybe(0.4) else "",
            insurance_type=insurance,
            benefit_item=item,
            payment_method=self.random.choice(METHODS),
            payee_type=payee,
            institution_code=f"H{number % 4}" if payee == "institution" else "",
            admitted_on=day - timedelta(days=7) if self.maybe(0.5) else "",
            pooled_amount=self.money() if not personal or self.maybe(0.8) else "",
            personal_account_amount=self.money(80000) if personal else "",
            pay_account=self.random.choice(["", "expenditure", "special_demand", "cash"]),
            payment_no=f"Z{number}",
        )

    def _settlement(self, payment: Fact) -> None:
        """Not for allowances under 310: dated before the merger they would have no rule."""
        if payment.columns["insurance_type"] == "310" and payment.columns["benefit_item"] in MATERNITY_CASH:
            return
        pooled, personal, own = payment.amount("pooled_amount"), payment.amount("personal_account_amount"), self.money()
        columns = ("claim_no", "person_no", "insurance_type", "benefit_item", "payment_method", "institution_code")
        about = {column: payment.columns.get(column, "") for column in columns}
        self.add(
            "claim.settled",
            max(payment.day - timedelta(days=self.random.choice([0, 20])), FIRST_DAY),
            **about | {"person_no": about["person_no"] or sorted(self.persons)[0]},
            medical_fee_total=pooled + personal + own,
            pooled_amount=pooled,
            personal_account_amount=personal,
            personal_cash_amount=own,
            deposit_withheld_amount=self.part(pooled) if pooled and self.maybe(0.4) else "",
        )

    def _correct_payment(self, payment: Fact) -> None:
        day = self.later(payment.day)
        repeat = ("claim_no", "person_no", "insurance_type", "benefit_item", "settlement_kind")
        about = {column: payment.columns.get(column, "") for column in repeat}
        if about["settlement_kind"] == "annual_clearing":
            about["settlement_kind"] = "monthly"
        way = self.random.choice(["reverse", "recover", "return"])
        if way == "reverse":
            amounts = ("pooled_amount", "personal_account_amount") if self.maybe(0.5) else ()
            repeated = {column: payment.columns.get(column, "") for column in amounts}
            self.correct("claim.reversed", day, payment, **about, **repeated)
        elif way == "recover":
            self._recover(payment, day, about)
        elif self._one_part(payment):
            self._bank_return(payment, day)

    def _recover(self, payment: Fact, day: date, about: dict[str, str]) -> None:
        left = {c: payment.amount(c) for c in ("pooled_amount", "personal_account_amount")}
        for _ in range(self.random.randint(1, 2)):
            back = {column: self.part(amount) for column, amount in left.items() if amount}
            account = self.random.choice(["", "special", "expenditure"])
            if back:
                self.correct("claim.recovered", day, payment, **about, deposit_account=account, **back)
            left = {column: amount - back.get(column, Decimal(0)) for column, amount in left.items()}
            day = self.later(day)

    @staticmethod
    def _one_part(payment: Fact) -> bool:
        return bool(payment.amount("pooled_amount")) != bool(payment.amount("personal_account_amount"))

    def _bank_return(self, payment: Fact, day: date) -> None:
        """Returned by the bank, then issued again or written back, in parts."""
        personal = not payment.amount("pooled_amount")
        whole = payment.amount("personal_account_amount") if personal else payment.amount("pooled_amount")
        maternity = payment.columns["insurance_type"] == "510" and not personal and payment.day < self.merger_date
        amount = self.part(whole)
        returned = self.correct(
            "payment.returned",
            day,
            payment,
            fund_code="MAT" if maternity and day < self.merger_date else "EMI",
            account=payment.columns.get("pay_account", "expenditure"),
            amount=amount,
        )
        first = self.part(amount)
        for share in (first, amount - first):
            if not share:
                continue
            day = self.later(day)
            fund = "MAT" if maternity and day < self.merger_date else "EMI"
            if self.maybe(0.5):
                self.correct("payment.reissued", day, returned, fund_code=fund, amount=share)
            else:
                sub_fund = "personal" if personal else "pooled"
                self.correct("return.written_back", day, returned, fund_code=fund, sub_fund=sub_fund, amount=share)

    def _clear_a_year(self) -> None:
        """Money back at the annual clearing, without an original: `service_on` says of which year."""
        day = self.day()
        insurance = self.random.choice(["310", "510"])
        item = self.random.choice(sorted(ORDINARY) if insurance == "310" else METHOD_ITEMS)
        self.add(
            "claim.recovered",
            day,
            claim_no=f"Y{len(self.facts)}",
            settlement_kind="annual_clearing",
            insurance_type=insurance,
            benefit_item=item,
            payment_method=self.random.choice(METHODS),
            institution_code="H9",
            service_on=day - timedelta(days=self.random.choice([0, 400])),
            pooled_amount=self.money(50000),
            personal_account_amount=self.money(5000) if insurance == "310" and self.maybe(0.5) else "",
            deposit_account=self.random.choice(["", "special", "expenditure"]),
        )

    def _advances(self) -> None:
        """Paid to a hospital, settled against claims, the rest sent back."""
        day, insurance = self.day(), self.random.choice(["310", "510"])
        amount, institution = self.money(900000), f"H{self.random.randint(0, 3)}"
        about = {"insurance_type": insurance, "institution_code": institution}
        number = f"A{len(self.facts)}"
        advance = self.add(
            "advance.paid",
            day,
            claim_no=number,
            **about,
            pooled_amount=amount,
            pay_account=self.random.choice(["", "expenditure", "special_demand", "cash"]),
        )
        left = amount
        for _ in range(self.random.randint(0, 3)):
            left -= self._offset(advance, about, left)
        if left and self.maybe(0.5):
            account = self.random.choice(["", "special", "expenditure"])
            self.correct(
                "advance.returned",
                self.later(day),
                advance,
                claim_no=number,
                **about,
                pooled_amount=self.part(left),
                deposit_account=account,
            )

    def _offset(self, advance: Fact, about: dict[str, str], left: Decimal) -> Decimal:
        """Returns what it takes of the advance at most: a reversal gives back, but nothing is built on that."""
        if not left:
            return Decimal(0)
        day = self.later(advance.day)
        ordinary = about["insurance_type"] == "310"
        item = self.random.choice(sorted(ORDINARY) if ordinary else [*METHOD_ITEMS, *MATERNITY_CASH])
        taken = self.part(left)
        personal = self.part(taken) if ordinary and self.maybe(0.4) else Decimal(0)
        claim = {"claim_no": f"C{len(self.facts)}", **about, "benefit_item": item}
        offset = self.correct(
            "advance.offset",
            day,
            advance,
            **claim,
            payment_method=self.random.choice(METHODS),
            pooled_amount=taken - personal,
            personal_account_amount=personal or "",
        )
        who = sorted(self.persons)[0]
        if self.maybe(0.3):
            self.correct("claim.reversed", self.later(day), offset, **claim, person_no=who)
        elif self.maybe(0.3):
            self._recover(offset, self.later(day), {**claim, "person_no": who})
        return taken
