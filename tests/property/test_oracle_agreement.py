"""The pipeline against a second reading of the contract: files of both cities in runs, compared to the cent.

A seed that fails reproduces by `generate(seed, shape)`; each line of the message is one row that differs.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest

from ingestion.settings import beijing_today
from tests.oracle.compare import differences
from tests.oracle.generator import Shape, generate
from tests.oracle.oracle import expect
from tests.oracle.policy import load
from tests.oracle.rows import LandedFile
from tests.oracle.system import System

SHOWN_AT_MOST = 60
pytestmark = pytest.mark.usefixtures("deployed_warehouse")


def assert_agreement(system: System, runs: Sequence[Sequence[LandedFile]]) -> None:
    found = differences(expect(runs, load(), beijing_today()), system.show())
    shown = "\n".join(found[:SHOWN_AT_MOST])
    assert not found, f"{len(found)} rows differ\n{shown}"


@pytest.mark.exhaustive
def test_sound_and_damaged_files_in_runs(fund_environment: Path) -> None:
    runs = generate(1, Shape(size=3, runs=2, slots=1, bad_rows=15))
    system = System(fund_environment / "landing")
    system.take(runs)
    assert_agreement(system, runs)


def test_sound_facts_of_both_cities_pass_the_gate(fund_environment: Path) -> None:
    runs = generate(5, Shape(size=4, runs=1, slots=1, bad_rows=0, copies=0, bad_files=False, statements=False))
    system = System(fund_environment / "landing", through_gate=True)
    system.take(runs)
    assert_agreement(system, runs)


@pytest.mark.exhaustive
@pytest.mark.timeout(1200)
@pytest.mark.parametrize("seed", range(100, 120))
def test_many_more_seeds(fund_environment: Path, seed: int) -> None:
    runs = generate(seed, Shape(size=4 + seed % 3, runs=1 + seed % 4, slots=1 + seed % 2, bad_rows=51, copies=20))
    system = System(fund_environment / "landing")
    system.take(runs, build_each=seed % 2 == 0)
    assert_agreement(system, runs)
