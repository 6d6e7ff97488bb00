"""What the checks have left for the pages: the documents of the newest runs, and where the page of each stands."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import version as version_of
from pathlib import Path
from typing import Any

from ingestion.database import Connection
from reporting.books import rows
from reporting.names import SUITE_NAMES, Name, name_of
from reporting.quality import exists

Document = dict[str, Any]

# A check that failed refuses or warns by its worst row; one that raised has no row, and refuses.
_PAGES = """
    SELECT stored.region_code, stored.run_id, stored.suite, stored.head_seq,
        (stored.document #>> '{meta,run_id,run_time}')::timestamptz AS run_at, counted.*
    FROM quality.validation_document AS stored
    CROSS JOIN LATERAL (
        SELECT count(*) AS checks, count(*) FILTER (WHERE NOT success AND refuses) AS failed,
            count(*) FILTER (WHERE NOT success AND NOT refuses) AS warned
        FROM (
            SELECT (result ->> 'success')::boolean AS success,
                coalesce((result #>> '{result,details,unexpected_rows,0,any_fail}')::boolean, true) AS refuses
            FROM jsonb_array_elements(stored.document -> 'results') AS result
        ) AS judged
    ) AS counted
    ORDER BY run_at DESC, stored.run_id, stored.region_code, stored.validated_at, stored.suite
"""
_REGION_NAMES = """
    SELECT DISTINCT ON (region_code) region_code, name_zh, name_en FROM policy.policy_region
    ORDER BY region_code, known_from DESC
"""
_DOCUMENT = """
    SELECT document FROM quality.validation_document WHERE region_code = %s AND run_id = %s AND suite = %s
"""


@dataclass(frozen=True)
class Page:
    """The result of one suite on one region in one run; `failed` checks refuse, `warned` ones do not."""

    region_code: str
    region: Name
    suite: str
    run_id: str
    run_at: datetime
    head_seq: int
    checks: int
    failed: int
    warned: int

    @property
    def suite_name(self) -> str:
        """The suite as Great Expectations knows it."""
        return f"{self.suite}-{self.region_code}"

    @property
    def batch(self) -> str:
        """The batch as Great Expectations knows it."""
        return f"warehouse-{self.suite_name}"

    @property
    def run_name(self) -> str:
        """The run in a path: run ids hold colons and plus signs, which file systems and links read otherwise."""
        return re.sub(r"[^A-Za-z0-9_-]+", "-", self.run_id).strip("-") or "run"

    @property
    def path(self) -> str:
        """Path below the folder of the site, as its builder lays it out."""
        moment = f"{self.run_at.astimezone(UTC):%Y%m%dT%H%M%S.%fZ}"
        return f"validations/{self.suite_name}/{self.run_name}/{moment}/{self.batch}.html"

    @property
    def title(self) -> Name:
        """What the suite is called."""
        return name_of(SUITE_NAMES, self.suite)

    @property
    def key(self) -> tuple[str, str, str]:
        """Key of its document."""
        return self.region_code, self.run_id, self.suite


def pages(connection: Connection) -> list[Page]:
    """The page of every document, the newest run first, the suites of a region in the order in which they ran."""
    if not exists(connection, "quality.validation_document"):
        return []
    named = rows(connection, _REGION_NAMES) if exists(connection, "policy.policy_region") else []
    names = {row["region_code"]: Name(row["name_zh"], row["name_en"]) for row in named}
    return [
        Page(**row, region=names.get(row["region_code"], Name(row["region_code"], row["region_code"])))
        for row in rows(connection, _PAGES)
    ]


def load_documents(connection: Connection, listed: Sequence[Page]) -> dict[Page, Document]:
    """The document of each page."""
    return {page: rows(connection, _DOCUMENT, page.key)[0]["document"] for page in listed}


def version() -> str:
    """What the pages are made by: this package and Great Expectations. Another one makes them all anew."""
    digest = hashlib.sha256(version_of("great-expectations").encode())
    for path in sorted(Path(__file__).parent.rglob("*")):
        if path.suffix in (".py", ".j2", ".css"):
            digest.update(path.read_bytes())
    return digest.hexdigest()
