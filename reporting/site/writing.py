"""Puts the site into the folder of reports: its assets first, then every page in one step each, the first page last."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from reporting import assets
from reporting.files import replace_file
from reporting.site import PAGES, Page, Source, frame_of
from reporting.site.frame import Frame

_LOG = logging.getLogger(__name__)
# The site's own scripts and styles, beside the pages in the folder `assets`.
ASSETS = ("site.css", "print.css", "site.js", "charts.js", "findings.js", "statement.css", "statement.js")
# What pages take from others: package of `reporting.assets` by the folder's names.
PACKAGES = ("echarts", "zrender", "tslib")


def write_assets(folder: Path) -> list[Path]:
    """Put scripts and styles beside the pages; those that are there already stay untouched. Returns the paths."""
    written = []
    for name in ASSETS:
        content, target = (assets.FOLDER / name).read_bytes(), folder / "assets" / name
        written.append(target)
        if not target.is_file() or target.read_bytes() != content:
            replace_file(target, content)
    return [*written, *assets.install(folder, PACKAGES)]


def write_pages(source: Source, folder: Path, failures: dict[str, Exception]) -> list[Path]:
    """Put all pages into the folder; one that fails is left as it was, and noted in `failures` by its key.

    The first page is the last to be written, and says which of the others have failed.
    """
    frame, source = frame_of(source), replace(source, folder=folder)
    first, *others = PAGES
    written = [path for page in others for path in _attempt(page, source, frame, folder, failures)]
    told = [*source.failures, *(f"{page.title.zh} {page.title.en}" for page in others if page.key in failures)]
    return [*written, *_write(first, replace(source, failures=told), frame, folder)]


def _attempt(page: Page, source: Source, frame: Frame, folder: Path, failures: dict[str, Exception]) -> Iterator[Path]:
    with source.connection.cursor() as cursor:
        cursor.execute("savepoint page")
        try:
            yield from _write(page, source, frame, folder)
        except Exception as failure:
            _LOG.exception("the page %s could not be written", page.key)
            failures[page.key] = failure
            cursor.execute("rollback to savepoint page")  # the state that all pages are of goes on


def _write(page: Page, source: Source, frame: Frame, folder: Path) -> list[Path]:
    return [replace_file(folder / name, html.encode()) for name, html in page.files(source, frame)]
