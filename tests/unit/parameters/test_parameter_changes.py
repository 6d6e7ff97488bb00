"""New parameters: from the command line or a workbook, checked, shown and appended; what is there never changes."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from pathlib import Path

import pytest
from openpyxl import load_workbook

from ingestion.seeds import Seeds
from ingestion.settings import BEIJING
from parameters.__main__ import main
from parameters.checks import check
from parameters.files import read
from parameters.periods import in_force
from parameters.tables import PROJECT, tables

RATE = "policy/policy_rate.csv"
CHANGE = [
    "--table",
    "policy_rate",
    "--region",
    "320100",
    "--from",
    "2027-01-01",
    "--set",
    "enrollment_category=employee",
]
CHANGE += ["--set", "insurance_type=310", "--set", "employer_rate=8.3%"]
SOURCED = ["--set", "status=verified", "--set", "source=宁医发〔2026〕100号"]
TOMORROW = (datetime.now(BEIJING).date() + timedelta(days=1)).isoformat()
ROW = f"320100,,employee,310,2027-01-01,,0.083,0.0200,{TOMORROW},verified,宁医发〔2026〕100号\n"


def test_a_new_rate_is_proposed_then_added_and_nothing_else_changes(
    seeds: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    held = (seeds / RATE).read_text("utf-8")
    for command in ("propose", "add"):
        assert main([command, *CHANGE, *SOURCED]) == 0
        said = capsys.readouterr().out
        assert "employer_rate 0.0880 → 0.083" in said
        assert "+ " + ROW.strip() in said
        assert (seeds / RATE).read_text("utf-8") == held
    assert main(["add", *CHANGE, *SOURCED, "--yes"]) == 0
    assert (seeds / RATE).read_text("utf-8") == held + ROW
    assert check(seeds, {RATE: held.encode()}).is_sound
    rows = [row for row in read(tables()["policy_rate"], seeds).rows if row["region_code"] == "320100"]
    employees = [row for row in rows if (row["enrollment_category"], row["insurance_type"]) == ("employee", "310")]
    for day, rate in ((date(2026, 12, 31), "0.0880"), (date(2027, 1, 1), "0.083"), (date(2022, 5, 1), "0.0880")):
        row = in_force(employees, day)
        assert row is not None
        assert row["employer_rate"] == rate


def test_without_a_source_or_with_a_rate_of_8_nothing_is_added(seeds: Path, capsys: pytest.CaptureFixture[str]) -> None:
    held = (seeds / RATE).read_bytes()
    assert main(["add", *CHANGE, "--yes"]) == 1
    assert "E-PARAM-SOURCE" in capsys.readouterr().err
    assert main(["add", *CHANGE[:-1], "employer_rate=8.3", *SOURCED, "--yes"]) == 1
    assert "E-PARAM-RANGE" in capsys.readouterr().err
    assert main(["add", *CHANGE, *SOURCED, "--set", "known_from=2017-01-01", "--yes"]) == 1
    assert "E-PARAM-KNOWN" in capsys.readouterr().err
    assert main(["add", *CHANGE[:4], *CHANGE[6:], *SOURCED, "--yes"]) == 2
    assert "--from" in capsys.readouterr().err
    assert main(["add", "--table", "no_such_table", "--yes"]) == 2
    assert (seeds / RATE).read_bytes() == held


def test_a_general_rate_says_which_types_it_leaves_alone(seeds: Path, capsys: pytest.CaptureFixture[str]) -> None:
    change = [text if text != "320100" else "340400" for text in CHANGE]
    assert main(["propose", *change, *SOURCED]) == 0
    assert "enterprise, government, public_institution" in capsys.readouterr().out
    assert seeds.is_dir()


def test_a_retroactive_base_is_what_acceptance_reads_from_then_on(seeds: Path) -> None:
    given = [
        "--region",
        "340400",
        "--from",
        "2024-01-01",
        "--set",
        "effective_to=2024-12-31",
        "--set",
        "base_floor=4200",
    ]
    assert main(["add", "--table", "policy_base", *given, *SOURCED, "--yes"]) == 0
    own = Seeds.load(seeds)
    month, known = date(2024, 3, 1), date.fromisoformat(TOMORROW)
    floors = [own.credit_terms("340400", month, day)[0].base_floor for day in (known - timedelta(days=1), known)]
    assert [f"{floor:.2f}" for floor in floors] == ["4019.00", "4200.00"]


def test_a_workbook_comes_back_with_new_rows_alone(
    seeds: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "parameters.xlsx"
    assert main(["export", "--to", str(path), "--table", "policy_price", "--table", "policy_rate"]) == 0
    assert main(["add", "--workbook", str(path)]) == 1
    assert "E-PARAM-NOTHING" in capsys.readouterr().err
    book = load_workbook(path)
    sheet = book["policy_rate"]
    used = len(read(tables()["policy_rate"], seeds).rows)
    assert sheet.cell(4, 2).protection.locked
    assert not sheet.cell(4 + used, 2).protection.locked
    assert any("enterprise" in str(one.formula1) for one in sheet.data_validations.dataValidation)
    assert "单位费率" in sheet["H3"].comment.text
    given = ["320100", None, "employee", "310", datetime.fromisoformat("2027-01-01"), None, 0.083, 0.02]
    for column, value in enumerate([*given, None, "verified", "宁医发〔2026〕100号"], start=2):
        sheet.cell(4 + used, column).value = value
    book.save(path)
    held = (seeds / RATE).read_text("utf-8")
    assert main(["add", "--workbook", str(path), "--yes"]) == 0
    assert (seeds / RATE).read_text("utf-8") == held + ROW.replace("0.0200", "0.02")
    assert main(["check", "--against", str(PROJECT / "seeds")]) == 0

    sheet.cell(4 + used, 8).value = 8.3
    book.save(path)
    assert main(["add", "--workbook", str(path), "--yes"]) == 1
    assert f"policy_rate:{4 + used} [employer_rate] E-PARAM-RANGE" in capsys.readouterr().err
    sheet.cell(6, 8).value = 0.1
    book.save(path)
    assert main(["add", "--workbook", str(path), "--yes"]) == 1
    assert "policy_rate:6 E-PARAM-CHANGED" in capsys.readouterr().err


def test_the_same_rows_give_the_same_workbook(tmp_path: Path) -> None:
    for name in ("one.xlsx", "two.xlsx"):
        assert main(["export", "--to", str(tmp_path / name)]) == 0
    assert (tmp_path / "one.xlsx").read_bytes() == (tmp_path / "two.xlsx").read_bytes()


def options(table: str, region: str, *values: str) -> list[str]:
    """A proposal of a row with a source."""
    given = [text for value in values for text in ("--set", value)]
    return ["propose", "--table", table, "--region", region, *given, *SOURCED]


def test_a_row_takes_over_from_its_own_key_alone_and_says_so(seeds: Path, capsys: pytest.CaptureFixture[str]) -> None:
    held = read(tables()["forecast_scenario"], seeds).rows
    high = max(
        (row for row in held if (row["region_code"], row["scenario_code"]) == ("320100", "high")),
        key=lambda row: int(row["year"]),
    )
    assert main(options("forecast_scenario", "320100", "scenario_code=high", "year=2027", "births_change=8%")) == 0
    said = capsys.readouterr().out
    assert f"taken over from line {high.line}: cost_per_case_change={high['cost_per_case_change']}" in said
    assert f"+ 320100,high,2027,0.08,{high['cost_per_case_change']}," in said
    assert "原无规则" not in said
    factor = ("fund_code=EMI", "budget_year=2020", "line_code=I11", "factor_code=retirements", "percent=0.01")
    assert main(options("budget_factor", "320100", *factor)) == 0
    said = capsys.readouterr().out
    assert "原无规则" in said
    assert "taken over" not in said
    assert "+ 320100,EMI,2020,I11,retirements,,,0.01,,," in said
    assert "E-PARAM-CODE-NEW" in said


def test_a_region_without_its_own_row_takes_over_from_that_of_all(
    seeds: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    change = options("monitoring_parameter", "320100", "rule_code=S01", "parameter=min_cases", "value=30")
    assert main([*change, "--from", "2027-01-01"]) == 0
    said = capsys.readouterr().out
    assert "unit=case" in said
    assert "value 20 → 30" in said
    assert seeds.is_dir()


def test_used_rows_missing_from_a_workbook_are_told_and_stay(
    seeds: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path, held = tmp_path / "parameters.xlsx", (seeds / RATE).read_bytes()
    assert main(["export", "--to", str(path), "--table", "policy_price", "--table", "policy_rate"]) == 0
    book = load_workbook(path)
    book.remove(book["policy_price"])
    book["policy_rate"].delete_rows(4)
    book.save(path)
    assert main(["add", "--workbook", str(path), "--yes"]) == 1
    said = capsys.readouterr().err
    assert said.count("E-PARAM-MISSING") == 2
    assert "未删除任何行" in said
    assert (seeds / RATE).read_bytes() == held


@pytest.mark.parametrize("name", ["rows.csv", "broken.xlsx", "absent.xlsx"])
def test_what_is_no_workbook_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str], name: str) -> None:
    path = tmp_path / name
    if name != "absent.xlsx":
        path.write_text("region_code\n320100\n", "utf-8")
    assert main(["add", "--workbook", str(path), "--yes"]) == 1
    said = capsys.readouterr().err
    assert f"{name}:1 E-PARAM-WORKBOOK" in said
    assert "Traceback" not in said


def test_days_are_read_as_people_write_them(capsys: pytest.CaptureFixture[str]) -> None:
    change = [part if part != "2027-01-01" else "2027年1月1日" for part in CHANGE]
    assert main(["propose", *change, "--to", "2027/12/31", *SOURCED]) == 0
    assert ",2027-01-01,2027-12-31," in capsys.readouterr().out
    with pytest.raises(SystemExit):
        main(["propose", *CHANGE[:4], "--from", "2027-13-01"])
    assert "E-PARAM-DATE-UNREADABLE" in capsys.readouterr().err


def test_a_command_that_can_t_be_understood_has_a_code(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["propose", "--table", "policy_rates"]) == 2
    said = capsys.readouterr().err
    assert "E-PARAM-COMMAND" in said
    assert "nearest: policy_rate" in said


def test_a_row_for_the_past_says_what_becomes_of_what_is_booked(capsys: pytest.CaptureFixture[str]) -> None:
    def asked(day: str) -> str:
        change = [part if part != "2027-01-01" else day for part in CHANGE]
        assert main(["propose", *change, *SOURCED]) == 0
        return capsys.readouterr().out

    assert "marts.supplementary_assessment" in asked("2020-03-01")
    assert "marts.supplementary_assessment" not in asked("2999-01-01")
