"""Data Docs in a real browser: nothing leaves the folder, styles and states are there, links lead to pages."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page

from reporting import assets, data_docs
from reporting.data_docs import stored
from reporting.data_docs.site import build
from reporting.names import Name
from tests.browser.site_pages import follow

RAN_AT = datetime(2026, 11, 26, 3, 30, tzinfo=UTC)
RUN = "scheduled__2026-11-26T11:30:00+08:00"
LONG = "报表与分录不符" * 40


def document(page: stored.Page) -> dict[str, Any]:
    """What the check would have kept: a check that failed, one that warned, one that passed."""
    rows = {"M03": [row(page, number, any_fail=True) for number in range(20)], "M06": [row(page, 0, any_fail=False)]}
    results = [result(code, rows.get(code, [])) for code in ("M01", "M03", "M06")]
    return {
        "success": False,
        "results": results,
        "suite_name": page.suite_name,
        "suite_parameters": {},
        "statistics": {
            "evaluated_expectations": 3,
            "successful_expectations": 1,
            "unsuccessful_expectations": 2,
            "success_percent": 33.33,
        },
        "meta": {
            "run_id": {"run_name": page.run_id, "run_time": page.run_at.isoformat()},
            "great_expectations_version": "1.24.1",
            "batch_spec": {"query": "select 1"},
        },
        "id": None,
    }


def row(page: stored.Page, number: int, *, any_fail: bool) -> dict[str, Any]:
    details = {"item": f"{page.region_code}-{number}-1/1", "reason": LONG, "fund_code": "EMI", "event_seq": number}
    return {
        "item": details["item"],
        "severity": "fail",
        "amount": "98765432109.87",
        "total_rows": 200,
        "total_amount": "1.00",
        "any_fail": any_fail,
        "details": details,
    }


def result(code: str, rows: list[dict[str, Any]]) -> dict[str, Any]:
    return {
        "success": not rows,
        "meta": {},
        "result": {"observed_value": 10 * len(rows), "details": {"unexpected_rows": rows}},
        "exception_info": {"raised_exception": False, "exception_message": None, "exception_traceback": None},
        "expectation_config": {
            "type": "ledger_rows_expectation",
            "id": None,
            "severity": "critical",
            "description": f"{code} 生育待遇支出不得由个人账户列支 / no maternity benefit from the personal account",
            "kwargs": {"unexpected_rows_query": "select 1 from {batch} where 1 < 2", "batch_id": "b"},
            "meta": {"code": code, "owner": "benefit_settlement", "clause": "国办发〔2019〕10号", "rows_examined": 103},
        },
    }


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of reports with a site of two regions."""
    reports = tmp_path_factory.mktemp("reports")
    names = {"320100": Name("南京市", "Nanjing"), "340400": Name("淮南市", "Huainan")}
    first = stored.Page("320100", names["320100"], "merger", RUN, RAN_AT, 41449, 3, 1, 1)
    listed = [first, replace(first, region_code="340400", region=names["340400"])]
    build(reports / data_docs.FOLDER, listed, {page: document(page) for page in listed})
    assets.install(reports, data_docs.PACKAGES)
    (reports / "index.html").write_text("<!doctype html><title>总览</title>", "utf-8")
    return reports


@dataclass
class Opened:
    """The index, opened from disk; every address it has asked for, and everything that was refused or complained of."""

    page: Page
    asked: list[str]
    refused: list[str]


@pytest.fixture
def opened(browser: Browser, folder: Path) -> Iterator[Opened]:
    window = Opened(browser.new_page(viewport={"width": 1280, "height": 900}), [], [])
    window.page.on("request", lambda request: window.asked.append(request.url))
    window.page.on("requestfailed", lambda request: window.refused.append(request.url))
    window.page.on("console", lambda message: window.refused.append(message.text))
    window.page.goto((folder / data_docs.INDEX).as_uri())
    yield window
    window.page.close()


def styled(page: Page) -> bool:
    """Whether the style beside the page has been applied."""
    return bool(page.evaluate("getComputedStyle(document.querySelector('table.table')).borderCollapse === 'collapse'"))


def test_nothing_leaves_the_folder_and_links_lead_to_pages(opened: Opened, folder: Path) -> None:
    page = opened.page
    assert page.locator("table.index tbody tr").count() == 2
    assert styled(page)
    follow(page.get_by_role("link", name="合并与生育待遇").first)
    assert page.locator("table.checks > tbody > tr").count() == 3
    assert styled(page)
    page.locator("summary").first.click()
    assert page.locator("pre").first.is_visible()
    follow(page.get_by_role("link", name="Data Docs"))
    follow(page.get_by_role("link", name="总览"))
    assert page.title() == "总览"
    assert opened.refused == []
    assert [url for url in opened.asked if not url.startswith((folder.as_uri(), "data:"))] == []


def test_states_show_by_shape_and_word_and_the_worst_comes_first(opened: Opened) -> None:
    page = opened.page
    follow(page.get_by_role("link", name="合并与生育待遇").first)
    states = page.locator("table.checks > tbody > tr > td:first-child .state")
    assert [text.split() for text in states.all_inner_texts()] == [
        ["不通过", "failed"],
        ["提示", "warning"],
        ["通过", "passed"],
    ]
    shapes = page.locator("table.checks > tbody > tr > td:first-child .shape")
    for place in range(3):
        box = shapes.nth(place).bounding_box()
        assert box is not None
        assert box["width"] > 10
        assert box["height"] > 10
        assert "data:image/svg+xml" in shapes.nth(place).evaluate("one => getComputedStyle(one).backgroundImage")
    assert page.locator("table.rows").first.locator("tbody tr").count() == 20
    assert "另有 180 行" in page.locator("table.checks").inner_text()


@pytest.mark.parametrize("width", [1280, 400])
def test_no_page_is_wider_than_its_window(opened: Opened, width: int) -> None:
    page = opened.page
    page.set_viewport_size({"width": width, "height": 800})
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    follow(page.get_by_role("link", name="合并与生育待遇").first)
    assert page.evaluate("document.documentElement.scrollWidth") <= width
