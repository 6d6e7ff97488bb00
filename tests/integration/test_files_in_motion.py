"""Files that change under the reader's hands, and names that no sender should choose."""

from __future__ import annotations

import os
from collections.abc import Callable, Generator
from pathlib import Path

import pytest

from ingestion import runs
from ingestion.readers import text
from ingestion.settings import Settings
from tests.integration.ingestion_support import files, land, run, select
from tests.unit.ingestion.valid_rows import csv_text
from tests.unit.ingestion.valid_rows import sound_row as sound

pytestmark = pytest.mark.usefixtures("migrated_warehouse")
ROWS = [sound("interest.credited", source_event_key=f"K{number}") for number in range(400)]
CONTENT = csv_text(ROWS)


def grow(path: Path) -> None:
    with path.open("a") as stream:
        stream.write(csv_text([sound("interest.credited", source_event_key="L1")]).partition("\n")[2])


def shrink(path: Path) -> None:
    os.truncate(path, path.stat().st_size // 2)


def replace(path: Path) -> None:
    other = path.with_name("other.part")
    other.write_text(csv_text(ROWS[:3]))
    other.replace(path)


def spoil(path: Path) -> None:
    """What is read now is not UTF-8; a moment later it is."""
    path.write_bytes(CONTENT.encode()[:8_000] + bytes([255]) * 8_000)


@pytest.mark.parametrize("change", [grow, shrink, replace, spoil])
def test_nothing_is_kept_of_a_file_that_changes_while_it_is_read(
    change: Callable[[Path], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    path = land("a.treasury.1.csv", CONTENT)
    (item,) = runs.discover()
    unpacked = text._unpacked

    def changing(of: Path) -> Generator[bytes, None, None]:
        for number, block in enumerate(unpacked(of)):
            yield block
            if number == 0:
                change(path)

    with monkeypatch.context() as patch:
        patch.setattr(text, "BLOCK_BYTES", 4_096)
        patch.setattr(text, "_unpacked", changing)
        assert runs.ingest(item)["state"] == "waiting"
    assert select("SELECT (SELECT count(*) FROM events.event), (SELECT count(*) FROM events.file_outcome)") == [(0, 0)]
    if change is spoil:
        path.write_text(CONTENT)
    os.utime(path, (1, 1))
    run()
    assert files()["a.treasury.1.csv"][0] == "loaded"
    assert select("SELECT count(*) FROM events.event") == [(path.read_text().count("\n") - 1,)]


@pytest.mark.parametrize(
    "name",
    ["a\nb.treasury.1.csv", "-rf.treasury.1.csv", "a\tb\x1b[31m.treasury.1.csv", "$(id);`id`.treasury.1.csv",
     "%s{0}.treasury.1.csv", "淮南\u202e.treasury.1.csv", "a.treasury.1.csv.csv", " .treasury. .csv"],
)  # fmt: skip
def test_a_name_is_only_a_name(name: str) -> None:
    land(name, CONTENT)
    run()
    assert files()[name][:3] == ("loaded", None, 400)
    assert runs.discover() == []


@pytest.mark.parametrize(
    ("name", "code"),
    [(b"\xff\xfe.treasury.1.csv", "E-FILE-NAME"), (b"a.treasury.1.csv.gz.gz", "E-FILE-NAME"),
     (b"a.treasury.1.CSV", "E-FILE-NAME"), (b"a.treasury.1.csv.gz", "E-FILE-GZIP")],
)  # fmt: skip
def test_a_name_that_says_something_else_is_refused(name: bytes, code: str) -> None:
    folder = Settings.from_env().landing_dir / "demo"
    folder.mkdir()
    path = os.fsencode(folder) + b"/" + name
    with open(path, "wb") as stream:  # noqa: PTH123 - a name that is no text
        stream.write(CONTENT.encode())
    os.utime(path, (1, 1))
    run()
    assert [(state, told) for state, told, *_ in files().values()] == [("rejected", code)]
    assert runs.discover() == []
