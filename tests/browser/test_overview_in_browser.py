"""The overview page in a browser: nothing leaves it, nothing is cut off, and everything can be reached and read."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page

from ingestion.settings import Settings
from reporting import overview as overviews
from reporting.books import one_state
from reporting.page import render
from tests.browser.content import MADE_AT, overview

# A4 without the margins of @page, in CSS pixels.
_PRINTED_WIDTH = round((210 - 24) / 25.4 * 96)

_CUT_OFF = """() => [...document.querySelectorAll('main *, header *, footer *')]
    .filter(e => !e.closest('svg') && e.getClientRects().length)
    .filter(e => e.getBoundingClientRect().right > document.documentElement.clientWidth + 1)
    .map(e => e.tagName + '.' + e.className + ': ' + e.textContent.slice(0, 40))"""

_CONTRASTS = """() => {
    const parse = text => text.match(/[0-9.]+/g).map(Number);
    const linear = v => (v /= 255) <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4;
    const luminance = c => 0.2126 * linear(c[0]) + 0.7152 * linear(c[1]) + 0.0722 * linear(c[2]);
    const ground = e => {
        for (; e; e = e.parentElement) {
            const c = parse(getComputedStyle(e).backgroundColor);
            if (c.length < 4 || c[3] > 0) return c;
        }
        return [255, 255, 255];
    };
    const texts = '.light span, .banner strong, .verdict, dt, .note, .source, td, th, a, summary, .neg';
    return [...document.querySelectorAll(texts)]
        .filter(e => e.checkVisibility({contentVisibilityAuto: true}) && e.textContent.trim())
        .map(e => {
            const [a, b] = [parse(getComputedStyle(e).color), ground(e)].map(luminance).sort((x, y) => y - x);
            return [(a + 0.05) / (b + 0.05), e.className + ' ' + e.textContent.slice(0, 30)];
        }).filter(([ratio]) => ratio < 4.5);
}"""


@pytest.fixture(scope="module")
def bad_page(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two refused regions whose columns are as wide as they get."""
    path = tmp_path_factory.mktemp("bad") / "index.html"
    path.write_text(render(overview(2, 8), ["merged_fund_320100.xlsx"]), encoding="utf-8")
    return path


@contextmanager
def _opened(browser: Browser, path: Path, width: int = 1280, **options: Any) -> Iterator[Page]:  # noqa: ANN401
    """The page; asserts in the end that nothing but the file was asked for, and that nothing complained."""
    page = browser.new_page(viewport={"width": width, "height": 900}, **options)
    asked: list[str] = []
    complaints: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.on("console", lambda message: complaints.append(message.text))
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.goto(path.as_uri())
    yield page
    assert asked == [path.as_uri()]
    assert complaints == []
    page.close()


def test_published_books_as_supervisors_see_them(browser: Browser, published_samples: str, tmp_path: Path) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("FUND_DATABASE_URL", published_samples)
        settings = Settings.from_env()
    with one_state(settings) as connection:
        content = overviews.read(connection, None, overviews.Clock(MADE_AT, settings.business_date))
    path = tmp_path / "index.html"
    path.write_text(render(content, []), encoding="utf-8")
    with _opened(browser, path) as page:
        assert page.locator("#verdict .card").count() == 2
        assert page.locator("#verdict .card.green").count() == 2
        assert page.get_by_text("生育保险基金：2020年1月（该基金末月，已并入职工基本医疗保险基金）").is_visible()
        assert not page.get_by_text("剖宫产").first.is_visible()
        page.locator("#m-320100-EMI > summary").click()
        assert page.locator("#m-320100-EMI").get_by_text("剖宫产").first.is_visible()


@pytest.mark.parametrize("width", [360, 768, 1280, 2560])
def test_no_width_needs_scrolling_sideways(browser: Browser, bad_page: Path, width: int) -> None:
    with _opened(browser, bad_page, width) as page:
        for _ in range(2):
            assert page.evaluate("document.documentElement.scrollWidth") == width
            outside = page.evaluate(
                _CUT_OFF.replace("e.getClientRects().length", "!e.closest('.scroll') && e.getClientRects().length")
            )
            assert outside == []
            page.evaluate("document.querySelectorAll('details').forEach(d => { d.open = true })")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_text_has_contrast(browser: Browser, bad_page: Path, scheme: str) -> None:
    with _opened(browser, bad_page, color_scheme=scheme) as page:
        page.evaluate("document.querySelectorAll('details').forEach(d => { d.open = true })")
        assert page.evaluate(_CONTRASTS) == []


def test_every_light_has_a_shape_and_words(browser: Browser, bad_page: Path) -> None:
    with _opened(browser, bad_page) as page:
        lights = page.locator("#lights .light")
        assert lights.count() > 10
        for light in lights.all():
            tone = (light.get_attribute("class") or "").split()[1]
            assert light.locator("use").get_attribute("href") == f"#light-{tone}"
            assert re.search("[\u4e00-\u9fff]", light.inner_text())
        assert len({page.locator(f"#light-{tone}").inner_html() for tone in ("red", "amber", "green", "grey")}) == 4


def test_keyboard_reaches_everything(browser: Browser, bad_page: Path) -> None:
    with _opened(browser, bad_page) as page:
        wanted = page.evaluate(
            "[...document.querySelectorAll('a[href], summary, .scroll')]"
            ".filter(e => e.checkVisibility({contentVisibilityAuto: true})).length"
        )
        seen = set()
        for _ in range(wanted + 5):
            page.keyboard.press("Tab")
            seen.add(page.evaluate("[...document.querySelectorAll('*')].indexOf(document.activeElement)"))
        assert len(seen) >= wanted
        page.locator("#m-320100-EMI > summary").focus()
        page.keyboard.press("Enter")
        assert page.locator("#m-320100-EMI").get_by_text("剖宫产").first.is_visible()


def test_fingers_find_their_targets(browser: Browser, bad_page: Path) -> None:
    with _opened(browser, bad_page, 360) as page:
        for selector, least in (("nav a", 44), ("summary", 44), (".card .links a", 32), (".matrix a", 24)):
            boxes = [element.bounding_box() for element in page.locator(selector).all() if element.is_visible()]
            assert boxes
            assert min(box["height"] for box in boxes if box) >= least, selector


def test_links_lead_somewhere(browser: Browser, bad_page: Path) -> None:
    with _opened(browser, bad_page) as page:
        targets = page.evaluate("[...document.querySelectorAll('a')].map(a => a.getAttribute('href'))")
        ids = page.evaluate("[...document.querySelectorAll('[id]')].map(e => e.id)")
        assert len(ids) == len(set(ids))
        assert {target[1:] for target in targets if target.startswith("#")} <= set(ids)
        assert {target for target in targets if not target.startswith("#")} == {"merged_fund_320100.xlsx"}


def test_structure_is_told_to_readers_of_the_screen(browser: Browser, bad_page: Path) -> None:
    with _opened(browser, bad_page) as page:
        levels = page.evaluate("[...document.querySelectorAll('h1, h2, h3, h4')].map(h => Number(h.tagName[1]))")
        assert levels[0] == 1
        assert all(after <= before + 1 for before, after in pairwise(levels))
        assert page.evaluate("document.documentElement.lang") == "zh-CN"
        assert page.locator("[lang=en]").count() > 50
        assert page.locator("table:not(:has(caption)):not([aria-label])").count() == page.locator(
            ".scroll[aria-label] > table:not(:has(caption))"
        ).count()  # fmt: skip


def test_print_shows_everything_and_cuts_nothing(browser: Browser, bad_page: Path) -> None:
    with _opened(browser, bad_page, _PRINTED_WIDTH) as page:
        page.emulate_media(media="print")
        assert page.evaluate(_CUT_OFF) == []
        assert page.locator("#m-320100-EMI").get_by_text("剖宫产").first.is_visible()
        assert not page.locator("nav").is_visible()
        assert page.evaluate("getComputedStyle(document.querySelector('thead')).display") == "table-header-group"
        pdf = page.pdf(prefer_css_page_size=True, print_background=True)
        boxes = re.findall(rb"/MediaBox \[0 0 ([0-9.]+) ([0-9.]+)\]", pdf)
        assert len(boxes) > 5
        assert {(round(float(width)), round(float(height))) for width, height in boxes} == {(595, 842)}


def test_page_of_thirty_bad_regions_stays_small() -> None:
    html = render(overview(30, 2), [])
    assert len(html.encode()) < 2_000_000
    assert "30 个统筹区中：30 个未发布；另有 1 份文件被拒收，尚待更正。" in html
    assert "另有 17 项检查未在此展开" in html
    assert html == render(overview(30, 2), [])
