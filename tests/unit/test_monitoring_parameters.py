"""Every rule of monitoring has each parameter that it asks for, in a row for all regions, and no row is in vain."""

from __future__ import annotations

import csv
import re

import pytest

from expectations.suites.monitoring import rules
from runtime import dbt

_ASKED = re.compile(r"monitoring_limits\('(S\d+)', \[([^\]]*)\]")
_COMMON = {"look_back_months", "switched_on", "benefit_within_days"}
_SEED = dbt.PROJECT / "seeds" / "policy" / "monitoring_parameter.csv"


def asked() -> set[tuple[str, str]]:
    """Rule and parameter, as the models ask."""
    found = set()
    for path in sorted((dbt.PROJECT / "models" / "ledger" / "monitoring").glob("monitoring_*.sql")):
        for code, listed in _ASKED.findall(path.read_text(encoding="utf-8")):
            found |= {(code, parameter) for parameter in {*re.findall(r"'([a-z_]+)'", listed), *_COMMON}}
    return found


def stated() -> list[dict[str, str]]:
    with _SEED.open(encoding="utf-8", newline="") as file:
        return [row for row in csv.DictReader(file) if not row["region_code"] and not row["effective_to"]]


@pytest.mark.parametrize("code", [rule.code for rule in rules()])
def test_a_rule_has_all_that_it_asks_for(code: str) -> None:
    wanted = {parameter for rule, parameter in asked() if rule == code}
    assert wanted > _COMMON
    assert wanted <= {row["parameter"] for row in stated() if row["rule_code"] in ("", code)}


def test_nothing_is_stated_that_no_rule_asks_for() -> None:
    wanted = asked()
    everywhere = {parameter for _, parameter in wanted}
    for row in stated():
        known = (row["rule_code"], row["parameter"]) in wanted if row["rule_code"] else row["parameter"] in everywhere
        assert known, row


def test_every_model_is_a_rule() -> None:
    assert {code for code, _ in asked()} == {rule.code for rule in rules()}
