"""docs/canonical-form.md: its worked example, by both implementations, and its lists of columns."""

from __future__ import annotations

import hashlib
import json
import re
from datetime import datetime

import polars as pl
import pytest

from ingestion.canonical import (
    ADDED,
    DERIVABLE,
    ENVELOPE,
    GENESIS,
    BatchHead,
    content_bytes,
    content_hash,
    derived_bytes,
    derived_hash_of_body,
    hashed_columns,
    sealed_hash,
    versions_of,
)
from ingestion.contracts import FAMILIES
from ingestion.settings import REPOSITORY
from tests.independent import form

DOCUMENT = (REPOSITORY / "docs/canonical-form.md").read_text(encoding="utf-8")
EXAMPLE = json.loads(re.findall(r"```json\n(\{.*?\n\})\n```", DOCUMENT, re.DOTALL)[0])
STATED = dict(re.findall(r"^([a-z_]+(?: \d)?) = ([0-9a-f]+)$", DOCUMENT, re.MULTILINE))


def test_the_example_by_the_project() -> None:
    hashes = []
    for number, event in enumerate(EXAMPLE["events"], start=1):
        fields = [
            None if name in event.get("derived_columns", []) else event.get(name)
            for name in hashed_columns("contribution", int(event["schema_version"]))
        ]
        assert hashlib.sha256(bytes.fromhex(STATED[f"bytes {number}"])).hexdigest() == STATED[f"content_hash {number}"]
        assert content_hash(fields).hex() == STATED[f"content_hash {number}"]
        hashes.append((content_hash(fields), int(event["line_no"])))
    said = EXAMPLE["batch"]
    numbers = (int(said[name]) for name in ("batch_id", "first_seq", "last_seq"))
    head = BatchHead(said["region_code"], *numbers, datetime.fromisoformat(said["recorded_at"]), said["file_sha256"])
    body = content_bytes(pl.Series([content.hex() for content, _ in hashes]), pl.Series([line for _, line in hashes]))
    assert body.hex() == STATED["batch_body"]
    digest = sealed_hash(GENESIS, head, hashlib.sha256(body).digest())
    assert digest.hex() == STATED["batch_hash"]
    rows = [event | {"derived_columns": ",".join(event["derived_columns"])} for event in EXAMPLE["events"]]
    frame = pl.DataFrame(rows, schema=dict.fromkeys(("seq", *ADDED, *DERIVABLE), pl.String))
    assert derived_bytes(frame).hex() == STATED["derived_body"]
    body = hashlib.sha256(derived_bytes(frame)).digest()
    assert derived_hash_of_body(GENESIS, digest, body).hex() == STATED["derived_hash"]


def test_the_example_by_the_document_alone() -> None:
    empty = dict.fromkeys([*form.ENVELOPE, *form.FAMILIES["contribution", 1], *form.COMPUTED, *form.BESIDE])
    rows = [empty | event | {"line_no": int(event["line_no"])} for event in EXAMPLE["events"]]
    for number, row in enumerate(rows, start=1):
        assert form.event(row).hex() == STATED[f"bytes {number}"]
        row["content_hash"] = form.content_hash(row)
    digest = form.batch_hash(EXAMPLE["batch"], rows, form.ZEROS)
    assert digest.hex() == STATED["batch_hash"]
    assert form.derived_body(rows).hex() == STATED["derived_body"]
    assert form.derived_hash({"batch_hash": digest}, rows, form.ZEROS).hex() == STATED["derived_hash"]


@pytest.mark.parametrize(("family", "version"), form.FAMILIES)
def test_the_lists_of_columns_are_those_of_the_code(family: str, version: int) -> None:
    (line,) = re.findall(rf"^\| `{family}` {version} \| (.*) \|$", DOCUMENT, re.MULTILINE)
    named = tuple(re.findall(r"`(\w+)`", line))
    assert ENVELOPE + named == hashed_columns(family, version)
    assert [*form.ENVELOPE, *form.FAMILIES[family, version]] == list(hashed_columns(family, version))


def test_every_published_version_is_listed() -> None:
    listed = re.findall(r"^\| `(\w+)` (\d+) \|", DOCUMENT, re.MULTILINE)
    published = {(family, number) for family in (*FAMILIES, "control") for number in versions_of(family)}
    assert {(family, int(number)) for family, number in listed} == published == form.FAMILIES.keys()
