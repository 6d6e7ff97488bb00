"""A real browser: Debian's Chromium, without sandbox (tests run as root) and without its own network business."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, sync_playwright

_ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
]


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """Chromium, found by FUND_CHROMIUM or on PATH; skipped without it, unless FUND_REQUIRE_BROWSER is set."""
    program = os.environ.get("FUND_CHROMIUM") or shutil.which("chromium")
    if program is None:
        reason = "no browser: install Debian's package chromium, or name one in FUND_CHROMIUM"
        if os.environ.get("FUND_REQUIRE_BROWSER"):
            pytest.fail(reason)
        pytest.skip(reason)
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=program, args=_ARGUMENTS)
        yield chromium
        chromium.close()
