"""Quotes that are left open: what they cost, and where a record is too long."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from types import FrameType

import pytest

from ingestion.profiles import ColumnMap, Feed
from ingestion.readers import records
from ingestion.readers.delimited import csv_chunks
from ingestion.readers.records import Record, Remainder

COLUMNS = (ColumnMap("x", "event_type"), ColumnMap("y", "source_event_key"))
FEED = Feed("treasury", COLUMNS, constants={"occurred_on": "2019-11-15", "region_code": "320100"})
# Each line leaves a quote open, whether one was open before it or not.
ODD = ['x","a\n', 'x",' + "b" * 600 + '"c\n', '"\n,"\n', ',"\n']


def blocks(text: str, size: int = 1 << 18) -> Iterator[str]:
    """Texts of whole lines."""
    while text:
        end = text.find("\n", size) + 1 or len(text)
        yield text[:end]
        text = text[end:]


def work(text: str, monkeypatch: pytest.MonkeyPatch) -> tuple[int, int]:
    """How often something is called while the text is read, and how many characters are taken of it."""
    calls = characters = 0
    take = Remainder.take

    def taken(rest: Remainder) -> str:
        nonlocal characters
        text = take(rest)
        characters += len(text)
        return text

    def count(_: FrameType, event: str, __: object) -> None:
        nonlocal calls
        calls += event in ("call", "c_call")

    with monkeypatch.context() as patch:
        patch.setattr(Remainder, "take", taken)
        sys.setprofile(count)
        try:
            rows = sum(chunk.rows for chunk in csv_chunks(blocks(text), FEED, 25_000))
        finally:
            sys.setprofile(None)
    assert rows
    return calls, characters


@pytest.mark.parametrize("line", ODD)
def test_lines_that_all_leave_a_quote_open_cost_twice_as_much_when_twice_as_many(
    line: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    few, many = (work("x,y\n" + line * number, monkeypatch) for number in (2_000, 4_000))
    assert many[0] < 2.2 * few[0]
    assert many[1] < 10 * 4_000 * len(line)


def found(text: str, size: int = 1 << 18) -> list[Record]:
    """The records of a text that comes in blocks."""
    rest = Remainder(blocks(text, size))
    read = []
    while block := rest.take():
        read += records.records(block, rest, ",")
    return read


@pytest.mark.parametrize("size", [1, 40, 1 << 18])
def test_a_record_may_have_so_many_lines_and_not_one_more(size: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(records, "RECORD_LINES_MAX", 4)
    assert found('a,"1\n2\n3\n4"\nb\n', size) == [Record(1, ["a", "1\n2\n3\n4"]), Record(5, ["b"])]
    alone = [Record(number, [str(number)]) for number in (2, 3, 4)]
    assert found('a,"1\n2\n3\n4\n5"\n', size) == [Record(1, 'a,"1'), *alone, Record(5, ['5"'])]


@pytest.mark.parametrize("size", [1, 40, 1 << 18])
def test_a_record_is_too_long_by_its_characters_too(size: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(records, "RECORD_CHARACTERS_MAX", 10)
    assert found('a,"3456789\n"b"\nc\n', size)[0] == Record(1, 'a,"3456789')
    assert found('a,"345678\n",b\nc\n', size) == [Record(1, ["a", "345678\n", "b"]), Record(3, ["c"])]
    # Lines that were looked at for one record count for the next, from its own first line on.
    assert found('x","4567\nx","4567\n"\n', size) == [Record(1, 'x","4567'), Record(2, ['x"', "4567\n"])]
