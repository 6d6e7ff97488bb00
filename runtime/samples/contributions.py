"""Contributions: assessed every month, collected in time, late or not at all, refunded now and then."""

from __future__ import annotations

import random
from dataclasses import dataclass
from datetime import date

from runtime.samples import policy
from runtime.samples.log import CityLog, Row, day_of, fen, text
from runtime.samples.population import Employer, Person, Population
from runtime.samples.values import LAST_DAY, MONTHS, Fen, Month, days_after, share, yuan

_LATE_FEE_POINTS_PER_DAY = 5
_UNIDENTIFIED_MONTHS = MONTHS[1::3]


@dataclass(frozen=True)
class _Payment:
    """When an employer pays one month of one insurance, and under which tax voucher."""

    on: date | None
    days_late: int
    receipt_no: str


def record(log: CityLog, population: Population) -> None:
    """All contribution facts of the sample period, month by month."""
    rng = log.rng("contribution")
    for month in MONTHS:
        _employees(log, rng, population, month)
        _flexible(log, population, month)
        _make_up_payment(log, rng, population, month)
    _late_fee_alone(log, population)
    _refunds(log, rng)
    _wrong_fund(log)


def _due(log: CityLog, person: Person, month: Month, insurance_type: str) -> tuple[Fen, Fen]:
    """What employer and person owe for ``month``: rates on the base within floor and ceiling, less a relief."""
    kind = person.employer.kind if person.employer else ""
    employer_rate, personal_rate = policy.rates(
        log.city.region_code, kind, person.category, insurance_type, month.first
    )
    floor, ceiling = policy.base_limits(log.city.region_code, month.first)
    base = min(max(person.base_in(month), floor), ceiling)
    due_share = policy.employer_share_due(log.city.region_code, kind, insurance_type, month.first)
    return share(base, employer_rate, due_share), share(base, personal_rate)


def _insurances(log: CityLog, month: Month) -> tuple[str, ...]:
    return ("310", "510") if month.first < log.city.merger else ("310",)


def _employees(log: CityLog, rng: random.Random, population: Population, month: Month) -> None:
    payments: dict[tuple[str, str], _Payment] = {}
    for person in population.active(month, "employee"):
        employer = person.employer
        assert employer is not None
        for insurance_type in _insurances(log, month):
            key = (employer.number, insurance_type)
            if key not in payments:
                payments[key] = _payment(log, rng, population, employer, month, insurance_type)
            _employee(log, person, month, insurance_type, payments[key])


def _payment(
    log: CityLog, rng: random.Random, population: Population, employer: Employer, month: Month, insurance_type: str
) -> _Payment:
    receipt_no = f"{log.city.prefix}SP{month.year}{month.month:02d}{employer.number[-4:]}{insurance_type}"
    day, draw = month.day(rng.randint(6, 21)), rng.random()
    if insurance_type == "510" and employer is population.employers[3]:
        return _late(days_after(log.city.merger, 45), month, receipt_no)
    if draw < 0.015:
        return _Payment(None, 0, receipt_no)
    if draw < 0.055:
        return _late(days_after(month.last, rng.randint(9, 70)), month, receipt_no)
    return _Payment(day, 0, receipt_no)


def _late(day: date, month: Month, receipt_no: str) -> _Payment:
    if day >= LAST_DAY:
        return _Payment(None, 0, receipt_no)
    return _Payment(day, max((day - month.last).days, 0), receipt_no)


def _employee(log: CityLog, person: Person, month: Month, insurance_type: str, payment: _Payment) -> None:
    employer_amount, personal_amount = _due(log, person, month, insurance_type)
    _assess(log, person, month, insurance_type, employer_amount, personal_amount)
    if payment.on is None:
        return
    late_fee = share(employer_amount + personal_amount, _LATE_FEE_POINTS_PER_DAY * payment.days_late)
    _collect(
        log,
        person,
        month,
        payment.on,
        insurance_type=insurance_type,
        employer_amount=employer_amount,
        personal_amount=personal_amount or None,
        late_fee=late_fee or None,
        receipt_no=payment.receipt_no,
        deposit_account="treasury",
    )


def _assess(
    log: CityLog, person: Person, month: Month, insurance_type: str, employer_amount: Fen, personal_amount: Fen
) -> None:
    log.add(
        "contribution",
        "contribution.assessed",
        month.day(3),
        **_identity(person, month),
        insurance_type=insurance_type,
        employer_amount=employer_amount or None,
        personal_amount=personal_amount or None,
    )


def _identity(person: Person, month: Month) -> Row:
    identity: Row = {
        "person_no": person.number,
        "enrollment_category": person.category,
        "contribution_month": month,
        "contribution_base": person.base_in(month),
        "name": person.name,
    }
    if person.employer:
        identity["employer_no"] = person.employer.number
    return identity


def _collect(log: CityLog, person: Person, month: Month, day: date, **columns: str | Fen | None) -> Row:
    return log.add("contribution", "contribution.collected", day, **_identity(person, month), **columns)


def _flexible(log: CityLog, population: Population, month: Month) -> None:
    """Flexible workers pay for themselves; one in the first months pays by a transfer nobody can place at first."""
    for place, person in enumerate(population.active(month, "flexible")):
        _, amount = _due(log, person, month, "310")
        _assess(log, person, month, "310", Fen(0), amount)
        if place == 0 and month in _UNIDENTIFIED_MONTHS:
            _unplaced_receipt(log, person, month, amount)
        elif place % 29 != 7:
            _collect_flexible(log, person, month, month.day(4 + place % 16), amount, log.city.flexible_deposit)


def _collect_flexible(
    log: CityLog, person: Person, month: Month, day: date, amount: Fen, deposit: str, original: str | None = None
) -> None:
    _collect(
        log,
        person,
        month,
        day,
        insurance_type="310",
        personal_amount=amount,
        personal_account_credit=share(person.base_in(month), 200) if log.city.region_code == "320100" else None,
        receipt_no=f"{log.city.prefix}LH{month.year}{month.month:02d}{person.number[-6:]}",
        deposit_account=deposit,
        original_event_key=original,
    )


def _unplaced_receipt(log: CityLog, person: Person, month: Month, amount: Fen) -> None:
    receipt = log.treasury(
        "receipt.unidentified",
        month.day(11),
        "EMI",
        account="special_demand",
        amount=amount + yuan(30),
        counterparty="附言不清的个人汇款",
    )
    key = text(receipt, "source_event_key")
    _collect_flexible(log, person, month, month.day(24), amount, "temporary_receipt", key)
    log.treasury(
        "receipt.identified",
        month.day(25),
        "EMI",
        sub_fund="pooled",
        amount=yuan(30),
        identified_as="490109",
        original_event_key=key,
    )


def _make_up_payment(log: CityLog, rng: random.Random, population: Population, month: Month) -> None:
    """A retiree short of contribution years pays the rest at once."""
    retirees = population.active(month, "retiree")
    if month.month % 3 or not retirees:
        return
    _collect(
        log,
        rng.choice(retirees),
        month,
        month.day(16),
        insurance_type="310",
        personal_amount=yuan(rng.randrange(2_000, 9_000, 10)),
        receipt_no=f"{log.city.prefix}BJ{month.year}{month.month:02d}",
        deposit_account="treasury",
    )


def paid_in_time(log: CityLog, person: Person) -> None:
    """An employee's premiums of all months of the enrolment, assessed and collected under one voucher a month."""
    assert person.employer is not None
    for month in (month for month in MONTHS if person.active(month)):
        for insurance_type in _insurances(log, month):
            receipt_no = (
                f"{log.city.prefix}SP{month.year}{month.month:02d}{person.employer.number[-4:]}{insurance_type}"
            )
            _employee(log, person, month, insurance_type, _Payment(month.day(12), 0, receipt_no))


def raised(log: CityLog, person: Person, before: Person, month: Month, day: date) -> None:
    """A month is assessed anew on another base, for the whole of it, and the difference collected."""
    amounts, paid = _due(log, person, month, "310"), _due(log, before, month, "310")
    log.add(
        "contribution",
        "contribution.assessed",
        day,
        **_identity(person, month),
        insurance_type="310",
        employer_amount=amounts[0],
        personal_amount=amounts[1],
    )
    _collect(
        log,
        person,
        month,
        day,
        insurance_type="310",
        employer_amount=amounts[0] - paid[0],
        personal_amount=amounts[1] - paid[1],
        receipt_no=f"{log.city.prefix}BJ{day:%Y%m}{person.number[-4:]}",
        deposit_account="treasury",
    )


def _late_fee_alone(log: CityLog, population: Population) -> None:
    """A late fee claimed after the premium itself had been paid."""
    person = population.active(MONTHS[2], "employee")[0]
    _collect(
        log,
        person,
        MONTHS[2],
        MONTHS[4].day(9),
        insurance_type="310",
        late_fee=Fen(4_215),
        receipt_no=f"{log.city.prefix}ZN0001",
        deposit_account="treasury",
    )


def _refunds(log: CityLog, rng: random.Random) -> None:
    """Overpaid premiums go back: of 310 in the same and a later year, of 510 before and after the merger."""
    collected = [row for row in log.of_type("contribution.collected") if fen(row, "employer_amount")]
    medical = [row for row in collected if row["insurance_type"] == "310"]
    maternity = [row for row in collected if row["insurance_type"] == "510" and day_of(row) < log.city.merger]
    early = [row for row in medical if day_of(row) < date(2019, 11, 1)]
    for row in rng.sample(early, 3):
        _refund(log, row, days_after(day_of(row), 40), 1)
    for row in rng.sample(early, 2):
        _refund(log, row, date(2020, 3, rng.randint(3, 27)), 2)
    first_month = [row for row in maternity if day_of(row) < date(2019, 10, 1)]
    _refund(log, first_month[5], date(2019, 11, 12), 1)
    _refund(log, first_month[9], date(2020, 2, 14), 1)


def _refund(log: CityLog, collected: Row, day: date, parts: int) -> None:
    """Give back one ``parts``-th of a collection, from the fiscal special account."""
    log.add(
        "contribution",
        "contribution.refunded",
        day,
        **_copied(collected),
        employer_amount=Fen(fen(collected, "employer_amount") // parts),
        personal_amount=Fen(fen(collected, "personal_amount") // parts) or None,
        receipt_no=text(collected, "receipt_no"),
        deposit_account="special",
        original_event_key=text(collected, "source_event_key"),
    )


def _copied(row: Row) -> Row:
    names = (
        "person_no",
        "employer_no",
        "enrollment_category",
        "contribution_month",
        "insurance_type",
        "contribution_base",
        "name",
    )
    return {name: row[name] for name in names if name in row}


def _wrong_fund(log: CityLog) -> None:
    """A medical premium that had been paid in as maternity: out of one fund, into the other, same day and voucher."""
    paid = next(
        row
        for row in reversed(log.of_type("contribution.collected"))
        if row["insurance_type"] == "510" and day_of(row) < date(2019, 10, 1)
    )
    day = date(2019, 10, 30)
    _refund(log, paid, day, 1)
    log.add(
        "contribution",
        "contribution.collected",
        day,
        **{**_copied(paid), "insurance_type": "310"},
        employer_amount=fen(paid, "employer_amount"),
        receipt_no=text(paid, "receipt_no"),
        deposit_account="special",
    )
