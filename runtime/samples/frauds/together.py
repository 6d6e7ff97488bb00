"""Beds and cards used in turn or together: stays that go round, groups admitted as one, sales by the dozen."""

from __future__ import annotations

import random
from datetime import timedelta

from runtime.samples.frauds.scene import Scene
from runtime.samples.frauds.stays import patients_of_a_firm
from runtime.samples.log import Row
from runtime.samples.values import MONTHS, Fen


def rotating_stays(scene: Scene, rng: random.Random, *, stays: int, cases: int) -> None:
    """Two hospitals pass a patient to and fro: no stay is long, and the patient never goes home."""
    for person in patients_of_a_firm(scene, rng, cases):
        claims: list[Row] = []
        admitted = MONTHS[2].day(rng.randint(2, 9))
        for turn in range(stays):
            days = rng.randint(11, 13)
            claims.append(scene.stay(person, admitted, days, (2, 0)[turn % 2], rng.randint(5_000, 9_000)))
            admitted += timedelta(days=days + rng.randint(0, 1))
        scene.remember("rotating_stays", claims)


def there_and_back(scene: Scene, rng: random.Random, *, cases: int) -> None:
    """Looks like stays that go round: operated, transferred for rehabilitation, taken back with a complication."""
    for person in patients_of_a_firm(scene, rng, cases):
        admitted = MONTHS[2].day(rng.randint(2, 9))
        claims = [
            scene.stay(person, admitted, 9, 0, rng.randint(9_000, 15_000)),
            scene.stay(person, admitted + timedelta(days=9), 14, 2, rng.randint(5_000, 8_000)),
            scene.stay(person, admitted + timedelta(days=23), 6, 0, rng.randint(6_000, 9_000)),
        ]
        scene.remember("there_and_back", claims, is_fraud=False)


def stay_within_stay(scene: Scene, rng: random.Random, *, cases: int) -> None:
    """A bed for a day in one hospital while lying in another."""
    for person in patients_of_a_firm(scene, rng, cases):
        admitted = MONTHS[rng.randint(1, 7)].day(rng.randint(2, 10))
        claims = [
            scene.stay(person, admitted, 10, 2, rng.randint(6_000, 11_000)),
            scene.stay(person, admitted + timedelta(days=4), 0, 0, rng.randint(1_500, 2_500)),
        ]
        scene.remember("stay_within_stay", claims)


def group_admission(scene: Scene, rng: random.Random, *, patients: int, hospital: int) -> None:
    """Staff of one firm are admitted on one day and discharged on another, all of them together."""
    admitted = MONTHS[3].day(9)
    claims = [
        scene.stay(person, admitted, 8, hospital, rng.randint(4_000, 6_000))
        for person in patients_of_a_firm(scene, rng, patients)
    ]
    scene.remember("group_admission", claims)


def colleagues_by_chance(scene: Scene, rng: random.Random) -> None:
    """Looks like a group: two colleagues are admitted on one day, a third a day later, none leaves with another."""
    admitted = MONTHS[5].day(8)
    claims = [
        scene.stay(person, admitted + timedelta(days=place // 2), 4 + 2 * place, 2, rng.randint(5_000, 9_000))
        for place, person in enumerate(patients_of_a_firm(scene, rng, 3))
    ]
    scene.remember("colleagues_by_chance", claims, is_fraud=False)


def sales_of_changing_sums(scene: Scene, rng: random.Random, *, sales: int) -> None:
    """Cash for the card, with sums that differ: a pharmacy sells to one account again and again within days."""
    (holder,) = patients_of_a_firm(scene, rng, 1)
    claims = [
        scene.medical(
            holder,
            MONTHS[6].day(3 + place // 2),
            "pharmacy",
            2,
            Fen(0),
            institution_code=scene.log.city.pharmacy(2),
            personal_account_amount=(price := Fen(rng.randint(18_000, 60_000))),
            medical_fee_total=price,
        )
        for place in range(sales)
    ]
    scene.remember("sales_of_changing_sums", claims)


def weekly_medicine(scene: Scene, rng: random.Random, *, cases: int) -> None:
    """Looks like cash for the card: medicine for a long illness, bought every week."""
    for person in patients_of_a_firm(scene, rng, cases):
        first = MONTHS[5].day(2)
        claims = [scene.from_account(person, first + timedelta(days=7 * week), "pharmacy") for week in range(8)]
        scene.remember("weekly_medicine", claims, is_fraud=False)


def colleagues_in_an_accident(scene: Scene, rng: random.Random) -> None:
    """Looks like a group: three of a firm are taken in after an accident and go home as each is well."""
    admitted = MONTHS[6].day(12)
    claims = [
        scene.stay(person, admitted, 3 + 4 * place, 0, rng.randint(5_000, 9_000))
        for place, person in enumerate(patients_of_a_firm(scene, rng, 3))
    ]
    scene.remember("colleagues_in_an_accident", claims, is_fraud=False)
