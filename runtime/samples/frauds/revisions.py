"""What was changed afterwards: claims settled again for more, enrolments and bases told late, premiums taken back."""

from __future__ import annotations

import random
from dataclasses import replace
from datetime import date, timedelta

from runtime.samples import contributions, policy
from runtime.samples.claims import copied
from runtime.samples.frauds.payments import refund
from runtime.samples.frauds.scene import Scene
from runtime.samples.frauds.stays import patients_of_a_firm
from runtime.samples.log import Row, day_of, fen, text
from runtime.samples.population import Person
from runtime.samples.values import MONTHS, Fen, Month, yuan


def _taken_back(scene: Scene, claim: Row, day: date) -> None:
    """The payment of a claim is reversed as a whole."""
    paid = next(row for row in scene.log.of_type("claim.paid") if row["claim_no"] == claim["claim_no"])
    scene.log.add(
        "claim",
        "claim.reversed",
        day,
        **copied(paid),
        pooled_amount=fen(paid, "pooled_amount"),
        original_event_key=text(paid, "source_event_key"),
    )


def _settled_anew(scene: Scene, claim: Row, item: str, pooled: Fen) -> Row:
    """The same care under another number, another item and another sum, a week after the first was taken back."""
    reversed_on = day_of(claim) + timedelta(days=50)
    _taken_back(scene, claim, reversed_on)
    day = reversed_on + timedelta(days=7)
    return scene.settled_again(
        {
            **claim,
            "insurance_type": "310",
            "benefit_item": item,
            "payment_method": scene.method(item, day),
            "pooled_amount": pooled,
            "medical_fee_total": pooled + fen(claim, "personal_cash_amount"),
        },
        day,
        day + timedelta(days=20),
    )


def raised_after_reversal(scene: Scene, rng: random.Random, *, cases: int, percent: int) -> None:
    """A stay is settled and paid, taken back, and settled again for more."""
    for person in patients_of_a_firm(scene, rng, cases):
        first = scene.stay(
            person, date(2020, 1, 6) + timedelta(days=rng.randint(0, 20)), 7, 2, rng.randint(6_000, 9_000)
        )
        again = _settled_anew(scene, first, "inpatient", Fen(fen(first, "pooled_amount") * percent // 100))
        scene.remember("raised_after_reversal", [again])


def delivery_turned_caesarean(scene: Scene, rng: random.Random, *, cases: int) -> None:
    """A normal delivery that has been paid is taken back and comes again as a caesarean."""
    for place in range(cases):
        mother = scene.employee(scene.firm(rng, 20), 6_200, rng)
        born = date(2020, 1, 8) + timedelta(days=place * 12)
        price = policy.price(scene.region, "delivery_caesarean", born) or yuan(6_800)
        again = _settled_anew(scene, scene.delivery(mother, born), "delivery_caesarean", price)
        scene.remember("delivery_turned_caesarean", [again])


def settled_anew_alike(scene: Scene, rng: random.Random, *, cases: int, percent: int) -> None:
    """Looks like a claim raised afterwards: the bank sent the money back, or a bed day was added."""
    for person in patients_of_a_firm(scene, rng, cases):
        first = scene.stay(
            person, date(2020, 1, 6) + timedelta(days=rng.randint(0, 20)), 7, 2, rng.randint(6_000, 9_000)
        )
        again = _settled_anew(scene, first, "inpatient", Fen(fen(first, "pooled_amount") * percent // 100))
        scene.remember(f"settled_anew_{percent}", [again], is_fraud=False)


def backdated_enrolment(scene: Scene, rng: random.Random, *, cases: int) -> None:
    """Who was never enrolled is registered after the birth, from months before it, in a delivery of its own."""
    for place in range(cases):
        firm = scene.firm(rng, 20)
        told, due = len(scene.log.rows["registration"]), len(scene.log.rows["contribution"])
        mother = scene.employee(firm, 6_200, rng, since=MONTHS[2].first)
        for family, start in (("registration", told), ("contribution", due)):
            scene.log.sent_late.update(text(row, "source_event_key") for row in scene.log.rows[family][start:])
        claims = scene.birth(mother, date(2020, 4, 2) + timedelta(days=place * 9))
        scene.remember("backdated_enrolment", claims, employers=[firm])


def base_raised_afterwards(scene: Scene, rng: random.Random, *, factor: float, cases: int) -> None:
    """After the birth the base of all months is assessed anew at a multiple, and the difference paid at once."""
    for place in range(cases):
        firm = scene.firm(rng, 20)
        mother = scene.employee(firm, 5_400, rng)
        born = date(2020, 3, 10) + timedelta(days=place * 6)
        delivered = scene.delivery(mother, born)
        _assessed_anew(scene, mother, int(5_400 * factor), born)
        scene.remember("base_raised_afterwards", [delivered, scene.allowance(mother, born, 128)], employers=[firm])


def _assessed_anew(scene: Scene, mother: Person, base: int, born: date) -> None:
    raised = replace(mother, base=yuan(base))
    day = born + timedelta(days=20)
    for month in (month for month in MONTHS if month <= Month.of(born) and month.first >= scene.log.city.merger):
        contributions.raised(scene.log, raised, mother, month, day)


def refunded_after_benefit(scene: Scene, rng: random.Random, *, cases: int) -> None:
    """The premiums by which she was entitled go back to the employer once the allowance has been paid."""
    for place in range(cases):
        firm = scene.firm(rng, 20)
        mother = scene.employee(firm, 6_200, rng)
        born = date(2020, 3, 3) + timedelta(days=place * 8)
        claims = scene.birth(mother, born)
        collected = [
            row
            for row in scene.log.of_type("contribution.collected")
            if row["person_no"] == mother.number and day_of(row) < born
        ]
        for row in collected:
            refund(scene.log, row, mother, born + timedelta(days=60))
        scene.remember("refunded_after_benefit", claims, employers=[firm])


def ghost_at_the_ceiling(scene: Scene, rng: random.Random, *, months_before: int, cases: int) -> None:
    """Insured weeks before the birth on the highest base there is, and gone with the payment."""
    for place in range(cases):
        firm = scene.firm(rng, 20)
        joined = MONTHS[2].first + timedelta(days=place * 12)
        born = joined + timedelta(days=months_before * 30)
        _, ceiling = policy.base_limits(scene.region, born)
        mother = scene.employee(firm, ceiling // 100, rng, since=joined, until=born + timedelta(days=70))
        scene.remember("ghost_at_the_ceiling", scene.birth(mother, born), employers=[firm])


def own_account_after_leaving(scene: Scene, rng: random.Random, *, cases: int) -> None:
    """Looks like care outside enrolment: what is left in the account after leaving is one's own."""
    for person in patients_of_a_firm(scene, rng, cases):
        left = MONTHS[4].first
        gone = scene.employee(person.employer, 6_000, rng, until=left)
        claims = [
            scene.from_account(gone, left + timedelta(days=days), item)
            for days, item in ((40, "outpatient"), (55, "pharmacy"))
        ]
        scene.remember("own_account_after_leaving", claims, is_fraud=False, persons=[gone])


def pool_pays_after_leaving(scene: Scene, rng: random.Random, *, cases: int) -> None:
    """The pool pays at a pharmacy for somebody whose insurance has long ended."""
    for person in patients_of_a_firm(scene, rng, cases):
        left = MONTHS[4].first
        gone = scene.employee(person.employer, 6_000, rng, until=left)
        claims = [
            scene.medical(
                gone,
                left + timedelta(days=days),
                "pharmacy",
                2,
                yuan(260),
                institution_code=scene.log.city.pharmacy(2),
            )
            for days in (50, 64)
        ]
        scene.remember("pool_pays_after_leaving", claims)
