"""Files as wholes: refused, waiting, repeated, tried again; one bad file never stops the others."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable
from pathlib import Path

import pytest
from psycopg2.extensions import cursor as Cursor

from ingestion import intake, landing, runs
from ingestion.registry import Outcome
from ingestion.settings import Settings
from tests.integration.ingestion_support import files, land, land_rows, payment, run, select
from tests.unit.ingestion.valid_rows import csv_text

pytestmark = pytest.mark.usefixtures("migrated_warehouse")

PROFILE = """
source_system: town
defaults: {manifest: required}
feeds:
  - family: claim
    pattern: "c_*.csv"
    columns:
      event_type: event_type
      source_event_key: source_event_key
      occurred_on: occurred_on
      region_code: region_code
      claim_no: claim_no
      person_no: person_no
      insurance_type: insurance_type
      benefit_item: benefit_item
      payee_type: payee_type
      payment_no: payment_no
      pooled_amount: pooled_amount
"""


def reject_code(name: str) -> str | None:
    state, code, *_ = files()[name]
    assert state == "rejected"
    return code


def test_files_in_no_folder_links_and_devices_are_refused(tmp_path: Path) -> None:
    root = Settings.from_env().landing_dir
    good = csv_text([payment("K1")])
    (root / "a.claim.1.csv").write_text(good)
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "a.claim.1.csv").write_text(good)
    (root / "demo").mkdir()
    (root / "demo" / "out.claim.1.csv").symlink_to(outside / "a.claim.1.csv")
    (root / "demo" / "lost.claim.1.csv").symlink_to(root / "nowhere.csv")
    (root / "demo" / "folder").symlink_to(outside)
    os.mkfifo(root / "demo" / "pipe.claim.1.csv")
    land("sound.claim.1.csv", good)
    run()
    run()
    assert reject_code("a.claim.1.csv") == "E-FILE-FOLDER"
    for name in ("out.claim.1.csv", "lost.claim.1.csv", "folder", "pipe.claim.1.csv"):
        assert reject_code(name) == "E-FILE-LINK"
    assert files()["sound.claim.1.csv"][0] == "loaded"
    assert runs.discover() == []


def test_an_unreadable_file_is_refused_and_the_others_go_on(monkeypatch: pytest.MonkeyPatch) -> None:
    land_rows("a.claim.1.csv", payment("K1"))
    land_rows("b.claim.1.csv", payment("K2"))
    whole = Path.open

    def forbidden(self: Path, *arguments: object, **options: object) -> object:
        if self.name == "a.claim.1.csv":
            raise PermissionError(13, "Permission denied")
        return whole(self, *arguments, **options)  # type: ignore[call-overload]

    monkeypatch.setattr(Path, "open", forbidden)
    run()
    assert reject_code("a.claim.1.csv") == "E-FILE-UNREADABLE"
    assert files()["b.claim.1.csv"][0] == "loaded"


def test_an_unreadable_folder_is_told_of_and_the_others_are_read(monkeypatch: pytest.MonkeyPatch) -> None:
    locked = land_rows("a.claim.1.csv", payment("K1"), source="locked").parent
    land_rows("b.claim.1.csv", payment("K2"))
    whole = os.scandir

    def forbidden(path: str | int) -> object:
        if path in (locked, str(locked)):
            raise PermissionError(13, "Permission denied", path)
        return whole(path)

    monkeypatch.setattr(os, "scandir", forbidden)
    run()
    assert reject_code("locked") == "E-FILE-UNREADABLE"
    assert files()["b.claim.1.csv"][0] == "loaded"


def test_the_same_bytes_under_another_name_are_a_duplicate_file() -> None:
    land_rows("a.claim.1.csv", payment("K1"))
    land_rows("b.claim.1.csv", payment("K1"))
    land_rows("a.claim.1.csv", payment("K1"), source="other")
    run()
    found = select("SELECT source_system, file_name, state, rows FROM events.file ORDER BY 1, 2")
    assert found == [
        ("demo", "a.claim.1.csv", "loaded", 1),
        ("demo", "b.claim.1.csv", "duplicate_file", 0),
        ("other", "a.claim.1.csv", "loaded", 1),
    ]


def test_new_bytes_under_an_old_name_are_a_new_file() -> None:
    land_rows("a.claim.1.csv", payment("K1"))
    run()
    land_rows("a.claim.1.csv", payment("K1"), payment("K2"))
    run()
    assert select("SELECT rows, loaded, duplicate FROM events.file ORDER BY file_id") == [(1, 1, 0), (2, 1, 1)]


def test_unfinished_files_wait_and_are_taken_when_they_are_done(monkeypatch: pytest.MonkeyPatch) -> None:
    land_rows("a.claim.1.csv.part", payment("K1"))
    growing = land("b.claim.1.csv", csv_text([payment("K2")]), fresh=True)
    monkeypatch.setattr(landing.time, "sleep", lambda _: growing.write_text(csv_text([payment("K2"), payment("K3")])))
    assert runs.discover() == []
    assert {name: row[0] for name, row in files().items()} == {
        "a.claim.1.csv.part": "waiting",
        "b.claim.1.csv": "waiting",
    }
    monkeypatch.undo()


def test_a_finished_file_leaves_no_waiting_row_behind(monkeypatch: pytest.MonkeyPatch) -> None:
    part = land_rows("a.claim.1.csv.tmp", payment("K1"))
    run()
    assert files()["a.claim.1.csv.tmp"][0] == "waiting"
    monkeypatch.setattr(landing.time, "sleep", lambda _: None)
    part.rename(part.with_suffix(""))
    run()
    assert {name: row[0] for name, row in files().items()} == {"a.claim.1.csv": "loaded"}


def test_a_file_changed_while_it_is_read_is_left_for_the_next_run(monkeypatch: pytest.MonkeyPatch) -> None:
    path = land_rows("a.claim.1.csv", payment("K1"))
    (item,) = runs.discover()
    seen = landing.shape
    calls = []

    def changing(of: Path) -> landing.Shape:
        calls.append(of)
        return landing.Shape(seen(of).size_bytes + len(calls), 0)

    with monkeypatch.context() as patch:
        patch.setattr(landing, "shape", changing)
        assert runs.ingest(item)["state"] == "waiting"
    assert path.exists()
    assert select("SELECT count(*) FROM events.event") == [(0,)]


def test_manifests_are_compared_and_may_be_compulsory(fund_environment: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    sources = fund_environment / "sources"
    sources.mkdir()
    monkeypatch.setenv("FUND_SOURCES_DIR", str(sources))
    (sources / "town.yml").write_text(PROFILE)
    path = land_rows("c_1.csv", payment("K1"), source="town")
    run()
    assert reject_code("c_1.csv") == "E-FILE-MANIFEST-MISSING"
    sidecar = path.with_name("c_1.csv.manifest.json")
    sidecar.write_text(json.dumps({"row_count": 2}))
    run()
    assert reject_code("c_1.csv") == "E-FILE-MANIFEST"
    assert runs.discover() == [], "nothing has changed since"
    sidecar.write_text(json.dumps({"row_count": 1, "control_totals": {"pooled_amount": "100.00"}}))
    run()
    assert files()["c_1.csv"][:3] == ("loaded", None, 1)
    assert select("SELECT declared_rows FROM events.file") == [(1,)]
    states = select("SELECT attempt_no, state FROM events.file_outcome ORDER BY 1")
    assert states == [(1, "rejected"), (2, "rejected"), (3, "loaded")]


def test_a_refused_file_is_tried_again_when_its_profile_changes(
    fund_environment: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sources = fund_environment / "sources"
    sources.mkdir()
    monkeypatch.setenv("FUND_SOURCES_DIR", str(sources))
    profile = PROFILE.replace("required", "optional")
    (sources / "town.yml").write_text("feeds: [")
    land("c_1.csv", csv_text([payment("K1") | {"note": "x"}]), source="town")
    run()
    assert reject_code("c_1.csv") == "E-FILE-PROFILE"
    (sources / "town.yml").write_text(profile)
    run()
    assert reject_code("c_1.csv") == "E-FILE-COLUMNS"
    (sources / "town.yml").write_text(profile + "    ignore: [note]\n")
    run()
    assert files()["c_1.csv"][0] == "loaded"


def test_odd_names_and_nested_folders() -> None:
    root = Settings.from_env().landing_dir
    land("2019/11/深 夜; drop'table\".claim.1.csv", csv_text([payment("K1")]))
    odd = os.fsencode(root / "demo") + b"/\xff\xfe.claim.1.csv"
    with open(odd, "wb") as handle:  # noqa: PTH123 - a name that is no text
        handle.write(csv_text([payment("K2")]).encode())
    run()
    assert files()["2019/11/深 夜; drop'table\".claim.1.csv"][0] == "loaded"
    assert reject_code("\\xff\\xfe.claim.1.csv") == "E-FILE-NAME"
    assert runs.discover() == []


def test_source_files_are_left_as_they_are() -> None:
    path = land_rows("a.claim.1.csv", payment("K1"))
    before = (path.read_bytes(), path.stat().st_mtime_ns)
    run()
    assert (path.read_bytes(), path.stat().st_mtime_ns) == before


def test_a_file_that_vanished_is_no_error() -> None:
    assert runs.ingest({"source_system": "demo", "file_name": "gone.csv", "family": None})["state"] == "missing"


def test_a_file_without_header_does_not_give_away_identity_numbers() -> None:
    land("a.registration.1.csv", "enrollment.started,E1,2020-01-01,320100,P1,11010519491231002X\n")
    run()
    ((told,),) = select("SELECT error_message FROM events.file")
    assert "E-FILE-COLUMNS" in told
    assert "首行是数据" in told
    assert "002X" not in told
    assert "P1" not in told


def test_a_file_whose_name_holds_an_identity_number_is_refused_and_named_without_it() -> None:
    for name in ("11010519491231002X.claim.1.csv", "a.claim.２０191115-110105 19491231 002X.csv"):
        land_rows(name, payment("K1"))
    land_rows("a.claim.320100201911150001.csv", payment("K2"))
    land_rows("b.claim.1.csv", payment("K3"), source="440524188001010014")
    run()
    assert {name: found[:2] for name, found in files().items()} == {
        "110***********002X.claim.1.csv": ("rejected", "E-FILE-NAME"),
        "a.claim.２０191115-11***********002X.csv": ("rejected", "E-FILE-NAME"),
        "a.claim.320100201911150001.csv": ("loaded", None),
        "b.claim.1.csv": ("rejected", "E-FILE-NAME"),
    }
    assert select("SELECT DISTINCT source_system FROM events.file ORDER BY 1") == [("440***********0014",), ("demo",)]
    assert runs.discover() == []


@pytest.mark.parametrize("place", ["demo/" + "x" * 230 + ".claim.1.csv", "y" * 253 + "/a.claim.1.csv"])
def test_names_so_long_that_no_manifest_or_profile_can_have_one_stop_nobody(place: str) -> None:
    source, _, name = place.partition("/")
    land(name, csv_text([payment("K1")]), source=source)
    land_rows("b.claim.1.csv", payment("K2"))
    run()
    assert {name: state for name, (state, *_) in files().items()} == {name: "loaded", "b.claim.1.csv": "loaded"}


def test_a_manifest_that_cannot_be_read_refuses_its_own_file_only(monkeypatch: pytest.MonkeyPatch) -> None:
    path = land_rows("a.claim.1.csv", payment("K1"))
    sidecar = path.with_name("a.claim.1.csv.manifest.json")
    sidecar.write_text(json.dumps({"row_count": 1}))
    land_rows("b.claim.1.csv", payment("K2"))
    with monkeypatch.context() as patch:
        read_bytes = Path.read_bytes
        patch.setattr(Path, "read_bytes", lambda self: _denied(self) if self == sidecar else read_bytes(self))
        run()
        assert reject_code("a.claim.1.csv") == "E-FILE-MANIFEST"
        assert files()["b.claim.1.csv"][0] == "loaded"
    run()
    assert files()["a.claim.1.csv"][0] == "loaded", "tried again once the manifest can be read"


def _denied(path: Path) -> bytes:
    raise PermissionError(13, "Permission denied", str(path))


def test_a_manifest_corrected_while_its_file_is_read_is_tried_again(monkeypatch: pytest.MonkeyPatch) -> None:
    path = land_rows("a.claim.1.csv", payment("K1"))
    sidecar = path.with_name("a.claim.1.csv.manifest.json")
    sidecar.write_text(json.dumps({"row_count": 2}))
    load = intake.load

    def slowly(cursor: Cursor, settings: Settings, reading: intake.Reading, regions: Iterable[str]) -> Outcome:
        sidecar.write_text(json.dumps({"row_count": 1}))
        return load(cursor, settings, reading, regions)

    monkeypatch.setattr(intake, "load", slowly)
    run()
    assert reject_code("a.claim.1.csv") == "E-FILE-MANIFEST"
    run()
    assert files()["a.claim.1.csv"][0] == "loaded"


def test_a_file_that_vanishes_while_the_folder_is_listed_is_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    gone = landing.Landed(
        "demo", "gone.claim.1.csv.part", Settings.from_env().landing_dir / "demo/gone.claim.1.csv.part"
    )
    land_rows("a.claim.1.csv", payment("K1"))
    listed = list(landing.files(Settings.from_env().landing_dir))
    monkeypatch.setattr(landing, "files", lambda _: [gone, *listed])
    assert [item["file_name"] for item in runs.discover()] == ["a.claim.1.csv"]
