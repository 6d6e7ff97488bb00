"""A log of two months with events of most families and everything that acceptance adds, and how to forge it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, contextmanager

import psycopg2
from psycopg2.extensions import cursor as Cursor

from ingestion import heads
from tests.integration.ingestion_support import CERTIFICATE, land, land_rows, payment, person, premium, run
from tests.integration.sealed_log import rehash
from tests.unit.ingestion.valid_rows import csv_text, sound_row

REGION = "320100"
DECEMBER, JANUARY = "2019-12", "2020-01"
_GUARDED = ("events.event", "events.batch")
# Batches 1 to 3 as if recorded in December (Beijing time; the third in its last second), the others in January.
_MONTHS = """
UPDATE events.batch SET recorded_at = CASE WHEN batch_id < 3 THEN timestamptz '2019-12-03 10:00:00.123456+08'
    WHEN batch_id = 3 THEN timestamptz '2019-12-31 23:59:59+08' ELSE timestamptz '2020-01-01 00:00:00+08' END;
UPDATE events.event AS e SET recorded_at = b.recorded_at
    FROM events.batch AS b WHERE b.region_code = e.region_code AND b.batch_id = e.batch_id
"""


def make(url: str) -> None:
    """Take files in, move them into two months and record the head: seq 1 to 11 in December, 12 to 15 in January."""
    land_rows(
        "a.registration.1.csv",
        person("P1", certificate_no="", sex="F"),
        person("P3", employer_name="甲，“乙”公司", certificate_no=CERTIFICATE, birth_date=""),
    )
    land_rows("b.contribution.1.csv", premium("C1"), premium("C2", contribution_month="2019-11"))
    land_rows("c.claim.1.csv", *(payment(f"K{number}") for number in range(7)))
    run()
    land_rows("d.claim.2.csv", payment("K8"))
    treasury = [
        sound_row("interest.credited", source_event_key="T1", occurred_on="2019-12-21"),
        sound_row("payment.returned", source_event_key="T2", original_event_key="K1"),
        sound_row("return.written_back", source_event_key="T3", original_event_key="T2", sub_fund=""),
    ]
    land("e.treasury.1.csv", csv_text(treasury))
    run()
    with forging(url, rehashed=True) as cursor:
        cursor.execute(_MONTHS)
    heads.record()


@contextmanager
def forging(url: str, *, rehashed: bool = False) -> Iterator[Cursor]:
    """A transaction in which the log can be changed; all hashes are recomputed at its end when `rehashed`."""
    with closing(psycopg2.connect(url)) as connection, connection, connection.cursor() as cursor:
        for table in _GUARDED:
            cursor.execute(f"ALTER TABLE {table} DISABLE TRIGGER append_only")
        yield cursor
        if rehashed:
            rehash(cursor, REGION, 1)
        for table in _GUARDED:
            cursor.execute(f"ALTER TABLE {table} ENABLE ALWAYS TRIGGER append_only")
