"""The sample files, read back by a small reader and booked by a small ledger of the test's own."""

from __future__ import annotations

import csv
import gzip
import hashlib
import json
import os
import subprocess
import sys
from collections import Counter, defaultdict
from datetime import datetime
from decimal import Decimal
from pathlib import Path

import openpyxl
import polars as pl
import pytest

from ingestion.profiles import profile_of
from runtime.samples import DEMO_CALENDAR, write_samples
from tests.unit.sample_ledger import balances_by_day, entry_of, fund_of
from tests.unit.sample_rows import MERGER, ROOT, Row, adds_up, is_data, is_slip, read, yuan

PERSONS = 700
MONEY_ACCOUNTS = ("cash", "treasury", "income", "special_demand", "special_time", "expenditure", "bond")


@pytest.fixture(scope="module")
def landing(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("landing")
    write_samples(folder, seed=7, persons=PERSONS)
    return folder


@pytest.fixture(scope="module")
def delivered(landing: Path) -> list[Row]:
    """Every row as delivered, canonical names and codes, slips included, the re-sent file left out."""
    files = sorted(
        path for source in ("nanjing", "huainan", "huainan_maternity") for path in (landing / source).glob("*.csv*")
    )
    return [row for path in files if is_data(path) for row in read(path)]


@pytest.fixture(scope="module")
def facts(delivered: list[Row]) -> list[Row]:
    """The rows that are right, each key once: what the log should hold in the end."""
    right: dict[tuple[str, ...], Row] = {}
    for row in delivered:
        if not is_slip(row):
            right.setdefault((row["region_code"], row["family"], row["source_event_key"]), row)
    return sorted(right.values(), key=lambda row: row["occurred_on"])


@pytest.mark.parametrize("region", MERGER)
def test_no_bank_account_is_ever_overdrawn(facts: list[Row], region: str) -> None:
    days = 0
    for day, balances in balances_by_day(facts, region):
        days += 1
        overdrawn = {key: value for key, value in balances.items() if key[1] in MONEY_ACCOUNTS and value < 0}
        assert not overdrawn, f"{region} {day}"
    assert days > 200


@pytest.mark.parametrize("region", MERGER)
def test_advances_and_unidentified_receipts_never_change_sign(facts: list[Row], region: str) -> None:
    for day, balances in balances_by_day(facts, region):
        for fund in ("EMI", "MAT"):
            assert balances.get((fund, "temporary_payment"), 0) >= 0, day
            assert balances.get((fund, "temporary_receipt"), 0) <= 0, day


@pytest.mark.parametrize("region", MERGER)
def test_month_ends_are_what_the_bank_states_and_the_income_account_is_empty(
    facts: list[Row], landing: Path, region: str
) -> None:
    stated = [
        json.loads(line)
        for path in (landing / "fund_bank").glob("*.gz")
        for line in gzip.decompress(path.read_bytes()).splitlines()
    ]
    wanted = {
        (line["month"], line["fund"], line["account"]): Decimal(line["amount_fen"]) / 100
        for line in stated
        if line["region"] == region and line["kind"] == "bank_balance"
    }
    month_ends = {day[:7].replace("-", ""): balances for day, balances in balances_by_day(facts, region)}
    assert len(month_ends) == 10
    assert len(wanted) == (10 + (4 if region == "320100" else 3)) * 6
    late = {}
    for (month, fund, account), amount in wanted.items():
        if difference := amount - month_ends[month].get((fund, account), Decimal(0)):
            late[month, fund, account] = difference
        assert account != "income" or amount == 0
    paid = [
        (row["occurred_on"], yuan(row, "pooled_amount") + yuan(row, "personal_account_amount"))
        for row in facts
        if row["region_code"] == region and row["event_type"] == "claim.paid" and row["occurred_on"][:7] == "2020-03"
        if row.get("pay_account") not in ("special_demand", "cash")
    ]
    assert list(late) == [("202003", "EMI", "expenditure")], "one payment is on its way at the end of one month"
    assert (max(paid)[0], *late.values()) in paid


def test_tax_office_states_what_was_collected(facts: list[Row], landing: Path) -> None:
    collected: dict[tuple[str, ...], Decimal] = defaultdict(Decimal)
    for row in facts:
        if row["event_type"] == "contribution.collected" and row["deposit_account"] == "treasury":
            amount = sum((yuan(row, name) for name in ("employer_amount", "personal_amount", "late_fee")), Decimal(0))
            collected[row["region_code"], row["occurred_on"][:7], fund_of(row)] += amount
    stated: dict[tuple[str, ...], Decimal] = {}
    for path in (landing / "tax_bureau").glob("*.xlsx"):
        book = openpyxl.load_workbook(path, data_only=True)
        assert [sheet.sheet_state for sheet in book] == ["visible", "hidden"]
        *rows, total = book.worksheets[0].iter_rows(min_row=5, values_only=True)
        amounts = [Decimal(str(row[7])).scaleb(4).quantize(Decimal("0.01")) for row in (*rows, total)]
        assert (total[0], sum(amounts[:-1])) == ("合 计", amounts[-1])
        for (_, _, region, _, fund, month, *_), amount in zip(rows, amounts, strict=False):
            assert isinstance(month, datetime)
            stated[str(region), f"{month:%Y-%m}", "MAT" if fund == "生育保险基金" else "EMI"] = amount
    assert len(stated) == 27
    assert {key: amount for key, amount in stated.items() if amount} == dict(collected)


def test_fiscal_side_states_what_it_paid_out(facts: list[Row], landing: Path) -> None:
    funded: dict[tuple[str, ...], Decimal] = defaultdict(Decimal)
    for row in facts:
        if (row.get("from_account"), row.get("to_account")) == ("special_demand", "expenditure"):
            funded[row["region_code"], row["occurred_on"][:7], fund_of(row)] += yuan(row, "amount")
        if row["event_type"] == "claim.paid" and row.get("pay_account") == "special_demand":
            funded[row["region_code"], row["occurred_on"][:7], fund_of(row)] += yuan(row, "pooled_amount")
            funded[row["region_code"], row["occurred_on"][:7], "EMI"] += yuan(row, "personal_account_amount")
        if row.get("account") == "special_demand" and row["event_type"] in (
            *("remitted.up", "subsidised.down", "transfer.sent"),
            *("catastrophic.transferred", "other.paid", "account.paid_out"),
        ):
            funded[row["region_code"], row["occurred_on"][:7], fund_of(row)] += yuan(row, "amount")
    tables = [pl.read_parquet(path) for path in (landing / "fiscal_bureau").glob("*.parquet")]
    stated = {
        (row["admdvs"], f"{row['acctg_month']:%Y-%m}", "MAT" if row["insutype"] == 510 else "EMI"): row["paid_amt"]
        for table in tables
        for row in table.iter_rows(named=True)
    }
    assert len(stated) == 27
    assert {key: amount for key, amount in stated.items() if amount} == dict(funded)


@pytest.mark.parametrize("region", MERGER)
def test_every_event_type_of_the_contract_occurs(facts: list[Row], region: str) -> None:
    with (ROOT / "dbt_project" / "seeds" / "accounts" / "event_type.csv").open(encoding="utf-8") as stream:
        known = {row["event_type"] for row in csv.DictReader(stream) if row["family"] != "control"}
    seen = {row["event_type"] for row in facts if row["region_code"] == region}
    other_city = {"loan.received", "loan.repaid"} if region == "320100" else set()
    assert known - seen == other_city


@pytest.mark.parametrize("region", MERGER)
def test_the_merger_is_recorded_once_on_its_day(facts: list[Row], region: str) -> None:
    merged = [row for row in facts if row["event_type"] == "fund.merged" and row["region_code"] == region]
    assert [(row["occurred_on"], row["fund_code"]) for row in merged] == [(MERGER[region], "MAT")]


def test_nothing_of_the_maternity_fund_is_dated_after_the_merger(facts: list[Row]) -> None:
    for row in facts:
        merger = MERGER[row["region_code"]]
        if row.get("fund_code") == "MAT" and row["event_type"] != "fund.merged":
            assert row["occurred_on"] < merger
        if row["family"] == "contribution" and row["insurance_type"] == "510":
            assert row["contribution_month"] < merger[:7]
            assert "personal_amount" not in row


@pytest.mark.parametrize("region", MERGER)
def test_maternity_arrears_and_refunds_cross_the_merger(facts: list[Row], region: str) -> None:
    late = Counter(
        row["event_type"]
        for row in facts
        if row["region_code"] == region
        and row["family"] in ("contribution", "claim")
        and row["insurance_type"] == "510"
        and row["occurred_on"] >= MERGER[region]
    )
    expected = {"contribution.collected", "contribution.refunded", "claim.paid", "claim.recovered", "advance.returned"}
    assert expected <= set(late)


def test_payments_and_offsets_stay_within_the_settlement(facts: list[Row]) -> None:
    left: dict[tuple[str, str, str], Decimal] = defaultdict(Decimal)
    signs = {"claim.settled": 1, "claim.paid": -1, "advance.offset": -1, "claim.reversed": 1}
    settled = set()
    for row in facts:
        if row["event_type"] in signs:
            settled |= {row["claim_no"]} if row["event_type"] == "claim.settled" else set()
            for part in ("pooled_amount", "personal_account_amount"):
                left[row["region_code"], row["claim_no"], part] += signs[row["event_type"]] * yuan(row, part)
    assert min(left.values()) == 0
    assert all(row["claim_no"] in settled for row in facts if row["event_type"] == "claim.paid")


def test_settled_claims_add_up(facts: list[Row]) -> None:
    settled = [row for row in facts if row["event_type"] == "claim.settled"]
    assert len(settled) > 1_000
    assert all(adds_up(row) for row in settled)


def test_originals_exist_and_are_not_overdrawn(facts: list[Row]) -> None:
    amounts: dict[tuple[str, str], Decimal] = {}
    for row in facts:
        total = sum(
            (yuan(row, name) for name in ("amount", "pooled_amount", "employer_amount", "personal_amount")), Decimal(0)
        )
        personal = yuan(row, "personal_account_amount")
        amounts[row["region_code"], row["source_event_key"]] = total + personal
    used: dict[tuple[str, str], Decimal] = defaultdict(Decimal)
    for row in facts:
        if "original_event_key" in row and row["event_type"] != "claim.paid":
            used[row["region_code"], row["original_event_key"]] += amounts[row["region_code"], row["source_event_key"]]
    assert len(used) > 20
    assert all(amount <= amounts[key] for key, amount in used.items())


@pytest.mark.parametrize("region", MERGER)
def test_maternity_is_paid_in_every_month_but_the_first(facts: list[Row], region: str) -> None:
    months = {
        row["occurred_on"][:7]
        for row in facts
        if row["region_code"] == region
        and row["event_type"] == "claim.paid"
        and row["benefit_item"].startswith("delivery")
    }
    assert len(months) >= 9


def test_payment_methods_follow_each_citys_notice(facts: list[Row]) -> None:
    for row in facts:
        case = row["event_type"] == "claim.settled" and row.get("settlement_kind") != "monthly"
        if case and row["occurred_on"] >= MERGER[row["region_code"]]:
            nanjing = row["region_code"] == "320100"
            if row["benefit_item"] == "prenatal":
                assert row["payment_method"] == ("per_unit" if nanjing else "per_capita")
            if row["benefit_item"].startswith("delivery"):
                assert row["payment_method"] == "per_disease"
    subsidies = {row["region_code"] for row in facts if row.get("benefit_item") == "nutrition_subsidy"}
    assert subsidies == {"320100"}


def test_slips_are_few(delivered: list[Row], facts: list[Row]) -> None:
    for region, prefix in (("320100", "NJ"), ("340400", "HN")):
        rows = [row for row in delivered if row["source_event_key"].startswith(prefix)]
        slips = [row for row in rows if is_slip(row)]
        assert 4 <= len(slips) <= 8
        posted = sum((amount for row in facts if row["region_code"] == region and row["family"] != "registration"
                      and row["event_type"] not in ("balance.opened", "cash.transferred")
                      for *_, amount in entry_of(row)), Decimal(0))  # fmt: skip
        at_stake = sum((yuan(row, "amount") for row in slips if row.get("amount", "0").isascii()), Decimal(0))
        assert at_stake < posted / 1_000


def test_one_payment_comes_only_after_its_recovery(landing: Path) -> None:
    early = list(read(landing / "huainan" / "hn_claim_2019Q4.csv"))
    recovered = {row["original_event_key"] for row in early if row["event_type"] == "claim.recovered"}
    later = {row["source_event_key"] for row in read(landing / "huainan" / "hn_claim_2020Q1.csv")}
    assert len(recovered & later) == 1


def test_same_seed_same_bytes_whatever_the_hash_seed(landing: Path, tmp_path: Path) -> None:
    command = [
        sys.executable,
        "-m",
        "runtime.samples",
        "--landing",
        str(tmp_path),
        "--seed",
        "7",
        "--persons",
        str(PERSONS),
    ]
    subprocess.run(command, check=True, cwd=ROOT, env={**os.environ, "PYTHONHASHSEED": "99"}, stdout=subprocess.DEVNULL)
    assert _digests(tmp_path) == _digests(landing)


def test_another_seed_gives_other_people(landing: Path, tmp_path: Path) -> None:
    write_samples(tmp_path, seed=8, persons=PERSONS)
    assert set(_digests(tmp_path)) == set(_digests(landing))
    assert _digests(tmp_path) != _digests(landing)


def _digests(folder: Path) -> dict[str, str]:
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    return {str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


def test_files_already_there_are_left_alone(landing: Path) -> None:
    before = {path: path.stat().st_mtime_ns for path in landing.rglob("*") if path.is_file()}
    assert set(write_samples(landing, seed=7, persons=PERSONS)) <= set(before)
    assert {path: path.stat().st_mtime_ns for path in landing.rglob("*") if path.is_file()} == before


def test_manifests_describe_their_files(landing: Path) -> None:
    manifests = sorted(landing.rglob("*.csv.gz.manifest.json"))
    assert len(manifests) == 8
    for path in manifests:
        manifest, data = (
            json.loads(path.read_text(encoding="utf-8")),
            path.with_name(path.name.removesuffix(".manifest.json")),
        )
        rows = list(read(data))
        totals: dict[str, Decimal] = defaultdict(Decimal)
        for row in rows:
            for key in ("", f"@{row['occurred_on']}"):
                totals[key] += yuan(row, "employer_amount")
        assert manifest["sha256"] == hashlib.sha256(data.read_bytes()).hexdigest()
        assert manifest["row_count"] == len(rows)
        stated = {key.partition("@"): Decimal(value) for key, value in manifest["control_totals"].items()}
        assert {mark + day: amount for (_, mark, day), amount in stated.items()} == totals


def test_the_calendar_names_files_that_come(landing: Path) -> None:
    told = 0
    for due in DEMO_CALENDAR:
        for family in due.families or ("treasury",):
            names = [path.name for path in (landing / due.source_system).iterdir() if f"_{family}_" in path.name]
            for quarter in ("2019Q4", "2020Q1", "2020Q2"):
                assert any(quarter in name for name in names), due
            told += 1
    assert told == 8


@pytest.mark.parametrize("source_system", ["nanjing", "huainan", "fund_bank"])
def test_sample_profiles_are_accepted(source_system: str, landing: Path) -> None:
    profile = profile_of(source_system, ROOT / "ingestion" / "sources")
    files = [path for path in (landing / source_system).iterdir() if is_data(path)]
    assert files
    for path in files:
        assert profile.feed_of(path.name).family in (*path.name.split("_"), "treasury")


def test_sources_go_over_to_version_2_one_after_the_other(delivered: list[Row]) -> None:
    """Huainan's contributions from the second quarter of 2020 on, claims of both cities with the files of the first."""
    money = {("nanjing", "1"): 0, ("huainan", "1"): 0, ("huainan", "2"): 0}
    for row in delivered:
        version = row.get("schema_version", "1")
        if row["family"] not in ("contribution", "claim"):
            assert version == "1"
        if row["family"] == "contribution" and version == "2":
            assert row["occurred_on"] >= "2020-04-01"
        if row["event_type"] in ("contribution.collected", "contribution.refunded"):
            money[row["source_system"], version] += 1
            named = {name for name in ("receipt_no", "tax_voucher_no", "tax_authority_code") if name in row}
            assert named == ({"tax_voucher_no", "tax_authority_code"} if version == "2" else {"receipt_no"})
    assert min(money.values()) > 100


def test_allowances_say_when_they_were_applied_for_once_the_interface_can(delivered: list[Row]) -> None:
    told = {"1": 0, "2": 0}
    for row in delivered:
        if (row["event_type"], row.get("benefit_item")) == ("claim.settled", "maternity_allowance"):
            version = row.get("schema_version", "1")
            told[version] += "applied_on" in row if version == "2" else 1
            if "applied_on" in row:
                assert version == "2"
                assert row["service_on"] < row["applied_on"] < row["occurred_on"]
    assert min(told.values()) > 10


def test_too_few_persons_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="at least 400"):
        write_samples(tmp_path, seed=1, persons=10)


def test_hospitals_state_what_they_were_paid(facts: list[Row]) -> None:
    paid: dict[tuple[str, ...], Decimal] = defaultdict(Decimal)
    payments = {row["source_event_key"]: row for row in facts if row["event_type"] == "claim.paid"}
    for row in facts:
        if row["event_type"] in ("claim.paid", "claim.reversed"):
            payment = payments[row.get("original_event_key", row["source_event_key"])]
            sign = -1 if row["event_type"] == "claim.reversed" else 1
            if payment["payee_type"] == "institution":
                where = payment["institution_code"], row["occurred_on"][:7]
                paid[*where, fund_of(row)] += sign * yuan(row, "pooled_amount")
                paid[*where, "EMI"] += sign * yuan(row, "personal_account_amount")
    stated = {
        (row["institution_code"], row["accounting_month"], row["fund_code"]): yuan(row, "amount")
        for row in facts
        if row.get("statement_kind") == "institution_settled" and row["region_code"] == "320100"
    }
    assert len({institution for institution, *_ in stated}) == 3
    assert len(stated) >= 30
    assert {key: paid[key] for key in stated} == stated


def test_a_larger_city_pays_before_it_collects_and_is_not_overdrawn(tmp_path: Path) -> None:
    """Openings grow with the persons: those of the default did not last a city of four times as many."""
    sources = {path.parent.name for path in write_samples(tmp_path, persons=10_000)}
    assert {"nanjing", "huainan", "huainan_maternity", "fund_bank"} <= sources
