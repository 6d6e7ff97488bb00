"""Opening a page of the site, and what must be true of every page that was open."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, Locator, Page

from reporting.assets import manifest
from reporting.site.writing import ASSETS


@contextmanager
def opened(browser: Browser, path: Path, width: int = 1280, *, where: str = "", **options: Any) -> Iterator[Page]:  # noqa: ANN401
    """The page, at `where` (query and fragment); asserts in the end that it asked for its own files only, or for a page
    beside it when a link was followed, and that nothing complained.
    """
    context = browser.new_context(viewport={"width": width, "height": 900}, **options)
    page = context.new_page()
    asked: set[str] = set()
    complaints: list[str] = []
    page.on("request", lambda request: asked.add(request.url.partition("#")[0].partition("?")[0]))
    page.on("console", lambda message: complaints.append(message.text))
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.goto(path.as_uri() + where)
    yield page
    names = (*ASSETS, *(f"vendor/{asset.path}" for asset in manifest()))
    own = {file.as_uri() for file in path.parent.glob("*.html")}
    own |= {(path.parent / "assets" / name).as_uri() for name in names}
    assert asked <= own, asked - own
    assert complaints == [], complaints
    context.close()


def follow(link: Locator) -> None:
    """Click a link, and wait for the page that it leads to: a click alone does not."""
    with link.page.expect_navigation():
        link.click()
