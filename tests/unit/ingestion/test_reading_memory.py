"""How much memory reading and checking takes does not depend on the length of a file. Measured by the system."""

from __future__ import annotations

import gzip
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import polars as pl
import pytest
import xlsxwriter

from ingestion.readers.sheet import ROWS_MAX
from ingestion.settings import REPOSITORY

# Reads a file through to checked rows and prints how many there were and the most memory it ever had, in MiB: of its
# own, for what the process had that started it counts as well in ru_maxrss.
READ = """
import re, sys
from dataclasses import replace
from pathlib import Path
from ingestion.mapping import canonical_texts
from ingestion.profiles import CanonicalProfile
from ingestion.readers import chunks
from ingestion.validation import examine
from tests.unit.ingestion.valid_rows import rulebook

feed = replace(CanonicalProfile(()).feed_of("x.contribution.1.csv"), format=sys.argv[2])
book, rows = rulebook("contribution"), 0
for chunk in chunks(Path(sys.argv[1]), feed):
    examined = examine(canonical_texts(chunk.frame, feed), feed, book)
    rows += chunk.rows - len(examined.reasons) - len(chunk.misfits)
print(rows, int(re.search(r"VmHWM:\\s+([0-9]+)", Path("/proc/self/status").read_text())[1]) // 1024)
"""


def premiums(rows: int) -> pl.DataFrame:
    """Sound contributions of fifteen columns, each with a key of its own."""
    number = pl.int_range(rows, dtype=pl.Int64)
    cents = 400_000 + (number * 7919) % 2_000_000
    yuan = pl.concat_str(cents // 100, pl.lit("."), (cents % 100).cast(pl.String).str.pad_start(2, "0"))
    return pl.select(
        region_code=pl.repeat("320100", rows),
        event_type=pl.repeat("contribution.collected", rows),
        source_event_key=pl.concat_str(pl.lit("C"), number.cast(pl.String).str.pad_start(10, "0")),
        occurred_on=pl.concat_str(pl.lit("2019-11-"), (number % 28 + 1).cast(pl.String).str.pad_start(2, "0")),
        employer_no=pl.concat_str(pl.lit("U"), number % 5_000),
        person_no=pl.concat_str(pl.lit("P"), number % 300_000),
        insurance_type=pl.repeat("310", rows),
        enrollment_category=pl.repeat("employee", rows),
        contribution_month=pl.repeat("2019-10", rows),
        contribution_base=yuan,
        employer_amount=yuan,
        personal_amount=pl.repeat("160.00", rows),
        personal_account_credit=pl.repeat("160.00", rows),
        receipt_no=pl.concat_str(pl.lit("T"), (number * 7907) % 10_000_019),
        deposit_account=pl.repeat("treasury", rows),
    )


def as_csv(frame: pl.DataFrame, path: Path) -> None:
    frame.write_csv(path)


def as_gzip(frame: pl.DataFrame, path: Path) -> None:
    frame.write_csv(path.with_suffix(".plain"))
    with path.with_suffix(".plain").open("rb") as plain, gzip.open(path, "wb", compresslevel=1) as packed:
        shutil.copyfileobj(plain, packed, 1 << 20)


def as_jsonl(frame: pl.DataFrame, path: Path) -> None:
    frame.write_ndjson(path)


def as_parquet(frame: pl.DataFrame, path: Path) -> None:
    """All rows in one group."""
    frame.write_parquet(path, row_group_size=frame.height)


def as_xlsx(frame: pl.DataFrame, path: Path) -> None:
    with xlsxwriter.Workbook(path, {"constant_memory": True}) as book:
        sheet = book.add_worksheet()
        for number, values in enumerate([frame.columns, *frame.iter_rows()]):
            sheet.write_row(number, 0, values)


Writer = Callable[[pl.DataFrame, Path], None]
FORMATS: dict[str, tuple[str, Writer]] = {
    "csv": ("csv", as_csv),
    "csv.gz": ("csv", as_gzip),
    "jsonl": ("jsonl", as_jsonl),
    "parquet": ("parquet", as_parquet),
    "xlsx": ("xlsx", as_xlsx),
}


def peak(name: str, rows: int, folder: Path) -> int:
    """MiB at most while so many rows are read."""
    form, write = FORMATS[name]
    path = folder / f"{rows}.{name}"
    write(premiums(rows), path)
    command = [sys.executable, "-c", READ, str(path), form]
    told = subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True, check=True).stdout.split()
    path.unlink()
    assert int(told[0]) == rows
    return int(told[1])


@pytest.mark.exhaustive
@pytest.mark.parametrize(
    ("name", "few", "many"),
    [
        ("csv", 150_000, 400_000),
        ("csv.gz", 150_000, 400_000),
        ("parquet", 150_000, 400_000),
        ("jsonl", 50_000, 100_000),
    ],
)
def test_more_rows_take_no_more_memory(name: str, few: int, many: int, tmp_path: Path) -> None:
    assert peak(name, many, tmp_path) < peak(name, few, tmp_path) + 40


@pytest.mark.exhaustive
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("name", FORMATS)
def test_five_million_rows_take_less_than_400_megabytes(name: str, tmp_path: Path) -> None:
    assert peak(name, 5_000_000 if name != "xlsx" else ROWS_MAX - 1, tmp_path) < 400
