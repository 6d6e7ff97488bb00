"""Cities with planted fraud, taken the whole way: files, log, ledger, gate, publication; and what rules say then."""

from __future__ import annotations

import io
import os
import shutil
import tempfile
from contextlib import closing, redirect_stdout
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

from expectations.gate import check, publish
from ingestion.database import connect
from ingestion.heads import record
from ingestion.runs import run_all
from runtime import dbt
from runtime.samples.frauds import Planted, Scene, plant
from runtime.samples.frauds.scene import OPENING
from runtime.samples.generate import write_cities
from runtime.samples.log import CityLog
from runtime.samples.values import yuan

_SUBSIDY = yuan(200_000_000)
_HITS = """
SELECT region_code, rule_code, finding_key, institution_code, employer_no, persons, claims, coalesce(amount, 0)
FROM ledger.monitoring_hit
ORDER BY region_code, rule_code, finding_key
"""


@dataclass(frozen=True)
class Hit:
    """One finding of a rule; the amount in yuan."""

    region_code: str
    rule_code: str
    finding_key: str
    institution_code: str | None
    employer_no: str | None
    persons: frozenset[str]
    claims: frozenset[str]
    amount: Decimal


def planted_cities(landing: Path, seed: int, persons: int, which: str) -> list[Planted]:
    """Write the files of both cities with the frauds of a set, `tuning` or `held_out`, and all look-alikes."""
    planted: list[Planted] = []

    def stage(log: CityLog) -> None:
        for fund in ("EMI", "MAT"):  # what is planted costs more than the cities have
            log.treasury(
                "subsidy.received", OPENING, fund, sub_fund="pooled", account="special_demand", amount=_SUBSIDY
            )
        planted.extend(plant(Scene(log, seed), which))

    write_cities(landing, seed, persons, stage)
    return planted


def published(seed: int, persons: int, which: str) -> list[Planted]:
    """Take the cities into the database of FUND_DATABASE_URL and publish them; returns what was planted."""
    landing = Path(tempfile.mkdtemp(prefix="merged-fund-frauds-"))
    before = os.environ.get("FUND_LANDING_DIR")
    os.environ["FUND_LANDING_DIR"] = str(landing)
    try:
        planted = planted_cities(landing, seed, persons, which)
        run_id = f"{which}-{seed}"
        run_all()
        record()
        with redirect_stdout(io.StringIO()):  # what dbt has to say
            dbt.deploy(run_id)
            dbt.build(run_id)
        check(run_id)
        publish(run_id)
    finally:
        os.environ.pop("FUND_LANDING_DIR")
        if before is not None:
            os.environ["FUND_LANDING_DIR"] = before
        shutil.rmtree(landing)
    return planted


def hits() -> list[Hit]:
    """All that the rules of monitoring say of what is published."""
    with closing(connect(autocommit=True)) as connection, connection.cursor() as cursor:
        cursor.execute(_HITS)
        return [
            Hit(region, rule, key, institution, employer, frozenset(persons or ()), frozenset(claims or ()), amount)
            for region, rule, key, institution, employer, persons, claims, amount in cursor.fetchall()
        ]
