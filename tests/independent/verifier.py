"""A whole log judged by the document, read with psycopg2: says per region from which seq on it can't be trusted."""

from __future__ import annotations

import json
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path

from psycopg2.extensions import cursor as Cursor

from tests.independent import form


def first_bad_seqs(cursor: Cursor, heads: Path) -> dict[str, int | None]:
    """Region -> lowest seq at which, or at the start of a batch in which, something is wrong.

    Sound regions are left out; None: there is no file of heads.
    """
    regions = {row["region_code"] for row in _rows(cursor, "SELECT DISTINCT region_code FROM events.event")}
    regions |= {row["region_code"] for row in _rows(cursor, "SELECT DISTINCT region_code FROM events.batch")}
    regions |= {path.stem for path in heads.glob("*.jsonl")}
    found = {}
    for region in sorted(regions):
        problems = list(_region(cursor, region, heads / f"{region}.jsonl"))
        if problems:
            found[region] = min((seq for seq in problems if seq is not None), default=None)
    return found


def _region(cursor: Cursor, region: str, heads: Path) -> Iterator[int | None]:
    events = _rows(cursor, "SELECT * FROM events.event WHERE region_code = %s ORDER BY seq", region)
    batches = _rows(cursor, "SELECT * FROM events.batch WHERE region_code = %s ORDER BY batch_id", region)
    files = {row["file_id"]: row for row in _rows(cursor, "SELECT * FROM events.file_registry")}
    by_seq = {row["seq"]: row for row in events}
    covered = set()
    previous, added, last = form.ZEROS, None, {"batch_id": 0, "last_seq": 0}
    for batch in batches:
        span = range(batch["first_seq"], batch["last_seq"] + 1)
        if (batch["batch_id"], batch["first_seq"]) != (last["batch_id"] + 1, last["last_seq"] + 1):
            yield last["last_seq"] + 1
        covered.update(span)
        rows = [by_seq[seq] for seq in span if seq in by_seq]
        yield from (seq for seq in span if seq not in by_seq)
        for row in rows:
            yield from _event(row, batch)
        if not _holds(batch, rows, previous, files) or not _added_holds(batch, rows, added):
            yield span[0]
        added = batch["derived_hash"] or added
        previous, last = bytes(batch["batch_hash"]), batch
    yield from (seq for seq in by_seq if seq not in covered)
    yield from _heads(heads, region, batches)


def _holds(batch: form.Row, rows: list[form.Row], previous: bytes, files: dict[int, form.Row]) -> bool:
    """The batch's own hash, its link to the batch before, and its file."""
    if batch["file_id"] is None:
        filed = all(row["family"] == "control" for row in rows)
    else:
        filed = files.get(batch["file_id"], {}).get("sha256") == batch["file_sha256"]
    own = form.batch_hash(batch, rows, bytes(batch["prev_batch_hash"]))
    return filed and bytes(batch["prev_batch_hash"]) == previous and own == bytes(batch["batch_hash"])


def _added_holds(batch: form.Row, rows: list[form.Row], added: bytes | None) -> bool:
    if batch["derived_hash"] is None:
        return added is None
    return _derived_hash(batch, rows, form.ZEROS if added is None else bytes(added)) == bytes(batch["derived_hash"])


def _derived_hash(batch: form.Row, rows: list[form.Row], previous: bytes) -> bytes | None:
    try:
        return form.derived_hash(batch, rows, previous)
    except form.NotCanonicalError:
        return None


def _event(row: form.Row, batch: form.Row) -> Iterator[int]:
    version = (row["family"], row["schema_version"])
    own = {*form.ENVELOPE, *form.FAMILIES.get(version, []), *form.BESIDE}
    strays = any(value is not None for name, value in row.items() if name not in own)
    try:
        sound = version in form.FAMILIES and form.content_hash(row) == bytes(row["content_hash"])
    except form.NotCanonicalError:
        sound = False
    if strays or not sound or (row["batch_id"], row["recorded_at"]) != (batch["batch_id"], batch["recorded_at"]):
        yield row["seq"]


def _heads(path: Path, region: str, batches: list[form.Row]) -> Iterator[int | None]:
    if not path.exists():
        yield None
        return
    by_id = {batch["batch_id"]: batch for batch in batches}
    agreed, hash_before, line_before = 0, None, None
    for line in path.read_bytes().split(b"\n")[:-1]:
        head = json.loads(line)
        if (head["previous_batch_hash"], head["previous_line_sha256"]) != (hash_before, line_before):
            yield head["seq"]
        hash_before, line_before = head["batch_hash"], sha256(line).hexdigest()
        batch = by_id.get(head["batch_id"])
        stored = batch and {
            "region_code": region,
            "seq": batch["last_seq"],
            "batch_hash": bytes(batch["batch_hash"]).hex(),
            "derived_hash": batch["derived_hash"] and bytes(batch["derived_hash"]).hex(),
        }
        if stored and all(head[name] == value for name, value in stored.items()):
            agreed = head["batch_id"]
        else:
            later = [batch["first_seq"] for batch in batches if batch["batch_id"] > agreed]
            yield later[0] if later else max((batch["last_seq"] for batch in batches), default=0) + 1


def _rows(cursor: Cursor, query: str, *values: object) -> list[form.Row]:
    cursor.execute(query, values or None)
    names = [column.name for column in cursor.description]
    return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]
