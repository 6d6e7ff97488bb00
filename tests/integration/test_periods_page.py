"""The page of accounting months on real books: what is closed, by whom, with which files, and what is asked for."""

from __future__ import annotations

import hashlib
import re

import pytest

from ingestion.settings import Settings
from tests.integration.closing_books import APPROVER, DECEMBER, PREPARER, REGION, asked
from tests.integration.overview_support import Words, html_of

pytestmark = pytest.mark.slow


def test_closed_month_names_people_files_and_hashes(november: Settings) -> None:
    html = html_of(november, file="periods.html")
    words = Words(html)
    said = words[f"{REGION}-2020-11"]
    for part in ("2020年11月", "已关账、已签署", PREPARER, APPROVER, "SHA256SUMS"):
        assert part in said
    folder = november.reports_dir / "signed" / REGION / "2020-11"
    names = sorted(path.name for path in folder.iterdir())
    assert len(names) == 3
    for name in names:
        assert hashlib.sha256((folder / name).read_bytes()).hexdigest() in said
        assert ("a", "href", f"signed/{REGION}/2020-11/{name}") in words.attributes
    assert re.search("未关账 open 2020-12 2021-01", words[REGION])
    assert "尚未申请" in words[""]


def test_request_shows_its_checklist_and_waits(november: Settings) -> None:
    request = asked(DECEMBER).request
    words = Words(html_of(november, file="periods.html"))
    said = words[REGION]
    assert "2020年12月" in said
    assert "等待审批" in said
    assert request.request_id in said
    assert ("a", "href", f"draft/{REGION}/2020-12/1/close.html") in words.attributes
