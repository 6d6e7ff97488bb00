"""Invented registrations and contributions: all categories, refunds, arrears, premiums out of temporary receipts."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal

from .acceptance import certificate_check_digit, credit_code_check_digit
from .statements import add_months
from .teller import FIRST_DAY, LAST_DAY, Fact, Teller


class Contributions(Teller):
    """Who is insured, and what is paid in for them."""

    def _register(self, count: int) -> None:
        for employer in self.employers:
            body = "91" + self.region + "".join(self.random.choice("0123456789ABCDEFGH") for _ in range(9))
            self.add(
                "employer.registered",
                FIRST_DAY,
                employer_no=employer,
                employer_type=self.random.choice(["enterprise", "public_institution", "government", "other"]),
                employer_credit_code=body + credit_code_check_digit(body),
                employer_name=f"单位{employer},有限公司",
            )
        for number in range(count):
            self._enrol(f"P{self.region}{number}", self.random.choice(["employee", "employee", "flexible", "retiree"]))
        if self.maybe(0.5):
            self.add("employer.closed", LAST_DAY, employer_no=self.employers[-1])

    def _enrol(self, person: str, category: str) -> None:
        self.persons[person] = category
        born = self.day(date(1972, 1, 1), date(1976, 12, 31)) if self.maybe(0.5) else self.day(date(1950, 1, 1))
        born = min(born, date(1999, 12, 31))
        body = f"{self.region}{born:%Y%m%d}{self.random.randint(0, 999):03d}"
        by_certificate = self.maybe(0.5)
        common = {
            "person_no": person,
            "insurance_type": "310",
            "enrollment_category": category,
            "employer_no": self.random.choice(self.employers) if category == "employee" else "",
        }
        self.add(
            "enrollment.started",
            FIRST_DAY,
            **common,
            certificate_no=body + certificate_check_digit(body) if by_certificate else "",
            birth_date="" if by_certificate else born,
            sex=self.random.choice(["F", "M", ""]) if not by_certificate else "",
            contribution_base="8000.00",
        )
        if self.maybe(0.3):
            self.add("enrollment.changed", self.day(), **common, worker_group=self.random.choice(["new_form", ""]))
        if self.maybe(0.2):
            self.add("enrollment.ended", LAST_DAY, **common, reason="other")

    def _contributions(self) -> None:
        for person in self.random.sample(sorted(self.persons), 3):
            category = self.persons[person]
            month = add_months(date(2019, 9, 1), self.random.randint(0, 9))
            day = min(month + timedelta(days=self.random.randint(0, 60)), LAST_DAY)
            if category == "employee":
                self._employee(person, month, day)
            else:
                self._own_account(person, category, month, day)

    def _employee(self, person: str, month: date, day: date) -> None:
        base = self.random.choice([Decimal("900.00"), self.money(2500000), Decimal("30000.00"), Decimal("8123.45")])
        who = {"employer_no": self.employers[0], "person_no": person, "enrollment_category": "employee"}
        about = {**who, "contribution_month": f"{month:%Y-%m}"}
        employer = self.random.choice([self.money(200000), Decimal("10.00"), Decimal("0.00")])
        personal = self.money(20000) if self.maybe(0.7) or not employer else Decimal("0.00")
        credit = self.random.choice(["", "", self.part(employer), "0"]) if employer else ""
        for _ in range(self.random.choice([1, 1, 2])):
            assessed = self.random.choice([Decimal("0.00"), employer, self.money(200000)])
            share = {"employer_amount": assessed, "personal_amount": self.money(20000) if self.maybe(0.5) else ""}
            self.add("contribution.assessed", day, **about, insurance_type="310", contribution_base=base, **share)
        fact = self._collect(
            day,
            **about,
            insurance_type="310",
            contribution_base=base,
            employer_amount=employer,
            personal_amount=personal,
            personal_account_credit=credit,
        )
        if self.maybe(0.5):
            self._refund(fact)
        if month < self.merger_date.replace(day=1):
            self._maternity_premium(about, month)

    def _maternity_premium(self, about: dict[str, str], month: date) -> None:
        """Paid in time, or as arrears after the merger."""
        day = self.day(month, LAST_DAY) if self.maybe(0.5) else self.day(month, self.merger_date - timedelta(days=1))
        fact = self._collect(day, **about, insurance_type="510", employer_amount=self.money(30000))
        if self.maybe(0.5):
            self._refund(fact)

    def _own_account(self, person: str, category: str, month: date, day: date) -> None:
        personal = self.money(90000)
        credit = self.part(personal) if category == "flexible" and self.maybe(0.6) else ""
        fact = self._collect(
            day,
            person_no=person,
            enrollment_category=category,
            insurance_type="310",
            contribution_month=f"{month:%Y-%m}",
            personal_amount=personal,
            employer_amount=self.money(1000) if self.maybe(0.2) else "",
            personal_account_credit=credit,
        )
        if self.maybe(0.5):
            self._refund(fact)

    def _collect(self, day: date, **columns: object) -> Fact:
        late_fee = self.money(5000) if self.maybe(0.3) else ""
        common = {"late_fee": late_fee, "receipt_no": f"T{self.region}{day:%Y%m%d}", **columns}
        if self.maybe(0.8):
            account = self.random.choice(["treasury", "treasury", "special", "income"])
            return self.add("contribution.collected", day, deposit_account=account, **common)
        total = sum(Decimal(str(common.get(c) or 0)) for c in ("employer_amount", "personal_amount", "late_fee"))
        arrived = max(day - timedelta(days=self.random.choice([0, 5, 40])), FIRST_DAY)
        fund = "MAT" if columns["insurance_type"] == "510" and arrived < self.merger_date else "EMI"
        receipt = self.add(
            "receipt.unidentified",
            arrived,
            fund_code=fund,
            account=self.random.choice(["income", "special_demand", "treasury"]),
            amount=total + (self.money(10000) if self.maybe(0.5) else 0),
        )
        return self.correct("contribution.collected", day, receipt, deposit_account="temporary_receipt", **common)

    def _refund(self, collected: Fact) -> None:
        """In one or two steps; the credit given, or left to be found pro rata."""
        left = {c: collected.amount(c) for c in ("employer_amount", "personal_amount", "late_fee")}
        same = ("employer_no", "person_no", "insurance_type", "enrollment_category", "contribution_month")
        about = {column: collected.columns.get(column, "") for column in (*same, "receipt_no")}
        about["deposit_account"] = self.random.choice(["treasury", "special", "income"])
        for _ in range(self.random.randint(1, 2)):
            back = {column: self.part(amount) for column, amount in left.items() if amount and self.maybe(0.8)}
            if back:
                self.correct("contribution.refunded", self.later(collected.day), collected, **about, **back)
            left = {column: amount - back.get(column, Decimal(0)) for column, amount in left.items()}
