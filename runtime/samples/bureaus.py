"""The two sources that deliver typed files: the tax office's workbook and the fiscal side's Parquet file."""

from __future__ import annotations

import hashlib
import io
import json
from collections.abc import Iterable
from datetime import UTC, datetime
from decimal import Decimal

import polars as pl
import xlsxwriter
from xlsxwriter.worksheet import Worksheet

from runtime.samples.cities import CITIES
from runtime.samples.statements import Statement

_FUNDS = {"EMI": "职工基本医疗保险基金", "MAT": "生育保险基金"}
_INSURANCE_TYPES = {"EMI": 310, "MAT": 510}
TAX_COLUMN = "入库情况/入库金额"
_FIRST_ROW = 4  # below two rows of title and two of header; counted from 0
_FEN_PER_WAN = 1_000_000


def tax_workbook(statements: list[Statement], period: str) -> bytes:
    """A sheet made for the eye (titles, merged header, totals) and a hidden one; equal content gives equal bytes."""
    buffer = io.BytesIO()
    with xlsxwriter.Workbook(buffer, {"in_memory": True}) as book:
        book.set_properties({"created": datetime(2020, 7, 1, tzinfo=UTC)})
        sheet = book.add_worksheet(f"入库对账{period}")
        parameters = book.add_worksheet("参数")
        parameters.write_row(0, 0, ["税务机关代码", "#勿改", 1.5])
        parameters.hide()
        heading = book.add_format({"align": "center", "bold": True})
        _write_header(sheet, heading)
        day, month = book.add_format({"num_format": "yyyy-mm-dd"}), book.add_format({"num_format": 'yyyy"年"m"月"'})
        amount = book.add_format({"num_format": "#,##0.000000"})
        for place, statement in enumerate(statements):
            row = _FIRST_ROW + place
            city, fund = statement.city, _FUNDS[statement.fund]
            sheet.write_row(row, 0, [place + 1, statement.number, city.region_code, city.short_name, fund])
            sheet.write_datetime(row, 5, statement.month.first, month)
            sheet.write_datetime(row, 6, statement.month.last, day)
            sheet.write_number(row, 7, statement.amount / _FEN_PER_WAN, amount)
            sheet.write_string(row, 8, "国库")
        last = _FIRST_ROW + len(statements)
        total = sum(statement.amount for statement in statements) / _FEN_PER_WAN
        sheet.write_string(last, 0, "合 计", heading)
        sheet.write_formula(last, 7, f"=SUM(H{_FIRST_ROW + 1}:H{last})", amount, total)
    return buffer.getvalue()


def _write_header(sheet: Worksheet, heading: object) -> None:
    sheet.merge_range("A1:I1", "基本医疗保险费、生育保险费征收入库对账表", heading)
    sheet.merge_range("A2:I2", "资料来源：税务征管系统　　金额单位：万元")
    for cells, name in (("A3:A4", "序号"), ("B3:B4", "对账单号"), ("E3:E4", "基金")):
        sheet.merge_range(cells, name, heading)
    for cells, name in (("C3:D3", "统筹区"), ("F3:G3", "对账期间"), ("H3:I3", "入库情况")):
        sheet.merge_range(cells, name, heading)
    sheet.write_row("C4", ["编码", "名称"], heading)
    sheet.write_row("F4", ["所属月份", "对账日期", "入库金额", "收款单位"], heading)
    sheet.set_column("B:I", 18)


def fiscal_table(statements: list[Statement]) -> bytes:
    """Dates, integers, decimals and enumerated text, and a nested column that nobody reads."""
    regions = pl.Enum([city.region_code for city in CITIES])
    columns = {
        "stmt_no": pl.Series([s.number for s in statements], dtype=pl.String),
        "stmt_date": pl.Series([s.month.last for s in statements], dtype=pl.Date),
        "admdvs": pl.Series([s.city.region_code for s in statements], dtype=regions),
        "insutype": pl.Series([_INSURANCE_TYPES[s.fund] for s in statements], dtype=pl.Int32),
        "acctg_month": pl.Series([s.month.first for s in statements], dtype=pl.Date),
        "paid_amt": pl.Series([_yuan(s.amount) for s in statements], dtype=pl.Decimal(18, 2)),
        "payer": pl.Series(["财政专户"] * len(statements), dtype=pl.String),
        "attachments": pl.Series([[f"{s.number}.pdf"] for s in statements], dtype=pl.List(pl.String)),
    }
    buffer = io.BytesIO()
    pl.DataFrame(columns).write_parquet(buffer, compression="zstd", row_group_size=1_000)
    return buffer.getvalue()


def manifest(statements: list[Statement], content: bytes, column: str, decimals: int) -> bytes:
    """What a party says of its file: rows, and the total of `column`, of all of them and of each month.

    `decimals`: how many the party's unit has down to the fen.
    """

    def total(amounts: Iterable[int]) -> str:
        return str(Decimal(sum(amounts)).scaleb(-decimals))

    months = sorted({statement.month for statement in statements})
    said = {
        "row_count": len(statements),
        "control_totals": {
            column: total(statement.amount for statement in statements),
            **{
                f"{column}@{month.year}-{month.month:02d}": total(s.amount for s in statements if s.month == month)
                for month in months
            },
        },
        "sha256": hashlib.sha256(content).hexdigest(),
    }
    return json.dumps(said, ensure_ascii=False, indent=1).encode() + b"\n"


def _yuan(amount: int) -> Decimal:
    return Decimal(amount).scaleb(-2)
