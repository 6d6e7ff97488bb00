"""Voucher register and journal of the workbook: links both ways, and what is left out is counted."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from io import BytesIO

import openpyxl
from openpyxl.worksheet.worksheet import Worksheet

from reporting.books import Head, Region
from reporting.vouchers import Listing, Voucher, VoucherLine
from reporting.workbook_cells import Book
from reporting.workbook_page import Frame
from reporting.workbook_vouchers import journal_sheet, register_sheet

MOMENT, DAY = datetime(2020, 7, 3, tzinfo=UTC), date(2020, 6, 9)
HEAD = Head(9, "5d" * 32, "e1" * 32, MOMENT, "run")
FRAME = Frame(Region("340400", "淮南市", "Huainan", None, HEAD, ("EMI",), DAY), HEAD, "EMI", date(2020, 6, 1))


def voucher(number: int, reviewed_by: str = "") -> Voucher:
    return Voucher(number, DAY, "benefit", 1, Decimal(7), Decimal(7), 1, "pipeline · run", reviewed_by)


def line(number: int, source: str = "demo/a.csv") -> VoucherLine:
    money = (Decimal(7), Decimal(0))
    return VoucherLine(number, DAY, f"340400-{number}-1", 1, "=1+1", "1004", "支出户", "shared", *money, source, 5)


def sheets(listing: Listing) -> tuple[Worksheet, Worksheet]:
    book = Book({}, MOMENT)
    register_sheet(book, FRAME, "R", listing, "J")
    journal_sheet(book, FRAME, "J", listing, "R")
    opened = openpyxl.load_workbook(BytesIO(book.close()))
    return opened["R"], opened["J"]


def links(sheet: Worksheet) -> list[str | None]:
    return [cell.hyperlink.location for row in sheet.iter_rows() for cell in row if cell.hyperlink]


def test_a_voucher_leads_to_its_first_line_and_back() -> None:
    register, journal = sheets(Listing([voucher(1), voucher(2, "reviewer_a")], [line(1), line(1), line(2)], 2, 3))
    assert links(register) == ["'J'!A5", "'J'!A7"]
    assert links(journal) == ["'R'!A5", "'R'!A5", "'R'!A6"]
    assert [journal.cell(7, column).value for column in (1, 3, 5, 9, 11, 12)] == [
        "2", "340400-2-1", "=1+1", 7, "demo/a.csv", "5",
    ]  # fmt: skip
    assert journal["E7"].data_type == "s"
    assert register["I6"].value == "reviewer_a"


def test_what_is_not_listed_is_counted_and_its_place_named() -> None:
    register, journal = sheets(Listing([voucher(1)], [line(2)], 4_001, 70_001))
    told = [str(cell.value) for sheet in (register, journal) for row in sheet.iter_rows() for cell in row if cell.value]
    assert any("另有 4,000 行" in text and "marts.voucher" in text for text in told)
    assert any("另有 70,000 行" in text and "marts.general_ledger" in text for text in told)
    assert links(register) == links(journal) == []  # neither stands on the other sheet
