"""What can mean one thing only is read as agreed, and noted; everything else is refused as before."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import polars as pl
import pytest

from ingestion.mapping import canonical_texts, raw_texts
from ingestion.notes import CODES, Noted
from ingestion.profiles import CanonicalProfile, Feed
from ingestion.readers import Chunk, chunks
from ingestion.validation import Examined, examine
from tests.unit.ingestion.valid_rows import Row, csv_text, rulebook, sound_row
from tests.unit.ingestion.workbooks import feed, row, table, workbook

TREASURY = CanonicalProfile(()).feed_of("t.treasury.1.csv")
WITH_MAP = feed(
    'format: csv, date_formats: ["%Y年%m月%d日", excel]',
    ", who: counterparty, sub: {to: sub_fund, values: {统筹（一）: pooled, '2': personal}}",
)


def taken(chunk: Chunk, how: Feed) -> tuple[Examined, list[str]]:
    """What is made of a chunk, and its notes."""
    texts, noted = canonical_texts(chunk.frame, how), Noted()
    noted.add(texts, chunk)
    return examine(texts, how, rulebook(how.family)), [message.partition("]")[0] for message in noted.messages()]


def canonical(*rows: Row, folder: Path) -> tuple[Examined, list[str]]:
    (folder / "x").write_text(csv_text(list(rows)), encoding="utf-8")
    (chunk,) = chunks(folder / "x", TREASURY)
    return taken(chunk, TREASURY)


def mapped(**changes: str) -> tuple[Examined, list[str]]:
    sent = {
        "type": "interest.credited",
        "id": "K1",
        "day": "2019年11月15日",
        "region": "320100",
        "sum": "1",
        "who": "甲",
    }
    frame = pl.DataFrame({"fund": ["EMI"]} | {name: [text] for name, text in (sent | changes).items()})
    return taken(Chunk(frame, [2]), WITH_MAP)


def test_full_width_characters_are_read_as_half_width_ones(tmp_path: Path) -> None:
    wide = sound_row(
        "interest.credited", source_event_key="Ｋ－１", occurred_on="２０１９－１１－１５", amount="１２３４．５０"
    )
    plain = sound_row("interest.credited", source_event_key="K-1", amount="1234.50")
    read, notes = canonical(sound_row("interest.credited"), wide | {"region_code": "３２０１００"}, folder=tmp_path)
    expected, none = canonical(sound_row("interest.credited"), plain, folder=tmp_path)
    assert read.reasons == expected.reasons == {}
    names = ["source_event_key", "occurred_on", "region_code", "amount"]
    assert read.frame.select(names).equals(expected.frame.select(names))
    assert notes == [f"N-HALF-WIDTH [{name}: 1, 3" for name in sorted(names)]
    assert none == []


def test_names_and_values_of_a_map_stay_as_written() -> None:
    read, notes = mapped(who="Ａ公司（集团）", sub="统筹（一）")
    assert read.frame.select("counterparty", "sub_fund").row(0) == ("Ａ公司（集团）", "pooled")
    assert notes == []
    read, notes = mapped(sub="２")
    assert read.frame["sub_fund"].item() == "personal"
    assert notes == ["N-HALF-WIDTH [sub: 1, 2"]


def test_what_was_sent_is_shown_of_a_row() -> None:
    frame = pl.DataFrame({"type": ["Ｘ"], "sum": ["１E1"]})
    assert raw_texts(frame, WITH_MAP).to_list() == ['{"type":"Ｘ","sum":"１E1"}']


@pytest.mark.parametrize(
    ("text", "cents"),
    [("1.0E+3", 100_000), ("1.2345e3", 123_450), ("12345E-2", 12_345), ("1E10", 10**12), ("１．５Ｅ＋１", 1_500)],
)
def test_exponents_are_read_where_they_are_exact_to_the_cent(text: str, cents: int, tmp_path: Path) -> None:
    read, notes = canonical(sound_row("interest.credited", amount=text), folder=tmp_path)
    assert read.frame["amount"].item() == cents
    assert "N-EXPONENT [amount: 1, 2" in notes


@pytest.mark.parametrize("text", ["1E-3", "1.23456E+2", "1E11", "1E999", "E5", "1E", "1.0E+3E"])
def test_other_exponents_are_no_amounts(text: str, tmp_path: Path) -> None:
    read, notes = canonical(sound_row("interest.credited", amount=text), folder=tmp_path)
    assert [code for code, _ in read.reasons[0]] == ["E-TYPE-AMOUNT"]
    assert notes == []


def test_day_numbers_are_dates_where_the_profile_says_so() -> None:
    read, notes = mapped(day="43800")
    assert read.frame["occurred_on"].item() == dt.date(2019, 12, 1)
    assert notes == ["N-DAY-NUMBER [day: 1, 2"]
    for text in ("201912", "04380", "438", "20191201"):
        read, notes = mapped(day=text)
        assert ("E-TYPE-DATE", ("occurred_on",)) in read.reasons[0]
        assert notes == []


@pytest.mark.parametrize(("since_1904", "number"), [(False, 43784), (True, 43784 - 1462)])
def test_numbers_in_date_cells_of_a_workbook_are_days(since_1904: bool, number: int, tmp_path: Path) -> None:
    def fill(_: object, sheet: object) -> None:
        for place, values in enumerate([["type", "id", "day", "region", "sum"], row(day=number, amount=number)]):
            sheet.write_row(place, 0, values)  # type: ignore[attr-defined]

    path = tmp_path / "x"
    path.write_bytes(workbook(fill, date_1904=since_1904))
    (chunk,) = chunks(path, feed())
    read, notes = taken(chunk, feed())
    assert read.frame.select("occurred_on", "amount").row(0) == (dt.date(2019, 11, 15), number * 100)
    assert notes == ["N-DAY-NUMBER [day: 1, 2"]


def test_a_typed_date_is_no_note(tmp_path: Path) -> None:
    (tmp_path / "x").write_bytes(table(row(day=dt.date(2019, 11, 15))))
    (chunk,) = chunks(tmp_path / "x", feed())
    assert taken(chunk, feed())[1] == []


def test_notes_are_counted_over_chunks() -> None:
    noted = Noted()
    for lines, rows in (([2, 3], [True, True]), ([4, 7], [False, True])):
        noted.add(pl.DataFrame({"a|N-EXPONENT": rows, "a|text": ["1", "2"]}), Chunk(pl.DataFrame(), lines))
    assert [message.partition("]")[0] for message in noted.messages()] == ["N-EXPONENT [a: 3, 2"]


def test_every_note_is_there_in_both_languages() -> None:
    for note in CODES.values():
        assert any("一" <= character <= "鿿" for character in note.zh), note.code
        assert note.en.isascii(), note.code
