"""A landing root in object storage gives what a local one gives; what goes wrong there is told and decides nothing."""

from __future__ import annotations

import gzip
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import fsspec
import pytest

from ingestion import object_storage, runs
from ingestion.__main__ import main
from ingestion.errors import ReadingInterrupted
from ingestion.settings import Settings, SettingsError
from runtime.layout import REPOSITORY
from runtime.samples import write_samples
from tests.conftest import WarehouseFactory
from tests.integration.ingestion_support import files, land, land_rows, payment, run, select
from tests.integration.object_store import BUCKET, PREFIX, ROOT, Store, s3_server
from tests.unit.ingestion.valid_rows import csv_text

pytestmark = pytest.mark.slow

FILES = """
SELECT source_system, file_name, sha256, size_bytes, state, error_code, error_message, family, rows, loaded, duplicate,
       quarantined, declared_rows
FROM events.file ORDER BY 1, 2, 3
"""
EVENTS = "SELECT region_code, seq, content_hash, line_no FROM events.event ORDER BY 1, 2"
REFUSED = "SELECT region_code, line_no, error_codes, raw FROM events.quarantine ORDER BY file_id, line_no"
ODD = "2019/深 夜 50%+#1?&=;'\".claim.1.csv"
GOOD = csv_text([payment("K1")])
ITEM = {"source_system": "demo", "file_name": "a.claim.1.csv", "family": "claim"}


@pytest.fixture(scope="module")
def server() -> Iterator[tuple[str, int]]:
    with s3_server() as address:
        yield address


@pytest.fixture
def store(server: tuple[str, int], monkeypatch: pytest.MonkeyPatch, migrated_warehouse: str) -> Iterator[Store]:
    """An S3 bucket as landing root of a fresh warehouse."""
    assert migrated_warehouse
    for name in [name for name in os.environ if name.startswith(("AWS_", "FSSPEC_"))]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "bureau")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "not-known-to-anybody")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")  # s3fs repeats on top of it
    store = Store(server)
    monkeypatch.setenv("AWS_ENDPOINT_URL", store.line.url)
    monkeypatch.setenv("FUND_LANDING_DIR", ROOT)
    _forget_connections()
    yield store
    _forget_connections()
    store.forget_all()


def _forget_connections() -> None:
    """What fsspec keeps open for a process belongs to an address of another test."""
    fsspec.get_filesystem_class("s3").clear_instance_cache()


def spooled() -> list[Path]:
    """What is left of copies."""
    spool = Settings.from_env().spool_dir
    return list(spool.iterdir()) if spool.exists() else []


def log() -> tuple[list[Any], list[Any], list[Any]]:
    """Files, events and quarantined rows."""
    return select(FILES), select(EVENTS), select(REFUSED)


@pytest.mark.exhaustive
def test_the_same_tree_gives_the_same_log(
    store: Store,
    migrated_warehouse: str,
    warehouse_factory: WarehouseFactory,
    fund_environment: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    local = fund_environment / "landing"
    monkeypatch.setenv("FUND_LANDING_DIR", local.as_uri())
    assert Settings.from_env().landing_dir == local
    for path in write_samples(local, persons=400):
        if "2019Q3" not in path.name and "2019Q4" not in path.name and "fund_bank" not in path.parts:
            path.unlink()
    land(ODD, csv_text([payment("O1")]))
    land("packed.claim.1.csv.gz", gzip.compress(csv_text([payment("O2")]).encode()))
    land("cut.claim.1.csv.gz", gzip.compress(csv_text([payment("O3")]).encode())[:-9])
    land("short.claim.1.csv", csv_text([payment("O4")]))
    land("short.claim.1.csv.manifest.json", json.dumps({"row_count": 2}))
    land("nothing.claim.1.csv", b"")
    land("nobody knows.pdf", b"%PDF")
    land("growing.claim.1.csv.part", csv_text([payment("O5")]))
    land("tax_treasury_2019Q1.xlsx", b"PK\3\4 damaged", source="tax_bureau")
    land("fiscal_treasury_2019Q1.parquet", b"PAR1 damaged PAR1", source="fiscal_bureau")
    (local / "lost.claim.1.csv").write_text(GOOD)
    store.put_tree(local)

    run()
    expected = log()
    assert {state for _, _, _, _, state, *_ in expected[0]} == {"loaded", "duplicate_file", "rejected", "waiting"}
    monkeypatch.setenv("FUND_LANDING_DIR", ROOT + "/")
    assert runs.discover() == [], "a tree that moves into a store is no news"
    monkeypatch.setenv("FUND_DATABASE_URL", warehouse_factory(migrated=True))
    run()
    assert os.environ["FUND_DATABASE_URL"] != migrated_warehouse
    assert log() == expected
    assert len(expected[1]) > 1000
    assert {Path(name).suffix for _, name, *_ in expected[0]} >= {".csv", ".gz", ".xlsx", ".parquet"}
    assert store.fetched()
    assert runs.discover() == []
    assert store.fetched() == [], "unchanged objects are not read again"
    assert spooled() == []


def test_an_object_is_read_once_to_be_known_and_once_to_be_taken(store: Store) -> None:
    store.put("demo/a.claim.1.csv", GOOD)
    (item,) = runs.discover()
    assert len(store.fetched()) == 1
    assert runs.ingest(item)["state"] == "loaded"
    assert len(store.fetched()) == 1
    assert runs.ingest(item)["state"] == "loaded", "taken already"
    assert select("SELECT count(*) FROM events.event") == [(1,)]


@pytest.mark.exhaustive
def test_listings_of_more_than_a_page_are_complete(store: Store) -> None:
    for number in range(1001):
        store.put(f"demo/{number:04}.claim.1.csv.part", b"")
    store.put("demo/z.claim.1.csv", GOOD)
    assert [item["file_name"] for item in runs.discover()] == ["z.claim.1.csv"]
    assert select("SELECT count(*) FROM events.file WHERE state = 'waiting'") == [(1001,)]


def test_an_unfinished_object_waits_until_it_has_its_name(store: Store) -> None:
    store.put("demo/a.claim.1.csv.tmp", GOOD)
    run()
    assert files()["a.claim.1.csv.tmp"][0] == "waiting"
    assert store.fetched() == []
    store.client.delete_object(Bucket=BUCKET, Key=f"{PREFIX}/demo/a.claim.1.csv.tmp")
    store.put("demo/a.claim.1.csv", GOOD)
    run()
    assert {name: state for name, (state, *_) in files().items()} == {"a.claim.1.csv": "loaded"}


def test_an_object_replaced_before_it_is_read_is_taken_as_it_is_then(store: Store) -> None:
    store.put("demo/a.claim.1.csv", GOOD)
    (item,) = runs.discover()
    store.put("demo/a.claim.1.csv", csv_text([payment("K1"), payment("K2")]))
    assert runs.ingest(item)["rows"] == 2


def test_another_version_of_the_same_size_is_seen(store: Store) -> None:
    store.put("demo/a.claim.1.csv", GOOD)
    run()
    store.put("demo/a.claim.1.csv", GOOD.replace("K1", "K2"))
    run()
    assert select("SELECT source_event_key FROM events.event ORDER BY seq") == [("K1",), ("K2",)]


def test_an_object_replaced_while_it_is_read_waits(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(object_storage, "BLOCK_BYTES", 1000)
    first, second = (csv_text([payment(f"{mark}{row}") for row in range(99)]) for mark in "AB")
    store.put("demo/a.claim.1.csv", first)
    (item,) = runs.discover()
    store.fetched()

    def replace(method: str, _: str) -> None:
        if method == "GET" and len(store.line.asked) > 5:
            store.line.on_request = lambda *_: None
            store.put("demo/a.claim.1.csv", second)

    store.line.on_request = replace
    assert runs.ingest(item)["state"] == "waiting"
    assert select("SELECT count(*) FROM events.file_registry") == [(0,)]
    assert spooled() == []
    run()
    assert select("SELECT min(source_event_key), count(*) FROM events.event") == [("B0", 99)]


def test_an_object_that_is_gone_is_missing(store: Store) -> None:
    store.put("demo/b.claim.1.csv", GOOD)
    assert runs.ingest(ITEM)["state"] == "missing"


def test_names_that_only_a_store_can_have(store: Store) -> None:
    store.put("demo//a.claim.1.csv", csv_text([payment("K1")]))
    store.put("demo/../b.claim.1.csv", csv_text([payment("K2")]))
    store.put("demo/" + "长" * 200 + ".claim.1.csv", csv_text([payment("K3")]))
    store.put("demo/empty folder/", b"")
    store.put("demo/no folder/", b"x")
    store.put("/c.claim.1.csv", csv_text([payment("K4")]))
    run()
    found = select("SELECT source_system, left(file_name, 20), state, error_code FROM events.file ORDER BY 2, 1")
    assert found == [
        ("demo", "../b.claim.1.csv", "loaded", None),
        ("demo", "/a.claim.1.csv", "loaded", None),
        ("-", "/c.claim.1.csv", "rejected", "E-FILE-FOLDER"),
        ("demo", "no folder/", "rejected", "E-FILE-NAME"),
        ("demo", "长" * 20, "loaded", None),
    ]
    assert runs.discover() == []


def test_an_archived_object_is_refused_until_it_has_been_restored(store: Store) -> None:
    store.put("demo/a.claim.1.csv", GOOD, StorageClass="GLACIER")
    store.put("demo/b.claim.1.csv", csv_text([payment("K2")]))
    run()
    assert files()["a.claim.1.csv"][:2] == ("rejected", "E-FILE-UNREADABLE")
    assert files()["b.claim.1.csv"][0] == "loaded"
    assert runs.discover() == []
    wanted = {"Days": 1, "GlacierJobParameters": {"Tier": "Standard"}}
    wanted = {"Days": 1, "GlacierJobParameters": {"Tier": "Standard"}}
    store.client.restore_object(Bucket=BUCKET, Key=f"{PREFIX}/demo/a.claim.1.csv", RestoreRequest=wanted)
    run()
    assert select("SELECT source_event_key FROM events.event ORDER BY seq") == [("K2",), ("K1",)]


def test_manifests_are_read_from_the_store_each_time(store: Store) -> None:
    store.put("demo/a.claim.1.csv", GOOD)
    store.put("demo/a.claim.1.csv.manifest.json", json.dumps({"row_count": 2}))
    run()
    assert files()["a.claim.1.csv"][:2] == ("rejected", "E-FILE-MANIFEST")
    assert runs.discover() == []
    store.put("demo/a.claim.1.csv.manifest.json", json.dumps({"row_count": 1}))
    run()
    assert files()["a.claim.1.csv"][0] == "loaded"


@pytest.mark.parametrize(
    ("root", "told"),
    [
        (f"s3://{BUCKET}s/{PREFIX}", "is not there"),
        (f"s3://{BUCKET}/{PREFIX}s", "is not there"),
        (f"{ROOT}/demo/a.claim.1.csv", "is a file, no folder"),
        ("s3://", "can't be reached"),
        ("nosuch://bucket/prefix", "Protocol not known: nosuch"),
        ("ftp://user:secret@127.0.0.1:9/landing", "ftp://***@127.0.0.1:9/landing can't be reached"),
    ],
)
def test_a_misspelt_root_is_no_empty_one(
    root: str, told: str, store: Store, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    store.put("demo/a.claim.1.csv", GOOD)
    monkeypatch.setenv("FUND_LANDING_DIR", root)
    assert main(["run"]) == 1
    said = capsys.readouterr().err
    assert told in said
    assert "FUND_LANDING_DIR" in said
    assert "secret" not in said
    assert files() == {}


def test_an_empty_bucket_is_an_empty_landing_area(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    store.client.create_bucket(Bucket="new-bureau")
    monkeypatch.setenv("FUND_LANDING_DIR", "s3://new-bureau")
    assert runs.discover() == []


def test_credentials_may_lie_in_a_file(
    store: Store, fund_environment: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    store.put("demo/a.claim.1.csv", GOOD)
    file = fund_environment / "object_storage"
    file.write_text("[default]\naws_access_key_id = bureau\naws_secret_access_key = hidden\n")
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(fund_environment / "nothing"))
    assert main(["discover"]) == 1
    assert "Unable to locate credentials" in capsys.readouterr().err
    _forget_connections()
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(file))
    assert main(["discover"]) == 0
    assert "a.claim.1.csv" in capsys.readouterr().out


def test_wrong_credentials_decide_nothing(store: Store, capsys: pytest.CaptureFixture[str]) -> None:
    store.put("demo/a.claim.1.csv", GOOD)
    assert len(runs.discover()) == 1
    store.demand_credentials()
    for command in (["discover"], ["ingest", "demo", "a.claim.1.csv"]):
        assert main(command) == 1
        assert "check the credentials" in capsys.readouterr().err
    assert select("SELECT count(*) FROM events.file_registry") == [(0,)]


def test_who_may_list_but_not_read_is_refused_file_by_file_until_he_may(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    store.put("demo/a.claim.1.csv", GOOD)
    store.put("demo/b.claim.1.csv", csv_text([payment("K2")]))
    for name, value in store.account().items():
        monkeypatch.setenv(name, value)
    store.demand_credentials()
    run()
    assert {row[:2] for row in files().values()} == {("rejected", "E-FILE-UNREADABLE")}
    assert runs.discover() == []
    store.allow("s3:ListBucket", "s3:GetObject")
    store.demand_credentials()
    run()
    assert select("SELECT source_event_key FROM events.event ORDER BY seq") == [("K1",), ("K2",)]


def test_a_server_that_is_down_decides_nothing(store: Store, capsys: pytest.CaptureFixture[str]) -> None:
    store.put("demo/a.claim.1.csv", GOOD)
    assert len(runs.discover()) == 1
    store.line.dead = True
    for command in (["discover"], ["ingest", "demo", "a.claim.1.csv"]):
        assert main(command) == 1
        assert "can't be reached" in capsys.readouterr().err
    assert select("SELECT count(*) FROM events.file_registry") == [(0,)]
    store.line.mend()
    run()
    assert files()["a.claim.1.csv"][0] == "loaded"


@pytest.mark.parametrize("for_good", [False, True])
def test_a_download_that_breaks_off_is_repeated_and_decides_nothing(for_good: bool, store: Store) -> None:
    store.put("demo/a.claim.1.csv", csv_text([payment(f"K{row}") for row in range(5000)]))
    (item,) = runs.discover()
    store.line.cut_for_good, store.line.let_through = for_good, 200_000
    if for_good:
        with pytest.raises(SettingsError, match="can't be reached"):
            runs.ingest(item)
        assert select("SELECT count(*) FROM events.file_registry") == [(0,)]
        assert spooled() == []
        store.line.mend()
    assert runs.ingest(item)["loaded"] == 5000
    assert store.line.let_through is None, "the line was cut"
    assert spooled() == []


def test_an_object_whose_bytes_do_not_come_waits_and_the_others_go_on(
    store: Store, caplog: pytest.LogCaptureFixture
) -> None:
    store.put("demo/a.claim.1.csv", csv_text([payment(f"K{row}") for row in range(5000)]))
    store.put("demo/b.claim.1.csv", csv_text([payment("B")]))

    def cut(method: str, path: str) -> None:
        if method == "GET" and path.endswith("/demo/a.claim.1.csv"):
            store.line.let_through = 100_000

    store.line.on_request = cut
    run()
    assert {name: state for name, (state, *_) in files().items()} == {
        "a.claim.1.csv": "waiting",
        "b.claim.1.csv": "loaded",
    }
    assert "demo/a.claim.1.csv: could not be read" in caplog.text
    with pytest.raises(ReadingInterrupted, match=r"demo/a\.claim\.1\.csv: could not be read"):
        runs.ingest(ITEM)
    store.line.on_request = lambda *_: None
    store.line.mend()
    run()
    assert files()["a.claim.1.csv"][3] == 5000


def test_no_room_for_a_copy_is_told_and_decides_nothing(store: Store) -> None:
    store.put("demo/a.claim.1.csv", csv_text([payment(f"K{row}") for row in range(5000)]))
    script = (
        "import resource, sys; resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000));"
        "from ingestion.__main__ import main; sys.exit(main(['ingest', 'demo', 'a.claim.1.csv']))"
    )
    done = subprocess.run([sys.executable, "-c", script], cwd=REPOSITORY, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert f"demo/a.claim.1.csv: no copy can be made in {Settings.from_env().spool_dir}: File too large" in done.stderr
    assert spooled() == []
    assert select("SELECT count(*) FROM events.file_registry") == [(0,)]


def test_other_protocols_of_fsspec_work_too(migrated_warehouse: str, monkeypatch: pytest.MonkeyPatch) -> None:
    assert migrated_warehouse
    memory = fsspec.filesystem("memory")
    monkeypatch.setenv("FUND_LANDING_DIR", "memory://landing")
    memory.pipe({"/landing/demo/a.claim.1.csv": GOOD.encode(), "/landing/demo/b.claim.1.csv.part": b""})
    try:
        run()
        assert {name: state for name, (state, *_) in files().items()} == {
            "a.claim.1.csv": "loaded",
            "b.claim.1.csv.part": "waiting",
        }
        memory.pipe("/landing/demo/a.claim.1.csv", GOOD.replace("K1", "K2").encode())
        run()
        assert select("SELECT count(*) FROM events.event") == [(2,)]
    finally:
        memory.rm("/landing", recursive=True)


def test_a_local_file_that_could_not_be_read_is_tried_again(
    migrated_warehouse: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert migrated_warehouse
    path = land_rows("a.claim.1.csv", payment("K1"))
    whole = Path.open

    def forbidden(self: Path, *arguments: object, **options: object) -> object:
        if self == path:
            raise PermissionError(13, "Permission denied")
        return whole(self, *arguments, **options)  # type: ignore[call-overload]

    with monkeypatch.context() as patch:
        patch.setattr(Path, "open", forbidden)
        run()
        assert files()["a.claim.1.csv"][:2] == ("rejected", "E-FILE-UNREADABLE")
    run()
    assert select("SELECT count(*) FROM events.event") == [(1,)]
