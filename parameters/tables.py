"""The tables of parameters: columns, types and meaning as the seeds' descriptions say, words from the vocabulary."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any, Literal

import yaml

from expectations.rules_version import SEEDS
from runtime.layout import REPOSITORY
from runtime.seed_folder import seeds_of

PROJECT = REPOSITORY / "dbt_project"
VOCABULARY = Path(__file__).with_name("vocabulary.yml")
Kind = Literal["text", "date", "integer", "numeric", "boolean"]

PERIOD = ("effective_from", "effective_to")
# Columns that say where a row comes from, not what it says.
PROVENANCE = ("known_from", "status", "source", "clause")
# The tables that posting and acceptance read: rows of theirs are known from the day after events were last recorded.
POSTING = frozenset(SEEDS)
_FRACTION = re.compile(r"(^|_)(rate|share)(_|$)")
# What no rate stands for although it is called one: levels of warning lie beside any indicator.
_NO_FRACTION = frozenset({"target"})


@dataclass(frozen=True)
class Words:
    """A text in both languages."""

    zh: str
    en: str

    @classmethod
    def of(cls, text: str) -> Words:
        """Split `Chinese / English`; a text of one language stands for both."""
        zh, _, en = " ".join(text.split()).partition(" / ")
        return cls(zh, en or zh)

    def __str__(self) -> str:
        return self.zh if self.zh == self.en else f"{self.zh} / {self.en}"


@dataclass(frozen=True)
class Column:
    """A column of a table; `values` are all that may stand in it, by code, or none if it is free."""

    name: str
    kind: Kind
    scale: int | None
    said: Words
    values: Mapping[str, Words]
    is_required: bool

    @property
    def is_fraction(self) -> bool:
        """A rate or share, written as a fraction of one."""
        return self.kind == "numeric" and self.name not in _NO_FRACTION and bool(_FRACTION.search(self.name))

    @property
    def is_change(self) -> bool:
        """A relative change, written as a fraction of one that may be negative."""
        return self.kind == "numeric" and (self.name == "percent" or self.name.endswith("_change"))

    @property
    def is_region(self) -> bool:
        """Holds the code of a pooling area that must be known."""
        return self.name == "region_code"


@dataclass(frozen=True)
class Table:
    """A table of parameters: the CSV file below the folder of seeds, and what its columns mean.

    `key` is what rows have in common that replace each other. Where they hold for no period, `steps` are the columns by
    which they follow each other. `own` are columns that a new row does not take over from the one before it.
    """

    name: str
    file: str
    said: Words
    title: Words
    columns: tuple[Column, ...]
    key: tuple[str, ...]
    unique: tuple[str, ...] = ()
    steps: tuple[str, ...] = ()
    own: tuple[str, ...] = ()

    @property
    def names(self) -> list[str]:
        """Names of the columns, in the file's order."""
        return [column.name for column in self.columns]

    @property
    def is_dated(self) -> bool:
        """Rows hold for a period."""
        return set(PERIOD) <= set(self.names)

    def column(self, name: str) -> Column:
        """The column of that name; KeyError when there is none."""
        return next(column for column in self.columns if column.name == name)

    def has(self, name: str) -> bool:
        """Whether there is such a column."""
        return name in self.names


def folder() -> Path:
    """The folder of the CSV files that count: that of FUND_SEEDS_DIR, or the code's own."""
    return seeds_of(PROJECT)


@cache
def tables() -> dict[str, Table]:
    """All tables by name, in the order of their files. What they mean always comes with the code."""
    return {table.name: table for table in sorted(_described(vocabulary()), key=lambda table: table.file)}


@cache
def vocabulary() -> Mapping[str, Any]:
    """The words and what of a table can't be told from its description."""
    words: Mapping[str, Any] = yaml.safe_load(VOCABULARY.read_text("utf-8"))
    return words


@cache
def ordered() -> tuple[tuple[str, str], ...]:
    """Pairs of columns of which the first must not be above the second."""
    return tuple((low, high) for low, high in vocabulary()["ordered"])


@cache
def floors() -> dict[str, Decimal]:
    """The least that may stand in a column, by its name."""
    return {name: Decimal(str(least)) for name, least in vocabulary()["least"].items()}


def _described(words: Mapping[str, Any]) -> Iterator[Table]:
    for path in sorted((PROJECT / "seeds").rglob("*.yml")):
        for seed in yaml.safe_load(path.read_text("utf-8")).get("seeds", []):
            files = sorted((PROJECT / "seeds").rglob(f"{seed['name']}.csv"))
            if files:
                yield _table(seed, files[0], words)


def _table(seed: Mapping[str, Any], file: Path, words: Mapping[str, Any]) -> Table:
    name, told = str(seed["name"]), words["tables"].get(seed["name"], {})
    types = seed.get("config", {}).get("column_types", {})
    described = {column["name"]: Words.of(column.get("description", "")) for column in seed.get("columns", [])}
    header = file.open(encoding="utf-8").readline().strip().split(",")
    key = tuple(told.get("key", _key(header)))
    columns = tuple(_column(column, types.get(column, "text"), described, words["columns"], told) for column in header)
    said = Words.of(str(seed.get("description", "")))
    title = Words.of(told.get("title", f"{said.zh.split('，')[0].rstrip('。')} / {name}"))
    relative = file.relative_to(PROJECT / "seeds").as_posix()
    return Table(
        name, relative, said, title, columns, key, *(tuple(told.get(part, ())) for part in ("unique", "steps", "own"))
    )


def _key(header: list[str]) -> tuple[str, ...]:
    """Unless told otherwise what stands before the period: codes first, then the days, then the values."""
    return tuple(header[: header.index("effective_from")]) if "effective_from" in header else ()


def _column(
    name: str,
    sql_type: str,
    described: Mapping[str, Words],
    words: Mapping[str, Mapping[str, str]],
    told: Mapping[str, Any],
) -> Column:
    found = re.fullmatch(r"numeric(?:\(\d+,\s*(\d+)\))?", sql_type)
    kind: Kind = "numeric" if found else _kind(sql_type)
    scale = int(found[1]) if found and found[1] else None
    values = {
        str(code): Words.of(label) for code, label in told.get("values", {}).get(name, words.get(name, {})).items()
    }
    required = name in ("effective_from", "known_from", "status", "source") or name in told.get("required", ())
    return Column(name, kind, scale, described.get(name, Words(name, name)), values, required)


def _kind(sql_type: str) -> Kind:
    if sql_type in ("date", "boolean"):
        return "date" if sql_type == "date" else "boolean"
    return "integer" if sql_type in ("integer", "bigint", "smallint") else "text"
