"""The catalogue as such: identity, wording, placeholders, and the text that explains each check."""

from __future__ import annotations

import json
import re
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from expectations.candidate import recorded_head
from expectations.check import Candidate, Check, RecordedHead, listing_query
from expectations.suites import SUITE_TITLES, SUITES, all_checks, check_by_code
from ingestion.settings import REPOSITORY

CANDIDATE = Candidate(
    region_code="320100",
    published_seq=7,
    head_seq=14,
    head_batch_id=2,
    published_at=datetime(2020, 2, 1, tzinfo=UTC),
    window_after_seq=7,
    business_date=date(2020, 4, 5),
    recorded_head=RecordedHead(2, 14, "ab" * 32),
    heads_note="it's behind",
)
CATALOGUE = {
    f"{suite}{number:02}"
    for suite, count in {"B": 12, "C": 10, "M": 9, "T": 6, "H": 4, "F": 2}.items()
    for number in range(1, count + 1)
}
# Suites `policy` and `monitoring`: made on what is published, all of them warnings.
REVIEWED = ("P", "S")
WARN = {"B09", "B10", "C07", "C08", "C10", "M04", "M07", "M08", "T05", "T06"}


def test_catalogue_holds_the_required_checks_once() -> None:
    codes = [check.code for check in all_checks()]
    assert len(codes) == len(set(codes))
    assert {code for code in codes if code[0] not in REVIEWED} == CATALOGUE
    assert set(SUITES) == set(SUITE_TITLES)


@pytest.mark.parametrize("check", all_checks(), ids=lambda check: check.code)
def test_check_is_complete(check: Check) -> None:
    assert check is check_by_code(check.code)
    assert not check.title_zh.isascii()
    assert check.title_en.isascii()
    assert check.owner in {"fund_accounting", "data_operations", "benefit_settlement", "internal_audit"}
    assert check.clause
    assert (check.severity == "fail") == (check.code not in WARN and check.code[0] not in REVIEWED)
    for query in (check.examined, check.population):
        assert not re.search(r"\$[a-z]", check.bind(query, CANDIDATE))


@pytest.mark.parametrize("check", all_checks(), ids=lambda check: check.code)
def test_query_survives_the_formatting_of_great_expectations(check: Check) -> None:
    text = listing_query(check, CANDIDATE, examined=0, population=1)
    assert "candidate_batch" in text.format(batch="candidate_batch")
    assert text.strip().startswith(f"/* check {check.code} */")


@pytest.mark.parametrize("code", [check.code for check in all_checks()])
@pytest.mark.parametrize("page", ["supervision.md"])
def test_supervision_page_explains_the_check(code: str, page: str) -> None:
    text = (REPOSITORY / "docs" / page).read_text(encoding="utf-8")
    lines = [line for line in text.splitlines() if line.startswith(f"| {code} |")]
    assert len(lines) == 1
    check = check_by_code(code)
    assert check.title_zh in lines[0]
    assert check.title_en in lines[0]


def test_candidate_takes_only_region_codes() -> None:
    with pytest.raises(ValueError, match="six digits"):
        Candidate("320100' or true --", 0, 1, 1, None, 0, date(2020, 1, 1), None)


def test_note_is_quoted_in_sql() -> None:
    assert CANDIDATE.literals()["heads_note"] == "'it''s behind'"


def _heads(path: Path, *lines: dict[str, object]) -> Path:
    path.write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")
    return path


def _head(batch_id: int, digest: str, before: str | None) -> dict[str, object]:
    return {"batch_id": batch_id, "seq": batch_id * 7, "batch_hash": digest, "previous_batch_hash": before}


def test_newest_recorded_head_is_read(tmp_path: Path) -> None:
    path = _heads(tmp_path / "320100.jsonl", _head(1, "aa" * 32, None), _head(2, "bb" * 32, "aa" * 32))
    assert recorded_head(path, built_batch_id=2) == (RecordedHead(2, 14, "bb" * 32), "")
    assert "behind" in recorded_head(path, built_batch_id=3)[1]


def test_missing_heads_file_is_told(tmp_path: Path) -> None:
    head, note = recorded_head(tmp_path / "320100.jsonl", built_batch_id=2)
    assert head is None
    assert "no heads file" in note


@pytest.mark.parametrize("broken", ['{"batch_id": 3}', "not json", json.dumps(_head(3, "cc" * 32, "dd" * 32))])
def test_broken_heads_file_matches_no_batch(tmp_path: Path, broken: str) -> None:
    path = _heads(tmp_path / "320100.jsonl", _head(1, "aa" * 32, None))
    path.write_text(path.read_text(encoding="utf-8") + broken + "\n", encoding="utf-8")
    head, note = recorded_head(path, built_batch_id=1)
    assert head == RecordedHead(1, 7, "0" * 64)
    assert "line 2" in note
