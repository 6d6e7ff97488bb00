"""The statement pages: an index of regions and months, and a page for each month of a fund."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from hashlib import sha256
from pathlib import Path
from re import fullmatch

from ingestion.database import Connection
from reporting import books, quality
from reporting.names import FUNDS, Name, name_of
from reporting.site.frame import Frame
from reporting.site.kept import code_digest
from reporting.site.pages import Source
from reporting.site.warnings import warnings_of
from reporting.statements import reading
from reporting.statements.behind import VOUCHERS_OF_ACCOUNT
from reporting.statements.month import MonthBooks, month_before, read_months
from reporting.statements.words import ENTRY_KINDS, NAMES, SIGNATURES, View, view_of

KEY = "statement"
FILE = "statement.html"
# Months before these have a page only when they are closed; all of them are in the database.
MONTHS_SHOWN = 24

# The last line of a page: what it was made of, and a hash of all that stands before.
_STATE = "<!-- state {} content {} -->\n"


@dataclass(frozen=True)
class ListedMonth:
    """A month of a fund that has a page, and whether it is closed."""

    month: date
    file: str
    closed: bool


@dataclass(frozen=True)
class ListedFund:
    """A fund of a region: its months with a page, oldest first, and key figures of the months of its charts."""

    fund_code: str
    ended: bool
    months: Sequence[ListedMonth]
    points: Sequence[reading.Point]

    @property
    def last(self) -> reading.Point:
        """Key figures of the newest month."""
        return self.points[-1]

    @property
    def file(self) -> str:
        """The page of the newest month."""
        return self.months[-1].file


@dataclass(frozen=True)
class ListedRegion:
    """A region with published books."""

    region: books.Region
    closed: Mapping[date, reading.Closed]
    funds: Sequence[ListedFund]
    warning: Name | None = None


def file_name(region_code: str, fund_code: str, month: date) -> str:
    """Name of the page of a month."""
    return f"statement_{region_code}_{fund_code.lower()}_{month:%Y-%m}.html"


def build(source: Source, frame: Frame) -> Iterator[tuple[str, str]]:
    """The pages of months that have changed since they were written, then the index; pages of no month are removed."""
    warnings = warnings_of(source.overview)
    regions = [
        replace(listed, warning=warnings.get(listed.region.region_code)) for listed in _regions(source.connection)
    ]
    layouts = reading.Layouts(source.connection)
    fixed = f"{code_digest(source.connection)}|{reading.names_digest(source.connection)}" if regions else ""
    for listed in regions:
        for fund in listed.funds:
            yield from _month_pages(source, frame, listed, fund, layouts, fixed)
    if source.folder is not None:
        _remove_others(source.folder, {month.file for listed in regions for f in listed.funds for month in f.months})
    yield FILE, frame.html("statement_index.html.j2", KEY, regions=regions, MONTHS_SHOWN=MONTHS_SHOWN, NAMES=NAMES)


def _regions(connection: Connection) -> list[ListedRegion]:
    """Every region with published books; none before the models have been deployed."""
    if not quality.exists(connection, "marts.published_head"):
        return []
    return [_listed(connection, region) for region in books.regions(connection) if region.head and region.funds]


def _listed(connection: Connection, region: books.Region) -> ListedRegion:
    closed = reading.closed_months(connection, region.region_code)
    found = {fund: books.months(connection, region.region_code, fund) for fund in region.funds}
    newest = max((months[-1] for months in found.values() if months), default=None)
    return ListedRegion(
        region,
        closed,
        [
            _fund(connection, region.region_code, fund, months, closed, ended=months[-1] != newest)
            for fund, months in sorted(found.items())
            if months
        ],
    )


def _fund(
    connection: Connection,
    region_code: str,
    fund_code: str,
    months: Sequence[date],
    closed: Mapping[date, reading.Closed],
    *,
    ended: bool,
) -> ListedFund:
    shown = [month for month in months if month in closed or month in months[-MONTHS_SHOWN:]]
    first = month_before(months[-1], MONTHS_SHOWN - 1)
    flows, _ = reading.statements(connection, region_code, fund_code, first, months[-1])
    return ListedFund(
        fund_code,
        ended,
        [ListedMonth(month, file_name(region_code, fund_code, month), month in closed) for month in shown],
        reading.points(flows),
    )


def _month_pages(
    source: Source, frame: Frame, listed: ListedRegion, fund: ListedFund, layouts: reading.Layouts, fixed: str
) -> Iterator[tuple[str, str]]:
    """The pages of a fund's months; those that stand in the folder in the same state are left out."""
    code = listed.region.region_code
    states = reading.states(source.connection, code, fund.fund_code, [month.month for month in fund.months])
    named, head = listed.region, listed.region.head
    lasting = [
        fixed,
        named.name_zh,
        named.name_en,
        head and head.rules_sha256,
        fund.months,
        [f.file for f in listed.funds],
        listed.warning,
    ]
    made_of = {
        month.month: sha256(f"{lasting}|{states[month.month]}|{listed.closed.get(month.month)}".encode()).hexdigest()
        for month in fund.months
    }
    changed = {
        month.month: states[month.month]
        for month in fund.months
        if not _stands(source.folder, month.file, made_of[month.month])
    }
    if not changed:
        return
    for month_books in read_months(source.connection, listed.region, fund.fund_code, changed, listed.closed, layouts):
        file = file_name(code, fund.fund_code, month_books.month)
        html = _page(frame, listed, fund, month_books)
        yield file, html + _mark(made_of[month_books.month], html.encode())


def _mark(state: str, content: bytes) -> str:
    return _STATE.format(state, sha256(content).hexdigest())


def _stands(folder: Path | None, file: str, state: str) -> bool:
    """Whether the page that stands in the folder is of this state, and to the last byte what was written."""
    if folder is None or not (folder / file).is_file():
        return False
    page = (folder / file).read_bytes()
    content = page[: -len(_mark(state, b""))]
    return page == content + _mark(state, content).encode()


def _page(frame: Frame, listed: ListedRegion, fund: ListedFund, month_books: MonthBooks) -> str:
    place = [month.month for month in fund.months].index(month_books.month)
    named, of_fund = listed.region, name_of(FUNDS, fund.fund_code)
    view: View = view_of(month_books)
    return frame.html(
        "statement_month.html.j2",
        KEY,
        name=Name(
            f"{named.name_zh}{of_fund.zh} {month_books.month:%Y-%m}",
            f"{named.name_en}, {of_fund.en}, {month_books.month:%Y-%m}",
        ),
        books=month_books,
        warning=listed.warning,
        view=view,
        listed=list(reversed(fund.months)),
        earlier=fund.months[place - 1] if place else None,
        later=fund.months[place + 1] if place + 1 < len(fund.months) else None,
        funds=[other for other in listed.funds if other.fund_code != fund.fund_code],
        NAMES=NAMES,
        ENTRY_KINDS=ENTRY_KINDS,
        SIGNATURES=SIGNATURES,
        VOUCHERS_OF_ACCOUNT=VOUCHERS_OF_ACCOUNT,
    )


def _remove_others(folder: Path, wanted: set[str]) -> None:
    """Remove pages of months that no region has any more."""
    for path in folder.glob("statement_*.html"):
        if path.name not in wanted and fullmatch(r"statement_\d{6}_[a-z]+_\d{4}-\d{2}\.html", path.name):
            path.unlink()
