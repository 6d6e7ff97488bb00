"""The sidecar `<file>.manifest.json`: what the sender says of a file, and whether it is so."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path

import polars as pl

from ingestion import optional_file
from ingestion.contracts import FAMILIES
from ingestion.errors import FileRejected
from ingestion.masking import mask_cut
from ingestion.normal import normal
from ingestion.profiles import Feed
from ingestion.readers import Chunk
from ingestion.typed import Form

SUFFIX = ".manifest.json"
_NUMBER = re.compile(r"-?[0-9]{1,30}(?:\.[0-9]{1,10})?")
_SHORT_NUMBER = r"\A-?[0-9]{1,16}(?:\.[0-9]{1,10})?\z"
_YUAN_OF = {"yuan": Decimal(1), "fen": Decimal("0.01"), "wan": Decimal(10_000)}


@dataclass(frozen=True)
class Manifest:
    """What the sender says; whatever is left out is not checked."""

    row_count: int | None = None
    sha256: str | None = None
    control_totals: Mapping[str, Decimal] = field(default_factory=dict)


def read_bytes(path: Path) -> bytes | None:
    """The sidecar of a file, None when there is none."""
    return optional_file.content(path.with_name(path.name + SUFFIX), "E-FILE-MANIFEST")


def parse(content: bytes) -> Manifest:
    """Read a manifest; `E-FILE-MANIFEST` when it is none."""
    try:
        said = json.loads(content.decode("utf-8-sig"), parse_float=Decimal, parse_int=Decimal)
    except (ValueError, RecursionError):
        raise FileRejected("E-FILE-MANIFEST", "not JSON in UTF-8") from None
    if not isinstance(said, dict) or not isinstance(said.get("control_totals") or {}, dict):
        raise FileRejected("E-FILE-MANIFEST", "not an object with row_count, control_totals, sha256")
    totals = {name: _decimal(name, value) for name, value in (said.get("control_totals") or {}).items()}
    count = None if said.get("row_count") is None else _decimal("row_count", said["row_count"])
    if count is not None and count != count.to_integral_value():
        raise FileRejected("E-FILE-MANIFEST", "row_count")
    sha256 = said.get("sha256")
    return Manifest(
        None if count is None else int(count), None if sha256 is None else str(sha256).strip().lower(), totals
    )


def _decimal(name: str, value: object) -> Decimal:
    text = str(value).strip()
    if isinstance(value, bool) or not _NUMBER.fullmatch(text):
        raise FileRejected("E-FILE-MANIFEST", f"{name}: not a number")
    return Decimal(text)


class Tally:
    """Counts and sums a file while it is read, to be compared with its manifest at the end.

    A control total names a source column (summed in the source's own unit) or a canonical one (summed in yuan).
    """

    def __init__(self, manifest: Manifest, feed: Feed) -> None:
        self._manifest = manifest
        self._family = FAMILIES[feed.family]
        self._mapped = {column.source: column for column in feed.columns}
        self.rows = 0
        self._sources = {name: _source(name, feed) for name in manifest.control_totals}
        self._totals = dict.fromkeys(manifest.control_totals, Decimal(0))

    def add(self, chunk: Chunk) -> None:
        """Take in a chunk. What is no number adds nothing: its row is quarantined anyway."""
        self.rows += chunk.rows
        for name, (column, factor) in self._sources.items():
            if column in chunk.frame.columns:
                self._totals[name] += factor * _sum(self._normal(chunk.frame[column]))

    def _normal(self, texts: pl.Series) -> pl.Series:
        said = self._mapped.get(texts.name)
        return texts if said is None else normal(texts, self._family.column(said.to), said)[0]

    def check(self, sha256: str) -> None:
        """Refuse the file when the manifest disagrees."""
        said = self._manifest
        if said.sha256 not in (None, sha256):
            raise FileRejected("E-FILE-MANIFEST", "sha256")
        if said.row_count not in (None, self.rows):
            raise FileRejected("E-FILE-MANIFEST", f"row_count {said.row_count}, file {self.rows}")
        for name, total in said.control_totals.items():
            if total != self._totals[name]:
                raise FileRejected("E-FILE-MANIFEST", f"{name} {total}, file {self._totals[name]}")


def _sum(texts: pl.Series) -> Decimal:
    """Exact: what a column of decimals holds without overflow is added up there, the rest one by one."""
    plain = texts.drop_nulls().str.replace_all("[,，]", "")
    is_short = plain.str.contains(_SHORT_NUMBER)
    total = plain.filter(is_short).cast(pl.Decimal(38, 10)).sum()
    return sum((Decimal(text) for text in plain.filter(~is_short) if _NUMBER.fullmatch(text)), Decimal(total or 0))


def _source(name: str, feed: Feed) -> tuple[str, Decimal]:
    by_source = {column.source: column for column in feed.columns}
    by_target = {column.to: column for column in feed.columns}
    if name in by_source or name in feed.ignore:
        return name, Decimal(1)
    if name in by_target:
        form: Form = by_target[name].form
        return by_target[name].source, _YUAN_OF[form.unit]
    raise FileRejected("E-FILE-MANIFEST", f"control_totals: no column {mask_cut(name, 80)}")
