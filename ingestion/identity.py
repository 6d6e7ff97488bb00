"""Identity numbers: check digits of GB 11643 and GB 32100, pseudonyms, masking."""

from __future__ import annotations

import hashlib
import hmac
import re
from dataclasses import dataclass
from datetime import date

_CERTIFICATE = re.compile(r"[1-9][0-9]{5}[12][0-9]{10}[0-9X]")
_CERTIFICATE_WEIGHTS = tuple(pow(2, 17 - place, 11) for place in range(17))
_CERTIFICATE_CHECK = "10X98765432"
_CREDIT_CODE_ALPHABET = "0123456789ABCDEFGHJKLMNPQRTUWXY"
_CREDIT_CODE = re.compile(f"[{_CREDIT_CODE_ALPHABET}]{{18}}")
_CREDIT_CODE_WEIGHTS = tuple(pow(3, place, 31) for place in range(17))

# What looks like an identity number inside any text: region, birth date, serial, check character.
# Without look-around, so that the same text serves polars (Rust) and Python.
CERTIFICATE_IN_TEXT = (
    r"(^|[^0-9])([1-9][0-9]{2})[0-9]{3}(?:18|19|20)[0-9]{2}(?:0[1-9]|1[0-2])(?:0[1-9]|[12][0-9]|3[01])"
    r"([0-9]{3}[0-9Xx])($|[^0-9])"
)
MASKED_IN_TEXT = "${1}${2}***********${3}${4}"
MASK_ROUNDS = 2  # a match takes the characters around it: of two numbers with one between them, the second is missed
_IN_TEXT = re.compile(CERTIFICATE_IN_TEXT)
IS_MASKED = (
    r"[1-9][0-9]{2}\*{11}[0-9]{3}[0-9Xx]|^.{3}\*{11}.{4}$|^\*{3}$"  # anywhere in a text, or a certificate hidden whole
)


@dataclass(frozen=True)
class Certificate:
    """What a valid resident identity number tells."""

    number: str
    birth_date: date
    sex: str


def read_certificate(text: str) -> Certificate | None:
    """GB 11643: 18 characters, an existing birth date, the check digit of ISO 7064 MOD 11-2; else None."""
    number = text.upper()
    if not _CERTIFICATE.fullmatch(number):
        return None
    total = sum(int(digit) * weight for digit, weight in zip(number, _CERTIFICATE_WEIGHTS, strict=False))
    if number[17] != _CERTIFICATE_CHECK[total % 11]:
        return None
    try:
        born = date.fromisoformat(f"{number[6:10]}-{number[10:12]}-{number[12:14]}")
    except ValueError:
        return None
    return Certificate(number, born, "M" if int(number[16]) % 2 else "F")


def is_credit_code(text: str) -> bool:
    """GB 32100: 18 characters of its alphabet, the last one a check character modulo 31."""
    if not _CREDIT_CODE.fullmatch(text):
        return False
    values = [_CREDIT_CODE_ALPHABET.index(character) for character in text]
    total = sum(value * weight for value, weight in zip(values, _CREDIT_CODE_WEIGHTS, strict=False))
    return values[17] == (31 - total % 31) % 31


def pseudonym(number: str, key: str) -> str:
    """HMAC-SHA256 of an identity number under the key, in hex."""
    return hmac.new(key.encode(), number.encode(), hashlib.sha256).hexdigest()


def key_id(key: str) -> str:
    """Names a key without giving it away."""
    return hashlib.sha256(b"pseudonym key" + key.encode()).hexdigest()[:12]


def mask_in_text(text: str) -> str:
    """Mask everything in a text that looks like an identity number."""
    for _ in range(MASK_ROUNDS):
        text = _IN_TEXT.sub(r"\g<1>\g<2>***********\g<3>\g<4>", text)
    return text
