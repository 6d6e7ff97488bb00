"""What the checks had said about a region when its books were published, and its items without personal data.

Nothing recorded later counts, also not by the same run: the workbook is that of the publication.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from ingestion.database import Connection
from reporting.books import Head, Row, rows
from reporting.quality import CUT_OFF, CheckResult, Finding

# Items of the region's newest check before the publication: a check may have been repeated, and have found less.
_FOUND = """
    SELECT * FROM quality.finding
    WHERE run_id = %(run)s AND region_code = %(region)s AND scope = 'gate' AND found_at = (
        SELECT max(found_at) FROM quality.finding
        WHERE run_id = %(run)s AND region_code = %(region)s AND scope = 'gate' AND found_at <= %(until)s
            AND found_at >= (
                SELECT max(started_at) FROM quality.check_result
                WHERE run_id = %(run)s AND region_code = %(region)s AND scope = 'gate' AND started_at <= %(until)s
            )
    )
"""
_RESULTS = f"""
    WITH seen AS (
        SELECT code, min(first_seen_at) AS first_seen_at, max(age_days) AS age_days FROM ({_FOUND}) AS found GROUP BY 1
    ),
    newest AS (
        SELECT DISTINCT ON (code) * FROM quality.check_result
        WHERE run_id = %(run)s AND region_code = %(region)s AND scope = 'gate' AND started_at <= %(until)s
        ORDER BY code, started_at DESC
    )
    SELECT region_code, suite, code, severity, success, rows_examined, unexpected_count, unexpected_amount,
        title_zh, title_en, owner, coalesce(clause, '') AS clause, started_at, seen.first_seen_at, seen.age_days,
        accepted_count, accepted_amount
    FROM newest LEFT JOIN seen USING (code) ORDER BY code
"""
# The largest amounts first; the note of a cut list is the last of its check.
_FINDINGS = f"""
    SELECT region_code, code, finding_key AS key, item::text AS item, amount, first_seen_run, first_seen_at, age_days,
        (to_jsonb(found) ->> 'decided_seq')::bigint AS decided_seq, count(*) OVER () AS recorded
    FROM ({_FOUND}) AS found
    ORDER BY code, finding_key = '{CUT_OFF}', abs(amount) DESC NULLS LAST, finding_key
    LIMIT %(most)s
"""


@dataclass(frozen=True)
class Record:
    """Results, passes too, and the first of the items; `recorded` counts all items there are.

    `accepted` names the decision (seq of its event) that had accepted an item when it was found, by check and key.
    """

    results: Sequence[CheckResult]
    findings: Sequence[Finding]
    recorded: int
    accepted: Mapping[tuple[str, str], int]


def record_of(connection: Connection, region_code: str, head: Head, most: int) -> Record:
    """What the publishing run had recorded on a region by the time of the publication; at most `most` items."""
    parameters = {"run": head.run_id, "region": region_code, "until": head.published_at, "most": most}
    results = [CheckResult(**row) for row in rows(connection, _RESULTS, parameters)]
    found = rows(connection, _FINDINGS, parameters)
    recorded = found[0]["recorded"] if found else 0
    accepted = {(row["code"], row["key"]): row["decided_seq"] for row in found if row["decided_seq"] is not None}
    return Record(results, [_finding(row) for row in found], recorded, accepted)


def _finding(row: Row) -> Finding:
    item = json.loads(row["item"], parse_float=Decimal)  # the driver would make amounts floats
    own = {name: value for name, value in row.items() if name not in ("recorded", "decided_seq")}
    return Finding(**own | {"item": item})
