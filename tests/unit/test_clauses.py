"""The register of clauses leads somewhere: every name in it exists, and the document is made of it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from expectations.suites import all_checks
from ingestion.settings import REPOSITORY
from reporting.clause_document import DOCUMENT, document, register
from reporting.site import PAGES

DBT = REPOSITORY / "dbt_project"


def stems(folder: Path, pattern: str) -> set[str]:
    return {path.stem for path in folder.rglob(pattern)}


KNOWN = {
    "mart": stems(DBT / "models" / "marts", "*.sql"),
    "seed": stems(DBT / "seeds", "*.csv"),
    "check": {check.code for check in all_checks()},
    "page": {page.file for page in PAGES},
    "dag": stems(REPOSITORY / "dags", "*.py"),
    "document": {path.name for path in (REPOSITORY / "docs").glob("*.md")},
}
CLAUSES = register()


@pytest.mark.parametrize("kind", KNOWN)
def test_every_name_in_the_register_exists(kind: str) -> None:
    named = {name for clause in CLAUSES for name in clause.of(kind)}
    assert named
    assert named - KNOWN[kind] == set()


def test_every_check_and_page_of_the_policy_answers_a_clause() -> None:
    named = {(answer.kind, answer.name) for clause in CLAUSES for answer in clause.answers}
    pages = {page.file for page in PAGES if page.part == "policy"} - {"clauses.html"}
    assert {page for page in pages if ("page", page) not in named} == set()
    policy = {check.code for check in all_checks() if check.code.startswith("P")}
    assert {code for code in policy if ("check", code) not in named} == set()


def test_both_notices_are_there_in_both_languages() -> None:
    assert {clause.region_code for clause in CLAUSES} == {"320100", "340400"}
    assert len({clause.clause_id for clause in CLAUSES}) == len(CLAUSES)
    for clause in CLAUSES:
        assert not clause.asked.zh.isascii()
        assert not clause.said.zh.isascii()
        assert clause.asked.en
        assert clause.said.en


def test_the_document_is_made_of_the_register() -> None:
    assert DOCUMENT.read_text(encoding="utf-8") == document()


def test_readers_can_ask_for_every_parameter() -> None:
    """Readers have no right to the seeds: what the notices' answers name must be listed by the mart of parameters."""
    listed = set(
        re.findall(
            r"'(\w+)'",
            (DBT / "models" / "marts" / "clauses" / "policy_parameter.sql").read_text("utf-8").split("%}")[0],
        )
    )
    assert {name for clause in CLAUSES for name in clause.of("seed")} - listed == set()
    assert stems(DBT / "seeds" / "policy", "*.csv") - listed == {"clause", "clause_answer"}
