"""Identity numbers that stand where they do not belong: finding them in a text, and masking them.

Masking is generous: it hides whatever looks like an identity number, also misspelt. Finding is strict, because it
refuses a row: a valid number of somebody who was at least `AGE_MIN` years old.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date

import polars as pl

from ingestion.identity import half_width, read_certificate

AGE_MIN = 15  # business numbers made of region, date and serial have the same form; nobody was born on their dates
HIDDEN = "***"
IS_MASKED = r"\*{11}|^\*{3}$"  # of a text that was masked here, in any of the ways below
_LONGEST = 60  # characters that a number may take up, with what separates its digits

# Patterns without look-around, so that the same text serves polars (Rust) and Python.
_GAP = "[ \u00a0\u00ad\u200b\u3000\ufeff‐-―−－-]{0,2}"
_DIGIT = "[0-9０-９]"
_ANY = _DIGIT + _GAP
_MONTH = f"(?:[0０]{_GAP}[1-9１-９]|[1１]{_GAP}[0-2０-２]){_GAP}"
_DAY = f"(?:[0０]{_GAP}[1-9１-９]|[12１２]{_GAP}{_DIGIT}|[3３]{_GAP}[01０１]){_GAP}"
_YEAR = f"(?:[1１]{_GAP}[89８９]|[2２]{_GAP}[0０]){_GAP}{_ANY}{_ANY}"
_HEAD = f"[1-9１-９]{_GAP}{_ANY}{_DIGIT}"
_LAST = "[0-9０-９XxＸｘ]"
_TAIL = f"{_ANY}{_DIGIT}{_GAP}{_LAST}"
# Eighteen characters, or one digit too few or too many in the place or the sequence; next to other digits as well.
_NUMBER = f"({_HEAD}){_GAP}(?:{_ANY}){{2,4}}{_YEAR}{_MONTH}{_DAY}({_TAIL}(?:{_GAP}{_LAST})?)"
# The fifteen digits of before 1999, where no other digit stands beside them.
_OLD = (
    f"(^|[^0-9０-９])([1-9１-９]{_DIGIT}{{2}}){_DIGIT}{{5}}{_MONTH.replace(_GAP, '')}{_DAY.replace(_GAP, '')}"
    f"({_DIGIT}{{3}})($|[^0-9０-９XxＸｘ])"
)
_EITHER = f"{_NUMBER}|{_OLD}"
_SUBSTITUTES = ((_NUMBER, r"${1}***********${2}"), *[(_OLD, r"${1}${2}***********${3}${4}")] * 2)
_IN_PYTHON = tuple((re.compile(form), re.sub(r"\$\{(.)\}", r"\\g<\1>", mask)) for form, mask in _SUBSTITUTES)
_EITHER_IN_PYTHON = re.compile(_EITHER)

_BETWEEN = re.compile(f"(?<=[0-9]){_GAP.removesuffix('{0,2}')}{{1,2}}(?=[0-9Xx])")
_RUN = re.compile("[0-9]{17,}[Xx]?")
_PLACE = "(?:1[1-5]|2[1-3]|3[1-7]|4[1-6]|5[0-4]|6[1-5]|71|8[1-3])"
_ISSUED = re.compile(f"(?:{_PLACE}|9{_PLACE})[0-9]")


def mask_in_text(text: str) -> str:
    """Mask everything in a text that looks like an identity number: first three and last four characters stay."""
    if _EITHER_IN_PYTHON.search(text):
        for pattern, mask in _IN_PYTHON:  # an old number takes the characters around it: twice, for neighbours
            text = pattern.sub(mask, text)
    return text


def mask_cut(text: str, length: int) -> str:
    """The beginning of a text, masked; a number that the cut would have halved is masked as well."""
    return mask_in_text(text[: length + _LONGEST])[:length]


def mask_series(texts: pl.Series) -> pl.Series:
    """`mask_in_text` of a whole column."""
    found = texts.str.contains(_EITHER)
    if not found.any():
        return texts
    masked = texts.filter(found)
    for pattern, mask in _SUBSTITUTES:
        masked = masked.str.replace_all(pattern, mask)
    return texts.clone().scatter(found.arg_true(), masked)


def mask_field(text: pl.Expr) -> pl.Expr:
    """All of a field that should hold an identity number, whatever it holds: `110***********002X`, else `***`."""
    formed = text.str.contains(r"^[0-9０-９]{14,18}[0-9０-９XxＸｘ]$")
    shown = pl.concat_str(text.str.slice(0, 3), pl.lit("***********"), text.str.slice(-4))
    return pl.when(text.is_not_null()).then(pl.when(formed).then(shown).otherwise(pl.lit(HIDDEN)))


def mask_found(text: str, day: date) -> str:
    """The text itself, or masked when it holds somebody's identity number (`holds_number`)."""
    if not holds_number(text, day):
        return text
    masked = mask_in_text(text)
    return HIDDEN if holds_number(masked, day) else masked


def holds_number(text: str, day: date) -> bool:
    """Whether a valid identity number of somebody of `AGE_MIN` years or more on that day stands in the text.

    It may stand beside letters, at either end of a longer number, in full-width digits, or in groups.
    """
    return any(_is_number(candidate, day) for candidate in _candidates(half_width(text)))


def _candidates(text: str) -> Iterator[str]:
    for written in (text, _BETWEEN.sub("", text)):
        for run in _RUN.finditer(written):
            yield run[0][:18]
            yield run[0][-18:]


def _is_number(text: str, day: date) -> bool:
    certificate = read_certificate(text) if _ISSUED.match(text) else None
    if certificate is None:
        return False
    born = certificate.birth_date
    return (born.year + AGE_MIN, born.month, born.day) <= (day.year, day.month, day.day)


def suspects(texts: pl.Series, today: date) -> pl.Series:
    """Places in a column of what `holds_number` could be true of: few of a business column, so that it stays cheap."""
    places = (texts.str.len_bytes() >= 18).arg_true()
    return places if places.is_empty() else places.filter(texts.gather(places).str.contains(_suspect(today.year)))


def _suspect(year: int) -> str:
    """The form of a number whose birth year is `AGE_MIN` years past."""
    born = year - AGE_MIN
    assert 2000 <= born < 2100, year
    decade, last = born // 10 % 10, born % 10
    earlier = f"{_up_to(decade - 1)}{_GAP}{_DIGIT}|" if decade else ""
    this_century = f"[2２]{_GAP}[0０]{_GAP}(?:{earlier}{_up_to(decade, decade)}{_GAP}{_up_to(last)})"
    years = f"[1１]{_GAP}[89８９]{_GAP}{_ANY}{_DIGIT}|{this_century}"
    return f"[1-9１-９]{_GAP}(?:{_ANY}){{5}}(?:{years}){_GAP}{_MONTH}{_DAY}{_ANY}{_TAIL}"


def _up_to(last: int, first: int = 0) -> str:
    """Digits from `first` to `last`, of either width."""
    return f"[{first}-{last}{chr(0xFF10 + first)}-{chr(0xFF10 + last)}]"
