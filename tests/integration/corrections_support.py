"""Small files in the shape of each source, and workbooks of corrections filled in as a clerk would."""

from __future__ import annotations

import csv
import hashlib
import io
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from pathlib import Path

import openpyxl
import polars as pl
import xlsxwriter
from openpyxl.worksheet.worksheet import Worksheet

from ingestion.__main__ import main
from ingestion.corrections import LINE, NUMBER, SHEET
from ingestion.profiles import Feed, profile_of
from ingestion.settings import Settings
from tests.integration.ingestion_support import land, select
from tests.unit.ingestion.valid_rows import Row, sound_row

_FACTOR = {"yuan": Decimal(1), "fen": Decimal(100), "wan": Decimal("0.0001")}
Fills = Mapping[int, Mapping[str, str | None]]  # original line -> column -> what the clerk writes


def feed_of(source_system: str, file_name: str) -> Feed:
    """How the source's file is read."""
    return profile_of(source_system, Settings.from_env().sources_dir).feed_of(file_name)


def native(feed: Feed, row: Row) -> Row:
    """A canonical row as the source writes it; what its profile fixes is left out."""
    written = {}
    for column in feed.columns:
        text = row.get(column.to)
        if text is None:
            continue
        if column.values:
            text = next(source for source, canonical in column.values.items() if canonical == text)
        elif column.to.endswith("_on"):
            text = date.fromisoformat(text).strftime(column.form.date_formats[0])
        elif column.to.endswith("_month"):
            text = date.fromisoformat(f"{text}-01").strftime(column.form.month_formats[0])
        elif column.to == "amount":
            text = f"{(Decimal(text) * _FACTOR[column.form.unit]).normalize():f}"
        written[column.source] = text
    return written


def fact(feed: Feed, key: str, amount: str) -> Row:
    """A statement where the source sends nothing else, or else interest: that is posted."""
    event_type = feed.constants.get("event_type", "interest.credited")
    return sound_row(event_type, source_event_key=key, occurred_on="2019-10-31", account="treasury", amount=amount)


def as_csv(feed: Feed, rows: Sequence[Row]) -> bytes:
    """All columns that occur, in the feed's encoding."""
    names = [c.source for c in feed.columns if any(c.source in row for row in rows)] + sorted(feed.ignore)
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, names, restval="不读入")
    writer.writeheader()
    writer.writerows([dict.fromkeys(names[: -len(feed.ignore) or None], "") | row for row in rows])
    return text.getvalue().encode(feed.encoding)


def as_jsonl(_: Feed, rows: Sequence[Row]) -> bytes:
    """One object a line."""
    return "".join(json.dumps(row) + "\n" for row in rows).encode()


def as_parquet(_: Feed, rows: Sequence[Row]) -> bytes:
    """Typed where every value allows it."""
    frame = pl.DataFrame(list(rows), infer_schema_length=None)
    buffer = io.BytesIO()
    frame.with_columns(
        pl.col("stmt_date").str.to_date(), pl.col("insutype").cast(pl.Int32), pl.col("paid_amt").cast(pl.Decimal(18, 2))
    ).write_parquet(buffer)
    return buffer.getvalue()


def as_tax_workbook(feed: Feed, rows: Sequence[Row]) -> bytes:
    """Two rows of title, a header of two rows, a row of totals."""
    buffer = io.BytesIO()
    names = [column.source for column in feed.columns]
    amount = names.index("入库情况/入库金额")
    with xlsxwriter.Workbook(buffer, {"in_memory": True}) as book:
        sheet = book.add_worksheet("入库对账2019Q4")
        sheet.write_string(0, 0, "对账表")
        for place, name in enumerate(names):
            sheet.write_row(2, place, name.split("/")[:1])
            sheet.write_row(3, place, name.split("/")[1:])
        for number, row in enumerate(rows, start=4):
            for place, name in enumerate(names):
                sheet.write_string(number, place, row.get(name, ""))
            sheet.write_number(number, amount, float(row[names[amount]]))
        sheet.write_string(len(rows) + 4, 0, "合计")
        sheet.write_number(len(rows) + 4, amount, float(sum(Decimal(row[names[amount]]) for row in rows)))
    return buffer.getvalue()


@dataclass(frozen=True)
class Sent:
    """A source, a file name of its kind and how its bytes are made."""

    source_system: str
    file_name: str
    content: Callable[[Feed, Sequence[Row]], bytes]
    first_line: int = 2

    def land(self, rows: Sequence[Row], name: str = "") -> Feed:
        """Put a file with these rows (source columns) into the source's folder, with a manifest."""
        name = name or self.file_name
        feed = feed_of(self.source_system, name)
        content = self.content(feed, rows)
        said = {"row_count": len(rows), "sha256": hashlib.sha256(content).hexdigest()}
        land(f"{name}.manifest.json", json.dumps(said), self.source_system)
        land(name, content, self.source_system)
        return feed


SOURCES = (
    Sent("nanjing", "nj_treasury_2019Q4.csv", as_csv),
    Sent("huainan", "hn_treasury_2019Q4.csv", as_csv),
    Sent("tax_bureau", "tax_treasury_2019Q4.xlsx", as_tax_workbook, first_line=5),
    Sent("fiscal_bureau", "fiscal_treasury_2019Q4.parquet", as_parquet),
    Sent("fund_bank", "statement_201910.jsonl", as_jsonl, first_line=1),
    Sent("demo", "x.treasury.2019-10.csv", as_csv),
)


def exported(source_system: str, to: Path, *more: str) -> list[Path]:
    """What `quarantine export` writes, by name."""
    before = set(to.glob("*")) if to.exists() else set()
    assert main(["quarantine", "export", "--source", source_system, "--to", str(to), *more]) == 0
    return sorted(set(to.glob("*")) - before)


def cells(path: Path) -> tuple[list[str], list[dict[str, str | None]]]:
    """Header and rows of the sheet that is read back."""
    sheet = openpyxl.load_workbook(path)[SHEET]
    header, *rows = [[cell.value for cell in row] for row in sheet.iter_rows()]
    return header, [dict(zip(header, row, strict=True)) for row in rows]


def corrected(path: Path, fills: Fills) -> bytes:
    """The workbook after a clerk has written into it, saved by another program than the one that made it."""
    book = openpyxl.load_workbook(path)
    sheet = book[SHEET]
    assert isinstance(sheet, Worksheet)
    header = {cell.value: cell.column for cell in sheet[1]}
    for row in range(2, sheet.max_row + 1):
        line_no = int(str(sheet.cell(row, header[LINE]).value))
        for name, text in fills.get(line_no, {}).items():
            sheet.cell(row, header[name]).value = text
    buffer = io.BytesIO()
    book.save(buffer)
    return buffer.getvalue()


def open_state() -> tuple[int, Decimal]:
    """Open rows and their amount."""
    ((rows, amount),) = select("SELECT count(*), coalesce(sum(amount), 0) FROM events.quarantine_open")
    return rows, amount


def numbers(rows: Sequence[Mapping[str, str | None]]) -> list[int]:
    """Quarantine numbers of exported rows."""
    return [int(str(row[NUMBER])) for row in rows]
