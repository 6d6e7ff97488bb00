"""The sidecar `<file>.manifest.json`: what the sender says of a file, and whether it is so."""

from __future__ import annotations

import json
import re
from calendar import monthrange
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from decimal import Decimal
from pathlib import Path

import polars as pl
from psycopg2.extensions import cursor as Cursor
from psycopg2.extras import execute_values

from ingestion import optional_file
from ingestion.contracts import FAMILIES
from ingestion.contracts.columns import Family, Kind
from ingestion.errors import FileRejected
from ingestion.masking import mask_cut
from ingestion.normal import normal
from ingestion.profiles import ColumnMap, Feed
from ingestion.readers import Chunk
from ingestion.typed import dates

SUFFIX = ".manifest.json"
_NUMBER = re.compile(r"-?[0-9]{1,30}(?:\.[0-9]{1,10})?")
_SHORT_NUMBER = r"\A-?[0-9]{1,16}(?:\.[0-9]{1,10})?\z"
_PERIOD = re.compile(r"[0-9]{4}-[0-9]{2}(?:-[0-9]{2})?")
_MONTH_LENGTH = len("2020-03")
_NAMED_MAX = 5
_YUAN_OF = {"yuan": Decimal(1), "fen": Decimal("0.01"), "wan": Decimal(10_000)}


@dataclass(frozen=True)
class Manifest:
    """What the sender says; whatever is left out is not checked. Control totals by what they are of, see Tally."""

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


@dataclass(frozen=True)
class _SaidTotal:
    """What a key of `control_totals` means: a source column, times `factor`, of the days from first to last."""

    column: str
    factor: Decimal
    first: date = date.min
    last: date = date.max

    @property
    def is_dated(self) -> bool:
        return self.last != date.max

    def has(self, day: date) -> bool:
        return self.first <= day <= self.last


class Tally:
    """Counts and sums a file while it is read, to be compared with its manifest at the end.

    A control total names a source column (summed in the source's own unit) or a canonical one (summed in yuan). With
    `@2020-03-05` or `@2020-03` behind it, it is the total of the rows whose business date is that day or in that month.
    """

    def __init__(self, manifest: Manifest, feed: Feed) -> None:
        self._manifest = manifest
        self._family = FAMILIES[feed.family]
        self._mapped = {column.source: column for column in feed.columns}
        self._dated = next((column for column in feed.columns if column.to == "occurred_on"), None)
        self.rows = 0
        self._said = {name: _said_total(name, feed) for name in manifest.control_totals}
        if self._dated is None and any(said.is_dated for said in self._said.values()):
            raise FileRejected("E-FILE-MANIFEST", "control_totals: no column with the business date")
        self._totals: dict[str, Decimal] = defaultdict(Decimal)  # by source column
        self._by_day: dict[tuple[str, date], Decimal] = defaultdict(Decimal)
        self._rows_by_day: dict[date, int] = defaultdict(int)

    def add(self, chunk: Chunk) -> None:
        """Take in a chunk. What is no number adds nothing: its row is quarantined anyway."""
        self.rows += chunk.rows
        for name in {said.column for said in self._said.values() if not said.is_dated}:
            if name in chunk.frame.columns:
                self._totals[name] += _sum(self._normal(chunk.frame[name]))
        dated = {said.column for said in self._said.values() if said.is_dated}
        if dated and self._dated is not None and self._dated.source in chunk.frame.columns:
            self._add_days(chunk.frame, dated, self._dated)

    def _add_days(self, frame: pl.DataFrame, columns: set[str], dated: ColumnMap) -> None:
        """Rows without a readable date belong to no day, and to the whole file only."""
        texts = self._normal(frame[dated.source]).alias("text")
        days = texts.to_frame().select(dates(pl.col("text"), dated.form).alias("day"))["day"]
        for (day,), rows in frame.with_columns(days).drop_nulls("day").group_by("day", maintain_order=True):
            self._rows_by_day[day] += rows.height
            for name in columns & set(frame.columns):
                self._by_day[name, day] += _sum(self._normal(rows[name]))

    def _normal(self, texts: pl.Series) -> pl.Series:
        said = self._mapped.get(texts.name)
        return texts if said is None else normal(texts, self._family.column(said.to), said)[0]

    def check(self, sha256: str) -> None:
        """Refuse the file when the manifest disagrees; totals that differ are named with both amounts."""
        said = self._manifest
        if said.sha256 not in (None, sha256):
            raise FileRejected("E-FILE-MANIFEST", "sha256")
        if said.row_count not in (None, self.rows):
            raise FileRejected("E-FILE-MANIFEST", f"row_count {said.row_count}, file {self.rows}")
        differing = [
            f"{name} {total}, file {_plain(self._counted(name), total)}"
            for name, total in said.control_totals.items()
            if total != self._counted(name)
        ]
        if differing:
            more = [f"+{len(differing) - _NAMED_MAX}"] if len(differing) > _NAMED_MAX else []
            raise FileRejected("E-FILE-MANIFEST", "; ".join(differing[:_NAMED_MAX] + more))

    def save(self, cursor: Cursor, file_id: int) -> None:
        """Record what was stated and counted, in the file's transaction."""
        execute_values(
            cursor,
            "INSERT INTO events.control_total (file_id, stated_as, column_name, canonical_column, period_from,"
            " period_to, yuan_factor, stated_amount, counted_amount, counted_rows) VALUES %s",
            [self._row(file_id, name, total) for name, total in sorted(self._manifest.control_totals.items())],
        )

    def _row(self, file_id: int, name: str, total: Decimal) -> tuple[object, ...]:
        said = self._said[name]
        column = self._mapped.get(said.column)
        unit = Decimal(1) if column is None else _yuan_of(column, self._family)
        period = (said.first.isoformat(), said.last.isoformat()) if said.is_dated else ("-infinity", "infinity")
        return (
            file_id, name, said.column, None if column is None else column.to, *period, unit / said.factor, total,
            self._counted(name), self._counted_rows(said),
        )  # fmt: skip

    def _counted(self, name: str) -> Decimal:
        said = self._said[name]
        if not said.is_dated:
            return said.factor * self._totals[said.column]
        amounts = (amount for (column, day), amount in self._by_day.items() if column == said.column and said.has(day))
        return said.factor * sum(amounts, Decimal(0))

    def _counted_rows(self, said: _SaidTotal) -> int:
        if not said.is_dated:
            return self.rows
        return sum(rows for day, rows in self._rows_by_day.items() if said.has(day))


def _plain(amount: Decimal, like: Decimal) -> str:
    """All its digits, with as many decimals as `like` has at least."""
    exponents = (int(number.as_tuple().exponent) for number in (amount.normalize(), like))
    return f"{amount:.{max(0, -min(exponents))}f}"


def _sum(texts: pl.Series) -> Decimal:
    """Exact: what a column of decimals holds without overflow is added up there, the rest one by one."""
    plain = texts.drop_nulls().str.replace_all("[,，]", "")
    is_short = plain.str.contains(_SHORT_NUMBER)
    total = plain.filter(is_short).cast(pl.Decimal(38, 10)).sum()
    return sum((Decimal(text) for text in plain.filter(~is_short) if _NUMBER.fullmatch(text)), Decimal(total or 0))


def _said_total(name: str, feed: Feed) -> _SaidTotal:
    """A column's own name goes first, also where there is an @ in it."""
    found = _source(name, feed)
    if found is not None:
        return found
    column, _, period = name.rpartition("@")
    found = _source(column, feed)
    days = _days(period)
    if found is None or days is None:
        raise FileRejected("E-FILE-MANIFEST", f"control_totals: no column {mask_cut(name, 80)}")
    return replace(found, first=days[0], last=days[1])


def _yuan_of(column: ColumnMap, family: Family) -> Decimal:
    """What an amount of the column is multiplied by to give yuan; other numbers have no unit."""
    return _YUAN_OF[column.form.unit] if family.column(column.to).kind is Kind.AMOUNT else Decimal(1)


def _days(period: str) -> tuple[date, date] | None:
    """First and last day of `2020-03-05` or `2020-03`, None when it is neither."""
    if not _PERIOD.fullmatch(period):
        return None
    try:
        first = date.fromisoformat(period if len(period) > _MONTH_LENGTH else f"{period}-01")
    except ValueError:
        return None
    last = first if len(period) > _MONTH_LENGTH else first.replace(day=monthrange(first.year, first.month)[1])
    return first, last


def _source(name: str, feed: Feed) -> _SaidTotal | None:
    by_source = {column.source: column for column in feed.columns}
    by_target = {column.to: column for column in feed.columns}
    if name in by_source or name in feed.ignore:
        return _SaidTotal(name, Decimal(1))
    if name in by_target:
        column = by_target[name]
        return _SaidTotal(column.source, _yuan_of(column, FAMILIES[feed.family]))
    return None
