"""Fund-level facts that do not follow from contributions and claims: openings, interest, subsidies, levies, movers."""

from __future__ import annotations

from datetime import date

from runtime.samples.log import CityLog
from runtime.samples.population import Population
from runtime.samples.registration import OPENING_DAY
from runtime.samples.values import MONTHS, Fen, share, yuan

_INTEREST_DAYS = (date(2019, 9, 21), date(2019, 12, 21), date(2020, 3, 21), date(2020, 6, 21))
_MATERNITY_OPENING = (("treasury", 6), ("special_demand", 70), ("special_time", 24))
_INSURER = "国泰民安人寿保险公司（大病保险承办）"


def record(log: CityLog, population: Population) -> None:
    """All treasury facts but the transfers between accounts, which follow from what is to be paid."""
    _openings(log)
    _interest(log)
    _retiree_credits(log, population)
    _public_money(log)
    _movers(log, population)
    _out_of_area(log)
    _rare(log)
    log.treasury("fund.merged", log.city.merger, "MAT")


def _open(log: CityLog, fund: str, account: str, amount: Fen, **columns: str) -> None:
    log.treasury("balance.opened", OPENING_DAY, fund, account=account, amount=amount, **columns)


def _openings(log: CityLog) -> None:
    city = log.city
    _open(log, "EMI", "treasury", yuan(38_420))
    _open(log, "EMI", "special_demand", city.opening_special_demand)
    _open(log, "EMI", "special_time", city.opening_special_time)
    _open(log, "EMI", "expenditure", Fen(share(city.opening_special_demand, 1_200) + 4_567))
    _open(log, "EMI", "temporary_payment", yuan(50_000), institution_code=city.institution(2))
    _open(log, "EMI", "temporary_receipt", Fen(812_060))
    _open(log, "EMI", "personal_balance", city.opening_personal)
    for account, per_cent in _MATERNITY_OPENING:
        _open(log, "MAT", account, Fen(city.opening_special_demand // 400 * per_cent))
    _open(log, "MAT", "expenditure", yuan(60_000))


def _credit_interest(log: CityLog, day: date, fund: str, account: str, amount: Fen) -> None:
    log.treasury(
        "interest.credited", day, fund, sub_fund="pooled", account=account, amount=amount, counterparty="开户银行"
    )


def _interest(log: CityLog) -> None:
    """Quarterly interest on each deposit; the expenditure account's is swept; the yearly split to personal accounts."""
    city = log.city
    for quarter, day in enumerate(_INTEREST_DAYS):
        _credit_interest(log, day, "EMI", "special_demand", Fen(share(city.opening_special_demand, 9) + 137 * quarter))
        _credit_interest(log, day, "EMI", "special_time", Fen(share(city.opening_special_time, 38) + 11 * quarter))
        _credit_interest(log, day, "EMI", "expenditure", Fen(20_415 + 993 * quarter))
        _transfer(log, day, "EMI", "expenditure", "special_demand", Fen(20_415 + 993 * quarter))
        if day < city.merger:
            _credit_interest(log, day, "MAT", "special_demand", Fen(61_208 + 77 * quarter))
    split = share(city.opening_personal, 16)
    log.treasury("interest.allocated", date(2019, 12, 31), "EMI", amount=split)
    log.treasury("interest.allocated", date(2020, 6, 30), "EMI", amount=split + 1_101)


def _transfer(log: CityLog, day: date, fund: str, source: str, target: str, amount: Fen) -> None:
    log.treasury("cash.transferred", day, fund, from_account=source, to_account=target, amount=amount)


def _retiree_credits(log: CityLog, population: Population) -> None:
    """Each retiree's personal account receives a fixed sum a month out of the pool."""
    for month in MONTHS:
        for person in population.active(month, "retiree"):
            amount = yuan(95 if month.year - person.birth_date.year >= 70 else 80)
            log.treasury("account.credited", month.day(8), "EMI", person_no=person.number, amount=amount)


def _public_money(log: CityLog) -> None:
    """Subsidies, and money between the levels of government."""
    scale = log.city.population_share

    def pooled(event_type: str, day: date, amount: int, account: str, counterparty: str) -> None:
        log.treasury(
            event_type, day, "EMI", sub_fund="pooled", account=account, amount=yuan(amount), counterparty=counterparty
        )

    pooled("subsidy.received", date(2020, 3, 17), 3_000 * scale, "special_demand", "市财政局")
    pooled("superior.received", date(2020, 5, 19), 1_250 * scale, "special_demand", "省医疗保障基金中心")
    pooled("subordinate.received", date(2019, 12, 11), 640 * scale, "special_demand", "县区医保中心")
    pooled("remitted.up", date(2020, 1, 14), 820 * scale, "special_demand", "省级调剂金")
    pooled("subsidised.down", date(2020, 4, 9), 450 * scale, "expenditure", "县区医保中心")
    pooled("catastrophic.transferred", date(2020, 2, 25), 1_900 * scale, "special_demand", _INSURER)
    pooled("other.received", date(2020, 5, 12), 37 * scale, "special_demand", "定点机构违约金")
    pooled("other.paid", date(2020, 6, 10), 11 * scale, "expenditure", "退还误收的违约金")


def _movers(log: CityLog, population: Population) -> None:
    """Personal accounts follow their holder to another city, come in with one, or go to the heirs."""
    leavers = [person for person in population.persons if person.until is not None]
    for number, person in enumerate(leavers):
        assert person.until is not None
        balance = Fen(64_000 + 3_127 * (number % 23))
        if person.end_reason == "transferred_out":
            _personal(log, "transfer.sent", person.until, person.number, "expenditure", balance)
        elif person.end_reason == "died":
            _personal(log, "account.paid_out", person.until, person.number, "expenditure", balance)
    newcomers = [person for person in population.persons if person.since > OPENING_DAY][::6]
    for number, person in enumerate(newcomers):
        balance = Fen(41_250 + 2_803 * (number % 17))
        _personal(log, "transfer.received", person.since, person.number, "special_demand", balance)


def _personal(log: CityLog, event_type: str, day: date, person_no: str, account: str, amount: Fen) -> None:
    log.treasury(event_type, day, "EMI", sub_fund="personal", person_no=person_no, account=account, amount=amount)


def _out_of_area(log: CityLog) -> None:
    """Patients treated elsewhere: prefund and clearing; patients from elsewhere: paid for, then reimbursed."""
    scale, clearing_house = log.city.population_share, "省异地就医结算中心"
    advanced = log.treasury(
        "outofarea.advanced", date(2019, 10, 15), "EMI", amount=yuan(1_500 * scale), counterparty=clearing_house
    )
    for day, item, amount in (
        (date(2019, 12, 20), "inpatient", 510),
        (date(2020, 4, 20), "inpatient", 655),
        (date(2020, 4, 20), "outpatient_chronic", 48),
    ):
        log.treasury(
            "outofarea.cleared",
            day,
            "EMI",
            sub_fund="pooled",
            benefit_item=item,
            amount=yuan(amount * scale),
            counterparty=clearing_house,
            original_event_key=advanced["source_event_key"],
        )
    paid = log.treasury(
        "outofarea.paid_for_others",
        date(2019, 11, 14),
        "EMI",
        institution_code=log.city.institution(0),
        amount=yuan(300 * scale),
        counterparty="合肥市医疗保障基金管理中心",
    )
    log.treasury(
        "outofarea.reimbursed",
        date(2020, 3, 24),
        "EMI",
        amount=yuan(300 * scale),
        counterparty="合肥市医疗保障基金管理中心",
        original_event_key=paid["source_event_key"],
    )


def _rare(log: CityLog) -> None:
    """Time deposits, cash drawn for the counter, Nanjing's bonds and Huainan's short loan."""
    _transfer(log, date(2019, 10, 24), "EMI", "special_demand", "special_time", yuan(400_000))
    _transfer(log, date(2020, 4, 24), "EMI", "special_time", "special_demand", yuan(600_000))
    _transfer(log, date(2020, 1, 10), "EMI", "expenditure", "cash", yuan(2_000))
    _transfer(log, date(2020, 1, 20), "EMI", "cash", "expenditure", yuan(1_000))
    if log.city.region_code == "320100":
        _transfer(log, date(2019, 11, 5), "EMI", "special_demand", "bond", yuan(500_000))
        return
    for event_type, day in (("loan.received", date(2020, 2, 12)), ("loan.repaid", date(2020, 6, 15))):
        log.treasury(event_type, day, "EMI", account="special_demand", amount=yuan(250_000), counterparty="市财政局")
