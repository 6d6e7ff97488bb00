"""Files for the benchmarks, as a source would send them."""

from __future__ import annotations

import os
import time
from pathlib import Path

import polars as pl
import yaml

from ingestion.contracts import FAMILIES
from ingestion.runs import Item
from ingestion.settings import Settings

SOURCE = "bench"


def premiums(rows: int, start: int = 0, region: str = "320100") -> pl.DataFrame:
    """Collected premiums of one region: fifty persons an employer, one receipt each, keys in order."""
    number = pl.int_range(start, start + rows)
    return pl.select(
        event_type=pl.lit("contribution.collected"),
        source_event_key=pl.format("C{}", number.cast(pl.String).str.pad_start(12, "0")),
        occurred_on=pl.lit("2019-10-15"),
        region_code=pl.lit(region),
        employer_no=pl.format("U{}", number // 50),
        person_no=pl.format("P{}", number % 400_000),
        insurance_type=pl.lit("310"),
        enrollment_category=pl.lit("employee"),
        contribution_month=pl.lit("2019-10"),
        contribution_base=pl.format("{}.00", 4000 + number % 9000),
        employer_amount=pl.format("{}.{}", 300 + number % 700, 10 + number % 90),
        personal_amount=pl.format("{}.{}", 80 + number % 200, 10 + number % 90),
        personal_account_credit=pl.format("{}.50", 20 + number % 50),
        receipt_no=pl.format("T{}", number // 50),
        deposit_account=pl.lit("treasury"),
    )


def land(frame: pl.DataFrame, name: str) -> Item:
    """Write a CSV or Parquet file into its landing folder, as if it had been complete for an hour."""
    settings = Settings.from_env()
    source = SOURCE if name.endswith(".csv") else _profile(settings)
    folder = Path(settings.landing_dir) / source
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / name
    frame.write_csv(path) if name.endswith(".csv") else frame.write_parquet(path)
    long_ago = time.time() - 3600
    os.utime(path, (long_ago, long_ago))
    return {"source_system": source, "file_name": name, "family": "contribution"}


def _profile(settings: Settings) -> str:
    """A source whose files are Parquet with the canonical names; its profile lies in a folder of its own."""
    source = f"{SOURCE}_parquet"
    feed = {
        "family": "contribution",
        "pattern": "*.parquet",
        "format": "parquet",
        "columns": {name: name for name in FAMILIES["contribution"].allowed_names},
    }
    folder = Path(settings.landing_dir).parent / "sources"
    folder.mkdir(exist_ok=True)
    (folder / f"{source}.yml").write_text(yaml.safe_dump({"source_system": source, "feeds": [feed]}))
    os.environ["FUND_SOURCES_DIR"] = str(folder)
    return source
