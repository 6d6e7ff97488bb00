"""Facts straight into the event log, so that posting is tested by itself: one call of `add` is one batch."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import closing
from typing import Any

from psycopg2 import sql

from ingestion.database import Connection, connect

Fact = Mapping[str, Any]

_FAMILIES = {
    "contribution": "contribution",
    "claim": "claim",
    "advance": "claim",
    "period": "control",
    "year": "control",
}
_BATCH = """
insert into events.batch
    (region_code, batch_id, file_sha256, first_seq, last_seq, recorded_at, prev_batch_hash, batch_hash)
values (%s, %s, repeat('0', 64), %s, %s, %s, sha256('before'), sha256('after'))
"""


class PostingLog:
    """Writes batches to `events` as ingestion would, without its checks."""

    def __init__(self, region_code: str) -> None:
        self.region_code = region_code

    def add(self, *facts: Fact, recorded_at: str = "2026-11-20 12:00:00+08") -> int:
        """Append one batch; returns the seq of its first event. `original` in a fact: the seq it refers to."""
        with closing(connect(role="fund_ingest")) as connection, connection, connection.cursor() as cursor:
            cursor.execute(
                "select coalesce(max(batch_id), 0) + 1, coalesce(max(last_seq), 0) + 1"
                " from events.batch where region_code = %s",
                (self.region_code,),
            )
            batch_id, first = cursor.fetchone()
            cursor.execute(_BATCH, (self.region_code, batch_id, first, first + len(facts) - 1, recorded_at))
            for place, fact in enumerate(facts):
                self._insert(connection, {**fact, "batch_id": batch_id, "recorded_at": recorded_at}, first + place)
        return first

    def _insert(self, connection: Connection, fact: Fact, seq: int) -> None:
        subject = fact["event_type"].split(".")[0]
        row = {
            "region_code": self.region_code,
            "seq": seq,
            "family": _FAMILIES.get(subject, "treasury"),
            "schema_version": 1,
            "source_system": "by_hand",
            "source_event_key": f"K{seq}",
            "line_no": seq + 1,
            "content_hash": b"\0" * 32,
            **{column: value for column, value in fact.items() if column != "original"},
        }
        if row["family"] == "contribution":  # always there in the log: acceptance demands it
            row.setdefault("contribution_month", f"{str(row['occurred_on'])[:7]}-01")
        if "original" in fact:
            row |= {"original_seq": fact["original"], "original_event_key": f"K{fact['original']}"}
        statement = sql.SQL("insert into events.event ({}) values ({})").format(
            sql.SQL(", ").join(map(sql.Identifier, row)), sql.SQL(", ").join([sql.Placeholder()] * len(row))
        )
        with connection.cursor() as cursor:
            cursor.execute(statement, list(row.values()))
