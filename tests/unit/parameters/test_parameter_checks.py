"""What the check of the parameters finds, by code, file and line: each slip that a spreadsheet or a hand can make."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from expectations.rules_version import EDITABLE, SEEDS
from parameters import baseline
from parameters.__main__ import main
from parameters.checks import FREE, _value, check
from parameters.codes import read_by_rules
from parameters.files import read_all
from parameters.problems import CODES, Problem
from parameters.tables import POSTING, PROJECT, tables

RATE, BASE = "policy/policy_rate.csv", "policy/policy_base.csv"
RATE_2022 = "320100,,employee,310,2022-01-01,2022-12-31,0.0880,0.0200,2018-01-01,secondary,新华日报2022-03-04"
BASE_2022 = (
    "320100,2022-01-01,2023-03-31,4250.00,21821.00,2018-01-01,secondary,新华日报2022-03-04；2023年第一季度沿用为假定"
)
NEW = "320100,,employee,310,2022-01-01,2022-12-31,0.0800,0.0200,2018-01-01,secondary,示例"


def test_the_seeds_of_the_code_are_sound_and_every_table_is_described() -> None:
    found = check(PROJECT / "seeds")
    assert [str(problem) for problem in found.problems if problem.severity == "error"] == []
    assert {table.file for table in tables().values()} == {
        path.relative_to(PROJECT / "seeds").as_posix() for path in (PROJECT / "seeds").rglob("*.csv")
    }
    for table in tables().values():
        assert all(column.said.zh != column.name for column in table.columns), table.name


# (file, text to be replaced, by what, code, line, column); a text that is replaced by itself and more adds a row
SLIPS = [
    (RATE, RATE_2022, RATE_2022.replace("2022-01-01", "2022/1/1"), "E-PARAM-DATE", 5, "effective_from"),
    (RATE, RATE_2022, RATE_2022.replace("2022-01-01", "44562"), "E-PARAM-DATE", 5, "effective_from"),
    (RATE, RATE_2022, RATE_2022.replace("2022-01-01", "年初"), "E-PARAM-DATE-UNREADABLE", 5, "effective_from"),
    (RATE, RATE_2022, RATE_2022.replace("0.0880", "8.8"), "E-PARAM-RANGE", 5, "employer_rate"),
    (RATE, RATE_2022, RATE_2022.replace("0.0880", "8.8%"), "E-PARAM-NUMBER", 5, "employer_rate"),
    (RATE, RATE_2022, RATE_2022.replace("0.0880", "0.08800001"), "E-PARAM-SCALE", 5, "employer_rate"),
    (RATE, RATE_2022, RATE_2022.replace("0.0880", "8.3333333%"), "E-PARAM-SCALE", 5, "employer_rate"),
    (RATE, RATE_2022, RATE_2022.replace("0.0880", "￥0.08333333"), "E-PARAM-SCALE", 5, "employer_rate"),
    (RATE, RATE_2022, RATE_2022.replace("320100", "320101"), "E-PARAM-REGION", 5, "region_code"),
    (RATE, RATE_2022, RATE_2022.replace(",,employee", ",company,employee"), "E-PARAM-VALUE", 5, "employer_type"),
    (RATE, RATE_2022, RATE_2022.replace("secondary", ""), "E-PARAM-STATUS", 5, "status"),
    (RATE, RATE_2022, RATE_2022.replace("新华日报2022-03-04", ""), "E-PARAM-SOURCE", 5, "source"),
    (RATE, RATE_2022, RATE_2022.replace("2022-12-31", "2021-12-31"), "E-PARAM-PERIOD", 5, "effective_to"),
    (RATE, RATE_2022, RATE_2022.replace("2022-12-31", "2022-11-30"), "E-PARAM-GAP", 5, "effective_to"),
    (RATE, RATE_2022, RATE_2022 + ",，", "E-PARAM-CELLS", 5, ""),
    (RATE, RATE_2022, f"{RATE_2022}\n{NEW}", "E-PARAM-OVERLAP", 6, "effective_from"),
    (RATE, RATE_2022, f"{RATE_2022}\n{RATE_2022}", "E-PARAM-DUPLICATE", 6, ""),
    (RATE, "employer_rate,personal_rate", "personal_rate,employer_rate", "E-PARAM-HEADER", 1, ""),
    (BASE, BASE_2022, BASE_2022.replace("4250.00", "42500.00"), "E-PARAM-ORDER", 3, "base_floor"),
    (BASE, BASE_2022, BASE_2022.replace("4250.00", '"4,250.00"'), "E-PARAM-NUMBER", 3, "base_floor"),
    (BASE, BASE_2022, BASE_2022.replace("4250.00", ""), "E-PARAM-EMPTY", 3, "base_floor"),
]

DAYS, THRESHOLD = "policy/policy_allowance_days.csv", "policy/policy_threshold.csv"
MONITORING, SCENARIO = "policy/monitoring_parameter.csv", "policy/forecast_scenario.csv"
CALENDAR, ELIGIBLE = "policy/disclosure_calendar.csv", "policy/policy_benefit_eligibility.csv"
DUE = "320100,2019-09-01,,25,5,2018-01-01,assumed"
ENTITLED = ",employee,,maternity_allowance,2000-01-01,,true,2018-01-01,verified"
BIRTH = "320100,birth,2014-10-01,,98,,,2018-01-01,verified,国令619号第七条"
MONTHS = ",S01,look_back_months,12,month,2018-01-01,,2018-01-01,assumed,示例值，待本统筹区确认"
LOW = "320100,low,2019,-0.0800,-0.0100,-0.0100,-0.0050,,2018-01-01,assumed"
SLIPS += [
    (RATE, RATE_2022, RATE_2022.replace("secondary", "二手来源"), "E-PARAM-WORD", 5, "status"),
    (RATE, RATE_2022, RATE_2022.replace("secondary", "derived"), "E-PARAM-VALUE", 5, "status"),
    (CALENDAR, DUE, DUE.replace(",25,5,", ",25,,"), "E-PARAM-EMPTY", 2, "small_number_below"),
    (ELIGIBLE, ENTITLED, ENTITLED.replace(",true,", ",,"), "E-PARAM-EMPTY", 2, "is_entitled"),
    (DAYS, BIRTH, BIRTH.replace("birth", "deliverey"), "E-PARAM-VALUE", 2, "allowance_case"),
    (THRESHOLD, "320100,pooled_months_in_reserve", "320100,caesarian", "E-PARAM-VALUE", 2, "indicator_code"),
    (MONITORING, MONTHS, MONTHS.replace("S01", "S99"), "E-PARAM-VALUE", 5, "rule_code"),
    (MONITORING, MONTHS, MONTHS.replace("look_back_months", "min_case"), "E-PARAM-VALUE", 5, "parameter"),
    (MONITORING, ",,switched_on", ",,switch_on", "E-PARAM-VALUE", 2, "parameter"),
    (MONITORING, MONTHS, f"{MONTHS}\n{MONTHS.replace(',12,', ',18,')}", "E-PARAM-OVERLAP", 6, "effective_from"),
    (SCENARIO, LOW, LOW.replace("-0.0800", "5"), "E-PARAM-CHANGE", 2, "births_change"),
    (SCENARIO, LOW, f"{LOW},示例\n{LOW.replace('-0.0800', '-0.0700')}", "E-PARAM-TWICE", 3, "region_code"),
]
SUBSIDY, ALLOWANCE = "policy/policy_nutrition_subsidy.csv", "policy/policy_allowance.csv"
WAGE, DIVIDED = "159650.00,0.0200,half_up,3193.00,2018-01-01,secondary", "320100,2014-10-01,2025-06-30,30,"
SLIPS += [
    (RATE, RATE_2022, RATE_2022.replace("320100", "320100 "), "E-PARAM-SPACE", 5, "region_code"),
    (RATE, RATE_2022, RATE_2022.replace("2022-01-01", "\u30002022-01-01"), "E-PARAM-SPACE", 5, "effective_from"),
    (RATE, RATE_2022, RATE_2022.replace("320100", "３２０１００"), "E-PARAM-WORD", 5, "region_code"),
    (RATE, RATE_2022, RATE_2022.replace("0.0880", "０．０８８０"), "E-PARAM-NUMBER", 5, "employer_rate"),
    (RATE, RATE_2022, RATE_2022.replace("2022-01-01", "２０２２-01-01"), "E-PARAM-DATE", 5, "effective_from"),
    (RATE, RATE_2022, f"\n{RATE_2022}", "E-PARAM-BLANK", 5, ""),
    (RATE, RATE_2022, f",,,,,,,,,,\n{RATE_2022}", "E-PARAM-BLANK", 5, ""),
    (BASE, BASE_2022, BASE_2022.replace("4250.00", '"4250,50"'), "E-PARAM-NUMBER", 3, "base_floor"),
    (BASE, BASE_2022, BASE_2022.replace("4250.00", "-4250.00"), "E-PARAM-LEAST", 3, "base_floor"),
    (ALLOWANCE, DIVIDED, DIVIDED.replace(",30,", ",0,"), "E-PARAM-LEAST", 2, "divisor"),
    (SUBSIDY, WAGE, WAGE.replace("3193.00", "3300.00"), "E-PARAM-PRODUCT", 5, "subsidy_amount"),
]


@pytest.mark.parametrize(("file", "text", "written", "code", "line", "column"), SLIPS)
def test_a_slip_is_named_with_its_place(
    seeds: Path, file: str, text: str, written: str, code: str, line: int, column: str
) -> None:
    path = seeds / file
    assert text in path.read_text("utf-8")
    path.write_text(path.read_text("utf-8").replace(text, written, 1), "utf-8")
    found = [p for p in check(seeds).problems if (p.file, p.line, p.code, p.column) == (file, line, code, column)]
    assert len(found) == 1
    assert code in CODES
    assert str(found[0]).startswith(f"{file}:{line}")


def test_a_changed_and_a_removed_row_in_use_are_found_a_new_source_is_not(seeds: Path) -> None:
    used = baseline.of_folder(PROJECT / "seeds")
    path = seeds / RATE
    whole = path.read_text("utf-8")
    path.write_text(whole.replace("新华日报2022-03-04", "宁医发〔2021〕1号"), "utf-8")
    assert check(seeds, used).is_sound
    for changed in (whole.replace(RATE_2022 + "\n", ""), whole.replace("0.0880,0.0200", "0.0890,0.0200", 1)):
        path.write_text(changed, "utf-8")
        lost = [p for p in check(seeds, used).problems if p.code == "E-PARAM-CHANGED"]
        assert [(p.file, "2022-01-01" in p.detail) for p in lost] == [(RATE, True)]


def test_files_saved_by_a_spreadsheet_are_told_and_mended(seeds: Path, capsys: pytest.CaptureFixture[str]) -> None:
    rate, price = seeds / RATE, seeds / "policy" / "policy_price.csv"
    right = {path: path.read_bytes() for path in (rate, price)}
    rate.write_bytes(b"\xef\xbb\xbf" + right[rate].replace(b"2022-01-01", b"2022/1/1"))
    price.write_bytes(right[price].decode("utf-8").encode("gb18030"))
    assert main(["check", "--against", "none"]) == 1
    said = capsys.readouterr().err
    for code in ("E-PARAM-BOM", "E-PARAM-DATE", "E-PARAM-ENCODING"):
        assert code in said
    assert main(["check", "--fix", "--against", str(PROJECT / "seeds")]) == 0
    assert {path: path.read_bytes() for path in right} == right


def test_blanks_and_wide_digits_are_mended(seeds: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = seeds / RATE
    right = path.read_bytes()
    path.write_text(
        right.decode().replace("320100,,employee,310,2022", " ３２０１００,,employee,３１０ ,２０２２", 1)
        + "\n,,,,,,,,,,\n"
    )
    assert main(["check", "--against", "none"]) == 1
    assert main(["check", "--fix", "--against", str(PROJECT / "seeds")]) == 0
    assert path.read_bytes() == right
    path.write_bytes(right.decode().encode("utf-16"))
    assert main(["check", "--fix", "--against", "none"]) == 0
    assert path.read_bytes() == right
    assert "UTF-16" not in capsys.readouterr().err


def test_a_row_that_nobody_knows_yet_is_a_warning(seeds: Path) -> None:
    path = seeds / BASE
    path.write_text(path.read_text("utf-8") + "320100,2027-01-01,,5000.00,25000.00,2062-01-01,assumed,示例\n", "utf-8")
    found = check(seeds, today=date(2026, 11, 26))
    assert found.is_sound
    assert [(p.file, p.value) for p in found.problems if p.code == "E-PARAM-KNOWN-LATER"] == [(BASE, "2062-01-01")]


def test_each_language_says_its_own_part_of_a_detail() -> None:
    said = str(Problem(BASE, 3, "E-PARAM-NUMBER", "base_floor", "四千", "只写数字和小数点 / digits and a point only"))
    zh, _, en = said.partition(" / ")
    assert "digits" not in zh
    assert "数字" not in en


@pytest.mark.parametrize(
    ("written", "code"), [("abc", "E-PARAM-NUMBER"), ("8.33.3", "E-PARAM-NUMBER"), ("0,08%x", "E-PARAM-NUMBER")]
)
def test_a_cell_that_cannot_be_read_is_never_written_blank(
    seeds: Path, capsys: pytest.CaptureFixture[str], written: str, code: str
) -> None:
    path = seeds / RATE
    spoilt = RATE_2022.replace("2022-01-01", "2022/1/1").replace("0.0880", f'"{written}"')
    path.write_text(path.read_text("utf-8").replace(RATE_2022, spoilt), "utf-8")
    before = path.read_bytes()
    assert main(["check", "--fix", "--against", "none"]) == 1
    said = capsys.readouterr()
    assert code in said.out
    assert "left as it is" in said.out
    assert path.read_bytes() == before


def test_bytes_that_are_no_text_are_told_and_left_as_they_are(seeds: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = seeds / RATE
    path.write_bytes(path.read_bytes().replace("新华日报".encode(), b"\xff\xff", 1))
    before = path.read_bytes()
    assert main(["check", "--fix", "--against", "none"]) == 1
    said = capsys.readouterr().err
    assert "E-PARAM-FILE" in said
    assert "GB18030" in said
    assert path.read_bytes() == before


def test_what_may_change_and_what_must_be_adopted_are_those_of_the_rules_version() -> None:
    assert set(SEEDS) == POSTING
    assert set(SEEDS) <= tables().keys()
    assert {name for name in FREE if name.startswith("title_")} == FREE - EDITABLE
    assert not any(table.has(name) for table in tables().values() if table.name in SEEDS for name in FREE - EDITABLE)


def test_missing_and_unknown_files_are_named(seeds: Path) -> None:
    (seeds / RATE).rename(seeds / "policy" / "rates.csv")
    named = {problem.file for problem in check(seeds).problems if problem.code == "E-PARAM-FILE"}
    assert named == {RATE, "policy/rates.csv"}


def test_what_is_in_force_is_shown_with_its_source_and_the_next_change(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["show", "--region", "320100", "--on", "2023-05-01", "--table", "policy_rate"]) == 0
    said = capsys.readouterr().out
    for part in (
        "employer_rate=0.0780（7.8%）",
        "secondary（二手来源",
        "2024-01-01: employer_rate 0.0780（7.8%） → 0.0880（8.8%）",
    ):
        assert part in said
    assert "0.0980" not in said


def test_every_table_has_a_key_and_every_parameter_of_monitoring_is_read() -> None:
    assert [table.name for table in tables().values() if not table.key] == []
    found = {(row["rule_code"], row["parameter"]) for row in read_all(PROJECT / "seeds")["monitoring_parameter"].rows}
    read = {(rule, name) for rule, names in read_by_rules().items() for name in names}
    assert found <= read
    assert {(rule, name) for rule, name in read if rule and ("", name) not in found} <= found


def test_the_change_that_was_probably_meant_is_named() -> None:
    assert "5% = 0.05" in _value(tables()["budget_factor"].column("percent"), "5", set())[1]


def test_outside_git_and_without_a_warehouse_nothing_is_compared_and_that_is_said(
    seeds: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("FUND_DATABASE_URL", raising=False)
    assert main(["check"]) == 0
    assert "未与任何已部署的版本比较" in capsys.readouterr().out
    assert main(["check", "--against", str(PROJECT / "seeds")]) == 0
    assert f"compared with: {PROJECT / 'seeds'}" in capsys.readouterr().out
    assert seeds.is_dir()


def test_a_code_never_used_before_is_a_warning_with_the_nearest(seeds: Path) -> None:
    path = seeds / SCENARIO
    path.write_text(path.read_text("utf-8") + LOW.replace(",low,", ",hgih,") + ",示例\n", "utf-8")
    found = check(seeds, baseline.of_folder(PROJECT / "seeds"))
    assert found.is_sound
    assert ["high" in p.detail for p in found.problems if p.code == "E-PARAM-CODE-NEW"] == [True]
