"""The unit tests that stand beside dbt's models, run where the models' relations exist."""

from __future__ import annotations

import re

import pytest

from runtime import dbt

FOUND = sum(
    len(re.findall(r"(?m)^  - name: ", path.read_text(encoding="utf-8").partition("unit_tests:")[2]))
    for path in (dbt.PROJECT / "models").rglob("*.yml")
)


@pytest.mark.timeout(600)
@pytest.mark.usefixtures("deployed_warehouse")
def test_every_unit_test_of_the_models_passes() -> None:
    assert FOUND > 0
    assert dbt.unit_test("unit tests") == {"pass": FOUND}
