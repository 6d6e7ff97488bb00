"""The site in a browser: nothing leaves it, nothing is cut off, and everything can be reached and read."""

from __future__ import annotations

import re
import time
from itertools import pairwise
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect

from ingestion.settings import Settings
from reporting import overview as overviews
from reporting.books import one_state
from reporting.site import PAGES as ALL_PAGES
from reporting.site import Source
from reporting.site.writing import write_assets, write_pages
from tests.browser.content import MADE_AT, write_site
from tests.browser.site_pages import opened

pytestmark = pytest.mark.slow

PAGES = ("index.html", "findings.html", "ingestion.html", "periods.html")
WITH_CHARTS = ("index.html", "ingestion.html")
# Of pages alike in what is tested, the ordinary run looks at two.
OFTEN_AND_SLOW = [
    name if name in ("index.html", "findings.html") else pytest.param(name, marks=pytest.mark.exhaustive)
    for name in PAGES
]

# A4 without the margins of @page, in CSS pixels.
_PRINTED_WIDTH = round((210 - 24) / 25.4 * 96)

_CUT_OFF = """where => [...document.querySelectorAll('main *, header *, footer *')]
    .filter(e => !e.closest('svg, .canvas, ' + where) && e.getClientRects().length)
    .filter(e => e.getBoundingClientRect().right > document.documentElement.clientWidth + 1)
    .map(e => e.tagName + '.' + e.className + ': ' + e.textContent.slice(0, 40))"""
_UNFOLD = "document.querySelectorAll('details').forEach(d => { d.open = true })"


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Two refused regions whose columns are as wide as they get, with 352 findings."""
    return write_site(tmp_path_factory.mktemp("site"), 2, 8)


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """One region with six checks that failed; axe takes its time with every element."""
    return write_site(tmp_path_factory.mktemp("small"), 1, 1, codes=6)


def test_published_samples_as_supervisors_see_them(browser: Browser, published_samples: str, tmp_path: Path) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("FUND_DATABASE_URL", published_samples)
        settings = Settings.from_env()
    failures: dict[str, Exception] = {}
    with one_state(settings) as connection:
        content = overviews.read(connection, None, overviews.Clock(MADE_AT, settings.business_date))
        written = write_pages(Source(connection, content, folder=tmp_path), tmp_path, failures)
    write_assets(tmp_path)
    assert failures == {}
    assert {entry.file for entry in ALL_PAGES} <= {path.name for path in written}
    for entry in ALL_PAGES:
        with opened(browser, tmp_path / entry.file) as page:
            assert page.locator("h1").is_visible()
            assert page.locator("nav a[aria-current=page]").inner_text() == entry.title.zh
    with opened(browser, tmp_path / "index.html") as page:
        assert page.locator("#verdict .card.green").count() == page.locator("#verdict .card").count() == 2
        assert page.locator("#trend svg").count() == 2


@pytest.mark.parametrize("language", ["zh", pytest.param("en", marks=pytest.mark.exhaustive)])
@pytest.mark.parametrize("name", PAGES)
def test_axe_finds_nothing(browser: Browser, small: dict[str, Path], name: str, language: str) -> None:
    with opened(browser, small[name], where=f"?lang={language}") as page:
        _axe(page)
        page.evaluate(_UNFOLD)
        page.emulate_media(color_scheme="dark")
        _axe(page, "color-contrast", "scrollable-region-focusable")


def test_axe_finds_nothing_on_a_phone_in_both_languages(browser: Browser, small: dict[str, Path]) -> None:
    with opened(browser, small["ingestion.html"], 360) as page:
        # As without script, which axe itself needs.
        page.evaluate(
            "document.documentElement.removeAttribute('data-lang');"
            "document.querySelectorAll('.switches, .canvas').forEach(e => { e.hidden = true })"
        )
        page.evaluate(_UNFOLD)
        _axe(page)


def _axe(page: Page, *rules: str) -> None:
    only = {"runOnly": {"type": "rule", "values": list(rules)}} if rules else {}
    # Without preloading: it would fetch the styles, which the policy forbids.
    found = Axe().run(page, options={"preload": False, "resultTypes": ["violations"], **only})
    assert found.violations_count == 0, found.generate_report()


@pytest.mark.parametrize("name", PAGES)
def test_no_width_needs_scrolling_sideways(browser: Browser, site: dict[str, Path], name: str) -> None:
    with opened(browser, site[name]) as page:
        for _ in range(2):
            for width in (360, 768, 1280, 2560):
                page.set_viewport_size({"width": width, "height": 900})
                page.wait_for_timeout(50)
                assert page.evaluate("document.documentElement.scrollWidth") == width
                assert page.evaluate(_CUT_OFF, ".scroll, .masthead nav") == [], width
            page.evaluate(_UNFOLD)


@pytest.mark.parametrize("name", PAGES)
def test_language_is_chinese_first_and_can_be_switched(browser: Browser, site: dict[str, Path], name: str) -> None:
    with opened(browser, site[name]) as page:
        assert page.evaluate("document.documentElement.lang") == "zh-CN"
        assert re.search("[\u4e00-\u9fff]", page.title())
        assert page.locator("main [lang=en]:visible").count() == 0
        page.get_by_role("button", name="English").click()
        assert page.evaluate("document.documentElement.lang") == "en"
        assert not re.search("[\u4e00-\u9fff]", page.title())
        assert page.locator("main [lang=zh]:visible").count() == 0
        assert not re.search("[\u4e00-\u9fff]", page.locator("main h2").first.inner_text())
        page.reload()  # the choice stays
        assert page.evaluate("document.documentElement.dataset.lang") == "en"


def test_unit_is_yuan_first_and_can_be_switched(browser: Browser, site: dict[str, Path]) -> None:
    with opened(browser, site["findings.html"]) as page:
        amount = page.locator("#findings data.money").first
        assert amount.inner_text() == "98,765,432,109.87"
        assert page.locator("#findings thead").inner_text().count("（元）") == 1
        page.get_by_role("button", name="万元").click()
        assert amount.inner_text() == "9,876,543.21"
        assert amount.get_attribute("title") == "98,765,432,109.87 元 yuan"
        assert page.locator("#findings thead").inner_text().count("（万元）") == 1
        page.evaluate("""document.querySelector('#findings data.money').setAttribute('value', '-50.00')""")
        page.get_by_role("button", name="元", exact=True).click()
        assert amount.inner_text() == "−50.00"
        page.get_by_role("button", name="万元").click()
        assert amount.inner_text() == "−0.01"  # half away from zero, never by a float


@pytest.mark.parametrize("name", OFTEN_AND_SLOW)
def test_without_script_both_languages_and_all_figures_are_there(
    browser: Browser, site: dict[str, Path], name: str
) -> None:
    with opened(browser, site[name], java_script_enabled=False) as page:
        heading = page.locator("main h2, main caption").first.inner_text()
        assert re.search("[\u4e00-\u9fff]", heading)
        assert re.search("[A-Za-z]", heading)
        assert not page.locator(".switches").is_visible()
        assert page.locator(".canvas:visible").count() == 0
        assert page.locator("figure summary:visible").count() == page.locator("figure").count()
        assert page.locator("#findings > tbody:not(:visible)").count() == 0


@pytest.mark.parametrize("name", WITH_CHARTS)
def test_charts_say_what_their_tables_say(browser: Browser, site: dict[str, Path], name: str) -> None:
    with opened(browser, site[name]) as page:
        figures = page.locator("figure")
        assert figures.count() == 2
        for figure in figures.all():
            drawing = figure.locator(".canvas")
            assert len(drawing.get_attribute("aria-label") or "") > 20
            assert drawing.locator("svg path").count() > 30
            heads = figure.locator("thead th[data-series]").evaluate_all("all => all.map(one => fund.text(one))")
            legend = drawing.locator("svg text").all_text_contents()
            assert heads
            assert set(heads) <= set(legend)
            rows = figure.locator("tbody tr").count()
            assert rows == 30
            values = figure.evaluate(
                "f => echarts.getInstanceByDom(f.querySelector('.canvas')).getOption().series.map(s => s.data)"
            )
            columns = figure.evaluate(
                "f => [...f.querySelectorAll('thead th')].flatMap((h, i) => 'series' in h.dataset"
                " ? [[...f.querySelectorAll('tbody tr')].map(r => Number(r.cells[i].dataset.value))] : [])"
            )
            assert values == columns
        page.get_by_role("button", name="English").click()
        assert page.locator("svg text", has_text=re.compile("passed|loaded")).count() >= 1


def test_findings_are_filtered_sorted_and_paged(browser: Browser, site: dict[str, Path]) -> None:
    with opened(browser, site["findings.html"]) as page:
        rows = page.locator("#findings > tbody:visible")
        assert rows.count() == 50
        page.get_by_role("button", name="再显示 50 条").click()
        assert rows.count() == 100
        page.locator("#f-region").select_option("320200")
        page.locator("#f-code").select_option("B03")
        assert rows.count() == 8
        assert "符合条件 8 条，共列出 352 条" in page.locator("#found").inner_text()
        page.locator("#f-status").select_option("accepted")
        assert 0 < rows.count() < 8
        page.locator("#f-text").fill("王芳")
        assert rows.count() > 0
        page.locator("#f-text").fill("nobody of this name")
        assert rows.count() == 0
        assert page.locator("#none").is_visible()
        assert "code=B03" in page.url
        page.reload()  # the choice stands in the address
        assert page.locator("#f-code").input_value() == "B03"
        page.get_by_role("button", name="清除条件").click()
        assert rows.count() == 50
        page.locator("#f-sort").select_option("code")
        codes = rows.evaluate_all("all => all.map(one => one.dataset.code)")
        assert codes == sorted(codes)


def test_lights_lead_to_the_findings_of_their_suite(browser: Browser, site: dict[str, Path]) -> None:
    with opened(browser, site["index.html"]) as page:
        link = page.locator("#lights td a[href^=findings]").first.get_attribute("href")
    assert link == "findings.html#320100-balance"
    with opened(browser, site["findings.html"], where="#320100-balance") as page:
        assert page.locator("[id='320100-balance']").is_visible()
        assert page.locator("#f-region").input_value() == "320100"
        assert page.locator("#f-suite").input_value() == "balance"
        page.evaluate("location.hash = '320200-C01'")
        expect(page.locator("#f-code")).to_have_value("C01")
        assert page.locator("#f-region").input_value() == "320200"


def test_row_opens_to_where_it_stands_and_what_to_do(browser: Browser, site: dict[str, Path]) -> None:
    with opened(browser, site["findings.html"]) as page:
        row = page.locator("#findings > tbody").first
        row.locator("summary").focus()
        page.keyboard.press("Enter")
        row.locator("dl.do").wait_for()
        text = row.inner_text()
        for part in ("nanjing/nj_claim_2020Q2.csv", "第 0 行", "320100-0-1", "claim.paid", "不得手工改账"):
            assert part in text


@pytest.mark.parametrize("name", OFTEN_AND_SLOW)
def test_keyboard_reaches_everything(browser: Browser, site: dict[str, Path], name: str) -> None:
    with opened(browser, site[name]) as page:
        wanted = page.evaluate(
            "[...document.querySelectorAll('a[href], summary, .scroll, button, select, input')]"
            ".filter(e => e.checkVisibility({contentVisibilityAuto: true})).length"
        )
        page.keyboard.press("Tab")
        assert page.evaluate("document.activeElement.className") == "skip"
        assert page.locator(".skip").bounding_box()["y"] >= 0  # type: ignore[index]
        seen = {0}
        for _ in range(wanted + 5):
            page.keyboard.press("Tab")
            seen.add(page.evaluate("[...document.querySelectorAll('*')].indexOf(document.activeElement)"))
        assert len(seen) >= wanted
        page.locator(".skip").focus()
        page.keyboard.press("Enter")
        assert page.evaluate("document.activeElement.id") == "content"


@pytest.mark.exhaustive
@pytest.mark.parametrize("name", PAGES)
def test_fingers_find_their_targets(browser: Browser, site: dict[str, Path], name: str) -> None:
    with opened(browser, site[name], 360) as page:
        wanted = {".masthead nav a": 44, "main summary": 28, ".links a": 32, ".switches button": 36}
        for selector, least in wanted.items():
            heights = page.locator(selector).evaluate_all("all => all.map(e => e.getBoundingClientRect().height)")
            assert all(height >= least for height in heights if height), selector


@pytest.mark.parametrize("name", PAGES)
def test_structure_and_links(browser: Browser, site: dict[str, Path], name: str) -> None:
    with opened(browser, site[name]) as page:
        levels = page.evaluate("[...document.querySelectorAll('h1, h2, h3, h4')].map(h => Number(h.tagName[1]))")
        assert levels.count(1) == 1
        assert all(after <= before + 1 for before, after in pairwise(levels))
        ids = page.evaluate("[...document.querySelectorAll('[id]')].map(e => e.id)")
        assert len(ids) == len(set(ids))
        targets = page.evaluate("[...document.querySelectorAll('a')].map(a => a.getAttribute('href'))")
        assert {target[1:] for target in targets if target.startswith("#") and "=" not in target} <= set(ids)
        files = {target.partition("#")[0] for target in targets if not target.startswith("#")}
        files -= {entry.file for entry in ALL_PAGES}  # the navigation; some pages are tested elsewhere
        files.discard("data_docs/index.html")  # written beside the pages, and tested elsewhere
        assert all((site[name].parent / file).is_file() for file in files)
        assert page.locator("nav a[aria-current=page]").get_attribute("href") == name
        for target in targets:
            file, _, place = target.partition("#")
            if file in PAGES and place and "=" not in place:
                assert f'id="{place}"' in site[file].read_text("utf-8"), target


@pytest.mark.parametrize("name", OFTEN_AND_SLOW)
def test_print_shows_everything_and_cuts_nothing(browser: Browser, site: dict[str, Path], name: str) -> None:
    with opened(browser, site[name], _PRINTED_WIDTH, color_scheme="dark") as page:
        page.emulate_media(media="print")
        assert page.evaluate(_CUT_OFF, ".nothing") == []
        assert not page.locator(".masthead").is_visible()
        assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
        assert page.evaluate("getComputedStyle(document.querySelector('thead')).display") == "table-header-group"
        folded = page.locator("details:not([open]) > *:not(summary):visible")
        assert name == "index.html" or folded.count() > 0
        for canvas in page.locator(".canvas svg").all():
            box = canvas.bounding_box()
            assert box
            assert box["x"] + box["width"] <= _PRINTED_WIDTH + 1
        pdf = page.pdf(prefer_css_page_size=True, print_background=True)
        boxes = re.findall(rb"/MediaBox \[0 0 ([0-9.]+) ([0-9.]+)\]", pdf)
        assert boxes
        assert {(round(float(width)), round(float(height))) for width, height in boxes} == {(595, 842)}


def test_every_light_has_a_shape_and_words(browser: Browser, site: dict[str, Path]) -> None:
    with opened(browser, site["index.html"]) as page:
        lights = page.locator("#lights .light")
        assert lights.count() > 10
        for light in lights.all():
            tone = (light.get_attribute("class") or "").split()[1]
            assert light.locator("use").get_attribute("href") == f"#light-{tone}"
            assert re.search("[\u4e00-\u9fff]", light.inner_text())
        assert len({page.locator(f"#light-{tone}").inner_html() for tone in ("red", "amber", "green", "grey")}) == 4


def test_thousands_of_findings_are_bounded_and_stay_quick(browser: Browser, tmp_path: Path) -> None:
    site = write_site(tmp_path, 30, 2)
    assert {name: path.stat().st_size for name, path in site.items() if path.stat().st_size > 4_000_000} == {}
    assert "另有 17 项检查未在此展开" in site["findings.html"].read_text("utf-8")
    with opened(browser, site["findings.html"]) as page:
        assert "另有 1,640 条未列出" in page.locator("#cut").inner_text()
        started = time.monotonic()
        page.locator("#f-text").fill("B03")
        page.locator("#f-region").select_option("320300")
        assert page.locator("#findings > tbody:visible").count() > 0
        assert time.monotonic() - started < 10  # 0.2 s on a quiet machine
