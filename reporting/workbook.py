"""The workbook of a region: what finance staff open, check, sign and file.

One file per region with a published head, the newest accounting month in it. The same publication gives the same bytes.
"""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from pathlib import Path

from ingestion.database import Connection
from reporting import books, quality
from reporting.books import Region
from reporting.files import replace_file
from reporting.names import Name
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
    CROSS_TITLE,
    FINDINGS_TITLE,
    RESULTS_TITLE,
    Sheets,
    cross_sheet,
    findings_sheet,
    results_sheet,
)
from reporting.workbook_cover import fill_cover, open_cover
from reporting.workbook_page import Frame, month_zh
from reporting.workbook_statements import (
    BALANCE_TITLE,
    STATEMENT_TITLE,
    balance_in_ten_thousands,
    balance_sheet,
    statement_in_ten_thousands,
    statement_sheet,
)

Contents = list[tuple[str, Name]]
MAIN_FUND = "EMI"
_MARKS = {MAIN_FUND: "", "MAT": "生育保险"}
_YEARS_BY_MONTH = 2


def write_workbooks(connection: Connection, folder: Path) -> list[Path]:
    """Write `merged_fund_<region>.xlsx` of every region that has published books; returns the files."""
    return [
        replace_file(folder / f"merged_fund_{region.region_code}.xlsx", workbook(connection, region))
        for region in books.regions(connection)
        if region.head is not None and region.funds
    ]


def workbook(connection: Connection, region: Region) -> bytes:
    """The workbook of a region's published books, at its newest month.

    Raises ValueError for a region that has published nothing.
    """
    frames = _frames(connection, region)
    frame = frames[0]
    book = Book(_properties(frame), frame.head.published_at)
    open_cover(book, frame)
    contents: Contents = []
    groups = [_fund_sheets(connection, book, each, contents) for each in frames]
    states = cross_sheet(book, frame, _add(contents, "勾稽核对", CROSS_TITLE), groups)
    _gate_sheets(connection, book, frame, contents)
    fill_cover(book, frame, contents, states)
    return book.close()


def _frames(connection: Connection, region: Region) -> list[Frame]:
    """The funds shown, the medical fund first; the maternity fund while it has months in the year."""
    if region.head is None or region.last_month is None:
        raise ValueError(f"region {region.region_code} has no published books")
    last = {fund: books.months(connection, region.region_code, fund)[-1] for fund in region.funds}
    shown = [fund for fund in last if last[fund].year == region.last_month.year]
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


def _fund_sheets(connection: Connection, book: Book, frame: Frame, contents: Contents) -> tuple[Name, Sheets]:
    """All sheets of one fund; those of the medical fund also in 10,000 yuan and by month."""
    main, key = frame.fund_code == MAIN_FUND, (connection, frame.region.region_code, frame.fund_code)

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
        _year_opening(connection, frame),
    )
    converted = (
        (small, balance_in_ten_thousands(book, frame, named(*_ten_thousand(BALANCE_TITLE)), balance)) if small else None
    )
    trial = books.trial_balance(*key, frame.month)
    accounts = trial_balance_sheet(book, frame, named("试算平衡表", TRIAL_TITLE), trial)
    details = books.maternity(*key, frame.month), books.maternity_totals(*key, frame.month)
    maternity = maternity_sheet(book, frame, statement, named("生育待遇支出明细", MATERNITY_TITLE), *details)
    for year in range(frame.month.year, frame.month.year - _YEARS_BY_MONTH, -1) if main else ():
        values = _by_month(connection, frame, year)
        if values:
            title = Name(f"{MONTHLY_TITLE.zh}{year}年", f"{MONTHLY_TITLE.en}, {year}")
            monthly_sheet(book, frame, named(f"收支表逐月{year}", title), statement.lines, values)
    return frame.fund, Sheets(statement, balance, accounts, maternity, converted)


def _ten_thousand(title: Name) -> tuple[str, Name]:
    return f"{title.zh}(万元)", Name(f"{title.zh}（万元）", f"{title.en}, in 10,000 yuan")


def _months_of(connection: Connection, frame: Frame, year: int) -> list[date]:
    listed = books.months(connection, frame.region.region_code, frame.fund_code)
    return [month for month in listed if month.year == year and month <= frame.month]


def _year_opening(connection: Connection, frame: Frame) -> dict[str, Decimal]:
    """Balances at the beginning of the year: of its first month in the books."""
    first = _months_of(connection, frame, frame.month.year)[0]
    listed = books.balance_sheet(connection, frame.region.region_code, frame.fund_code, first)
    return {line.line_code: line.amounts["total"].opening for line in listed}


def _by_month(connection: Connection, frame: Frame, year: int) -> dict[tuple[str, str], Decimal]:
    """Totals of a year's months by line and month, `2020-06`, then those of the year to date."""
    months = _months_of(connection, frame, year)
    if not months:
        return {}
    key = (connection, frame.region.region_code, frame.fund_code)
    amounts = books.monthly(*key, "total", months[0], months[-1])
    values = {(code, f"{month:%Y-%m}"): amounts[code][month] for month in months for code in amounts}
    year_to_date = {
        (line.line_code, YEAR): line.amounts["total"].year_to_date for line in books.statement(*key, months[-1])
    }
    return {**values, **year_to_date}


def _gate_sheets(connection: Connection, book: Book, frame: Frame, contents: Contents) -> None:
    """What the checks of the publishing run said about this region."""
    run_id, region_code = frame.head.run_id, frame.region.region_code
    results = [result for result in quality.results(connection, run_id) if result.region_code == region_code]
    findings = [item for item in quality.findings(connection, run_id) if item.region_code == region_code]
    results_sheet(book, frame, _add(contents, "质量检查结果", RESULTS_TITLE), results)
    findings_sheet(book, frame, _add(contents, "检查问题明细", FINDINGS_TITLE), findings)


def _add(contents: Contents, sheet: str, title: Name) -> str:
    contents.append((sheet, title))
    return sheet
