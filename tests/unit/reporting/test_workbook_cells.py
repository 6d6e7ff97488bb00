"""Cells: exact figures, formulas with their values, text that can do nothing."""

from __future__ import annotations

import hashlib
import random
import zipfile
from datetime import UTC, datetime
from decimal import Decimal
from io import BytesIO

import openpyxl
import pytest

from reporting.workbook_cells import (
    BALANCED,
    TEXT_LONGEST,
    UNBALANCED,
    Book,
    Ref,
    Sum,
    TenThousands,
    expression,
    in_ten_thousands,
    neutral,
)

MOMENT = datetime(2020, 7, 3, 4, 5, 6, 789, tzinfo=UTC)
PAYLOADS = (
    "=cmd|'/C calc'!A0",
    "+cmd|'/C calc'!A0",
    "-2+3+cmd|'/C calc'!A0",
    "@SUM(1+1)*cmd|'/C calc'!A0",
    '=HYPERLINK("http://example.org","x")',
    '=DDE("cmd";"/C calc";"x")',
    "\t=1+1",
    "\r=1+1",
    "＝1+1",
    "＋1",
    "－1",
    "＠SUM(A1)",
    "{=1+1}",
    "http://example.org",
    "mailto:a@example.org",
    "external:c:\\calc.xlsx",
    "00123",
    "1e5",
    "<r><evil/></r>",
    "<r><t>1</t></r></si><si><t>2</t></r>",
    "<r></r>",
)


def new_book() -> Book:
    book = Book({"title": "t"}, MOMENT)
    book.sheet("S")
    return book


def read(content: bytes, values: bool) -> openpyxl.Workbook:
    return openpyxl.load_workbook(BytesIO(content), data_only=values)


def part(content: bytes, name: str) -> str:
    with zipfile.ZipFile(BytesIO(content)) as archive:
        return archive.read(name).decode()


@pytest.mark.parametrize("payload", PAYLOADS)
def test_text_is_never_a_formula_a_number_or_a_link(payload: str) -> None:
    book = new_book()
    book.text(Ref("S", 0, 0), payload)
    book.text(Ref("S", 1, 0), payload, (1, 2))
    content = book.close()
    for row in (1, 2):
        cell = read(content, values=False)["S"].cell(row, 1)
        assert (cell.data_type, cell.hyperlink) == ("s", None)
        assert cell.value == neutral(payload)
    assert "<f>" not in part(content, "xl/worksheets/sheet1.xml")
    assert "hyperlink" not in part(content, "xl/worksheets/sheet1.xml").lower()


@pytest.mark.parametrize("payload", [text for text in PAYLOADS if text[0] in "=+-@＝＋－＠"])
def test_text_that_begins_like_a_formula_stays_text_when_somebody_edits_it(payload: str) -> None:
    book = new_book()
    book.text(Ref("S", 0, 0), payload)
    assert read(book.close(), values=False)["S"]["A1"].quotePrefix


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("a\x00b\x1b[31m", "a␀b␛[31m"),
        ("\t=1", "␉=1"),
        ("line\nline", "line␊line"),
        ("\u202egnp.exe", "<U+202E>gnp.exe"),
        ("\ufffe\uffff", "<U+FFFE><U+FFFF>"),
        ("\x7f\x85", "<U+007F><U+0085>"),
        ("_x000D_", "_x000D_"),
        ("𠮷 & <tag>", "𠮷 & <tag>"),
        ("<r><evil/></r>", " <r><evil/></r>"),
    ],
)
def test_what_can_not_be_seen_is_made_visible(text: str, shown: str) -> None:
    book = new_book()
    book.text(Ref("S", 0, 0), text)
    assert neutral(text) == shown
    assert read(book.close(), values=False)["S"]["A1"].value == shown


def test_over_long_text_is_cut_with_a_mark() -> None:
    book = new_book()
    book.text(Ref("S", 0, 0), "长" * 40_000)
    shown = read(book.close(), values=False)["S"]["A1"].value
    assert len(shown) == TEXT_LONGEST
    assert shown.endswith("…（已截断 / cut off）")


@pytest.mark.parametrize("text", ["\n".join(["长" * 20_000] * 3), "𠮷" * 30_000, "x" + "𠮷" * 30_000])
def test_text_of_many_lines_or_astral_characters_is_cut_with_a_mark_too(text: str) -> None:
    book = new_book()
    book.text(Ref("S", 0, 0), text, text_wrap=True)
    shown = read(book.close(), values=False)["S"]["A1"].value
    assert TEXT_LONGEST - 1 <= len(shown.encode("utf-16-le")) // 2 <= TEXT_LONGEST
    assert shown.endswith("…（已截断 / cut off）")
    assert text.startswith(shown.removesuffix("…（已截断 / cut off）"))


def test_markup_in_wrapped_text_and_properties_stays_text() -> None:
    book = Book({"title": "<r><evil/></r>\ufffe\x1b"}, MOMENT)
    book.sheet("S")
    book.text(Ref("S", 0, 0), "<r>\n<evil/></r>", text_wrap=True)
    content = book.close()
    assert "<evil/>" not in part(content, "xl/sharedStrings.xml")
    assert read(content, values=False).properties.title == " <r><evil/></r><U+FFFE>␛"


def test_every_figure_below_ten_trillion_comes_back_to_the_cent() -> None:
    chance = random.Random(20200101)
    figures = [Decimal(chance.randint(-(10**15) + 1, 10**15 - 1)) / 100 for _ in range(2_000)]
    figures += [Decimal("9999999999999.99"), Decimal("-9999999999999.99"), Decimal("0.01"), Decimal("0.00")]
    book = new_book()
    for row, value in enumerate(figures):
        book.figure(Ref("S", row, 0), value)
        book.figure(Ref("S", row, 1), value, Sum(((1, Ref("S", row, 0)),)))
    content = book.close()
    sheet = read(content, values=True)["S"]
    for row, value in enumerate(figures, start=1):
        assert round(Decimal(sheet.cell(row, 1).value), 2) == value
        assert round(Decimal(sheet.cell(row, 2).value), 2) == value
    assert read(content, values=False)["S"]["B1"].value == "=A1"


def test_a_figure_with_more_digits_than_a_spreadsheet_keeps_is_text_and_stays_out_of_formulas() -> None:
    book = new_book()
    large, small = Decimal("10000000000000.01"), Decimal("-0.02")
    book.figure(Ref("S", 0, 0), large)
    book.figure(Ref("S", 1, 0), small)
    book.figure(Ref("S", 2, 0), large + small, Sum(((1, Ref("S", 0, 0)), (1, Ref("S", 1, 0)))))
    book.figure(Ref("S", 3, 0), in_ten_thousands(large), TenThousands(Ref("S", 0, 0)))
    book.comparison(Ref("S", 4, 0), Sum(((1, Ref("S", 0, 0)),)), Sum(((1, Ref("S", 2, 0)),)))
    sheet = read(book.close(), values=False)["S"]
    shown = [sheet.cell(row, 1).value for row in range(1, 6)]
    assert shown == ["10,000,000,000,000.01", -0.02, 9999999999999.99, 1_000_000_000, UNBALANCED]


def test_comparisons_say_whether_both_sides_agree_to_the_cent() -> None:
    book = new_book()
    for column, value in enumerate(("10.01", "10.00", "0.01")):
        book.figure(Ref("S", 0, column), Decimal(value))
    one, ten, cent = (Ref("S", 0, column) for column in range(3))
    book.comparison(Ref("S", 1, 0), Sum(((1, one),)), Sum(((1, ten), (1, cent))))
    book.comparison(Ref("S", 1, 1), Sum(((1, one),)), Sum(((1, ten),)))
    content = book.close()
    assert [cell.value for cell in read(content, values=True)["S"][2]][:2] == [BALANCED, UNBALANCED]
    assert read(content, values=False)["S"]["A2"].value == '=IF(ROUND(A1-(B1+C1),2)=0,"平","不平")'


def test_long_sums_take_neighbours_as_ranges() -> None:
    below = [(1, Ref("S", row, 1)) for row in (1, 2, 3, 5, 7, 8)]
    assert expression(Sum(tuple(below)), "S") == "SUM(B2:B4,B6,B8:B9)"
    assert expression(Sum(tuple(below)), "T") == "SUM('S'!B2:B4,'S'!B6,'S'!B8:B9)"
    assert expression(Sum(()), "S") == "0"
    apart = tuple((1, Ref("S", row, 1)) for row in range(0, 900, 2))
    assert expression(Sum(apart), "S").count("SUM(") == 3


@pytest.mark.parametrize(
    ("yuan", "shown"),
    [("50.00", "0.01"), ("49.99", "0.00"), ("-50.00", "-0.01"), ("-10.00", "0.00"), ("123456789.99", "12345.68")],
)
def test_ten_thousands_are_rounded_half_up(yuan: str, shown: str) -> None:
    assert str(in_ten_thousands(Decimal(yuan))) == shown


def test_the_same_content_gives_the_same_bytes() -> None:
    def content() -> bytes:
        book = new_book()
        book.text(Ref("S", 0, 0), "=x", bold=True)
        book.figure(Ref("S", 0, 1), Decimal("1.00"), border=1)
        return book.close()

    first = content()
    assert hashlib.sha256(first).digest() == hashlib.sha256(content()).digest()
    assert "2020-07-03T04:05:06Z" in part(first, "docProps/core.xml")
