"""Births that can't have been, and institutions whose births cost more than elsewhere."""

from __future__ import annotations

import random
from datetime import date, timedelta

from runtime.samples import identifiers, policy
from runtime.samples.frauds.scene import Scene
from runtime.samples.log import Row
from runtime.samples.population import Employer, Person
from runtime.samples.values import LAST_DAY, MONTHS, Fen, yuan


def _staff(scene: Scene, rng: random.Random, wage: int = 6_600) -> Employer:
    """A firm large enough that a few births in it are nothing special."""
    firm = scene.employer(wage)
    for _ in range(24):
        scene.employee(firm, rng.randrange(wage - 1_500, wage + 1_500, 100), rng, sex=rng.choice("FM"))
    return firm


def _mothers(scene: Scene, rng: random.Random, count: int) -> list[Person]:
    """Women of ordinary firms, one mother to each 25 staff."""
    return [scene.employee(_staff(scene, rng), 6_200, rng) for _ in range(count)]


def two_births(scene: Scene, rng: random.Random, *, days_between: int, cases: int) -> None:
    """One woman gives birth twice within months."""
    for place, mother in enumerate(_mothers(scene, rng, cases)):
        first = date(2019, 10, 12) + timedelta(days=place * 8)
        claims = scene.birth(mother, first, hospital=3)
        claims += scene.birth(mother, first + timedelta(days=days_between), hospital=4)
        scene.remember("two_births", claims)


def impossible_birth(scene: Scene, rng: random.Random, *, kind: str, cases: int) -> None:
    """A mother of 58 or of 11, five children at once, a birth in the twentieth week or in the forty-seventh."""
    for place in range(cases):
        born_in = {"old": 1962, "young": 2008}.get(kind)
        mother = scene.employee(_staff(scene, rng), 6_200, rng, born=date(born_in, 3, 5 + place) if born_in else None)
        children = 5 if kind == "children" else 1
        weeks = {"weeks": 20, "carried": 47}.get(kind, 39)
        claims = scene.birth(mother, date(2020, 1, 14) + timedelta(days=place * 21), children=children, weeks=weeks)
        scene.remember("impossible_birth", claims)


def two_regions(scene: Scene, rng: random.Random, *, cases: int) -> None:
    """One birth is claimed in two cities: in each she is enrolled under the same identity. Staged in every city."""
    shared = scene.shared_rng(f"two_regions:{cases}")
    for place in range(cases):
        born = date(shared.randint(1986, 1995), shared.randint(1, 12), shared.randint(1, 28))
        mother = scene.employee(_staff(scene, rng), 6_200, rng, born=born, certificate=_certificate(born, 700 + place))
        claims = scene.birth(mother, date(2020, 2, 10) + timedelta(days=place * 9))
        scene.remember("two_regions", claims)


def _certificate(born: date, serial: int) -> str:
    """An identity of a third region, the same in every city."""
    return identifiers.certificate_no("330100", born, serial, "F")


def upcoding(scene: Scene, rng: random.Random, *, births: int, caesarean: int, hospital: int) -> None:
    """One hospital bills nearly every birth as a caesarean."""
    claims: list[Row] = []
    for place in range(births):
        if place % 8 == 0:
            firm = _staff(scene, rng)
        mother = scene.employee(firm, 6_200, rng)
        born = date(2019, 10, 4) + timedelta(days=place * 240 // births)
        item = "delivery_caesarean" if place < caesarean else "delivery_normal"
        claims.append(scene.delivery(mother, born, item, hospital))
    scene.remember("upcoding", claims, institutions=[hospital])


def cost_inflation(scene: Scene, rng: random.Random, *, stays: int, factor: float, hospital: int) -> None:
    """One hospital's stays cost a multiple of what they cost elsewhere."""
    claims: list[Row] = []
    for place in range(stays):
        if place % 10 == 0:
            firm = _staff(scene, rng)
        patient = scene.employee(firm, 6_200, rng, born=date(1968 + place % 12, 4, 1 + place % 28))
        usual = rng.randint(5_000, 26_000) * scene.log.city.fee_percent // 105  # the patient adds a twentieth
        day = MONTHS[1 + place % 8].day(3 + place % 15)
        claims.append(scene.stay(patient, day, rng.randint(4, 9), hospital, int(usual * factor)))
    scene.remember("cost_inflation", claims, institutions=[hospital])


def prenatal_over_rule(scene: Scene, rng: random.Random, *, percent: int, visits: int, cases: int) -> None:
    """Prenatal care of one pregnancy is billed above what the rule gives for it, in parts that are each below."""
    for place, mother in enumerate(_mothers(scene, rng, cases)):
        born = date(2020, 5, 12) + timedelta(days=place * 5)
        claims = _prenatal(scene, rng, mother, born, visits, percent)
        claims += scene.birth(mother, born)
        scene.remember("prenatal_over_rule", claims)


def _prenatal(scene: Scene, rng: random.Random, mother: Person, born: date, visits: int, percent: int) -> list[Row]:
    """Visits after the merger that come to so many per cent of the price of a pregnancy."""
    price = policy.price(scene.region, "prenatal", scene.log.city.merger) or yuan(1_000)
    each = Fen(price * percent // 100 // visits)
    first = scene.log.city.merger + timedelta(days=6)
    step = (born - first).days // (visits + 1)
    return [
        scene.medical(
            mother,
            day := first + timedelta(days=step * visit),
            "prenatal",
            rng.choice((3, 4)),
            each,
            gestation_weeks=40 - (born - day).days // 7,
        )
        for visit in range(visits)
    ]


def twins(scene: Scene, rng: random.Random, *, cases: int) -> None:
    """Looks like two births: two children in one."""
    for place, mother in enumerate(_mothers(scene, rng, cases)):
        claims = scene.birth(mother, date(2020, 1, 20) + timedelta(days=place * 30), "delivery_caesarean", 3, 2, 36)
        scene.remember("twins", claims, is_fraud=False)


def miscarriage_then_birth(scene: Scene, rng: random.Random, *, cases: int) -> None:
    """Looks like two births: a miscarriage in September and a birth in late June."""
    for place, mother in enumerate(_mothers(scene, rng, cases)):
        lost = date(2019, 9, 5) + timedelta(days=place)
        claims = [scene.medical(mother, lost, "miscarriage", 3, yuan(1_300), gestation_weeks=7)]
        claims.append(scene.delivery(mother, date(2020, 6, 20) + timedelta(days=place)))
        scene.remember("miscarriage_then_birth", claims, is_fraud=False)


def high_risk_hospital(scene: Scene, rng: random.Random, *, births: int, hospital: int) -> None:
    """Looks like upcoding: a centre for multiple births, where three of four caesareans are of twins."""
    claims: list[Row] = []
    for place in range(births):
        if place % 8 == 0:
            firm = _staff(scene, rng)
        mother = scene.employee(firm, 6_200, rng)
        born = date(2019, 10, 7) + timedelta(days=place * 240 // births)
        twin = place % 5 < 3
        item = "delivery_caesarean" if twin or place % 5 == 3 else "delivery_normal"
        claims.append(scene.delivery(mother, born, item, hospital, 2 if twin else 1, 36 if twin else 39))
    scene.remember("high_risk_hospital", claims, is_fraud=False, institutions=[hospital])


def few_dear_stays(scene: Scene, rng: random.Random, *, hospital: int) -> None:
    """Looks like cost inflation: a clinic with four stays, three of which were grave."""
    firm = _staff(scene, rng)
    claims = [
        scene.stay(
            scene.employee(firm, 6_200, rng, born=date(1970, 2, 3 + place)),
            MONTHS[2 + place].day(5),
            14,
            hospital,
            cost,
        )
        for place, cost in enumerate((48_000, 52_000, 7_000, 61_000))
    ]
    scene.remember("few_dear_stays", claims, is_fraud=False, institutions=[hospital])


def prenatal_at_rule(scene: Scene, rng: random.Random, *, cases: int) -> None:
    """Looks like too much prenatal care: exactly what the rule gives, in five visits."""
    for place, mother in enumerate(_mothers(scene, rng, cases)):
        born = min(date(2020, 5, 9) + timedelta(days=place * 5), LAST_DAY)
        claims = _prenatal(scene, rng, mother, born, 5, 100) + scene.birth(mother, born)
        scene.remember("prenatal_at_rule", claims, is_fraud=False)


def older_mother(scene: Scene, rng: random.Random, *, cases: int) -> None:
    """Looks impossible: a first child at 45."""
    for place in range(cases):
        mother = scene.employee(_staff(scene, rng), 6_200, rng, born=date(1975, 1, 5 + place))
        scene.remember("older_mother", scene.birth(mother, date(2020, 2, 20)), is_fraud=False)


def mans_operation(scene: Scene, rng: random.Random, *, cases: int) -> None:
    """Looks like a man's maternity claim: a vasectomy is family planning."""
    for place in range(cases):
        man = scene.employee(_staff(scene, rng), 6_200, rng, sex="M")
        day = date(2020, 3, 4) + timedelta(days=place * 9)
        claim = scene.medical(man, day, "family_planning", 3, yuan(900))
        scene.remember("mans_operation", [claim], is_fraud=False)
