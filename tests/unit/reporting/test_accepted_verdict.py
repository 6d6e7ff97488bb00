"""What an accepted warning does to lights and sentence: it is told, and it is no warning."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal

from expectations.freeze import Frozen
from reporting.quality import CheckResult, Head, RegionVerdict
from reporting.verdict import badge, region_light, sentence, suite_light

NOW = datetime(2026, 11, 2, 1, 0, tzinfo=UTC)
HEAD = Head(10, "ab" * 32, "cd" * 32, NOW, "run")
REGION = RegionVerdict("320100", "南京市", "Nanjing", 10, 10, 10, "published", (), NOW, None, True, HEAD)
PASSED = CheckResult(
    *("320100", "balance", "B01", "fail", True, 12, 0, None, "借贷平衡", "balance", "fund_accounting", ""),
    *(NOW, None, None),
)
WARNED = CheckResult(
    *("320100", "completeness", "C07", "warn", False, 12, 3, Decimal("30.00"), "欠费", "arrears", "levy_supervision"),
    *("", NOW, NOW, 0),
)
ACCEPTED = replace(
    WARNED,
    accepted_count=3,
    accepted_amount=Decimal("30.00"),
    accepted_by="王会计",
    accepted_until=date(2026, 12, 31),
)


def test_what_is_wholly_accepted_is_no_warning() -> None:
    assert [region_light(REGION, [PASSED, warned]) for warned in (WARNED, ACCEPTED)] == ["amber", "green"]
    assert [suite_light([warned]) for warned in (WARNED, ACCEPTED)] == ["amber", "green"]
    said = sentence(REGION, [PASSED, ACCEPTED], date(2026, 10, 1))
    assert "其他 1 项检查全部通过" in said.zh
    assert "已接受的提示 3 行（C07），王会计接受，最早至2026年12月31日" in said.zh
    assert "3 rows accepted (C07) by 王会计, until 2026-12-31 at the earliest" in said.en


def test_of_what_is_partly_accepted_the_rest_is_counted() -> None:
    partly = replace(ACCEPTED, accepted_count=1, accepted_amount=Decimal("10.00"))
    assert region_light(REGION, [PASSED, partly]) == "amber"
    said = sentence(REGION, [PASSED, partly], date(2026, 10, 1))
    assert "1 项检查提示（C07），共 2 行，涉及金额 20.00 元" in said.zh
    assert "已接受的提示 1 行（C07）" in said.zh


def test_published_books_that_fail_and_are_frozen_tell_both() -> None:
    failed = replace(PASSED, success=False, unexpected_count=1)
    frozen = Frozen("320100", NOW, "nightly audit", "账簿被改动", "night", ("H03",))
    both = replace(REGION, frozen=frozen)
    assert badge(both, [failed]) not in (badge(REGION, [failed]), badge(both, [PASSED]))
    said = sentence(both, [failed], date(2026, 10, 1))
    assert "1 项检查不通过（B01）" in said.zh
    assert "夜间审计于2026年11月2日 09:00 暂停发布（H03）：账簿被改动" in said.zh
    assert "Publication was frozen by nightly audit" in said.en
    assert "暂停发布" not in sentence(REGION, [failed], date(2026, 10, 1)).zh


def test_a_freeze_with_checks_doubts_what_is_shown_also_without_their_results() -> None:
    by_hand = Frozen("320100", NOW, "王主任", "核查中", None, ())
    for frozen, doubted in ((by_hand, False), (replace(by_hand, codes=("H03",)), True)):
        said = sentence(replace(REGION, frozen=frozen), [PASSED], date(2026, 10, 1))
        assert ("内部审计查明之前请勿使用" in said.zh) is doubted
