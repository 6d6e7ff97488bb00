"""What a canonical column is, what makes one required, and what a rule over a row is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from functools import cached_property

import polars as pl


class Kind(Enum):
    """How a column's text is read. The value is the name used in the documentation."""

    TEXT = "text"
    LIST = "one of a list"
    AMOUNT = "amount"
    DATE = "date"
    MONTH = "month"
    INTEGER = "whole number"
    REGION = "region"
    CERTIFICATE = "identity number"
    CREDIT_CODE = "credit code"


@dataclass(frozen=True)
class Column:
    """A canonical column. `stored_as` differs from the name only where the clear value is not kept."""

    name: str
    kind: Kind = Kind.TEXT
    values: tuple[str, ...] = ()
    stored_as: str = ""
    is_free: bool = False  # a text of people's own choice, kept as it was written

    @property
    def stored(self) -> str:
        """Column of `events.event`."""
        return self.stored_as or self.name


@dataclass(frozen=True)
class When:
    """A condition on another column of the row; None among `values` means empty."""

    column: str
    values: tuple[str | None, ...]


@dataclass(frozen=True)
class Required:
    """`column` must be filled on these event types when every condition holds."""

    column: str
    event_types: tuple[str, ...]
    when: tuple[When, ...] = ()


@dataclass(frozen=True)
class Rule:
    """A row is at fault when `broken` is true; null counts as not broken. Amounts in `broken` are whole cents."""

    code: str
    columns: tuple[str, ...]
    broken: pl.Expr


@dataclass(frozen=True)
class Version:
    """One published version of a family's event types; what is published never changes.

    `columns`: in the order of the content hash; `renamed`: columns that the version before calls by another name, as
    new name -> old name. A column that is neither in the version before nor renamed was added, and is never required
    of what came before.
    """

    number: int
    columns: tuple[Column, ...]
    required: tuple[Required, ...]
    renamed: Mapping[str, str] = field(default_factory=dict)

    @property
    def names(self) -> frozenset[str]:
        """Names of its columns, without those shared by all families."""
        return frozenset(column.name for column in self.columns)


@dataclass(frozen=True)
class Family:
    """The contract of one family: its event types and their published versions, oldest first."""

    name: str
    event_types: tuple[str, ...]
    versions: tuple[Version, ...]

    @cached_property
    def columns(self) -> tuple[Column, ...]:
        """The columns of all versions, each once."""
        return tuple({column.name: column for version in self.versions for column in version.columns}.values())

    @property
    def numbers(self) -> tuple[int, ...]:
        """The published versions."""
        return tuple(version.number for version in self.versions)

    @property
    def newest(self) -> Version:
        """The version that everything is read in."""
        return self.versions[-1]

    def version(self, number: int) -> Version:
        """A published version; `KeyError` for any other number."""
        return {version.number: version for version in self.versions}[number]

    def column(self, name: str) -> Column:
        """A column of this family or a shared one."""
        return next(column for column in (*SHARED, *self.columns) if column.name == name)

    @property
    def allowed_names(self) -> tuple[str, ...]:
        """Names a canonical file of this family may have in its header, whichever version its rows are of."""
        return tuple(column.name for column in (*SHARED, *self.columns))


def listed(name: str, *values: str) -> Column:
    """A column whose values are a list of codes."""
    return Column(name, Kind.LIST, values)


def amount(name: str) -> Column:
    """A column holding yuan."""
    return Column(name, Kind.AMOUNT)


def zero_if_null(name: str) -> pl.Expr:
    """An amount column in cents, 0 when empty."""
    return pl.col(name).fill_null(0)


FIRST_VERSION = 1  # of a row that says nothing
MANDATORY = ("event_type", "source_event_key", "occurred_on", "region_code")
SHARED = (
    Column("region_code", Kind.REGION),
    Column("event_type"),
    Column("schema_version", Kind.INTEGER),
    Column("source_event_key"),
    Column("occurred_on", Kind.DATE),
)
ORIGINAL = (Column("original_event_key"), Column("original_source_system"))
INSURANCE_TYPE = listed("insurance_type", "310", "510")
ENROLLMENT_CATEGORY = listed("enrollment_category", "employee", "flexible", "retiree")
MATERNITY_MEDICAL = (
    "prenatal",
    "delivery_normal",
    "delivery_assisted",
    "delivery_caesarean",
    "miscarriage",
    "family_planning",
    "maternity_complication",
)
MATERNITY_CASH = ("maternity_allowance", "nutrition_subsidy")
GENERAL_MEDICAL = ("inpatient", "outpatient", "outpatient_chronic", "pharmacy")
BENEFIT_ITEM = listed("benefit_item", *GENERAL_MEDICAL, *MATERNITY_MEDICAL, *MATERNITY_CASH)
