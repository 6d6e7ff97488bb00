"""python -m benchmarks.policy: what the rules of claims monitoring and the policy marts take, and how that grows.

Samples of two sizes go the whole way to publication: files, log, ledger, gate. Then every relation is computed whole,
for both cities, and once more the review is made as it is made daily.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import os
import time
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import psycopg2

from benchmarks.common import Server, command, machine, server
from benchmarks.databases import execute, fresh
from benchmarks.ledgers import prepare
from expectations.gate import check, publish
from expectations.review import review
from expectations.suites.monitoring import rules
from ingestion.heads import record
from ingestion.runs import run_all
from runtime.dbt import PROJECT, build
from runtime.demonstration import expect_samples
from runtime.samples import DEFAULT_PERSONS, write_samples

POLICY = ("enrollment", "assessment", "entitlement", "settlement", "monitoring", "risk", "budget", "statistics")
LIMIT_MS = 300_000


@dataclass(frozen=True)
class Size:
    """What was measured on samples of one size: milliseconds by relation, and of the review."""

    events: int
    milliseconds: dict[str, float]


def main() -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.policy", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--persons", type=int, nargs=2, default=[DEFAULT_PERSONS, 33_000], help="of the samples, both cities together"
    )
    parser.add_argument("--least", type=int, default=250, help="ms on the larger one, below which a row is left out")
    options = parser.parse_args()
    print(f"{command()}\n{machine()}\n", flush=True)
    with server() as empty:
        _quietly(prepare)
        small, large = (_measured(fresh(empty, f"of_{persons}"), persons) for persons in options.persons)
    _report(small, large, options.least)
    return 0


def _measured(target: Server, persons: int) -> Size:
    _quietly(lambda: _published(target.local / f"landing_{persons}", persons))
    ((events,),) = execute(target, "SELECT count(*) FROM events.event")
    with closing(psycopg2.connect(target.url)) as connection:
        connection.autocommit = True
        with connection.cursor() as cursor:
            cursor.execute(f"SET statement_timeout = {LIMIT_MS}")
            milliseconds = {name: _computed(cursor, name) for name in ("a scan of the claims", *_relations())}
    began = time.monotonic()
    _quietly(lambda: review("review"))
    return Size(int(str(events)), milliseconds | {"the review, both cities": 1000 * (time.monotonic() - began)})


def _published(landing: Path, persons: int) -> None:
    os.environ["FUND_LANDING_DIR"] = str(landing)
    write_samples(landing, persons=persons)
    expect_samples()
    run_all()
    record()
    build("samples")
    check("samples")
    assert {decision.decision for decision in publish("samples")} == {"published"}


def _relations() -> list[str]:
    marts = [path.stem for part in POLICY for path in sorted((PROJECT / "models" / "marts" / part).glob("*.sql"))]
    return [f"ledger.{rule.model}" for rule in rules()] + [f"marts.{name}" for name in (*marts, "tie_out")]


def _computed(cursor: psycopg2.extensions.cursor, name: str) -> float:
    """Planning and execution of all rows and columns, nothing sent to the client; infinite beyond the limit."""
    query = f"SELECT * FROM {name}" if "." in name else _CLAIMS
    try:
        cursor.execute(f"EXPLAIN (ANALYZE, TIMING OFF, FORMAT JSON) {query}")
    except psycopg2.errors.QueryCanceled:
        return float("inf")
    (((plan,),),) = cursor.fetchall()
    return float(plan["Planning Time"]) + float(plan["Execution Time"])


_CLAIMS = """
    SELECT region_code, claim_no, sum(pooled_amount) FROM events.event
    WHERE event_type IN ('claim.settled', 'claim.paid') GROUP BY 1, 2
"""


def _quietly(step: Callable[[], object]) -> None:
    """Without dbt's output."""
    with contextlib.redirect_stdout(io.StringIO()):
        step()


def _report(small: Size, large: Size, least: int) -> None:
    growth = large.events / small.events
    print(f"{small.events:,} and {large.events:,} events, {growth:.1f} times as many; milliseconds\n")
    print(f"| computed whole | {small.events:,} | {large.events:,} | times | of the scan |\n|---|---|---|---|---|")
    scan = large.milliseconds["a scan of the claims"]
    for name, milliseconds in sorted(large.milliseconds.items(), key=lambda item: -item[1]):
        before = small.milliseconds[name]
        if milliseconds >= least or name.startswith("a scan"):
            told = f"{before:,.0f} | {milliseconds:,.0f} | {milliseconds / before:.1f} | {milliseconds / scan:.1f}"
            print(f"| {name} | {told} |")


if __name__ == "__main__":
    raise SystemExit(main())
