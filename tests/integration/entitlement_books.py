"""A log of women, employers and cash benefits: some worked out by hand, some drawn by chance for the oracle.

Nanjing merged on 1 January 2020, Huainan on 1 December 2019. In each region an employer H is assessed in every month, so that the log
reaches all of them; what else is in the log belongs to a case.
"""

# ruff: noqa: E501 - one case a row reads better than wrapped

from __future__ import annotations

import random
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from posting_log import Fact, PostingLog

from tests.oracle.entitlement import Claim, Due, Employer, Enrolment, due, month_of, plus

NANJING, HUAINAN = "320100", "340400"
MERGERS = {NANJING: date(2020, 1, 1), HUAINAN: date(2019, 12, 1)}
REACH = {NANJING: (date(2018, 1, 1), date(2026, 1, 1)), HUAINAN: (date(2018, 1, 1), date(2022, 1, 1))}


@dataclass(frozen=True)
class Case:
    """A woman (or man), the event, and what was claimed and paid. Base: of her and her employer, by month.

    `extras`: what else was said of her enrolment, and changes nothing of it.
    """

    key: str
    born: date = date(2019, 10, 10)
    care: str | None = "delivery_normal"
    item: str = "maternity_allowance"
    paid: str = "25600.00"
    base: str = "6000.00"
    stated_base: str | None = "200.00"
    stated_days: int | None = None
    region: str = NANJING
    births: int = 1
    weeks: int | None = None
    male: bool = False
    payee: str = "employer"
    paid_on: date | None = None
    months: int = 12
    hole: int = 0
    late: int = 0
    category: str = "employee"
    kind: str = "enterprise"
    left: int | None = None
    registered: date = date(2010, 5, 1)
    dated: bool = True
    base_grows: str = "0.00"
    extras: tuple[Fact, ...] = field(default=())

    @property
    def employer_no(self) -> str:
        """One employer a case, so that averages do not mix."""
        return f"E-{self.key}"


class Books:
    """Facts of all cases of a region, and what the oracle has to know of each."""

    def __init__(self, region: str) -> None:
        self.region = region
        self.merger = MERGERS[region]
        self.facts: list[Fact] = []
        first, end = REACH[region]
        self.months = frozenset(month for month in (plus(first, n) for n in range(120)) if month < end)
        self.facts.append(self._registered("H", date(2010, 5, 1), "enterprise"))
        self.facts += [self._assessed("H", "H", month, "310", "employee", "7000.00") for month in sorted(self.months)]
        self.dues: dict[str, Due] = {}
        self.enrolments: list[Enrolment] = []

    def add(self, case: Case) -> None:
        """The facts of one case, and what is due by the oracle."""
        self.facts.append(self._registered(case.employer_no, case.registered, case.kind))
        bases, assessed = self._premiums(case)
        enrolments = self._enrolments(case)
        self.enrolments += enrolments
        self.facts += [fact | {"family": "registration", "person_no": f"P-{case.key}"} for fact in case.extras]
        self._care(case)
        self._claim(case)
        self.dues[case.key] = due(
            Claim(
                region=self.region,
                item=case.item,
                care=case.care,
                born=case.born,
                births=case.births,
                weeks=case.weeks,
                male=case.male,
                employer=Employer(case.registered, case.kind, {month: [base] for month, base in bases.items()}),
                enrolments=enrolments,
                assessed=assessed,
                stated_base=Decimal(case.stated_base) if case.stated_base else None,
                months_in_log=self.months,
                merger=self.merger,
            )
        )

    def write(self) -> None:
        """All of it as one batch."""
        PostingLog(self.region).add(*self.facts)

    def _registered(self, number: str, day: date, kind: str) -> Fact:
        return {
            "event_type": "employer.registered", "family": "registration", "occurred_on": day, "employer_no": number, "employer_type": kind,
        }  # fmt: skip

    def _assessed(
        self, person: str, employer: str, month: date, insurance: str, category: str, base: str, on: date | None = None
    ) -> Fact:
        return {
            "event_type": "contribution.assessed", "occurred_on": on or month.replace(day=5), "contribution_month": month, "person_no": person,
            "employer_no": employer, "insurance_type": insurance, "enrollment_category": category, "contribution_base": base,
            "employer_amount": 500,
        }  # fmt: skip

    def _premiums(self, case: Case) -> tuple[dict[date, Decimal], dict[tuple[date, str, str], date]]:
        """Assessed from `months` before the birth on, but for the month `hole` before it; the last `late` ones told after it."""
        bases: dict[date, Decimal] = {}
        assessed: dict[tuple[date, str, str], date] = {}
        born = month_of(case.born)
        for number in range(case.months, 0, -1):
            month = plus(born, -number)
            if number == case.hole or month not in self.months or month < month_of(case.registered):
                continue
            base = Decimal(case.base) + Decimal(case.base_grows) * (month.month - 1)
            told = case.born + timedelta(days=5) if number <= case.late else month.replace(day=5)
            for insurance in ("310", "510") if month < self.merger and case.category == "employee" else ("310",):
                self.facts.append(
                    self._assessed(f"P-{case.key}", case.employer_no, month, insurance, case.category, str(base), told)
                )
                assessed[(month, insurance, case.category)] = told
            if case.category == "employee":
                bases[month] = base
        return bases, assessed

    def _enrolments(self, case: Case) -> list[Enrolment]:
        since = plus(month_of(case.born), -case.months) if case.months else case.born + timedelta(days=1)
        until = case.born + timedelta(days=case.left) if case.left is not None else None
        about: dict[str, Any] = {
            "family": "registration", "person_no": f"P-{case.key}", "employer_no": case.employer_no, "enrollment_category": case.category,
            "sex": "M" if case.male else "F",
        }  # fmt: skip
        found = []
        for insurance in ("310", "510") if since < self.merger and case.category == "employee" else ("310",):
            fact = about | {"insurance_type": insurance}
            self.facts.append(fact | {"event_type": "enrollment.started", "occurred_on": since})
            if until is not None:
                self.facts.append(fact | {"event_type": "enrollment.ended", "occurred_on": until})
            found.append(Enrolment(insurance, case.category, since, until))
        return found

    def _insurance(self, day: date) -> str:
        return "510" if day < self.merger else "310"

    def _care(self, case: Case) -> None:
        if case.care is None:
            return
        self.facts.append(
            {
                "event_type": "claim.settled", "occurred_on": case.born + timedelta(days=4), "claim_no": f"M-{case.key}", "person_no": f"P-{case.key}",
                "insurance_type": self._insurance(case.born + timedelta(days=4)), "benefit_item": case.care, "service_on": case.born, "institution_code": "H1", "pooled_amount": 3000,
                "birth_count": case.births, "gestation_weeks": case.weeks,
            }
        )  # fmt: skip

    def _claim(self, case: Case) -> None:
        paid_on = case.paid_on or case.born + timedelta(days=40)
        about: dict[str, Any] = {
            "claim_no": f"C-{case.key}", "person_no": f"P-{case.key}", "insurance_type": self._insurance(paid_on), "benefit_item": case.item,
            "pooled_amount": case.paid, "service_on": case.born if case.dated else None,
        }  # fmt: skip
        self.facts.append(
            about
            | {
                "event_type": "claim.settled", "occurred_on": paid_on - timedelta(days=5), "employer_no": case.employer_no,
                "leave_days": case.stated_days, "allowance_daily_base": case.stated_base if case.item == "maternity_allowance" else None,
            }
        )  # fmt: skip
        self.facts.append(
            about
            | {
                "event_type": "claim.paid",
                "occurred_on": paid_on,
                "payee_type": case.payee,
                "payment_no": f"Z-{case.key}",
            }
        )


def chance(region: str, number: int, seed: int) -> list[Case]:
    """Cases of every kind by chance: births and operations, short and long insured, paid right and wrong."""
    rng = random.Random(f"{seed}/{region}")
    first, end = REACH[region]
    days = (end - first).days - 800
    return [_drawn(rng, region, place, first + timedelta(days=800 + rng.randrange(days))) for place in range(number)]


def _drawn(rng: random.Random, region: str, place: int, born: date) -> Case:
    care = rng.choices(
        ["delivery_normal", "delivery_assisted", "delivery_caesarean", "miscarriage", "family_planning", None],
        weights=[30, 15, 25, 25, 3, 2],
    )[0]
    case = Case(
        key=f"{region}-{place}",
        region=region,
        born=born,
        care=care,
        item=rng.choice(["maternity_allowance", "maternity_allowance", "nutrition_subsidy"]),
        births=rng.choice([1, 1, 1, 2, 3]) if care and care.startswith("delivery") else 1,
        weeks=rng.choice([5, 7, 8, 11, 12, 15, 16, 27, 28, 33]) if care == "miscarriage" else None,
        base=f"{rng.randrange(450_000, 1_400_000) / 100:.2f}",
        base_grows=rng.choice(["0.00", "37.11"]),
        months=rng.choice([4, 9, 10, 11, 13, 25, 25]),
        hole=rng.choice([0, 0, 0, 3, 12]),
        late=rng.choice([0, 0, 0, 2]),
        category=rng.choices(["employee", "flexible"], weights=[9, 1])[0],
        kind=rng.choice(["enterprise", "enterprise", "unemployment_fund"]),
        left=rng.choice([None, None, None, -20, 30]),
        male=rng.random() < 0.06,
        registered=rng.choice([date(2010, 5, 1), date(born.year - 1, 6, 1), date(born.year, 1, 1)]),
        stated_base=rng.choice(["200.00", "251.37", None]),
        dated=rng.random() < 0.8,
    )
    return replace(case, registered=min(case.registered, plus(month_of(born), -1)))
