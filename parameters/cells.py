"""A cell as it is written and as it should be: dates and numbers that a spreadsheet has rewritten are told apart."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal, InvalidOperation

from parameters.tables import Column

_DATES = (
    re.compile(r"(\d{4})[-/.](\d{1,2})[-/.](\d{1,2})(?: 0?0:00(?::00)?)?"),
    re.compile(r"(\d{4})年(\d{1,2})月(\d{1,2})日"),
    re.compile(r"(\d{4})(\d{2})(\d{2})"),
)
_SERIAL = re.compile(r"[2-6]\d{4}(?:\.0)?")
_EPOCH = date(1899, 12, 30)  # day 0 of spreadsheets
_PERCENT = re.compile(r"(.+)%")
_THOUSANDS = re.compile(r"-?[0-9]{1,3}(,[0-9]{3})+(\.[0-9]+)?")
_DECIMAL_COMMA = "逗号只作千分位，小数点写“.” / a comma parts thousands only, the decimal mark is a point"
_DIGITS_ONLY = "只写数字和小数点 / digits and a point only"


@dataclass(frozen=True)
class Read:
    """What a cell says in the seeds' own form; `code` names what was wrong with how it was written, if anything."""

    text: str
    code: str = ""
    detail: str = ""

    @property
    def is_mended(self) -> bool:
        """Whether the form alone was wrong, so that `text` says what was meant."""
        return self.code in ("E-PARAM-DATE", "E-PARAM-NUMBER", "E-PARAM-WORD", "E-PARAM-SPACE") and bool(self.text)


def read(column: Column, written: str) -> Read:
    """The cell's text in the form of its column's type; blank stays blank."""
    text = written.strip()
    if not text:
        return Read("")
    found = _read(column, text)
    # Loaded as it stands, "320100 " would be a region that no row of the log has.
    return Read(found.text, "E-PARAM-SPACE", found.text) if text != written and not found.code else found


def _read(column: Column, text: str) -> Read:
    match column.kind:
        case "date":
            return day(text)
        case "boolean":
            return _boolean(text)
        case "integer" | "numeric":
            return _number(column, text)
        case _:
            return _word(column, text)


def of_spreadsheet(column: Column, value: object) -> str:
    """A value of a worksheet's cell as text in the form of a CSV file; fractions keep their own digits."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, datetime):
        return value.date().isoformat()
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, int | float):
        digits = column.scale if column.scale is not None else 10
        return plain(round(Decimal(str(value)), digits)) if column.kind != "text" else plain(Decimal(str(value)))
    return str(value).strip()


def plain(number: Decimal) -> str:
    """A number without exponent and without zeros that say nothing."""
    text = f"{number:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def _word(column: Column, text: str) -> Read:
    """A code, or the words that the headers, drop-downs and guides show for it."""
    if not text or text in column.values:
        return Read(text)
    half = unicodedata.normalize("NFKC", text)
    if half != text and (half in column.values or column.is_region):
        return Read(half, "E-PARAM-WORD", half)
    for code, label in column.values.items():
        if text in {label.zh, label.en, label.zh.partition("，")[0], label.en.partition(",")[0], f"{code} {label.zh}"}:
            return Read(code, "E-PARAM-WORD", code)
    return Read(text)


def day(text: str) -> Read:
    """A day in one of the ways that people and spreadsheets write it."""
    half = unicodedata.normalize("NFKC", text)
    for pattern in _DATES:
        if found := pattern.fullmatch(half):
            try:
                meant = date(*map(int, found.groups()[:3])).isoformat()
            except ValueError:
                break
            return Read(meant) if meant == text else Read(meant, "E-PARAM-DATE", meant)
    if _SERIAL.fullmatch(half):
        meant = (_EPOCH + timedelta(days=int(float(half)))).isoformat()
        return Read(meant, "E-PARAM-DATE", meant)
    return Read("", "E-PARAM-DATE-UNREADABLE")


def _boolean(text: str) -> Read:
    return Read(text.lower()) if text.lower() in ("true", "false") else Read("", "E-PARAM-BOOLEAN")


def _number(column: Column, text: str) -> Read:
    number = _meant(text)
    if isinstance(number, Read):
        return number
    if column.kind == "integer" and number != number.to_integral_value():
        return Read("", "E-PARAM-NUMBER", "应为整数 / a whole number is wanted")
    if column.scale is not None and round(number, column.scale) != number:
        return Read(plain(number), "E-PARAM-SCALE", str(column.scale))
    if re.fullmatch(r"-?[0-9]+(\.[0-9]+)?", text) and not (column.kind == "integer" and "." in text):
        return Read(text)
    written = plain(number)
    return Read(written, "E-PARAM-NUMBER", written)


def _meant(text: str) -> Decimal | Read:
    """The number that a text with signs of a spreadsheet stands for, or what can't be read in it."""
    bare = unicodedata.normalize("NFKC", text).replace("¥", "").replace("−", "-").strip()
    if percent := _PERCENT.fullmatch(bare):
        bare = percent[1].strip()
    if "," in bare and not _THOUSANDS.fullmatch(bare):
        return Read("", "E-PARAM-NUMBER", _DECIMAL_COMMA)
    try:
        number = Decimal(bare.replace(",", ""))
    except InvalidOperation:
        return Read("", "E-PARAM-NUMBER", _DIGITS_ONLY)
    if not number.is_finite():
        return Read("", "E-PARAM-NUMBER", _DIGITS_ONLY)
    return number / 100 if percent else number
