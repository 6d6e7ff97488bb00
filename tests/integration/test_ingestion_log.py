"""Files into the log: duplicates, conflicts, waiting references, both cities, crashes, two processes at once."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from contextlib import closing
from decimal import Decimal

import polars as pl
import pytest

from ingestion import readers, runs
from ingestion.database import connect
from ingestion.event_log import Appender, lock_region
from ingestion.runs import FilesLeftError
from ingestion.settings import Settings
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
from tests.unit.ingestion.valid_rows import csv_text, sound_row

pytestmark = pytest.mark.usefixtures("migrated_warehouse")


def test_every_row_is_loaded_duplicate_or_quarantined() -> None:
    land_rows(
        "a.claim.1.csv",
        payment("K1"),
        payment("K1"),
        payment("K1", pooled_amount="101.00"),
        payment("K2", payee_type="hospital"),
        payment("K2"),
    )
    run()
    land_rows("b.claim.1.csv", payment("K1"), payment("K2", pooled_amount="99.00"), payment("K3"))
    run()
    assert files() == {
        "a.claim.1.csv": ("loaded", None, 5, 2, 1, 2, 2),
        "b.claim.1.csv": ("loaded", None, 3, 1, 1, 1, 1),
    }
    assert quarantined() == {
        ("a.claim.1.csv", 4): {"E-CONFLICT"},
        ("a.claim.1.csv", 5): {"E-VALUE-LIST"},
        ("b.claim.1.csv", 3): {"E-CONFLICT"},
    }
    assert ("a.claim.1.csv", 5) not in quarantined(only_open=True), "K2 was corrected further down"


def test_a_conflict_shows_both_contents() -> None:
    land_rows("a.claim.1.csv", payment("K1"))
    land_rows("b.claim.1.csv", payment("K1", pooled_amount="101.00"))
    run()
    ((told,),) = select("SELECT messages[1] FROM events.quarantine")
    assert '"pooled_amount": 100.00' in told
    assert '"pooled_amount": 101.00' in told
    assert told.startswith("b.claim.1.csv:2 E-CONFLICT ")


def test_both_cities_in_one_file_have_each_its_own_gapless_log() -> None:
    rows = [payment(f"K{n}", region_code=("320100", "340400")[n % 2]) for n in range(7)]
    land_rows("a.claim.1.csv", *rows)
    land_rows("b.claim.1.csv", payment("K8", region_code="340400"))
    run()
    assert select("SELECT region_code, seq, batch_id, line_no FROM events.event ORDER BY 1, 2") == [
        ("320100", 1, 1, 2),
        ("320100", 2, 1, 4),
        ("320100", 3, 1, 6),
        ("320100", 4, 1, 8),
        ("340400", 1, 1, 3),
        ("340400", 2, 1, 5),
        ("340400", 3, 1, 7),
        ("340400", 4, 2, 2),
    ]


def test_the_same_key_in_another_region_or_source_is_another_fact() -> None:
    land_rows("a.claim.1.csv", payment("K1"), payment("K1", region_code="340400", pooled_amount="7.00"))
    land_rows("a.claim.1.csv", payment("K1", pooled_amount="8.00"), source="other")
    run()
    assert quarantined() == {}
    assert select("SELECT count(*) FROM events.event") == [(3,)]


def test_a_credit_left_out_is_computed_from_base_age_and_policy() -> None:
    # Nanjing 2019: up to 45 years 3 %, above 4 %, less the own 2 %; base between 3,368.00 and 16,842.00.
    land_rows("a.registration.1.csv", person(), person("P2", birth_date="1970-01-01"))
    land_rows(
        "a.contribution.1.csv",
        premium("K1"),  # 8,000.00 × 1 %
        premium("K2", person_no="P2"),  # 8,000.00 × 2 %
        premium("K3", contribution_base="20000.00"),  # 16,842.00 × 1 %
        premium("K4", contribution_base="1.00"),  # 3,368.00 × 1 %
        premium("K5", contribution_base="8000.50", employer_amount="80.00"),  # 80.005 → 80.01, not above the amount
        premium("K6", personal_account_credit="5.00"),
        premium("K7", enrollment_category="flexible", employer_no=""),
        premium("K8", insurance_type="510"),
    )
    run()
    found = select(
        "SELECT source_event_key, personal_account_credit, derived_columns FROM events.event"
        " WHERE family = 'contribution'"
    )
    computed = {key: amount for key, amount, derived in found if derived == ["personal_account_credit"]}
    assert computed == {
        key: Decimal(text)
        for key, text in {
            "K1": "80.00", "K2": "160.00", "K3": "168.42", "K4": "33.68", "K5": "80.00", "K7": "0.00", "K8": "0.00",
        }.items()
    }  # fmt: skip
    assert [amount for key, amount, derived in found if not derived] == [Decimal("5.00")]


def test_age_is_taken_on_the_first_day_of_the_month() -> None:
    land_rows("a.registration.1.csv", person(birth_date="1973-10-01"), person("P2", birth_date="1973-10-02"))
    land_rows("a.contribution.1.csv", premium("K1"), premium("K2", person_no="P2"))  # 2019-10: 46 years, 45 years
    run()
    found = select("SELECT source_event_key, personal_account_credit FROM events.event WHERE family = 'contribution'")
    assert dict(found) == {"K1": Decimal("160.00"), "K2": Decimal("80.00")}


def test_premiums_wait_for_their_person_and_for_policy() -> None:
    land_rows("a.contribution.1.csv", premium("K1"), premium("K2", contribution_month="2015-12"))
    run()
    land_rows("b.registration.1.csv", person(birth_date=""), person("P9"))
    run()
    assert quarantined(only_open=True) == {
        ("a.contribution.1.csv", 2): {"E-REF-PERSON"},
        ("a.contribution.1.csv", 3): {"E-REF-PERSON"},
    }
    land_rows("c.registration.1.csv", person(source_event_key="again"))
    run()
    assert files()["a.contribution.1.csv"] == ("loaded", None, 2, 0, 0, 2, 1)
    assert quarantined(only_open=True) == {("a.contribution.1.csv", 3): {"E-REF-POLICY"}}
    land_rows("d.contribution.1.csv", premium("K3", contribution_month="2015-11"))
    run()
    assert quarantined()[("d.contribution.1.csv", 2)] == {"E-REF-POLICY"}


def test_a_correction_waits_for_its_original_whatever_the_order_of_arrival() -> None:
    back = sound_row("return.written_back", source_event_key="B", original_event_key="T", sub_fund="")
    returned = sound_row("payment.returned", source_event_key="T", original_event_key="K1")
    land_rows("a.treasury.1.csv", back)
    run()
    land_rows("b.treasury.1.csv", returned)
    run()
    assert quarantined(only_open=True) == {
        ("a.treasury.1.csv", 2): {"E-REF-ORIGINAL"},
        ("b.treasury.1.csv", 2): {"E-REF-ORIGINAL"},
    }
    land_rows("c.claim.1.csv", payment("K1"))
    run()
    assert quarantined(only_open=True) == {}
    found = select(
        "SELECT e.source_event_key, o.source_event_key, e.sub_fund, e.derived_columns FROM events.event AS e"
        " LEFT JOIN events.event AS o ON o.region_code = e.region_code AND o.seq = e.original_seq ORDER BY e.seq"
    )
    assert found == [("K1", None, None, None), ("T", "K1", None, None), ("B", "T", "pooled", ["sub_fund"])]
    resolutions = select("SELECT resolution, count(*) FROM events.quarantine_resolution GROUP BY 1")
    assert resolutions == [("loaded", 2)]
    assert files()["a.treasury.1.csv"] == ("loaded", None, 1, 0, 0, 1, 1)


def test_a_waiting_row_that_is_sent_again_loads_once() -> None:
    reversal = sound_row("claim.reversed", source_event_key="R", original_event_key="K1")
    land_rows("a.claim.1.csv", reversal)
    run()
    land_rows("b.claim.1.csv", payment("K1"), reversal)
    run()
    assert quarantined(only_open=True) == {}
    assert files()["b.claim.1.csv"] == ("loaded", None, 2, 2, 0, 0, 2)
    assert select("SELECT resolution FROM events.quarantine_resolution") == [("duplicate",)]


def test_two_equal_waiting_rows_load_once_when_their_original_comes() -> None:
    reversal = sound_row("claim.reversed", source_event_key="R", original_event_key="K1")
    land_rows("a.claim.1.csv", reversal, reversal)
    run()
    land_rows("b.claim.1.csv", payment("K1"))
    run()
    assert files()["a.claim.1.csv"] == ("loaded", None, 2, 0, 0, 2, 1)
    resolutions = select(
        "SELECT line_no, resolution FROM events.quarantine_resolution"
        " INNER JOIN events.quarantine USING (quarantine_id)"
    )
    assert sorted(resolutions) == [(2, "loaded"), (3, "duplicate")]


def test_a_corrected_row_resolves_what_it_corrects() -> None:
    land_rows("a.claim.1.csv", payment("K1", pooled_amount="1.234"))
    run()
    assert select("SELECT amount FROM events.quarantine") == [(None,)]
    land_rows("b.claim.1.csv", payment("K1"))
    run()
    assert quarantined(only_open=True) == {}
    assert select("SELECT resolution, resolved_by_seq FROM events.quarantine_resolution") == [("corrected", 1)]


def test_a_refund_above_its_line_in_the_file_finds_its_credit() -> None:
    land_rows("a.registration.1.csv", person())
    refund = sound_row("contribution.refunded", source_event_key="R", original_event_key="K1", employer_amount="360.00")
    land_rows("a.contribution.1.csv", refund, premium("K1"))
    run()
    found = select("SELECT source_event_key, personal_account_credit, original_seq, seq FROM events.event ORDER BY seq")
    assert found[1:] == [("R", Decimal("40.00"), 3, 2), ("K1", Decimal("80.00"), None, 3)]


def test_quarantined_amounts_are_what_the_rows_would_post() -> None:
    bad = {"occurred_on": "2999-01-01"}
    land_rows(
        "a.claim.1.csv",
        payment("K1", personal_account_amount="20.00", **bad),
        sound_row("claim.settled", source_event_key="K2", **bad),
        sound_row("advance.paid", source_event_key="K3", **bad),
        payment("K4", pooled_amount="-5.00"),
    )
    land_rows("a.contribution.1.csv", premium("K5", personal_amount="160.00", late_fee="1.00", **bad))
    land_rows("a.treasury.1.csv", sound_row("balance.stated", source_event_key="K6", **bad))
    run()
    found = select("SELECT source_event_key, amount FROM events.quarantine ORDER BY 1")
    expected = {"K1": "120.00", "K2": "0.00", "K3": "100.00", "K4": None, "K5": "881.00", "K6": "0.00"}
    assert dict(found) == {key: text and Decimal(text) for key, text in expected.items()}


def test_a_crash_in_the_middle_leaves_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    land_rows("a.claim.1.csv", payment("K1"), payment("K2", region_code="340400"), payment("K3", payee_type="x"))
    with monkeypatch.context() as patch:
        whole = Appender.add

        def crash(appender: Appender, rows: pl.DataFrame) -> None:
            whole(appender, rows)
            raise KeyboardInterrupt

        patch.setattr(Appender, "add", crash)
        with pytest.raises(KeyboardInterrupt):
            run()
    for relation in ("event", "batch", "quarantine", "file_registry", "file_outcome"):
        assert select(f"SELECT count(*) FROM events.{relation}") == [(0,)]
    run()
    assert files() == {"a.claim.1.csv": ("loaded", None, 3, 2, 0, 1, 2)}


def test_two_processes_on_the_same_files_load_each_once() -> None:
    for number in range(3):
        land_rows(f"a.claim.{number}.csv", *(payment(f"K{number}-{n}") for n in range(200)))
    items = runs.discover()
    results: list[dict[str, object]] = []
    workers = [
        threading.Thread(target=lambda order=order: results.extend(runs.ingest(item) for item in order))
        for order in (items, items, items[::-1])
    ]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert {(result["state"], result["loaded"]) for result in results} == {("loaded", 200)}
    assert select("SELECT count(*), count(DISTINCT source_event_key), max(seq) FROM events.event") == [(600, 600, 600)]
    assert select("SELECT count(*) FROM events.file_outcome") == [(3,)]


def test_a_second_run_finds_nothing_to_do() -> None:
    land_rows("a.claim.1.csv", payment("K1"))
    land("b.claim.1.csv", "colour\n")
    run()
    assert runs.discover() == []
    before = select("SELECT count(*) FROM events.file_outcome")
    run()
    assert select("SELECT count(*) FROM events.file_outcome") == before


def test_families_are_taken_in_their_order() -> None:
    for family, rows in (
        ("treasury", [sound_row("loan.received")]),
        ("claim", [payment("K")]),
        ("contribution", [premium("K")]),
        ("registration", [person()]),
    ):
        land_rows(f"z.{family}.1.csv", *rows, source="b")
        land_rows(f"a.{family}.1.csv", *rows, source="a")
    found = [(item["family"], item["source_system"]) for item in runs.discover()]
    families = ("registration", "contribution", "claim", "treasury")
    assert found == [(family, source) for family in families for source in ("a", "b")]


def test_no_identity_number_in_clear_is_left_anywhere(caplog: pytest.LogCaptureFixture) -> None:
    good, bad = "11010519491231002X", "110105194912310021"
    text = csv_text(
        [person(certificate_no=good, birth_date=""), person("P2", certificate_no=bad), person("P1", certificate_no=bad)]
    )
    land("a.registration.1.csv", text + f"a,ragged,line,{good}\n")
    land_rows("a.claim.1.csv", payment("K1", person_no=bad, payee_type="x"))
    run()
    assert len(quarantined()) == 4
    dumped = select(
        "SELECT string_agg(t::text, '') FROM (SELECT to_jsonb(e) AS t FROM events.event AS e"
        " UNION ALL SELECT to_jsonb(q) FROM events.quarantine AS q"
        " UNION ALL SELECT to_jsonb(o) FROM events.file_outcome AS o) AS x"
    )[0][0]
    for number in (good, bad):
        assert number not in dumped
        assert number not in caplog.text
    assert "110***********0021" in dumped


def test_a_key_that_stands_before_and_after_a_row_that_waits_comes_once() -> None:
    receipt = sound_row("receipt.unidentified", source_event_key="K")
    waiting = sound_row("receipt.identified", source_event_key="X", original_event_key="NOWHERE")
    land_rows("a.treasury.1.csv", receipt, waiting, receipt, sound_row("loan.received", source_event_key="K"))
    run()
    assert files() == {"a.treasury.1.csv": ("loaded", None, 4, 1, 1, 2, 1)}
    assert quarantined() == {("a.treasury.1.csv", 3): {"E-REF-ORIGINAL"}, ("a.treasury.1.csv", 5): {"E-CONFLICT"}}


def test_a_row_that_names_its_own_key_as_original_loses_against_the_original() -> None:
    taker = sound_row("receipt.identified", source_event_key="S", original_event_key="S")
    land_rows("a.treasury.1.csv", taker, sound_row("receipt.unidentified", source_event_key="S"))
    run()
    assert quarantined() == {("a.treasury.1.csv", 2): {"E-CONFLICT"}}
    assert select("SELECT event_type, line_no FROM events.event") == [("receipt.unidentified", 3)]


def test_what_goes_wrong_with_one_file_keeps_no_other_from_being_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    land_rows("a.claim.1.csv", payment("K1"))
    land_rows("b.claim.1.csv", payment("K2"))
    take = runs.ingest

    def ingest(item: runs.Item, settings: Settings | None) -> dict[str, object]:
        if item["file_name"].startswith("a."):
            raise ZeroDivisionError("a fault of ours")
        return take(item, settings)

    monkeypatch.setattr(runs, "ingest", ingest)
    with pytest.raises(FilesLeftError, match=r"1 file.*demo/a\.claim\.1\.csv: a fault of ours"):
        run()
    assert files() == {"b.claim.1.csv": ("loaded", None, 1, 1, 0, 0, 1)}


def test_a_region_that_comes_late_and_is_held_by_another_file_lets_the_file_begin_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    land_rows("a.claim.1.csv", payment("K1", region_code="340400"), payment("K2"), payment("K3", region_code="340400"))
    read, readings = readers.chunks, []
    monkeypatch.setattr(readers, "chunks", lambda *given: readings.append(given) or read(*given, size=1))
    with closing(connect()) as other, other.cursor() as cursor:
        lock_region(cursor, "320100")
        worker = threading.Thread(target=run)
        worker.start()
        _until(lambda: select("SELECT count(*) FROM pg_locks WHERE NOT granted") == [(1,)])
        with closing(connect()) as third, third.cursor() as looking:
            looking.execute("SET lock_timeout = '10s'")
            lock_region(looking, "340400")  # given back while the file waits for the lower one
        other.rollback()
    worker.join()
    assert len(readings) == 2
    assert files() == {"a.claim.1.csv": ("loaded", None, 3, 3, 0, 0, 3)}
    assert select("SELECT region_code, seq, line_no FROM events.event ORDER BY 1, 2") == [
        ("320100", 1, 3),
        ("340400", 1, 2),
        ("340400", 2, 4),
    ]


def _until(true: Callable[[], bool]) -> None:
    for _ in range(600):
        if true():
            return
        time.sleep(0.05)
    raise AssertionError("it did not come about")
