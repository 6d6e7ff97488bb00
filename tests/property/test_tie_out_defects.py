"""Books and their true outside statements, one defect a month planted at random: the tie-out names exactly that one.

A year of payments and premiums; the bank's list of the expenditure account movement by movement, its daily balances of
the treasury account, the tax office's receipts, and two hospitals' own lists. A seed that fails reproduces by itself.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from decimal import Decimal
from random import Random
from typing import Any

import psycopg2
import pytest

from runtime import dbt
from tests.integration.posting_log import PostingLog

NANJING, HUAINAN = "320100", "340400"
MONTHS = [date(2020, number, 1) for number in range(1, 13)]
DAY = timedelta(days=1)
OPENED = {"expenditure": Decimal("500000.00"), "treasury": Decimal("7000.00")}
CODES = {"expenditure": "1004", "treasury": "1005"}
PREMIUM = {
    "event_type": "contribution.collected",
    "insurance_type": "310",
    "enrollment_category": "employee",
    "deposit_account": "treasury",
    "personal_amount": 0,
    "personal_account_credit": 0,
}
PUBLISH = """
insert into ledger.publication (region_code, seq, batch_id, batch_hash, rules_sha256, run_id)
select distinct on (region_code) region_code, seq, batch_id, batch_hash, '-', 'test' from ledger.built_head
order by region_code, seq desc
"""
ITEMS = """
select accounting_month, statement_kind, coalesce(institution_code, account_code), status, match_number, difference,
    event_seq, stated_seq
from marts.tie_out_item
where region_code = %s and status <> 'matched' order by 1, 2, 3, stated_on, stated_seq
"""
WRONG_SUMS = """
with cause as (
    select region_code, fund_code, statement_kind, scope, stated_on, accounting_month,
        coalesce(account_code, '') as account, coalesce(institution_code, '') as institution, sum(difference) as amount
    from marts.tie_out_item group by 1, 2, 3, 4, 5, 6, 7, 8
)
select count(*) from (
    select *, coalesce(account_code, '') as account, coalesce(institution_code, '') as institution from marts.tie_out
) as figure
full join cause using (region_code, fund_code, statement_kind, scope, stated_on, accounting_month, account, institution)
where figure.difference - figure.carried_difference is distinct from cause.amount
"""


@dataclass(frozen=True)
class Movement:
    """Money that moved: ours when `seq` is the event's, theirs when it stands in a statement. Out is negative."""

    day: date
    number: str
    amount: Decimal
    hospital: str = ""
    seqs: tuple[int, ...] = ()


@dataclass
class Stream:
    """One outside party's list."""

    name: str
    kind: str
    account: str
    ours: list[Movement]
    numbered: bool = True
    hospital: str = ""
    theirs: list[Movement] = field(default_factory=list)
    defects: dict[date, tuple[str, Movement]] = field(default_factory=dict)


def month_of(day: date) -> date:
    return day.replace(day=1)


def distinct_amounts(random: Random) -> Iterator[Decimal]:
    for cents in random.sample(range(10_000, 900_000), 2_000):
        yield Decimal(cents) / 100


def write_books(log: PostingLog, random: Random) -> tuple[list[Movement], list[Movement]]:
    """Facts of a year into the log; what they moved on the expenditure and on the treasury account, by number."""
    amounts = distinct_amounts(random)
    log.add(
        *(
            {"event_type": "balance.opened", "occurred_on": MONTHS[0], "fund_code": "EMI", "account": account}
            | {"amount": amount}
            for account, amount in OPENED.items()
        )
    )
    paid, collected = [], []
    for month in MONTHS:
        for place in range(10):
            parts = 2 if place == 9 else 1  # two claims in one transfer
            day, number = month + DAY * random.randint(2, 24), f"Z{month:%m}{place:02d}"
            hospital = random.choice(("H1", "H2"))
            facts = [
                {"event_type": "claim.paid", "occurred_on": day, "insurance_type": "310", "benefit_item": "inpatient"}
                | {"payee_type": "institution", "institution_code": hospital, "payment_no": number}
                | {"claim_no": f"C{number}{part}", "person_no": "P", "pooled_amount": next(amounts)}
                for part in range(parts)
            ]
            seq = log.add(*facts)
            total = sum((fact["pooled_amount"] for fact in facts), Decimal(0))
            paid.append(Movement(day, number, -total, hospital, tuple(range(seq, seq + parts))))
        for place in range(6):
            day, number = month + DAY * (2 + place * 4 + random.randint(0, 2)), f"T{month:%m}{place:02d}"
            facts = [
                PREMIUM | {"occurred_on": day, "person_no": f"P{part}", "receipt_no": number}
                | {"employer_amount": next(amounts)}
                for part in range(random.choice((1, 1, 3)))
            ]  # fmt: skip
            seq = log.add(*facts)
            total = sum((fact["employer_amount"] for fact in facts), Decimal(0))
            collected.append(Movement(day, number, total, "", tuple(range(seq, seq + len(facts)))))
    return paid, collected


def streams_of(paid: list[Movement], collected: list[Movement]) -> list[Stream]:
    own = [[replace(m, amount=-m.amount) for m in paid if m.hospital == name] for name in ("H1", "H2")]
    return [
        Stream("bank, by movement", "bank_balance", "expenditure", paid),
        Stream("bank, by day", "bank_balance", "treasury", collected, numbered=False),
        Stream("tax receipts", "tax_collected", "treasury", collected),
        Stream("hospital 1", "institution_settled", "", own[0], hospital="H1"),
        Stream("hospital 2", "institution_settled", "", own[1], hospital="H2"),
    ]


def plant(stream: Stream, random: Random) -> None:
    """Their side is ours, but for one movement a month."""
    kinds = ["missing_there", "missing_here", "amount", "shifted", "split"]
    if not stream.numbered:
        kinds = ["missing_there", "missing_here", "shifted"]
    for month in MONTHS[1:-1]:
        own = [m for m in stream.ours if month_of(m.day) == month]
        random.shuffle(kinds)
        kind = kinds[0]
        single = [m for m in own if len(m.seqs) == 1] if not stream.numbered else own
        if not single:
            stream.theirs += own
            continue
        victim = random.choice(single)
        rest = [m for m in own if m is not victim]
        stream.theirs += rest + changed(kind, victim)
        if kind != "split":
            stream.defects[month] = (kind, victim)
    for month in (MONTHS[0], MONTHS[-1]):
        stream.theirs += [m for m in stream.ours if month_of(m.day) == month]
    stream.theirs.sort(key=lambda m: (m.day, m.number))


def changed(kind: str, victim: Movement) -> list[Movement]:
    """What stands in their list in place of a movement."""
    match kind:
        case "missing_there":
            return []
        case "missing_here":
            return [victim, replace(victim, number=f"X{victim.number}", amount=victim.amount + Decimal("0.03"))]
        case "amount":
            return [replace(victim, amount=victim.amount + Decimal("0.07"))]
        case "shifted":
            return [replace(victim, day=victim.day + DAY)]
        case _:
            part = (victim.amount / 3).quantize(Decimal("0.01"))
            return [replace(victim, amount=part), replace(victim, amount=victim.amount - part)]


def statements(stream: Stream) -> list[dict[str, Any]]:
    """The rows a party sends: a balance or total of every day beside the movements, hospitals a total of the month."""
    about = {"event_type": "balance.stated", "fund_code": "EMI", "statement_kind": stream.kind, "schema_version": 2}
    if stream.account:
        about["account"] = stream.account
    if stream.hospital:
        about["institution_code"] = stream.hospital
    balance, rows = OPENED.get(stream.account, Decimal(0)), []
    for day in (MONTHS[0] + DAY * number for number in range(366)):
        own = [movement for movement in stream.theirs if movement.day == day]
        for movement in own:
            balance += movement.amount
            shown = balance if stream.kind == "bank_balance" else movement.amount
            number = "tax_voucher_no" if stream.kind == "tax_collected" else "payment_no"
            if stream.numbered:
                rows.append(about | {"occurred_on": day, "amount": shown, number: movement.number})
        total = sum((movement.amount for movement in own), Decimal(0))
        if not stream.hospital:
            rows.append(about | {"occurred_on": day, "amount": balance if stream.kind == "bank_balance" else total})
        elif (day + DAY).day == 1:
            month = month_of(day)
            total = sum((m.amount for m in stream.theirs if month_of(m.day) == month), Decimal(0))
            rows.append(about | {"occurred_on": day, "accounting_month": month, "amount": total})
    return rows


def expected(stream: Stream, month: date) -> set[tuple[Any, ...]]:
    """(status, event of ours, sum of the differences it causes) of a month's defect."""
    kind, victim = stream.defects.get(month, ("", stream.ours[0]))
    if not kind or (kind == "shifted" and stream.hospital):
        return set()  # none, or one that leaves the total of the month as it is
    unnamed = "missing_here" if stream.numbered else "amount_differs"
    return {
        "missing_there": {("missing_there", victim.seqs[0], victim.amount)},
        "missing_here": {(unnamed, None, -victim.amount - Decimal("0.03"))},
        "amount": {("amount_differs", victim.seqs[0], Decimal("-0.07"))},
        "shifted": {("in_transit", victim.seqs[0], Decimal(0))},
    }[kind]


def query(sql: str, *values: object, role: str = "auditor") -> list[tuple[Any, ...]]:
    with closing(psycopg2.connect(os.environ["FUND_DATABASE_URL"])) as connection, connection.cursor() as cursor:
        cursor.execute(f"set role {role}")
        cursor.execute(sql, values)
        found = list(cursor.fetchall()) if cursor.description else []
        connection.commit()
    return found


@pytest.mark.exhaustive
@pytest.mark.timeout(1200)
@pytest.mark.usefixtures("deployed_warehouse")
def test_each_planted_defect_is_named_and_nothing_else() -> None:
    planted: dict[str, list[Stream]] = {}
    for seed, region in ((1, NANJING), (2, HUAINAN)):
        random, log = Random(seed), PostingLog(region)
        planted[region] = streams_of(*write_books(log, random))
        for stream in planted[region]:
            plant(stream, random)
            log.add(*statements(stream))
    dbt.build("planted")
    query(PUBLISH, role="fund_publisher")
    assert {kind for streams in planted.values() for s in streams for kind, _ in s.defects.values()} == {
        "missing_there", "missing_here", "amount", "shifted",
    }  # fmt: skip
    wrong = [line for region, streams in planted.items() for line in compare(region, streams)]
    assert wrong == []
    check_sums()


def compare(region: str, streams: list[Stream]) -> Iterator[str]:
    found: dict[tuple[Any, ...], dict[tuple[Any, ...], Decimal]] = {}
    for month, kind, place, status, _, difference, event_seq, _ in query(ITEMS, region):
        sums = found.setdefault((kind, place, month), {})
        sums[status, event_seq] = sums.get((status, event_seq), Decimal(0)) + difference
    for stream in streams:
        place = stream.hospital or CODES[stream.account]
        for month in MONTHS:
            named = {(*key, amount) for key, amount in found.get((stream.kind, place, month), {}).items()}
            if named != (wanted := expected(stream, month)):
                yield f"{region} {stream.name} {month}: planted {stream.defects.get(month)}: {wanted}, named {named}"


def check_sums() -> None:
    """Every difference is the sum of what its items cause, and of what was there before."""
    assert query(WRONG_SUMS) == [(0,)]
