"""python -m benchmarks.ledger_full: a whole ledger from a log of facts that carry money, beside the least it takes.

The ledger: journal, turnover and vouchers built, balance tested, statistics taken, head published, statements read.
What persons, employers and institutions add to it is told by itself.
Beside it one INSERT … SELECT written for these very events, into a table with the journal's columns, keys and indexes;
once, outside of the time, the two are compared line by line. What dbt takes to start, find nothing and end is told by
itself and taken off.
"""

from __future__ import annotations

import argparse
from collections import defaultdict
from contextlib import redirect_stdout
from dataclasses import dataclass
from io import StringIO

from benchmarks import money_events
from benchmarks.common import Server, Timing, command, machine, medians, server, timed
from benchmarks.databases import execute, fresh, quiet, use
from benchmarks.reference_posting import DIFFERENCE, INSERT
from ingestion.schema import migrate
from ingestion.settings import Settings
from runtime import dbt

REFERENCE = "INSERT … SELECT written for these events"
LEDGER = "journal, turnover, vouchers, tests, publication, statements"
NOTHING = "of which dbt with nothing pending"
POSITIONS = "beyond it: positions of persons, employers and institutions"
_MODELS = ("built_head", "journal_line", "account_turnover", "voucher")
_PUBLISH = (
    "INSERT INTO ledger.publication (region_code, seq, batch_id, batch_hash, rules_sha256, run_id)"
    " SELECT region_code, seq, batch_id, batch_hash, '-', run_id FROM ledger.built_head"
)
_STATEMENTS = ("income_expenditure_statement", "balance_sheet", "trial_balance", "maternity_expenditure", "voucher")
_PLAIN = (
    "CREATE TABLE reference_line (LIKE ledger.journal_line INCLUDING INDEXES INCLUDING CONSTRAINTS INCLUDING DEFAULTS)"
)


@dataclass(frozen=True)
class Options:
    """What is measured: so many events over so many months, so many times."""

    events: int
    months: int
    runs: int


def main() -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.ledger_full", description=__doc__)
    parser.add_argument("--events", type=int, default=1_000_000, help="that carry money (default: one million)")
    parser.add_argument("--months", type=int, default=36, help="they lie in, each closed (default: 36)")
    parser.add_argument("--runs", type=int, default=3, help="of which the medians are told (default: three)")
    options = Options(**vars(parser.parse_args()))
    print(f"{command()}\n{machine()}\n")
    found: dict[str, list[Timing]] = defaultdict(list)
    with server() as empty:
        _prepare(empty, options)
        for number in range(options.runs):
            for name, timing in _round(empty, compare=number == 0):
                found[name].append(timing)
    _tell(found, options)
    return 0


def _prepare(empty: Server, options: Options) -> None:
    """Empty books, dbt's project parsed for the rounds' database, then the log."""
    migrate(Settings.from_env())
    with redirect_stdout(StringIO()):
        dbt.deploy("benchmark")
        use(fresh(empty))
        _build()
    use(empty)
    money_events.add(empty, options.events, options.months)


def _round(empty: Server, *, compare: bool) -> list[tuple[str, Timing]]:
    target = fresh(empty)
    quiet(target)
    ledger = timed(lambda: _ledger(target), target)
    quiet(target)
    nothing = timed(_build, target)
    positions = timed(_positions, target)
    execute(target, _PLAIN)
    quiet(target)
    reference = timed(lambda: execute(target, INSERT), target)
    if compare:
        assert execute(target, DIFFERENCE) == [(0,)], "the two sides have different lines"
    return [(REFERENCE, reference), (LEDGER, ledger), (NOTHING, nothing), (POSITIONS, positions)]


def _ledger(target: Server) -> None:
    _build()
    execute(target, _PUBLISH)
    for name in _STATEMENTS:
        execute(target, f"SELECT * FROM marts.{name}")


def _build() -> None:
    """The pipeline's build, of the models that this is about."""
    arguments = ["build", "--select", *_MODELS, "--exclude-resource-type", "unit_test"]
    with redirect_stdout(StringIO()):
        dbt._analyze("events", "policy")
        dbt._run("benchmark", "build", arguments)
        dbt._analyze("ledger")


def _positions() -> None:
    with redirect_stdout(StringIO()):
        dbt.build("benchmark")


def _tell(found: dict[str, list[Timing]], options: Options) -> None:
    told = {name: medians(timings) for name, timings in found.items()}
    print(f"median of {options.runs}, {options.events:,} events; processor seconds of client and server\n")
    print("| what | s | client | server | ratio of s |\n|---|---|---|---|---|")
    reference, ledger, nothing = told[REFERENCE], told[LEDGER], told[NOTHING]
    for name, timing in told.items():
        ratio = timing.wall / reference.wall
        print(f"| {name} | {timing.wall:.2f} | {timing.client:.2f} | {timing.server:.2f} | {ratio:.2f} |")
    own = ledger.wall - nothing.wall
    print(
        f"| the ledger without it | {own:.2f} | | {ledger.server - nothing.server:.2f} | {own / reference.wall:.2f} |"
    )


if __name__ == "__main__":
    raise SystemExit(main())
