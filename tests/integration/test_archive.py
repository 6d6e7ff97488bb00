"""Old months as Parquet: row for row as in the database, verified without it, every change named by its seq."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import polars as pl
import pytest

from ingestion.__main__ import main
from ingestion.archive import archive
from ingestion.archive_month import ArchiveError
from ingestion.archive_verification import verify
from ingestion.settings import Settings, beijing_today
from tests.integration.archived_log import DECEMBER, JANUARY, REGION, forging, make
from tests.integration.ingestion_support import select


@pytest.fixture
def log(migrated_warehouse: str) -> str:
    """The address of a log of two months."""
    make(migrated_warehouse)
    return migrated_warehouse


@pytest.fixture
def archived(log: str, tmp_path: Path) -> Path:  # noqa: ARG001
    """The log's two months as an archive."""
    states = [(told["month"], told["events"], told["state"]) for told in archive(REGION, "2020-02", tmp_path / "kept")]
    assert states == [(DECEMBER, 11, "archived"), (JANUARY, 4, "archived")]
    return tmp_path / "kept"


def test_an_archive_holds_every_column_and_row_of_the_database(archived: Path) -> None:
    for table, key in (("event", "seq"), ("batch", "batch_id")):
        kept = pl.concat(
            pl.read_parquet(archived / REGION / f"{month}.{table}{'es' if table == 'batch' else 's'}.parquet")
            for month in (DECEMBER, JANUARY)
        )
        columns = [
            name
            for (name,) in select(
                "SELECT attname FROM pg_attribute WHERE attrelid = %s::regclass AND attnum > 0 AND NOT attisdropped"
                " ORDER BY attnum",
                f"events.{table}",
            )
        ]
        assert kept.columns[: len(columns)] == columns
        stored = select(f"SELECT * FROM events.{table} WHERE region_code = %s ORDER BY {key}", REGION)
        plain = [tuple(bytes(one) if isinstance(one, memoryview) else one for one in row) for row in stored]
        assert kept.select(columns).rows() == plain
        if table == "batch":
            assert kept["file_name"].to_list()[0] == "a.registration.1.csv"
        else:
            assert kept.schema["employer_amount"] == pl.Decimal(18, 2)
            assert kept.schema["recorded_at"] == pl.Datetime("us", "UTC")
            assert any("personal_account_credit" in (names or []) for names in kept["derived_columns"].to_list())


def test_an_archive_verifies_without_the_database(archived: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (own,) = Settings.from_env().heads_dir.iterdir()
    monkeypatch.delenv("FUND_DATABASE_URL")
    whole = {"regions": {REGION: {"from_seq": 1, "to_seq": 15}}, "problems": []}
    assert verify(archived) == whole
    assert verify(archived, own) == whole
    assert main(["archive-verify", str(archived), "--heads", str(own)]) == 0


def test_the_same_log_gives_the_same_bytes_and_months_are_archived_once(archived: Path, tmp_path: Path) -> None:
    archive(REGION, "2020-02", tmp_path / "again")
    names = sorted(path.name for path in (archived / REGION).iterdir())
    assert names == [f"{month}.{kind}" for month in (DECEMBER, JANUARY) for kind in KINDS]
    for name in names:
        assert (archived / REGION / name).read_bytes() == (tmp_path / "again" / REGION / name).read_bytes()
    shutil.rmtree(tmp_path / "again")
    assert [told["month"] for told in archive(REGION, JANUARY, tmp_path / "again")] == [DECEMBER]
    told = archive(REGION, "2020-02", tmp_path / "again")
    assert [one["state"] for one in told] == ["kept", "archived"]
    assert verify(tmp_path / "again")["problems"] == []


KINDS = ("batches.parquet", "events.parquet", "manifest.json")
Change = Callable[[pl.DataFrame], pl.DataFrame]


def _set(seq: int, column: str, value: object) -> Change:
    return lambda frame: frame.with_columns(
        pl.when(pl.col("seq") == seq).then(pl.lit(value, frame.schema[column])).otherwise(pl.col(column)).alias(column)
    )


FORGERIES: dict[str, tuple[int, Change]] = {
    "amount": (5, _set(5, "pooled_amount", 1)),
    "date": (4, lambda frame: _set(4, "occurred_on", frame["occurred_on"][0])(frame)),
    "text": (2, _set(2, "employer_name", "丙公司")),
    "type": (6, _set(6, "event_type", "claim.settled")),
    "recorded": (7, lambda frame: _set(7, "recorded_at", frame["recorded_at"][0])(frame)),
    "line": (5, _set(8, "line_no", 99)),
    "first": (1, lambda frame: frame.filter(pl.col("seq") != 1)),
    "middle": (8, lambda frame: frame.filter(pl.col("seq") != 8)),
    "last": (11, lambda frame: frame.filter(pl.col("seq") != 11)),
    "inserted": (12, lambda frame: pl.concat([frame, frame.tail(1).with_columns(pl.lit(12, pl.Int64).alias("seq"))])),
    "swapped": (6, lambda frame: pl.concat([frame[:5], frame[6:7], frame[5:6], frame[7:]])),
}


@pytest.mark.parametrize("forgery", FORGERIES)
def test_every_change_of_an_event_is_named_by_the_first_bad_seq(archived: Path, forgery: str) -> None:
    first_bad, change = FORGERIES[forgery]
    path = archived / REGION / f"{DECEMBER}.events.parquet"
    change(pl.read_parquet(path)).write_parquet(path)
    problems = verify(archived)["problems"]
    assert problems[0].startswith(f"{REGION} {DECEMBER}: {path.name} 已被改动")
    assert problems[1].startswith(f"{REGION} {DECEMBER}: seq {first_bad}: "), problems
    assert len(problems) == 2
    assert main(["archive-verify", str(archived)]) == 1


def test_a_batch_rewritten_with_all_checksums_is_found_by_the_heads_outside(log: str, tmp_path: Path) -> None:
    (own,) = Settings.from_env().heads_dir.iterdir()
    with forging(log, rehashed=True) as cursor:
        cursor.execute("UPDATE events.event SET pooled_amount = 1 WHERE source_event_key = 'K1'")
    archive(REGION, "2020-02", tmp_path / "forged")
    assert verify(tmp_path / "forged")["problems"] == []
    (problem,) = verify(tmp_path / "forged", own)["problems"]
    assert problem.startswith(f"{REGION} {JANUARY}: seq 15: 与库外链头不符")


def test_a_changed_batch_a_lost_month_and_an_edited_manifest_are_named(archived: Path) -> None:
    path = archived / REGION / f"{JANUARY}.batches.parquet"
    content = path.read_bytes()
    pl.read_parquet(path).with_columns(pl.lit("0" * 64).alias("file_sha256")).write_parquet(path)
    assert verify(archived)["problems"][1].startswith(f"{REGION} {JANUARY}: seq 12: 批次哈希重算不符")
    path.write_bytes(content[:-9])
    assert "can't be read" in verify(archived)["problems"][1]
    path.write_bytes(content)
    manifest = archived / REGION / f"{DECEMBER}.manifest.json"
    told = json.loads(manifest.read_text("utf-8"))
    manifest.write_text(json.dumps(told | {"last_seq": 10}), "utf-8")
    assert "has been changed" in verify(archived)["problems"][0]
    for kept in (archived / REGION).glob(f"{DECEMBER}.*"):
        kept.unlink()
    (problem,) = verify(archived)["problems"]
    assert problem.startswith(f"{REGION} {JANUARY}: seq 12: 不是日志的开端")
    later = {"regions": {REGION: {"from_seq": 12, "to_seq": 15}}, "problems": []}
    assert verify(archived, from_month=JANUARY) == later
    assert main(["archive-verify", str(archived), "--from-month", JANUARY]) == 0
    assert "seq 12: 不是日志的开端" in verify(archived, from_month=DECEMBER)["problems"][0]
    with pytest.raises(ArchiveError, match="must be a month"):
        verify(archived, from_month="2020-1")
    assert "has no month from 2020-02 on" in verify(archived, from_month="2020-02")["problems"][0]


def test_months_that_do_not_follow_each_other_are_named(archived: Path, log: str, tmp_path: Path) -> None:
    with forging(log, rehashed=True) as cursor:
        cursor.execute("UPDATE events.event SET line_no = 50 WHERE source_event_key = 'K1'")
    with pytest.raises(ArchiveError, match="is not of this log, or the log has been changed"):
        archive(REGION, "2020-02", archived)
    archive(REGION, "2020-02", tmp_path / "other")
    for path in (tmp_path / "other" / REGION).glob(f"{JANUARY}.*"):
        shutil.copy(path, archived / REGION / path.name)
    (problem,) = verify(archived)["problems"]
    assert problem.startswith(f"{REGION} {JANUARY}: seq 12: 与前一归档月份不衔接")


def test_a_log_that_does_not_verify_is_not_archived(log: str, tmp_path: Path) -> None:
    with forging(log) as cursor:
        cursor.execute("UPDATE events.event SET pooled_amount = 1 WHERE source_event_key = 'K1'")
    with pytest.raises(ArchiveError, match="not archived: seq 6"):
        archive(REGION, "2020-02", tmp_path)
    assert list((tmp_path / REGION).iterdir()) == []


@pytest.mark.usefixtures("log")
def test_a_month_that_is_not_over_is_not_archived(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    today = beijing_today()
    later = f"{today.year + today.month // 12}-{today.month % 12 + 1:02}"
    for before, told in ((later, "not over yet"), ("2020-1-1", "must be a month"), (DECEMBER, "has nothing before")):
        assert main(["archive", "--region", REGION, "--before", before, "--to", str(tmp_path)]) == 1
        assert told in capsys.readouterr().err
    assert main(["archive-verify", str(tmp_path)]) == 1
    assert "holds no archived months" in capsys.readouterr().err
