"""Files that can't be read are refused with one code; whatever can be read keeps its rows and physical lines."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import pytest

from ingestion import manifest
from ingestion.errors import FileRejected
from ingestion.profiles import CanonicalProfile, Feed, parse_profile
from ingestion.readers import Chunk, chunks

HEADER = "event_type,source_event_key,occurred_on,region_code,amount"
CANONICAL = CanonicalProfile(())
JSONL = parse_profile(
    b"source_system: s\ndefaults: {format: jsonl}\nfeeds: [{family: treasury, pattern: '*',"
    b" columns: {type: event_type, id: source_event_key, day: occurred_on, region: region_code, sum: amount}}]",
    "s",
).feed_of("x")


def read(content: bytes, folder: Path, name: str = "t.treasury.1.csv", feed: Feed | None = None) -> list[Chunk]:
    path = folder / name
    path.write_bytes(content)
    return list(chunks(path, feed or CANONICAL.feed_of(name), size=2))


def lines_of(found: list[Chunk]) -> tuple[list[int], list[int]]:
    return [n for c in found for n in c.line_nos], [m.line_no for c in found for m in c.misfits]


ROW = "interest.credited,K1,2019-11-15,320100,1.00"
BAD_FILES: list[tuple[str, str, bytes]] = [
    ("E-FILE-NAME", "t.csv", b"x"),
    ("E-FILE-NAME", "t.treasury.csv", b"x"),
    ("E-FILE-NAME", "t.cash.1.csv", b"x"),
    ("E-FILE-NAME", "t.treasury.1.txt", b"x"),
    ("E-FILE-EMPTY", "t.treasury.1.csv", b""),
    ("E-FILE-EMPTY", "t.treasury.1.csv", b"\n\n"),
    ("E-FILE-EMPTY", "t.treasury.1.csv.gz", gzip.compress(b"", mtime=0)),
    ("E-FILE-ENCODING", "t.treasury.1.csv", f"{HEADER}\n{ROW},淮南".encode("gb18030")),
    ("E-FILE-ENCODING", "t.treasury.1.csv", f"{HEADER}\n{ROW}".encode("utf-16")),
    ("E-FILE-ENCODING", "t.treasury.1.csv", f"{HEADER}\n{ROW}\n".encode() * 3 + b"\xff"),
    ("E-FILE-GZIP", "t.treasury.1.csv.gz", gzip.compress(f"{HEADER}\n{ROW}\n".encode() * 100, mtime=0)[:-20]),
    ("E-FILE-GZIP", "t.treasury.1.csv.gz", f"{HEADER}\n{ROW}".encode()),
    ("E-FILE-HEADER", "t.treasury.1.csv", b"event_type,source_event_key,occurred_on\n"),
    ("E-FILE-DUPLICATE-COLUMN", "t.treasury.1.csv", f"{HEADER},amount\n".encode()),
    ("E-FILE-COLUMNS", "t.treasury.1.csv", f"{HEADER},colour\n".encode()),
    ("E-FILE-COLUMNS", "t.treasury.1.csv", f"{HEADER},\n".encode()),
    ("E-FILE-COLUMNS", "t.treasury.1.csv", HEADER.replace(",", ";").encode()),
]


@pytest.mark.parametrize(("code", "name", "content"), BAD_FILES)
def test_an_unreadable_file_is_refused_with_its_code(code: str, name: str, content: bytes, tmp_path: Path) -> None:
    with pytest.raises(FileRejected) as refused:
        read(content, tmp_path, name)
    assert refused.value.code == code


def test_unknown_columns_are_named() -> None:
    with pytest.raises(FileRejected, match="colour, taste"):
        CANONICAL.feed_of("a.claim.b.csv").check_header([*HEADER.split(",")[:4], "colour", "taste"])


@pytest.mark.parametrize("bom", [b"", b"\xef\xbb\xbf"])
@pytest.mark.parametrize("ending", ["\n", "\r\n", "\r"])
def test_rows_carry_their_physical_lines(bom: bytes, ending: str, tmp_path: Path) -> None:
    text = ending.join([HEADER, ROW, "", ROW, "short,row", f"{ROW},long", ROW])
    assert lines_of(read(bom + text.encode(), tmp_path)) == ([2, 4, 7], [5, 6])


def test_a_quoted_line_break_belongs_to_its_field(tmp_path: Path) -> None:
    found = read(f'{HEADER}\n"interest\ncredited",K1,2019-11-15,320100,1\n{ROW}\n'.encode(), tmp_path)
    assert lines_of(found) == ([2, 4], [])
    assert found[0].frame["event_type"][0] == "interest\ncredited"


def test_an_unclosed_quote_costs_its_own_line_only(tmp_path: Path) -> None:
    text = f'{HEADER}\n{ROW}\ninterest.credited,"K2,2019-11-15,320100,1\n{ROW}\n{ROW}\n'
    assert lines_of(read(text.encode(), tmp_path)) == ([2, 4, 5], [3])


def test_a_header_alone_is_a_file_without_rows(tmp_path: Path) -> None:
    assert read(HEADER.encode(), tmp_path) == []


def test_a_huge_field_and_null_characters_are_read(tmp_path: Path) -> None:
    text = f"{HEADER}\ninterest.credited,{'x' * 10_000_000},2019-11-15,320100,1\na\x00b,K,2019-11-15,320100,1\n"
    (chunk,) = read(text.encode(), tmp_path)
    assert chunk.line_nos == [2, 3]
    assert chunk.frame["source_event_key"].str.len_chars().to_list() == [10_000_000, 1]


def test_fields_are_trimmed_and_empty_ones_are_null(tmp_path: Path) -> None:
    (chunk,) = read(f'{HEADER}\n interest.credited ,　K1　,"",320100,  \n'.encode(), tmp_path)
    assert chunk.frame.row(0) == ("interest.credited", "K1", None, "320100", None)


def test_gb18030_is_read_where_declared_or_detected(tmp_path: Path) -> None:
    for encoding in ("gb18030", "auto"):
        profile = f"""
source_system: s
feeds:
  - family: treasury
    pattern: "*"
    encoding: {encoding}
    columns: {{类型: event_type, 编号: source_event_key, 日期: occurred_on, 统筹区: region_code, 对方: counterparty}}
"""
        feed = parse_profile(profile.encode(), "s").feed_of("x")
        text = "类型,编号,日期,统筹区,对方\ninterest.credited,K1,2019-11-15,320100,㐂银行\n"
        (chunk,) = read(text.encode("gb18030"), tmp_path, "x.csv", feed)
        assert chunk.frame["对方"].to_list() == ["㐂银行"]


# -- JSON Lines --------------------------------------------------------------------------------------------------------


def json_line(**fields: object) -> str:
    return json.dumps({"type": "interest.credited", "id": "K1", "day": "2019-11-15", "region": "320100"} | fields)


def test_json_numbers_keep_their_spelling(tmp_path: Path) -> None:
    (chunk,) = read((json_line(sum=1).replace(": 1}", ": 12.50}") + "\n").encode(), tmp_path, "x.jsonl", JSONL)
    assert chunk.frame["sum"].to_list() == ["12.50"]


@pytest.mark.parametrize(
    "line",
    ["{", "[1]", '"text"', "12", '{"id": {"a": 1}}', '{"id": [1]}', '{"id": 1, "id": 2}', "{}", "[" * 100_000],
)
def test_a_line_that_is_no_plain_object_is_a_misfit(line: str, tmp_path: Path) -> None:
    (chunk,) = read(f"{json_line()}\n{line}\n".encode(), tmp_path, "x.jsonl", JSONL)
    assert chunk.line_nos == [1]
    assert [(m.line_no, m.code) for m in chunk.misfits] == [(2, "E-SCHEMA-JSON")]


def test_an_unknown_json_key_anywhere_refuses_the_file(tmp_path: Path) -> None:
    lines = [json_line()] * 5 + [json_line(colour="red")]
    with pytest.raises(FileRejected, match=r"E-FILE-COLUMNS.*colour"):
        read("\n".join(lines).encode(), tmp_path, "x.jsonl", JSONL)


def test_a_shared_key_that_never_comes_refuses_the_file(tmp_path: Path) -> None:
    with pytest.raises(FileRejected, match=r"E-FILE-HEADER.*region"):
        read(b'{"type": "interest.credited", "id": "K1", "day": "2019-11-15"}', tmp_path, "x.jsonl", JSONL)


def test_a_lone_surrogate_is_kept_as_what_no_database_holds(tmp_path: Path) -> None:
    (chunk,) = read(json_line(id="\ud800").encode(), tmp_path, "x.jsonl", JSONL)
    assert chunk.frame["id"].to_list() == ["\x00"]


# -- manifests ---------------------------------------------------------------------------------------------------------


def told(said: object, folder: Path, text: str = f"{HEADER}\n{ROW}\n{ROW.replace('1.00', '2.50')}\n") -> None:
    feed = CANONICAL.feed_of("t.treasury.1.csv")
    tally = manifest.Tally(manifest.parse(json.dumps(said).encode()), feed)
    for chunk in read(text.encode(), folder):
        tally.add(chunk)
    tally.check("ab" * 32)


@pytest.mark.parametrize(
    "said",
    [
        {},
        {"row_count": 2, "control_totals": {"amount": "3.50"}, "sha256": "AB" * 32},
        {"row_count": "2", "control_totals": None},
        {"control_totals": {"amount": 3.5}},
    ],
)
def test_a_manifest_that_agrees_is_accepted(said: object, tmp_path: Path) -> None:
    told(said, tmp_path)


def test_control_totals_are_those_of_the_amounts_as_they_are_read(tmp_path: Path) -> None:
    rows = [ROW.replace("1.00", text) for text in ("１．５０", "1.0E+3", "2", "x")]
    told({"control_totals": {"amount": "1003.50"}}, tmp_path, "\n".join([HEADER, *rows]))


@pytest.mark.parametrize(
    "said",
    [
        {"row_count": 3},
        {"row_count": "two"},
        {"row_count": True},
        {"row_count": 1.5},
        {"control_totals": {"amount": "3.51"}},
        {"control_totals": {"colour": "1"}},
        {"control_totals": [1]},
        {"sha256": "00" * 32},
        [],
        "text",
    ],
)
def test_a_manifest_that_disagrees_refuses_the_file(said: object, tmp_path: Path) -> None:
    with pytest.raises(FileRejected) as refused:
        told(said, tmp_path)
    assert refused.value.code == "E-FILE-MANIFEST"


def test_a_manifest_that_is_not_json_refuses_the_file() -> None:
    for content in (b"{", b"\xff", b"[" * 100_000):
        with pytest.raises(FileRejected, match="E-FILE-MANIFEST"):
            manifest.parse(content)
