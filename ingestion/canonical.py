"""Canonical bytes of an event, of a batch and of what acceptance adds to it, and their hashes: docs/canonical-form.md.

An event is the version byte 0x01 and then its fields in the order of the contract, each as a netstring:
`-` for null, else `<length in bytes>:<UTF-8>`. Decimals have two places, dates are ISO, months YYYY-MM.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime

import numpy as np
import polars as pl
import polars_hash

from ingestion.contracts import FAMILIES

ENVELOPE = ("region_code", "event_type", "family", "schema_version", "source_system", "source_event_key", "occurred_on")
GENESIS = bytes(32)
TIME_FORMAT = "%Y-%m-%dT%H:%M:%S.%fZ"  # of UTC
_EVENT_VERSION = b"\x01"
_BATCH_VERSION = b"\x02"
_DERIVED_VERSION = b"\x03"
DERIVABLE = ("birth_date", "sex", "personal_account_credit", "sub_fund")
ADDED = ("original_seq", "derived_columns", "pseudonym_key_id")
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
# What version 2 has beside them: what was decided on, and how far the decision reaches.
_DECIDED = ("finding_code", "finding_key", "valid_until", "amount_max", "rows_max")
_CONTROL_VERSIONS = {1: ENVELOPE + _CONTROL, 2: ENVELOPE + _CONTROL + _DECIDED}


def hashed_columns(family: str, schema_version: int) -> tuple[str, ...]:
    """Columns of `events.event` that the content hash of a version of a family covers, in order."""
    if family == "control":
        return _CONTROL_VERSIONS[schema_version]
    return ENVELOPE + tuple(column.stored for column in FAMILIES[family].version(schema_version).columns)


def netstring(value: str | None) -> str:
    """One field."""
    return "-" if value is None else f"{len(value.encode())}:{value}"


def content_hash(fields: Iterable[str | None]) -> bytes:
    """Hash of an event from its fields as canonical texts, in the order of `hashed_columns`."""
    return hashlib.sha256(_EVENT_VERSION + "".join(netstring(field) for field in fields).encode()).digest()


def content_hexes(frame: pl.DataFrame, columns: Iterable[str]) -> pl.Series:
    """`content_hash` in hex for each row of a frame of canonical text columns."""
    texts = _netstrings(frame, tuple(columns), prefix=_EVENT_VERSION.decode())
    return texts.to_frame("text").select(polars_hash.col("text").chash.sha2_256())["text"]


def _netstrings(frame: pl.DataFrame, columns: tuple[str, ...], prefix: str) -> pl.Series:
    """`prefix` and the netstrings of these text columns, joined in a row.

    In most columns all values of a chunk are equally long: their length is then written once, not counted row by row.
    """
    length = {name: pl.col(name).str.len_bytes() for name in columns}
    shape = frame.select(
        *(length[name].min().alias(f"min|{name}") for name in columns),
        *(length[name].max().alias(f"max|{name}") for name in columns),
        *(pl.col(name).null_count().alias(f"null|{name}") for name in columns),
    ).row(0, named=True)
    parts: list[pl.Expr] = []
    constant = prefix
    for name in columns:
        shortest, longest = shape[f"min|{name}"], shape[f"max|{name}"]
        if shortest is None:
            constant += "-"
            continue
        size = pl.lit(str(shortest)) if shortest == longest else length[name].cast(pl.String)
        if shape[f"null|{name}"]:
            field = [pl.lit(constant), pl.concat_str(size, pl.lit(":"), pl.col(name)).fill_null("-")]
        elif shortest == longest:
            field = [pl.lit(f"{constant}{shortest}:"), pl.col(name)]
        else:
            field = [pl.lit(constant), size, pl.lit(":"), pl.col(name)]
        parts += field
        constant = ""
    parts.append(pl.lit(constant))
    return frame.with_columns(pl.concat_str(parts).alias("|text"))["|text"]


def event_hexes(frame: pl.DataFrame, family: str) -> pl.Series:
    """`content_hash` in hex for each row of a frame of canonical texts, by the row's own `schema_version`.

    Null for a version that was never published.
    """
    published = {str(number): number for number in versions_of(family)}
    found = frame["schema_version"].unique().to_list()
    if len(found) == 1 and found[0] in published:
        return content_hexes(frame, hashed_columns(family, published[found[0]]))
    hexes = pl.Series([None] * frame.height, dtype=pl.String)
    for version in sorted(published.keys() & {*found}):
        own = (frame["schema_version"] == version).arg_true()
        hexes = hexes.scatter(own, content_hexes(frame[own], hashed_columns(family, published[version])))
    return hexes


def versions_of(family: str) -> tuple[int, ...]:
    """The published versions of a family."""
    return tuple(_CONTROL_VERSIONS) if family == "control" else FAMILIES[family].numbers


def all_columns(family: str) -> tuple[str, ...]:
    """Columns of `events.event` that the content hash of any version of a family covers."""
    columns = (name for version in versions_of(family) for name in hashed_columns(family, version))
    return tuple(dict.fromkeys(columns))


@dataclass(frozen=True)
class BatchHead:
    """What the batch hash says about a batch beside its rows."""

    region_code: str
    batch_id: int
    first_seq: int
    last_seq: int
    recorded_at: datetime
    file_sha256: str


def sealed_hash(previous: bytes, head: BatchHead, body: bytes) -> bytes:
    """Hash of a batch; `previous` is the region's last one, `body` the digest over `content_bytes` of its events."""
    recorded_at = head.recorded_at.astimezone(UTC).strftime(TIME_FORMAT)
    fields = (head.region_code, head.batch_id, head.first_seq, head.last_seq, recorded_at, head.file_sha256)
    return batch_hash_of_body(previous, map(str, fields), body)


def batch_hash_of_body(previous: bytes, fields: Iterable[str], body: bytes) -> bytes:
    """`batch_hash` from the head's fields as canonical texts and the digest over its rows."""
    text = "".join(netstring(field) for field in fields)
    return hashlib.sha256(_BATCH_VERSION + previous + text.encode() + body).digest()


class Body:
    """Running hashes over the events of a batch, taken in the order of seq."""

    def __init__(self) -> None:
        self._content = hashlib.sha256()
        self._derived = hashlib.sha256()

    def add(self, events: pl.DataFrame) -> None:
        """Take in events: `seq`, `line_no`, `content_hash` in hex, and what they have of ADDED and DERIVABLE.

        The others are texts, `derived_columns` an array literal.
        """
        self._content.update(content_bytes(events["content_hash"], events["line_no"]))
        present = [pl.col(name).is_not_null() for name in ADDED if name in events.columns]
        found = events.filter(pl.any_horizontal(pl.lit(value=False), *present))
        if found.height:
            self._derived.update(derived_bytes(_complete(found)))

    @property
    def content(self) -> bytes:
        """sha256 of (content_hash, line_no) of all events."""
        return self._content.digest()

    @property
    def derived(self) -> bytes:
        """sha256 of what acceptance added to them."""
        return self._derived.digest()


def content_bytes(hexes: pl.Series, line_nos: pl.Series) -> bytes:
    """content_hash ‖ line_no (four bytes, big-endian) of one event after the other."""
    contents = np.frombuffer(bytes.fromhex(hexes.str.join("").item()), dtype=np.uint8).reshape(-1, 32)
    lines = line_nos.to_numpy().astype(">i4").view(np.uint8).reshape(-1, 4)
    return np.hstack([contents, lines]).tobytes()


def _complete(events: pl.DataFrame) -> pl.DataFrame:
    absent = [pl.lit(None, dtype=pl.String).alias(n) for n in (*ADDED, *DERIVABLE) if n not in events.columns]
    names = pl.col("derived_columns").str.strip_chars("{}")
    return events.with_columns(absent).with_columns(pl.col("seq", "original_seq").cast(pl.String), names)


def derived_texts(frame: pl.DataFrame) -> pl.Series:
    """What the derived hash covers of each row, as text; null for a row to which acceptance has added nothing.

    `frame` has text columns `seq`, ADDED (names of derived columns joined by commas) and DERIVABLE in canonical form.
    """
    named = pl.concat_str(pl.lit(","), "derived_columns", pl.lit(","))
    values = [
        pl.when(named.str.contains(f",{name},", literal=True)).then(pl.col(name)).alias(name) for name in DERIVABLE
    ]
    rows = frame.select("seq", *ADDED, *values)
    columns = ("seq", "original_seq", "derived_columns", *DERIVABLE, "pseudonym_key_id")
    texts = rows.with_columns(_netstrings(rows, columns, prefix="").alias("text"))
    return texts.select(pl.when(pl.any_horizontal(pl.col(name).is_not_null() for name in ADDED)).then("text"))["text"]


def derived_bytes(frame: pl.DataFrame) -> bytes:
    """Body of a batch's derived hash: `derived_texts` of its rows by seq, joined."""
    return "".join(derived_texts(frame).drop_nulls()).encode()


def derived_hash_of_body(previous: bytes, batch: bytes, body: bytes) -> bytes:
    """Hash of what acceptance added to a batch; `previous` is the region's last one, or GENESIS, `batch` its hash.

    `body` is the digest over what was added.
    """
    return hashlib.sha256(_DERIVED_VERSION + previous + batch + body).digest()
