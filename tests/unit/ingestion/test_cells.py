"""Values of single cells: numbers, dates, formats; and that no text keeps a reader busy for longer than it is long."""

from __future__ import annotations

import time

import pytest

from ingestion.errors import FileRejected
from ingestion.readers.cells import is_date_format, moment, number
from ingestion.readers.sheet import column_number, place


@pytest.mark.parametrize(
    ("raw", "text"),
    [
        ("5", "5"),
        ("0", "0"),
        ("007", "7"),
        ("-0", "0"),
        ("5.0", "5"),
        ("1200", "1200"),
        ("12.50", "12.5"),
        ("0.30000000000000004", "0.3"),
        ("1234567.8899999999", "1234567.89"),
        ("9999999999999.99", "9999999999999.99"),
        ("1.5E3", "1500"),
        ("1e-7", "0.0000001"),
        ("-2.5", "-2.5"),
        ("123456789012345", "123456789012345"),
    ],
)
def test_numbers_are_plain_decimals_of_fifteen_digits(raw: str, text: str) -> None:
    assert number(raw) == text


@pytest.mark.parametrize(
    ("raw", "code"),
    [
        ("1234567890123456", "E-SCHEMA-CELL-DIGITS"),
        ("3.2010619800101E+17", "E-SCHEMA-CELL-DIGITS"),
        ("-1e15", "E-SCHEMA-CELL-DIGITS"),
        ("twelve", "E-SCHEMA-CELL-ERROR"),
        ("NaN", "E-SCHEMA-CELL-ERROR"),
        ("1_000", "E-SCHEMA-CELL-ERROR"),
        ("１２", "E-SCHEMA-CELL-ERROR"),
        ("1e9999", "E-SCHEMA-CELL-ERROR"),
    ],
)
def test_what_is_no_number_or_has_lost_digits_is_a_fault(raw: str, code: str) -> None:
    assert getattr(number(raw), "code", None) == code


@pytest.mark.parametrize(
    ("code", "is_date"),
    [
        ("yyyy-mm-dd", True),
        ('yyyy"年"m"月"d"日"', True),
        ("[$-804]yyyy/m/d;@", True),
        ("[h]:mm", True),
        ("aaaa", True),
        ("General", False),
        ("G/通用格式", False),
        ('#,##0.00"days"', False),
        ("[Red]0.00", False),
        ("_ * #,##0.00_ ", False),
        ("0.00E+00", False),
        (r"0\d", False),
    ],
)
def test_dates_are_known_by_their_number_format(code: str, is_date: bool) -> None:
    assert is_date_format(164, code) is is_date


@pytest.mark.parametrize("raw", ["1" * 20_000 + "x", "1" * 1_000_000, "1" * 500_000 + "." + "1" * 499_999])
def test_a_long_text_is_no_number_and_known_to_be_none_at_once(raw: str) -> None:
    began = time.process_time()
    assert getattr(number(raw), "code", None) == "E-SCHEMA-CELL-ERROR"
    assert getattr(moment(raw, since_1904=False), "code", None) == "E-SCHEMA-CELL-ERROR"
    assert time.process_time() - began < 1


def test_the_longest_number_that_a_double_can_be_is_one() -> None:
    assert getattr(number("1" + "0" * 308), "code", None) == "E-SCHEMA-CELL-DIGITS"
    assert number("0." + "0" * 300 + "5") == "0." + "0" * 300 + "5"


def test_a_long_format_is_read_at_once() -> None:
    began = time.process_time()
    assert is_date_format(164, "[" * 100_000) is False
    assert is_date_format(164, "yyyy" + "[" * 100_000) is True
    assert time.process_time() - began < 1


@pytest.mark.parametrize("letters", ["A" * 100_000, "XFE", "AAAA", "", "a", "É"])
def test_what_is_no_column_is_refused_at_once(letters: str) -> None:
    began = time.process_time()
    for attempt in (lambda: column_number(letters), lambda: place(f"{letters}2")):
        with pytest.raises(FileRejected, match="E-FILE-XLSX"):
            attempt()
    assert time.process_time() - began < 1
