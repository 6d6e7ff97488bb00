"""Parquet: every plain type as exact text, in slices; what is no Parquet file or not plain is refused."""

from __future__ import annotations

import datetime as dt
import io
from decimal import Decimal
from pathlib import Path

import polars as pl
import pytest

from ingestion.errors import FileRejected, ReadingInterrupted
from ingestion.readers import Chunk, chunks, memory
from ingestion.readers.parquet import slices
from tests.unit.ingestion.workbooks import NAMES, feed

HOW = feed("format: parquet", ignore="note")
SHARED = {"type": ["interest.credited"], "id": ["K1"], "day": ["2019-11-15"], "region": ["320100"]}


def parquet(columns: dict[str, object], **options: int) -> bytes:
    buffer = io.BytesIO()
    pl.DataFrame(columns).write_parquet(buffer, row_group_size=options.get("row_group_size"))
    return buffer.getvalue()


def read(content: bytes, folder: Path, size: int = 2) -> list[Chunk]:
    path = folder / "x[1]*.parquet"
    path.write_bytes(content)
    return list(chunks(path, HOW, size))


def texts(values: pl.Series, folder: Path) -> list[str | None]:
    shared = {name: value * len(values) for name, value in SHARED.items()}
    path = folder / "x.parquet"
    path.write_bytes(parquet(shared | {"sum": values}))
    found = slices(path, HOW, 2)
    return [text for chunk in found for text in chunk.frame["sum"]]


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        (pl.Series([12, None, -3], dtype=pl.Int64), ["12", None, "-3"]),
        (pl.Series([255], dtype=pl.UInt8), ["255"]),
        (pl.Series([9_223_372_036_854_775_807], dtype=pl.Int64), ["9223372036854775807"]),
        (pl.Series([Decimal("12.50"), Decimal("0.00")], dtype=pl.Decimal(18, 6)), ["12.5", "0"]),
        (pl.Series([Decimal("1200")], dtype=pl.Decimal(38, 0)), ["1200"]),
        (pl.Series([0.1, 5.0, 1e-7, 1234567.89, -0.0], dtype=pl.Float64), ["0.1", "5", "0.0000001", "1234567.89", "0"]),
        (pl.Series([float("nan"), float("inf")]), ["NaN", "inf"]),
        (pl.Series([True, False, None]), ["true", "false", None]),
        (pl.Series([" a ", "", "　b"]), ["a", None, "b"]),
        (pl.Series(["x", "y", "x"], dtype=pl.Categorical), ["x", "y", "x"]),
        (pl.Series(["x", None], dtype=pl.Enum(["x"])), ["x", None]),
        (pl.Series([dt.date(2019, 11, 15), dt.date(999, 1, 2)]), ["2019-11-15", "0999-01-02"]),
        (
            pl.Series(["2019-11-15T00:00:00", "2019-11-15T08:30:00.5"]).str.to_datetime(time_unit="ms"),
            ["2019-11-15", "2019-11-15 08:30:00.500"],
        ),
        (
            pl.Series(["2019-11-14T16:00:00Z", "2019-11-14T17:00:00Z"]).str.to_datetime(time_zone="UTC"),
            ["2019-11-15", "2019-11-15 01:00:00"],
        ),
        (pl.Series([dt.time(8, 30)]), ["08:30:00"]),
        (pl.Series([None, None], dtype=pl.Null), [None, None]),
    ],
)
def test_every_plain_type_becomes_exact_text(values: pl.Series, expected: list[str | None], tmp_path: Path) -> None:
    assert texts(values, tmp_path) == expected


def test_rows_come_in_slices_with_their_number_plus_one(tmp_path: Path) -> None:
    shared = {name: value * 7 for name, value in SHARED.items()}
    found = read(parquet(shared | {"sum": list(range(7))}, row_group_size=3), tmp_path)
    assert [number for chunk in found for number in chunk.line_nos] == [2, 3, 4, 5, 6, 7, 8]
    assert [text for chunk in found for text in chunk.frame["sum"]] == [str(number) for number in range(7)]
    assert max(chunk.rows for chunk in found) <= 2


def test_a_float_too_large_for_its_digits_is_a_fault_of_its_row(tmp_path: Path) -> None:
    shared = {name: value * 3 for name, value in SHARED.items()}
    (chunk,) = read(parquet(shared | {"sum": [1.5, 1e15, None], "note": [1e20] * 3}), tmp_path, size=10)
    assert chunk.faults == {1: [("E-SCHEMA-CELL-DIGITS", ("sum",))]}
    assert chunk.frame["sum"].to_list() == ["1.5", "1000000000000000", None]


@pytest.mark.parametrize("note", [[[1, 2]], pl.Series([2.5], dtype=pl.Float32)])
def test_a_column_that_is_not_plain_may_be_ignored(note: object, tmp_path: Path) -> None:
    (chunk,) = read(parquet(SHARED | {"note": note}), tmp_path)
    assert chunk.frame.columns == NAMES[:4]


def test_a_file_without_rows_is_a_file_without_rows(tmp_path: Path) -> None:
    assert read(parquet({name: pl.Series([], dtype=pl.String) for name in SHARED}), tmp_path) == []


SOUND = parquet(SHARED)
BAD_FILES: list[tuple[str, bytes]] = [
    ("E-FILE-EMPTY", b""),
    ("E-FILE-EMPTY", parquet({})),
    ("E-FILE-PARQUET", b"type,id\n"),
    ("E-FILE-PARQUET", b"PAR1junkPAR1"),
    ("E-FILE-PARQUET", SOUND[:-20]),
    ("E-FILE-PARQUET", SOUND[: len(SOUND) // 2] + SOUND[-8:]),
    ("E-FILE-TYPE", parquet(SHARED | {"sum": [[1]]})),
    ("E-FILE-TYPE", parquet(SHARED | {"sum": [{"a": 1}]})),
    ("E-FILE-TYPE", parquet(SHARED | {"sum": [b"binary"]})),
    ("E-FILE-TYPE", parquet(SHARED | {"sum": [dt.timedelta(days=1)]})),
    ("E-FILE-TYPE", parquet(SHARED | {"sum": pl.Series([2.5], dtype=pl.Float32)})),
    ("E-FILE-COLUMNS", parquet(SHARED | {"colour": ["red"]})),
    ("E-FILE-HEADER", parquet({"type": ["x"]})),
]


@pytest.mark.parametrize(("code", "content"), BAD_FILES)
def test_a_file_that_cannot_be_read_is_refused_with_its_code(code: str, content: bytes, tmp_path: Path) -> None:
    with pytest.raises(FileRejected) as refused:
        read(content, tmp_path)
    assert refused.value.code == code


def test_damage_that_aborts_the_decoder_is_refused(tmp_path: Path) -> None:
    """Two bytes of this file are turned: one of them makes the decoder ask for two exabytes of memory."""
    shared = {name: value * 50 for name, value in SHARED.items()}
    with pytest.raises(FileRejected, match="E-FILE-PARQUET"):
        read((Path(__file__).parent / "aborting.parquet").read_bytes(), tmp_path)
    assert read(parquet(shared), tmp_path, size=50)[0].rows == 50


def test_more_records_than_accepted_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ingestion.readers.parquet.ROWS_MAX", 3)
    with pytest.raises(FileRejected, match="E-FILE-TOO-LARGE"):
        read(parquet({name: value * 5 for name, value in SHARED.items()}), tmp_path)


def test_a_sound_file_that_needs_more_memory_than_there_is_is_too_large(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ingestion.readers.memory.total", lambda: 600 * 1024**2)
    content = parquet(SHARED | {"sum": ["x" * 300_000_000]})
    with pytest.raises(FileRejected, match="E-FILE-TOO-LARGE"):
        read(content, tmp_path)


@pytest.mark.parametrize(
    "trial",
    [
        "import os, signal; print('READY', flush=True); os.kill(os.getpid(), signal.SIGKILL)",
        "import os, signal; print('READY', flush=True); os.kill(os.getpid(), signal.SIGTERM)",
        "import os; os.abort()",
        "raise MemoryError",
    ],
)
def test_a_trial_ended_from_outside_decides_nothing(
    trial: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "trial.py").write_text(trial)
    monkeypatch.setattr("ingestion.readers.parquet._TRIAL", tmp_path / "trial.py")
    with pytest.raises(ReadingInterrupted):
        read(SOUND, tmp_path)


def test_a_trial_that_cannot_be_started_decides_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.executable", str(tmp_path / "absent"))
    with pytest.raises(ReadingInterrupted):
        read(SOUND, tmp_path)


@pytest.mark.parametrize(
    ("group", "limits", "expected"),
    [
        ("0::/a/b", {"a/memory.max": "2000\n", "a/b/memory.max": "max\n"}, 2000),
        ("0::/", {"memory.max": "3000\n"}, 3000),
        ("4:memory:/a\n0::/", {"memory/a/memory.limit_in_bytes": "1000\n"}, 1000),
        ("0::/outside", {"memory.max": "4000\n"}, 4000),
    ],
)
def test_memory_is_what_the_control_groups_leave(
    group: str, limits: dict[str, str], expected: int, tmp_path: Path
) -> None:
    assert memory.total(tmp_path) > 2**20, "no group: the machine"
    (tmp_path / "proc/self").mkdir(parents=True)
    (tmp_path / "proc/self/cgroup").write_text(group + "\n")
    for name, limit in limits.items():
        path = tmp_path / "sys/fs/cgroup" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(limit)
    assert memory.total(tmp_path) == expected
