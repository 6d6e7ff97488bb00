"""docs/operations.md: what it tells operators to do is done here, and nothing that may happen is left out."""

from __future__ import annotations

import re
import shlex
from contextlib import closing
from importlib import import_module

import psycopg2
import pytest

from expectations.gate import check, publish
from ingestion.verification.findings import Kind
from runtime.dbt import build, deploy
from runtime.layout import REPOSITORY
from runtime.pipeline import Outcome
from tests.dags.test_dags import GRAPHS

DOCUMENT = (REPOSITORY / "docs/operations.md").read_text(encoding="utf-8")
MARTS = (
    *("general_ledger", "trial_balance", "voucher", "published_head"),
    *("income_expenditure_statement", "balance_sheet", "maternity_expenditure"),
    *("personal_account_balance", "contribution_arrears", "institution_settlement"),
)


def _fingerprints(url: str) -> dict[str, tuple[int, str]]:
    """Rows and a hash over all rows in order, for every mart."""
    query = "SELECT count(*), md5(string_agg(md5(mart::text), '' ORDER BY md5(mart::text))) FROM marts.{} AS mart"
    with closing(psycopg2.connect(url)) as connection, connection.cursor() as cursor:
        found = {}
        for mart in MARTS:
            cursor.execute(query.format(mart))
            found[mart] = cursor.fetchone()
    return found


@pytest.mark.slow
def test_the_books_are_the_same_row_for_row_after_the_replay_that_is_described(published_copy: str) -> None:
    before = _fingerprints(published_copy)
    assert all(rows > 0 for rows, _ in before.values())

    (recipe,) = re.findall(r"```sql\n(SET ROLE fund_transform;.*?)```", DOCUMENT, re.DOTALL)
    with closing(psycopg2.connect(published_copy)) as connection, connection, connection.cursor() as cursor:
        cursor.execute(recipe)
    deploy("replay")
    build("replay")
    check("replay")
    assert {decision.decision for decision in publish("replay")} == {"unchanged"}

    assert _fingerprints(published_copy) == before


def test_commands_of_backup_and_archive_are_understood() -> None:
    found = re.findall(r"python -m (runtime|ingestion) ((?:backup|restore|archive|clean)\b[^#\n`]*)", DOCUMENT)
    assert {words.split()[0] for _, words in found} == {"backup", "restore", "archive", "archive-verify", "clean"}
    for module, words in found:
        import_module(f"{module}.__main__")._parser().parse_args(shlex.split(words))


def test_every_task_is_explained() -> None:
    table = DOCUMENT.split("### 任务 / Tasks")[1].split("\n## ")[0]
    named = set(re.findall(r"^\|[^|]*\| `(\w+)` \|", table, re.MULTILINE))
    assert named == {task for graph in GRAPHS.values() for task in graph}


def test_every_end_of_a_command_is_explained() -> None:
    for outcome in Outcome:
        assert re.search(rf"`RESULT={outcome.name.lower()}`, {outcome.value} \|", DOCUMENT)


def test_everything_that_verification_finds_is_explained() -> None:
    table = DOCUMENT.split("### 验证日志 / Verifying the log")[1].split("\n### ")[0]
    rows = re.findall(r"^\|([^|]*)\|[^|]*\|[^|]*\|$", table, re.MULTILINE)
    named = {kind for row in rows for kind in re.findall(r"`(\w+)`", row)}
    assert named == {kind.code for kind in Kind} | {"kind"}
