"""Who can't be: pregnancies that overlap, births in two regions, an account of the dead, insured children."""

from __future__ import annotations

import random
from datetime import date, timedelta

from runtime.samples import identifiers, maternity, policy
from runtime.samples.frauds.scene import Scene
from runtime.samples.population import Person
from runtime.samples.values import MONTHS, Fen, yuan

_CERTIFICATE_REGION = "330200"


def _mother(scene: Scene, rng: random.Random) -> Person:
    return scene.employee(scene.firm(rng, 24), 6_200, rng)


def _shared(scene: Scene, rng: random.Random, pattern: str, place: int) -> Person:
    """Insured in every city under one identity."""
    shared = scene.shared_rng(f"{pattern}:{place}")
    born = date(shared.randint(1986, 1995), shared.randint(1, 12), shared.randint(1, 28))
    number = identifiers.certificate_no(_CERTIFICATE_REGION, born, 600 + place, "F")
    return scene.employee(scene.firm(rng, 24), 6_200, rng, born=born, certificate=number)


def births_in_two_regions(scene: Scene, rng: random.Random, *, days_between: int, cases: int) -> None:
    """One woman gives birth in both cities, months apart. Staged in every city."""
    is_second = scene.log.city.source_system == "huainan"
    for place in range(cases):
        mother = _shared(scene, rng, "births", place)
        born = date(2019, 11, 4) + timedelta(days=place * 9 + (days_between if is_second else 0))
        scene.remember("births_in_two_regions", scene.birth(mother, born))


def visits_in_another_region(scene: Scene, rng: random.Random, *, cases: int) -> None:
    """While she lies in hospital in one city her card is used in the other. Staged in every city."""
    is_second = scene.log.city.source_system == "huainan"
    for place in range(cases):
        patient = _shared(scene, rng, "visits", 50 + place)
        admitted = date(2020, 2, 3) + timedelta(days=place * 11)
        if is_second:
            claims = [
                scene.medical(
                    patient, admitted + timedelta(days=days), "outpatient", 4, Fen(rng.randint(9_000, 30_000))
                )
                for days in (3, 6, 8)
            ]
        else:
            claims = [scene.stay(patient, admitted, 12, 2, 9_400)]
        scene.remember("visits_in_another_region", claims)


def dead_elsewhere(scene: Scene, rng: random.Random, *, cases: int) -> None:
    """Insured in both cities: one knows of the death, in the other the card goes on. Staged in every city."""
    knows = scene.log.city.source_system == "nanjing"
    for place in range(cases):
        died = MONTHS[4].day(6 + place * 5)
        shared = scene.shared_rng(f"dead:{place}")
        born = date(shared.randint(1962, 1968), shared.randint(1, 12), shared.randint(1, 28))
        number = identifiers.certificate_no(_CERTIFICATE_REGION, born, 680 + place, "F")
        firm = scene.firm(rng, 24)
        if knows:
            scene.employee(firm, 6_200, rng, born=born, certificate=number, until=died, reason="died")
        else:
            person = scene.employee(firm, 6_200, rng, born=born, certificate=number)
            claims = [
                scene.medical(person, died + timedelta(days=days), "outpatient_chronic", 4, yuan(380))
                for days in (20, 55)
            ]
            scene.remember("dead_elsewhere", claims)


def conceived_before_birth(scene: Scene, rng: random.Random, *, days_between: int, cases: int) -> None:
    """Eight months and more after a birth another, of a child carried to the full term."""
    for place in range(cases):
        mother = _mother(scene, rng)
        first = date(2019, 9, 12) + timedelta(days=place * 7)
        claims = scene.birth(mother, first)
        claims += scene.birth(mother, first + timedelta(days=days_between), hospital=4)
        scene.remember("conceived_before_birth", claims)


def miscarried_after_birth(scene: Scene, rng: random.Random, *, days_after: int, weeks: int, cases: int) -> None:
    """A miscarriage so soon after a birth that the child of the one would have lain beside that of the other."""
    for place in range(cases):
        mother = _mother(scene, rng)
        born = date(2020, 1, 9) + timedelta(days=place * 13)
        claims = scene.birth(mother, born)
        lost = born + timedelta(days=days_after)
        claims.append(scene.medical(mother, lost, "miscarriage", 4, yuan(1_300), gestation_weeks=weeks))
        scene.remember("miscarried_after_birth", claims)


def prenatal_after_birth(scene: Scene, rng: random.Random, *, cases: int) -> None:
    """Visits before the birth go on after it."""
    for place in range(cases):
        mother = _mother(scene, rng)
        born = date(2020, 3, 5) + timedelta(days=place * 6)
        claims = [scene.delivery(mother, born)]
        claims += [scene.medical(mother, born + timedelta(days=days), "prenatal", 3, yuan(150)) for days in (26, 41)]
        scene.remember("prenatal_after_birth", claims)


def multiples_claimed(scene: Scene, rng: random.Random, *, cases: int) -> None:
    """The allowance is for twins, the delivery of one child."""
    for place in range(cases):
        mother = _mother(scene, rng)
        born = date(2020, 2, 6) + timedelta(days=place * 10)
        delivered = scene.delivery(mother, born)
        days = maternity.leave_days(scene.log, born, "delivery_normal", 2)
        claim = scene.allowance(mother, born, days)
        claim["birth_count"] = 2
        scene.remember("multiples_claimed", [delivered, claim])


def account_of_the_dead(scene: Scene, rng: random.Random, *, cases: int) -> None:
    """The account of somebody who has died goes on paying, for another."""
    for place in range(cases):
        firm = scene.firm(rng, 24)
        died = MONTHS[4].day(6 + place * 5)
        holder = scene.employee(firm, 7_200, rng, born=date(1965, 4, 2 + place), until=died, reason="died")
        user = scene.employee(firm, 5_400, rng, sex="M")
        claims = [
            scene.from_account(user, died + timedelta(days=days), item, holder)
            for days, item in ((30, "outpatient"), (52, "pharmacy"), (75, "pharmacy"))
        ]
        scene.remember("account_of_the_dead", claims, persons=[holder])


def account_before_death(scene: Scene, rng: random.Random, *, cases: int) -> None:
    """Looks like an account of the dead: used for the family until days before the death, paid out after it."""
    for place in range(cases):
        firm = scene.firm(rng, 24)
        died = MONTHS[4].day(6 + place * 5)
        holder = scene.employee(firm, 7_200, rng, born=date(1965, 8, 2 + place), until=died, reason="died")
        user = scene.employee(firm, 5_400, rng, sex="M")
        claims = [scene.from_account(user, died - timedelta(days=days), "pharmacy", holder) for days in (40, 3)]
        scene.remember("account_before_death", claims, is_fraud=False, persons=[holder])


def children_insured(scene: Scene, rng: random.Random, *, cases: int) -> None:
    """Children are insured as staff, so that the fund of the employed pays for their stays."""
    firm = scene.firm(rng, 24)
    for place in range(cases):
        child = scene.employee(firm, 5_000, rng, born=date(2009 + place, 5, 3 + place))
        scene.remember("children_insured", [scene.stay(child, MONTHS[4 + place].day(6), 6, 0, 6_700)], employers=[firm])


def young_apprentice(scene: Scene, rng: random.Random, *, cases: int) -> None:
    """Looks like an insured child: somebody of seventeen who works."""
    firm = scene.firm(rng, 24)
    for place in range(cases):
        apprentice = scene.employee(firm, 5_000, rng, born=date(2002, 5, 3 + place), sex="M")
        claim = scene.stay(apprentice, MONTHS[4 + place].day(6), 6, 0, 6_700)
        scene.remember("young_apprentice", [claim], is_fraud=False)


def pregnant_again(scene: Scene, rng: random.Random, *, cases: int) -> None:
    """Looks like a miscarriage of a child already born: lost in the seventh week, five months after the birth."""
    for place in range(cases):
        mother = _mother(scene, rng)
        born = date(2019, 12, 9) + timedelta(days=place * 13)
        claims = scene.birth(mother, born)
        lost = born + timedelta(days=150)
        claims.append(scene.medical(mother, lost, "miscarriage", 4, yuan(1_300), gestation_weeks=7))
        scene.remember("pregnant_again", claims, is_fraud=False)


def older_father(scene: Scene, rng: random.Random, *, cases: int) -> None:
    """Looks impossible: the care of a wife without employment is settled by a husband of 57."""
    for place in range(cases):
        man = scene.employee(scene.firm(rng, 24), 6_200, rng, sex="M", born=date(1962, 6, 4 + place))
        born = date(2020, 2, 20) + timedelta(days=place * 9)
        scene.remember("older_father", [scene.delivery(man, born)], is_fraud=False)


def fathers_leave(scene: Scene, rng: random.Random, *, cases: int) -> None:
    """Looks like an allowance without a birth: the leave of a father, whose wife is insured elsewhere."""
    for place in range(cases):
        man = scene.employee(scene.firm(rng, 24), 6_200, rng, sex="M")
        born = date(2020, 2, 20) + timedelta(days=place * 9)
        days = policy.allowance_days(scene.region, "nursing_leave", born)
        if days:  # elsewhere nothing is paid for it
            scene.remember("fathers_leave", [scene.allowance(man, born, days)], is_fraud=False)
