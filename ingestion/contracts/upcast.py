"""One version of an event read as another: what a column is called there, and how the log is shown in the newest one.

The rules are the contracts' own: what a version has renamed (`Version.renamed`); what it has added is empty in older
events. From them follow the view `events.event_current`, which shows every event in the newest version of its family,
and what a row of one version says in another, by which re-sent rows are compared.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise

from ingestion.contracts import FAMILIES
from ingestion.contracts.columns import Family, Version

VIEW = "events.event_current"


def restated(family: Family, said: int, wanted: int) -> Mapping[str, str]:
    """Stored column in version `wanted` -> stored column in version `said` that holds the same, where there is one."""
    first, last = sorted((said, wanted))
    span = [version for version in family.versions if first <= version.number <= last]
    names = {column.stored: column.stored for column in span[-1].columns}
    for newer, older in pairwise(reversed(span)):
        step = _step(older, newer)
        names = {name: step[before] for name, before in names.items() if before in step}
    return names if wanted >= said else {before: name for name, before in names.items()}


def unsaid(family: Family, said: int, wanted: int) -> list[str]:
    """Stored columns of version `said` that version `wanted` has no place for: only empty ones can be restated."""
    kept = set(restated(family, said, wanted).values())
    return [column.stored for column in family.version(said).columns if column.stored not in kept]


def varying(family: Family) -> list[str]:
    """Stored columns that not every version of the family has."""
    return [c.stored for c in family.columns if any(c.name not in version.names for version in family.versions)]


def view_query(stored: Sequence[str]) -> str:
    """The query of the view, over the columns of `events.event` in their order."""
    former = _former_names()
    given_up = {old for names in former.values() for old in names}
    shown = [
        f"coalesce({', '.join(f'e.{name}' for name in (column, *former[column]))}) AS {column}"
        if column in former
        else f"e.{column}"
        for column in stored
        if column not in given_up
    ]
    return "SELECT\n    " + ",\n    ".join(shown) + "\nFROM events.event AS e"


def _former_names() -> dict[str, list[str]]:
    """Stored column of a newest version -> its names in older ones, newest first."""
    former: dict[str, list[str]] = {}
    for family in FAMILIES.values():
        for version in reversed(family.versions[:-1]):
            for new, old in restated(family, version.number, family.newest.number).items():
                if new != old and old not in former.setdefault(new, []):
                    former[new].append(old)
    _check_given_up({old for names in former.values() for old in names})
    return former


def _check_given_up(names: set[str]) -> None:
    """A name given up by one family must not be another's, nor used anew: the view could not tell them apart."""
    for family in FAMILIES.values():
        again = names & {column.stored for column in family.newest.columns}
        assert not again, f"renamed elsewhere, yet a column of {family.name}: {', '.join(sorted(again))}"


def _step(older: Version, newer: Version) -> dict[str, str]:
    """Stored column of a version -> of the one before; columns that it added are left out."""
    before = {column.name: column.stored for column in older.columns}
    former = {column.stored: newer.renamed.get(column.name, column.name) for column in newer.columns}
    return {stored: before[name] for stored, name in former.items() if name in before}
