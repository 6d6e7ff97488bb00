"""From canonical texts to typed columns and, for each row that fails, all the reasons why."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import date

import polars as pl

from ingestion import personal, typed
from ingestion.contracts import family_rules
from ingestion.contracts.columns import FIRST_VERSION, SHARED, Column, Family, Kind, Required, Rule, When
from ingestion.identity import certificate_columns, is_credit_code
from ingestion.profiles import Feed
from ingestion.rotation import Keyring
from ingestion.seeds import Seeds
from ingestion.typed import CANONICAL_FORM, Form

_TYPE_CODES = {
    Kind.TEXT: "E-TYPE-TEXT",
    Kind.LIST: "E-VALUE-LIST",
    Kind.AMOUNT: "E-TYPE-AMOUNT",
    Kind.DATE: "E-TYPE-DATE",
    Kind.MONTH: "E-TYPE-MONTH",
    Kind.INTEGER: "E-TYPE-INTEGER",
    Kind.REGION: "E-VALUE-REGION",
    Kind.CERTIFICATE: "E-VALUE-CERTIFICATE",
    Kind.CREDIT_CODE: "E-VALUE-CREDIT-CODE",
}
_CODE_KINDS = (Kind.TEXT, Kind.CERTIFICATE, Kind.CREDIT_CODE)
_LOST_DIGITS = r"\A[0-9](?:\.[0-9]+)?[Ee]\+[0-9]{2,3}\z"  # how Excel writes a long number: six digits of it


@dataclass(frozen=True)
class Rulebook:
    """Everything a family's rows are measured by on one day."""

    family: Family
    seeds: Seeds
    today: date
    keys: Keyring


@dataclass(frozen=True)
class Examined:
    """`frame`: typed canonical columns (amounts in cents), a row a source row; `reasons`: row -> (code, columns)."""

    frame: pl.DataFrame
    reasons: dict[int, list[tuple[str, tuple[str, ...]]]]


def examine(texts: pl.DataFrame, feed: Feed, book: Rulebook) -> Examined:
    """Type and check rows given as `<name>|text`, `<name>|given` (and `<name>|unmapped`)."""
    forms = {column.to: column.form for column in feed.columns}
    columns = (*SHARED, *book.family.columns)
    frame = texts.with_columns(_certificates(texts, book)) if _has_certificates(book.family) else texts
    frame = frame.with_columns(_typed(column, forms.get(column.name, CANONICAL_FORM), book) for column in columns)
    faults = [*_column_faults(book.family, frame.columns), *_signs(columns)]
    flags = frame.select(fault.broken.fill_null(value=False).alias(str(n)) for n, fault in enumerate(faults))
    # A negative number is reported as such and then treated as unreadable, so that it spoils no sum.
    frame = frame.with_columns(pl.when(pl.col(c.name) >= 0).then(pl.col(c.name)) for c in columns if _is_number(c))
    frame = frame.with_columns(_merger(book.seeds))
    frame = frame.with_columns(personal.findings(frame, columns, book.today))
    rules = [*personal.rules(columns, frame.columns), *_shared_rules(book), *_version_rules(book.family)]
    rules += [*_required(book.family), *family_rules(book.family, book.seeds)]
    offset = len(faults)
    more = frame.select(rule.broken.fill_null(value=False).alias(str(offset + n)) for n, rule in enumerate(rules))
    return Examined(personal.masked_key(frame), _reasons(flags.hstack(more), [*faults, *rules]))


def _typed(column: Column, form: Form, book: Rulebook) -> pl.Expr:
    text = pl.col(f"{column.name}|text")
    readings: dict[Kind, Callable[[], pl.Expr]] = {
        Kind.TEXT: lambda: typed.storable(text),
        Kind.LIST: lambda: pl.when(text.is_in(column.values)).then(text),
        Kind.AMOUNT: lambda: typed.cents(text, form),
        Kind.DATE: lambda: typed.dates(text, form),
        Kind.MONTH: lambda: typed.months(text, form),
        Kind.INTEGER: lambda: typed.integers(text),
        Kind.REGION: lambda: pl.when(text.is_in(list(book.seeds.merger_dates))).then(text),
        Kind.CERTIFICATE: lambda: pl.col(f"{column.name}|pseudonym"),
        Kind.CREDIT_CODE: lambda: pl.when(text.map_batches(_credit_codes, return_dtype=pl.Boolean)).then(text),
    }
    return readings[column.kind]().alias(column.name)


def _credit_codes(series: pl.Series) -> pl.Series:
    verdict = {text: is_credit_code(text) for text in series.unique() if text is not None}
    return pl.Series([verdict.get(text, False) for text in series], dtype=pl.Boolean)


def _has_certificates(family: Family) -> bool:
    return any(column.kind is Kind.CERTIFICATE for column in family.columns)


def _certificates(texts: pl.DataFrame, book: Rulebook) -> list[pl.Series]:
    """Pseudonyms, birth date and sex of each identity number; null for what is none."""
    read = certificate_columns(texts["certificate_no|text"], book.today)
    retired = [book.keys.retired_pseudonyms(read["number"]).alias("retired_pseudonyms")] if book.keys.retired else []
    return [
        *retired,
        book.keys.pseudonyms(read["number"]).alias("certificate_no|pseudonym"),
        book.keys.key_ids(read["number"]).alias("pseudonym_key_id"),
        read["birth_date"].alias("certificate_no|birth_date"),
        read["sex"].alias("certificate_no|sex"),
    ]


def _is_number(column: Column) -> bool:
    return column.kind in (Kind.AMOUNT, Kind.INTEGER) and column.name != "schema_version"


def _column_faults(family: Family, present: list[str]) -> Iterator[Rule]:
    for column in (*SHARED, *family.columns):
        name = column.name
        unreadable = pl.col(f"{name}|text").is_not_null() & pl.col(name).is_null()
        if name == "schema_version":
            unreadable = pl.col(f"{name}|given") & ~pl.col(name).is_in(family.numbers).fill_null(value=False)
            yield Rule("E-SCHEMA-VERSION", (name,), unreadable)
        else:
            yield Rule(_TYPE_CODES[column.kind], (name,), unreadable)
        if column.kind in _CODE_KINDS and not column.is_free:
            yield Rule("E-SCHEMA-CELL-DIGITS", (name,), pl.col(f"{name}|text").str.contains(_LOST_DIGITS))
        if f"{name}|unmapped" in present:
            yield Rule("E-VALUE-MAP", (name,), pl.col(f"{name}|unmapped"))


def _signs(columns: Iterable[Column]) -> Iterator[Rule]:
    for column in columns:
        if _is_number(column):
            yield Rule("E-VALUE-NEGATIVE", (column.name,), pl.col(column.name) < 0)


def _merger(seeds: Seeds) -> list[pl.Expr]:
    first_days = {region: day.replace(day=1) for region, day in seeds.merger_dates.items()}
    region = pl.col("region_code")
    return [
        region.replace_strict(seeds.merger_dates, default=None, return_dtype=pl.Date).alias("merger_date"),
        region.replace_strict(first_days, default=None, return_dtype=pl.Date).alias("merger_month"),
    ]


def _shared_rules(book: Rulebook) -> Iterator[Rule]:
    foreign = pl.col("event_type|text").is_not_null() & ~pl.col("event_type").is_in(book.family.event_types)
    yield Rule("E-SCHEMA-EVENT-TYPE", ("event_type",), foreign)
    yield Rule("E-PERIOD-FUTURE", ("occurred_on",), pl.col("occurred_on") > book.today)
    for column in SHARED:
        if column.name != "schema_version":
            yield Rule("E-SCHEMA-REQUIRED", (column.name,), ~pl.col(f"{column.name}|given"))


def _version_rules(family: Family) -> Iterator[Rule]:
    """A row fills no column that its version does not have."""
    for column in family.columns:
        without = [version.number for version in family.versions if column.name not in version.names]
        if without:
            yield Rule("E-SCHEMA-VERSION-COLUMN", (column.name,), _is_of(without) & pl.col(f"{column.name}|given"))


def _required(family: Family) -> Iterator[Rule]:
    """What every version requires is required of all rows, the rest of the rows of its versions."""
    for entry in dict.fromkeys(entry for version in family.versions for entry in version.required):
        numbers = [version.number for version in family.versions if entry in version.required]
        applies = _applies(entry) if len(numbers) == len(family.versions) else _applies(entry) & _is_of(numbers)
        yield Rule("E-SCHEMA-REQUIRED", (entry.column,), applies & ~pl.col(f"{entry.column}|given"))


def _is_of(numbers: list[int]) -> pl.Expr:
    """Rows of these versions; one that names none is of the first, one whose version is unreadable of none."""
    said = pl.when(pl.col("schema_version|given")).then(pl.col("schema_version")).otherwise(FIRST_VERSION)
    return said.is_in(numbers).fill_null(value=False)


def _applies(entry: Required) -> pl.Expr:
    applies = pl.col("event_type").is_in(entry.event_types)
    for condition in entry.when:
        applies = applies & _holds(condition)
    return applies


def _holds(condition: When) -> pl.Expr:
    text = pl.col(f"{condition.column}|text")
    holds = text.is_in([value for value in condition.values if value is not None])
    return holds | ~pl.col(f"{condition.column}|given") if None in condition.values else holds


def _reasons(flags: pl.DataFrame, rules: list[Rule]) -> dict[int, list[tuple[str, tuple[str, ...]]]]:
    """Failing rows with their codes in the order of the rules; columns of the same code together."""
    failing = flags.with_row_index("row").filter(pl.any_horizontal(pl.all().exclude("row")))
    found: dict[int, list[tuple[str, tuple[str, ...]]]] = {}
    for row, *broken in failing.iter_rows():
        columns: dict[str, list[str]] = {}
        for rule, is_broken in zip(rules, broken, strict=True):
            if is_broken:
                columns.setdefault(rule.code, []).extend(rule.columns)
        found[row] = [(code, tuple(dict.fromkeys(names))) for code, names in columns.items()]
    return found
