"""Canonical bytes of an event and of a batch, and their hashes.

An event is the version byte 0x01 and then its fields in the order of the contract, each as a netstring:
`-` for null, else `<length in bytes>:<UTF-8>`. Decimals have two places, dates are ISO, months YYYY-MM.
"""

from __future__ import annotations

import hashlib
import struct
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

import numpy as np
import polars as pl

from ingestion.contracts import FAMILIES

ENVELOPE = ("region_code", "event_type", "family", "schema_version", "source_system", "source_event_key", "occurred_on")
GENESIS = bytes(32)
_EVENT_VERSION = b"\x01"
_BATCH_VERSION = b"\x02"
_DERIVED_VERSION = b"\x03"
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


def hashed_columns(family: str) -> tuple[str, ...]:
    """Columns of `events.event` that the content hash covers, in order."""
    if family == "control":
        return ENVELOPE + _CONTROL
    return ENVELOPE + tuple(column.stored for column in FAMILIES[family].columns)


# What may be computed at acceptance; it stands outside the content hash.
_DERIVABLE = ("birth_date", "sex", "personal_account_credit", "sub_fund")


def netstring(value: str | None) -> str:
    """One field."""
    return "-" if value is None else f"{len(value.encode())}:{value}"


def content_hash(fields: Iterable[str | None]) -> bytes:
    """Hash of an event from its fields as canonical texts, in the order of `hashed_columns`."""
    return hashlib.sha256(_EVENT_VERSION + "".join(netstring(field) for field in fields).encode()).digest()


def content_hashes(frame: pl.DataFrame, columns: Iterable[str]) -> list[bytes]:
    """`content_hash` for each row of a frame of canonical text columns."""
    texts = frame.select(_netstrings(pl.col(name) for name in columns).alias("text"))["text"]
    return [hashlib.sha256(_EVENT_VERSION + text.encode()).digest() for text in texts]


def _netstrings(fields: Iterable[pl.Expr]) -> pl.Expr:
    """`netstring` of several text columns, one after the other."""
    return pl.concat_str(
        *(
            pl.when(field.is_null())
            .then(pl.lit("-"))
            .otherwise(pl.concat_str(field.str.len_bytes().cast(pl.String), pl.lit(":"), field))
            for field in fields
        )
    )


@dataclass(frozen=True)
class BatchHead:
    """What the batch hash says about a batch beside its rows."""

    region_code: str
    batch_id: int
    first_seq: int
    last_seq: int
    recorded_at: datetime
    file_sha256: str


class Body:
    """Running hashes over the events of a batch, taken in the order of seq."""

    def __init__(self) -> None:
        self._content = hashlib.sha256()
        self._derived = hashlib.sha256()

    def add(self, events: pl.DataFrame) -> None:
        """Take in events: `content_hash` as bytes, `line_no`, `seq`, and what `derived_bytes` reads."""
        self._content.update(content_bytes(events["content_hash"].to_list(), events["line_no"].to_list()))
        self._derived.update(derived_bytes(events))

    @property
    def content(self) -> bytes:
        """sha256 of (content_hash, line_no) of all events."""
        return self._content.digest()

    @property
    def derived(self) -> bytes:
        """sha256 of what the content hashes leave out of all events."""
        return self._derived.digest()


def content_bytes(hashes: Sequence[bytes], line_nos: Sequence[int]) -> bytes:
    """content_hash ‖ line_no (four bytes, big-endian) of one event after the other."""
    contents = np.frombuffer(b"".join(hashes), dtype=np.uint8).reshape(-1, 32)
    lines = np.asarray(line_nos, dtype=">i4").view(np.uint8).reshape(-1, 4)
    return np.hstack([contents, lines]).tobytes()


def derived_bytes(events: pl.DataFrame) -> bytes:
    """What the content hash leaves out, of those events that have it, as netstrings.

    seq, original_seq, derived_columns joined by commas, the values of columns that these name, pseudonym_key_id.
    Columns are texts (`derived_columns` as an array literal), seq and original_seq may be numbers; any but seq may be
    absent.
    """
    names = ("original_seq", "derived_columns", "pseudonym_key_id")
    present = [name for name in names if name in events.columns]
    if not present:
        return b""
    found = events.filter(pl.any_horizontal(pl.col(name).is_not_null() for name in present))
    if not found.height:
        return b""
    absent = [pl.lit(None, dtype=pl.String).alias(n) for n in (*names, *_DERIVABLE) if n not in events.columns]
    texts = found.with_columns(absent).with_columns(pl.col("derived_columns").str.strip_chars("{}"))
    named = pl.col("derived_columns").str.split(",")
    values = (pl.when(named.list.contains(name)).then(pl.col(name).cast(pl.String)) for name in _DERIVABLE)
    places = (pl.col(name).cast(pl.String) for name in ("seq", "original_seq"))
    fields = [*places, pl.col("derived_columns"), *values, pl.col("pseudonym_key_id")]
    return "".join(texts.select(_netstrings(fields).alias("text"))["text"]).encode()


def batch_hash(previous: bytes, head: BatchHead, rows: Iterable[tuple[bytes, int]]) -> bytes:
    """Hash of a batch; `rows` are (content_hash, line_no) by seq, `previous` is the region's last batch hash."""
    body = hashlib.sha256()
    for content, line_no in rows:
        body.update(content + struct.pack(">i", line_no))
    return sealed_hash(previous, head, body.digest())


def sealed_hash(previous: bytes, head: BatchHead, body: bytes) -> bytes:
    """The same from the sha256 over the rows."""
    recorded_at = head.recorded_at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    fields = (head.region_code, head.batch_id, head.first_seq, head.last_seq, recorded_at, head.file_sha256)
    text = "".join(netstring(str(field)) for field in fields)
    return hashlib.sha256(_BATCH_VERSION + previous + text.encode() + body).digest()


def derived_hash(previous: bytes, batch: bytes, body: bytes) -> bytes:
    """Chain hash of what content hashes leave out: the region's last one, the batch's hash, sha256 of its bytes."""
    return hashlib.sha256(_DERIVED_VERSION + previous + batch + body).digest()
