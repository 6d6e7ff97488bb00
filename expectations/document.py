"""What Great Expectations returns for a suite, as it is kept: its own JSON, short and without personal data."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from psycopg2.extras import Json, execute_values

from expectations.check import Candidate
from expectations.impersonal import impersonal
from ingestion.database import Connection

if TYPE_CHECKING:
    from expectations.validation import SuiteRun

SAMPLE_ROWS = 20

# Kept of so many runs of a region: the pages made of it show no more.
DOCUMENTS_KEPT = 5

_DROP = """
    delete from quality.validation_document
    where region_code = %(region)s and (run_id = %(run)s or run_id not in (
        select run_id from quality.validation_document where region_code = %(region)s and run_id <> %(run)s
        group by run_id order by max(validated_at) desc limit %(others)s
    ))
"""
_INSERT = """
    insert into quality.validation_document (run_id, region_code, head_seq, suite, success, validated_at, document)
    values %s
"""

_LEFT_OUT = "…"


def document_of(validated: Any) -> dict[str, Any]:  # noqa: ANN401 - Great Expectations is not typed
    """The JSON of an ExpectationSuiteValidationResult, from which it can be read back.

    Of each check the first 20 listed rows remain, as objects, without personal data. Of an exception the message
    remains; its traceback names places of the program, which help nobody who reads the page.
    """
    document: dict[str, Any] = validated.to_json_dict()
    for result in document["results"]:
        details = result["result"].get("details", {})
        if rows := details.get("unexpected_rows"):
            details["unexpected_rows"] = [_listed(row) for row in rows[:SAMPLE_ROWS]]
        for raised in _raised(result.get("exception_info") or {}):
            raised["exception_traceback"] = _LEFT_OUT if raised.get("exception_traceback") else None
    return document


def keep_documents(connection: Connection, run_id: str, candidate: Candidate, runs: Sequence[SuiteRun]) -> None:
    """Keep the documents of this run, repeated or not, and of the four runs before it; the older ones go. Commits."""
    key = (run_id, candidate.region_code, candidate.head_seq)
    rows = [(*key, run.suite, run.success, run.validated_at, Json(run.document)) for run in runs]
    with connection, connection.cursor() as cursor:
        cursor.execute(_DROP, {"region": candidate.region_code, "run": run_id, "others": DOCUMENTS_KEPT - 1})
        execute_values(cursor, _INSERT, rows)


def _listed(row: dict[str, Any]) -> dict[str, Any]:
    """A row as the check's query returns it, with its details as an object."""
    details = json.loads(row["details"])
    known = impersonal({**details, "item": row["item"]})
    return {**row, "item": known["item"], "details": known}


def _raised(information: dict[str, Any]) -> list[dict[str, Any]]:
    """Great Expectations keeps one exception, or one by metric."""
    return [information] if "raised_exception" in information else list(information.values())
