"""CSV is split in bulk where it can be, and always as a plain reader would split it."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ingestion.profiles import ColumnMap, Feed
from ingestion.readers import chunks
from tests.property.plain_csv import read_plainly

NAMES = ["event_type", "source_event_key", "occurred_on", "region_code"]
PIECE = st.one_of(
    st.sampled_from(
        [
            "a",
            "12.50",
            "",
            " ",
            "\t",
            "淮",
            "㐂",
            "é",
            "\ufeff",
            "\u2028",
            "\x85",
            "\x1c",
            "\x00",
            "x\x01",
            "#",
            "\\",
            "'",
        ]
    ),
    st.sampled_from(['"', '""', '"b"', '"c,d"', '"e""f"', '"g\nh"', '"\r\n"', "\u3000i\u3000", '" j "']),
    st.text(max_size=4),
    st.text(alphabet='",;\n\r\x00 0a淮', max_size=6),
)
END = st.sampled_from(["\n", "\n", "\n", "\r\n", "\r", "\n\n", '"\n'])


@st.composite
def bodies(draw: st.DrawFn, columns: int, delimiter: str) -> str:
    """Lines mostly of as many fields as there are columns, ending as they please."""
    lines = []
    for _ in range(draw(st.integers(0, 12))):
        count = draw(st.sampled_from([columns] * 6 + [columns - 1, columns + 1]))
        plain = draw(st.booleans())
        field = st.sampled_from(["a", "12.50", "淮南", "b c"]) if plain else PIECE
        end = "\n" if plain else draw(END)
        lines.append(delimiter.join(draw(st.lists(field, min_size=count, max_size=count))) + end)
    text = "".join(lines)
    return text if draw(st.booleans()) else text.rstrip("\n")


def agree(
    content: bytes, columns: int, delimiter: str, encoding: str, path: Path, lines_max: int | None = None
) -> None:
    """What the reader gives is what the plain one gives."""
    constants = dict.fromkeys(NAMES[columns:], "x")
    feed = Feed(
        "treasury",
        tuple(ColumnMap(name, name) for name in NAMES[:columns]),
        encoding=encoding,
        delimiter=delimiter,
        constants=constants,
    )
    path.write_bytes(content)
    header, rows, misfits = read_plainly(content, encoding, delimiter, lines_max)
    found = list(chunks(path, feed, 5))
    assert all(chunk.rows <= 5 and chunk.frame.columns == header for chunk in found)
    numbered = [
        pair for chunk in found for pair in zip(chunk.line_nos, map(list, chunk.frame.iter_rows()), strict=True)
    ]
    assert numbered == rows
    assert [(misfit.line_no, misfit.text) for chunk in found for misfit in chunk.misfits] == misfits


@settings(max_examples=500, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(st.data())
def test_bulk_reading_splits_as_plain_reading(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, data: st.DataObject
) -> None:
    columns, delimiter = data.draw(st.integers(1, 4)), data.draw(st.sampled_from([",", ";", "\t", "|", "，", " "]))
    encoding = data.draw(st.sampled_from(["utf-8", "gb18030"]))
    start = data.draw(st.sampled_from(["", "", "\n", "\r\n", "\r"]))
    text = start + delimiter.join(NAMES[:columns]) + data.draw(st.sampled_from(["\n", "\r\n", "\r"]))
    content = (text + data.draw(bodies(columns, delimiter))).encode(encoding, "replace")
    if encoding == "utf-8" and data.draw(st.booleans()):
        content = b"\xef\xbb\xbf" + content
    monkeypatch.setattr("ingestion.readers.text.BLOCK_BYTES", data.draw(st.sampled_from([3, 7, 40, 1 << 20])))
    monkeypatch.setattr("ingestion.readers.delimited._CAREFUL_CHARACTERS", data.draw(st.sampled_from([0, 10, 1 << 20])))
    agree(content, columns, delimiter, encoding, tmp_path / "x")


LINES = ["a,b\n", 'a,"b\n', 'x","a\n', 'a","b"\n', '"\n', '"",b\n', "\n", '"a""\n', "a,b\r", 'c",d\r\n', "淮\n"]


@settings(max_examples=400, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(st.lists(st.sampled_from(LINES), max_size=40), st.sampled_from([2, 3, 7]), st.sampled_from([5, 30, 1 << 20]))
def test_records_that_are_too_long_or_never_end_are_read_as_plain_reading_does(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, lines: list[str], lines_max: int, block: int
) -> None:
    monkeypatch.setattr("ingestion.readers.text.BLOCK_BYTES", block)
    monkeypatch.setattr("ingestion.readers.delimited._CAREFUL_CHARACTERS", 0)
    monkeypatch.setattr("ingestion.readers.records.RECORD_LINES_MAX", lines_max)
    content = ("event_type,source_event_key\n" + "".join(lines)).encode()
    agree(content, 2, ",", "utf-8", tmp_path / "x", lines_max)
