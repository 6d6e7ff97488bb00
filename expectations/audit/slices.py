"""What an audit goes through: whole batches of a region, so many events at a time."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from ingestion.database import Connection

EVENTS_AT_A_TIME = 250_000

_BATCHES = """
    with head as (
        select region_code, max(seq) as seq from ledger.built_head group by region_code
    )
    select batch.region_code, batch.batch_id, batch.first_seq, batch.last_seq
    from events.batch as batch
    inner join head on head.region_code = batch.region_code and batch.last_seq <= head.seq
    order by batch.region_code, batch.batch_id
"""
_CLOSINGS = "select region_code, closing_seq from staging.stg_closing order by region_code, closing_seq"


@dataclass(frozen=True)
class Batch:
    """Events `first_seq` to `last_seq` of a region that were recorded together."""

    region_code: str
    batch_id: int
    first_seq: int
    last_seq: int


@dataclass(frozen=True)
class Slice:
    """Consecutive batches of a region, the events with `after` < seq <= `up_to`; whether one of them closes books."""

    batches: tuple[Batch, ...]
    has_closing: bool

    @property
    def region_code(self) -> str:
        """The region of all its batches."""
        return self.batches[0].region_code

    @property
    def after(self) -> int:
        """Seq of the last event before it."""
        return self.batches[0].first_seq - 1

    @property
    def up_to(self) -> int:
        """Seq of its last event."""
        return self.batches[-1].last_seq

    def of(self, batches: tuple[Batch, ...]) -> Slice:
        """A part of this slice."""
        return Slice(batches, self.has_closing)


def read_slices(connection: Connection, events: int = EVENTS_AT_A_TIME) -> list[Slice]:
    """Slices that cover all batches up to the built heads, by region and seq; at least one batch each."""
    with connection.cursor() as cursor:
        cursor.execute(_CLOSINGS)
        closings = cursor.fetchall()
        cursor.execute(_BATCHES)
        batches = [Batch(*row) for row in cursor.fetchall()]
    return [
        Slice(part, any(region == part[0].region_code and part[0].first_seq <= seq <= part[-1].last_seq
                        for region, seq in closings))
        for part in _parts(batches, events)
    ]  # fmt: skip


def _parts(batches: list[Batch], events: int) -> Iterator[tuple[Batch, ...]]:
    part: list[Batch] = []
    for batch in batches:
        if part and (part[0].region_code != batch.region_code or batch.last_seq - part[0].first_seq + 1 > events):
            yield tuple(part)
            part = []
        part.append(batch)
    if part:
        yield tuple(part)
