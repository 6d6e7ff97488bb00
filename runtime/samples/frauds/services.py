"""Services that were not rendered, or cut into pieces: small bills in rows, equal fees, beds kept, operations again."""

from __future__ import annotations

import random
from datetime import date, timedelta

from runtime.samples.frauds.scene import Scene
from runtime.samples.frauds.stays import patients_of_a_firm
from runtime.samples.log import Row
from runtime.samples.values import MONTHS, Fen, yuan


def split_charge(scene: Scene, rng: random.Random, *, bills: int, days: int, cases: int) -> None:
    """One course of treatment is charged in many small bills within days."""
    for person in patients_of_a_firm(scene, rng, cases):
        first = MONTHS[rng.randint(1, 7)].day(rng.randint(2, 8))
        claims = [
            scene.medical(
                person, first + timedelta(days=place * days // bills), "outpatient", 4, Fen(rng.randint(8_000, 20_000))
            )
            for place in range(bills)
        ]
        scene.remember("split_charge", claims)


def equal_fees(scene: Scene, rng: random.Random, *, bills: int, fee: int, hospital: int) -> None:
    """A clinic bills the same round fee for nearly everybody: services made up."""
    claims: list[Row] = []
    for place, person in enumerate(patients_of_a_firm(scene, rng, bills)):
        own = place % 8 == 7
        amount = Fen(rng.randint(9_000, 60_000)) if own else yuan(fee)
        claims.append(scene.medical(person, MONTHS[1 + place % 8].day(3 + place % 20), "outpatient", hospital, amount))
    scene.remember("equal_fees", claims, institutions=[hospital])


def bed_kept(scene: Scene, rng: random.Random, *, days: int, pooled: int, cases: int) -> None:
    """A stay of weeks that costs next to nothing a day: nobody lies in the bed."""
    for person in patients_of_a_firm(scene, rng, cases):
        scene.remember("bed_kept", [scene.stay(person, MONTHS[rng.randint(1, 5)].day(4), days, 2, pooled)])


def operated_again(scene: Scene, rng: random.Random, *, operations: int, days_between: int, cases: int) -> None:
    """One woman has the same operation again and again."""
    for person in patients_of_a_firm(scene, rng, cases, born=(1984, 1994), sex="F"):
        first = date(2019, 9, 10)
        claims = [
            scene.medical(
                person, first + timedelta(days=turn * days_between), "miscarriage", 3, yuan(1_300), gestation_weeks=8
            )
            for turn in range(operations)
        ]
        scene.remember("operated_again", claims)


def course_of_treatment(scene: Scene, rng: random.Random, *, cases: int) -> None:
    """Looks like a split charge: a weekly visit for two months."""
    for person in patients_of_a_firm(scene, rng, cases):
        first = MONTHS[3].day(rng.randint(2, 8))
        claims = [
            scene.medical(person, first + timedelta(days=7 * week), "outpatient", 4, Fen(rng.randint(9_000, 20_000)))
            for week in range(8)
        ]
        scene.remember("course_of_treatment", claims, is_fraud=False)


def long_rehabilitation(scene: Scene, rng: random.Random, *, cases: int) -> None:
    """Looks like a bed kept: four weeks of rehabilitation at its ordinary cost."""
    for person in patients_of_a_firm(scene, rng, cases):
        claim = scene.stay(person, MONTHS[rng.randint(1, 5)].day(4), 27, 0, rng.randint(16_000, 21_000))
        scene.remember("long_rehabilitation", [claim], is_fraud=False)
