"""Identity numbers: check digits of GB 11643 and GB 32100, and the pseudonyms that replace them."""

from __future__ import annotations

import hashlib
import hmac
import re
from dataclasses import dataclass
from datetime import date

import polars as pl

# Place, birth date, three digits in sequence, check character. The same form serves citizens, residents from Hong Kong,
# Macau and Taiwan (place 81, 82, 83) and foreigners with permanent residence (9, cards issued since December 2023).
_FORM = r"[1-9][0-9]{5}(?:18|19|20)[0-9]{9}[0-9X]"
_CERTIFICATE = re.compile(_FORM)
_CERTIFICATE_WEIGHTS = tuple(pow(2, 17 - place, 11) for place in range(17))
_CREDIT_CODE_ALPHABET = "0123456789ABCDEFGHJKLMNPQRTUWXY"
_CREDIT_CODE = re.compile(f"[{_CREDIT_CODE_ALPHABET}]{{18}}")
_CREDIT_CODE_WEIGHTS = tuple(pow(3, place, 31) for place in range(17))
_FULL_WIDTH = {chr(ord(plain) + 0xFEE0): plain for plain in "0123456789Xx"}
_TO_HALF_WIDTH = str.maketrans(_FULL_WIDTH)


@dataclass(frozen=True)
class Certificate:
    """What a valid identity number tells."""

    number: str
    birth_date: date
    sex: str


def half_width(text: str) -> str:
    """Full-width digits and X as plain ones: `１１０Ｘ` is `110X`."""
    return text if text.isascii() else text.translate(_TO_HALF_WIDTH)


def read_certificate(text: str, today: date | None = None) -> Certificate | None:
    """GB 11643: 18 characters, an existing birth date (not after `today`), ISO 7064 MOD 11-2; else None."""
    number = half_width(text).upper()
    if not _CERTIFICATE.fullmatch(number):
        return None
    total = sum(int(digit) * weight for digit, weight in zip(number, _CERTIFICATE_WEIGHTS, strict=False))
    if (total + (10 if number[17] == "X" else int(number[17]))) % 11 != 1:
        return None
    try:
        born = date.fromisoformat(f"{number[6:10]}-{number[10:12]}-{number[12:14]}")
    except ValueError:
        return None
    if today is not None and born > today:
        return None
    return Certificate(number, born, "M" if int(number[16]) % 2 else "F")


def certificate_columns(texts: pl.Series, today: date) -> pl.DataFrame:
    """`read_certificate` of a whole column: `number`, `birth_date`, `sex`, all null where the text is none."""
    text = texts.alias("text").to_frame().select(_half_width(pl.col("text")).str.to_uppercase().alias("number"))
    number = pl.col("number")
    formed = text.select(pl.when(number.str.contains(f"^{_FORM}$")).then(number).alias("number"))
    body = number.str.slice(0, 17).cast(pl.Int64)
    digits = [body // 10 ** (16 - place) % 10 for place in range(17)]
    total = pl.sum_horizontal(d * weight for d, weight in zip(digits, _CERTIFICATE_WEIGHTS, strict=True))
    last = number.str.slice(17, 1).replace("X", "10").cast(pl.Int64)
    born = number.str.slice(6, 8).str.to_date("%Y%m%d", strict=False)
    read = formed.select(
        "number",
        born.alias("birth_date"),
        pl.when(digits[16] % 2 == 1).then(pl.lit("M")).otherwise(pl.lit("F")).alias("sex"),
        ((total + last) % 11 == 1).alias("checked"),
    )
    valid = (pl.col("checked") & (pl.col("birth_date") <= today)).fill_null(value=False)
    return read.select(pl.when(valid).then(pl.col(name)).alias(name) for name in ("number", "birth_date", "sex"))


def _half_width(text: pl.Expr) -> pl.Expr:
    return text.str.replace_many(list(_FULL_WIDTH), list(_FULL_WIDTH.values()))


def is_credit_code(text: str) -> bool:
    """GB 32100: 18 characters of its alphabet, the last one a check character modulo 31.

    Which registers and kinds (the first two characters) exist is not checked: the list grows.
    """
    if not _CREDIT_CODE.fullmatch(text):
        return False
    values = [_CREDIT_CODE_ALPHABET.index(character) for character in text]
    total = sum(value * weight for value, weight in zip(values, _CREDIT_CODE_WEIGHTS, strict=False))
    return values[17] == (31 - total % 31) % 31


def pseudonym(number: str, key: str) -> str:
    """HMAC-SHA256 of an identity number under the key, in hex."""
    return hmac.digest(key.encode(), number.encode(), "sha256").hex()


def key_id(key: str) -> str:
    """Names a key without giving it away."""
    return hashlib.sha256(b"pseudonym key" + key.encode()).hexdigest()[:12]
