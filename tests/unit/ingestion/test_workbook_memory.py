"""XLSX: how much of a workbook is in memory at once."""

from __future__ import annotations

import tracemalloc
from pathlib import Path

import pytest

from ingestion.errors import FileRejected
from tests.unit.ingestion.workbooks import SPREADSHEET, by_hand, faults, read, row_xml


@pytest.mark.exhaustive
def test_cells_beside_the_table_are_not_kept(tmp_path: Path) -> None:
    content = by_hand(*[row_xml("<c><v>1</v></c>" + "<c><v>12345.25</v></c>" * 300)] * 1_000)
    tracemalloc.start()
    found = read(content, tmp_path, size=50_000)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 10 * 1024**2
    ((code, columns),) = faults(found)[2]
    assert (code, len(columns), columns[0]) == ("E-SCHEMA-FIELDS", 30, "F")


def test_a_chunk_of_long_texts_has_fewer_rows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ingestion.readers.chunk.CHUNK_CHARACTERS", 10_000)
    strings = f'<sst xmlns="{SPREADSHEET}"><si><t>{"x" * 4_000}</t></si></sst>'
    content = by_hand(*[row_xml('<c t="s"><v>0</v></c>')] * 7, strings=strings)
    assert [chunk.rows for chunk in read(content, tmp_path, size=50)] == [3, 3, 1]


def test_a_shared_string_is_no_longer_than_a_cell(tmp_path: Path) -> None:
    strings = f'<sst xmlns="{SPREADSHEET}"><si><r><t>{"x" * 600_000}</t></r><r><t>{"x" * 600_000}</t></r></si></sst>'
    with pytest.raises(FileRejected, match="E-FILE-XLSX"):
        read(by_hand(row_xml(), strings=strings), tmp_path)
