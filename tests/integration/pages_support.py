"""Pages of the site as trees of elements: built over a database, and what their tables say."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from html.parser import HTMLParser
from pathlib import Path
from xml.etree.ElementTree import Element, TreeBuilder

from expectations.freeze import Frozen
from ingestion.settings import Settings
from reporting import overview
from reporting.books import one_state
from reporting.files import replace_file
from reporting.site import PAGES, Source, frame_of

MADE_AT = datetime(2026, 11, 22, 8, 0, tzinfo=UTC)
_VOID = {"meta", "link", "use", "path", "circle", "br", "input"}


FROZEN = "暂停发布（H03）：账簿被改动"


def built(settings: Settings, key: str, folder: Path | None = None, frozen: Collection[str] = ()) -> dict[str, str]:
    """The files that the page `key` writes now, or were these regions frozen; put into `folder` if there is one."""
    (page,) = (page for page in PAGES if page.key == key)
    with one_state(settings) as connection:
        content = overview.read(connection, None, overview.Clock(MADE_AT, settings.business_date))
        verdicts = [
            replace(one, frozen=Frozen(one.region_code, MADE_AT, "nightly audit", "账簿被改动", "night", ("H03",)))
            if one.region_code in frozen
            else one
            for one in content.verdicts
        ]
        source = Source(connection, replace(content, verdicts=verdicts), folder=folder)
        found = dict(page.files(source, frame_of(source)))
    if folder is not None:
        for name, html in found.items():
            replace_file(folder / name, html.encode())
    return found


class _Tree(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.builder = TreeBuilder()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.builder.start(tag, {name: value or "" for name, value in attrs})
        if tag in _VOID:
            self.builder.end(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag not in _VOID:
            self.builder.end(tag)

    def handle_data(self, data: str) -> None:
        self.builder.data(data)


def tree(html: str) -> Element:
    """The page's root element."""
    parser = _Tree()
    parser.feed(html)
    parser.close()
    return parser.builder.close()


def by_id(root: Element, name: str) -> Element:
    """The element of that id."""
    (found,) = root.iterfind(f".//*[@id='{name}']")
    return found


def words(element: Element) -> str:
    """All its text, spaces made single."""
    return " ".join("".join(element.itertext()).split())


def amounts(element: Element) -> list[Decimal]:
    """All amounts in it, in order, as the unit switch reads them."""
    return [Decimal(data.attrib["value"]) for data in element.iter("data")]


def body_and_foot(table: Element) -> tuple[list[list[Decimal]], list[Decimal]]:
    """Amounts of each row of a table's body, and of its foot."""
    (foot,) = table.iterfind("tfoot/tr")
    return [amounts(row) for row in table.iterfind("tbody/tr")], amounts(foot)
