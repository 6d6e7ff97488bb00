"""python -m benchmarks.ingest: from the bytes of a file to committed events, beside COPY of the same rows.

COPY takes the finished rows, as they stand in the log, into a table with the log's columns and indexes. Every round
begins with empty tables; the order is the same in each.
"""

from __future__ import annotations

import argparse
from collections import defaultdict
from contextlib import closing

import polars as pl
import psycopg2

from benchmarks.common import Server, Timing, command, machine, medians, server, timed
from benchmarks.databases import execute, fresh, quiet
from benchmarks.files import land, premiums
from ingestion import runs
from ingestion.schema import migrate
from ingestion.settings import Settings

REFERENCE = "COPY of the same rows"


def main() -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.ingest", description=__doc__)
    parser.add_argument("--rows", type=int, default=1_000_000, help="of a file (default: one million)")
    parser.add_argument("--runs", type=int, default=3, help="of which the medians are told (default: three)")
    options = parser.parse_args()
    print(f"{command()}\n{machine()}\n")
    found: dict[str, list[Timing]] = defaultdict(list)
    with server() as empty:
        frame = premiums(options.rows)
        migrate(Settings.from_env())
        for _ in range(options.runs):
            for name, timing in _round(empty, frame):
                found[name].append(timing)
    print(f"median of {options.runs}, {options.rows:,} rows; processor seconds of client and server\n")
    print("| what | s | client | server | ratio of s |\n|---|---|---|---|---|")
    reference = medians(found[REFERENCE]).wall
    for name, timings in found.items():
        told = medians(timings)
        ratio = told.wall / reference
        print(f"| {name} | {told.wall:.2f} | {told.client:.2f} | {told.server:.2f} | {ratio:.2f} |", flush=True)
    return 0


def _round(empty: Server, frame: pl.DataFrame) -> list[tuple[str, Timing]]:
    target = fresh(empty)
    found = [
        ("CSV", _ingest(target, frame, "a.contribution.1.csv")),
        ("the same bytes under another name", _ingest(target, frame, "b.contribution.1.csv")),
        ("the same rows exported again, in another order", _ingest(target, frame.reverse(), "c.contribution.1.csv")),
    ]
    _check(target, frame.height)
    columns = _export(target)
    target = fresh(empty)
    found.append(("Parquet", _ingest(target, frame, "a.parquet")))
    _check(target, frame.height)
    execute(target, "CREATE TABLE plain (LIKE events.event INCLUDING INDEXES)")
    quiet(target)
    return [(REFERENCE, timed(lambda: _copy(target, columns), target)), *found]


def _ingest(target: Server, frame: pl.DataFrame, name: str) -> Timing:
    item = land(frame, name)
    quiet(target)
    return timed(lambda: runs.ingest(item), target)


def _check(target: Server, rows: int) -> None:
    assert execute(target, "SELECT count(*) FROM events.event") == [(rows,)]


def _export(target: Server) -> str:
    """Write the log's rows, the filled columns only, as COPY takes them; returns the columns."""
    with closing(psycopg2.connect(target.superuser_url)) as connection, connection.cursor() as cursor:
        cursor.execute("SELECT to_jsonb(e) FROM events.event AS e LIMIT 1")
        columns = ", ".join(name for name, value in cursor.fetchone()[0].items() if value is not None)
        with (target.local / "rows.csv").open("wb") as file:
            cursor.copy_expert(f"COPY (SELECT {columns} FROM events.event ORDER BY seq) TO STDOUT (FORMAT csv)", file)
    return columns


def _copy(target: Server, columns: str) -> None:
    with closing(psycopg2.connect(target.superuser_url)) as connection, connection.cursor() as cursor:
        with (target.local / "rows.csv").open("rb") as file:
            cursor.copy_expert(f"COPY plain ({columns}) FROM STDIN (FORMAT csv)", file, 1 << 20)
        connection.commit()


if __name__ == "__main__":
    raise SystemExit(main())
