"""Files as they come: packed twice or not at all, torn, without end, or made to unpack to more than there is."""

from __future__ import annotations

import gzip
import io
import subprocess
import sys
from pathlib import Path

import pyarrow as pa
import pytest
from pyarrow import parquet

from ingestion.errors import FileRejected
from ingestion.profiles import CanonicalProfile
from ingestion.readers import chunks
from ingestion.settings import REPOSITORY
from tests.unit.ingestion.test_file_reading import HEADER, ROW, lines_of, read
from tests.unit.ingestion.workbooks import feed, table

NAME = "t.treasury.1.csv"
SOUND = f"{HEADER}\n{ROW}\n"


def refusal(content: bytes, folder: Path, name: str = NAME) -> str:
    with pytest.raises(FileRejected) as refused:
        read(content, folder, name)
    return f"{refused.value.code} {refused.value.detail}"


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-be"])
def test_utf_16_is_refused_by_its_name(encoding: str, tmp_path: Path) -> None:
    content = f"\ufeff{SOUND}".encode(encoding) if encoding != "utf-16" else SOUND.encode(encoding)
    assert refusal(content, tmp_path) == "E-FILE-ENCODING UTF-16"


def test_what_is_packed_in_parts_is_read_throughout(tmp_path: Path) -> None:
    parts = [f"{HEADER}\n{ROW[:9]}", f"{ROW[9:]}\n", "", f"{ROW}\n"]
    content = b"".join(gzip.compress(part.encode()) for part in parts)
    assert lines_of(read(content, tmp_path, f"{NAME}.gz")) == ([2, 3], [])
    assert lines_of(read(content + bytes(512), tmp_path, f"{NAME}.gz")) == ([2, 3], []), "padding is no content"


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (gzip.compress(gzip.compress(SOUND.encode(), mtime=0), mtime=0), "E-FILE-ENCODING utf-8, invalid start byte"),
        (gzip.compress(table(typed=True), mtime=0), "E-FILE-ENCODING"),
        (table(typed=True), "E-FILE-GZIP"),
        (gzip.compress(SOUND.encode(), mtime=0) + b"rest", "E-FILE-GZIP"),
        (gzip.compress(SOUND.encode(), mtime=0)[:-4], "E-FILE-GZIP"),
        (gzip.compress(SOUND.encode(), mtime=0)[:10], "E-FILE-GZIP"),
    ],
)
def test_what_is_packed_otherwise_is_refused(content: bytes, expected: str, tmp_path: Path) -> None:
    assert refusal(content, tmp_path, f"{NAME}.gz").startswith(expected)


@pytest.mark.parametrize("ending", ["\n", "\r\n", "\r"])
def test_a_million_blank_lines_are_no_rows(ending: str, tmp_path: Path) -> None:
    text = HEADER + ending + ending * 1_000_000 + ROW + ending + ending * 1_000
    assert lines_of(read(text.encode(), tmp_path)) == ([1_000_002], [])


def test_a_line_without_end_is_too_large(tmp_path: Path) -> None:
    text = f"{SOUND}interest.credited,{'x' * 100_000_000},2019-11-15,320100,1.00\n"
    assert refusal(text.encode(), tmp_path).startswith("E-FILE-TOO-LARGE a line of more than")


def test_a_json_line_that_only_carriage_returns_divide_is_too_large(tmp_path: Path) -> None:
    content = (b" " * 999 + b"\r") * 20_000
    with pytest.raises(FileRejected, match="E-FILE-TOO-LARGE"):
        read(content, tmp_path, "x", feed("format: jsonl"))


def test_more_rows_than_accepted_are_too_large(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ingestion.readers.ROWS_MAX", 3)
    assert len(lines_of(read(f"{HEADER}\n{ROW}\na\n{ROW}\n".encode(), tmp_path))[0]) == 2
    assert refusal(f"{HEADER}\n{ROW}\na\n{ROW}\n{ROW}\n".encode(), tmp_path).startswith("E-FILE-TOO-LARGE")


def test_an_open_quote_behind_a_malformed_one_swallows_no_rows(tmp_path: Path) -> None:
    text = f'{SOUND}"a"b,"K2,2019-11-15,320100,1\n{ROW}\n{ROW}\n'
    assert lines_of(read(text.encode(), tmp_path)) == ([2, 4, 5], [3])


def test_a_quote_that_closes_thousands_of_lines_later_costs_one_line(tmp_path: Path) -> None:
    text = f'{SOUND}a,"K2,2019-11-15,320100,1\n' + f"{ROW}\n" * 20_000
    rows, misfits = lines_of(read(text.encode(), tmp_path))
    assert (len(rows), misfits) == (20_001, [3])


READ = """
import re, sys
from pathlib import Path
from ingestion.errors import FileRejected
from ingestion.profiles import CanonicalProfile
from ingestion.readers import chunks

path = Path(sys.argv[1])
try:
    for _ in chunks(path, CanonicalProfile(()).feed_of(path.name)):
        pass
except FileRejected as rejection:
    print(rejection.code, int(re.search(r"VmHWM:\\s+([0-9]+)", Path("/proc/self/status").read_text())[1]) // 1024)
"""


@pytest.mark.parametrize("head", [SOUND.encode() + b"interest.credited,", b""])
def test_a_gigabyte_of_zeros_is_refused_without_being_held(head: bytes, tmp_path: Path) -> None:
    path = tmp_path / f"{NAME}.gz"
    path.write_bytes(gzip.compress(head) + gzip.compress(bytes(16 * 1024**2)) * 64)
    assert path.stat().st_size < 2 * 1024**2
    command = [sys.executable, "-c", READ, str(path)]
    told = subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True, check=True).stdout.split()
    assert told[0] == "E-FILE-TOO-LARGE"
    assert int(told[1]) < 400


def test_what_is_packed_tighter_than_rows_is_too_large(tmp_path: Path) -> None:
    path = tmp_path / f"{NAME}.gz"
    with gzip.open(path, "wb") as stream:
        stream.write(f"{HEADER}\n".encode())
        for _ in range(200):
            stream.write(b"\n" * 1_000_000)
    with pytest.raises(FileRejected, match="E-FILE-TOO-LARGE"):
        list(chunks(path, CanonicalProfile(()).feed_of(path.name)))


def test_one_long_text_in_every_row_of_a_parquet_file_is_too_large(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two kilobytes that decode to a hundred gigabytes."""
    monkeypatch.setattr("ingestion.readers.memory.total", lambda: 1024**3)
    rows = 100_000
    shared = {"type": "interest.credited", "id": "K1", "day": "2019-11-15", "region": "320100", "sum": "x" * 1_000_000}
    columns = {name: pa.DictionaryArray.from_arrays([0] * rows, [text]) for name, text in shared.items()}
    buffer = io.BytesIO()
    parquet.write_table(pa.table(columns), buffer, compression="zstd", store_schema=False)
    path = tmp_path / "x.parquet"
    path.write_bytes(buffer.getvalue())
    assert path.stat().st_size < 100_000
    with pytest.raises(FileRejected, match="E-FILE-TOO-LARGE"):
        list(chunks(path, feed("format: parquet")))


def test_long_texts_in_a_parquet_file_make_chunks_of_fewer_rows(tmp_path: Path) -> None:
    rows = 4_000
    shared = {"type": "interest.credited", "id": "K1", "day": "2019-11-15", "region": "320100", "sum": "x" * 10_000}
    path = tmp_path / "x.parquet"
    parquet.write_table(pa.table({name: [text] * rows for name, text in shared.items()}), path)
    found = [chunk.rows for chunk in chunks(path, feed("format: parquet"))]
    assert sum(found) == rows
    assert max(found) * 10_000 < 16 * 1024**2 * 8
