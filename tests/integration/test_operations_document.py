"""docs/operations.md: what it tells operators to do is done here, and nothing that may happen is left out."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from importlib import import_module
from pathlib import Path

import pytest

from ingestion.verification.findings import Kind
from runtime import replay
from runtime.layout import REPOSITORY
from runtime.pipeline import Outcome
from tests.dags.test_dags import GRAPHS

DOCUMENT = (REPOSITORY / "docs/operations.md").read_text(encoding="utf-8")


@pytest.mark.exhaustive
@pytest.mark.usefixtures("small_books_copy")
def test_the_replays_that_are_described_are_carried_out_and_end_as_it_says() -> None:
    """The very commands of the document, with the warehouse of this test."""
    commands = re.findall(r"^python -m runtime (replay[^#\n]*)", DOCUMENT, re.MULTILINE)
    assert [shlex.split(command)[1:] for command in commands] == [[], ["--swap"], ["--swap", "--keep"]]
    for command, ending in zip(commands, ("equal", "swapped", "swapped"), strict=True):
        done = subprocess.run(
            [sys.executable, "-m", "runtime", *shlex.split(command)],
            cwd=REPOSITORY,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.stdout.splitlines()[-1:] == [f"RESULT={ending}"], done.stderr
        assert done.returncode == 0


def test_every_end_of_a_replay_is_explained() -> None:
    told = dict(re.findall(r"^\| `RESULT=(\w+)` \| (\d) \|", DOCUMENT, re.MULTILINE))
    assert told == {one.value: str(one.exit_code) for one in replay.Outcome} | {"error": "1"}
    codes = {code for path in Path(replay.__file__).parent.glob("*.py") for code in _codes(path.read_text("utf-8"))}
    assert codes == _codes(DOCUMENT)


def _codes(text: str) -> set[str]:
    return set(re.findall(r"\bR-[A-Z]+(?:-[A-Z]+)*", text))


def test_commands_of_backup_and_archive_are_understood() -> None:
    found = re.findall(r"python -m (runtime|ingestion) ((?:backup|restore|archive|clean|replay)\b[^#\n`]*)", DOCUMENT)
    assert {words.split()[0] for _, words in found} == {
        *("backup", "restore", "archive", "archive-verify", "clean", "replay")
    }
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
