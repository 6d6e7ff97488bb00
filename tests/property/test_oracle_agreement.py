"""The pipeline against a second reading of the contract: files of both cities in runs, compared to the cent.

A seed that fails reproduces by `generate(seed)`; each line of the message is one row that differs.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from ingestion.settings import beijing_today
from tests.oracle.compare import differences
from tests.oracle.generator import Shape, generate
from tests.oracle.oracle import expect
from tests.oracle.policy import load
from tests.oracle.system import System

SHOWN_AT_MOST = 60


def assert_agreement(fund_environment: Path, seed: int, shape: Shape, *, build_each: bool) -> None:
    runs = generate(seed, shape)
    system = System(fund_environment / "landing")
    system.take(runs, build_each=build_each)
    found = differences(expect(runs, load(), beijing_today()), system.show())
    shown = "\n".join(found[:SHOWN_AT_MOST])
    assert not found, f"seed {seed}: {len(found)} rows differ\n{shown}"


@pytest.mark.usefixtures("migrated_warehouse")
@pytest.mark.parametrize(("seed", "build_each"), [(1, True), (2, False)])
def test_the_pipeline_gives_what_the_contract_asks_for(fund_environment: Path, seed: int, build_each: bool) -> None:
    assert_agreement(fund_environment, seed, Shape(size=3), build_each=build_each)


@pytest.mark.slow
@pytest.mark.usefixtures("migrated_warehouse")
@pytest.mark.parametrize("seed", range(100, 120))
def test_many_more_seeds(fund_environment: Path, seed: int) -> None:
    shape = Shape(size=4 + seed % 3, runs=1 + seed % 4, slots=1 + seed % 3, bad_rows=12, copies=12)
    assert_agreement(fund_environment, seed, shape, build_each=seed % 2 == 0)
