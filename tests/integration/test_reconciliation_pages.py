"""Reconciliation pages of published books: figures are those of the marts, differences sum from their items."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from xml.etree.ElementTree import Element

import pytest

from ingestion.settings import Settings
from reporting import books
from reporting.reconciliation import control_totals, reading
from tests.integration.pages_support import FROZEN, amounts, body_and_foot, built, by_id, tree, words

REGION = "340400"
PAGE = f"reconciliation_{REGION}.html"
MONTHS = 4  # from the month in which a payment is in transit to the newest


@pytest.fixture(scope="module")
def settings(published_samples: str) -> Iterator[Settings]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("FUND_DATABASE_URL", published_samples)
        patch.setenv("FUND_BUSINESS_DATE", "2020-07-10")
        patch.setattr(reading, "MONTHS", MONTHS)
        yield Settings.from_env()


@pytest.fixture(scope="module")
def folder(settings: Settings, tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("reconciliation")
    built(settings, "reconciliation", made)
    return made


@pytest.fixture(scope="module")
def root(folder: Path) -> Element:
    return tree((folder / PAGE).read_text(encoding="utf-8"))


def _stored(settings: Settings, query: str, month: str) -> list[books.Row]:
    with books.one_state(settings) as connection:
        return books.rows(connection, query, (REGION, month))


def test_totals_by_kind_are_those_of_the_marts(settings: Settings, root: Element) -> None:
    stored = _stored(
        settings,
        "select statement_kind, sum(ours_amount) as ours, sum(stated_amount) as theirs, sum(difference) as difference,"
        " sum(carried_difference) as carried, sum(explained_amount) as explained, sum(in_transit_amount) as in_transit,"
        " sum(unexplained_amount) as unexplained from marts.tie_out where region_code = %s and accounting_month = %s"
        " group by statement_kind",
        "2020-03-01",
    )
    assert len(stored) == 3
    totals = [amounts(row) for row in by_id(root, "m-2020-03").iterfind("./div/table/tbody/tr")]
    assert sorted(totals) == sorted(list(row.values())[1:] for row in stored)


def test_every_agreeing_figure_of_the_newest_month_is_listed(settings: Settings, root: Element) -> None:
    stored = _stored(settings, "select ours_amount, stated_amount, difference from marts.tie_out"
                     " where region_code = %s and accounting_month = %s", "2020-06-01")  # fmt: skip
    (agreed,) = by_id(root, "m-2020-06").iterfind("./details[@class='agreed']")
    listed = [amounts(row) for row in agreed.iterfind(".//tbody/tr")]
    assert sorted(listed) == sorted(list(row.values()) for row in stored)


def test_a_difference_opens_to_the_entry_in_transit(settings: Settings, root: Element) -> None:
    (item,) = _stored(settings, "select * from marts.tie_out_item where region_code = %s and accounting_month = %s"
                      " and status <> 'matched'", "2020-03-01")  # fmt: skip
    (opened,) = by_id(root, "m-2020-03").iterfind("./details[@class='figure-open']")
    (table,) = opened.iter("table")
    rows, foot = body_and_foot(table)
    assert rows == [[item["amount"], item["difference"]]]
    assert foot == [item["difference"]]
    said = words(opened)
    for place in (
        item["entry_id"], f"凭证 voucher {item['voucher_no']}", f"{item['source_file']}:{item['source_line']}",
        f"{item['stated_source_file']}:{item['stated_source_line']}", f"自 {item['item_date']}", "✓",
    ):  # fmt: skip
        assert place in said
    assert item["match_number"] not in said
    # The next statement has taken it back: carried and item cancel.
    (cleared,) = by_id(root, "m-2020-04").iterfind("./details[@class='figure-open']")
    rows, foot = body_and_foot(next(cleared.iter("table")))
    assert [row[-1] for row in rows] == [item["difference"], -item["difference"]]
    assert foot == [0]
    assert words(by_id(root, "open")).count("没有未了结的差异项") == 1


def test_the_page_over_all_regions_has_a_light_for_each_kind(folder: Path) -> None:
    root = tree((folder / "reconciliation.html").read_text(encoding="utf-8"))
    rows = list(by_id(root, "regions").iterfind(".//tbody/tr"))
    assert len(rows) == 2
    for row in rows:
        said = words(row)
        assert said.count("个相符") >= 3
        assert said.count("个相符") + said.count("未报送") == 4, "institutions state something in one of them"
    assert {a.attrib["href"] for a in by_id(root, "open").iter("a")} == {
        "reconciliation_320100.html#open",
        "reconciliation_340400.html#open",
    }


def test_control_totals_stand_beside_what_was_counted(settings: Settings, folder: Path) -> None:
    with books.one_state(settings) as connection:
        (stored,) = books.rows(connection, "select count(*) from events.control_total")
    section = by_id(tree((folder / "reconciliation.html").read_text(encoding="utf-8")), "control-totals")
    listed = [amounts(row) for row in section.iterfind(".//tbody/tr")]
    assert len(listed) == min(stored["count"], control_totals.LISTED) > 0
    assert all(stated == counted for stated, counted in listed)
    assert f"{stored['count']:,} 项全部相符" in words(section)
    with books.one_state(settings) as connection:
        (rejected,) = books.rows(
            connection,
            "select count(*) from events.file where state = 'rejected' and error_code in ('E-FILE-MANIFEST',"
            " 'E-FILE-TOTAL')",
        )
    assert (f"另有 {rejected['count']} 份文件因与清单" in words(section)) is bool(rejected["count"])


def test_months_that_stand_are_taken_from_the_last_writing(
    settings: Settings, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = {path.name: path.read_bytes() for path in folder.glob("*.html")}
    monkeypatch.setattr(reading, "figures", lambda *_: pytest.fail("nothing has moved"))
    built(settings, "reconciliation", folder)
    assert {path.name: path.read_bytes() for path in folder.glob("*.html")} == before


def test_what_was_kept_of_another_state_is_computed_again(settings: Settings, folder: Path, tmp_path: Path) -> None:
    place = f".reconciliation_{REGION}.json"
    (tmp_path / place).write_bytes((folder / place).read_bytes())
    with books.one_state(settings) as connection:
        computed = reading.newest_months(connection, REGION, tmp_path, "other code")
        kept = json.loads((tmp_path / place).read_text(encoding="utf-8"))
        read_back = reading.newest_months(connection, REGION, tmp_path, "other code")
    assert read_back == computed
    assert len(kept) == MONTHS
    assert not set(kept) & set(json.loads((folder / place).read_text(encoding="utf-8")))
    (tmp_path / place).write_text("{", encoding="utf-8")
    assert reading._load(tmp_path, REGION) == {}, "a torn file is as good as none"


def test_pages_of_a_frozen_region_warn(settings: Settings, folder: Path, tmp_path: Path) -> None:
    place = f".reconciliation_{REGION}.json"
    (tmp_path / place).write_text((folder / place).read_text(encoding="utf-8"), encoding="utf-8")
    frozen = built(settings, "reconciliation", tmp_path, frozen=[REGION])
    assert {name for name, html in frozen.items() if FROZEN in html} == {PAGE, "reconciliation.html"}
