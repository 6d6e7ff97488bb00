"""Invented identifiers with valid check digits: GB 11643 (residents) and GB 32100 (organisations)."""

from __future__ import annotations

from datetime import date

_RESIDENT_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
_RESIDENT_CHECKS = "10X98765432"
_CREDIT_ALPHABET = "0123456789ABCDEFGHJKLMNPQRTUWXY"
_ORGANISATION_WEIGHTS = (3, 7, 9, 10, 5, 8, 4, 2)


def certificate_no(region_code: str, birth_date: date, serial: int, sex: str) -> str:
    """GB 11643 number: region, birth date, three-digit sequence (odd for ``M``, even for ``F``), check character."""
    sequence = serial % 499 * 2 + (1 if sex == "M" else 2)
    body = f"{region_code}{birth_date:%Y%m%d}{sequence:03d}"
    total = sum(int(digit) * weight for digit, weight in zip(body, _RESIDENT_WEIGHTS, strict=True))
    return body + _RESIDENT_CHECKS[total % 11]


def _organisation_code(serial: int) -> str:
    body = f"{serial:08d}"
    total = sum(int(digit) * weight for digit, weight in zip(body, _ORGANISATION_WEIGHTS, strict=True))
    check = 11 - total % 11
    return body + {10: "X", 11: "0"}.get(check, str(check))


def credit_code(region_code: str, serial: int, authority: str = "91") -> str:
    """GB 32100 unified social credit code; ``authority`` is register and kind (91 company, 12 public body)."""
    body = f"{authority}{region_code}{_organisation_code(serial)}"
    total = sum(_CREDIT_ALPHABET.index(char) * pow(3, place, 31) for place, char in enumerate(body))
    return body + _CREDIT_ALPHABET[(31 - total % 31) % 31]
