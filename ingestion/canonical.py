"""Canonical bytes of an event and of a batch, and their hashes.

An event is the version byte 0x01 and then its fields in the order of the contract, each as a netstring:
`-` for null, else `<length in bytes>:<UTF-8>`. Decimals have two places, dates are ISO, months YYYY-MM.
"""

from __future__ import annotations

import hashlib
import struct
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime

import polars as pl

from ingestion.contracts import FAMILIES

ENVELOPE = ("region_code", "event_type", "family", "schema_version", "source_system", "source_event_key", "occurred_on")
GENESIS = bytes(32)
_EVENT_VERSION = b"\x01"
_BATCH_VERSION = b"\x02"
_CONTROL = (
    "accounting_month",
    "prepared_by",
    "approved_by",
    "approved_at",
    "reason",
    "checks_run_id",
    "checked_seq",
    "report_sha256",
    "ledger_sha256",
    "rules_sha256",
    "decision",
)


def hashed_columns(family: str, schema_version: int) -> tuple[str, ...]:
    """Columns of `events.event` that the content hash of a version of a family covers, in order."""
    if family == "control":
        assert schema_version == 1
        return ENVELOPE + _CONTROL
    return ENVELOPE + tuple(column.stored for column in FAMILIES[family].version(schema_version).columns)


def netstring(value: str | None) -> str:
    """One field."""
    return "-" if value is None else f"{len(value.encode())}:{value}"


def content_hash(fields: Iterable[str | None]) -> bytes:
    """Hash of an event from its fields as canonical texts, in the order of `hashed_columns`."""
    return hashlib.sha256(_EVENT_VERSION + "".join(netstring(field) for field in fields).encode()).digest()


def content_hashes(frame: pl.DataFrame, columns: Iterable[str]) -> list[bytes]:
    """`content_hash` for each row of a frame of canonical text columns."""
    netstrings = (
        pl.when(pl.col(name).is_null())
        .then(pl.lit("-"))
        .otherwise(pl.concat_str(pl.col(name).str.len_bytes().cast(pl.String), pl.lit(":"), pl.col(name)))
        for name in columns
    )
    texts = frame.select(pl.concat_str(*netstrings).alias("text"))["text"]
    return [hashlib.sha256(_EVENT_VERSION + text.encode()).digest() for text in texts]


def event_hashes(frame: pl.DataFrame, family: str) -> list[bytes]:
    """`content_hash` for each row of a frame of canonical texts, by the row's own `schema_version`."""
    versions = frame["schema_version"].unique().sort()
    if len(versions) <= 1:
        return [] if frame.is_empty() else content_hashes(frame, hashed_columns(family, int(versions[0])))
    hashes = [b""] * frame.height
    for version in versions:
        own = frame["schema_version"] == version
        found = content_hashes(frame.filter(own), hashed_columns(family, int(version)))
        for row, digest in zip(own.arg_true(), found, strict=True):
            hashes[row] = digest
    return hashes


@dataclass(frozen=True)
class BatchHead:
    """What the batch hash says about a batch beside its rows."""

    region_code: str
    batch_id: int
    first_seq: int
    last_seq: int
    recorded_at: datetime
    file_sha256: str


def batch_hash(previous: bytes, head: BatchHead, rows: Iterable[tuple[bytes, int]]) -> bytes:
    """Hash of a batch; `rows` are (content_hash, line_no) by seq, `previous` is the region's last batch hash."""
    body = hashlib.sha256()
    for content, line_no in rows:
        body.update(content + struct.pack(">i", line_no))
    recorded_at = head.recorded_at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    fields = (head.region_code, head.batch_id, head.first_seq, head.last_seq, recorded_at, head.file_sha256)
    text = "".join(netstring(str(field)) for field in fields)
    return hashlib.sha256(_BATCH_VERSION + previous + text.encode() + body.digest()).digest()
