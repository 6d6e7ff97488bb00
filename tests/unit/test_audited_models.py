"""Tables that builds append to are made anew batch by batch in an audit: what they hold of later batches counts not."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from runtime.dbt import PROJECT

_MODELS = [
    path
    for path in sorted((PROJECT / "models").rglob("*.sql"))
    if "materialized='incremental'" in path.read_text(encoding="utf-8") and path.stem != "built_head"
]


@pytest.mark.parametrize("path", _MODELS, ids=lambda path: path.stem)
def test_a_model_that_looks_into_its_own_table_looks_before_the_audited_batches_only(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    looks = len(re.findall(r"(?:from|join) \{\{ this \}\}", text))
    assert len(re.findall(r"before_audited\('\w+\.last_seq'\)", text)) == looks


def test_there_are_such_models() -> None:
    assert {path.stem for path in _MODELS} >= {"journal_line", "account_turnover", "voucher", "assessed_contribution"}
