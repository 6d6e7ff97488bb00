"""Source profiles: mapping, units, date forms, value maps, ignored columns; clear errors where one is wrong."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import polars as pl
import pytest

from ingestion.contracts import FAMILIES
from ingestion.errors import FileRejected
from ingestion.mapping import canonical_texts, raw_texts
from ingestion.profiles import Feed, parse_profile, profile_of
from ingestion.settings import REPOSITORY
from ingestion.validation import Examined, examine
from tests.unit.ingestion.valid_rows import rulebook

SOURCES = REPOSITORY / "ingestion" / "sources"
PROFILE = """
source_system: s
title: {zh: 来源, en: Source}
defaults: {amount_unit: fen, date_formats: ["%Y年%m月%d日", "%Y%m%d"], month_formats: ["%Y年%m月"]}
feeds:
  - family: contribution
    pattern: "c_*.csv*"
    columns:
      类型: {to: event_type, values: {"01": contribution.collected, 到账: contribution.collected}}
      编号: source_event_key
      日期: occurred_on
      人员: person_no
      单位: employer_no
      月份: contribution_month
      基数: {to: contribution_base, unit: wan}
      单位缴费: employer_amount
      个人缴费: {to: personal_amount, unit: yuan}
      账户: {to: deposit_account, values: {国库: treasury}}
      票号: receipt_no
    ignore: [姓名]
    constants: {region_code: "320100", insurance_type: "310", enrollment_category: employee}
  - family: registration
    pattern: "r_*"
    columns: {t: event_type, k: source_event_key, d: occurred_on, r: region_code, 证件: certificate_no, p: person_no}
"""
ROW = {
    "类型": "01", "编号": "K1", "日期": "2019年1月5日", "人员": "P1", "单位": "U1", "月份": "2019年1月",
    "基数": "0.812345", "单位缴费": "1,234，567", "个人缴费": "１６０.00", "账户": "国库", "票号": "T", "姓名": "某人",
}  # fmt: skip


def examined(feed: Feed, *rows: dict[str, str]) -> tuple[Examined, list[str]]:
    frame = pl.DataFrame(list(rows), schema=dict.fromkeys(rows[0], pl.String))
    return examine(canonical_texts(frame, feed), feed, rulebook(feed.family)), raw_texts(frame, feed).to_list()


def feed_of(name: str) -> Feed:
    return parse_profile(PROFILE.encode(), "s").feed_of(name)


def test_units_dates_maps_and_constants_are_applied() -> None:
    result, _ = examined(feed_of("c_1.csv"), ROW | {"个人缴费": "160.00"})
    assert result.reasons == {}
    row = result.frame.row(0, named=True)
    assert (row["event_type"], row["region_code"], row["deposit_account"]) == (
        "contribution.collected",
        "320100",
        "treasury",
    )
    assert (row["occurred_on"], row["contribution_month"]) == (date(2019, 1, 5), date(2019, 1, 1))
    assert (row["contribution_base"], row["employer_amount"], row["personal_amount"]) == (812345, 1234567, 16000)


def test_a_feed_fixes_the_version_of_its_rows() -> None:
    said = PROFILE.replace("票号: receipt_no", "票号: tax_voucher_no").replace(
        "{region", '{schema_version: "2", region'
    )
    result, _ = examined(parse_profile(said.encode(), "s").feed_of("c_1.csv"), ROW | {"个人缴费": "160.00"})
    assert result.reasons == {}
    assert result.frame["schema_version"].to_list() == [2]
    assert result.frame["tax_voucher_no"].to_list() == ["T"]


@pytest.mark.parametrize(
    ("column", "text", "code"),
    [
        ("类型", "99", "E-VALUE-MAP"),
        ("账户", "口袋", "E-VALUE-MAP"),
        ("个人缴费", "１６０.０00", "E-TYPE-AMOUNT"),
        ("单位缴费", "12.5", "E-TYPE-AMOUNT"),
        ("单位缴费", "1,23", "E-TYPE-AMOUNT"),
        ("基数", "0.1234567", "E-TYPE-AMOUNT"),
        ("日期", "2019年13月5日", "E-TYPE-DATE"),
        ("日期", "2019-01-05", "E-TYPE-DATE"),
        ("月份", "2019-01", "E-TYPE-MONTH"),
    ],
)
def test_a_value_outside_the_profile_has_its_code(column: str, text: str, code: str) -> None:
    result, _ = examined(feed_of("c_1.csv"), ROW | {"个人缴费": "160.00"} | {column: text})
    assert [found for found, _ in result.reasons[0]] == [code]


def test_an_empty_mapped_value_stays_empty() -> None:
    result, _ = examined(feed_of("c_1.csv"), ROW | {"个人缴费": "160.00", "账户": None})  # type: ignore[dict-item]
    assert result.reasons[0] == [("E-SCHEMA-REQUIRED", ("deposit_account",))]


def test_ignored_columns_never_show_and_identity_numbers_are_masked() -> None:
    _, (raw,) = examined(feed_of("c_1.csv"), ROW | {"票号": "身份证11010519491231002X。"})
    assert "某人" not in raw
    assert "姓名" not in raw
    assert "身份证110***********002X。" in raw
    registration = {"t": "enrollment.started", "k": "K", "d": "20190105", "r": "320100", "p": "P"}
    _, raws = examined(
        feed_of("r_1.csv"), registration | {"证件": "110105194912310021"}, registration | {"证件": "1101054912310"}
    )
    assert '"证件":"110***********0021"' in raws[0]
    assert '"证件":"***"' in raws[1]


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (("source_system: s", "source_system: t"), "not the name of the folder"),
        (("amount_unit: fen", "amount_unit: pound"), "pound"),
        (("family: contribution", "family: cash"), "cash"),
        (("票号: receipt_no", "票号: receipt_number"), "unknown canonical column: receipt_number"),
        (("票号: receipt_no", "票号: person_no"), "filled twice: person_no"),
        (("ignore: [姓名]", "ignore: [票号]"), "mapped and ignored: 票号"),
        (("ignore: [姓名]", "ignored: [姓名]"), "ignored"),
        (("defaults: {", "defaults: {{"), "defaults"),
        (("feeds:", "food:"), "food|feeds"),
        (("constants: {region", 'constants: {schema_version: "3", region'), "not of the feed's schema_version: 3"),
        (("constants: {region", 'constants: {schema_version: "2", region'), "schema_version: receipt_no"),
    ],
)
def test_a_wrong_profile_is_refused_with_the_place(change: tuple[str, str], told: str) -> None:
    with pytest.raises(FileRejected, match=told) as refused:
        parse_profile(PROFILE.replace(*change).encode(), "s")
    assert refused.value.code == "E-FILE-PROFILE"


def test_a_name_that_no_feed_knows_is_refused() -> None:
    with pytest.raises(FileRejected, match="E-FILE-NAME"):
        feed_of("x_1.csv")
    assert feed_of("deep/down/c_1.csv.gz").family == "contribution"


@pytest.mark.parametrize("path", sorted(SOURCES.glob("*.yml")), ids=lambda path: path.stem)
def test_shipped_profiles_are_sound(path: Path) -> None:
    assert profile_of(path.stem, SOURCES).feeds


@pytest.mark.parametrize("family", sorted(FAMILIES))
@pytest.mark.parametrize("name", ["a.{}.b.csv", "2019.11.{}.nj.01.csv.gz", "目录/甲.{}.乙.csv"])
def test_canonical_names_tell_the_family(family: str, name: str, tmp_path: Path) -> None:
    assert profile_of("anything", tmp_path).feed_of(name.format(family)).family == family
