"""Every event and condition of the posting rules, from the log through staging to lines on PostgreSQL.

One log holds all combinations of tests/integration/posting_cases.py; one build posts it.
"""

from __future__ import annotations

import shutil
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from posting_cases import CASES, REGION, Case, Posted
from posting_log import PostingLog

from ingestion.database import connect
from runtime import dbt

pytestmark = pytest.mark.timeout(900)


class Recorder:
    """Puts cases into one list of facts; a case it needs is recorded before it, once."""

    def __init__(self) -> None:
        self.facts: list[dict[str, Any]] = []
        self.cases: list[tuple[int, Case]] = []
        self._seqs: dict[int, int] = {}

    def add(self, case: Case) -> int:
        if id(case) in self._seqs:
            return self._seqs[id(case)]
        original = {} if case.needs is None else {"original": self.add(case.needs)}
        self.facts.append({**case.fact, **original})
        seq = self._seqs[id(case)] = len(self.facts)
        self.cases.append((seq, case))
        return seq


@pytest.fixture(scope="module")
def posted(
    warehouse_factory: Callable[..., str],
    deployed_template: tuple[str, Path],
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[dict[str, list[tuple[int, Case]]]]:
    """Every case in the log of one region, built. Group -> (seq, case)."""
    template, parsed = deployed_template
    local = tmp_path_factory.mktemp("conditions")
    shutil.copytree(parsed / "dbt" / "target", local / "dbt" / "target")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("FUND_DATABASE_URL", warehouse_factory(template=template))
        patch.setenv("FUND_LOCAL_DIR", str(local))
        recorder, groups, kept = Recorder(), {}, []
        for group, cases in CASES.items():
            first = len(recorder.cases)
            for case in cases():
                kept.append(case)  # the recorder knows cases by identity
                recorder.add(case)
            groups[group] = recorder.cases[first:]
        PostingLog(REGION).add(*recorder.facts)
        dbt.build("conditions")
        yield groups


@pytest.mark.parametrize("group", CASES)
def test_every_condition_gives_the_lines_of_the_contract(posted: dict[str, list[tuple[int, Case]]], group: str) -> None:
    found: dict[int, list[Posted]] = {}
    with closing(connect()) as connection, connection.cursor() as cursor:
        cursor.execute(
            "select event_seq, fund_code, account_code, sub_fund, debit_amount, credit_amount from ledger.journal_line"
            " where region_code = %s",
            (REGION,),
        )
        for seq, *line in cursor.fetchall():
            found.setdefault(seq, []).append(tuple(line))
    assert len(posted[group]) > 0
    wrong = [
        f"seq {seq}: {case.fact}\n  wanted {sorted(case.lines)}\n  posted {sorted(found.get(seq, []))}"
        for seq, case in posted[group]
        if Counter(case.lines) != Counter(found.get(seq, []))
    ]
    assert not wrong, f"{len(wrong)} of {len(posted[group])} differ\n" + "\n".join(wrong[:20])


@pytest.mark.usefixtures("posted")
def test_no_condition_is_left_without_a_rule() -> None:
    with closing(connect()) as connection, connection.cursor() as cursor:
        cursor.execute("select event_seq, event_type, problem from ledger.unposted_event order by event_seq")
        assert cursor.fetchall() == []
