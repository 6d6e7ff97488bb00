"""From text to typed polars columns. Amounts are whole cents (Int64), and sums are exact."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

import polars as pl

AMOUNT_DIGITS_MAX = 15  # of cents, so below ten trillion yuan: sums of rows have to fit the books' numeric(18, 2)
_CENTS_MAX = 10**AMOUNT_DIGITS_MAX - 1
TEXT_LENGTH_MAX = 400  # characters; keys are indexed, and an index entry must stay below 2.7 kB
_UNIT_DECIMALS = {"yuan": 2, "fen": 0, "wan": 6}
EXCEL = "excel"  # among date formats: the number of the day as Excel counts
DAY_NUMBER = r"\A[1-9][0-9]{4}\z"  # 1927 to 2173; any other number of digits is no day of ours or a date in digits
_DAY_ZERO = date(1899, 12, 30)
_MONTH_MARK = "|%d"
_FIRST_DAY, _LAST_DAY = date(1800, 1, 1), date(9999, 12, 31)


@dataclass(frozen=True)
class Form:
    """How a source writes its values. The default is the canonical form."""

    unit: str = "yuan"
    thousands: bool = False
    date_formats: tuple[str, ...] = ("%Y-%m-%d",)
    month_formats: tuple[str, ...] = ("%Y-%m",)
    strict: bool = True  # dates and months zero-padded


CANONICAL_FORM = Form()


def decimals_of(form: Form) -> int:
    """How many decimals of the unit make cents."""
    return _UNIT_DECIMALS[form.unit]


def cents(text: pl.Expr, form: Form) -> pl.Expr:
    """Whole cents, null where the text is no amount of the unit, or one of ten trillion yuan and more."""
    decimals = decimals_of(form)
    plain = _without_thousands(text) if form.thousands else text
    fraction = rf"(?:\.[0-9]{{1,{decimals}}})?" if decimals else r"(?:\.0{1,2})?"
    valid = plain.str.contains(rf"^-?[0-9]+{fraction}$")
    # What has more digits than a decimal can hold becomes null; that many decimals of the unit make cents.
    exact = plain.cast(pl.Decimal(38, decimals), strict=False).to_physical()
    return pl.when(valid & exact.is_between(-_CENTS_MAX, _CENTS_MAX)).then(exact).cast(pl.Int64)


def _without_thousands(text: pl.Expr) -> pl.Expr:
    """1,234,567.89 and １，２３４-style separators (half and full width) in groups of three."""
    grouped = text.str.contains(r"^-?[0-9]{1,3}(?:[,，][0-9]{3})+(?:\.[0-9]+)?$")
    return pl.when(grouped).then(text.str.replace_all("[,，]", "")).otherwise(text)


def dates(text: pl.Expr, form: Form) -> pl.Expr:
    """Dates, null where the text is none."""
    plain = pl.when(text.str.contains(r"^[0-9]{4}-[0-9]{2}-[0-9]{2}$")).then(text) if form.strict else text
    return _sane(pl.coalesce(_date(plain, pattern) for pattern in form.date_formats))


def _date(text: pl.Expr, pattern: str) -> pl.Expr:
    if pattern != EXCEL:
        return text.str.to_date(pattern, strict=False)
    days = pl.when(text.str.contains(DAY_NUMBER)).then(text).cast(pl.Int64, strict=False)
    return pl.lit(_DAY_ZERO) + pl.duration(days=days)


def months(text: pl.Expr, form: Form) -> pl.Expr:
    """First days of months, null where the text is none."""
    plain = pl.when(text.str.contains(r"^[0-9]{4}-[0-9]{2}$")).then(text) if form.strict else text
    marked = pl.concat_str(plain, pl.lit("|01"))
    return _sane(pl.coalesce(marked.str.to_date(pattern + _MONTH_MARK, strict=False) for pattern in form.month_formats))


def _sane(value: pl.Expr) -> pl.Expr:
    return pl.when(value.is_between(_FIRST_DAY, _LAST_DAY)).then(value)


def integers(text: pl.Expr) -> pl.Expr:
    """Whole numbers that fit four bytes, null where the text is none."""
    return pl.when(text.str.contains(r"^-?[0-9]{1,9}$")).then(text).cast(pl.Int64, strict=False)


def storable(text: pl.Expr) -> pl.Expr:
    """Text that PostgreSQL can hold and index; null otherwise."""
    return pl.when((text.str.len_chars() <= TEXT_LENGTH_MAX) & ~text.str.contains("\x00", literal=True)).then(text)


def amount_text(value: pl.Expr) -> pl.Expr:
    """Cents as canonical text with two places; `value` is never negative here."""
    cents_part = (value % 100).cast(pl.String).str.pad_start(2, "0")
    return pl.concat_str((value // 100).cast(pl.String), pl.lit("."), cents_part)
