"""Invented treasury facts: openings, paths, income and payments of every type, loans, out-of-area care."""

from __future__ import annotations

from datetime import date

from .accounts import MATERNITY_MEDICAL, ORDINARY, PATHS
from .teller import FIRST_DAY, Teller
from .vocabulary import PAYMENTS, RECEIPTS

# Where money of a kind comes in or goes out, by the financial rules (articles 40 to 42).
MONEY_ACCOUNTS_OF = {
    "interest.credited": ("special_demand", "income", "expenditure"),
    "subsidy.received": ("special_demand",),
    "superior.received": ("special_demand", "income", "expenditure"),
    "remitted.up": ("special_demand", "income", "expenditure"),
    "subsidised.down": ("special_demand", "expenditure"),
    "transfer.sent": ("special_demand", "income", "expenditure"),
    "catastrophic.transferred": ("special_demand", "expenditure"),
    "other.paid": ("special_demand", "expenditure"),
}


class Treasury(Teller):
    """Movements of the funds themselves."""

    def _open_books(self) -> None:
        for account in ("treasury", "special_demand", "special_time", "expenditure", "temporary_payment", "bond"):
            self._opening("EMI", account, 90000000)
            if account != "bond":
                self._opening("MAT", account, 9000000)
        for account in ("temporary_receipt", "loan", "personal_balance"):
            self._opening("EMI", account, 900000)
        self._opening("MAT", "temporary_receipt", 90000)

    def _opening(self, fund: str, account: str, top: int) -> None:
        who = {"institution_code": "H1"} if account == "temporary_payment" and self.maybe(0.5) else {}
        self.add("balance.opened", FIRST_DAY, fund_code=fund, account=account, amount=self.money(top), **who)

    def _treasury(self) -> None:
        for event_type in self.random.sample([*RECEIPTS, *PAYMENTS], 4):
            self._income_or_payment(event_type)
        for _ in range(2):
            day = self.day()
            path = self.random.choice(sorted(PATHS))
            self._move(day, from_account=path[0], to_account=path[1])
        self._personal_accounts()
        self._loan()
        self._out_of_area()
        if self.with_statements:
            self._stated()

    def _move(self, day: date, **columns: object) -> None:
        self.add("cash.transferred", day, fund_code=self.fund(day), amount=self.money(), **columns)

    def _income_or_payment(self, event_type: str) -> None:
        day = self.day()
        fund = "EMI" if event_type.startswith(("transfer.", "catastrophic.")) else self.fund(day)
        sub_fund = "personal" if event_type.startswith("transfer.") else self.sub_fund(fund)
        accounts = MONEY_ACCOUNTS_OF.get(event_type, ("special_demand", "income"))
        self.add(
            event_type,
            day,
            fund_code=fund,
            sub_fund=sub_fund,
            account=self.random.choice(accounts),
            amount=self.money(),
            person_no=sorted(self.persons)[0] if event_type.startswith("transfer.") else "",
        )

    def _personal_accounts(self) -> None:
        who = self.random.choice(sorted(self.persons))
        self.add("account.credited", self.day(), fund_code="EMI", person_no=who, amount=self.money(9000))
        self.add("interest.allocated", self.day(), fund_code="EMI", amount=self.money(9000))
        if self.maybe(0.5):
            self.add(
                "account.paid_out",
                self.day(),
                fund_code="EMI",
                sub_fund="personal",
                person_no=who,
                account="expenditure",
                amount=self.money(9000),
            )

    def _loan(self) -> None:
        day = self.day()
        fund, amount = self.fund(day), self.money()
        self.add("loan.received", day, fund_code=fund, account="special_demand", amount=amount)
        later = self.later(day)
        fund = fund if later < self.merger_date else "EMI"
        self.add("loan.repaid", later, fund_code=fund, account="special_demand", amount=self.part(amount))

    def _out_of_area(self) -> None:
        day = self.day()
        fund, amount = self.fund(day), self.money()
        advanced = self.add(
            "outofarea.advanced", day, fund_code=fund, amount=amount, counterparty="省医保中心", institution_code="O1"
        )
        later = self.later(day)
        item = self.random.choice(sorted(MATERNITY_MEDICAL) if fund == "MAT" else sorted(ORDINARY))
        fund = fund if later < self.merger_date else "EMI"
        sub_fund = "pooled" if item in MATERNITY_MEDICAL else self.sub_fund(fund)
        cleared = {"fund_code": fund, "sub_fund": sub_fund, "benefit_item": item, "amount": self.part(amount)}
        self.correct("outofarea.cleared", later, advanced, **cleared)
        paid = self.add("outofarea.paid_for_others", day, fund_code="EMI", amount=amount, counterparty="340100")
        back = self.part(amount)
        self.correct("outofarea.reimbursed", self.later(day), paid, fund_code="EMI", amount=back)

    def _unspent_receipts(self, count: int) -> None:
        for _ in range(count):
            day = self.day()
            fund, amount = self.fund(day), self.money()
            account = self.random.choice(["special_demand", "income"])
            receipt = self.add("receipt.unidentified", day, fund_code=fund, account=account, amount=amount)
            later = self.later(day)
            fund = fund if later < self.merger_date else "EMI"
            code = self.random.choice(["490109", "4101", "4201", "4401"])
            columns = {"fund_code": fund, "sub_fund": "pooled", "identified_as": code, "amount": self.part(amount)}
            self.correct("receipt.identified", later, receipt, **columns)

    def _stated(self) -> None:
        day = self.day()
        account = self.random.choice(["special_demand", "expenditure"])
        self.add(
            "balance.stated",
            day,
            fund_code="EMI",
            account=account,
            amount=self.money(),
            statement_kind="bank_balance",
            accounting_month=f"{day:%Y-%m}",
        )
