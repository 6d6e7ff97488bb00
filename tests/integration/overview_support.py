"""The site of a database as its readers meet it: HTML at a fixed time, and its words by page and element."""

from __future__ import annotations

import re
from collections.abc import Collection
from contextlib import suppress
from datetime import UTC, datetime
from html.parser import HTMLParser

from expectations.gate import GateRefusedError, check, publish
from ingestion.settings import Settings
from reporting import overview
from reporting.books import one_state
from reporting.site import PAGES, Source, frame_of
from tests.integration.gate_books_copy import GateBooks
from tests.integration.gate_mutations import MUTATIONS

MADE_AT = datetime(2026, 11, 22, 8, 0, tzinfo=UTC)
_CELLS = {"td", "th", "dt", "dd", "p"}
_VOID = {"meta", "link", "use", "path", "circle", "br", "input"}


def site_of(settings: Settings, run_id: str | None = None, workbooks: Collection[str] = ()) -> dict[str, str]:
    """Pages as they would be written at `MADE_AT`, but for the many of months: HTML by the file's name."""
    with one_state(settings) as connection:
        content = overview.read(connection, run_id, overview.Clock(MADE_AT, settings.business_date))
        source = Source(connection, content, workbooks, folder=settings.reports_dir)
        frame = frame_of(source)
        few = [page for page in PAGES if page.key not in ("statement", "reconciliation")]
        found = {name: html for page in few for name, html in page.files(source, frame)}
    return {name: html for name, html in found.items() if name.endswith(".html")}


def words_of(settings: Settings, run_id: str | None = None, workbooks: Collection[str] = ()) -> dict[str, Words]:
    """The words of every page by the file's name."""
    return {name: Words(html) for name, html in site_of(settings, run_id, workbooks).items()}


def html_of(
    settings: Settings, run_id: str | None = None, workbooks: Collection[str] = (), file: str = "index.html"
) -> str:
    """One page of it."""
    return site_of(settings, run_id, workbooks)[file]


def corruption(code: str, why: str) -> str:
    """SQL of one of the gate's mutations; superusers only, with triggers off."""
    return next(mutation.sql for mutation in MUTATIONS if (mutation.code, mutation.why) == (code, why))


def mutation(code: str, why: str) -> str:
    """The same, with triggers and foreign keys switched off before."""
    return f"set session_replication_role = replica;{corruption(code, why)}"


def first(code: str) -> str:
    """What the first mutation that a check must find is called."""
    return next(mutation.why for mutation in MUTATIONS if mutation.code == code)


def run(books: GateBooks, run_id: str = "run-1") -> None:
    """Check and decide, whatever the decision."""
    check(run_id, books.settings)
    with suppress(GateRefusedError):
        publish(run_id, books.settings)


class Words(HTMLParser):
    """Text of every element that has an id, of the whole page under '', and all attributes of all elements."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.texts: dict[str, str] = {}
        self.attributes: list[tuple[str, str, str]] = []
        self.tags: set[str] = set()
        self._open: list[str] = []
        self.feed(html)
        self.close()
        self.texts = {name: re.sub(r"\s+", " ", text) for name, text in self.texts.items()}

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attributes += [(tag, name, value or "") for name, value in attrs]
        if tag not in _VOID:
            self._open.append(dict(attrs).get("id") or "")

    def handle_endtag(self, tag: str) -> None:
        if tag not in _VOID:
            self._open.pop()
        if tag in _CELLS:
            self.handle_data(" ")

    def handle_data(self, data: str) -> None:
        if "style" in self.tags and not any(self._open) and "{" in data:
            return
        for name in {"", *self._open}:
            self.texts[name] = self.texts.get(name, "") + data

    def __getitem__(self, name: str) -> str:
        return self.texts[name]
