"""Registration facts: the opening population, then newcomers, changes and leavers."""

from __future__ import annotations

from datetime import date

from runtime.samples.log import CityLog
from runtime.samples.population import Employer, Person, Population
from runtime.samples.values import FIRST_MONTH, Value

OPENING_DAY = FIRST_MONTH.first
_NEW_BASES_ON_DAY = 8


def record(log: CityLog, population: Population) -> None:
    """All registration facts of the sample period, in the order of their dates."""
    for employer in population.employers:
        register(log, employer, OPENING_DAY)
    for person in sorted(population.persons, key=lambda person: person.since):
        enrol(log, person)
    for person in population.persons:
        change(log, person)
    for employer in population.employers:
        if employer.closed_on:
            log.add("registration", "employer.closed", employer.closed_on, employer_no=employer.number)


def register(log: CityLog, employer: Employer, day: date) -> None:
    """An employer registers."""
    log.add(
        "registration",
        "employer.registered",
        day,
        employer_no=employer.number,
        employer_credit_code=employer.credit_code,
        employer_name=employer.name,
        employer_type=employer.kind,
    )


def enrol(log: CityLog, person: Person) -> None:
    """A person's enrolments begin, one for each insurance of the day."""
    identity: dict[str, Value | None] = {"certificate_no": person.certificate_no, "name": person.name}
    if log.city.grouped_amounts:
        identity |= {"birth_date": person.birth_date, "sex": person.sex}
    for insurance_type in _insurances(log, person):
        _enrolment(
            log, "enrollment.started", person.since, person, insurance_type, **identity, contribution_base=person.base
        )


def _insurances(log: CityLog, person: Person) -> tuple[str, ...]:
    maternity = person.category == "employee" and person.since < log.city.merger
    return ("310", "510") if maternity else ("310",)


def _enrolment(
    log: CityLog, event_type: str, day: date, person: Person, insurance_type: str, **columns: Value | None
) -> None:
    log.add(
        "registration",
        event_type,
        day,
        employer_no=person.employer.number if person.employer else None,
        person_no=person.number,
        insurance_type=insurance_type,
        enrollment_category=person.category,
        worker_group=person.worker_group,
        **columns,
    )


def change(log: CityLog, person: Person) -> None:
    """What becomes of the enrolments: another base, and their end."""
    new_base_on = person.new_base_from.day(_NEW_BASES_ON_DAY)
    if person.new_base is not None and (person.until is None or person.until > new_base_on):
        _enrolment(log, "enrollment.changed", new_base_on, person, "310", contribution_base=person.new_base)
    if person.until is None:
        return
    # Maternity enrolments of before the merger have gone over into the medical one: nothing is left of them to end.
    for insurance_type in _insurances(log, person) if person.until < log.city.merger else ("310",):
        _enrolment(log, "enrollment.ended", person.until, person, insurance_type, reason=person.end_reason)
    if person.end_reason == "retired":
        log.add(
            "registration",
            "enrollment.started",
            person.until,
            person_no=person.number,
            insurance_type="310",
            enrollment_category="retiree",
            certificate_no=person.certificate_no,
            name=person.name,
        )
