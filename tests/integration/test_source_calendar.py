"""Which due files are missing, late, early or on time, and how sources become active."""

from __future__ import annotations

from contextlib import closing
from datetime import date
from pathlib import Path
from string import Template

import pytest

from expectations.suites.completeness import C04
from ingestion.__main__ import main
from ingestion.database import connect
from ingestion.source_calendar import DueFile, due_files
from tests.integration.corrections_support import SOURCES, as_csv, exported, fact, feed_of, native
from tests.integration.ingestion_support import land, run, select
from tests.unit.ingestion.valid_rows import csv_text, sound_row

TODAY = date(2020, 4, 15)
pytestmark = pytest.mark.usefixtures("migrated_warehouse")


def _arrive(
    name: str, seen: str, *, source: str = "demo", state: str = "loaded", duplicate_of: int | None = None
) -> int:
    """A file as the log remembers it, first seen at a Beijing time."""
    with closing(connect()) as connection, connection, connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO events.file_registry (source_system, file_name, sha256, size_bytes, first_seen_at)"
            " SELECT %s, %s, md5(random()::text) || md5(random()::text), 1, %s::timestamp AT TIME ZONE 'Asia/Shanghai'"
            " RETURNING file_id",
            (source, name, seen),
        )
        (file_id,) = cursor.fetchone() or (0,)
        code = "E-FILE-HEADER" if state == "rejected" else None
        cursor.execute(
            "INSERT INTO events.file_outcome (file_id, attempt_no, state, error_code, family, reader_key, duplicate_of,"
            " finished_at) VALUES (%s, 1, %s, %s, %s, 'reader', %s, now())",
            (file_id, state, code, None if code else "claim", duplicate_of),
        )
        return int(file_id)


def _expect(rule: str, active_from: str = "2020-01-01", region: str | None = None) -> None:
    with closing(connect()) as connection, connection, connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO events.source_calendar VALUES ('demo', 'claim', %s, %s, %s)", (rule, active_from, region)
        )


def _due(day: date = TODAY) -> list[DueFile]:
    with closing(connect()) as connection, connection.cursor() as cursor:
        return due_files(cursor, day)


def _states(day: date = TODAY) -> dict[str | None, str]:
    return {due.period: due.state for due in _due(day)}


def test_missing_late_early_and_on_time() -> None:
    _expect("monthly day 10")
    _arrive("c.claim.202001.csv", "2020-02-10 23:59")
    _arrive("c.claim.202002.csv", "2020-03-11 00:00")
    _arrive("c.claim.2020-04.csv", "2020-04-14 08:00")
    assert _states() == {"202001": "on_time", "202002": "late", "202003": "missing", "202004": "early"}
    assert _states(date(2020, 4, 10))["202003"] == "awaited"
    assert _states(date(2020, 3, 31)).get("202003") is None, "its month is not over"
    assert [(due.first_day, due.last_day, due.due_on) for due in _due()][1] == (
        date(2020, 2, 1),
        date(2020, 2, 29),
        date(2020, 3, 10),
    )


@pytest.mark.parametrize(("seen", "state"), [("2020-02-29 23:59", "early"), ("2020-03-01 00:00", "on_time")])
def test_a_period_ends_at_midnight_in_beijing(seen: str, state: str) -> None:
    _expect("monthly day 1", "2020-02-15")
    _arrive("c.claim.202002.csv", seen)
    assert _states()["202002"] == state


def test_the_first_arrival_counts() -> None:
    _expect("quarterly day 31", "2020-02-01")
    _arrive("c.claim.2020Q1.csv", "2020-05-02 08:00")
    _arrive("c.claim.2020Q1_v2.csv", "2020-04-20 08:00")
    (due,) = _due(date(2020, 6, 1))
    assert (due.period, due.due_on, due.state, due.file_name) == (
        "2020Q1",
        date(2020, 4, 30),
        "on_time",
        "c.claim.2020Q1_v2.csv",
    ), "April has thirty days"


def test_what_is_no_arrival() -> None:
    _expect("monthly day 10")
    january = _arrive("c.claim.202001.csv", "2020-02-01 08:00")
    _arrive("c.claim.202002.csv", "2020-03-01 08:00", state="duplicate_file", duplicate_of=january)
    _arrive("corrections.demo.claim.3.202003 back.xlsx", "2020-04-01 08:00")
    _arrive("c.claim.202003.csv", "2020-04-01 08:00", state="rejected")
    _arrive("c.claim.202003.csv", "2020-04-01 08:00", source="other")
    assert _states() == {"202001": "on_time", "202002": "missing", "202003": "missing"}
    ((seen,),) = select("SELECT seen FROM events.due_file('2020-04-15') WHERE period = '202003'")
    assert seen == "c.claim.202003.csv (rejected E-FILE-HEADER)"


def test_the_right_name_for_what_had_come_under_a_name_without_period_is_an_arrival() -> None:
    _expect("monthly day 10", "2020-03-01")
    first = _arrive("draft.claim.csv", "2020-04-01 08:00")
    _arrive("c.claim.202003.csv", "2020-04-02 08:00", state="duplicate_file", duplicate_of=first)
    assert _states()["202003"] == "on_time"


@pytest.mark.parametrize(
    "rule", ["sometimes", "monthly day 0", "monthly day 32", "monthly day 10 until 2020-13", "weekly day 1"]
)
def test_a_rule_that_cannot_be_read_is_told(rule: str) -> None:
    _expect(rule)
    assert [(due.state, due.due_rule) for due in _due()] == [("unreadable", rule)]


def test_until_is_the_last_period() -> None:
    _expect("monthly day 10 until 2020-02")
    assert _states(date(2020, 12, 1)) == {"202001": "missing", "202002": "missing"}


@pytest.mark.parametrize(
    ("region", "asked", "listed"),
    [("320100", "320100", True), ("340400", "320100", False), (None, "320100", True), (None, "340400", True)],
)
def test_the_check_asks_the_same_function_for_its_region(region: str | None, asked: str, listed: bool) -> None:
    _expect("monthly day 10", region=region)
    sql = Template(C04.offending).safe_substitute(region=f"'{asked}'", business_date="date '2020-02-12'")
    found = [(item, severity) for item, severity, *_ in select(sql.replace("%", "%%"))]
    assert found == ([("demo/claim/202001", "fail")] if listed else [])


def test_a_source_is_activated_by_its_profile(capsys: pytest.CaptureFixture[str]) -> None:
    activate = ["calendar", "activate", "nanjing", "--from", "2019-09-01"]
    assert main([*activate, "--family", "contribution", "--until", "2020Q2", "--region", "320100"]) == 0
    assert select("SELECT * FROM events.source_calendar") == [
        ("nanjing", "contribution", "quarterly day 10 until 2020Q2", date(2019, 9, 1), "320100")
    ]
    assert main(["calendar", "activate", "tax_bureau", "--from", "2019-10-01"]) == 0
    assert main(["calendar", "activate", "tax_bureau", "--from", "2021-10-01"]) == 0
    assert select(
        "SELECT family, due_rule, active_from, region_code FROM events.source_calendar ORDER BY source_system"
    ) == [
        ("contribution", "quarterly day 10 until 2020Q2", date(2019, 9, 1), "320100"),
        ("treasury", "quarterly day 10", date(2019, 10, 1), None),
    ], "what is active stays as it is"
    capsys.readouterr()
    assert main(["calendar", "list"]) == 0
    assert [line.split()[0] for line in capsys.readouterr().out.splitlines()[1:]] == ["nanjing", "tax_bureau"]


@pytest.mark.parametrize(
    ("more", "told"),
    [
        (["nanjing", "--family", "registration"], "of registration are due"),
        (["demo"], "does not say when its files are due"),
        (["nanjing", "--until", "soon"], "neither a month"),
        (["fund_bank", "--until", "2020-06"], "is active as 'monthly day 10'"),
    ],
)
def test_what_cannot_be_activated_says_why(more: list[str], told: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["calendar", "activate", "fund_bank", "--from", "2020-01-01"]) == 0
    assert main(["calendar", "activate", *more, "--from", "2020-01-01"]) == 1
    assert told in capsys.readouterr().err
    assert select("SELECT count(*) FROM events.source_calendar") == [(1,)]


def test_the_calendar_is_shown_for_a_business_date(capsys: pytest.CaptureFixture[str]) -> None:
    _expect("monthly day 10", "2020-02-01")
    land("x.claim.2020-02.csv", csv_text([sound_row("claim.paid")]))
    run()
    capsys.readouterr()
    assert main(["calendar", "--date", "2020-04-15"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert "迟到 late" in lines[1]
    assert lines[1].endswith("x.claim.2020-02.csv")
    assert "逾期未到 missing" in lines[2]


def test_corrections_that_have_really_come_are_no_arrival(tmp_path: Path) -> None:
    assert main(["calendar", "activate", "nanjing", "--family", "treasury", "--from", "2019-10-01"]) == 0
    sent = SOURCES[0]
    feed = feed_of("nanjing", sent.file_name)
    good = native(feed, fact(feed, "K1", "1.00"))
    land("nj_treasury_draft.csv", as_csv(feed, [good | {"insu_admdvs": "9"}]), "nanjing")
    run()
    (path,) = exported("nanjing", tmp_path)
    land(path.name.replace("-1.xlsx", " of 2019Q4.xlsx"), path.read_bytes(), "nanjing")
    run()
    assert [name for (name,) in select("SELECT file_name FROM events.file WHERE state = 'loaded'")] != []
    assert [(due.period, due.state) for due in _due(date(2020, 1, 20))] == [("2019Q4", "missing")]
