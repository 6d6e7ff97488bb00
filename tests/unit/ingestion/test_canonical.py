"""Canonical bytes: fixed vectors, one worked out by hand, and that different rows never share their bytes."""

from __future__ import annotations

import hashlib
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingestion.canonical import (
    ADDED,
    DERIVABLE,
    GENESIS,
    BatchHead,
    content_bytes,
    content_hash,
    content_hexes,
    derived_bytes,
    derived_hash_of_body,
    hashed_columns,
    netstring,
    sealed_hash,
)
from ingestion.contracts import FAMILIES
from ingestion.rows import part
from tests.unit.ingestion.valid_rows import IN_VERSION_2, csv_text, examine_text, sound_row

VECTORS = json.loads((Path(__file__).parent / "vectors.json").read_text(encoding="utf-8"))


@pytest.mark.parametrize("vector", VECTORS["events"], ids=lambda vector: vector["name"])
def test_a_vector_never_changes(vector: dict[str, object]) -> None:
    row = vector["row"]
    assert isinstance(row, dict)
    columns = hashed_columns(str(vector["family"]), int(row["schema_version"]))
    fields = [row.get(name) for name in columns]
    assert hashlib.sha256(bytes.fromhex(str(vector["bytes_hex"]))).hexdigest() == vector["sha256"]
    assert content_hash(fields).hex() == vector["sha256"]
    frame = pl.DataFrame(
        {name: [text] for name, text in zip(columns, fields, strict=True)},
        schema_overrides=dict.fromkeys(columns, pl.String),
    )
    assert content_hexes(frame, columns)[0] == vector["sha256"]


def test_the_merger_by_hand() -> None:
    text = (
        "6:320100" "11:fund.merged" "8:treasury" "1:1" "7:nanjing" "2:K1" "10:2020-01-01"  # envelope
        "3:MAT" "------------" "--"  # fund_code, twelve more columns, the two of the original
    )  # fmt: skip
    assert VECTORS["events"][2]["bytes_hex"] == (b"\x01" + text.encode()).hex()


def test_a_file_row_is_hashed_in_canonical_form(tmp_path: Path) -> None:
    plain = sound_row("interest.credited", amount="100")
    padded = sound_row("interest.credited", amount="0100.0", schema_version="1")
    examined = examine_text(csv_text([plain, padded]), "treasury", tmp_path)
    first, second = part(examined, FAMILIES["treasury"], "s", pl.Series, [2, 3]).frame["content_hash"]
    assert first == second
    row = plain | {"family": "treasury", "schema_version": "1", "source_system": "s", "amount": "100.00"}
    assert first == content_hash(row.get(name) for name in hashed_columns("treasury", 1)).hex()


def test_each_row_is_hashed_by_its_own_version(tmp_path: Path) -> None:
    old = sound_row("contribution.collected", personal_amount="160.00")
    new = sound_row(
        "contribution.collected", personal_amount="160.00", **IN_VERSION_2, tax_authority_code="13201060000"
    )
    rows = [old, new, old, new]
    examined = examine_text(csv_text(rows), "contribution", tmp_path)
    frame = part(examined, FAMILIES["contribution"], "nanjing", pl.Series, [2, 3, 4, 5]).frame
    vectors = {vector["name"]: vector["sha256"] for vector in VECTORS["events"]}
    first, second = vectors["premium with all amounts"], vectors["premium of version 2"]
    assert frame["content_hash"].to_list() == [first, second, first, second]


@given(st.lists(st.none() | st.text(max_size=5), max_size=4), st.lists(st.none() | st.text(max_size=5), max_size=4))
def test_different_fields_never_share_their_bytes(one: list[str | None], other: list[str | None]) -> None:
    same = "".join(map(netstring, one)) == "".join(map(netstring, other))
    assert same == (one == other)


def _batch_hash(previous: bytes, head: BatchHead, rows: list[tuple[bytes, int]]) -> bytes:
    contents, lines = zip(*rows, strict=True)
    body = content_bytes(pl.Series([content.hex() for content in contents]), pl.Series(lines, dtype=pl.Int32))
    return sealed_hash(previous, head, hashlib.sha256(body).digest())


def test_a_batch_hash_covers_everything_that_was_added() -> None:
    head = BatchHead("320100", 1, 1, 2, datetime(2026, 1, 2, 3, 4, 5, 6, tzinfo=UTC), "ab" * 32)
    rows = [(b"\x11" * 32, 2), (b"\x22" * 32, 3)]
    body = hashlib.sha256(b"\x11" * 32 + b"\0\0\0\x02" + b"\x22" * 32 + b"\0\0\0\x03").digest()
    text = f"6:3201001:11:11:227:2026-01-02T03:04:05.000006Z64:{'ab' * 32}"
    assert _batch_hash(GENESIS, head, rows) == hashlib.sha256(b"\x02" + bytes(32) + text.encode() + body).digest()
    assert _batch_hash(GENESIS, head, rows[::-1]) != _batch_hash(GENESIS, head, rows)


@pytest.mark.parametrize("vector", VECTORS["batches"], ids=lambda vector: vector["name"])
def test_a_vector_of_a_batch_never_changes(vector: dict[str, Any]) -> None:
    said = vector["batch"]
    head = BatchHead(
        said["region_code"],
        int(said["batch_id"]),
        int(said["first_seq"]),
        int(said["last_seq"]),
        datetime.fromisoformat(said["recorded_at"]),
        said["file_sha256"],
    )
    rows = [(bytes.fromhex(content), line_no) for content, line_no in vector["rows"]]
    assert _batch_hash(bytes.fromhex(vector["previous"]), head, rows).hex() == vector["batch_hash"]


@pytest.mark.parametrize("vector", VECTORS["derived"], ids=lambda vector: vector["name"])
def test_a_vector_of_what_acceptance_adds_never_changes(vector: dict[str, Any]) -> None:
    columns = ("seq", *ADDED, *DERIVABLE)
    rows = [
        row | {"derived_columns": row["derived_columns"] and ",".join(row["derived_columns"])} for row in vector["rows"]
    ]
    frame = pl.DataFrame(rows, schema=dict.fromkeys(columns, pl.String))
    assert derived_bytes(frame) == vector["body"].encode()
    previous, batch = bytes.fromhex(vector["previous"]), bytes.fromhex(vector["batch_hash"])
    body = hashlib.sha256(derived_bytes(frame)).digest()
    assert derived_hash_of_body(previous, batch, body).hex() == vector["derived_hash"]


_FIELDS = st.none() | st.text(st.characters(exclude_categories=["Cs"]), max_size=12) | st.sampled_from(["", "-", "310"])


@given(st.integers(1, 4).flatmap(lambda n: st.lists(st.tuples(*[_FIELDS] * n), max_size=6).map(lambda rows: (n, rows))))
def test_a_frame_is_hashed_like_its_rows_one_by_one(drawn: tuple[int, list[tuple[str | None, ...]]]) -> None:
    width, rows = drawn
    columns = [f"c{n}" for n in range(width)]
    frame = pl.DataFrame(rows, schema=dict.fromkeys(columns, pl.String), orient="row")
    assert content_hexes(frame, columns).to_list() == [content_hash(row).hex() for row in rows]
