"""The table of posting rules is complete, agrees with the chart, and every rule is exercised by a dbt unit test."""

from __future__ import annotations

import csv
import re
from collections import defaultdict
from functools import cache
from itertools import pairwise
from pathlib import Path

from runtime.layout import REPOSITORY

PROJECT = REPOSITORY / "dbt_project"
Row = dict[str, str]
RULE_ID = re.compile(r"\b[A-Z]{4}-\d{2}\b")


@cache
def seed(name: str) -> list[Row]:
    with (PROJECT / "seeds" / "accounts" / f"{name}.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def expectations(path: Path) -> str:
    """What the unit tests of a file expect, without what they are given."""
    parts = path.read_text(encoding="utf-8").split("    expect:")[1:]
    return "\n".join(part.partition("\n  - name:")[0] for part in parts)


def rule_ids_expected() -> set[str]:
    files = (PROJECT / "models" / "ledger").glob("*.unit_tests.yml")
    return {rule_id for path in files for rule_id in RULE_ID.findall(expectations(path))}


def test_every_rule_is_exercised_by_a_unit_test() -> None:
    wanted = {rule["rule_id"] for rule in seed("posting_rules") if rule["posting_variant"] != "no_entry"}
    assert wanted - rule_ids_expected() == set()


def test_every_rule_expected_by_a_unit_test_exists() -> None:
    assert rule_ids_expected() - {rule["rule_id"] for rule in seed("posting_rules")} == set()


def test_every_event_type_without_money_is_exercised() -> None:
    path = PROJECT / "models" / "ledger" / "posting_leg.control.unit_tests.yml"
    given = path.read_text(encoding="utf-8").partition("expect:")[0]
    without = {rule["event_type"] for rule in seed("posting_rules") if rule["posting_variant"] == "no_entry"}
    assert {event_type for event_type in without if f",{event_type},no_entry," not in given} == set()


def test_every_event_type_has_rules_and_either_money_or_no_entry() -> None:
    variants: dict[str, set[str]] = defaultdict(set)
    for rule in seed("posting_rules"):
        variants[rule["event_type"]].add(rule["posting_variant"])
    types = {row["event_type"]: row["carries_money"] == "true" for row in seed("event_type")}
    assert set(variants) == set(types)
    assert {name for name, found in variants.items() if types[name] == ("no_entry" in found)} == set()


def test_rule_ids_are_unique() -> None:
    ids = [rule["rule_id"] for rule in seed("posting_rules")]
    assert len(ids) == len(set(ids))


def test_one_amount_has_one_rule_at_a_time() -> None:
    """Within a version no two rules of the same case book the same amount on the same days."""
    found: dict[tuple[str, ...], list[tuple[str, str]]] = defaultdict(list)
    for rule in seed("posting_rules"):
        key = (rule["event_type"], rule["posting_variant"], rule["amount_name"], rule["known_from"])
        step = (rule["fund_code"], rule["entry_kind"]) if rule["event_type"] == "fund.merged" else ()
        found[key + step].append((rule["effective_from"], rule["effective_to"] or "9999-12-31"))
    assert {key for key, spans in found.items() if overlapping(spans)} == set()


def test_no_account_has_two_versions_for_the_same_day() -> None:
    found: dict[tuple[str, str], list[tuple[str, str]]] = defaultdict(list)
    for account in seed("chart_of_accounts"):
        key = (account["account_code"], account["known_from"])
        found[key].append((account["effective_from"], account["effective_to"] or "9999-12-31"))
    assert {key for key, spans in found.items() if overlapping(spans)} == set()


def test_every_account_named_by_a_rule_is_in_the_chart_of_its_fund() -> None:
    legs = [
        (rule["rule_id"], rule[f"{side}_account"], rule[f"{side}_sub_fund"], fund)
        for rule in seed("posting_rules")
        for side in ("debit", "credit")
        for fund in ([rule["fund_code"]] if rule["fund_code"] != "@row" else ["EMI"])
        if rule[f"{side}_account"] and not rule[f"{side}_account"].startswith("@")
    ]
    assert [leg for leg in legs if not in_chart(*leg[1:])] == []


def test_the_merged_fund_has_no_maternity_income_account() -> None:
    names = [
        a["name_zh"] for a in seed("chart_of_accounts") if a["account_class"] == "income" and a["fund_code"] != "MAT"
    ]
    assert [name for name in names if "生育" in name] == []


def test_every_maternity_account_has_a_posting_successor_in_the_merged_fund() -> None:
    chart = {account["account_code"]: account for account in seed("chart_of_accounts")}
    own = [a for a in chart.values() if a["fund_code"] == "MAT" and a["is_posting"] == "true"]
    assert {a["account_code"] for a in own} == {"400110", "50011001", "50011002", "50011003"}
    successors = [chart[a["successor_code"]] for a in own]
    assert all(s["fund_code"] == "EMI" and s["is_posting"] == "true" and s["sub_fund"] == "pooled" for s in successors)


def overlapping(spans: list[tuple[str, str]]) -> bool:
    """Whether two of the inclusive spans of ISO dates share a day."""
    ordered = sorted(spans)
    return any(later[0] <= earlier[1] for earlier, later in pairwise(ordered))


def in_chart(account_code: str, sub_fund: str, fund_code: str) -> bool:
    return any(
        account["is_posting"] == "true"
        and account["fund_code"] in ("", fund_code)
        and (
            sub_fund == "@row" or sub_fund == account["sub_fund"] or (not account["sub_fund"] and sub_fund != "shared")
        )
        for account in seed("chart_of_accounts")
        if account["account_code"] == account_code
    )
