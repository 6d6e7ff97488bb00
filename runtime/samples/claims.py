"""Medical claims: stays, visits, pharmacy sales; adjudicated first, paid in the following weeks."""

from __future__ import annotations

import random
from dataclasses import dataclass
from datetime import date, timedelta

from runtime.samples.log import CityLog, Row, day_of, fen, text
from runtime.samples.population import Person, Population
from runtime.samples.values import MONTHS, Fen, Month, Value, share, within, yuan


@dataclass(frozen=True)
class _Kind:
    """A kind of medical claim: cases a month per 1,000 persons, fee in yuan, shares in per cent."""

    benefit_item: str
    per_thousand: int
    fee_low: int
    fee_high: int
    pooled: int
    personal_account: int


_KINDS = (
    _Kind("inpatient", 16, 5_000, 26_000, 74, 4),
    _Kind("outpatient", 70, 120, 600, 50, 30),
    _Kind("outpatient_chronic", 28, 250, 900, 75, 10),
    _Kind("pharmacy", 170, 40, 420, 0, 100),
)


def record(log: CityLog, population: Population) -> None:
    """All ordinary medical claims of the sample period and the settlements that are not per case."""
    rng = log.rng("claim")
    stayed: set[tuple[str, Month]] = set()
    for month in MONTHS:
        insured = [person for person in population.persons if person.active(month)]
        for kind in _KINDS:
            for _ in range(max(2, len(insured) * kind.per_thousand // 1_000)):
                person = rng.choice(insured)
                if kind.benefit_item == "inpatient":
                    person = _out_of_hospital(insured, person, month, stayed)
                _case(log, rng, month, kind, person)
        if month.month % 3 == 1:
            _monthly_outpatient(log, month)
    _annual_clearing(log)
    _before_registration(log, population)


def _out_of_hospital(insured: list[Person], drawn: Person, month: Month, stayed: set[tuple[str, Month]]) -> Person:
    """The person drawn, or the next who did not lie in hospital in this month or the last: nobody lies in two beds."""
    place = insured.index(drawn)
    person = next(
        one
        for one in insured[place:] + insured[:place]
        if not {(one.number, month), (one.number, month.plus(-1))} & stayed
    )
    stayed.add((person.number, month))
    return person


def settle(log: CityLog, day: date, **columns: Value | None) -> Row:
    """Adjudicate a claim; the four shares must add up to the fee of a medical item."""
    number = f"{log.city.prefix}JS{day:%Y%m%d}{len(log.rows['claim']):06d}"
    return log.add("claim", "claim.settled", day, claim_no=number, **columns)


def pay(
    log: CityLog,
    settled: Row,
    day: date,
    payee_type: str = "institution",
    **columns: Value | None,
) -> Row:
    """Pay a settled claim less the deposit; the last day pays whatever is left, or it would be overdue ever after."""
    day = within(day)
    pooled = fen(settled, "pooled_amount") - fen(settled, "deposit_withheld_amount")
    payee_no = text(settled, "institution_code") or text(settled, "claim_no")
    return log.add(
        "claim",
        "claim.paid",
        day,
        **copied(settled),
        pooled_amount=pooled or None,
        personal_account_amount=fen(settled, "personal_account_amount") or None,
        payee_type=payee_type,
        payment_no=f"{log.city.prefix}ZF{day:%Y%m%d}{payee_no[-4:]}",
        **columns,
    )


def copied(settled: Row) -> Row:
    """What a payment or correction repeats of the settlement."""
    names = (
        "claim_no",
        "settlement_kind",
        "person_no",
        "account_holder_no",
        "employer_no",
        "institution_code",
        "insurance_type",
        "benefit_item",
        "payment_method",
        "admitted_on",
        "discharged_on",
        "service_on",
        "name",
    )
    return {name: settled[name] for name in names if name in settled}


def usual_payday(day: date) -> date:
    """Settled by the 10th: paid on the 26th; later: in the middle of the following month."""
    month = Month.of(day)
    return month.day(26) if day.day <= 10 else month.plus(1).day(13 + day.day % 6)


def _case(log: CityLog, rng: random.Random, month: Month, kind: _Kind, person: Person) -> None:
    day = person.insured_by(month.day(rng.randint(1, 28)))
    fee = Fen(rng.randint(kind.fee_low, kind.fee_high) * log.city.fee_percent + rng.randrange(100))
    pooled, personal = share(fee, kind.pooled * 100), share(fee, kind.personal_account * 100)
    rest = fee - pooled - personal
    other = share(rest, 3_000) if kind.benefit_item == "inpatient" and fee > yuan(22_000) else Fen(0)
    borne = share(rest, 1_000) if kind.benefit_item == "inpatient" and rng.random() < 0.15 else Fen(0)
    settled = settle(
        log,
        day,
        person_no=person.number,
        name=person.name,
        insurance_type="310",
        benefit_item=kind.benefit_item,
        medical_fee_total=fee,
        pooled_amount=pooled or None,
        personal_account_amount=personal or None,
        personal_cash_amount=(rest - other - borne) or None,
        institution_borne_amount=borne or None,
        other_funds_amount=other or None,
        **_service(log, rng, kind, day, pooled),
    )
    _pay_case(log, settled, person, kind)


def _service(log: CityLog, rng: random.Random, kind: _Kind, day: date, pooled: Fen) -> Row:
    """Where, when and how: columns that depend on the kind of claim."""
    if kind.benefit_item == "pharmacy":
        return {
            "institution_code": log.city.pharmacy(rng.randrange(4)),
            "service_on": day,
            "payment_method": "fee_for_service",
        }
    hospital = rng.randrange(6)
    columns: Row = {
        "institution_code": log.city.institution(hospital),
        "payment_method": "fee_for_service",
        "service_on": day,
    }
    if kind.benefit_item == "inpatient":
        stay = timedelta(days=rng.randint(3, 12))
        columns |= {"admitted_on": day - stay, "discharged_on": day, "payment_method": log.city.inpatient_method}
        if hospital == 0:
            columns["deposit_withheld_amount"] = share(pooled, 500)
    return columns


def _pay_case(log: CityLog, settled: Row, person: Person, kind: _Kind) -> None:
    if kind.benefit_item == "pharmacy" and person.category == "retiree":
        settled["account_holder_no"] = person.number
    day = usual_payday(day_of(settled))
    if settled.get("institution_code") == log.city.institution(1) and kind.benefit_item == "inpatient":
        return  # settled against the hospital's advance, see corrections
    pay(log, settled, day)
    if "deposit_withheld_amount" in settled and day < date(2020, 1, 1):
        _release_deposit(log, settled)


def _release_deposit(log: CityLog, settled: Row) -> None:
    """The quality deposit of 2019 is released after the yearly assessment."""
    log.add(
        "claim",
        "claim.paid",
        date(2020, 6, 18),
        **{**copied(settled), "settlement_kind": "deposit_release"},
        pooled_amount=fen(settled, "deposit_withheld_amount"),
        payee_type="institution",
        payment_no=f"{log.city.prefix}BZJ2019{text(settled, 'institution_code')[-4:]}",
    )


def _monthly_outpatient(log: CityLog, month: Month) -> None:
    """A community hospital settles its pooled outpatient visits in one sum a month."""
    settled = settle(
        log,
        month.day(28),
        settlement_kind="monthly",
        institution_code=log.city.institution(5),
        insurance_type="310",
        benefit_item="outpatient",
        payment_method="fixed_amount",
        pooled_amount=yuan(18_600 + month.month * 350),
    )
    pay(log, settled, month.plus(1).day(20))


def _annual_clearing(log: CityLog) -> None:
    """After the yearly clearing one hospital receives a rest from the special account, another gives back."""
    settled = settle(
        log,
        date(2020, 3, 18),
        settlement_kind="annual_clearing",
        institution_code=log.city.institution(2),
        insurance_type="310",
        benefit_item="inpatient",
        payment_method=log.city.inpatient_method,
        service_on=date(2019, 12, 31),
        pooled_amount=yuan(46_200),
    )
    pay(log, settled, date(2020, 3, 27), pay_account="special_demand")
    log.add(
        "claim",
        "claim.recovered",
        date(2020, 3, 30),
        claim_no=f"{log.city.prefix}QS2019{log.city.institution(3)[-4:]}",
        settlement_kind="annual_clearing",
        institution_code=log.city.institution(3),
        insurance_type="310",
        benefit_item="inpatient",
        service_on=date(2019, 12, 31),
        pooled_amount=yuan(12_750),
    )


def _before_registration(log: CityLog, population: Population) -> None:
    """A newcomer treated in the first days of the enrolment, weeks before the employer got round to reporting it."""
    person = next(person for person in population.persons if Month(2020, 1).first < person.since < Month(2020, 6).first)
    day = person.since + timedelta(days=2)
    settled = settle(
        log,
        day,
        person_no=person.number,
        name=person.name,
        institution_code=log.city.institution(0),
        insurance_type="310",
        benefit_item="outpatient",
        payment_method="fee_for_service",
        service_on=day,
        medical_fee_total=yuan(420),
        pooled_amount=yuan(210),
        personal_cash_amount=yuan(210),
    )
    pay(log, settled, usual_payday(day))
