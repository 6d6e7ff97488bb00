"""Files of corrections are known by their names, and read like the feed they belong to."""

from __future__ import annotations

from datetime import datetime

import pytest

from ingestion.corrections import ADDED, SHEET, file_name, meant
from ingestion.errors import FileRejected
from ingestion.profiles import CanonicalProfile, SheetForm, parse_profile, profile_of
from ingestion.settings import BEIJING, REPOSITORY
from ingestion.tables import table

SOURCES = REPOSITORY / "ingestion" / "sources"


@pytest.mark.parametrize("source", ["nanjing", "a.b", "城市 (1)", "a+b"])
def test_a_name_is_read_as_it_is_written(source: str) -> None:
    name = file_name(source, "claim", 3, datetime(2020, 1, 2, 3, 4, 5, tzinfo=BEIJING), 1)
    assert name == f"corrections.{source}.claim.3.20200102T030405-1.xlsx"
    assert meant(name, source) == ("claim", 3)
    assert meant(name, "other") is None


@pytest.mark.parametrize(
    ("name", "found"),
    [
        ("corrections.s.claim.3.已改 (2).xlsx", ("claim", 3)),
        ("corrections.s.claim.3..xlsx", ("claim", 3)),
        ("corrections.s.claim.3.xlsx", None),
        ("corrections.s.claim.0.x.xlsx", None),
        ("corrections.s.control.1.x.xlsx", None),
        ("corrections.s.claim.3.x.csv", None),
        ("my corrections.s.claim.3.x.xlsx", None),
    ],
)
def test_what_may_be_renamed(name: str, found: tuple[str, int] | None) -> None:
    assert meant(name, "s") == found


@pytest.mark.parametrize("path", sorted(SOURCES.glob("*.yml")), ids=lambda path: path.stem)
def test_every_feed_of_every_profile_reads_corrections(path: object) -> None:
    source = path.stem  # type: ignore[attr-defined]
    profile = profile_of(source, SOURCES)
    for number, (_, feed) in enumerate(profile.feeds, start=1):
        found = profile.feed_of(f"sub/corrections.{source}.{feed.family}.{number}.x.xlsx")
        assert (found.format, found.sheet, found.manifest_required) == ("xlsx", SheetForm(SHEET, header_row=1), False)
        assert [column.source for column in found.columns] == [column.source for column in feed.columns]
        assert found.ignore == feed.ignore | set(ADDED)
        assert found.constants == feed.constants
        dates = [column for column in found.columns if column.to == "occurred_on"]
        assert all("%Y-%m-%d" in column.form.date_formats for column in dates)
        found.check_header([*ADDED, *(column.source for column in feed.columns)])


def test_a_source_without_profile_reads_them_by_family() -> None:
    profile = CanonicalProfile((), "demo")
    assert profile.feed_of("corrections.demo.treasury.4.x.xlsx").family == "treasury"
    assert profile.feed_of("a.treasury.b.csv").format == "csv"
    for name in ("corrections.demo.treasury.1.x.xlsx", "corrections.other.treasury.4.x.xlsx"):
        with pytest.raises(FileRejected):
            profile.feed_of(name)


@pytest.mark.parametrize("rule", ["weekly day 1", "monthly day 32", "monthly day 10 until 2020-13", "monthly"])
def test_a_rule_that_cannot_be_read_is_refused_in_the_profile(rule: str) -> None:
    text = (SOURCES / "fund_bank.yml").read_text(encoding="utf-8").replace("monthly day 10", rule)
    with pytest.raises(FileRejected, match="feeds/0/due"):
        parse_profile(text.encode(), "fund_bank")


def test_tables_align_chinese_text() -> None:
    assert table(("来源", "n"), [("南京", 1), ("x", 1000), (None, 5)], right=(1,)).splitlines() == [
        "来源      n",
        "南京      1",
        "x     1,000",
        "-         5",
    ]
