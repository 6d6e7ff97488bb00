"""Planted fraud: a seed plants the same again, the truth says what is in the log, and no rule of form is broken."""

from __future__ import annotations

from collections import Counter
from datetime import date

import pytest

from runtime.samples.cities import CITIES, HUAINAN, NANJING, City
from runtime.samples.frauds import FRAUDS, LOOK_ALIKES, Scene, plant
from runtime.samples.frauds.demonstration import plant_demonstration
from runtime.samples.generate import city_log
from runtime.samples.log import CityLog, Row, fen, text

PERSONS = 400
# Patterns that no parameter may be set by.
HELD_OUT = {
    *("benefit_twice", "allowance_without_birth", "visits_while_inpatient", "account_drained"),
    *("raised_after_reversal", "delivery_turned_caesarean", "backdated_enrolment", "base_raised_afterwards"),
    *("refunded_after_benefit", "ghost_at_the_ceiling", "pool_pays_after_leaving", "births_in_two_regions"),
    *("visits_in_another_region", "dead_elsewhere", "conceived_before_birth", "miscarried_after_birth"),
    *("prenatal_after_birth", "multiples_claimed", "account_of_the_dead", "children_insured", "rotating_stays"),
    *("stay_within_stay", "group_admission", "sales_of_changing_sums"),
}


def planted_log(city: City, which: str, seed: int = 3) -> tuple[CityLog, Scene]:
    scenes: list[Scene] = []

    def stage(log: CityLog) -> None:
        scenes.append(Scene(log, seed))
        plant(scenes[0], which)

    log, _ = city_log(city, seed, PERSONS, stage)
    return log, scenes[0]


@pytest.fixture(scope="module", params=["tuning", "held_out"])
def staged(request: pytest.FixtureRequest) -> tuple[CityLog, Scene]:
    return planted_log(NANJING, request.param)


def test_every_pattern_is_staged_in_one_of_the_sets() -> None:
    codes = [pattern.code for pattern in FRAUDS] + [alike.code for alike in LOOK_ALIKES]
    assert max(Counter(codes).values()) == 1
    assert all(pattern.held_out for pattern in FRAUDS)
    assert {pattern.code for pattern in FRAUDS if not pattern.tuning} == HELD_OUT
    for pattern in FRAUDS:
        assert not [parameters for parameters in pattern.tuning if parameters in pattern.held_out], pattern.code


def test_the_truth_is_what_is_in_the_log(staged: tuple[CityLog, Scene]) -> None:
    log, scene = staged
    settled = {text(row, "claim_no"): row for row in log.of_type("claim.settled")}
    persons = {text(row, "person_no") for row in log.of_type("enrollment.started")}
    employers = {text(row, "employer_no") for row in log.of_type("employer.registered")}
    assert {case.pattern for case in scene.planted if not case.is_fraud} == {alike.code for alike in LOOK_ALIKES}
    for case in scene.planted:
        assert set(case.claims) <= settled.keys()
        assert set(case.persons) <= persons
        assert set(case.employers) <= employers
        if case.claims:
            paid = sum(
                fen(settled[no], "pooled_amount") + fen(settled[no], "personal_account_amount") for no in case.claims
            )
            assert case.amount == paid, case.pattern
        assert case.persons or case.claims


def test_what_is_planted_is_paid_and_never_in_the_future(staged: tuple[CityLog, Scene]) -> None:
    log, scene = staged
    paid = Counter(text(row, "claim_no") for row in log.of_type("claim.paid"))
    for case in scene.planted:
        assert {paid[claim] for claim in case.claims} <= {1}, case.pattern
    assert max(
        day for rows in log.rows.values() for row in rows if isinstance(day := row["occurred_on"], date)
    ) == date(2020, 6, 30)


def test_certificates_of_the_planted_are_their_own(staged: tuple[CityLog, Scene]) -> None:
    log, _ = staged
    owners: dict[str, set[str]] = {}
    for row in log.of_type("enrollment.started"):
        owners.setdefault(text(row, "certificate_no"), set()).add(text(row, "person_no"))
    assert {number for number, persons in owners.items() if len(persons) > 1} == set()


def test_one_birth_in_two_regions_is_of_one_identity() -> None:
    numbers = []
    for city in CITIES:
        log, scene = planted_log(city, "tuning")
        mothers = {number for case in scene.planted if case.pattern == "two_regions" for number in case.persons}
        numbers.append(
            {text(r, "certificate_no") for r in log.of_type("enrollment.started") if r["person_no"] in mothers}
        )
    assert numbers[0] == numbers[1]
    assert len(numbers[0]) == 2


def test_the_demo_has_a_few_and_changes_nothing_else() -> None:
    def rows(log: CityLog) -> list[Row]:
        return [row for family in ("registration", "contribution", "claim") for row in log.rows[family]]

    for city, frauds in ((NANJING, 6), (HUAINAN, 3)):  # three of Nanjing's are patients of one pattern
        cases = []
        plain, _ = city_log(city, 7, PERSONS)
        with_cases, _ = city_log(city, 7, PERSONS, lambda log, found=cases: found.extend(plant_demonstration(log, 7)))
        again, _ = city_log(city, 7, PERSONS, lambda log: plant_demonstration(log, 7))
        assert with_cases.rows == again.rows
        assert [row for row in rows(plain) if row not in rows(with_cases)] == []
        assert sum(case.is_fraud for case in cases) == frauds
        assert {case.is_fraud for case in cases} == {True, False}
