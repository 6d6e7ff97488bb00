"""Books of two regions written by hand, small enough to check by eye: what the gate's tests corrupt.

Month M is the one before the region's merger, month N that of the merger. Batch 1 (month M) is published, batch 2 (month N) is the
increment. Worked out by hand: EMI E113 of month N = 200 (delivery) + 300 (allowance) - 50 (recovered) = 450; MAT moves 110 of net assets.
"""

# ruff: noqa: E501 - one fact or entry a row reads better than wrapped

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

from psycopg2.extensions import connection as Connection
from psycopg2.extensions import cursor as Cursor

from expectations.rules_version import rules_sha256
from tests.integration.gate_books_claims import CLAIM_FACTS, write_claim_deltas

# Each region as (month M, month N).
REGIONS = {"320100": ("2019-12", "2020-01"), "340400": ("2019-11", "2019-12")}


@dataclass(frozen=True)
class Entry:
    """One entry of an event: lines are (account, sub_fund, debit, credit)."""

    seq: int
    fund: str
    rules: str
    lines: tuple[tuple[str, str, str, str], ...]
    kind: str = "normal"
    number: int = 1


@dataclass(frozen=True)
class Fact:
    """One event: batch, type, day of its month, and its columns; a value by region code where the regions differ."""

    seq: int
    event_type: str
    family: str
    day: int
    columns: dict[str, Any]


_PREMIUM = {
    "insurance_type": "310", "enrollment_category": "employee", "person_no": "P1", "employer_no": "E1", "contribution_base": "8000.00",
    "employer_amount": "720.00", "personal_amount": "160.00", "personal_account_credit": "80.00", "receipt_no": "T1",
    "deposit_account": "treasury",
}  # fmt: skip
_MATERNITY_PREMIUM = {
    "insurance_type": "510", "enrollment_category": "employee", "person_no": "P1", "employer_no": "E1", "employer_amount": "40.00",
    "receipt_no": "T1", "deposit_account": "treasury",
}  # fmt: skip

FACTS: tuple[Fact, ...] = (
    Fact(1, "enrollment.started", "registration", 1, {"person_no": "P1", "insurance_type": "310", "enrollment_category": "employee"}),
    Fact(2, "contribution.collected", "contribution", 5, {**_PREMIUM, "contribution_month": "M"}),
    Fact(3, "contribution.collected", "contribution", 5, {**_MATERNITY_PREMIUM, "contribution_month": "M"}),
    Fact(4, "claim.paid", "claim", 8, {
        "claim_no": "C1", "person_no": "P1", "insurance_type": "510", "benefit_item": "delivery_normal", "payee_type": "person",
        "pooled_amount": "30.00", "personal_account_amount": "5.00", "payment_no": "Z1",
    }),
    Fact(5, "subsidy.received", "treasury", 9, {"fund_code": "MAT", "sub_fund": "pooled", "account": "expenditure", "amount": "100.00"}),
    Fact(6, "subsidy.received", "treasury", 9, {
        "fund_code": "EMI", "sub_fund": "pooled", "account": "special_demand", "amount": "10000.00",
    }),
    Fact(7, "cash.transferred", "treasury", 9, {
        "fund_code": "EMI", "from_account": "special_demand", "to_account": "expenditure", "amount": "5000.00",
    }),
    Fact(8, "fund.merged", "treasury", 1, {"fund_code": "MAT"}),
    Fact(9, "claim.paid", "claim", 3, {
        "claim_no": "C2", "person_no": "P1", "insurance_type": "310", "benefit_item": "delivery_caesarean", "payee_type": "person",
        "payment_method": "per_disease", "pooled_amount": "200.00", "payment_no": "Z2",
    }),
    Fact(10, "claim.paid", "claim", 4, {
        "claim_no": "C3", "person_no": "P1", "insurance_type": "310", "benefit_item": "maternity_allowance", "payee_type": "employer",
        "payment_method": "fixed_amount", "pooled_amount": "300.00", "payment_no": "Z3", "service_on": {"320100": "2020-01-02", "340400": "2019-12-02"},
        "allowance_daily_base": {"320100": "15.00", "340400": "20.00"}, "leave_days": {"320100": 20, "340400": 15},
    }),
    Fact(11, "contribution.collected", "contribution", 5, {**_PREMIUM, "receipt_no": "T2", "contribution_month": "N"}),
    Fact(12, "contribution.collected", "contribution", 5, {**_MATERNITY_PREMIUM, "receipt_no": "T2", "contribution_month": "N"}),
    Fact(13, "claim.recovered", "claim", 20, {
        "claim_no": "C2", "insurance_type": "310", "benefit_item": "delivery_caesarean", "pooled_amount": "50.00", "original_seq": 9,
        "original_event_key": "K9",
    }),
    # the miscarriage in the sixth week that C3 is for: 20 days in one region, 15 in the other
    Fact(14, "claim.settled", "claim", 21, {
        "claim_no": "C4", "person_no": "P1", "insurance_type": "310", "benefit_item": "miscarriage", "gestation_weeks": 6,
        "service_on": {"320100": "2020-01-02", "340400": "2019-12-02"}, "pooled_amount": "999.00", "deposit_withheld_amount": "999.00",
    }),
)  # fmt: skip
FACTS += tuple(Fact(len(FACTS) + place, *told) for place, told in enumerate(CLAIM_FACTS, start=1))
HEAD = len(FACTS)
EVENTS_PER_BATCH = (7, HEAD - 7)

_PREMIUM_LINES = (
    ("1005", "shared", "880", "0"), ("400101", "pooled", "0", "640"), ("400102", "personal", "0", "80"),
    ("400103", "personal", "0", "160"),
)  # fmt: skip

ENTRIES = (
    Entry(2, "EMI", "COLL-01,COLL-02,COLL-03", _PREMIUM_LINES),
    Entry(3, "MAT", "COLL-10", (("1005", "shared", "40", "0"), ("400110", "pooled", "0", "40"))),
    Entry(4, "MAT", "PAID-13", (("50011001", "pooled", "30", "0"), ("1004", "shared", "0", "30"))),
    Entry(4, "EMI", "PAID-14", (("50010201", "personal", "5", "0"), ("1004", "shared", "0", "5")), number=2),
    Entry(5, "MAT", "SUBS-01", (("1004", "shared", "100", "0"), ("4101", "pooled", "0", "100"))),
    Entry(6, "EMI", "SUBS-01", (("100301", "shared", "10000", "0"), ("4101", "pooled", "0", "10000"))),
    Entry(7, "EMI", "CASH-01", (("1004", "shared", "5000", "0"), ("100301", "shared", "0", "5000"))),
    Entry(8, "MAT", "MERG-01", (
        ("400110", "pooled", "40", "0"), ("4101", "pooled", "100", "0"), ("3001", "pooled", "30", "0"),
        ("3001", "pooled", "0", "140"), ("50011001", "pooled", "0", "30"),
    ), kind="closing"),
    Entry(8, "MAT", "MERG-02", (
        ("3001", "pooled", "110", "0"), ("1005", "shared", "0", "40"), ("1004", "shared", "0", "70"),
    ), kind="merger", number=2),
    Entry(8, "EMI", "MERG-03", (
        ("1005", "shared", "40", "0"), ("1004", "shared", "70", "0"), ("3001", "pooled", "0", "110"),
    ), kind="merger", number=3),
    Entry(9, "EMI", "PAID-07", (("5001010301", "pooled", "200", "0"), ("1004", "shared", "0", "200"))),
    Entry(10, "EMI", "PAID-09", (("5001010302", "pooled", "300", "0"), ("1004", "shared", "0", "300"))),
    Entry(11, "EMI", "COLL-01,COLL-02,COLL-03", _PREMIUM_LINES),
    Entry(12, "EMI", "COLL-12", (("1005", "shared", "40", "0"), ("400101", "pooled", "0", "40"))),
    Entry(13, "EMI", "RECV-07", (("100301", "shared", "50", "0"), ("5001010301", "pooled", "-50", "0"))),
)  # fmt: skip

# Seq of each claim's settlement, and of the first assessment.
CLAIM_SEQS = {
    fact.columns["claim_no"]: fact.seq for fact in FACTS if fact.event_type == "claim.settled"
} | {
    "enrolled": next(fact.seq for fact in FACTS if fact.event_type == "enrollment.started" and fact.seq > 7),
    "assessed": next(fact.seq for fact in FACTS if fact.event_type == "contribution.assessed")}  # fmt: skip

_RECORDED_AT = ("2020-02-01T01:00:00+00:00", "2020-02-02T01:00:00+00:00")
_PUBLISHED_AT = "2020-02-01T02:00:00+00:00"


def write_books(connection: Connection) -> None:
    """Fill log, journal, turnover and heads of both regions; the connection must own the tables. Commits."""
    for number, (region, months) in enumerate(REGIONS.items()):
        _write_log(connection, region, months, first_file=2 * number + 1)
        _write_journal(connection, region, months)
        _write_heads(connection, region)
    _write_turnover(connection)
    connection.commit()


def write_heads_files(connection: Connection, heads_dir: Path) -> None:
    """Heads outside the database, as the loader writes them: one line a run."""
    with connection.cursor() as cursor:
        cursor.execute(
            "select log_id::text, region_code, batch_id, last_seq, encode(batch_hash, 'hex'),"
            " case when batch_id > 1 then encode(prev_batch_hash, 'hex') end"
            " from events.batch cross join events.log_identity order by region_code, batch_id"
        )
        for log_id, region, batch_id, seq, batch_hash, before in cursor.fetchall():
            folder = heads_dir / log_id
            folder.mkdir(parents=True, exist_ok=True)
            line = {
                "region_code": region,
                "batch_id": batch_id,
                "seq": seq,
                "batch_hash": batch_hash,
                "written_at": _RECORDED_AT[batch_id - 1],
                "previous_batch_hash": before,
            }
            with (folder / f"{region}.jsonl").open("a", encoding="utf-8") as handle:
                handle.write(json.dumps(line) + "\n")


def _batch_of(seq: int) -> int:
    return 1 if seq <= EVENTS_PER_BATCH[0] else 2


def _date(months: tuple[str, str], fact: Fact) -> date:
    return date.fromisoformat(f"{months[_batch_of(fact.seq) - 1]}-{fact.day:02d}")


def _in_months(fact: Fact, months: tuple[str, str]) -> Fact:
    """The fact with M and N replaced by the first days of these months."""
    days = {letter: f"{month}-01" for letter, month in zip("MN", months, strict=True)}
    month = fact.columns.get("contribution_month")
    return replace(fact, columns=fact.columns | {"contribution_month": days[month]}) if month else fact


def _write_log(connection: Connection, region: str, months: tuple[str, str], first_file: int) -> None:
    with connection.cursor() as cursor:
        for batch_id in (1, 2):
            file_id = first_file + batch_id - 1
            recorded_at = _RECORDED_AT[batch_id - 1]
            _write_file(
                cursor,
                region,
                file_id,
                f"{region}.{months[batch_id - 1]}.csv",
                recorded_at,
                EVENTS_PER_BATCH[batch_id - 1],
            )
            first, last = (1, 7) if batch_id == 1 else (8, HEAD)
            cursor.execute(
                "insert into events.batch select %s, %s, %s, sha256, %s, %s, %s, decode(repeat('00', 32), 'hex'),"
                " decode(repeat('00', 32), 'hex') from events.file_registry where file_id = %s",
                (region, batch_id, file_id, first, last, recorded_at, file_id),
            )
            for fact in FACTS[first - 1 : last]:
                _write_event(cursor, region, _in_months(fact, months), _date(months, fact), batch_id, recorded_at)
            cursor.execute(
                "update events.batch set prev_batch_hash = (select batch_hash from events.batch where region_code = %s and batch_id = 1)"
                " where region_code = %s and batch_id = 2",
                (region, region),
            )
            cursor.execute(
                "update events.batch set batch_hash = events.batch_hash(region_code, batch_id) where region_code = %s and batch_id = %s",
                (region, batch_id),
            )


def _write_file(cursor: Cursor, region: str, file_id: int, name: str, finished_at: str, loaded: int) -> None:
    """A file of so many loaded rows and one duplicate."""
    cursor.execute(
        "insert into events.file_registry values (%s, %s, %s, encode(sha256(%s), 'hex'), 1000, %s)",
        (file_id, f"source_{region}", name, name.encode(), finished_at),
    )
    cursor.execute(
        "insert into events.file_outcome values (%s, 1, 'loaded', null, null, 'claim', %s, %s, 1, 0, %s, 'reader', null, %s)",
        (file_id, loaded + 1, loaded, loaded + 1, finished_at),
    )


def _write_event(cursor: Cursor, region: str, fact: Fact, occurred_on: date, batch_id: int, recorded_at: str) -> None:
    row = {
        "region_code": region, "seq": fact.seq, "event_type": fact.event_type, "family": fact.family, "schema_version": 1,
        "source_system": f"source_{region}", "source_event_key": f"K{fact.seq}", "occurred_on": occurred_on.isoformat(),
        "recorded_at": recorded_at, "batch_id": batch_id, "line_no": fact.seq + 1, "content_hash": "\\x" + "00" * 32,
        **{name: value[region] if isinstance(value, dict) else value for name, value in fact.columns.items()},
    }  # fmt: skip
    cursor.execute(
        "insert into events.event select (jsonb_populate_record(null::events.event, given.row || jsonb_build_object('content_hash',"
        " events.content_hash(jsonb_populate_record(null::events.event, given.row))))).* from (select %s::jsonb as row) as given",
        (json.dumps(row),),
    )


def _write_journal(connection: Connection, region: str, months: tuple[str, str]) -> None:
    with connection.cursor() as cursor:
        for entry in ENTRIES:
            for line_no, line in enumerate(entry.lines, start=1):
                _write_line(cursor, region, months, entry, line_no, line)


def _write_line(
    cursor: Cursor, region: str, months: tuple[str, str], entry: Entry, line_no: int, line: tuple[str, str, str, str]
) -> None:
    fact = FACTS[entry.seq - 1]
    day = _date(months, fact)
    account, sub_fund, debit, credit = line
    row = {
        "region_code": region, "event_seq": entry.seq, "entry_no": entry.number, "line_no": line_no,
        "entry_id": f"{region}-{entry.seq}-{entry.number}", "entry_kind": entry.kind, "fund_code": entry.fund,
        "accounting_month": day.replace(day=1), "posting_date": day, "account_code": account, "sub_fund": sub_fund,
        "debit_amount": Decimal(debit), "credit_amount": Decimal(credit), "event_type": fact.event_type, "business_type": fact.family,
        "batch_id": _batch_of(entry.seq), "rule_ids": entry.rules,
        **{name: fact.columns.get(name) for name in ("person_no", "employer_no", "claim_no", "receipt_no", "benefit_item")},
    }  # fmt: skip
    insert(cursor, "ledger.journal_line", row)


def insert(cursor: Cursor, table: str, row: dict[str, Any]) -> None:
    """Insert one row given by column name."""
    names: Iterable[str] = row.keys()
    cursor.execute(f"insert into {table} ({', '.join(names)}) values ({', '.join(f'%({name})s' for name in row)})", row)


def _write_heads(connection: Connection, region: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "insert into ledger.built_head (region_code, batch_id, seq, batch_hash, run_id, built_at)"
            " select region_code, batch_id, last_seq, batch_hash, 'build-' || batch_id, recorded_at"
            " from events.batch where region_code = %s",
            (region,),
        )
        cursor.execute(
            "insert into ledger.publication select region_code, last_seq, batch_id, batch_hash, %s, %s, 'first'"
            " from events.batch where region_code = %s and batch_id = 1",
            (rules_sha256(connection), _PUBLISHED_AT, region),
        )


def _write_turnover(connection: Connection) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "insert into ledger.account_turnover (region_code, fund_code, accounting_month, account_code, sub_fund, entry_kind,"
            " batch_id, last_seq, debit_amount, credit_amount, line_count)"
            " select region_code, fund_code, accounting_month, account_code, sub_fund, entry_kind, batch_id, max(event_seq),"
            " sum(debit_amount), sum(credit_amount), count(*) from ledger.journal_line group by 1, 2, 3, 4, 5, 6, 7"
        )
        for region, months in REGIONS.items():
            write_claim_deltas(cursor, region, months, CLAIM_SEQS)
        # P1 alone: month M 80 + 160 credited and 5 paid, month N 80 + 160 credited
        for region, months in REGIONS.items():
            for batch_id, (month, credited, paid) in enumerate(
                zip(months, ("240", "240"), ("5", "0"), strict=True), start=1
            ):
                account = {
                    "region_code": region, "fund_code": "EMI", "accounting_month": f"{month}-01", "person_no": "P1",
                    "batch_id": batch_id, "last_seq": (4, 11)[batch_id - 1], "credited_amount": Decimal(credited),
                    "interest_amount": Decimal(0), "paid_amount": Decimal(paid),
                }  # fmt: skip
                insert(cursor, "ledger.personal_account_turnover", account)


def switch_off_triggers(connection: Connection) -> None:
    """No guards on the books of this database, and no foreign keys in this session."""
    with connection.cursor() as cursor:
        guards = "('append_only', 'closed_month', 'voucher_numbers')"
        cursor.execute(f"select tgrelid::regclass::text, tgname from pg_trigger where tgname in {guards}")
        for table, guard in cursor.fetchall():
            cursor.execute(f"alter table {table} disable trigger {guard}")
        cursor.execute("set session_replication_role = replica")
