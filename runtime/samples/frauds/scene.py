"""Where a case is staged: employers, persons and claims of their own in a city that goes on as before.

Every fact is one that the source systems could have sent: premiums are assessed and collected at the city's rates,
allowances are computed by its rules (unless the case is about that), what is settled is paid.
"""

from __future__ import annotations

import random
from collections.abc import Iterable
from datetime import date, timedelta

from runtime.samples import contributions, employers, identifiers, maternity, policy, registration
from runtime.samples.claims import pay, settle, usual_payday
from runtime.samples.frauds.truth import Planted
from runtime.samples.log import CityLog, Row, fen, text
from runtime.samples.population import Employer, Person
from runtime.samples.values import FIRST_MONTH, LAST_DAY, Fen, Month, Value, share, within, yuan

_DIVISOR = 30
_FIRST_EMPLOYER, _FIRST_PERSON = 900_000, 90_000_000
_TRADES = ("商贸", "咨询", "劳务", "信息", "文化", "建材")
OPENING = FIRST_MONTH.first

# What makes a claim this one.
_ITS_OWN = ("claim_no", "source_event_key", "event_type", "occurred_on", "region_code")


class Scene:
    """Plants into one city's log; the same log and seed give the same facts."""

    def __init__(self, log: CityLog, seed: int) -> None:
        self.log = log
        self.planted: list[Planted] = []
        self._seed = seed
        self._employers = 0
        self._persons: list[Person] = []
        self._certificates: set[str] = set()
        self._registered: dict[str, Month] = {}

    @property
    def region(self) -> str:
        """Code of the city."""
        return self.log.city.region_code

    def rng(self, pattern: str) -> random.Random:
        """A stream for one pattern in this city."""
        return self.log.rng(f"fraud:{pattern}")

    def shared_rng(self, pattern: str) -> random.Random:
        """A stream that is the same in every city, for what happens in several of them."""
        return random.Random(f"{self._seed}:fraud:{pattern}")

    def employer(self, wage: int, registered: date = OPENING) -> Employer:
        """A new company with an average wage of so many yuan."""
        self._employers += 1
        number = _FIRST_EMPLOYER + self._employers
        trade = _TRADES[self._employers % len(_TRADES)]
        employer = Employer(
            number=f"{self.region}{number:06d}",
            credit_code=identifiers.credit_code(self.region, 40_000_000 + self._employers * 7_919),
            name=f"{self.log.city.short_name}示例{trade}{self._employers}号有限公司",
            kind="enterprise",
            wage=yuan(wage // _DIVISOR * _DIVISOR),
        )
        self._registered[employer.number] = Month.of(registered)
        registration.register(self.log, employer, registered)
        return employer

    def firm(self, rng: random.Random, staff: int) -> Employer:
        """A company with so many staff, of which nothing is to be said."""
        firm = self.employer(6_600)
        for _ in range(staff):
            self.employee(firm, rng.randrange(5_000, 8_000, 100), rng, sex=rng.choice("FM"))
        return firm

    def employee(  # noqa: PLR0913 - what a case is about may be any of these
        self,
        employer: Employer | None,
        base: int,
        rng: random.Random,
        *,
        since: date = OPENING,
        until: date | None = None,
        reason: str = "left_employer",
        born: date | None = None,
        sex: str = "F",
        raise_to: tuple[Month, int] | None = None,
        certificate: str | None = None,
    ) -> Person:
        """Somebody who works there, or who is retired when there is no employer; premiums are paid in time."""
        born = born or date(rng.randint(1984, 1996), rng.randint(1, 12), rng.randint(1, 28))
        person = Person(
            number=f"{self.region}{_FIRST_PERSON + len(self._persons) + 1}",
            certificate_no=certificate or self._certificate(born, sex),
            name="某某",
            birth_date=born,
            sex=sex,
            category="employee" if employer else "retiree",
            employer=employer,
            base=yuan(base),
            since=since,
            until=until,
            end_reason=reason if until else None,
        )
        if raise_to:
            person.new_base_from, person.new_base = raise_to[0], yuan(raise_to[1])
        self._persons.append(person)
        registration.enrol(self.log, person)
        registration.change(self.log, person)
        if employer:
            contributions.paid_in_time(self.log, person)
        return person

    def moves_to(self, person: Person, employer: Employer, day: date, base: int) -> Person:
        """The same person works elsewhere from a day on; the first enrolment has ended on it."""
        again = Person(
            number=person.number,
            certificate_no=person.certificate_no,
            name=person.name,
            birth_date=person.birth_date,
            sex=person.sex,
            category="employee",
            employer=employer,
            base=yuan(base),
            since=day,
        )
        registration.enrol(self.log, again)
        contributions.paid_in_time(self.log, again)
        return again

    def _certificate(self, born: date, sex: str) -> str:
        """A number that nobody planted has yet; those of the city's own people come from the other end."""
        for serial in range(498, 0, -1):
            number = identifiers.certificate_no(self.region, born, serial, sex)
            if number not in self._certificates:
                self._certificates.add(number)
                return number
        raise LookupError(f"no certificate number is left for {born}")

    def medical(self, person: Person, day: date, item: str, hospital: int, pooled: Fen, **columns: Value | None) -> Row:
        """A bill of which the pool pays so much and the patient a twentieth more; settled on ``day``, then paid."""
        day, own = within(day), share(pooled, 500)
        maternity_claim = person.category == "employee" and item not in _MEDICAL
        settled = settle(
            self.log,
            day,
            person_no=person.number,
            name=person.name,
            employer_no=person.employer.number if person.employer and item not in _MEDICAL else None,
            insurance_type=self.log.city.maternity_insurance(day) if maternity_claim else "310",
            benefit_item=item,
            payment_method=self.method(item, day),
            pooled_amount=pooled,
            personal_cash_amount=own or None,
            **{
                "institution_code": self.log.city.institution(hospital),
                "service_on": day,
                "medical_fee_total": pooled + own,
                **columns,
            },
        )
        pay(self.log, settled, usual_payday(day))
        return settled

    def from_account(self, person: Person, day: date, item: str, holder: Person | None = None) -> Row:
        """A bill of 120 yuan that a personal account pays alone."""
        is_sale = item == "pharmacy"
        settled = settle(
            self.log,
            day,
            person_no=person.number,
            account_holder_no=holder.number if holder else None,
            name=person.name,
            insurance_type="310",
            benefit_item=item,
            payment_method="fee_for_service",
            institution_code=self.log.city.pharmacy(1) if is_sale else self.log.city.institution(4),
            service_on=day,
            medical_fee_total=yuan(120),
            personal_account_amount=yuan(120),
        )
        pay(self.log, settled, day + timedelta(days=20))
        return settled

    def method(self, item: str, day: date) -> str:
        """How the city pays for an item."""
        if item == "inpatient":
            return self.log.city.inpatient_method
        return policy.payment_method(self.region, item, day) if item not in _MEDICAL else "fee_for_service"

    def stay(self, person: Person, admitted: date, days: int, hospital: int, pooled: int, **columns: Value) -> Row:
        """A stay of so many days for so many yuan of the pool."""
        discharged = within(admitted + timedelta(days=days))
        item = str(columns.pop("item", "inpatient"))
        dates = {"admitted_on": admitted, "discharged_on": discharged, "service_on": discharged}
        return self.medical(person, discharged, item, hospital, yuan(pooled), **{**dates, **columns})

    def delivery(
        self,
        mother: Person,
        born: date,
        item: str = "delivery_normal",
        hospital: int = 3,
        children: int = 1,
        weeks: int = 39,
    ) -> Row:
        """A birth in hospital at the city's price."""
        price = policy.price(self.region, item, born) or yuan(4_300)
        return self.medical(
            mother,
            within(born + timedelta(days=4)),
            item,
            hospital,
            price,
            admitted_on=born - timedelta(days=1),
            discharged_on=within(born + timedelta(days=4)),
            service_on=born,
            birth_count=children,
            gestation_weeks=weeks,
        )

    def allowance(
        self, person: Person, event: date, days: int, employer: Employer | None = None, decided: date | None = None
    ) -> Row:
        """Maternity allowance of so many days, paid to the employer who claims it."""
        claimant = employer or person.employer
        assert claimant is not None
        decided = within(decided or event + timedelta(days=24))
        daily = self.daily_base(claimant, event)
        settled = settle(
            self.log,
            decided,
            person_no=person.number,
            name=person.name,
            employer_no=claimant.number,
            insurance_type=self.log.city.maternity_insurance(decided),
            benefit_item="maternity_allowance",
            payment_method="fixed_amount",
            service_on=event,
            leave_days=days,
            allowance_daily_base=daily,
            pooled_amount=Fen(daily * days),
        )
        pay(self.log, settled, decided + timedelta(days=12), "employer")
        return settled

    def birth(
        self,
        mother: Person,
        born: date,
        item: str = "delivery_normal",
        hospital: int = 3,
        children: int = 1,
        weeks: int = 39,
    ) -> list[Row]:
        """A birth with its allowance, where that can be decided within the period."""
        claims = [self.delivery(mother, born, item, hospital, children, weeks)]
        mother.children = children
        if born + timedelta(days=24) <= LAST_DAY:
            claims.append(self.allowance(mother, born, maternity.leave_days(self.log, born, item, children)))
        return claims

    def daily_base(self, employer: Employer, event: date) -> Fen:
        """Average base that the employer's months give, what was planted before included."""
        return employers.average(self.log, employer, event, self._registered.get(employer.number, FIRST_MONTH))

    def settled_again(self, claim: Row, day: date, paid_on: date, payee: str = "institution") -> Row:
        """The same claim settled on ``day`` under another number, and paid as well."""
        columns = {name: value for name, value in claim.items() if name not in _ITS_OWN}
        again = settle(self.log, day, **columns)
        pay(self.log, again, paid_on, payee)
        return again

    def remember(
        self,
        pattern: str,
        claims: Iterable[Row],
        *,
        is_fraud: bool = True,
        employers: Iterable[Employer] = (),
        institutions: Iterable[int] = (),
        persons: Iterable[Person] = (),
        amount: Fen | None = None,
    ) -> Planted:
        """Keep the answer: what was claimed by whom, and what the fund paid on it."""
        claims = list(claims)
        numbers = {text(row, "person_no") for row in claims if "person_no" in row}
        numbers |= {person.number for person in persons}
        paid = sum(fen(row, "pooled_amount") + fen(row, "personal_account_amount") for row in claims)
        one = Planted(
            pattern,
            self.region,
            is_fraud,
            tuple(sorted(numbers)),
            tuple(sorted({text(row, "claim_no") for row in claims if "claim_no" in row})),
            tuple(sorted(employer.number for employer in employers)),
            tuple(sorted(self.log.city.institution(number) for number in institutions)),
            Fen(paid) if amount is None else amount,
        )
        self.planted.append(one)
        return one


_MEDICAL = ("inpatient", "outpatient", "outpatient_chronic", "pharmacy")
