"""Statement and reconciliation pages in a browser: drill-downs, choice of the month, switches, print, keyboard."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime
from decimal import ROUND_HALF_UP, Decimal
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page

from ingestion.settings import Settings
from reporting.reconciliation import reading as tie_outs
from reporting.site import PAGES, reconciliation, statement, writing
from reporting.statements.reading import Closed
from tests.browser.site_pages import follow, opened
from tests.integration.pages_support import built

pytestmark = pytest.mark.slow

JUNE = "statement_320100_emi_2020-06.html"
MAY = "statement_320100_emi_2020-05.html"
MERGER = "statement_340400_mat_2019-12.html"
RECONCILED = "reconciliation_320100.html"
CLOSED = Closed("preparer", "approver", datetime(2020, 7, 5, 8, tzinfo=UTC), None, 41000, "ab" * 32, "cd" * 32, None)
_SHOWN = "e => e.checkVisibility({contentVisibilityAuto: true})"
_CUT_OFF = """() => [...document.querySelectorAll('main *')]
    .filter(e => !e.closest('svg') && e.getClientRects().length)
    .filter(e => e.getBoundingClientRect().right > document.documentElement.clientWidth + 1)
    .map(e => e.tagName + '.' + e.className + ': ' + e.textContent.slice(0, 40))"""


@pytest.fixture(scope="module")
def folder(published_samples: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two months of each fund, May closed, and the tie-out of four months."""
    made = tmp_path_factory.mktemp("site")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("FUND_DATABASE_URL", published_samples)
        patch.setattr(statement, "MONTHS_SHOWN", 2)
        patch.setattr(tie_outs, "MONTHS", 4)
        patch.setattr(statement.reading, "closed_months", lambda *_: {date(2020, 5, 1): CLOSED})
        settings = Settings.from_env()
        for page in (statement.KEY, reconciliation.KEY):
            built(settings, page, made)
    writing.write_assets(made)
    return made


def _visible(page: Page, selector: str) -> bool:
    return bool(page.locator(selector).first.evaluate(_SHOWN))


def test_a_figure_opens_to_accounts_and_an_account_to_vouchers(browser: Browser, folder: Path) -> None:
    with opened(browser, folder / JUNE) as page:
        line = page.locator("#I11 a.open")
        assert line.get_attribute("aria-expanded") == "false"
        assert not _visible(page, "#x-I11")
        line.focus()
        page.keyboard.press("Enter")
        assert line.get_attribute("aria-expanded") == "true"
        assert page.locator("#x-I11 .tick").inner_text() == "✓ 相符"
        assert "marts.explain('320100', 'EMI', DATE '2020-06-01', 'I11')" in page.locator("#x-I11 code").inner_text()
        page.locator("#x-I11 a[href='#v-400101-pooled']").click()
        assert _visible(page, "#v-400101-pooled table")
        assert page.locator("#v-400101-pooled tbody tr").count() > 1
        page.locator("#x-I11 a.close").click()
        assert not _visible(page, "#x-I11")
        assert page.evaluate("document.activeElement.getAttribute('href')") == "#x-I11"


def test_the_maternity_line_opens_to_items_and_institutions(browser: Browser, folder: Path) -> None:
    with opened(browser, folder / JUNE, where="#x-E113") as page:
        assert _visible(page, "#x-E113"), "others can be led to a line"
        assert page.locator("#x-E113 .items .item").count() >= 6
        assert not _visible(page, "#x-E113 .institutions table")
        page.locator("#x-E113 .institutions summary").first.click()
        assert _visible(page, "#x-E113 .institutions table")
        assert page.locator("#x-E113 .tick.bad").count() == 0


def test_without_script_a_line_opens_by_its_address(browser: Browser, folder: Path) -> None:
    with opened(browser, folder / JUNE, java_script_enabled=False) as page:
        assert page.locator("#x-I11").is_hidden()
        page.locator("#I11 a.open").click()
        assert page.locator("#x-I11").is_visible()
        assert page.locator("#chart-flow .as-table").is_visible()
        assert page.get_by_text("Not closed").first.is_visible(), "both languages are shown"


def test_months_are_chosen_and_closed_ones_say_who_approved(browser: Browser, folder: Path) -> None:
    with opened(browser, folder / JUNE) as page:
        assert page.locator(".standing").inner_text().startswith("未关账")
        choice = page.locator("select[data-go]")
        assert choice.locator("option").all_inner_texts() == ["2020年6月", "2020年5月（已关账）"]
        with page.expect_navigation():
            choice.select_option(MAY)
        assert page.url.endswith(MAY)
        standing = page.locator(".standing").inner_text()
        assert standing.startswith("已关账")
        assert "approver" in standing
        assert "abababab" * 2 in re.sub(r"\s", "", standing)
        follow(page.locator("a[rel=next]"))
        assert page.url.endswith(JUNE)
        follow(page.locator(".months a[href^='statement.html']"))
        assert page.locator("[id='320100'] .month-grid a.closed").count() == 1


def test_amounts_switch_to_ten_thousands_and_back(browser: Browser, folder: Path) -> None:
    with opened(browser, folder / JUNE) as page:
        total = page.locator("#I90 td.num").first
        yuan = Decimal(total.locator("data").get_attribute("value") or "0")
        assert yuan > 100_000
        assert total.inner_text() == f"{yuan:,.2f}"
        page.locator("[data-set-unit='10000']").click()
        assert total.inner_text() == f"{(yuan / 10_000).quantize(Decimal('0.01'), ROUND_HALF_UP):,}"
        assert "金额单位：万元" in re.sub(r"\s", "", page.locator("#income .statement > caption").inner_text())
        page.locator("[data-set-lang=en]").click()
        assert "10k yuan" in page.locator("#income .statement > caption").inner_text()
        assert "南京" not in page.locator("main").inner_text()
        page.locator("[data-set-unit='1']").click()
        assert total.inner_text() == f"{yuan:,.2f}"
    with opened(browser, folder / RECONCILED) as page:
        negative = page.locator("#m-2020-03 data.neg").first
        assert re.fullmatch(r"−[\d,]+\.\d\d", negative.inner_text())
        red = negative.evaluate("e => getComputedStyle(e).color")
        assert red != page.locator("main").evaluate("e => getComputedStyle(e).color")


def test_charts_are_drawn_from_their_tables(browser: Browser, folder: Path) -> None:
    with opened(browser, folder / JUNE) as page:
        assert page.locator(".chart .canvas svg").count() == 4
        assert page.locator("#chart-flow tbody tr").count() == 10
        share = page.locator("#chart-share tbody tr").last.locator("td").get_attribute("data-value")
        assert f"本月占 {share}%" in (page.locator("#chart-share .canvas").get_attribute("aria-label") or "")


def test_a_difference_opens_to_its_items(browser: Browser, folder: Path) -> None:
    with opened(browser, folder / "reconciliation.html") as page:
        follow(page.locator("#regions tbody th a").first)
        assert page.url.endswith(RECONCILED)
        figure = page.locator("#m-2020-03 .figure-open")
        assert not _visible(page, "#m-2020-03 .figure-open table")
        figure.locator("summary").click()
        assert re.search(r"320100-\d+-1 凭证 \d+\s+nj_claim_2020Q1\.csv:\d+", figure.inner_text())
        assert re.search(r"statement_\S+:\d+", figure.inner_text()), "and their row"
        assert figure.locator(".tick").inner_text() == "✓ 相符"


def test_a_statement_prints_as_a_sheet_with_signatures(browser: Browser, folder: Path) -> None:
    with opened(browser, folder / JUNE, 1032) as page:
        page.locator("#I11 a.open").click()
        page.emulate_media(media="print")
        assert page.evaluate(_CUT_OFF) == []
        assert page.locator("#income .signatures").inner_text().startswith("单位负责人（签章）：")
        assert not _visible(page, "#x-I11")
        assert not _visible(page, "#vouchers")
        codes = page.locator("#income .statement > tbody > tr[id]:not(.drill)").evaluate_all("e => e.map(r => r.id)")
        assert [*codes[:4], *codes[-3:]] == ["I10", "I11", "I12", "I13", "S20", "S25", "S30"]
        pdf = page.pdf(prefer_css_page_size=True, print_background=True)
        boxes = re.findall(rb"/MediaBox \[0 0 ([0-9.]+) ([0-9.]+)\]", pdf)
        sizes = [(round(float(width)), round(float(height))) for width, height in boxes]
        assert set(sizes) <= {(842, 595), (595, 842)}
        assert sizes.count((842, 595)) >= 4, "each statement lies across"
        assert 4 <= len(boxes) <= 10


@pytest.mark.parametrize("width", [360, pytest.param(768, marks=pytest.mark.exhaustive), 2560])
@pytest.mark.parametrize("file", ["statement.html", JUNE, RECONCILED])
def test_no_width_needs_scrolling_sideways(browser: Browser, folder: Path, file: str, width: int) -> None:
    with opened(browser, folder / file, width) as page:
        page.evaluate("document.querySelectorAll('details').forEach(d => { d.open = true })")
        assert page.evaluate("document.documentElement.scrollWidth") == width


@pytest.mark.parametrize(
    "file", ["statement.html", pytest.param(MERGER, marks=pytest.mark.exhaustive), "reconciliation.html", RECONCILED]
)
def test_axe_finds_nothing(browser: Browser, folder: Path, file: str) -> None:
    """Both languages at once, as without script. The pages of months are alike: that of the merger is the shortest."""
    with opened(browser, folder / file) as page:
        page.evaluate("[...document.querySelectorAll('details')].slice(0, 8).forEach(d => { d.open = true })")
        for link in page.locator("#I11 a.open, #E113 a.open, #S25 a.open, #N10 a.open").all():
            link.click()
        page.evaluate("document.documentElement.removeAttribute('data-lang')")
        page.evaluate("document.querySelector('.switches').remove()")
        _axe(page)
        page.emulate_media(color_scheme="dark")
        _axe(page, runOnly={"type": "rule", "values": ["color-contrast"]})


def _axe(page: Page, **options: object) -> None:
    found = Axe().run(page, options={"preload": False, **options}).response["violations"]
    assert [(one["id"], [node["html"][:120] for node in one["nodes"][:3]]) for one in found] == []


def test_links_lead_somewhere(browser: Browser, folder: Path) -> None:
    known = {page.file for page in PAGES} | {path.name for path in folder.iterdir()}
    for file in ("statement.html", JUNE, MAY, "reconciliation.html", RECONCILED):
        with opened(browser, folder / file) as page:
            targets = page.evaluate("[...document.querySelectorAll('a[href]')].map(a => a.getAttribute('href'))")
            ids = page.evaluate("[...document.querySelectorAll('[id]')].map(e => e.id)")
            assert len(ids) == len(set(ids))
            assert {target[1:] for target in targets if target.startswith("#")} <= set(ids)
            assert {target.split("#")[0] for target in targets if not target.startswith("#")} <= known
