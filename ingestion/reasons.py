"""What the sender of a refused row is told: each reason with the values it is about, under the source's own names."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping

from ingestion.errors import CODES, message
from ingestion.profiles import Feed

VALUE_LENGTH_MAX = 60
_BETWEEN = ", "
_UNBROKEN = ",\N{SYMBOL FOR SPACE}"  # inside a value, so that values can be told from each other
# Codes whose columns the reader names, as they stand in the file; all others name canonical columns.
_OF_SOURCE = ("E-SCHEMA-CELL-", "E-SCHEMA-FIELDS", "E-VALUE-MASKED")
# What the checks against the log are about. They know canonical columns only.
_OF_LOG = {
    "E-CONFLICT": ("source_event_key",),
    "E-REF-ORIGINAL": ("original_event_key",),
    "E-REF-TYPE": ("original_event_key",),
    "E-REF-AMOUNT": ("original_event_key",),
    "E-REF-FUND": ("original_event_key",),
    "E-REF-PERSON": ("person_no",),
    "E-REF-POLICY": ("contribution_month",),
    "E-VALUE-MERGER-TWICE": ("event_type",),
}


def told(reasons: Iterable[tuple[str, tuple[str, ...]]], raw: str, feed: Feed, where: str) -> list[str]:
    """One message a reason (code, columns): place, code, both sentences, and the columns with what they held.

    `raw` is the row as it is kept, see `mapping.raw_texts`: ignored columns are not in it, identity numbers are masked.
    """
    values: Mapping[str, str | None] = json.loads(raw)
    return [message(code, _detail(code, columns, values, feed), where) for code, columns in reasons]


def of_log(code: str, value: str) -> str:
    """The detail of a message of the checks against the log: the canonical column they are about, and its value."""
    return f"{_OF_LOG[code][0]}={one_line(value)}" if value else ""


def one_line(text: str) -> str:
    """A value as it can be shown: on one line, invisible characters escaped, at most 60 characters."""
    shown = "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text[:VALUE_LENGTH_MAX])
    shown = shown.replace(_BETWEEN, _UNBROKEN)
    is_long = len(text) > VALUE_LENGTH_MAX or len(shown) > VALUE_LENGTH_MAX
    return f"{shown[: VALUE_LENGTH_MAX - 1]}…" if is_long else shown


def names(detail: str) -> list[str]:
    """The columns that a message's detail names, without their values."""
    return [part.partition("=")[0] for part in detail.split(_BETWEEN) if part]


def parts(code: str, text: str) -> tuple[str, str, str]:
    """(Chinese, English, detail) of a message; one that this table did not write is Chinese and English in one."""
    entry = CODES.get(code)
    head, tail = (f"{code} {entry.zh}", f"/ {entry.en}") if entry else ("", "")
    start = text.find(head)
    if entry is None or start < 0 or not text.endswith(tail):
        return text, text, ""
    detail = text[start + len(head) : len(text) - len(tail)].strip().removeprefix("[").removesuffix("]")
    return entry.zh, entry.en, detail


def columns(code: str, text: str, feed: Feed) -> frozenset[str]:
    """Source columns that a message is about."""
    sources = {column.to: column.source for column in feed.columns}
    if code in _OF_LOG:
        return frozenset(sources[name] for name in _OF_LOG[code] if name in sources)
    known = {column.source for column in feed.columns}
    named = names(parts(code, text)[2])
    return frozenset(name if name in known else sources[name] for name in named if name in known or name in sources)


def _detail(code: str, about: Iterable[str], values: Mapping[str, str | None], feed: Feed) -> str:
    sources = {} if code.startswith(_OF_SOURCE) else {column.to: column.source for column in feed.columns}
    return _BETWEEN.join(
        _shown(sources.get(name, name), values.get(sources.get(name, name), feed.constants.get(name))) for name in about
    )


def _shown(name: str, value: str | None) -> str:
    return name if value is None else f"{name}={one_line(value)}"
