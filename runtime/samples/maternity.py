"""Maternity claims: care before birth, births, family planning, allowances and Nanjing's nutrition subsidy."""

from __future__ import annotations

import random
from datetime import date, timedelta

from runtime.samples import employers, policy
from runtime.samples.claims import pay, settle, usual_payday
from runtime.samples.log import CityLog, Row
from runtime.samples.population import Person, Population
from runtime.samples.values import FIRST_MONTH, LAST_DAY, MONTHS, Fen, Month, Value, share, yuan

_DELIVERIES = ("delivery_normal", "delivery_assisted", "delivery_caesarean")
_FEES_BEFORE_MERGER = {"delivery_normal": 4_100, "delivery_assisted": 4_600, "delivery_caesarean": 6_200}


def record(log: CityLog, population: Population) -> None:
    """All maternity claims of the sample period."""
    rng = log.rng("maternity")
    for month in MONTHS:
        women = [person for person in population.persons if person.active(month) and _may_give_birth(person, month)]
        employees = [person for person in women if person.category == "employee" and _has_waited(log, person, month)]
        births = max(2, len(population.persons) * 9 // 4_000)
        for mother in rng.sample(employees, min(births, len(employees))):
            _birth(log, rng, mother, month)
        _flexible_birth(log, rng, [person for person in women if person.category == "flexible"], month)
        if employees:
            _miscarriage(log, rng, rng.choice(employees), month)
            _family_planning(log, rng, rng.choice(employees), month)
        if log.city.region_code == "340400" and month.first >= log.city.merger:
            _prenatal_per_capita(log, month, births)


def _may_give_birth(person: Person, month: Month) -> bool:
    age = month.year - person.birth_date.year
    return person.sex == "F" and 22 <= age <= 42 and person.children == 0


def _has_waited(log: CityLog, person: Person, month: Month) -> bool:
    """Insured for as many months before ``month`` as an allowance demands, as far back as the samples reach."""
    waiting = policy.allowance_waiting(log.city.region_code, month.first)
    return person.since <= max(FIRST_MONTH, month.plus(-waiting)).first


def _claim(log: CityLog, person: Person, day: date, item: str, **columns: Value | None) -> Row:
    employee = person.category == "employee"
    return settle(
        log,
        day,
        person_no=person.number,
        name=person.name,
        employer_no=person.employer.number if person.employer else None,
        insurance_type=log.city.maternity_insurance(day) if employee else "310",
        benefit_item=item,
        payment_method=policy.payment_method(log.city.region_code, item, day),
        **columns,
    )


def _medical(log: CityLog, rng: random.Random, person: Person, day: date, item: str, **columns: Value | None) -> None:
    """A maternity medical claim: the pool pays the price, the patient and now and then the hospital the rest."""
    price = policy.price(log.city.region_code, item, day) or yuan(_FEES_BEFORE_MERGER.get(item, 0))
    drawn = Fen(rng.randint(60_000, 260_000)) if item == "family_planning" or not price else Fen(0)
    pooled = price or drawn
    if item == "prenatal":
        pooled = _prenatal_amount(log, rng, day, columns)
    own, borne = Fen(rng.randint(0, 90_000)), Fen(rng.choice((0, 0, 0, 35_050)))
    from_account = share(own, 4_000)
    settled = _claim(
        log,
        person,
        day,
        item,
        institution_code=_hospital(log, rng, day, item),
        medical_fee_total=pooled + own + borne,
        pooled_amount=pooled,
        personal_account_amount=from_account or None,
        personal_cash_amount=(own - from_account) or None,
        institution_borne_amount=borne or None,
        **columns,
    )
    pay(log, settled, usual_payday(day))


def _prenatal_amount(log: CityLog, rng: random.Random, day: date, columns: dict[str, Value | None]) -> Fen:
    """Half or all of what the stage of the pregnancy allows; anything where there is no limit yet."""
    weeks = columns["gestation_weeks"]
    assert isinstance(weeks, int)
    limit = policy.price(log.city.region_code, "prenatal", day, weeks)
    return Fen(limit * rng.choice((1, 2)) // 2) if limit else Fen(rng.randint(12_000, 42_000))


def _hospital(log: CityLog, rng: random.Random, day: date, item: str) -> str:
    """One of two general hospitals, or the one that settles births through the platform from before the merger."""
    general = log.city.institution(rng.choice((3, 4)))
    platform = log.city.platform
    settled_there = platform is not None and item in _DELIVERIES and usual_payday(day) < platform.migrated_on
    return log.city.platform_institution if settled_there and day.day % 2 == 0 else general


def _birth(log: CityLog, rng: random.Random, mother: Person, month: Month) -> None:
    item = rng.choices(_DELIVERIES, weights=(55, 8, 37))[0]
    children = 2 if rng.random() < 0.06 else 1
    mother.children = children
    born = mother.insured_by(month.day(rng.randint(3, 27)))
    weeks = rng.randint(37, 41)
    for weeks_before in (24, 8):
        visit = born - timedelta(weeks=weeks_before)
        if visit >= FIRST_MONTH.first and mother.since <= visit and not _by_capita(log, visit):
            _medical(log, rng, mother, visit, "prenatal", service_on=visit, gestation_weeks=weeks - weeks_before)
    _delivery(log, rng, mother, born, item, children, weeks)
    if rng.random() < 0.12 and born + timedelta(days=9) <= LAST_DAY:
        _complication(log, rng, mother, mother.insured_by(born + timedelta(days=9)))
    _cash_benefits(log, mother, born, item, children, weeks)


def _by_capita(log: CityLog, day: date) -> bool:
    return policy.payment_method(log.city.region_code, "prenatal", day) == "per_capita"


def _delivery(
    log: CityLog, rng: random.Random, mother: Person, born: date, item: str, children: int, weeks: int
) -> None:
    discharged = min(born + timedelta(days=4), LAST_DAY)
    _medical(
        log,
        rng,
        mother,
        discharged,
        item,
        admitted_on=born - timedelta(days=1),
        discharged_on=discharged,
        service_on=born,
        birth_count=children,
        gestation_weeks=weeks,
    )


def _complication(log: CityLog, rng: random.Random, mother: Person, day: date) -> None:
    _medical(
        log,
        rng,
        mother,
        day,
        "maternity_complication",
        admitted_on=day - timedelta(days=3),
        discharged_on=day,
        service_on=day,
    )


def leave_days(log: CityLog, born: date, item: str, children: int) -> int:
    """Days of leave that the city's rules give for a birth."""
    region = log.city.region_code
    days = policy.allowance_days(region, "birth", born) + policy.allowance_days(region, "provincial_extension", born)
    if item != "delivery_normal":
        days += policy.allowance_days(region, "difficult_birth", born)
    return days + (children - 1) * policy.allowance_days(region, "additional_child", born)


def _cash_benefits(log: CityLog, mother: Person, born: date, item: str, children: int, weeks: int) -> None:
    """Allowance to the employer and, where there is one, the nutrition subsidy to the mother."""
    decided = born + timedelta(days=24)
    if decided > LAST_DAY:
        return
    days = leave_days(log, born, item, children)
    _allowance(log, mother, born, decided, days, birth_count=children, gestation_weeks=weeks)
    subsidy = policy.nutrition_subsidy(log.city.region_code, born)
    if subsidy:
        settled = _claim(
            log,
            mother,
            decided,
            "nutrition_subsidy",
            service_on=born,
            birth_count=children,
            pooled_amount=subsidy,
            applied_on=_applied_on(decided),
        )
        settled["payment_method"] = "fixed_amount"
        pay(log, settled, decided + timedelta(days=12), "person")


def _applied_on(decided: date) -> date:
    """Decided four to ten days after the application, which is never more than ten working days."""
    return decided - timedelta(days=4 + decided.day % 7)


def _allowance(log: CityLog, person: Person, event: date, decided: date, days: int, **columns: Value | None) -> None:
    assert person.employer is not None
    if person.employer.kind == "unemployment_fund":
        return  # who draws unemployment benefit takes no leave: treatment and subsidy alone
    daily = employers.daily_base(log, person.employer, event)
    settled = _claim(
        log,
        person,
        decided,
        "maternity_allowance",
        service_on=event,
        leave_days=days,
        allowance_daily_base=daily,
        pooled_amount=Fen(daily * days),
        applied_on=_applied_on(decided),
        **columns,
    )
    settled["payment_method"] = "fixed_amount"
    pay(log, settled, decided + timedelta(days=12), "employer")


def _flexible_birth(log: CityLog, rng: random.Random, women: list[Person], month: Month) -> None:
    """Flexible workers receive the medical part only, from the medical fund, before the merger as after it."""
    if month.month % 2 and women:
        mother = rng.choice(women)
        mother.children = 1
        visit = month.day(5)
        if not _by_capita(log, visit):
            _medical(log, rng, mother, visit, "prenatal", service_on=visit, gestation_weeks=30)
        _delivery(log, rng, mother, mother.insured_by(month.day(22)), "delivery_normal", 1, 39)


def _miscarriage(log: CityLog, rng: random.Random, person: Person, month: Month) -> None:
    day, weeks = person.insured_by(month.day(rng.randint(4, 24))), rng.choice((7, 10, 18))
    _medical(log, rng, person, day, "miscarriage", service_on=day, gestation_weeks=weeks)
    days = policy.allowance_days(log.city.region_code, _miscarriage_case(log, weeks), day)
    decided = day + timedelta(days=20)
    if decided <= LAST_DAY:
        _allowance(log, person, day, decided, days, gestation_weeks=weeks)


def _miscarriage_case(log: CityLog, weeks: int) -> str:
    if log.city.region_code == "340400":
        return "miscarriage_under_4_months" if weeks < 16 else "miscarriage_from_4_months"
    if weeks < 8:
        return "miscarriage_under_2_months"
    return "miscarriage_2_to_3_months" if weeks < 12 else "miscarriage_3_to_7_months"


def _family_planning(log: CityLog, rng: random.Random, person: Person, month: Month) -> None:
    day = person.insured_by(month.day(rng.randint(4, 26)))
    _medical(log, rng, person, day, "family_planning", service_on=day)


def _prenatal_per_capita(log: CityLog, month: Month, mothers: int) -> None:
    """Huainan pays prenatal care by head: one sum a month to each maternity hospital, no case of a person."""
    price = policy.price(log.city.region_code, "prenatal", month.first)
    assert price is not None
    for hospital in (3, 4):
        settled = settle(
            log,
            month.day(27),
            settlement_kind="per_capita",
            institution_code=log.city.institution(hospital),
            insurance_type="310",
            benefit_item="prenatal",
            payment_method="per_capita",
            service_on=month.last,
            pooled_amount=Fen(price * (mothers // 2 + hospital - 2)),
        )
        pay(log, settled, month.plus(1).day(15))
