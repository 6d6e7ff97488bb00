"""What the cells of a worksheet hold, as exact text."""

from __future__ import annotations

import re
from datetime import date, datetime, timedelta, timezone
from decimal import ROUND_HALF_UP, Context, Decimal
from functools import lru_cache
from typing import NamedTuple

# Excel keeps and shows 15 significant digits; what a binary fraction has beyond them is noise (0.1 + 0.2).
DIGITS = 15
LOST_FROM = Decimal(10) ** DIGITS
_FIFTEEN = Context(prec=DIGITS, rounding=ROUND_HALF_UP)
_NUMBER_LENGTH_MAX = 330  # the longest a double can be without exponent
_NUMBER = re.compile(r"[+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]{1,3})?")
_ISO = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}(?:[T ][0-9:.,]{1,20}(?:Z|[+-][0-9:]{2,6})?)?")
_BEIJING = timezone(timedelta(hours=8))  # business dates are Beijing dates
_ESCAPED = re.compile(r"_x([0-9A-Fa-f]{4})_")
_SPARE = "\x00"  # stands for what no database can hold; such a text is refused later
_SECONDS_A_DAY = 86_400

_BUILT_IN_DATES = frozenset([*range(14, 23), *range(27, 37), *range(45, 48), *range(50, 59)])
_NOT_LETTERS = re.compile(r'"[^"]*"?|\\.|_.|\*.|\[(?!(?:h+|m+|s+)\])[^\]]*\]', re.IGNORECASE)
_FORMAT_LENGTH_MAX = 255  # Excel's own limit
_DATE_LETTERS = re.compile("[ymdhs]|a{3,4}", re.IGNORECASE)


class Fault(NamedTuple):
    """A cell whose value is not what its author meant: a code, and what the cell shows."""

    code: str
    shown: str


Value = str | Fault


def number(raw: str) -> Value:
    """A number as plain decimal text of at most 15 significant digits; longer whole numbers have lost digits."""
    if raw.isascii() and raw.isdigit() and len(raw) <= DIGITS:
        return raw.lstrip("0") or "0"
    if len(raw) > _NUMBER_LENGTH_MAX or not _NUMBER.fullmatch(raw := raw.strip()):
        return Fault("E-SCHEMA-CELL-ERROR", raw)
    value = Decimal(raw)
    if abs(value) >= LOST_FROM:
        return Fault("E-SCHEMA-CELL-DIGITS", f"{value:f}")
    return plain(_FIFTEEN.plus(value))


def plain(value: Decimal) -> str:
    """Without exponent, without zeros that say nothing."""
    text = f"{value:f}"
    if "." in text:
        text = text.rstrip("0").rstrip(".")
    return "0" if text in ("-0", "") else text


def moment(raw: str, *, since_1904: bool) -> Value:
    """A typed date as ISO text: `YYYY-MM-DD`, with ` HH:MM:SS` when it has a time; a time alone as `HH:MM:SS`."""
    value = number(raw)
    return value if isinstance(value, Fault) else _moment(value, since_1904)


@lru_cache(maxsize=4096)
def _moment(value: str, since_1904: bool) -> str:
    days, seconds = divmod(round(Decimal(value) * _SECONDS_A_DAY), _SECONDS_A_DAY)
    clock = f"{seconds // 3600:02d}:{seconds // 60 % 60:02d}:{seconds % 60:02d}"
    if days == 0 and not since_1904:
        return clock
    day = _day(days, since_1904=since_1904)
    return value if day is None else f"{day.isoformat()} {clock}" if seconds else day.isoformat()


def _day(days: int, *, since_1904: bool) -> date | None:
    """None for what Excel itself shows as no date, its 29 February 1900 among them."""
    if days < 0 or days > 2_958_465 or (days == 60 and not since_1904):
        return None
    first = date(1904, 1, 1) if since_1904 else date(1899, 12, 30) if days > 60 else date(1899, 12, 31)
    try:
        return first + timedelta(days=days)
    except OverflowError:
        return None


def iso_moment(raw: str) -> Value:
    """The same for a cell that holds its date as ISO 8601 text; a moment with a zone becomes one of Beijing."""
    try:
        read = datetime.fromisoformat(raw) if _ISO.fullmatch(raw) else None
        local = read if read is None or read.tzinfo is None else read.astimezone(_BEIJING)
    except (ValueError, OverflowError):
        local = None
    if local is None:
        return Fault("E-SCHEMA-CELL-ERROR", raw)
    midnight = (local.hour, local.minute, local.second, local.microsecond) == (0, 0, 0, 0)
    return local.date().isoformat() if midnight else local.isoformat(" ", "seconds")[:19]


def unescaped(text: str) -> str:
    """Characters that XML can't hold are spelt `_x000D_`."""
    return _ESCAPED.sub(_character, text) if "_x" in text else text


def _character(match: re.Match[str]) -> str:
    code = int(match[1], 16)
    return _SPARE if 0xD800 <= code <= 0xDFFF else chr(code)


def is_date_format(number_format: int, code: str | None) -> bool:
    """Whether a number under this format is shown as a date or time."""
    if code is None:
        return number_format in _BUILT_IN_DATES
    shown = _NOT_LETTERS.sub("", code[:_FORMAT_LENGTH_MAX].partition(";")[0])
    return bool(_DATE_LETTERS.search(shown)) and code.lower() != "general"
