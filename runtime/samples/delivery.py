"""Cuts a city's facts into the files it delivers and writes them: names, compression, marks, manifests."""

from __future__ import annotations

import gzip
import hashlib
import io
import json
from collections import defaultdict
from collections.abc import Iterator
from datetime import date
from pathlib import Path

from runtime.samples import editions, native, platform
from runtime.samples.imperfections import Parcels, spoil
from runtime.samples.log import CityLog, Row, day_of, fen
from runtime.samples.source_file import SourceFile
from runtime.samples.values import Month

_LATE = "2020Q3"
_FIRST_PERIOD = {"claim": "2019Q4", "treasury": "2019Q4"}
_WITH_MARK = {("nanjing", "registration"), ("nanjing", "treasury")}
_COMPRESSED = {("nanjing", "contribution"), ("huainan", "contribution")}
_WITH_MANIFEST = {"contribution": "employer_amount", "claim": "pooled_amount"}


def city_files(log: CityLog) -> Iterator[SourceFile]:
    """All files of a city, in the order of family and period, the re-sent one last."""
    yield from platform.files(log)
    parcels = _parcels(log)
    spoil(log, parcels)
    for family, period in parcels:
        yield _file(log, family, period, parcels[family, period])
    if log.city.source_system == "nanjing":
        rows = parcels["treasury", "2019Q4"]
        yield _file(log, "treasury", "2019Q4", rows, "_resent")


def _parcels(log: CityLog) -> Parcels:
    """Rows by family and period, each in the order of their dates."""
    parcels: Parcels = defaultdict(list)
    for family, rows in log.rows.items():
        for row in sorted(rows, key=day_of):
            if not platform.is_from_platform(log, row):
                period = _LATE if row["source_event_key"] in log.sent_late else _period(family, row)
                parcels[family, period].append(row)
    return parcels


def _period(family: str, row: Row) -> str:
    """The quarter of a row; registration comes twice, claims and treasury facts start with the fourth quarter."""
    quarter = Month.of(day_of(row)).quarter
    if family == "registration":
        return "2019Q3" if quarter == "2019Q3" else "2020Q2"
    return max(quarter, _FIRST_PERIOD.get(family, quarter))


def _file(log: CityLog, family: str, period: str, rows: list[Row], suffix: str = "") -> SourceFile:
    kind = (log.city.source_system, family)
    version = editions.version_of(log.city, family, period)
    content = native.to_csv(log.city, family, editions.in_version(log.city, rows, version), version)
    if kind in _WITH_MARK:
        content = b"\xef\xbb\xbf" + content
    name = f"{log.city.prefix.lower()}_{family}_{period}{suffix}.csv"
    if kind in _COMPRESSED:
        name, content = f"{name}.gz", packed(content)
    manifest = _manifest(log, family, rows, content) if family in _WITH_MANIFEST else None
    return SourceFile(log.city.source_system, name, content, manifest)


def packed(content: bytes) -> bytes:
    """gzip without time or name, so that equal content gives equal bytes."""
    buffer = io.BytesIO()
    with gzip.GzipFile(filename="", mode="wb", fileobj=buffer, mtime=0) as stream:
        stream.write(content)
    return buffer.getvalue()


def _manifest(log: CityLog, family: str, rows: list[Row], content: bytes) -> bytes:
    column = _WITH_MANIFEST[family]
    source_column = native.shape(log.city.source_system, family).source_column(column)
    by_day: dict[date, int] = defaultdict(int)
    for row in rows:
        by_day[day_of(row)] += fen(row, column)
    daily = {f"{source_column}@{day}": _yuan(total) for day, total in sorted(by_day.items())}
    manifest = {
        "row_count": len(rows),
        "control_totals": {source_column: _yuan(sum(by_day.values())), **daily},
        "sha256": hashlib.sha256(content).hexdigest(),
    }
    return json.dumps(manifest, ensure_ascii=False, indent=1).encode() + b"\n"


def _yuan(amount: int) -> str:
    return f"{amount // 100}.{amount % 100:02d}"


def write(landing: Path, file: SourceFile) -> Path:
    """Put a file under the landing root, complete or not at all; one that is there already is left alone."""
    path = landing / file.source_system / file.name
    path.parent.mkdir(parents=True, exist_ok=True)
    if file.manifest is not None:
        _write_once(path.with_name(f"{file.name}.manifest.json"), file.manifest)
    _write_once(path, file.content)
    return path


def _write_once(path: Path, content: bytes) -> None:
    if path.exists() and path.read_bytes() == content:
        return
    unfinished = path.with_name(f"{path.name}.part")
    unfinished.write_bytes(content)
    unfinished.replace(path)
