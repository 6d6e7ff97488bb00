"""Whether the log in the database is whole: every hash recomputed, the chain, and heads kept outside."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import closing
from typing import Any

from ingestion import heads, verification
from ingestion.database import connect
from ingestion.settings import Settings


def problems(
    settings: Settings, expected: Mapping[str, Mapping[str, Any]], outside: Mapping[str, Sequence[str]]
) -> list[str]:
    """What is wrong with the log.

    `expected`: region -> batch_id, seq and batch_hash of the head it must have; `outside`: lines of heads by region.
    """
    with closing(connect(settings=settings)) as connection, connection.cursor() as cursor:
        found = [
            f"region {told.region_code}: seq {told.seq}: {told.kind.value[1]} / {told.kind.value[2]}"
            for report in verification.verify_stored(cursor)
            for told in report.findings
        ]
        now = {
            one: {"batch_id": batch, "seq": seq, "batch_hash": tip} for one, batch, seq, tip, _ in heads.current(cursor)
        }
        regions = sorted(now.keys() | expected.keys())
        found += [f"region {one}: the head is another" for one in regions if now.get(one) != expected.get(one)]
        return found + heads.contradictions(cursor, outside)
