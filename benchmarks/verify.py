"""python -m benchmarks.verify: events verified per second, beside COPY of the same columns of the same rows.

Two regions, one of premiums and one of claims; half of the premiums have a computed credit. Their hashes are made by
the database's own functions, so that verification can't agree with itself alone.
"""

from __future__ import annotations

import argparse
import sys
from contextlib import closing

import psycopg2
from psycopg2.extensions import cursor as Cursor

from benchmarks.common import Server, Timing, command, machine, medians, server, timed
from ingestion import heads
from ingestion.canonical import ADDED, GENESIS, batch_hash_of_body, derived_hash_of_body, hashed_columns
from ingestion.database import connect
from ingestion.schema import migrate
from ingestion.settings import Settings
from ingestion.verification import verify

BATCH_ROWS = 100_000
RECORDED_AT = "2026-01-02T03:04:05.000006Z"
REGIONS = {"320100": "contribution", "340400": "claim"}
_ROWS = {
    "contribution": """
        SELECT 'contribution.collected' AS event_type, 'JF' || (2019110000000 + i) AS source_event_key,
            date '2019-11-01' + (i % 28)::int AS occurred_on, 'U' || i % 5000 AS employer_no,
            'P' || i % 300000 AS person_no, '310' AS insurance_type, 'employee' AS enrollment_category,
            date '2019-10-01' AS contribution_month, 4000 + i % 9000 AS contribution_base,
            (4000 + i % 9000) * 0.09 AS employer_amount, (4000 + i % 9000) * 0.02 AS personal_amount,
            (4000 + i % 9000) * 0.01 AS personal_account_credit,
            CASE WHEN i % 2 = 0 THEN ARRAY['personal_account_credit'] END AS derived_columns,
            'SP' || i % 70000 AS receipt_no, 'treasury' AS deposit_account""",
    "claim": """
        SELECT CASE WHEN i % 2 = 0 THEN 'claim.paid' ELSE 'claim.settled' END AS event_type,
            'YL' || (2019110000000 + i) AS source_event_key, date '2019-11-01' + (i % 28)::int AS occurred_on,
            'C' || (90000000 + i) AS claim_no, 'case' AS settlement_kind, 'P' || i % 300000 AS person_no,
            'H3404' || i % 300 AS institution_code, '310' AS insurance_type, 'inpatient' AS benefit_item,
            'dip' AS payment_method, CASE WHEN i % 2 = 0 THEN 'institution' END AS payee_type,
            date '2019-10-01' + (i % 28)::int AS admitted_on, date '2019-10-11' + (i % 28)::int AS discharged_on,
            date '2019-10-11' + (i % 28)::int AS service_on, 9000 + i % 9000 AS medical_fee_total,
            4000 + i % 9000 AS pooled_amount, 3000 AS personal_account_amount, 1500 AS personal_cash_amount,
            500 AS institution_borne_amount, 'expenditure' AS pay_account,
            CASE WHEN i % 2 = 0 THEN 'F' || i END AS payment_no""",
}
_DERIVED = """
    events.netstring(seq::text) || '-' || events.netstring(array_to_string(derived_columns, ','))
    || '--' || events.netstring(personal_account_credit::text) || '--'"""


def main() -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.verify", description=__doc__)
    parser.add_argument("--events", type=int, default=1_000_000, help="of each region (default: one million)")
    parser.add_argument("--runs", type=int, default=3, help="of which the medians are told (default: three)")
    options = parser.parse_args()
    print(f"{command()}\n{machine()}\n")
    with server() as target:
        _fill(target, options.events)
        print(f"median of {options.runs}, {options.events:,} events each; processor seconds of client + server\n")
        print("| events | verify, events/s | s | processor s | COPY, s | processor s | ratio of s |")
        print("|---|---|---|---|---|---|---|")
        for region, family in REGIONS.items():
            print(_row(family, options.events, *_measure(target, region, family, options.runs)), flush=True)
    return 0


def _measure(target: Server, region: str, family: str, runs: int) -> tuple[Timing, Timing]:
    """Verification and COPY by turns, so that both see the same machine."""
    verified, copied = [], []
    for _ in range(runs):
        verified.append(timed(lambda: _verify(region), target))
        copied.append(timed(lambda: _copy(region, family), target))
    return medians(verified), medians(copied)


def _row(family: str, events: int, verified: Timing, copied: Timing) -> str:
    return (
        f"| {family} | {events / verified.wall:,.0f} | {verified.wall:.2f}"
        f" | {verified.client:.2f} + {verified.server:.2f} | {copied.wall:.2f}"
        f" | {copied.client:.2f} + {copied.server:.2f} | {verified.wall / copied.wall:.2f} |"
    )


def _verify(region: str) -> None:
    (report,) = verify([region])
    assert not report.found, report.findings[0]


class _Sink:
    """Takes what COPY sends and keeps nothing."""

    def write(self, data: bytes) -> int:
        return len(data)


def _copy(region: str, family: str) -> None:
    columns = ("seq", "batch_id", "recorded_at", "line_no", "content_hash", *ADDED, *hashed_columns(family, 1))
    with closing(connect("auditor")) as connection, connection.cursor() as cursor:
        cursor.copy_expert(
            f"COPY (SELECT {', '.join(columns)} FROM events.event WHERE region_code = '{region}' ORDER BY seq)"
            " TO STDOUT (FORMAT csv)",
            _Sink(),
        )


def _fill(target: Server, events: int) -> None:
    migrate()
    with closing(psycopg2.connect(target.superuser_url)) as connection, connection.cursor() as cursor:
        for region, family in REGIONS.items():
            _make(cursor, region, family, events)
            for batch_id in range(1, (events - 1) // BATCH_ROWS + 2):
                _append(cursor, region, batch_id)
        connection.commit()
        connection.autocommit = True
        cursor.execute("VACUUM ANALYZE events.event")
        cursor.execute("CHECKPOINT")
    heads.record(Settings.from_env())


def _make(cursor: Cursor, region: str, family: str, events: int) -> None:
    """Temp table `made`: the region's events with their content hashes."""
    cursor.execute("DROP TABLE IF EXISTS sent, whole, made")
    cursor.execute(f"""
        CREATE TEMP TABLE sent AS {_ROWS[family]}, '{region}' AS region_code, i AS seq, '{family}' AS family,
            1 AS schema_version, 'bureau' AS source_system, '{RECORDED_AT}'::timestamptz AS recorded_at,
            (i - 1) / {BATCH_ROWS} + 1 AS batch_id, (i - 1) % {BATCH_ROWS} + 2 AS line_no
        FROM generate_series(1, {events}) AS i""")
    cursor.execute("CREATE TEMP TABLE whole (LIKE events.event); ALTER TABLE whole ALTER content_hash DROP NOT NULL")
    cursor.execute("CREATE TEMP TABLE made (LIKE events.event)")
    sent, columns = _columns(cursor, "sent"), _columns(cursor, "whole")
    cursor.execute(f"INSERT INTO whole ({', '.join(sent)}) SELECT {', '.join(sent)} FROM sent")
    row = f"ROW({', '.join(f'w.{name}' for name in columns)})::events.event"
    hashed = (f"events.content_hash({row})" if name == "content_hash" else f"w.{name}" for name in columns)
    cursor.execute(f"INSERT INTO made SELECT {', '.join(hashed)} FROM whole AS w")
    cursor.execute("CREATE INDEX ON pg_temp.made (batch_id); ANALYZE made")


def _columns(cursor: Cursor, table: str) -> list[str]:
    cursor.execute(
        "SELECT attname FROM pg_attribute WHERE attrelid = to_regclass(%s) AND attnum > 0 ORDER BY attnum", (table,)
    )
    return [name for (name,) in cursor.fetchall()]


def _append(cursor: Cursor, region: str, batch_id: int) -> None:
    """A batch with its hashes, and its events."""
    cursor.execute(
        f"""
        SELECT min(seq), max(seq), sha256(string_agg(content_hash || int4send(line_no), ''::bytea ORDER BY seq)),
            sha256(convert_to(coalesce(string_agg({_DERIVED}, '' ORDER BY seq)
                FILTER (WHERE derived_columns IS NOT NULL), ''), 'UTF8'))
        FROM made WHERE batch_id = %s""",
        (batch_id,),
    )
    first_seq, last_seq, body, added = cursor.fetchone()
    cursor.execute(
        "SELECT batch_hash, derived_hash FROM events.batch WHERE region_code = %s AND batch_id = %s",
        (region, batch_id - 1),
    )
    previous, before = (bytes(digest) for digest in cursor.fetchone() or (GENESIS, GENESIS))
    cursor.execute(
        "INSERT INTO events.file_registry (source_system, file_name, sha256, size_bytes, first_seen_at)"
        " VALUES ('bureau', %s, encode(sha256(convert_to(%s, 'UTF8')), 'hex'), 0, %s) RETURNING file_id, sha256",
        (f"{region}.{batch_id}", f"{region}.{batch_id}", RECORDED_AT),
    )
    file_id, sha256 = cursor.fetchone()
    fields = (region, batch_id, first_seq, last_seq, RECORDED_AT, sha256)
    digest = batch_hash_of_body(previous, map(str, fields), bytes(body))
    cursor.execute(
        "INSERT INTO events.batch (region_code, batch_id, first_seq, last_seq, recorded_at, file_sha256, file_id,"
        " prev_batch_hash, batch_hash, derived_hash) VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s)",
        (*fields, file_id, previous, digest, derived_hash_of_body(before, digest, bytes(added))),
    )
    cursor.execute("INSERT INTO events.event SELECT * FROM made WHERE batch_id = %s ORDER BY seq", (batch_id,))


if __name__ == "__main__":
    sys.exit(main())
