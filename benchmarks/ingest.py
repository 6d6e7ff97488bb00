"""python -m benchmarks.ingest: from the bytes of a file to committed events, beside COPY of the same rows.

`plain COPY` takes the finished rows, as they stand in the log, into a table with the log's columns and indexes.
"""

from __future__ import annotations

import argparse
from collections import defaultdict
from contextlib import closing
from pathlib import Path

import polars as pl
import psycopg2

from benchmarks.common import Server, machine, own_cpu_seconds, seconds, server, table
from ingestion import runs

REFERENCE = "plain COPY"


def main() -> None:
    """Measure and print."""
    options = _options()
    print(f"benchmarks.ingest --rows {options.rows} --repeat {options.repeat}\n{machine()}")
    times: dict[str, list[float]] = defaultdict(list)
    client: dict[str, list[float]] = defaultdict(list)
    with server() as its:
        frame = premiums(options.rows, 0)
        for number in range(options.repeat):
            for name, spent, cpu in _round(its, frame):
                times[name].append(spent)
                client[name].append(cpu)
                print(f"round {number + 1}  {name:44s} {spent:8.2f} s, of the client {cpu:.2f} s CPU", flush=True)
    print(table(times, REFERENCE))


def premiums(rows: int, start: int) -> pl.DataFrame:
    """Collected premiums of one region as a source sends them: fifty persons an employer, one receipt each."""
    number = pl.int_range(start, start + rows)
    return pl.select(
        event_type=pl.lit("contribution.collected"),
        source_event_key=pl.format("C{}", number.cast(pl.String).str.pad_start(12, "0")),
        occurred_on=pl.lit("2019-10-15"),
        region_code=pl.lit("320100"),
        employer_no=pl.format("U{}", number // 50),
        person_no=pl.format("P{}", number % 400_000),
        insurance_type=pl.lit("310"),
        enrollment_category=pl.lit("employee"),
        contribution_month=pl.lit("2019-10"),
        contribution_base=pl.format("{}.00", 4000 + number % 9000),
        employer_amount=pl.format("{}.{}", 300 + number % 700, 10 + number % 90),
        personal_amount=pl.format("{}.{}", 80 + number % 200, 10 + number % 90),
        personal_account_credit=pl.format("{}.50", 20 + number % 50),
        receipt_no=pl.format("T{}", number // 50),
        deposit_account=pl.lit("treasury"),
    )


def _round(its: Server, frame: pl.DataFrame) -> list[tuple[str, float, float]]:
    its.fresh("ingest")
    results = [
        _ingest(its, "CSV", frame, "a.contribution.1.csv"),
        _ingest(its, "the same bytes under another name", frame, "b.contribution.1.csv"),
        _ingest(its, "the same rows exported again, reversed", frame.reverse(), "c.contribution.1.csv"),
    ]
    assert its.execute("ingest", "SELECT count(*) FROM events.event") == [(frame.height,)]
    copied = its.local / "rows.csv"
    columns = _export(its, copied)
    its.fresh("ingest")
    results.append(_ingest(its, "Parquet", frame, "parquet/a.parquet"))
    its.fresh("plain")
    its.execute("plain", "CREATE TABLE plain (LIKE events.event INCLUDING INDEXES)")
    its.quiet()
    started = own_cpu_seconds()
    spent = seconds(lambda: _copy(its, copied, columns))
    return [(REFERENCE, spent, own_cpu_seconds() - started), *results]


def _ingest(its: Server, name: str, frame: pl.DataFrame, file: str) -> tuple[str, float, float]:
    folder = its.local / "ingest" / "landing" / "bench"
    path = folder / Path(file).name
    folder.mkdir(exist_ok=True)
    frame.write_parquet(path) if path.suffix == ".parquet" else frame.write_csv(path)
    its.quiet()
    started = own_cpu_seconds()
    spent = seconds(lambda: runs.ingest({"source_system": "bench", "file_name": path.name, "family": None}))
    return name, spent, own_cpu_seconds() - started


def _export(its: Server, path: Path) -> str:
    """Write the log's rows, the filled columns only, as COPY takes them; returns the columns."""
    with closing(psycopg2.connect(its.url("ingest"))) as connection, connection.cursor() as cursor:
        cursor.execute("SELECT to_jsonb(e) FROM events.event AS e LIMIT 1")
        columns = ", ".join(name for name, value in cursor.fetchone()[0].items() if value is not None)
        with path.open("wb") as file:
            cursor.copy_expert(f"COPY (SELECT {columns} FROM events.event ORDER BY seq) TO STDOUT (FORMAT csv)", file)
    return columns


def _copy(its: Server, path: Path, columns: str) -> None:
    with closing(psycopg2.connect(its.url("plain"))) as connection, connection.cursor() as cursor:
        with path.open("rb") as file:
            cursor.copy_expert(f"COPY plain ({columns}) FROM STDIN (FORMAT csv)", file, 1 << 20)
        connection.commit()


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.ingest", description=__doc__)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--repeat", type=int, default=3)
    return parser.parse_args()


if __name__ == "__main__":
    main()
