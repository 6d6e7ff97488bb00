"""Seeds that postings rest on only grow: a seed that lacks a used row is not loaded."""

from __future__ import annotations

import re
import shutil
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from expectations.rules_version import SEEDS
from ingestion.database import connect
from runtime import dbt
from tests.integration.posting_log import PostingLog

pytestmark = pytest.mark.slow

MERGER_DATES = "select region_code, merger_date::text from policy.policy_region order by 1"
AS_IN_THE_SEED = [("320100", "2020-01-01"), ("340400", "2019-12-01")]


def execute(statement: str) -> list[tuple[Any, ...]]:
    with closing(connect(role="fund_transform", autocommit=True)) as connection, connection.cursor() as cursor:
        cursor.execute(statement)
        return list(cursor.fetchall()) if cursor.description else []


def load_seed(run: str) -> None:
    dbt._run(run, "seed", ["seed", "--select", "policy_region"])


@pytest.mark.usefixtures("migrated_warehouse")
def test_a_seed_that_lacks_a_used_row_is_not_loaded() -> None:
    """The table stands for the older seed: where it differs from the file, the file has been edited."""
    load_seed("new")
    PostingLog("340400").add({"event_type": "employer.closed", "occurred_on": "2020-03-01", "family": "registration"})

    # Nothing is recorded of Nanjing, and nobody posts by a name or a threshold.
    execute("update policy.policy_region set merger_date = '2020-02-01' where region_code = '320100'")
    execute("update policy.policy_region set name_en = 'Elsewhere', status = 'verified', quarantine_row_share_max = 1")
    execute(
        "insert into policy.policy_region (region_code, merger_date, known_from)"
        " values ('340400', '2021-01-01', '2099-01-01')"
    )
    load_seed("unused rows edited and removed")
    assert execute(MERGER_DATES) == AS_IN_THE_SEED

    execute("update policy.policy_region set merger_date = '2019-11-01' where region_code = '340400'")
    before = execute(MERGER_DATES)
    with pytest.raises(dbt.DbtError, match="policy_region: rows that postings rest on were edited or removed"):
        load_seed("a used row edited")
    assert execute(MERGER_DATES) == before


@pytest.mark.usefixtures("migrated_warehouse")
def test_a_folder_with_one_unsound_row_is_not_loaded_at_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """dbt would load the blank after the region as it stands, and the row would never be found."""
    folder = tmp_path / "seeds"
    shutil.copytree(dbt.PROJECT / "seeds", folder, ignore=shutil.ignore_patterns("*.yml"))
    with (folder / "policy" / "policy_base.csv").open("a", encoding="utf-8") as handle:
        handle.write("340400 ,2027-01-01,,４０１９,20094.00,2026-11-27,assumed,示例\n")
    monkeypatch.setenv("FUND_SEEDS_DIR", str(folder))
    with pytest.raises(dbt.DbtError) as refusal:
        dbt.deploy("unsound")
    for part in (f"{folder}/policy/policy_base.csv:8 [region_code] E-PARAM-SPACE", "[base_floor] E-PARAM-NUMBER"):
        assert part in str(refusal.value)
    assert execute("select count(*) from pg_tables where schemaname = 'policy' and tablename like 'policy%'") == [(0,)]


# Seed -> an edit of the table, which stands for the older seed, that the file then seems to have undone.
USED = {
    "chart_of_accounts": "update policy.chart_of_accounts set fund_code = 'MAT' where account_code = '490109'",
    "posting_rules": "update policy.posting_rules set credit_account = '490101' where rule_id = 'OTHR-01'",
    "money_account": "update policy.money_account set account_code = '1002' where symbol = 'cash'",
    "event_type": "update policy.event_type set carries_money = false where event_type = 'other.received'",
    "policy_region": "update policy.policy_region set merger_date = '2019-11-01' where region_code = '340400'",
    "policy_rate": "update policy.policy_rate set personal_rate = 0.01 where region_code = '340400'",
    "policy_base": "update policy.policy_base set base_ceiling = base_ceiling + 1 where region_code = '340400'",
    "policy_personal_account": "update policy.policy_personal_account set age_from = 1 where region_code = '340400'",
}


@pytest.mark.usefixtures("deployed_warehouse")
def test_every_seed_that_posting_reads_is_guarded() -> None:
    """Chart, rules, accounts of events, merger dates, personal-account rates, base limits and personal rates."""
    PostingLog("340400").add({"event_type": "employer.closed", "occurred_on": "2020-03-01", "family": "registration"})
    for edit in USED.values():
        execute(edit)
    with pytest.raises(dbt.DbtError) as refusal:
        dbt._run("edited", "seed", ["seed"])
    refused = set(re.findall(r"seed (\w+): rows that postings rest on", str(refusal.value)))
    assert refused == set(USED) == set(SEEDS)


# Versions that the file has and the older table lacks: of a day on which events were recorded already.
BACKDATED = {
    "policy_region": "known_from = '2018-01-02' where region_code = '340400'",
    "posting_rules": "known_from = '2018-01-02' where event_type = 'other.received'",
    "chart_of_accounts": "known_from = '2018-01-02' where account_code = '490109'",
    "policy_base": "known_from = '2018-01-02' where region_code = '340400'",
}


@pytest.mark.exhaustive
@pytest.mark.usefixtures("deployed_warehouse")
def test_a_new_version_may_not_reach_back_over_recorded_events() -> None:
    """The older table knows each row from the day after the newest event; those of the file are known earlier."""
    log = PostingLog("340400")
    log.add(
        {"event_type": "employer.closed", "occurred_on": "2018-01-01", "family": "registration"},
        recorded_at="2018-01-01 15:59:00+00",
    )
    for seed, edit in BACKDATED.items():
        execute(f"update policy.{seed} set {edit}")
    # One minute before midnight in Beijing: the versions of the day before are the newest that may not come anew.
    with pytest.raises(dbt.DbtError) as refusal:
        dbt._run("backdated", "seed", ["seed"])
    refused = set(re.findall(r"seed (\w+): new versions are known from a day", str(refusal.value)))
    assert refused == set(BACKDATED)
    assert '"recorded_on": "2018-01-01"' in str(refusal.value)

    # Never known before: a city, an account, a variant. Nothing recorded of Nanjing.
    for seed, of_key in {
        "policy_region": "region_code = '340400'",
        "posting_rules": "event_type = 'other.received'",
        "chart_of_accounts": "account_code = '490109'",
        "policy_base": "region_code = '340400'",
    }.items():
        execute(f"delete from policy.{seed} where {of_key}")
    execute("update policy.policy_region set known_from = '2018-01-02' where region_code = '320100'")
    dbt._run("new keys", "seed", ["seed"])
    assert execute(MERGER_DATES) == AS_IN_THE_SEED


@pytest.mark.exhaustive
@pytest.mark.usefixtures("migrated_warehouse")
def test_a_region_is_no_member_of_a_group_twice_in_one_month(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Ended by the 15th and begun on the 16th, both periods count the month."""
    project = tmp_path / "project"
    shutil.copytree(dbt.PROJECT, project)
    monkeypatch.setattr(dbt, "PROJECT", project)
    seed = project / "seeds" / "policy" / "consolidation_member.csv"
    header = seed.read_text("utf-8").splitlines()[0]
    row = "320000,江苏省,Jiangsu,320100,320000,{},{},assumed,".format
    members = "select effective_from::text from policy.consolidation_member order by 1"

    def load(*periods: tuple[str, str]) -> None:
        seed.write_text("\n".join([header, *(row(*period) for period in periods), ""]), "utf-8")
        dbt._run("members", "seed", ["seed", "--select", "consolidation_member"])

    load(("2018-01-01", "2020-05-31"), ("2020-06-01", ""))
    assert execute(members) == [("2018-01-01",), ("2020-06-01",)]
    with pytest.raises(dbt.DbtError, match=r"320000 320100: 2018-01-01 – 2020-06-15 / 2020-06-16 – …"):
        load(("2018-01-01", "2020-06-15"), ("2020-06-16", ""))
    assert execute(members) == [("2018-01-01",), ("2020-06-01",)]
