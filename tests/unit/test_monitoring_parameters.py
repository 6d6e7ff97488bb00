"""Every rule of monitoring has each parameter that it asks for, in a row for all regions, and no row is in vain."""

from __future__ import annotations

import csv

import pytest

from expectations.suites.monitoring import rules
from parameters.codes import OF_EVERY_RULE, read_by_rules
from runtime import dbt

_SEED = dbt.PROJECT / "seeds" / "policy" / "monitoring_parameter.csv"


def stated() -> list[dict[str, str]]:
    with _SEED.open(encoding="utf-8", newline="") as file:
        return [row for row in csv.DictReader(file) if not row["region_code"] and not row["effective_to"]]


@pytest.mark.parametrize("code", [rule.code for rule in rules()])
def test_a_rule_has_all_that_it_asks_for(code: str) -> None:
    wanted = read_by_rules()[code]
    assert wanted > OF_EVERY_RULE
    assert wanted <= {row["parameter"] for row in stated() if row["rule_code"] in ("", code)}


def test_nothing_is_stated_that_no_rule_asks_for() -> None:
    for row in stated():
        assert row["parameter"] in read_by_rules()[row["rule_code"]], row


def test_every_model_is_a_rule() -> None:
    assert read_by_rules().keys() - {""} == {rule.code for rule in rules()}
