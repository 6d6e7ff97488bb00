"""What happens after a payment: advances, bank returns, reversals, recoveries, cash paid over the counter."""

from __future__ import annotations

import random
from collections.abc import Iterable
from datetime import date

from runtime.samples import policy
from runtime.samples.claims import copied, pay, settle
from runtime.samples.log import CityLog, Row, day_of, fen, text
from runtime.samples.population import Population
from runtime.samples.values import LAST_DAY, Fen, days_after, yuan

_MEDICAL = ("inpatient", "outpatient", "outpatient_chronic")
_DELIVERIES = ("delivery_normal", "delivery_assisted", "delivery_caesarean")
_ADVANCES = ((date(2019, 9, 20), 260_000), (date(2020, 2, 6), 340_000))


def record(log: CityLog, population: Population) -> None:
    """All corrections and advances of the sample period."""
    rng = log.rng("corrections")
    _medical_advances(log)
    _maternity_advance(log)
    _reversals(log, rng)
    _recoveries(log, rng)
    _bank_returns(log, rng)
    _over_the_counter(log, population)


def _advance(log: CityLog, day: date, insurance_type: str, hospital: int, amount: Fen) -> Row:
    return log.add(
        "claim",
        "advance.paid",
        day,
        claim_no=f"{log.city.prefix}YF{day:%Y%m%d}",
        institution_code=log.city.institution(hospital),
        insurance_type=insurance_type,
        pooled_amount=amount,
        payment_no=f"{log.city.prefix}ZF{day:%Y%m%d}YF",
    )


def _offset(log: CityLog, advance: Row, settled: Row, day: date, left: Fen) -> Fen:
    """Settle a claim against an advance if it reaches, else pay it; returns what is left of the advance."""
    personal = fen(settled, "personal_account_amount")
    gross = fen(settled, "pooled_amount") - fen(settled, "deposit_withheld_amount")
    if gross + personal > left:
        pay(log, settled, day)
        return left
    log.add(
        "claim",
        "advance.offset",
        day,
        **copied(settled),
        pooled_amount=gross,
        personal_account_amount=personal or None,
        original_event_key=text(advance, "source_event_key"),
    )
    return left - gross - personal


def _return_rest(log: CityLog, advance: Row, day: date, left: Fen, **columns: str) -> None:
    log.add(
        "claim",
        "advance.returned",
        day,
        claim_no=text(advance, "claim_no"),
        institution_code=text(advance, "institution_code"),
        insurance_type=text(advance, "insurance_type"),
        pooled_amount=left,
        original_event_key=text(advance, "source_event_key"),
        **columns,
    )


def _settle_against(log: CityLog, advance: Row, claims: Iterable[Row], left: Fen) -> Fen:
    for settled in claims:
        day = days_after(day_of(settled), 19)
        if day < LAST_DAY:
            left = _offset(log, advance, settled, day, left)
        else:  # the rest of the advance has gone back by then
            pay(log, settled, day)
    return left


def _medical_advances(log: CityLog) -> None:
    """One hospital works with advances: the first to the end of 2019, the second against the epidemic in 2020."""
    claims = [
        row
        for row in log.of_type("claim.settled")
        if row.get("institution_code") == log.city.institution(1) and row["benefit_item"] == "inpatient"
    ]
    for index, (day, amount) in enumerate(_ADVANCES):
        advance = _advance(log, day, "310", 1, yuan(amount))
        own = [row for row in claims if (day_of(row) >= date(2020, 2, 1)) == bool(index)]
        left = _settle_against(log, advance, own, yuan(amount))
        _return_rest(
            log, advance, date(2020, 4 + 2 * index, 24), left, **({"deposit_account": "expenditure"} if index else {})
        )


def _maternity_advance(log: CityLog) -> None:
    """An advance of the maternity fund that is still open when the funds merge, and is settled in the merged fund."""
    advance = _advance(log, date(2019, 10, 9), "510", 4, yuan(60_000))
    last_before = date(2019, 11, 26)
    before = _hospital_case(log, last_before, log.city.maternity_insurance(last_before), yuan(14_300))
    left = _settle_against(log, advance, [before], yuan(60_000)) if last_before < log.city.merger else yuan(60_000)
    after = _hospital_case(log, date(2020, 1, 13), "310", yuan(22_850))
    left = _settle_against(log, advance, [after], left)
    _return_rest(log, advance, date(2020, 3, 12), left)


def _hospital_case(log: CityLog, day: date, insurance_type: str, amount: Fen) -> Row:
    return settle(
        log,
        day,
        settlement_kind="monthly",
        institution_code=log.city.institution(4),
        insurance_type=insurance_type,
        benefit_item="delivery_normal",
        payment_method=policy.payment_method(log.city.region_code, "delivery_normal", day),
        service_on=day,
        pooled_amount=amount,
    )


def _paid(log: CityLog, first: date, last: date, *items: str) -> list[Row]:
    """Payments of one case between two days, of the given items, that no other correction has touched."""
    rows = (row for family in ("claim", "treasury") for row in log.rows[family])
    touched = {row["original_event_key"] for row in rows if "original_event_key" in row}
    return [
        row
        for row in log.of_type("claim.paid")
        if first <= day_of(row) <= last
        and row["benefit_item"] in items
        and row.get("settlement_kind", "case") == "case"
        and fen(row, "pooled_amount") > yuan(100)
        and row["source_event_key"] not in touched
        and row.get("institution_code") != log.city.platform_institution
    ]


def _reverse(log: CityLog, paid: Row, day: date) -> None:
    """The bank never executed a payment: cancel it whole, pay again a few days later."""
    amounts = {name: fen(paid, name) for name in ("pooled_amount", "personal_account_amount") if name in paid}
    key = text(paid, "source_event_key")
    log.add("claim", "claim.reversed", day, **copied(paid), **amounts, original_event_key=key)
    again = {**copied(paid), **amounts, "payee_type": paid["payee_type"]}
    if day_of(paid) < log.city.merger <= days_after(day, 3):
        again["insurance_type"] = "310"
    log.add("claim", "claim.paid", days_after(day, 3), **again, payment_no=f"{text(paid, 'payment_no')}R")


def _reversals(log: CityLog, rng: random.Random) -> None:
    same_year = _paid(log, date(2019, 10, 1), date(2019, 11, 10), "maternity_allowance", *_DELIVERIES)
    _reverse(log, rng.choice(same_year), date(2019, 11, 18))
    later_year = _paid(log, date(2019, 12, 10), date(2019, 12, 31), *_MEDICAL)
    _reverse(log, rng.choice(later_year), date(2020, 1, 9))
    merged = _paid(log, date(2020, 2, 1), date(2020, 4, 20), *_DELIVERIES, "maternity_allowance")
    _reverse(log, rng.choice(merged), date(2020, 4, 28))


def _recover(log: CityLog, paid: Row, day: date, per_cent: int, deposit_account: str | None = None) -> None:
    log.add(
        "claim",
        "claim.recovered",
        day,
        **copied(paid),
        pooled_amount=Fen(fen(paid, "pooled_amount") * per_cent // 100),
        deposit_account=deposit_account,
        original_event_key=text(paid, "source_event_key"),
    )


def _recoveries(log: CityLog, rng: random.Random) -> None:
    """Money that came back: in the same year, from an earlier year, and from the maternity fund after the merger."""
    autumn = _paid(log, date(2019, 10, 1), date(2019, 11, 20), *_MEDICAL)
    _recover(log, rng.choice(autumn), date(2019, 12, 16), 40)
    autumn = _paid(log, date(2019, 10, 1), date(2019, 12, 20), "outpatient_chronic")
    _recover(log, rng.choice(autumn), date(2020, 3, 5), 100, "expenditure")
    before = _paid(log, date(2019, 9, 20), date(2019, 11, 28), *_DELIVERIES)
    _recover(log, rng.choice([row for row in before if row["insurance_type"] == "510"]), date(2020, 2, 20), 25)
    after = _paid(log, date(2020, 2, 1), date(2020, 4, 30), "miscarriage", "family_planning", *_DELIVERIES)
    _recover(log, rng.choice(after), date(2020, 5, 14), 30)
    offset = next(row for row in log.of_type("advance.offset") if row["insurance_type"] == "310")
    _recover(log, offset, date(2020, 6, 9), 10)


def _bank_returns(log: CityLog, rng: random.Random) -> None:
    """Payments sent back by the bank: reissued, or written back because the payee no longer has a claim."""
    first, last = date(2019, 9, 20), date(2019, 11, 15)
    mine = rng.choice(_paid(log, first, last, "maternity_allowance", "miscarriage", "family_planning"))
    fund = log.city.fund_of(text(mine, "insurance_type"), date(2019, 11, 20))
    _returned(log, mine, date(2019, 11, 20), fund, "payment.reissued", date(2019, 11, 27), fund)
    stale = rng.choice(_paid(log, date(2019, 12, 1), date(2019, 12, 20), *_MEDICAL))
    _returned(log, stale, date(2019, 12, 27), "EMI", "return.written_back", date(2020, 2, 18), "EMI")
    fresh = rng.choice(_paid(log, date(2020, 3, 1), date(2020, 4, 20), *_MEDICAL))
    _returned(log, fresh, date(2020, 4, 26), "EMI", "return.written_back", date(2020, 5, 21), "EMI")


def _returned(log: CityLog, paid: Row, day: date, fund: str, then: str, then_on: date, then_fund: str) -> None:
    amount = fen(paid, "pooled_amount")
    returned = log.treasury(
        "payment.returned",
        day,
        fund,
        account="expenditure",
        amount=amount,
        institution_code=text(paid, "institution_code") or None,
        counterparty="收款账户户名不符",
        original_event_key=text(paid, "source_event_key"),
    )
    log.treasury(
        then,
        then_on,
        then_fund,
        sub_fund="pooled" if then == "return.written_back" else None,
        amount=amount,
        original_event_key=text(returned, "source_event_key"),
    )


def _over_the_counter(log: CityLog, population: Population) -> None:
    """A bill brought in on paper, paid in cash; and one paid from the personal account of a family member."""
    person = next(person for person in population.persons if person.category == "retiree" and person.until is None)
    holder = next(person for person in population.persons if person.category == "employee" and person.until is None)
    settled = settle(
        log,
        date(2020, 1, 6),
        person_no=person.number,
        account_holder_no=holder.number,
        name=person.name,
        insurance_type="310",
        benefit_item="outpatient",
        payment_method="fee_for_service",
        service_on=date(2019, 12, 12),
        applied_on=date(2019, 12, 20),
        medical_fee_total=yuan(1_180),
        pooled_amount=yuan(590),
        personal_account_amount=yuan(260),
        personal_cash_amount=yuan(330),
    )
    pay(log, settled, date(2020, 1, 15), "person", pay_account="cash")
