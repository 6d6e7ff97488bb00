"""Money that goes to somebody else: refunds to another payee, one account that pays for many, sales that are none."""

from __future__ import annotations

import random
from datetime import date, timedelta

from runtime.samples.claims import pay, settle
from runtime.samples.frauds.scene import Scene
from runtime.samples.log import CityLog, Row, day_of, fen, text
from runtime.samples.population import Person
from runtime.samples.values import MONTHS, Fen, Month, yuan


def refund_to_another(scene: Scene, rng: random.Random, *, cases: int, same_employer: bool) -> None:
    """A premium is refunded, and not to the one who had paid it."""
    for place in range(cases):
        firm = scene.employer(6_000)
        payer = scene.employee(firm, 6_000, rng)
        other = scene.employee(firm if same_employer else scene.employer(5_400), 5_000, rng, sex="M")
        paid = next(row for row in scene.log.of_type("contribution.collected") if row["person_no"] == payer.number)
        refunded = refund(scene.log, paid, other, day_of(paid) + timedelta(days=45 + place * 7))
        scene.remember(
            "refund_to_another",
            [],
            persons=[payer, other],
            employers=[firm] if other.employer is firm else [],
            amount=fen(refunded, "employer_amount") + fen(refunded, "personal_amount"),
        )


def refund(log: CityLog, paid: Row, to: Person, day: date) -> Row:
    """Give back a whole payment, to somebody."""
    assert to.employer is not None
    names = ("enrollment_category", "contribution_month", "insurance_type", "contribution_base")
    return log.add(
        "contribution",
        "contribution.refunded",
        day,
        **{name: paid[name] for name in names},
        person_no=to.number,
        employer_no=to.employer.number,
        employer_amount=fen(paid, "employer_amount"),
        personal_amount=fen(paid, "personal_amount") or None,
        receipt_no=text(paid, "receipt_no"),
        deposit_account="special",
        original_event_key=text(paid, "source_event_key"),
    )


def one_account_for_many(scene: Scene, rng: random.Random, *, users: int) -> None:
    """One personal account pays for a dozen people who are said to be family."""
    firm = scene.employer(9_000)
    holder = scene.employee(firm, 9_000, rng)
    family = [scene.employee(firm, 5_400, rng, sex=rng.choice("FM")) for _ in range(users)]
    claims = [_visit(scene, rng, person, holder, 2 + place % 6) for place, person in enumerate(family)]
    scene.remember("one_account_for_many", claims, persons=[holder])


def _visit(scene: Scene, rng: random.Random, person: Person, holder: Person, month: int) -> Row:
    """An outpatient visit that the holder's account pays in part."""
    day = MONTHS[month].day(rng.randint(3, 25))
    settled = settle(
        scene.log,
        day,
        person_no=person.number,
        name=person.name,
        account_holder_no=holder.number,
        insurance_type="310",
        benefit_item="outpatient",
        payment_method="fee_for_service",
        institution_code=scene.log.city.institution(rng.randrange(5)),
        service_on=day,
        medical_fee_total=yuan(400),
        pooled_amount=yuan(200),
        personal_account_amount=yuan(150),
        personal_cash_amount=yuan(50),
    )
    pay(scene.log, settled, day + timedelta(days=20))
    return settled


def account_drained(scene: Scene, rng: random.Random, *, sales: int) -> None:
    """Cash for the card: a pharmacy charges one account the same round sum again and again within days."""
    firm = scene.employer(9_000)
    holder = scene.employee(firm, 9_000, rng, sex="M")
    claims = []
    for place in range(sales):
        day = Month(2020, 5).day(4 + place // 3)
        settled = settle(
            scene.log,
            day,
            person_no=holder.number,
            name=holder.name,
            insurance_type="310",
            benefit_item="pharmacy",
            payment_method="fee_for_service",
            institution_code=scene.log.city.pharmacy(3),
            service_on=day,
            medical_fee_total=yuan(480),
            personal_account_amount=yuan(480),
        )
        pay(scene.log, settled, day + timedelta(days=20))
        claims.append(settled)
    scene.remember("account_drained", claims, amount=Fen(48_000 * sales))


def refund_to_payer(scene: Scene, rng: random.Random, *, cases: int) -> None:
    """Looks like a refund to somebody else: she has changed employers since, and gets back what she had paid."""
    for _ in range(cases):
        before, now = scene.employer(6_000), scene.employer(6_300)
        moved = MONTHS[3].first
        first = scene.employee(before, 5_600, rng, until=moved)
        again = scene.moves_to(first, now, moved, 5_900)
        paid = next(row for row in scene.log.of_type("contribution.collected") if row["person_no"] == first.number)
        refunded = refund(scene.log, paid, again, MONTHS[4].day(16))
        refunded["employer_no"] = before.number
        scene.remember("refund_to_payer", [], is_fraud=False, persons=[first])


def family_account(scene: Scene, rng: random.Random, *, cases: int) -> None:
    """Looks like an account for many: parents and husband use hers."""
    for _ in range(cases):
        firm = scene.employer(7_500)
        holder = scene.employee(firm, 7_200, rng)
        parents = [scene.employee(None, 3_000, rng, sex=sex, born=date(1956, 7, rng.randint(1, 28))) for sex in "FM"]
        family = [scene.employee(firm, 5_400, rng, sex="M"), *parents]
        claims = [_visit(scene, rng, person, holder, 2 + place) for place, person in enumerate(family)]
        scene.remember("family_account", claims, is_fraud=False, persons=[holder])
