"""Every column of every check has a name in both languages, and what it holds is shown in words and the right unit."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from decimal import Decimal

import pytest

from expectations.check import Check
from expectations.suites import all_checks
from reporting.item_labels import LABELS, SHOWN_ELSEWHERE
from reporting.items import item_of
from reporting.names import PERSONAL_COLUMNS, Name
from reporting.quality import Finding

_NO_CODE = re.compile(r"--[^\n]*|/\*.*?\*/|'(?:[^']|'')*'", re.DOTALL)


def columns(query: str) -> list[str]:
    """Names of the columns of a query: those of its first `select` outside brackets."""
    depth, outside = 0, []
    for token in re.findall(r"[(),]|[^(),\s]+", _NO_CODE.sub(" x ", query)):
        depth -= token == ")"
        outside += [token] * (depth == 0)
        depth += token == "("
    listed = outside[outside.index("select") + 1 :]
    said = " ".join(listed[: listed.index("from")]).split(",")
    return [column.split()[-1].rpartition(".")[2] for column in said]


def test_columns_of_a_query_are_found() -> None:
    query = "with a as (select x from t) select f('a, b', c) as item, a.b, /* c, */ max(d) filter (where e) as f from a"
    assert columns(query) == ["item", "b", "f"]


@pytest.mark.parametrize("check", all_checks(), ids=lambda check: check.code)
def test_every_column_of_a_check_has_a_label(check: Check) -> None:
    found = columns(check.offending)
    assert "item" in found
    assert [name for name in found if name not in SHOWN_ELSEWHERE | PERSONAL_COLUMNS | LABELS.keys()] == []


def shown(**columns: object) -> dict[str, Name | Decimal]:
    at = datetime(2026, 1, 1, tzinfo=UTC)
    item = item_of(Finding("320100", "P03", "key", columns, None, "run", at, 0))
    return {label.en: value for label, value in item.others}


def test_codes_are_shown_in_words_and_numbers_in_their_unit() -> None:
    assert shown(
        late_kind="backdated",
        gap_kind="310_without_510",
        reason_codes=["no_rate_rule", "relief_not_applied"],
        is_calendar_known=False,
        merged_rate=Decimal("0.0780"),
        value=Decimal("1.5000"),
        due_amount=Decimal("10.00"),
        evidence="c0ffee",
        other_person_no="3201B",
    ) == {
        "kind": Name("补报", "backdated"),
        "gap": Name("参加职工医保、未参加生育保险", "in medical insurance without maternity insurance"),
        "reasons": Name("缺费率、未减征", "no rate, relief not applied"),
        "calendar known": Name("否", "no"),
        "rate after the merger": Name("7.80%", "7.80%"),
        "value": Name("1.5", "1.5"),
        "due": Decimal("10.00"),
    }
