"""A small log of two regions with several batches and all families, to be forged; made once, never changed."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from psycopg2.extensions import cursor as Cursor

from ingestion import heads
from ingestion.database import connect
from ingestion.settings import Settings
from tests.conftest import WarehouseFactory, isolate
from tests.independent import form
from tests.integration.ingestion_support import CERTIFICATE, land_rows, payment, person, premium, run
from tests.unit.ingestion.valid_rows import sound_row

NANJING, HUAINAN = "320100", "340400"
GUARDED = ("events.event", "events.batch", "events.file_registry")


def make(settings: Settings) -> None:
    """Take files in, three runs with their heads, and one batch of the pipeline's own."""
    both = (NANJING, HUAINAN)
    land_rows(
        "1.registration.1.csv",
        *(person("P1", region, birth_date="", certificate_no=CERTIFICATE) for region in both),
        *(person("P2", region, birth_date="1970-01-31") for region in both),
        *(sound_row("employer.registered", region_code=region, employer_name="淮河㐂食品, “甲”") for region in both),
    )
    land_rows("2.contribution.1.csv", *(row for region in both for row in _premiums(region)))
    land_rows("3.claim.1.csv", *(payment(f"K{n}", region_code=region, admitted_on="2019-11-01", payment_no=f"甲{n}")
                                 for region in both for n in range(1, 7)))  # fmt: skip
    run()
    heads.record(settings)
    land_rows(
        "4.treasury.1.csv",
        *(row for region in both for row in _treasury(region)),
    )
    land_rows("5.claim.1.csv", *(_reversal(region, n) for region in both for n in (2, 3)))
    run()
    heads.record(settings)
    land_rows("6.claim.1.csv", *(payment(f"L{n}", region_code=region) for region in both for n in range(1, 6)))
    run()
    heads.record(settings)
    with closing(connect(settings=settings)) as connection, connection, connection.cursor() as cursor:
        _close_period(cursor)
    heads.record(settings)


@contextmanager
def made(warehouse_factory: WarehouseFactory, folder: Path) -> Iterator[Settings]:
    """The settings of a database that holds the log, with all directories below `folder`."""
    url = warehouse_factory(migrated=True)
    with pytest.MonkeyPatch.context() as patch:
        isolate(patch, folder / "local")
        patch.setenv("FUND_DATABASE_URL", url)
        settings = Settings.from_env()
        make(settings)
        yield settings


@contextmanager
def forging(superuser: Settings) -> Iterator[Cursor]:
    """A transaction in which everything can be forged; it is rolled back. Guards are up again for `stand_guard`."""
    with closing(connect(settings=superuser)) as connection, connection.cursor() as cursor:
        cursor.execute("SET session_replication_role = replica")
        for table in GUARDED:
            cursor.execute(f"ALTER TABLE {table} DISABLE TRIGGER append_only")
        yield cursor
        connection.rollback()


def stand_guard(cursor: Cursor) -> None:
    """Put the triggers back, as a careful forger does."""
    for table in GUARDED:
        cursor.execute(f"ALTER TABLE {table} ENABLE ALWAYS TRIGGER append_only")


def as_superuser(settings: Settings, postgres_url: str) -> Settings:
    """The same database, reached by the superuser."""
    database = settings.database_url.rpartition("/")[2]
    return replace(settings, database_url=f"{postgres_url.rpartition('/')[0]}/{database}")


def rehash(cursor: Cursor, region: str, from_batch: int) -> None:
    """What a forger with our document does: recompute content, batch and derived hashes from a batch on."""
    batches = rows(cursor, "SELECT * FROM events.batch WHERE region_code = %s ORDER BY batch_id", region)
    previous, added = form.ZEROS, form.ZEROS
    for batch in batches:
        if batch["batch_id"] >= from_batch:
            place = (region, batch["first_seq"], batch["last_seq"])
            query = "SELECT * FROM events.event WHERE region_code = %s AND seq BETWEEN %s AND %s ORDER BY seq"
            events = rows(cursor, query, *place)
            for event in events:
                event["content_hash"] = form.content_hash(event)
                cursor.execute(
                    "UPDATE events.event SET content_hash = %s WHERE region_code = %s AND seq = %s",
                    (event["content_hash"], region, event["seq"]),
                )
            batch["batch_hash"] = form.batch_hash(batch, events, previous)
            batch["derived_hash"] = form.derived_hash(batch, events, added)
            cursor.execute(
                "UPDATE events.batch SET prev_batch_hash = %s, batch_hash = %s, derived_hash = %s"
                " WHERE region_code = %s AND batch_id = %s",
                (previous, batch["batch_hash"], batch["derived_hash"], region, batch["batch_id"]),
            )
        previous, added = bytes(batch["batch_hash"]), bytes(batch["derived_hash"])


def rows(cursor: Cursor, query: str, *values: object) -> list[dict[str, Any]]:
    """Rows of a query as dicts."""
    cursor.execute(query, values or None)
    names = [column.name for column in cursor.description or ()]
    return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]


def _premiums(region: str) -> list[dict[str, str]]:
    given = premium("K3", region_code=region, personal_account_credit="5.00", late_fee="0.01")
    return [premium("K1", region_code=region), premium("K2", region_code=region, person_no="P2"), given]


def _treasury(region: str) -> list[dict[str, str]]:
    return [
        sound_row("interest.credited", source_event_key="T1", region_code=region, counterparty="中国银行"),
        sound_row("payment.returned", source_event_key="T2", region_code=region, original_event_key="K1"),
        sound_row(
            "return.written_back", source_event_key="T3", region_code=region, original_event_key="T2", sub_fund=""
        ),
        sound_row("balance.stated", source_event_key="T4", region_code=region),
        sound_row("loan.received", source_event_key="T5", region_code=region),
    ]


def _reversal(region: str, number: int) -> dict[str, str]:
    return sound_row(
        "claim.reversed", source_event_key=f"R{number}", region_code=region, original_event_key=f"K{number}"
    )


def _close_period(cursor: Cursor) -> None:
    """A batch of family control in Nanjing, as the pipeline itself writes one."""
    (last,) = rows(cursor, "SELECT * FROM events.batch WHERE region_code = %s ORDER BY batch_id DESC LIMIT 1", NANJING)
    seq, now = last["last_seq"] + 1, datetime.now(UTC)
    batch = {
        "region_code": NANJING,
        "batch_id": last["batch_id"] + 1,
        "file_sha256": hashlib.sha256(b"").hexdigest(),
        "first_seq": seq,
        "last_seq": seq,
        "recorded_at": now,
        "prev_batch_hash": bytes(last["batch_hash"]),
    }
    event = {name: None for names in form.FAMILIES.values() for name in names} | {
        "region_code": NANJING,
        "seq": seq,
        "event_type": "period.closed",
        "family": "control",
        "schema_version": 1,
        "source_system": "merged_fund",
        "source_event_key": "2019-11",
        "occurred_on": now.date(),
        "recorded_at": now,
        "batch_id": batch["batch_id"],
        "line_no": 1,
        "original_seq": None,
        "derived_columns": None,
        "pseudonym_key_id": None,
        "accounting_month": now.date().replace(year=2019, month=11, day=1),
        "approved_by": "甲",
        "approved_at": now,
        "checked_seq": seq - 1,
    }
    event["content_hash"] = form.content_hash(event)
    batch["batch_hash"] = form.batch_hash(batch, [event], bytes(last["batch_hash"]))
    batch["derived_hash"] = form.derived_hash(batch, [event], bytes(last["derived_hash"]))
    for table, row in (("events.batch", batch), ("events.event", event)):
        cursor.execute(
            f"INSERT INTO {table} ({', '.join(row)}) VALUES ({', '.join(f'%({name})s' for name in row)})", row
        )
