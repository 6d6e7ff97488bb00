"""Puts the site into the folder of reports: its assets first, then every page in one step each, the first page last."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from reporting.files import replace_file
from reporting.site import PAGES, Page, Source, frame_of
from reporting.site.frame import Frame

_LOG = logging.getLogger(__name__)
_ASSETS = Path(__file__).parent.parent / "assets"
_CHARTS = _ASSETS / "vendor" / "echarts"

# Files beside the pages, by name in the folder `assets`. The licence of what others wrote goes with it.
ASSETS: dict[str, Path] = {
    "site.css": _ASSETS / "site.css",
    "print.css": _ASSETS / "print.css",
    "site.js": _ASSETS / "site.js",
    "charts.js": _ASSETS / "charts.js",
    "findings.js": _ASSETS / "findings.js",
    "statement.css": _ASSETS / "statement.css",
    "statement.js": _ASSETS / "statement.js",
    "echarts.common.min.js": _CHARTS / "dist" / "echarts.common.min.js",
    "echarts.LICENSE.txt": _CHARTS / "LICENSE",
    "echarts.NOTICE.txt": _CHARTS / "NOTICE",
}


def write_assets(folder: Path) -> list[Path]:
    """Put scripts and styles beside the pages; those that are there already stay untouched."""
    written = []
    for name, path in ASSETS.items():
        content, target = path.read_bytes(), folder / "assets" / name
        if not target.is_file() or target.read_bytes() != content:
            written.append(replace_file(target, content))
    return written


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
