"""Verification: a sound log gives no finding, and every forgery is found and named."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from psycopg2.extensions import cursor as Cursor

from ingestion import heads
from ingestion.__main__ import main
from ingestion.settings import Settings
from ingestion.verification import RegionReport, verify, verify_snapshot
from ingestion.verification.findings import Finding, Findings, Kind
from tests.conftest import WarehouseFactory
from tests.independent import form
from tests.independent.verifier import first_bad_seqs
from tests.integration import sealed_log
from tests.integration.forgeries import ALL, Forgery
from tests.integration.sealed_log import GUARDED, HUAINAN, NANJING, forging, rows, stand_guard


@pytest.fixture(scope="module")
def sealed(warehouse_factory: WarehouseFactory, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Settings]:
    with sealed_log.made(warehouse_factory, tmp_path_factory.mktemp("sealed")) as settings:
        yield settings


@pytest.fixture
def forger(sealed: Settings, postgres_url: str) -> Iterator[Cursor]:
    with forging(sealed_log.as_superuser(sealed, postgres_url)) as cursor:
        yield cursor


def heads_of(settings: Settings) -> Path:
    (folder,) = settings.heads_dir.iterdir()
    return folder


def first(reports: list[RegionReport]) -> dict[str, Finding]:
    """The first finding of each region that has some."""
    return {report.region_code: report.findings[0] for report in reports if report.findings}


def untimed(reports: list[RegionReport]) -> list[RegionReport]:
    return [replace(report, seconds=0) for report in reports]


@pytest.mark.usefixtures("sealed")
def test_a_sound_log_gives_no_finding() -> None:
    reports = verify()
    assert [(report.region_code, report.events, report.batches, report.found) for report in reports] == [
        (NANJING, 25, 7, 0),
        (HUAINAN, 24, 6, 0),
    ]
    assert {report.uncovered_batches for report in reports} == {0}


@pytest.mark.parametrize("forgery", ALL, ids=str)
def test_a_forgery_is_found_and_named(forgery: Forgery, sealed: Settings, forger: Cursor) -> None:
    forgery.do(forger)
    stand_guard(forger)
    reports = verify_snapshot(forger, sealed)
    found = first(reports)
    assert set(found) == {forgery.region}
    for chunk_rows in (1, 7):
        assert untimed(verify_snapshot(forger, sealed, chunk_rows=chunk_rows)) == untimed(reports)
    finding = found[forgery.region]
    assert (finding.seq, finding.kind.code) == (forgery.seq, forgery.kind)
    if forgery.last_seq is not None:
        assert finding.last_seq == forgery.last_seq
    independent = first_bad_seqs(forger, heads_of(sealed))
    assert independent == {forgery.region: forgery.seq if forgery.coarse is None else forgery.coarse}


def test_findings_name_file_and_line(sealed: Settings, forger: Cursor) -> None:
    for seq in (2, 5, 9, 14, 16, 22):
        forger.execute(
            "UPDATE events.event SET source_system = 'x' WHERE region_code = %s AND seq = %s", (HUAINAN, seq)
        )
    (report,) = verify_snapshot(forger, sealed, [HUAINAN])[:1]
    assert [(finding.seq, finding.file, finding.line_no) for finding in report.findings] == [
        (2, "demo/1.registration.1.csv", 5),
        (5, "demo/2.contribution.1.csv", 6),
        (9, "demo/3.claim.1.csv", 10),
        (14, "demo/5.claim.1.csv", 5),
        (16, "demo/4.treasury.1.csv", 8),
        (22, "demo/6.claim.1.csv", 9),
    ]


def test_all_independent_forgeries_are_told_in_order(sealed: Settings, forger: Cursor) -> None:
    for change in (
        "UPDATE events.event SET pooled_amount = 1 WHERE region_code = '340400' AND seq IN (8, 9, 11)",
        "UPDATE events.event SET personal_account_credit = 1 WHERE region_code = '340400' AND seq = 4",
        "UPDATE events.event SET recorded_at = now() WHERE region_code = '340400' AND seq = 21",
        "UPDATE events.batch SET file_sha256 = repeat('0', 64) WHERE region_code = '340400' AND batch_id = 4",
        "DELETE FROM events.event WHERE region_code = '340400' AND seq = 18",
        "UPDATE events.event SET approved_by = NULL WHERE region_code = '320100' AND seq = 25",
    ):
        forger.execute(change)
    stand_guard(forger)
    nanjing, huainan = verify_snapshot(forger, sealed)
    assert [(f.seq, f.last_seq, f.kind.code) for f in huainan.findings] == [
        (4, 6, "derived"),
        (8, 9, "content"),
        (11, 11, "content"),
        (13, 14, "file_sha256"),
        (18, 18, "missing"),
        (21, 21, "recorded_at"),
    ]
    assert (huainan.found, nanjing.found) == (6, 1)


def test_a_registry_of_files_that_was_altered_is_found_in_every_region(sealed: Settings, forger: Cursor) -> None:
    forger.execute("UPDATE events.file_registry SET sha256 = repeat('0', 64) WHERE file_id = 3")
    found = first(verify_snapshot(forger, sealed, [NANJING, HUAINAN])[:2])
    assert {region: (f.seq, f.last_seq, f.kind) for region, f in found.items()} == {
        NANJING: (7, 12, Kind.FILE),
        HUAINAN: (7, 12, Kind.FILE),
    }
    assert first_bad_seqs(forger, heads_of(sealed)) == {NANJING: 7, HUAINAN: 7}
    forger.execute("DELETE FROM events.file_registry WHERE file_id = 2")
    assert [report.findings[0].seq for report in verify_snapshot(forger, sealed)[:2]] == [4, 4]


def test_more_findings_than_are_kept_are_counted(sealed: Settings, forger: Cursor) -> None:
    forger.execute("UPDATE events.event SET source_system = 'x' WHERE region_code = '340400' AND seq % 2 = 0")
    findings = Findings(HUAINAN, limit=3)
    for seq in (9, 3, 1, 7, 5, 11, 13, 15, 17):
        findings.note(Finding(HUAINAN, seq, Kind.CONTENT, last_seq=seq))
    assert ([finding.seq for finding in findings.first()], findings.count) == ([1, 3, 5], 9)
    assert verify_snapshot(forger, sealed, [HUAINAN])[0].found == 12


def test_an_open_guard_is_told(sealed: Settings, forger: Cursor) -> None:
    (general,) = [report for report in verify_snapshot(forger, sealed) if report.found]
    assert [finding.detail for finding in general.findings] == [f"{table}: append_only" for table in sorted(GUARDED)]
    stand_guard(forger)
    for state in ("DISABLE TRIGGER", "ENABLE TRIGGER"):  # the latter is off for replicas
        forger.execute(f"ALTER TABLE events.batch {state} is_complete")
        general = verify_snapshot(forger, sealed)[-1]
        assert [finding.detail for finding in general.findings] == ["events.batch: is_complete"]
    forger.execute("ALTER TABLE events.batch ENABLE ALWAYS TRIGGER is_complete")
    forger.execute("ALTER TABLE events.event DROP CONSTRAINT event_pkey")
    forger.execute("DROP INDEX events.event_identity")
    forger.execute("INSERT INTO events.event SELECT * FROM events.event WHERE region_code = '340400' AND seq = 9")
    reports = verify_snapshot(forger, sealed)
    assert [finding.detail for finding in reports[-1].findings] == ["events.event: primary key"]
    assert {region: f.kind for region, f in first(reports[:-1]).items()} == {HUAINAN: Kind.REPEATED}


def test_batches_from_before_the_derived_hash_are_counted_and_no_fault(sealed: Settings, forger: Cursor) -> None:
    forger.execute("UPDATE events.batch SET derived_hash = NULL WHERE region_code = '340400' AND batch_id <= 2")
    previous = form.ZEROS
    for batch in rows(forger, "SELECT * FROM events.batch WHERE region_code = '340400' ORDER BY batch_id OFFSET 2"):
        query = "SELECT * FROM events.event WHERE region_code = '340400' AND batch_id = %s ORDER BY seq"
        previous = form.derived_hash(batch, rows(forger, query, batch["batch_id"]), previous)
        forger.execute(
            "UPDATE events.batch SET derived_hash = %s WHERE region_code = '340400' AND batch_id = %s",
            (previous, batch["batch_id"]),
        )
    older = replace(sealed, heads_dir=sealed.heads_dir.parent / "none")
    report = verify_snapshot(forger, older, [HUAINAN])[0]
    assert (report.uncovered_batches, [finding.kind for finding in report.findings]) == (2, [Kind.NO_HEADS])
    forger.execute("UPDATE events.event SET sex = 'M' WHERE region_code = '340400' AND seq = 1")
    assert verify_snapshot(forger, older, [HUAINAN])[0].found == 1, "nothing covers what was added before"


def _edited(number: int, pattern: str, by: str) -> Callable[[list[str]], list[str]]:
    """Line `number` with the first place that fits the pattern replaced."""
    return lambda lines: [re.sub(pattern, by, line, count=1) if n == number else line for n, line in enumerate(lines)]


@pytest.mark.parametrize(
    ("edit", "expected"),
    [
        (_edited(0, '"seq": 12', '"seq": 11'), {(7, "head_differs"), (19, "heads_file")}),
        (_edited(0, '"batch_hash": "', r"\g<0>0"), {(1, "head_differs"), (19, "heads_file")}),
        (_edited(2, '"derived_hash": "', r"\g<0>0"), {(20, "head_derived_differs")}),
        (_edited(2, '"batch_id": 6', '"batch_id": 7'), {(25, "truncated")}),
        (_edited(0, "340400", "340401"), {(None, "heads_file")}),
        (_edited(0, '"written_at": "2', '"written_at": "1'), {(19, "heads_file")}),
        (lambda lines: lines[1:], {(19, "heads_file")}),
        (lambda lines: [lines[0], lines[2]], {(24, "heads_file")}),
        (
            lambda lines: [lines[1], lines[0], lines[2]],
            {(19, "heads_file"), (12, "heads_file"), (24, "heads_file")},
        ),
        (lambda lines: [lines[0], *lines], {(12, "heads_file")}),
        (lambda lines: [*lines, "{}"], {(None, "heads_file")}),
        (lambda lines: [line.replace("340400", "320100") for line in lines], {(None, "heads_file")}),
        (lambda lines: lines[:0], {(None, "no_heads")}),
    ],
    ids=[
        *("seq", "hash", "derived", "batch", "region", "time", "first gone", "one gone", "order", "twice"),
        *("no head", "of another region", "empty"),
    ],
)
def test_a_file_of_heads_that_was_altered_is_found(
    edit: Callable[[list[str]], list[str]], expected: set[tuple[int | None, str]], sealed: Settings, tmp_path: Path
) -> None:
    folder = tmp_path / heads_of(sealed).name
    shutil.copytree(heads_of(sealed), folder)
    path = folder / "340400.jsonl"
    path.write_text("".join(f"{line}\n" for line in edit(path.read_text().splitlines())))
    reports = verify(settings=replace(sealed, heads_dir=tmp_path))
    assert {(f.seq, f.kind.code) for report in reports for f in report.findings} == expected
    assert {f.region_code for report in reports for f in report.findings} == {HUAINAN}


@pytest.mark.parametrize(
    "damage", [b"\xff", b"\xe4\xb8", b"{", b"[" * 100_000, "\u2028".encode()], ids=lambda damage: repr(damage[:9])
)
@pytest.mark.parametrize("number", [0, 2])
def test_a_line_of_heads_that_was_damaged_is_named(
    damage: bytes, number: int, sealed: Settings, tmp_path: Path
) -> None:
    folder = tmp_path / heads_of(sealed).name
    shutil.copytree(heads_of(sealed), folder)
    path = folder / "340400.jsonl"
    lines = path.read_bytes().split(b"\n")
    lines[number] = damage + lines[number]
    path.write_bytes(b"\n".join(lines))
    damaged = replace(sealed, heads_dir=tmp_path)
    (finding,) = [finding for report in verify(settings=damaged) for finding in report.findings]
    assert (finding.kind, finding.detail) == (Kind.HEADS_FILE, f"340400.jsonl:{number + 1}")
    assert heads.verify(damaged) == [f"340400.jsonl line {number + 1}: the line can't be read"]


def test_a_byte_inside_a_text_of_the_last_head_is_named(sealed: Settings, tmp_path: Path) -> None:
    folder = tmp_path / heads_of(sealed).name
    shutil.copytree(heads_of(sealed), folder)
    path = folder / "340400.jsonl"
    first, _, last = path.read_bytes().rpartition(b'"written_at": "')
    path.write_bytes(first + b'"written_at": "\xff' + last)
    damaged = replace(sealed, heads_dir=tmp_path)
    assert heads.verify(damaged) == ["340400.jsonl line 3: the line can't be read"]


def test_heads_of_another_log_are_no_heads(sealed: Settings, tmp_path: Path) -> None:
    shutil.copytree(heads_of(sealed), tmp_path / "00000000-0000-0000-0000-000000000000")
    reports = verify(settings=replace(sealed, heads_dir=tmp_path))
    assert [(report.region_code, report.findings[0].kind) for report in reports] == [
        (NANJING, Kind.NO_HEADS),
        (HUAINAN, Kind.NO_HEADS),
        ("-", Kind.NO_HEADS),
    ]
    assert "another database?" in reports[-1].findings[0].detail


@pytest.mark.usefixtures("sealed")
def test_the_command_says_what_it_found(
    postgres_url: str, sealed: Settings, capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level("INFO"):
        assert main(["verify"]) == 0
    assert "320100: 25 个事件 / events, 7 批 / batches" in caplog.text
    assert json.loads(capsys.readouterr().out)["ok"] is True
    change = "UPDATE events.event SET pooled_amount = %s WHERE region_code = '340400' AND seq = 9"
    superuser = sealed_log.as_superuser(sealed, postgres_url)
    with forging(superuser) as cursor:
        cursor.execute(change, (1,))
        stand_guard(cursor)
        cursor.connection.commit()
    try:
        assert main(["verify", "--region", HUAINAN, NANJING]) == 1
        told = json.loads(capsys.readouterr().out)
        assert main(["verify", "--region", NANJING]) == 0
        assert main(["verify", "--region", "999999"]) == 1
        assert "region 999999" in capsys.readouterr().err
    finally:
        with forging(superuser) as cursor:
            cursor.execute(change, (100,))
            stand_guard(cursor)
            cursor.connection.commit()
    assert (told["ok"], [region["first_bad_seq"] for region in told["regions"]]) == (False, [9, None])
    (finding,) = told["regions"][0]["findings"]
    assert finding["zh"].startswith("事件内容与其内容哈希不符")
    assert (finding["file"], finding["line_no"]) == ("demo/3.claim.1.csv", 10)
