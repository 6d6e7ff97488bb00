"""Maternity allowances that an employer was made for: shells, small firms, agencies, bases that jump."""

from __future__ import annotations

import random
from datetime import date, timedelta

from runtime.samples.frauds.scene import OPENING, Scene
from runtime.samples.log import Row
from runtime.samples.values import FIRST_MONTH, LAST_DAY, MONTHS, Month

_LATEST_BIRTH = date(2020, 5, 20)
_PAID_AFTER = 36  # days from a birth to the payment of its allowance


def shell_employer(
    scene: Scene, rng: random.Random, *, staff: int, claimants: int, months_before: tuple[int, int], base: int
) -> None:
    """A firm without business: women join shortly before the birth on a high base and leave after the payment."""
    firm = scene.employer(base, registered=MONTHS[1].first)
    mothers = []
    for place in range(claimants):
        joined = MONTHS[1 + place % 3].first
        born = joined + timedelta(days=rng.randint(months_before[0] * 30, months_before[1] * 30))
        born = min(born, _LATEST_BIRTH)
        left = Month.of(born + timedelta(days=_PAID_AFTER + 30)).first
        until = left if left < LAST_DAY else None
        mothers.append((scene.employee(firm, base, rng, since=joined, until=until), born))
    others = [scene.employee(firm, base - 400, rng, since=MONTHS[1].first) for _ in range(staff - claimants)]
    claims: list[Row] = []
    for mother, born in mothers:
        claims += scene.birth(mother, born, hospital=3 + len(claims) % 2)
    scene.remember("shell_employer", claims, employers=[firm], persons=others)


def small_firm(scene: Scene, rng: random.Random, *, staff: int, births: int, base: int) -> None:
    """A small firm of nearly nothing but mothers, insured in time."""
    firm = scene.employer(base)
    mothers = [scene.employee(firm, base, rng) for _ in range(births)]
    for _ in range(staff - births):
        scene.employee(firm, base, rng, sex="M")
    claims: list[Row] = []
    for place, mother in enumerate(mothers):
        claims += scene.birth(mother, date(2019, 10, 8) + timedelta(days=place * 200 // births), hospital=3 + place % 2)
    scene.remember("small_firm", claims, employers=[firm])


def hr_agency(scene: Scene, rng: random.Random, *, staff: int, claimants: int, base: int) -> None:
    """An agency that insures pregnant strangers by the dozen on an ordinary base, for a fee."""
    agency = scene.employer(base, registered=FIRST_MONTH.first)
    mothers = []
    for place in range(claimants):
        joined = MONTHS[place % 5].first
        born = min(joined + timedelta(days=rng.randint(95, 175)), _LATEST_BIRTH)
        left = Month.of(born + timedelta(days=_PAID_AFTER + 45)).first
        mothers.append((scene.employee(agency, base, rng, since=joined, until=left if left < LAST_DAY else None), born))
    for _ in range(staff - claimants):
        scene.employee(agency, base, rng, sex=rng.choice("FM"))
    claims: list[Row] = []
    for mother, born in mothers:
        claims += scene.birth(mother, born, hospital=3 + len(claims) % 2)
    scene.remember("hr_agency", claims, employers=[agency])


def base_jump(scene: Scene, rng: random.Random, *, factor: float, months_before: int, cases: int) -> None:
    """The base of an expectant mother is raised to a multiple a few months before the birth, nobody else's is."""
    for place in range(cases):
        firm = scene.employer(6_000)
        for _ in range(4):
            scene.employee(firm, 5_700, rng, sex=rng.choice("FM"))
        born = MONTHS[months_before + 2].day(6) + timedelta(days=place * 9)  # two months on the usual base come first
        raised = Month.of(born).plus(-months_before)
        mother = scene.employee(firm, 5_400, rng, raise_to=(raised, int(5_400 * factor)))
        scene.remember("base_jump", scene.birth(mother, born), employers=[firm])


def join_and_stop(scene: Scene, rng: random.Random, *, months_before: int, stops_after_days: int, cases: int) -> None:
    """One woman insured by a firm of others a few months before the birth, gone as soon as the money has come."""
    for place in range(cases):
        firm = scene.employer(6_900)
        for _ in range(20):
            scene.employee(firm, rng.randrange(5_000, 8_000, 100), rng, sex=rng.choice("FM"))
        joined = MONTHS[1].first + timedelta(days=9 * place)
        born = joined + timedelta(days=months_before * 30 + rng.randint(0, 12))
        left = born + timedelta(days=_PAID_AFTER + stops_after_days)
        mother = scene.employee(firm, 6_900, rng, since=joined, until=left)
        scene.remember("join_and_stop", scene.birth(mother, born), employers=[firm])


def left_employer(scene: Scene, rng: random.Random, *, gap_days: int, cases: int) -> None:
    """The allowance goes to the employer whom she had left long before the birth."""
    for place in range(cases):
        before, now = scene.employer(7_500), scene.employer(5_100)
        for _ in range(12):
            scene.employee(before, rng.randrange(6_000, 9_000, 100), rng, sex=rng.choice("FM"))
            scene.employee(now, rng.randrange(4_500, 6_000, 100), rng, sex=rng.choice("FM"))
        moved = MONTHS[3].first
        mother = scene.employee(before, 7_200, rng, until=moved)
        again = scene.moves_to(mother, now, moved, 5_000)
        born = moved + timedelta(days=gap_days + place * 9)
        delivered = scene.delivery(again, born)
        claim = scene.allowance(again, born, 128, employer=before)
        scene.remember("left_employer", [delivered, claim], employers=[before], amount=None)


def claimed_for_men_and_retired(scene: Scene, rng: random.Random, *, kind: str, cases: int) -> None:
    """An allowance and a birth for a man, or for somebody who is retired."""
    for place in range(cases):
        firm = scene.employer(6_000)
        for _ in range(14):
            scene.employee(firm, rng.randrange(5_000, 7_000, 100), rng, sex=rng.choice("FM"))
        born = date(2020, 2, 11) + timedelta(days=place * 23)
        if kind == "male":
            person = scene.employee(firm, 6_000, rng, sex="M")
            claims = scene.birth(person, born)
        else:
            person = scene.employee(None, 3_000, rng, born=date(1961, 5, 1 + place))
            claims = [scene.delivery(person, born), scene.allowance(person, born, 128, employer=firm)]
        scene.remember("male_or_retired", claims, employers=[firm])


def allowance_without_birth(scene: Scene, rng: random.Random, *, cases: int) -> None:
    """An allowance for a birth of which no hospital knows."""
    for place in range(cases):
        firm = scene.firm(rng, 18)
        mother = scene.employee(firm, 6_600, rng)
        claim = scene.allowance(mother, date(2020, 2, 3) + timedelta(days=place * 17), 128)
        scene.remember("allowance_without_birth", [claim], employers=[firm])


def benefit_twice(scene: Scene, rng: random.Random, *, cases: int) -> None:
    """The allowance of one birth is claimed again under another number two months later."""
    for place in range(cases):
        firm = scene.employer(6_300)
        for _ in range(16):
            scene.employee(firm, rng.randrange(5_000, 8_000, 100), rng, sex=rng.choice("FM"))
        mother = scene.employee(firm, 6_300, rng)
        born = date(2020, 1, 9) + timedelta(days=place * 12)
        claims = scene.birth(mother, born)
        again = scene.settled_again(claims[-1], born + timedelta(days=80), born + timedelta(days=95), "employer")
        scene.remember("benefit_twice", [claims[-1], again], employers=[firm])


def new_firm(scene: Scene, rng: random.Random) -> None:
    """Looks like a shell: founded last autumn, twelve staff at once, two births in the first months, all stay."""
    firm = scene.employer(6_900, registered=MONTHS[1].first)
    staff = [
        scene.employee(
            firm, rng.randrange(5_500, 8_000, 100), rng, since=MONTHS[1].first, sex="F" if place < 5 else "M"
        )
        for place in range(14)
    ]
    claims = scene.birth(staff[0], date(2020, 5, 25)) + scene.birth(staff[1], date(2020, 6, 3))
    scene.remember("new_firm", claims, is_fraud=False, employers=[firm])


def small_firm_two_births(scene: Scene, rng: random.Random) -> None:
    """Looks like a small firm of mothers: nine staff, two births in a year."""
    firm = scene.employer(6_000)
    staff = [
        scene.employee(firm, rng.randrange(5_000, 7_000, 100), rng, sex="F" if place < 4 else "M") for place in range(9)
    ]
    claims = scene.birth(staff[0], date(2019, 11, 20)) + scene.birth(staff[1], date(2020, 4, 2))
    scene.remember("small_firm_two_births", claims, is_fraud=False, employers=[firm])


def job_changer(scene: Scene, rng: random.Random, *, cases: int) -> None:
    """Looks like joining before a birth: moves from one employer to the next without a gap, and stays."""
    for place in range(cases):
        before, now = scene.employer(6_300), scene.employer(6_600)
        for employer in (before, now):
            for _ in range(15):
                scene.employee(employer, rng.randrange(5_000, 8_000, 100), rng, sex=rng.choice("FM"))
        moved = MONTHS[3 + place % 2].first
        mother = scene.moves_to(scene.employee(before, 6_000, rng, until=moved), now, moved, 6_400)
        scene.remember("job_changer", scene.birth(mother, moved + timedelta(days=112)), is_fraud=False, employers=[now])


def leaves_after_leave(scene: Scene, rng: random.Random, *, cases: int) -> None:
    """Looks like stopping after the payment: insured for long, does not come back from leave."""
    for place in range(cases):
        firm = scene.firm(rng, 17)
        born = OPENING + timedelta(days=60 + place * 15)
        mother = scene.employee(firm, 6_200, rng, until=born + timedelta(days=130))
        scene.remember("leaves_after_leave", scene.birth(mother, born), is_fraud=False, employers=[firm])


def yearly_raise(scene: Scene, rng: random.Random, *, cases: int) -> None:
    """Looks like a base jump: everybody's base goes up in January, a birth in April."""
    for place in range(cases):
        firm = scene.employer(6_000)
        for _ in range(9):
            scene.employee(firm, 5_600, rng, sex=rng.choice("FM"), raise_to=(Month(2020, 1), 6_400))
        mother = scene.employee(firm, 5_600, rng, raise_to=(Month(2020, 1), 6_500))
        born = date(2020, 4, 2) + timedelta(days=place * 11)
        scene.remember("yearly_raise", scene.birth(mother, born), is_fraud=False, employers=[firm])
