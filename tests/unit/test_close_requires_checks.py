"""A close asks for every check of the catalogue, whichever suites there are: nothing is named one by one."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from closing.checklist import _gate, _warnings
from expectations.check import Check
from expectations.suites import SUITES, all_checks


def results(**changed: dict[str, Any]) -> list[dict[str, Any]]:
    """Green results of all checks, as the gate records them, but for what is changed by code."""
    green = {"run_id": "r", "success": True, "unexpected_count": 0, "unexpected_amount": None}
    return [
        {
            **green,
            **{"code": check.code, "severity": check.severity, "owner": check.owner},
            **{"title_zh": check.title_zh, "title_en": check.title_en},
            **changed.get(check.code, {}),
        }
        for check in all_checks()
    ]


def test_all_green_is_no_obstacle() -> None:
    assert _gate(results()).outcome == "ok"


@pytest.mark.parametrize("check", SUITES["treasury"], ids=lambda check: check.code)
def test_checks_on_treasury_hold_a_close(check: Check) -> None:
    found = {"success": False, "severity": "fail", "unexpected_count": 1, "unexpected_amount": Decimal("0.01")}
    item = _gate(results(**{check.code: found}))
    assert (item.outcome, item.item_count, item.amount) == ("blocked", 1, Decimal("0.01"))
    assert check.title_en in (item.detail or "")
    not_run = [row for row in results() if row["code"] != check.code]
    assert _gate(not_run).detail == f"{check.code} 未检查 / not checked"


def test_what_is_in_transit_is_shown_to_who_approves() -> None:
    rows = results(T02={"success": False, "severity": "warn", "unexpected_count": 2, "unexpected_amount": Decimal(7)})
    assert _gate(rows).outcome == "ok"
    assert [(item.code, item.outcome, item.item_count) for item in _warnings(rows)] == [("T02", "attention", 2)]
