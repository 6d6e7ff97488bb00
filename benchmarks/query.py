"""python -m benchmarks.query: what a finance reader waits for on a long ledger.

The reader is an account of its own, with a right to one region, over a connection of its own. Months, vouchers and
positions in the log are drawn at random, the same ones in every run of the benchmark.
"""

from __future__ import annotations

import argparse
import random
import time
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import date
from statistics import median, quantiles
from urllib.parse import urlsplit, urlunsplit

import psycopg2
from psycopg2.extensions import connection as Connection

from benchmarks.common import Server, command, machine, server
from benchmarks.databases import execute, fresh
from benchmarks.ledgers import BEGIN, REGION, ledger, prepare
from runtime import reader_accounts

LOGIN, PASSWORD = "benchmark_reader", "benchmark-reader-2026"
MONTHS = [date(BEGIN.year + number // 12, number % 12 + 1, 1) for number in range(36)]
Parameters = tuple[object, ...]


@dataclass(frozen=True)
class Question:
    """A query and how its parameters are drawn."""

    name: str
    sql: str
    draw: Callable[[random.Random], Parameters]


@dataclass(frozen=True)
class Answer:
    """Milliseconds of each run, and the rows that came back."""

    milliseconds: Sequence[float]
    rows: Sequence[int]

    def told(self) -> str:
        """Cells of the report: rows (median), p50, p95, most."""
        p95 = quantiles(self.milliseconds, n=20)[-1]
        worst = max(self.milliseconds)
        return f"{median(self.rows):,.0f} | {median(self.milliseconds):.1f} | {p95:.1f} | {worst:.1f}"


def main() -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.query", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--events", type=int, default=10_000_000, help="in the log (default: ten million)")
    parser.add_argument("--runs", type=int, default=200, help="of each query (default: two hundred)")
    options = parser.parse_args()
    print(f"{command()}\n{machine()}\n", flush=True)
    with server() as empty:
        prepare()
        target = fresh(empty, "long")
        ledger(target, options.events)
        measure(target, options.events, options.runs)
    return 0


def measure(target: Server, events: int, runs: int) -> None:
    """Ask every question `runs` times and print the table."""
    reader_accounts.add(target.superuser_url, LOGIN, [REGION], "finance_reader", PASSWORD)
    try:
        print(f"{runs} runs each on {events:,} events; milliseconds, with all rows fetched\n")
        print("| asked | rows | p50 | p95 | most |\n|---|---|---|---|---|")
        with closing(psycopg2.connect(_reader_url(target))) as connection:
            connection.autocommit = True
            for question in _questions(target):
                print(f"| {question.name} | {_ask(connection, question, runs).told()} |", flush=True)
    finally:
        reader_accounts.remove(target.superuser_url, LOGIN)


def _questions(target: Server) -> list[Question]:
    vouchers = execute(
        target,
        "SELECT fund_code, accounting_month, voucher_no FROM ledger.voucher"
        f" WHERE region_code = '{REGION}' AND business_type = 'benefit' ORDER BY 1, 2, 3",
    )
    ((head,),) = execute(target, f"SELECT max(seq) FROM ledger.publication WHERE region_code = '{REGION}'")
    last = int(str(head))
    questions = [
        Question(
            "income and expenditure statement of a month",
            "SELECT * FROM marts.income_expenditure_statement WHERE region_code = %s AND fund_code = 'EMI'"
            " AND accounting_month = %s ORDER BY line_code, sub_fund",
            lambda draw: (REGION, draw.choice(MONTHS)),
        ),
        Question(
            "journal lines of one line of it (maternity allowance) in a month",
            "SELECT * FROM marts.general_ledger WHERE region_code = %s AND fund_code = 'EMI'"
            " AND accounting_month = %s AND account_code = '5001010302' ORDER BY event_seq, entry_id, line_no",
            lambda draw: (REGION, draw.choice(MONTHS[12:])),
        ),
        Question(
            "lines of a voucher",
            "SELECT * FROM marts.general_ledger WHERE region_code = %s AND fund_code = %s AND accounting_month = %s"
            " AND voucher_no = %s ORDER BY event_seq, entry_id, line_no",
            lambda draw: (REGION, *draw.choice(vouchers)),
        ),
    ]
    if execute(target, "SELECT 1 FROM pg_proc WHERE proname = 'statement_as_of'"):
        questions.append(
            Question(
                "statement of a month as known at a seq",
                "SELECT * FROM marts.statement_as_of(%s, 'EMI', %s, %s) ORDER BY line_code, sub_fund",
                lambda draw: _month_and_seq(draw, last),
            )
        )
    return questions


def _month_and_seq(draw: random.Random, last: int) -> Parameters:
    """A seq anywhere in the log, and a month that had begun by then."""
    seq = draw.randint(last // 10, last)
    return (REGION, draw.choice(MONTHS[: max(1, len(MONTHS) * seq // last)]), seq)


def _ask(connection: Connection, question: Question, runs: int) -> Answer:
    draw = random.Random(20190325)
    milliseconds, rows = [], []
    with connection.cursor() as cursor:
        for number in range(runs + 5):  # the first ones warm up
            parameters = question.draw(draw)
            began = time.perf_counter()
            cursor.execute(question.sql, parameters)
            found = len(cursor.fetchall())
            if number >= 5:
                milliseconds.append((time.perf_counter() - began) * 1000)
                rows.append(found)
    return Answer(milliseconds, rows)


def _reader_url(target: Server) -> str:
    parts = urlsplit(target.url)
    return urlunsplit(parts._replace(netloc=f"{LOGIN}:{PASSWORD}@{parts.netloc.rpartition('@')[2]}"))


if __name__ == "__main__":
    raise SystemExit(main())
