"""Other accounting programs beside this one: the same entries summed by account and month.

What is timed of ours is all that lies between events in the log and published figures: posting, keys, vouchers,
turnover, data tests, publication, and asking for the trial balance of every month. What is timed of the others is
reading the exported journal and summing it. Each has its start-up measured apart, on nothing.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import os
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from statistics import median

import psycopg2

from benchmarks.common import Server, command, machine, server
from benchmarks.databases import execute, fresh, quiet
from benchmarks.ledgers import OTHER_REGION, REGION, Batch, fill, history, publish_unasked
from ingestion.schema import migrate
from ingestion.settings import Settings
from reporting import books
from reporting.journal_export.export import FORMATS
from reporting.journal_export.reading import Account, accounts_of, entries_of, head_of
from runtime import dbt

ENTRIES_A_THOUSAND = 630  # events of the generator that lead to an entry
SMALL = 200_000
QUERY = "SELECT account, year, month, sum(number) GROUP BY account, year, month"
PEERS: dict[str, tuple[str, Callable[[str], list[str]]]] = {
    "ledger-cli": ("ledger", lambda path: ["ledger", "--args-only", "-f", path, "reg", "--monthly", "--no-color"]),
    "hledger": ("hledger", lambda path: ["hledger", "-f", path, "bal", "-M", "--historical", "--empty"]),
    "beancount": ("beancount", lambda path: ["bean-query", "-q", "-f", "csv", path, QUERY]),
}
TRIAL_BALANCE = "SELECT * FROM marts.trial_balance"


def main(arguments: list[str] | None = None) -> None:
    """Measure and print a table; progress goes beside it."""
    options = _parser().parse_args(arguments)
    print(f"{command()}\n{machine()}")
    for transactions in options.transactions:
        with server() as empty:
            _measure(empty, transactions, options.rounds)


def _measure(empty: Server, transactions: int, rounds: int) -> None:
    migrate(Settings.from_env())
    with contextlib.redirect_stdout(io.StringIO()):
        dbt.deploy("peers")
    fill(empty, _batches(transactions))
    execute(empty, "VACUUM (ANALYZE)")
    ours = [_ours(fresh(empty, f"round_{number}")) for number in range(rounds)]
    entries = int(str(execute(_last(empty, rounds), "SELECT count(DISTINCT entry_id) FROM ledger.journal_line")[0][0]))
    print(f"\n{entries:,} transactions | s | start-up s | without it s | x ours\n---|---|---|---|---")
    whole, start = median(run for run, _ in ours), median(idle for _, idle in ours)
    _row("events to published statements", whole, start, whole)
    for name, (format_name, arguments) in PEERS.items():
        program = arguments("")[0]
        if shutil.which(program) is None:
            print(f"{name} | not installed: {program}")
        elif transactions <= SMALL or name == "ledger-cli":
            _peer(empty.local, name, format_name, arguments, rounds, whole)


def _batches(transactions: int) -> Iterator[Batch]:
    return history(transactions * 1_000 // ENTRIES_A_THOUSAND)


def _last(empty: Server, rounds: int) -> Server:
    here, there = empty.superuser_url.rpartition("/")[0], empty.url.rpartition("/")[0]
    name = f"round_{rounds - 1}"
    return Server(f"{there}/{name}", f"{here}/{name}", empty.postmaster, empty.local)


def _ours(target: Server) -> tuple[float, float]:
    """Seconds from events to figures, and of the same when there is nothing new."""
    quiet(target)
    whole = _seconds(lambda: _publish(target, "full"))
    return whole, _seconds(lambda: _publish(target, "nothing new"))


def _publish(target: Server, run_id: str) -> None:
    with contextlib.redirect_stdout(io.StringIO()):
        dbt.build(run_id)
    if run_id == "full":
        publish_unasked(target)
    with closing(psycopg2.connect(target.superuser_url)) as connection, connection.cursor() as cursor:
        cursor.execute(TRIAL_BALANCE)
        assert cursor.fetchall()


def _peer(
    local: Path, name: str, format_name: str, arguments: Callable[[str], list[str]], rounds: int, ours: float
) -> None:
    journal, nothing = local / f"journal.{format_name}", local / f"nothing.{format_name}"
    _write(journal, nothing, format_name)
    runs = [_run(arguments(str(journal)), journal) for _ in range(rounds)]
    idle = [_run(arguments(str(nothing)), nothing) for _ in range(rounds)]
    _row(name, median(runs), median(idle), ours)
    journal.unlink()


def _run(arguments: list[str], journal: Path) -> float:
    """Seconds of a program; what it has cached of an earlier run is taken away first."""
    for cached in journal.parent.glob(f".{journal.name}*"):
        cached.unlink()
    environment = os.environ | {"BEANCOUNT_DISABLE_LOAD_CACHE": "1"}
    return _seconds(lambda: subprocess.run(arguments, stdout=subprocess.DEVNULL, env=environment, check=True))


def _write(journal: Path, nothing: Path, format_name: str) -> None:
    """The entries of both regions in one journal, so that every program starts once; and a journal without entries."""
    written = FORMATS[format_name]
    with books.one_state() as connection:
        accounts: dict[tuple[str, str, str], Account] = {}
        for region in (REGION, OTHER_REGION):
            for account in accounts_of(connection, region):
                known = accounts.get(account.key)
                if known is None or account.first_month < known.first_month:
                    accounts[account.key] = account
        head = head_of(connection, REGION)
        assert head is not None
        opening = written.opening(REGION, head, list(accounts.values()))
        nothing.write_text(opening, encoding="utf-8")
        paths = {key: account.path for key, account in accounts.items()}
        with journal.open("w", encoding="utf-8") as stream:
            stream.write(opening)
            for region in (REGION, OTHER_REGION):
                stream.writelines(written.entry(lines, paths) for lines in entries_of(connection, region))


def _row(name: str, whole: float, start: float, ours: float) -> None:
    print(f"{name} | {whole:.2f} | {start:.2f} | {whole - start:.2f} | {whole / ours:.2f}", flush=True)


def _seconds(run: Callable[[], object]) -> float:
    began = time.monotonic()
    run()
    return time.monotonic() - began


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.peers", description=__doc__)
    parser.add_argument("--transactions", type=int, nargs="+", default=[SMALL, 1_000_000], metavar="N")
    parser.add_argument("--rounds", type=int, default=3, metavar="N", help="rounds of each; medians are printed")
    return parser


if __name__ == "__main__":
    main()
