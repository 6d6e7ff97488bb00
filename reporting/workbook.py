"""The workbook of a region: what finance staff open, check, sign and file.

One file per region with a published head, the newest accounting month in it. What is recorded after the
publication does not change it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from expectations.freeze import Frozen
from ingestion.database import Connection
from reporting import books, tie_out, vouchers
from reporting.books import Region
from reporting.names import Name
from reporting.verdict import frozen_words
from reporting.workbook_accounts import (
    MATERNITY_TITLE,
    MONTHLY_TITLE,
    TRIAL_TITLE,
    YEAR,
    maternity_sheet,
    monthly_sheet,
    trial_balance_sheet,
)
from reporting.workbook_cells import Book
from reporting.workbook_checks import (
    FINDINGS_MOST,
    FINDINGS_TITLE,
    RESULTS_TITLE,
    Standing,
    findings_sheet,
    results_sheet,
)
from reporting.workbook_cover import fill_cover, open_cover, warn_on_cover
from reporting.workbook_cross import CROSS_TITLE, Sheets, cross_sheet
from reporting.workbook_page import Frame, month_zh
from reporting.workbook_record import record_of
from reporting.workbook_statements import (
    BALANCE_TITLE,
    STATEMENT_TITLE,
    balance_in_ten_thousands,
    balance_sheet,
    statement_in_ten_thousands,
    statement_sheet,
)
from reporting.workbook_tie_out import TIE_OUT_TITLE, tie_out_sheet
from reporting.workbook_vouchers import (
    JOURNAL_TITLE,
    LINES_MOST,
    REGISTER_TITLE,
    VOUCHERS_MOST,
    journal_sheet,
    register_sheet,
)

Contents = list[tuple[str, Name]]
MAIN_FUND = "EMI"
_MARKS = {MAIN_FUND: "", "MAT": "生育保险"}
_YEARS_BY_MONTH = 2


@dataclass(frozen=True)
class Source:
    """Where a workbook's figures come from, and what all its funds share, read once."""

    connection: Connection
    months: Mapping[str, Sequence[date]]


def workbook(connection: Connection, region: Region, month: date | None = None, frozen: Frozen | None = None) -> bytes:
    """The workbook of a region's published books, at its newest month or at an earlier one.

    The same bytes for the same publication; `frozen`: that it is frozen while this is written, told on the cover.
    Raises ValueError for a region that has published nothing.
    """
    source = Source(
        connection,
        {fund: _until(books.months(connection, region.region_code, fund), month) for fund in region.funds},
    )
    frames = _frames(source, region, month or region.last_month)
    frame = frames[0]
    book = Book(_properties(frame), frame.head.published_at)
    open_cover(book, frame)
    contents: Contents = []
    groups = [_fund_sheets(source, book, each, contents) for each in frames]
    states = cross_sheet(book, frame, _add(contents, "勾稽核对", CROSS_TITLE), groups)
    _tie_out(connection, book, frame, contents)
    _gate_sheets(connection, book, frame, contents)
    fill_cover(book, frame, contents, states)
    if frozen is not None:
        warn_on_cover(book, frozen_words(frozen))
    return book.close()


def _until(months: Sequence[date], month: date | None) -> Sequence[date]:
    return months if month is None else [each for each in months if each <= month]


def _frames(source: Source, region: Region, month: date | None) -> list[Frame]:
    """The funds shown, the medical fund first; the maternity fund while it has months in the year."""
    if region.head is None or month is None:
        raise ValueError(f"region {region.region_code} has no published books")
    last = {fund: months[-1] for fund, months in source.months.items() if months}
    shown = [fund for fund in last if last[fund].year == month.year]
    ordered = sorted(shown, key=lambda fund: (fund != MAIN_FUND, fund))
    return [Frame(region, region.head, fund, last[fund]) for fund in ordered]


def _properties(frame: Frame) -> dict[str, str]:
    title = f"{frame.region.name_zh}{frame.fund.zh}会计报表 {month_zh(frame.month)}"
    return {
        "title": title,
        "subject": f"seq {frame.head.seq} · {frame.head.batch_hash}",
        "comments": f"run {frame.head.run_id}",
        "category": "会计报表 / financial statements",
    }


def _fund_sheets(source: Source, book: Book, frame: Frame, contents: Contents) -> tuple[Name, Sheets]:
    """All sheets of one fund; those of the medical fund also in 10,000 yuan and by month."""
    main, key = frame.fund_code == MAIN_FUND, (source.connection, frame.region.region_code, frame.fund_code)

    def named(sheet: str, title: Name) -> str:
        name = f"{_MARKS.get(frame.fund_code, frame.fund_code)}{sheet}"
        contents.append((name, Name(f"{frame.fund.zh}{title.zh}", title.en)))
        return name

    statement_lines = books.statement(*key, frame.month)
    statement = statement_sheet(book, frame, named("收支表", STATEMENT_TITLE), statement_lines)
    small = statement_in_ten_thousands(book, frame, named(*_ten_thousand(STATEMENT_TITLE)), statement) if main else None
    balance = balance_sheet(
        book,
        frame,
        named("资产负债表", BALANCE_TITLE),
        books.balance_sheet(*key, frame.month),
        books.year_opening(*key, frame.month),
    )
    converted = (
        (small, balance_in_ten_thousands(book, frame, named(*_ten_thousand(BALANCE_TITLE)), balance)) if small else None
    )
    trial = books.trial_balance(*key, frame.month)
    accounts = trial_balance_sheet(book, frame, named("试算平衡表", TRIAL_TITLE), trial)
    details = books.maternity(*key, frame.month), books.maternity_totals(*key, frame.month)
    maternity = maternity_sheet(book, frame, statement, named("生育待遇支出明细", MATERNITY_TITLE), *details)
    for year, values in _by_month(source, frame).items() if main else ():
        title = Name(f"{MONTHLY_TITLE.zh}{year}年", f"{MONTHLY_TITLE.en}, {year}")
        monthly_sheet(book, frame, named(f"收支表逐月{year}", title), statement.lines, values)
    listing = vouchers.listing(*key, frame.month, VOUCHERS_MOST, LINES_MOST)
    register, journal = named("凭证登记簿", REGISTER_TITLE), named("凭证明细", JOURNAL_TITLE)
    totals = (
        register_sheet(book, frame, register, listing, journal),
        journal_sheet(book, frame, journal, listing, register),
    )
    return frame.fund, Sheets(statement, balance, accounts, maternity, converted, totals)


def _ten_thousand(title: Name) -> tuple[str, Name]:
    return f"{title.zh}(万元)", Name(f"{title.zh}（万元）", f"{title.en}, in 10,000 yuan")


def _by_month(source: Source, frame: Frame) -> dict[int, dict[tuple[str, str], Decimal]]:
    """Per year, the newest first: totals by line and month, `2020-06`, then those of the year to date."""
    earliest = frame.month.year - _YEARS_BY_MONTH + 1
    months = [month for month in source.months[frame.fund_code] if month.year >= earliest]
    key = (source.connection, frame.region.region_code, frame.fund_code)
    flows = books.monthly(*key, "total", months[0], months[-1])
    by_year: dict[int, dict[tuple[str, str], Decimal]] = {}
    for year in sorted({month.year for month in months}, reverse=True):
        shown = [month for month in months if month.year == year]
        values = {(code, f"{month:%Y-%m}"): flows[code][month].month for month in shown for code in flows}
        by_year[year] = values | {(code, YEAR): flows[code][shown[-1]].year_to_date for code in flows}
    return by_year


def _tie_out(connection: Connection, book: Book, frame: Frame, contents: Contents) -> None:
    """What banks, tax office, fiscal side and institutions state for the month, beside the books."""
    key = (connection, frame.region.region_code, frame.month)
    tie_out_sheet(book, frame, _add(contents, "对账", TIE_OUT_TITLE), tie_out.figures(*key), tie_out.items(*key))


def _gate_sheets(connection: Connection, book: Book, frame: Frame, contents: Contents) -> None:
    """What the checks of the publishing run had said about this region when it was published."""
    record = record_of(connection, frame.region.region_code, frame.head, FINDINGS_MOST)
    results_sheet(book, frame, _add(contents, "质量检查结果", RESULTS_TITLE), record.results)
    standing = Standing({result.code: result.owner for result in record.results}, record.accepted)
    name = _add(contents, "检查问题明细", FINDINGS_TITLE)
    findings_sheet(book, frame, name, record.findings, record.recorded, standing)


def _add(contents: Contents, sheet: str, title: Name) -> str:
    contents.append((sheet, title))
    return sheet
