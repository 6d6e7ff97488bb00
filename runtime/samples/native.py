"""Writes rows in a source's own shape by reading its profile backwards: the profile stays the only description."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from ingestion.contracts import FAMILIES
from runtime.samples.cities import City
from runtime.samples.log import Row
from runtime.samples.values import Fen, Month, Raw, Value

PROFILES = Path(__file__).resolve().parents[2] / "ingestion" / "sources"
Spellings = dict[type, Callable[[Any], str]]
_NAME_COLUMNS = {"psn_name", "姓名"}


@dataclass(frozen=True)
class NativeShape:
    """How one family of a source looks on disk: source columns in order, where each comes from, codes by value."""

    encoding: str
    columns: tuple[str, ...]
    canonical: dict[str, str]
    codes: dict[str, dict[str, str]]
    date_format: str
    month_format: str

    def source_column(self, canonical: str) -> str:
        """Source column that carries a canonical column."""
        return next(source for source, target in self.canonical.items() if target == canonical)


@cache
def shape(source_system: str, family: str, version: int = 1) -> NativeShape:
    """The shape of ``family`` in the profile of ``source_system``, with the columns of a version alone."""
    profile = _profile(source_system)
    feed = next(feed for feed in profile["feeds"] if feed["family"] == family)
    said = {source: spec if isinstance(spec, dict) else {"to": spec} for source, spec in feed["columns"].items()}
    foreign = {column.name for column in FAMILIES[family].columns} - FAMILIES[family].version(version).names
    targets = {source: spec for source, spec in said.items() if spec["to"] not in foreign}
    names = [column for column in feed["ignore"] if column in _NAME_COLUMNS]
    return NativeShape(
        encoding=profile["defaults"]["encoding"],
        columns=(*targets, *names),
        canonical={source: spec["to"] for source, spec in targets.items()} | dict.fromkeys(names, "name"),
        codes={source: _backwards(spec["values"]) for source, spec in targets.items() if "values" in spec},
        date_format=profile["defaults"]["date_formats"][0],
        month_format=profile["defaults"]["month_formats"][0],
    )


@cache
def _profile(source_system: str) -> dict[str, Any]:
    profile: dict[str, Any] = yaml.safe_load((PROFILES / f"{source_system}.yml").read_text(encoding="utf-8"))
    return profile


def _backwards(values: dict[str, Any]) -> dict[str, str]:
    return {str(canonical): str(code) for code, canonical in values.items()}


def to_csv(city: City, family: str, rows: Iterable[Row], version: int = 1, source_system: str = "") -> bytes:
    """Header and rows of a version as the city's system, or another one in the city, writes them."""
    native = shape(source_system or city.source_system, family, version)
    buffer = io.StringIO(newline="")
    writer = csv.writer(buffer, lineterminator=city.line_end)
    writer.writerow(native.columns)
    spell = _spellings(city, native)
    sources = [(target, native.codes.get(source)) for source, target in native.canonical.items()]
    for row in rows:
        writer.writerow([_cell(spell, row[target], codes) if target in row else "" for target, codes in sources])
    return buffer.getvalue().encode(native.encoding)


def _cell(spell: Spellings, value: Value, codes: dict[str, str] | None) -> str:
    if codes is not None and type(value) is str:
        return codes[value]
    return spell[type(value)](value)


def _spellings(city: City, native: NativeShape) -> Spellings:
    """How each kind of value is written in this city."""
    amount = "{:,}.{:02d}" if city.grouped_amounts else "{}.{:02d}"
    return {
        str: str,
        Raw: str,
        int: str,
        Fen: lambda value: amount.format(value // 100, value % 100),
        date: lambda value: _dated(native.date_format, value.year, value.month, value.day),
        Month: lambda value: _dated(native.month_format, value.year, value.month, 0),
    }


@cache
def _dated(form: str, year: int, month: int, day: int) -> str:
    """Written by hand, not by strftime, whose treatment of Chinese characters depends on the locale."""
    width = 2 if form.isascii() else 1
    return form.replace("%Y", str(year)).replace("%m", f"{month:0{width}d}").replace("%d", f"{day:0{width}d}")
