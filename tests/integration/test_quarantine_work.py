"""What becomes of rows that are set aside: sent again, corrected in another format, refused for another reason."""

from __future__ import annotations

import io
import threading
from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from multiprocessing import get_context

import psycopg2
import pytest
import xlsxwriter
from psycopg2 import errors
from psycopg2.extensions import cursor as Cursor

from ingestion import quarantine, runs
from ingestion.__main__ import main
from ingestion.corrections import SHEET
from ingestion.profiles import Feed
from tests.integration.corrections_support import as_jsonl, as_tax_workbook, feed_of, native, open_state
from tests.integration.ingestion_support import (
    files,
    land,
    land_rows,
    payment,
    person,
    premium,
    quarantined,
    run,
    select,
)
from tests.unit.ingestion.valid_rows import Row, sound_row

pytestmark = pytest.mark.usefixtures("migrated_warehouse")


def _resolutions() -> list[tuple[object, ...]]:
    """(file, line, resolution, file and line of the entry that stands for it), in order."""
    return select(
        "SELECT f.file_name, q.line_no, r.resolution, g.file_name, o.line_no FROM events.quarantine_resolution AS r"
        " INNER JOIN events.quarantine AS q USING (quarantine_id) INNER JOIN events.file_registry AS f USING (file_id)"
        " LEFT JOIN events.quarantine AS o ON o.quarantine_id = r.resolved_by_quarantine_id"
        " LEFT JOIN events.file_registry AS g ON g.file_id = o.file_id ORDER BY q.quarantine_id"
    )


def test_the_same_faulty_row_again_counts_once_and_keeps_its_age() -> None:
    bad = payment("K1", claim_no="")
    land_rows("a.claim.1.csv", bad, payment("K2"))
    run()
    assert open_state() == (1, Decimal("100.00"))
    land_rows("b.claim.1.csv", payment("K2"), bad)
    run()
    assert files()["b.claim.1.csv"] == ("loaded", None, 2, 0, 1, 1, 0)
    assert open_state() == (1, Decimal("100.00"))
    assert _resolutions() == [("b.claim.1.csv", 3, "resent", "a.claim.1.csv", 2)]
    land_rows("c.claim.1.csv", payment("K1"))
    run()
    assert open_state()[0] == 0


def test_another_version_that_is_faulty_too_takes_the_place_of_the_first() -> None:
    land_rows("a.claim.1.csv", payment("K1", claim_no=""))
    run()
    land_rows("b.claim.1.csv", payment("K1", claim_no="", pooled_amount="70.00"))
    run()
    assert open_state() == (1, Decimal("70.00"))
    assert quarantined(only_open=True) == {("b.claim.1.csv", 2): {"E-SCHEMA-REQUIRED"}}
    assert _resolutions() == [("a.claim.1.csv", 2, "resent", "b.claim.1.csv", 2)]


def test_two_versions_of_one_file_are_not_two_sendings() -> None:
    land_rows("a.claim.1.csv", payment("K1", claim_no=""), payment("K1", claim_no="", pooled_amount="70.00"))
    run()
    assert open_state() == (2, Decimal("170.00"))
    land_rows(
        "b.claim.1.csv", payment("K1", claim_no=""), payment("K1", claim_no="", pooled_amount="70.00"), payment("K9")
    )
    run()
    assert open_state() == (2, Decimal("170.00"))
    assert {line for _, line in quarantined(only_open=True)} == {2, 3}
    assert {name for name, _ in quarantined(only_open=True)} == {"a.claim.1.csv"}


def test_rows_without_a_key_are_known_by_their_text_each_once() -> None:
    bad = payment("", pooled_amount="5.00")
    land_rows("a.claim.1.csv", bad, bad)
    run()
    land_rows("b.claim.1.csv", bad, bad, bad, payment("K2"))
    run()
    assert open_state() == (3, Decimal("15.00")), "three equal rows of one file are three payments"
    assert [row[2:] for row in _resolutions()] == [("resent", "a.claim.1.csv", 2), ("resent", "a.claim.1.csv", 3)]


def test_text_with_nul_can_be_sent_again() -> None:
    bad = payment("K1", pooled_amount="1.00", claim_no="a\x00b")
    land_rows("a.claim.1.csv", bad)
    land_rows("b.claim.1.csv", bad, payment("K2"))
    run()
    assert open_state() == (1, Decimal("1.00"))


def test_equal_rows_that_wait_are_one_and_load_once() -> None:
    reversal = sound_row("claim.reversed", source_event_key="R", original_event_key="K1")
    land_rows("a.claim.1.csv", reversal)
    run()
    land_rows("b.claim.1.csv", reversal, payment("K2"))
    run()
    assert quarantined(only_open=True) == {("a.claim.1.csv", 2): {"E-REF-ORIGINAL"}}
    land_rows("c.claim.1.csv", payment("K1"))
    run()
    assert open_state()[0] == 0
    assert files()["a.claim.1.csv"][-1] == 1
    assert [row[2] for row in _resolutions()] == ["loaded", "resent"]


def test_a_row_that_waits_is_not_given_up_for_a_faulty_one_under_its_key() -> None:
    reversal = sound_row("claim.reversed", source_event_key="R", original_event_key="K1")
    land_rows("a.claim.1.csv", reversal)
    run()
    land_rows("b.claim.1.csv", reversal | {"occurred_on": "2019-13-01"})
    run()
    assert set(quarantined(only_open=True)) == {("a.claim.1.csv", 2), ("b.claim.1.csv", 2)}
    land_rows("c.claim.1.csv", payment("K1"))
    run()
    assert open_state()[0] == 0
    assert select("SELECT source_event_key FROM events.event ORDER BY seq") == [("K1",), ("R",)]


@pytest.mark.parametrize(
    ("source", "name", "content", "at_fault"),
    [
        ("tax_bureau", "tax_treasury_1.xlsx", as_tax_workbook, {"入库情况/入库金额": "0.12345678"}),
        ("fund_bank", "statement_1.jsonl", as_jsonl, {"amount_fen": "一百"}),
    ],
)
def test_a_correction_may_come_in_another_format(
    source: str, name: str, content: Callable[[Feed, Sequence[Row]], bytes], at_fault: Row
) -> None:
    feed = feed_of(source, name)
    good = native(feed, sound_row("balance.stated", source_event_key="K1", account="treasury", amount="1234.50"))
    land(name, content(feed, [good | at_fault]), source)
    run()
    assert open_state()[0] == 1
    land(f"corrections.{source}.treasury.1.mine.xlsx", _sheet_of(good), source)
    run()
    assert open_state()[0] == 0
    assert select("SELECT amount FROM events.event") == [(Decimal("1234.50"),)]


def _sheet_of(row: Row) -> bytes:
    """A workbook of corrections made by hand: without numbers, without the columns that say why."""
    buffer = io.BytesIO()
    with xlsxwriter.Workbook(buffer, {"in_memory": True}) as book:
        sheet = book.add_worksheet(SHEET)
        sheet.write_row(0, 0, list(row))
        for place, text in enumerate(row.values()):
            sheet.write_string(1, place, text)
    return buffer.getvalue()


def test_a_waiting_row_shows_the_newest_reason_and_what_it_was_refused_for_first() -> None:
    refund = sound_row("claim.recovered", source_event_key="R", original_event_key="K1", pooled_amount="150.00")
    land_rows("a.claim.1.csv", refund)
    run()
    run()
    assert select("SELECT count(*) FROM events.quarantine_retry") == [(0,)], "nothing has changed"
    land_rows("b.claim.1.csv", payment("K1"))
    run()
    assert quarantined(only_open=True) == {("a.claim.1.csv", 2): {"E-REF-AMOUNT"}}
    assert quarantined() == {("a.claim.1.csv", 2): {"E-REF-ORIGINAL"}}
    ((told, shown),) = select("SELECT error_codes, messages FROM events.quarantine_open")
    assert told == ["E-REF-AMOUNT"]
    assert shown[0].startswith("a.claim.1.csv:2 E-REF-AMOUNT ")
    assert "[original_event_key=K1]" in shown[0]
    run()
    assert select("SELECT change_no, error_codes FROM events.quarantine_retry") == [(1, ["E-REF-AMOUNT"])]


def test_reasons_are_never_changed_or_removed() -> None:
    with pytest.raises(errors.RestrictViolation):
        select("DELETE FROM events.quarantine_retry")
    with pytest.raises(errors.RestrictViolation):
        select("UPDATE events.quarantine_retry SET change_no = 2")


@pytest.mark.parametrize(
    "values", ["1, 'resent', '320100', 1, NULL", "1, 'resent', NULL, NULL, 1", "1, 'loaded', NULL, NULL, 2"]
)
def test_a_resolution_names_what_settles_it(values: str) -> None:
    land_rows("a.claim.1.csv", payment("K1", claim_no=""), payment("K2", claim_no=""))
    run()
    with pytest.raises(psycopg2.IntegrityError):
        select(
            "INSERT INTO events.quarantine_resolution (quarantine_id, resolution, region_code, resolved_by_seq,"
            f" resolved_by_quarantine_id, resolved_at) VALUES ({values}, now()) RETURNING 1"
        )


def test_files_with_the_same_faulty_row_from_several_processes_leave_it_open_once() -> None:
    for number in range(4):
        land_rows(f"{number}.claim.1.csv", payment("K1", claim_no=""), payment(f"L{number}"))
    with get_context("spawn").Pool(4) as pool:
        pool.map(_ingest, [f"{number}.claim.1.csv" for number in range(4)])
    assert open_state() == (1, Decimal("100.00"))
    assert select("SELECT sum(rows), sum(loaded), sum(quarantined) FROM events.file") == [(8, 4, 4)]


def _ingest(name: str) -> None:
    runs.ingest({"source_system": "demo", "file_name": name, "family": "claim"})


def test_a_file_with_keyless_rows_waits_for_another_of_its_source_that_has_some(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    settle, held, go_on = quarantine.settle, threading.Event(), threading.Event()

    def settle_and_hold(cursor: Cursor, file_id: int, added: Mapping[str, int]) -> int:
        settled = settle(cursor, file_id, added)
        if not held.is_set():
            held.set()
            assert go_on.wait(60)
        return settled

    monkeypatch.setattr(quarantine, "settle", settle_and_hold)
    keyless = payment("K1", region_code="nowhere")
    land_rows("a.claim.1.csv", keyless)
    land_rows("b.claim.1.csv", keyless, payment("K2"))
    first, second = (threading.Thread(target=_ingest, args=(f"{name}.claim.1.csv",)) for name in "ab")
    first.start()
    assert held.wait(60)
    second.start()
    try:
        while second.is_alive() and not select("SELECT FROM pg_locks WHERE NOT granted AND locktype = 'advisory'"):
            second.join(0.05)
    finally:
        go_on.set()
        first.join()
        second.join()
    assert open_state() == (1, Decimal("100.00"))
    assert _resolutions() == [("b.claim.1.csv", 2, "resent", "a.claim.1.csv", 2)]


FAULTY = (
    payment("K1", claim_no=""),
    payment("K2", claim_no="", pooled_amount="1234567.89"),
    payment("K3", pooled_amount="x", region_code="340400"),
    payment("K4", region_code="nowhere"),
)


def _listed(capsys: pytest.CaptureFixture[str]) -> list[list[str]]:
    """The lines of the list: words but for the date."""
    capsys.readouterr()
    assert main(["quarantine", "list"]) == 0
    *lines, total = [line.split() for line in capsys.readouterr().out.splitlines()[1:]]
    lines = [line for line in lines if "demo" in line]
    assert all(line[-1] == "0" for line in lines), "set aside today"
    return [*(line[:-2] for line in lines), total]


def test_what_is_open_is_listed_by_region(capsys: pytest.CaptureFixture[str]) -> None:
    land_rows("a.claim.1.csv", *FAULTY)
    run()
    assert _listed(capsys) == [
        ["-", "否", "no", "demo", "claim", "1", "100.00", "0"],
        ["320100", "是", "yes", "demo", "claim", "2", "1,234,667.89", "0"],
        ["340400", "是", "yes", "demo", "claim", "1", "0.00", "1"],
        ["合计", "total", "4", "1,234,767.89", "1"],
    ]


def test_rows_without_a_region_are_listed_under_each_of_the_source_and_counted_once(
    capsys: pytest.CaptureFixture[str],
) -> None:
    land_rows("a.claim.1.csv", *FAULTY, payment("K5"), payment("K6", region_code="340400"))
    run()
    assert _listed(capsys) == [
        ["320100", "是", "yes", "demo", "claim", "2", "1,234,667.89", "0"],
        ["320100", "否", "no", "demo", "claim", "1", "100.00", "0"],
        ["340400", "是", "yes", "demo", "claim", "1", "0.00", "1"],
        ["340400", "否", "no", "demo", "claim", "1", "100.00", "0"],
        ["合计", "total", "4", "1,234,767.89", "1"],
    ]


def test_open_amounts_add_up_and_rows_without_a_region_are_shown_to_those_of_the_source() -> None:
    land_rows("a.registration.1.csv", person())
    land_rows(
        "b.claim.1.csv",
        payment("K0"),
        payment("K1", claim_no="", payee_type="bank"),
        payment("K2", claim_no=""),
        payment("K3", region_code="nowhere"),
    )
    land_rows("c.contribution.1.csv", premium("P1", employer_amount="12a"))
    run()
    found = select(
        "SELECT region_code, region_readable, family, error_group, rows, amount, rows_without_amount, oldest_days"
        " FROM quality.quarantine_open_amount ORDER BY 3, 2, 4"
    )
    assert found == [
        ("320100", False, "claim", "E-VALUE", 1, Decimal("100.00"), 0, 0),
        ("320100", True, "claim", "E-SCHEMA", 1, Decimal("100.00"), 0, 0),
        ("320100", True, "claim", "E-VALUE", 1, Decimal("100.00"), 0, 0),
        ("320100", True, "contribution", "E-TYPE", 1, Decimal("0.00"), 1, 0),
    ]
