"""The public reference is what the code says, and every error code is earned by a test."""

from __future__ import annotations

from ingestion.errors import CODES, message
from ingestion.reference import TARGET, render
from tests.integration import ingestion_codes
from tests.unit.ingestion import (
    test_file_reading,
    test_parquet_reading,
    test_profiles,
    test_references,
    test_row_rules,
    test_workbook_meaning,
    test_workbook_reading,
)

_CELLS = test_workbook_reading.test_errors_lost_digits_and_formulas_without_result_are_faults_of_their_rows


def test_the_document_is_in_step_with_the_code() -> None:
    assert TARGET.read_text(encoding="utf-8") == render(), "run: python -m ingestion docs"


def test_every_code_is_produced_by_some_test() -> None:
    files = (*test_file_reading.BAD_FILES, *test_workbook_reading.BAD_WORKBOOKS, *test_parquet_reading.BAD_FILES)
    by_tables = {code for code, *_ in (*test_row_rules.CASES, *files, *test_references.CODES)}
    by_single_tests = {
        "E-SCHEMA-EVENT-TYPE": test_row_rules.test_event_types_of_another_family_unknown_ones_and_control_are_refused,
        "E-SCHEMA-FIELDS": test_file_reading.test_an_unclosed_quote_costs_its_own_line_only,
        "E-SCHEMA-JSON": test_file_reading.test_a_line_that_is_no_plain_object_is_a_misfit,
        "E-FILE-TOTAL": test_workbook_reading.test_the_row_of_totals_is_compared_and_is_no_row,
        "E-SCHEMA-CELL-DIGITS": _CELLS,
        "E-SCHEMA-CELL-ERROR": _CELLS,
        "E-SCHEMA-CELL-FORMULA": _CELLS,
        "E-SCHEMA-CELL-MERGED": test_workbook_meaning.test_a_cell_under_a_merged_one_is_never_silently_empty,
        "E-FILE-MANIFEST": test_file_reading.test_a_manifest_that_disagrees_refuses_the_file,
        "E-FILE-PROFILE": test_profiles.test_a_wrong_profile_is_refused_with_the_place,
        "E-VALUE-MAP": test_profiles.test_a_value_outside_the_profile_has_its_code,
        "E-VALUE-MERGER-TWICE": test_references.test_the_merger_of_a_region_is_recorded_once,
    }
    assert set(CODES) - by_tables - set(by_single_tests) == ingestion_codes.AGAINST_THE_LOG


def test_every_sentence_is_there_in_both_languages() -> None:
    for entry in CODES.values():
        assert any("一" <= character <= "鿿" for character in entry.zh), entry.code
        assert entry.en.isascii(), entry.code


def test_a_message_names_place_code_and_detail() -> None:
    told = message("E-TYPE-AMOUNT", "amount", "a.csv:7")
    assert told.startswith("a.csv:7 E-TYPE-AMOUNT 金额")
    assert "[amount] / not an amount" in told
