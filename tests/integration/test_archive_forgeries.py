"""Archives changed together with all their checksums, and files that can be no archive: named, whatever they hold."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from ingestion import heads
from ingestion.archive import archive
from ingestion.archive_month import ArchiveError, MonthFiles, Span
from ingestion.archive_verification import verify
from ingestion.settings import Settings
from tests.independent import form
from tests.integration.archived_log import DECEMBER, JANUARY, REGION, forging, make
from tests.integration.sealed_log import rows

pytestmark = pytest.mark.slow

ADDED = "受理时补充的内容"


@pytest.fixture
def log(migrated_warehouse: str) -> str:
    """The address of a log of two months."""
    make(migrated_warehouse)
    return migrated_warehouse


@pytest.fixture
def archived(log: str, tmp_path: Path) -> Path:  # noqa: ARG001
    """The log's two months as an archive."""
    archive(REGION, "2020-02", tmp_path / "kept")
    return tmp_path / "kept"


def _own_heads() -> Path:
    (own,) = Settings.from_env().heads_dir.iterdir()
    return own


def _reseal(archived: Path, month: str, kind: str, frame: pl.DataFrame, **span: object) -> None:
    """Put a frame in place of a month's events or batches and write its checksums and manifest anew."""
    files = MonthFiles(archived / REGION, month)
    log_id, known, _ = files.read()
    frame.write_parquet(getattr(files, kind))
    files.seal(log_id, Span(**{**vars(known), **span}))


def _read(archived: Path, month: str, kind: str) -> pl.DataFrame:
    return pl.read_parquet(getattr(MonthFiles(archived / REGION, month), kind))


def _put(archived: Path, month: str, key: str, column: str, value: object) -> None:
    """Change one value of one event and reseal its month."""
    frame = _read(archived, month, "events")
    old = frame[column].to_list()
    new = [value if one == key else before for one, before in zip(frame["source_event_key"], old, strict=True)]
    assert new != old
    _reseal(archived, month, "events", frame.with_columns(pl.Series(column, new, frame.schema[column])))


@pytest.mark.parametrize(
    ("month", "key", "column", "value", "first_bad"),
    [
        (DECEMBER, "C2", "personal_account_credit", Decimal("1.00"), 3),
        (DECEMBER, "reg-P3", "sex", "?", 1),
        (DECEMBER, "reg-P3", "birth_date", None, 1),
        (DECEMBER, "reg-P3", "pseudonym_key_id", "another", 1),
        (JANUARY, "T3", "sub_fund", "personal", 13),
        (JANUARY, "T2", "original_seq", 5, 13),
        (JANUARY, "T1", "original_seq", 5, 13),
        (JANUARY, "K8", "pseudonym_key_id", "k", 12),
    ],
)
def test_what_acceptance_added_can_not_be_changed(
    archived: Path, month: str, key: str, column: str, value: object, first_bad: int
) -> None:
    _put(archived, month, key, column, value)
    (problem,) = verify(archived, _own_heads())["problems"]
    assert problem.startswith(f"{REGION} {month}: seq {first_bad}: {ADDED}")


@pytest.mark.parametrize(
    ("key", "column", "value", "first_bad"),
    [
        ("K2", "amount", Decimal(1), 7),  # of another family
        ("C2", "tax_voucher_no", "T1", 4),  # of another version
        ("C2", "derived_columns", [], 4),
        ("C2", "derived_columns", None, 4),
        ("T3", "derived_columns", ["sub_fund", None], 15),
    ],
)
def test_what_no_hash_covers_is_looked_at(archived: Path, key: str, column: str, value: object, first_bad: int) -> None:
    month = JANUARY if key == "T3" else DECEMBER
    _put(archived, month, key, column, value)
    (problem,) = verify(archived)["problems"]
    assert problem.startswith(f"{REGION} {month}: seq {first_bad}: ")


def test_a_log_whose_computed_values_were_forged_is_not_archived(log: str, tmp_path: Path) -> None:
    with forging(log) as cursor:
        cursor.execute("UPDATE events.event SET personal_account_credit = 1 WHERE source_event_key = 'C2'")
    with pytest.raises(ArchiveError, match=f"not archived: seq 3: {ADDED}"):
        archive(REGION, "2020-02", tmp_path)
    assert list((tmp_path / REGION).iterdir()) == []


def test_computed_values_rewritten_with_all_hashes_are_found_by_the_heads_outside(log: str, tmp_path: Path) -> None:
    with forging(log, rehashed=True) as cursor:
        cursor.execute("UPDATE events.event SET personal_account_credit = 1 WHERE source_event_key = 'C2'")
    archive(REGION, "2020-02", tmp_path / "forged")
    assert verify(tmp_path / "forged")["problems"] == []
    (problem,) = verify(tmp_path / "forged", _own_heads())["problems"]
    assert problem.startswith(f"{REGION} {JANUARY}: seq 15: 与库外链头不符")


@pytest.mark.parametrize("uncovered", [1, 2, 3, 4])
def test_batches_from_before_the_derived_hash_are_no_fault(log: str, tmp_path: Path, uncovered: int) -> None:
    with forging(log) as cursor:
        previous = form.ZEROS
        for batch in rows(cursor, "SELECT * FROM events.batch ORDER BY batch_id"):
            query = "SELECT * FROM events.event WHERE batch_id = %s ORDER BY seq"
            known = batch["batch_id"] > uncovered
            previous = form.derived_hash(batch, rows(cursor, query, batch["batch_id"]), previous) if known else previous
            cursor.execute(
                "UPDATE events.batch SET derived_hash = %s WHERE batch_id = %s",
                (previous if known else None, batch["batch_id"]),
            )
    archive(REGION, "2020-02", tmp_path / "kept")
    assert verify(tmp_path / "kept")["problems"] == []
    frame = _read(tmp_path / "kept", JANUARY, "batches")
    assert frame["derived_hash"].null_count() == (1 if uncovered == 4 else 0)
    _reseal(tmp_path / "kept", JANUARY, "batches", frame.with_columns(pl.lit(None, pl.Binary).alias("derived_hash")))
    (problem,) = verify(tmp_path / "kept")["problems"]
    place = "seq 12: 派生哈希被删除" if uncovered < 3 else "seq 15: 派生哈希与清单不符"
    assert problem.startswith(f"{REGION} {JANUARY}: {place}")


def _with(**columns: pl.Expr | None) -> Callable[[pl.DataFrame], pl.DataFrame]:
    def change(frame: pl.DataFrame) -> pl.DataFrame:
        gone = [name for name, value in columns.items() if value is None]
        return frame.with_columns(value.alias(name) for name, value in columns.items() if value is not None).drop(gone)

    return change


BROKEN_BATCHES: dict[str, Callable[[pl.DataFrame], pl.DataFrame]] = {
    "ends before it begins": _with(last_seq=pl.col("first_seq") - 5),
    "a range beyond all": _with(last_seq=pl.lit(2**63 - 1)),
    "no time": _with(recorded_at=pl.lit(None, pl.Datetime("us", "UTC"))),
    "no number": _with(batch_id=pl.lit(None, pl.Int64)),
    "no numbers": _with(first_seq=None),
    "texts for numbers": _with(batch_id=pl.lit("one")),
    "no hash": _with(batch_hash=pl.lit(None, pl.Binary)),
    "no link": _with(prev_batch_hash=pl.lit(None, pl.Binary)),
    "a short hash": _with(batch_hash=pl.lit(b"1")),
    "no file": _with(file_sha256=pl.lit(None, pl.String)),
    "of another region": _with(region_code=pl.lit("340400")),
    "none": lambda frame: frame.clear(),
    "in reverse": lambda frame: frame.reverse(),
    "twice": lambda frame: pl.concat([frame, frame]),
    "nothing at all": lambda _: pl.DataFrame({"x": [1]}),
}


@pytest.mark.parametrize("broken", BROKEN_BATCHES)
def test_batches_that_can_be_none_are_named(archived: Path, broken: str) -> None:
    _reseal(archived, DECEMBER, "batches", BROKEN_BATCHES[broken](_read(archived, DECEMBER, "batches")))
    (problem, *_) = verify(archived, _own_heads())["problems"]
    assert problem.startswith(f"{REGION} {DECEMBER}: ")


BROKEN_EVENTS: dict[str, Callable[[pl.DataFrame], pl.DataFrame]] = {
    "no seq": _with(seq=pl.lit(None, pl.Int64)),
    "no hash": _with(content_hash=pl.lit(None, pl.Binary)),
    "no line": _with(line_no=pl.lit(None, pl.Int32)),
    "no family": _with(family=pl.lit(None, pl.String)),
    "another family": _with(family=pl.lit("none")),
    "no version": _with(schema_version=pl.lit(None, pl.Int16)),
    "an unknown version": _with(schema_version=pl.lit(9, pl.Int16)),
    "no time": _with(recorded_at=pl.lit(None, pl.Datetime("us", "UTC"))),
    "a text for a time": _with(recorded_at=pl.lit("today")),
    "a day inside a month": _with(contribution_month=pl.col("contribution_month").dt.offset_by("3d")),
    "of another region": _with(region_code=pl.lit("340400")),
    "no list": _with(derived_columns=None),
    "none": lambda frame: frame.clear(),
    "nothing at all": lambda _: pl.DataFrame({"x": [1]}),
}


@pytest.mark.parametrize("broken", BROKEN_EVENTS)
def test_events_that_can_be_none_are_named(archived: Path, broken: str) -> None:
    _reseal(archived, DECEMBER, "events", BROKEN_EVENTS[broken](_read(archived, DECEMBER, "events")))
    (problem,) = verify(archived)["problems"]
    assert problem.startswith(f"{REGION} {DECEMBER}: ")


@pytest.mark.parametrize(
    "span",
    [{"head_before": "none"}, {"head_before": None}, {"derived_before": 7}, {"first_seq": "1"}, {"last_batch": None}],
    ids=str,
)
def test_manifests_that_can_be_none_are_named(archived: Path, span: dict[str, Any]) -> None:
    _reseal(archived, JANUARY, "batches", _read(archived, JANUARY, "batches"), **span)
    (problem,) = verify(archived, _own_heads())["problems"]
    assert problem.startswith(f"{archived / REGION / JANUARY}.manifest.json 无法读取")


def test_a_month_under_the_name_of_another_is_named(archived: Path) -> None:
    files = MonthFiles(archived / REGION, DECEMBER)
    log_id, span, _ = files.read()
    files.seal(log_id, Span(**{**vars(span), "month": "2018-01"}))
    assert "belongs elsewhere" in verify(archived)["problems"][0]


def test_heads_that_were_damaged_are_named(archived: Path, tmp_path: Path) -> None:
    (tmp_path / "heads").mkdir()
    path = tmp_path / "heads" / f"{REGION}.jsonl"
    assert "there are no heads to compare with" in verify(archived, path.parent)["problems"][0]
    sound = (_own_heads() / path.name).read_bytes()
    for damage in (b"\xff\n", b"{\n", b"[" * 100_000 + b"\n", b"{}\n"):
        path.write_bytes(sound + damage)
        (problem,) = verify(archived, path.parent)["problems"]
        assert problem.endswith(f"{path.name} line {len(heads.whole_lines(path))}: the line can't be read")
