"""Source profiles: which file is of which family, and how its columns become canonical ones."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

import jsonschema
import yaml

from ingestion import corrections, optional_file
from ingestion.contracts import FAMILIES
from ingestion.contracts.columns import MANDATORY
from ingestion.errors import FileRejected
from ingestion.masking import mask_in_text
from ingestion.typed import CANONICAL_FORM, Form

_SCHEMA = json.loads((Path(__file__).parent / "profile.schema.json").read_text(encoding="utf-8"))
_TYPED_FORMATS = ("xlsx", "parquet")
_TYPED_DATES = ("%Y-%m-%d",)
_TYPED_MONTHS = ("%Y-%m", "%Y-%m-%d")  # a typed date stands for the month it lies in
_CANONICAL_NAME = re.compile(rf".+?\.({'|'.join(FAMILIES)})\..+\.csv(\.gz)?", re.DOTALL)


@dataclass(frozen=True)
class ColumnMap:
    """One source column and the canonical column it fills; `values` translates its texts."""

    source: str
    to: str
    form: Form = CANONICAL_FORM
    values: Mapping[str, str] | None = None


@dataclass(frozen=True)
class SheetForm:
    """Where the table of an XLSX file lies.

    `name`: name or glob of its sheet; `header_row`: first physical row of the header, None for the first filled one;
    `total_row`: what stands first in the row of totals, None when there is none.
    """

    name: str | None = None
    header_row: int | None = None
    header_rows: int = 1
    total_row: str | None = None


@dataclass(frozen=True)
class Feed:
    """How files of one family are read."""

    family: str
    columns: tuple[ColumnMap, ...]
    format: str = "csv"
    encoding: str = "utf-8"
    delimiter: str = ","
    sheet: SheetForm = SheetForm()
    manifest_required: bool = False
    ignore: frozenset[str] = frozenset()
    constants: Mapping[str, str] = field(default_factory=dict)
    due: str | None = None
    is_corrections: bool = False

    @property
    def known_columns(self) -> frozenset[str]:
        """Names a file may have in its header."""
        return frozenset(column.source for column in self.columns) | self.ignore

    def check_header(self, names: list[str]) -> None:
        """Refuse duplicate, unknown and missing columns, naming them."""
        twice = [name for name, count in Counter(names).items() if count > 1]
        if twice:
            raise FileRejected("E-FILE-DUPLICATE-COLUMN", _names(twice))
        self.check_names(names)
        self.check_mandatory(names)

    def check_names(self, names: list[str]) -> None:
        """Refuse columns that are neither mapped nor ignored."""
        unknown = [name for name in names if name not in self.known_columns]
        if unknown:
            raise FileRejected("E-FILE-COLUMNS", _names(unknown))

    def check_mandatory(self, names: list[str]) -> None:
        """Refuse a file that can't fill the columns shared by all families."""
        present = {column.to for column in self.columns if column.source in names} | set(self.constants)
        missing = [name for name in MANDATORY if name not in present]
        if missing:
            sources = {column.to: column.source for column in self.columns}
            raise FileRejected("E-FILE-HEADER", _names([sources.get(name, name) for name in missing]))

    def for_corrections(self) -> Feed:
        """How the same rows are read from a workbook of corrections, whatever format the source itself sends."""
        columns = tuple(replace(column, form=_with_typed_forms(column.form)) for column in self.columns)
        return replace(
            self,
            columns=columns,
            format="xlsx",
            sheet=SheetForm(corrections.SHEET, header_row=1),
            manifest_required=False,
            ignore=self.ignore | frozenset(corrections.ADDED),
            is_corrections=True,
        )


@dataclass(frozen=True)
class Profile:
    """The feeds of a source system."""

    feeds: tuple[tuple[str, Feed], ...]
    source_system: str = ""

    def feed_of(self, file_name: str) -> Feed:
        """How a file is read: by the feed whose pattern its name matches first, or as corrections of a feed."""
        feed = self.numbered_feed_of(file_name)[1]
        is_corrections = corrections.meant(file_name.rpartition("/")[2], self.source_system) is not None
        return feed.for_corrections() if is_corrections else feed

    def numbered_feed_of(self, file_name: str) -> tuple[int, Feed]:
        """The feed that a file's rows belong to, and its number, counted from 1."""
        name = file_name.rpartition("/")[2]
        corrected = corrections.meant(name, self.source_system)
        for number, (pattern, feed) in enumerate(self.feeds, start=1):
            if corrected == (feed.family, number) or (corrected is None and fnmatchcase(name, pattern)):
                return number, feed
        raise FileRejected("E-FILE-NAME", name)


class CanonicalProfile(Profile):
    """Folders without a profile of their own: CSV, UTF-8, canonical names, the family in the file's name."""

    def numbered_feed_of(self, file_name: str) -> tuple[int, Feed]:
        """`<anything>.<family>.<anything>.csv`, also `.csv.gz`; feeds are numbered in the order of the families."""
        name = file_name.rpartition("/")[2]
        match = _CANONICAL_NAME.fullmatch(name)
        corrected = corrections.meant(name, self.source_system)
        family = match[1] if match else corrected[0] if corrected else None
        number = list(FAMILIES).index(family) + 1 if family else 0
        if family is None or (corrected is not None and corrected[1] != number):
            raise FileRejected("E-FILE-NAME", name)
        return number, _canonical_feed(family)


def profile_of(source_system: str, folder: Path) -> Profile:
    """The profile of a source system: `<folder>/<source_system>.yml`, or the canonical one."""
    content = read_bytes(source_system, folder)
    return CanonicalProfile((), source_system) if content is None else parse_profile(content, source_system)


def read_bytes(source_system: str, folder: Path) -> bytes | None:
    """A source system's own profile as it lies there, None when it has none."""
    return optional_file.content(folder / f"{source_system}.yml", "E-FILE-PROFILE")


def parse_profile(content: bytes, source_system: str) -> Profile:
    """Read and check a YAML profile; `E-FILE-PROFILE` says where it is wrong."""
    try:
        document = yaml.load(content, Loader=yaml.BaseLoader)
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise FileRejected("E-FILE-PROFILE", " ".join(str(error).split())) from None
    problem = jsonschema.Draft202012Validator(_SCHEMA).iter_errors(document)
    first = jsonschema.exceptions.best_match(problem)
    if first is not None:
        raise FileRejected("E-FILE-PROFILE", f"{'/'.join(map(str, first.absolute_path)) or 'top'}: {first.message}")
    if document["source_system"] != source_system:
        raise FileRejected(
            "E-FILE-PROFILE", f"source_system: {document['source_system']} is not the name of the folder"
        )
    defaults = document.get("defaults", {})
    feeds = tuple((feed["pattern"], _feed(defaults, feed)) for feed in document["feeds"])
    return Profile(feeds, source_system)


def _feed(defaults: Mapping[str, Any], own: Mapping[str, Any]) -> Feed:
    merged = {**defaults, **own}
    constants = {**defaults.get("constants", {}), **own.get("constants", {})}
    columns = tuple(_column(source, said, merged) for source, said in own["columns"].items())
    feed = Feed(
        family=own["family"],
        columns=columns,
        format=merged.get("format", "csv"),
        encoding=merged.get("encoding", "utf-8"),
        delimiter=merged.get("delimiter", ","),
        sheet=_sheet(merged),
        manifest_required=merged.get("manifest", "optional") == "required",
        ignore=frozenset(own.get("ignore", [])),
        constants=constants,
        due=own.get("due"),
    )
    _check_feed(feed, own["pattern"])
    return feed


def _sheet(said: Mapping[str, Any]) -> SheetForm:
    row = said.get("header_row")
    return SheetForm(
        name=said.get("sheet"),
        header_row=None if row is None else int(row),
        header_rows=int(said.get("header_rows", 1)),
        total_row=said.get("total_row"),
    )


def _column(source: str, said: str | Mapping[str, Any], reading: Mapping[str, Any]) -> ColumnMap:
    own: Mapping[str, Any] = {"to": said} if isinstance(said, str) else said
    typed = reading.get("format") in _TYPED_FORMATS
    form = Form(
        unit=own.get("unit", reading.get("amount_unit", "yuan")),
        thousands=True,
        date_formats=_formats("date_formats", own, reading, CANONICAL_FORM.date_formats, _TYPED_DATES * typed),
        month_formats=_formats("month_formats", own, reading, CANONICAL_FORM.month_formats, _TYPED_MONTHS * typed),
        strict=False,
    )
    return ColumnMap(source, own["to"], form, own.get("values"))


def _formats(
    key: str, own: Mapping[str, Any], reading: Mapping[str, Any], default: tuple[str, ...], more: tuple[str, ...]
) -> tuple[str, ...]:
    """The feed's own formats first, then those in which the reader spells a typed value."""
    said = tuple(own.get(key, reading.get(key, default)))
    return _extended(said, more)


def _extended(said: tuple[str, ...], more: tuple[str, ...]) -> tuple[str, ...]:
    return said + tuple(form for form in more if form not in said)


def _with_typed_forms(form: Form) -> Form:
    return replace(
        form,
        date_formats=_extended(form.date_formats, _TYPED_DATES),
        month_formats=_extended(form.month_formats, _TYPED_MONTHS),
    )


def _check_feed(feed: Feed, pattern: str) -> None:
    targets = Counter([column.to for column in feed.columns] + list(feed.constants))
    unknown = [name for name in targets if name not in FAMILIES[feed.family].allowed_names]
    twice = [name for name, count in targets.items() if count > 1]
    both = [column.source for column in feed.columns if column.source in feed.ignore]
    if feed.sheet != SheetForm() and feed.format != "xlsx":
        raise FileRejected("E-FILE-PROFILE", f"feed {pattern}: sheet, header and total rows are of format xlsx only")
    for what, names in (
        ("unknown canonical column", unknown),
        ("filled twice", twice),
        ("mapped and ignored", both),
        ("not of the feed's schema_version", _foreign(feed, targets)),
    ):
        if names:
            raise FileRejected("E-FILE-PROFILE", f"feed {pattern}: {what}: {', '.join(names)}")


def _foreign(feed: Feed, targets: Iterable[str]) -> list[str]:
    """Columns that the version which the feed fixes does not have; the version itself when there is no such."""
    family, said = FAMILIES[feed.family], feed.constants.get("schema_version")
    if said is None:
        return []
    if said not in map(str, family.numbers):
        return [said]
    own = family.version(int(said)).names
    return [name for name in targets if name not in own and name in {column.name for column in family.columns}]


def _canonical_feed(family: str) -> Feed:
    return Feed(family, tuple(ColumnMap(name, name) for name in FAMILIES[family].allowed_names))


def _names(names: list[str]) -> str:
    """Column names for a message. Where one holds an identity number all of them are a row of data: none is shown."""
    if any(mask_in_text(name) != name for name in names):
        return "首行是数据，不是列名 / the first line holds data, not column names"
    return ", ".join(name[:80] or "(empty name)" for name in names[:30])
