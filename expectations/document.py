"""What Great Expectations returns for a suite, as it is kept: its own JSON, short and without personal data."""

from __future__ import annotations

import json
from typing import Any

from expectations.impersonal import impersonal

SAMPLE_ROWS = 20

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


def _listed(row: dict[str, Any]) -> dict[str, Any]:
    """A row as the check's query returns it, with its details as an object."""
    details = json.loads(row["details"])
    known = impersonal({**details, "item": row["item"]})
    return {**row, "item": known["item"], "details": known}


def _raised(information: dict[str, Any]) -> list[dict[str, Any]]:
    """Great Expectations keeps one exception, or one by metric."""
    return [information] if "raised_exception" in information else list(information.values())
