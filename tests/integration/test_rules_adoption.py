"""A changed version of the posting rules: adopted before more is published, and the same books on a rebuild."""

from __future__ import annotations

import re
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from posting_log import PostingLog

from expectations.__main__ import main
from expectations.gate import GateRefusedError, check, publish
from expectations.report import explain
from expectations.rules_version import EDITABLE, rules_sha256
from ingestion import heads
from ingestion.database import connect
from ingestion.runs import run_all
from ingestion.settings import Settings
from ingestion.verification import verify
from runtime import dbt

pytestmark = pytest.mark.slow

HUAINAN, NANJING = "340400", "320100"
# The same pair of rows under another account: other income by itself, from 1 December 2026 on.
NEW_VERSION = """
insert into policy.posting_rules
select 'OTHR-02', event_type, posting_variant, amount_name, debit_account, debit_sub_fund, '490101', credit_sub_fund,
    red, fund_code, entry_kind, effective_from, effective_to, date '{known_from}', clause, status, note_zh, note_en
from policy.posting_rules where rule_id = 'OTHR-01'
"""
EDITED_NAMES = "update policy.posting_rules set note_en = 'said better', clause = 'another', status = 'verified'"
OTHER_INCOME = {
    "event_type": "other.received",
    "fund_code": "EMI",
    "sub_fund": "pooled",
    "account": "special_demand",
    "amount": 100,
}
Rows = list[tuple[Any, ...]]


def execute(role: str, statement: str, *values: object) -> Rows:
    with closing(connect(role=role, autocommit=True)) as connection, connection.cursor() as cursor:
        cursor.execute(statement, values)
        return list(cursor.fetchall()) if cursor.description else []


def land(number: int) -> None:
    """One registration of each city: an event that posts nothing, so that there is something to publish."""
    folder = Settings.from_env().landing_dir / "handmade"
    folder.mkdir(parents=True, exist_ok=True)
    lines = ["event_type,source_event_key,occurred_on,region_code,employer_no,employer_type"]
    lines += [
        f"employer.registered,R{number}-{region},2020-06-29,{region},X{number},enterprise"
        for region in (NANJING, HUAINAN)
    ]
    (folder / f"more.registration.{number}.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")


def run(run_id: str) -> None:
    """What a run of the pipeline does after ingestion's DAG."""
    run_all()
    heads.record()
    dbt.build(run_id)
    check(run_id)


def published() -> dict[str, tuple[int, str]]:
    return {
        region: (seq, rules)
        for region, seq, rules in execute("auditor", "select region_code, seq, rules_sha256 from marts.published_head")
    }


@pytest.mark.usefixtures("published_copy")
def test_changed_rules_are_adopted_before_more_is_published(capsys: pytest.CaptureFixture[str]) -> None:
    before = published()
    execute("fund_transform", EDITED_NAMES)
    land(1)
    run("names only")
    assert {decision.decision for decision in publish("names only")} == {"published"}, (
        "what no posting reads may change"
    )

    execute("fund_transform", NEW_VERSION.format(known_from="2026-12-01"))
    land(2)
    run("changed")
    with pytest.raises(GateRefusedError) as refusal:
        publish("changed")
    assert {d.region_code: d.failed_checks for d in refusal.value.decisions} == {
        NANJING: ("rules-not-adopted",),
        HUAINAN: ("rules-not-adopted",),
    }
    assert re.search(r"rules-not-adopted 记账规则已变更.*adopt-rules --region", explain("changed"))
    kept = published()
    assert {rules for _, rules in kept.values()} == {rules for _, rules in before.values()}

    adopt = ["adopt-rules", "--by", "preparer", "--reason", "other income has an account of its own"]
    assert main([*adopt, "--region", "999999"]) == 2
    assert "no log of this region" in capsys.readouterr().err
    assert main([*adopt, "--region", NANJING]) == 0
    assert "已采用" in capsys.readouterr().out
    run("nanjing adopted")
    with pytest.raises(GateRefusedError) as refusal:
        publish("nanjing adopted")
    assert {d.region_code: d.decision for d in refusal.value.decisions} == {NANJING: "published", HUAINAN: "refused"}

    assert main([*adopt, "--all"]) == 0
    said = capsys.readouterr().out
    assert re.search(f"{NANJING} .*与上次发布相同", said)
    assert re.search(f"{HUAINAN} .*已采用", said)
    assert main([*adopt, "--region", HUAINAN]) == 0
    assert "此前已采用" in capsys.readouterr().out, "adopted once"
    run("both adopted")
    assert {d.region_code: d.decision for d in publish("both adopted")} == {NANJING: "unchanged", HUAINAN: "published"}
    with closing(connect("fund_publisher")) as connection:
        assert {rules for _, rules in published().values()} == {rules_sha256(connection)}
    events = execute(
        "auditor",
        "select region_code, family, source_system, prepared_by, reason, rules_sha256, occurred_on"
        " from events.event where event_type = 'rules.adopted' order by 1",
    )
    assert [event[:5] for event in events] == [
        (region, "control", "merged_fund", "preparer", "other income has an account of its own")
        for region in (NANJING, HUAINAN)
    ]
    assert {event[6] for event in events} == {Settings.from_env().business_date}
    assert not any(report.found for report in verify()), "the chain holds over control events"


@pytest.mark.exhaustive
@pytest.mark.usefixtures("deployed_warehouse")
def test_a_later_version_changes_no_earlier_books_and_a_rebuild_gives_the_same(
    warehouse_factory: Callable[..., str], deployed_template: tuple[str, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Facts recorded before known_from keep their rule for ever, whichever day they are booked on."""
    log = PostingLog(HUAINAN)
    log.add({**OTHER_INCOME, "occurred_on": "2026-11-02"}, recorded_at="2026-11-20 12:00:00+08")
    dbt.build("before")
    journal = "select * from ledger.journal_line order by region_code, event_seq, entry_no, line_no"
    first = execute("auditor", journal)

    execute("fund_transform", NEW_VERSION.format(known_from="2026-12-01"))
    log.add({**OTHER_INCOME, "occurred_on": "2026-11-03"}, recorded_at="2026-11-30 23:59:00+08")
    log.add({**OTHER_INCOME, "occurred_on": "2026-11-03"}, recorded_at="2026-12-01 00:01:00+08")
    dbt.build("after")
    grown = execute("auditor", journal)
    assert [row for row in grown if row in first] == first, "no line booked before has changed"
    accounts = "select event_seq, account_code from ledger.journal_line where credit_amount > 0 order by 1"
    assert execute("auditor", accounts) == [(1, "490109"), (2, "490109"), (3, "490101")]

    monkeypatch.setenv("FUND_DATABASE_URL", warehouse_factory(template=deployed_template[0]))
    execute("fund_transform", NEW_VERSION.format(known_from="2026-12-01"))
    again = PostingLog(HUAINAN)
    again.add({**OTHER_INCOME, "occurred_on": "2026-11-02"}, recorded_at="2026-11-20 12:00:00+08")
    again.add({**OTHER_INCOME, "occurred_on": "2026-11-03"}, recorded_at="2026-11-30 23:59:00+08")
    again.add({**OTHER_INCOME, "occurred_on": "2026-11-03"}, recorded_at="2026-12-01 00:01:00+08")
    dbt.build("rebuilt")
    assert execute("auditor", journal) == grown


def test_what_may_be_edited_is_the_same_for_seeds_and_version() -> None:
    macro = (dbt.PROJECT / "macros" / "keep_used_rows.sql").read_text("utf-8")
    listed = macro[macro.index("- array[") : macro.index("] as content")]
    assert set(re.findall(r"'(\w+)'", listed)) == EDITABLE
