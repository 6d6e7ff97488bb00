"""Care that was not given, or not like this: stays split, overlapping, after death, outside enrolment, billed twice."""

from __future__ import annotations

import random
from datetime import date, timedelta

from runtime.samples.claims import pay, settle
from runtime.samples.frauds.scene import Scene
from runtime.samples.log import Row, day_of
from runtime.samples.population import Employer, Person
from runtime.samples.values import MONTHS, Fen, yuan


def patients_of_a_firm(
    scene: Scene, rng: random.Random, count: int, born: tuple[int, int] = (1966, 1980), sex: str = ""
) -> list[Person]:
    """Staff of one firm, of middle age unless said otherwise."""
    firm = scene.employer(6_000)
    return [_patient(scene, rng, firm, born=born, sex=sex) for _ in range(count)]


def _patient(
    scene: Scene,
    rng: random.Random,
    firm: Employer | None,
    until: date | None = None,
    reason: str = "left_employer",
    born: tuple[int, int] = (1966, 1980),
    sex: str = "",
) -> Person:
    day = date(rng.randint(*born), rng.randint(1, 12), rng.randint(1, 28))
    base, sex = rng.randrange(5_000, 7_000, 100), sex or rng.choice("FM")
    return scene.employee(firm, base, rng, born=day, sex=sex, until=until, reason=reason)


def split_stay(
    scene: Scene, rng: random.Random, *, patients: int, parts: int, gap_days: tuple[int, int], hospital: int
) -> None:
    """One hospital discharges and admits again on the same or the next days: one stay is billed as several."""
    for person in patients_of_a_firm(scene, rng, patients):
        claims: list[Row] = []
        admitted = MONTHS[rng.randint(1, 7)].day(rng.randint(1, 12))
        for _ in range(parts):
            days = rng.randint(5, 7)
            claims.append(scene.stay(person, admitted, days, hospital, rng.randint(5_200, 9_800)))
            admitted += timedelta(days=days + rng.randint(*gap_days))
        scene.remember("split_stay", claims)


def overlapping_stay(scene: Scene, rng: random.Random, *, cases: int, same_hospital: bool) -> None:
    """A patient lies in two beds at once."""
    for person in patients_of_a_firm(scene, rng, cases):
        admitted = MONTHS[rng.randint(1, 7)].day(rng.randint(2, 14))
        claims = [
            scene.stay(person, admitted, 9, 0, rng.randint(6_000, 11_000)),
            scene.stay(person, admitted + timedelta(days=3), 8, 0 if same_hospital else 2, rng.randint(6_000, 11_000)),
        ]
        scene.remember("overlapping_stay", claims)


def after_death(scene: Scene, rng: random.Random, *, days_after: int, item: str, cases: int) -> None:
    """Care is settled for somebody who had died."""
    firm = scene.employer(6_000)
    for place in range(cases):
        died = MONTHS[4].day(4 + place * 6)
        person = _patient(scene, rng, firm, until=died, reason="died")
        day = died + timedelta(days=days_after)
        if item == "inpatient":
            claim = scene.stay(person, day, 6, 2, 7_400)
        else:
            claim = scene.medical(person, day, item, 2, yuan(460))
        scene.remember("after_death", [claim])


def outside_enrolment(scene: Scene, rng: random.Random, *, days_after: int, cases: int) -> None:
    """Care is settled long after the enrolment has ended and none has begun."""
    firm = scene.employer(6_000)
    for place in range(cases):
        left = MONTHS[3].day(3 + place * 5)
        person = _patient(scene, rng, firm, until=left)
        claim = scene.stay(person, left + timedelta(days=days_after), 5, 2, 6_900)
        scene.remember("outside_enrolment", [claim])


def duplicate_billing(scene: Scene, rng: random.Random, *, cases: int, days_later: int) -> None:
    """The same stay is billed again under another number."""
    for person in patients_of_a_firm(scene, rng, cases):
        first = scene.stay(person, MONTHS[rng.randint(1, 6)].day(rng.randint(2, 18)), 6, 2, rng.randint(5_500, 9_500))
        day = day_of(first) + timedelta(days=days_later)
        again = scene.settled_again(first, day, day + timedelta(days=20))
        scene.remember("duplicate_billing", [first, again])


def visits_while_inpatient(scene: Scene, rng: random.Random, *, cases: int) -> None:
    """A hanging bed: during the stay the patient goes to work, to other doctors and shops with the card."""
    for person in patients_of_a_firm(scene, rng, cases):
        admitted = MONTHS[rng.randint(1, 7)].day(rng.randint(2, 12))
        claims = [scene.stay(person, admitted, 12, 2, rng.randint(8_000, 12_000))]
        claims += [
            scene.medical(person, admitted + timedelta(days=days), "outpatient", 4, Fen(rng.randint(9_000, 30_000)))
            for days in (2, 5, 8)
        ]
        scene.remember("visits_while_inpatient", claims)


def readmitted_elsewhere(scene: Scene, rng: random.Random, *, cases: int) -> None:
    """Looks like a split stay: worse after two days at home, taken in by another hospital."""
    for person in patients_of_a_firm(scene, rng, cases):
        admitted = MONTHS[rng.randint(1, 6)].day(rng.randint(2, 12))
        claims = [
            scene.stay(person, admitted, 8, 2, rng.randint(6_000, 11_000)),
            scene.stay(person, admitted + timedelta(days=10), 11, 0, rng.randint(9_000, 15_000)),
        ]
        scene.remember("readmitted_elsewhere", claims, is_fraud=False)


def transferred(scene: Scene, rng: random.Random, *, cases: int) -> None:
    """Looks like overlapping stays: discharged from one hospital and admitted to another on one day."""
    for person in patients_of_a_firm(scene, rng, cases):
        admitted = MONTHS[rng.randint(1, 6)].day(rng.randint(2, 12))
        claims = [
            scene.stay(person, admitted, 3, 2, rng.randint(3_000, 6_000)),
            scene.stay(person, admitted + timedelta(days=3), 12, 0, rng.randint(12_000, 18_000)),
        ]
        scene.remember("transferred", claims, is_fraud=False)


def regular_patient(scene: Scene, rng: random.Random, *, cases: int) -> None:
    """Looks like a split stay: cycles of treatment in one hospital every five weeks."""
    for person in patients_of_a_firm(scene, rng, cases):
        first = MONTHS[1].day(rng.randint(2, 12))
        claims = [scene.stay(person, first + timedelta(days=35 * turn), 4, 2, 5_600) for turn in range(5)]
        scene.remember("regular_patient", claims, is_fraud=False)


def settled_after_death(scene: Scene, rng: random.Random, *, cases: int) -> None:
    """Looks like care after death: the last stay ended with the death and is settled three weeks later."""
    firm = scene.employer(6_000)
    for place in range(cases):
        died = MONTHS[5].day(5 + place * 4)
        person = _patient(scene, rng, firm, until=died, reason="died")
        settled = settle(
            scene.log,
            died + timedelta(days=21),
            person_no=person.number,
            name=person.name,
            insurance_type="310",
            benefit_item="inpatient",
            payment_method=scene.log.city.inpatient_method,
            institution_code=scene.log.city.institution(2),
            admitted_on=died - timedelta(days=9),
            discharged_on=died,
            service_on=died,
            medical_fee_total=yuan(9_400),
            pooled_amount=yuan(8_000),
            personal_cash_amount=yuan(1_400),
        )
        pay(scene.log, settled, died + timedelta(days=40))
        scene.remember("settled_after_death", [settled], is_fraud=False)
