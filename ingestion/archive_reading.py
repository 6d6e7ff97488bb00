"""Reading an archived month for verification: as the same texts, in the same chunks, as the log in the database."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import polars as pl

from ingestion.archive_month import ROWS_AT_ONCE, MonthFiles
from ingestion.canonical import ADDED, all_columns
from ingestion.verification.reading import KNOWN_FAMILIES, Batch, Chunk, Events

_BATCH = {
    "region_code": pl.String(),
    "batch_id": pl.Int64(),
    "first_seq": pl.Int64(),
    "last_seq": pl.Int64(),
    "recorded_at": pl.Datetime("us", "UTC"),
    "file_sha256": pl.String(),
    "prev_batch_hash": pl.Binary(),
    "batch_hash": pl.Binary(),
    "derived_hash": pl.Binary(),
}
_NEEDED = ("batch_id", "first_seq", "last_seq", "recorded_at")
_PLACE = ("seq", "batch_id", "recorded_at", "line_no", "content_hash", *ADDED)
_TIME = "%Y-%m-%dT%H:%M:%S.%6fZ"
_NAME = "^[a-z_]+$"
_LINE_BITS = 0xFFFF_FFFF


class Damaged(Exception):
    """The files can't be what was archived; the message says where."""


def batches(path: Path, region_code: str) -> list[Batch]:
    """The month's batches in the file's order."""
    frame = pl.read_parquet(path)
    absent = [pl.lit(None, kind).alias(name) for name, kind in _BATCH.items() if name not in frame.columns]
    frame = frame.with_columns(absent).select(pl.col(name).cast(kind) for name, kind in _BATCH.items())
    if frame.select(pl.any_horizontal(pl.col(*_NEEDED).is_null()).any()).item():
        raise Damaged("批次缺少编号、范围或时间 / a batch lacks its number, range or time")
    if not (frame["region_code"] == region_code).fill_null(value=False).all():
        raise Damaged("批次不属于该统筹区 / a batch is of another region")
    if not (frame["batch_id"].diff().drop_nulls() > 0).all():
        raise Damaged("批次号不递增 / batch numbers do not ascend")
    recorded = frame["recorded_at"].dt.strftime(_TIME).to_list()
    return [
        Batch(
            **{name: row[name] for name in ("batch_id", "first_seq", "last_seq", "file_sha256")},
            **{name: row[name] for name in ("prev_batch_hash", "batch_hash", "derived_hash")},
            recorded=time,
            recorded_at=time,
            file_id=None,
            registered=row["file_sha256"],  # an archive has no registry of files to compare with
        )
        for row, time in zip(frame.iter_rows(named=True), recorded, strict=True)
    ]


def chunks(files: MonthFiles, region_code: str) -> Iterator[Chunk]:
    """The whole month; the first chunk brings all its batches."""
    waiting = batches(files.batches, region_code)
    scanned, start, last = pl.scan_parquet(files.events), 0, None
    while (frame := scanned.slice(start, ROWS_AT_ONCE).collect()).height:
        start += frame.height
        seq = frame["seq"].cast(pl.Int64)
        if seq.null_count():
            raise Damaged("事件缺少序号 / an event lacks its seq")
        if disordered := (seq < seq.shift(1, fill_value=last)).arg_true().to_list():
            raise Damaged(f"seq {seq[disordered[0]]}: 次序被改动 / is out of order")
        last = seq[-1]
        yield Chunk(waiting, [_of_family(own) for own in frame.partition_by("family", maintain_order=True)])
        waiting = []
    yield Chunk(waiting, ())


def _of_family(frame: pl.DataFrame) -> Events:
    family = str(frame["family"][0] or "")
    fields = all_columns(family) if family in KNOWN_FAMILIES else ()
    absent = [pl.lit(None, pl.String).alias(name) for name in fields if name not in frame.columns]  # of later versions
    strays = [pl.col(name).is_not_null() for name in frame.columns if name not in (*_PLACE, *fields, "family")]
    lines = [None if line is None else f"{line & _LINE_BITS:08x}" for line in frame["line_no"].cast(pl.Int32)]
    texts = frame.select(
        pl.col("seq").cast(pl.Int64),
        pl.concat_str(pl.col("content_hash").bin.encode("hex"), pl.Series(lines, dtype=pl.String)).alias("proof"),
        pl.when(pl.any_horizontal(pl.lit(value=False), *strays)).then(pl.lit("1")).alias("strays"),
        *(_text(frame.schema, name) for name in dict.fromkeys(("batch_id", "recorded_at", *ADDED, *fields))
          if name in frame.columns),
        *absent,
    )  # fmt: skip
    return Events(family, texts)


def _text(schema: pl.Schema, name: str) -> pl.Expr:
    """A column as PostgreSQL writes it, times in UTC."""
    value, kind = pl.col(name), schema[name]
    if kind == pl.Date:
        return value.dt.strftime("%Y-%m-%d")
    if isinstance(kind, pl.Datetime):
        return value.dt.strftime(_TIME)
    if isinstance(kind, pl.List):
        one = pl.element()
        plain = pl.when(one.str.contains(_NAME)).then(one).otherwise(pl.concat_str(pl.lit('"'), one.fill_null("")))
        return pl.concat_str(pl.lit("{"), value.list.eval(plain).list.join(","), pl.lit("}")).alias(name)
    return value.cast(pl.String)
