"""The same fact sent again in another version: rows are compared under the version of what was there before them.

A row of `incoming` is restated in that version and hashed there (the rules are those of `contracts.upcast`). What it
fills and that version can't say makes it another content.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import permutations

from psycopg2.extensions import cursor as Cursor

from ingestion.contracts import FAMILIES
from ingestion.contracts.columns import Family
from ingestion.contracts.upcast import restated, unsaid, varying

_COLUMNS = """
SELECT e.attname, i.attname IS NOT NULL
FROM pg_attribute AS e
LEFT JOIN pg_attribute AS i
    ON i.attrelid = 'pg_temp.incoming'::regclass AND i.attname = e.attname AND NOT i.attisdropped
WHERE e.attrelid = 'events.event'::regclass AND e.attnum > 0 AND NOT e.attisdropped
ORDER BY e.attnum
"""
_MIXED = "SELECT min(schema_version) <> max(schema_version) FROM incoming"
# A line that says the same as the first of its key becomes its like, so that it counts as its duplicate.
_ALIGN = """
UPDATE incoming AS i SET {same_columns}
FROM (
    SELECT DISTINCT ON (region_code, source_event_key) * FROM incoming ORDER BY region_code, source_event_key, line_no
) AS e
WHERE e.region_code = i.region_code AND e.source_event_key = i.source_event_key
    AND e.schema_version <> i.schema_version AND e.content_hash = {restated_hash}
"""
_SAME_IN_LOG = """
SELECT i.line_no
FROM incoming AS i
INNER JOIN events.event AS e USING (region_code, source_system, family, source_event_key)
WHERE i.line_no = ANY(%s) AND e.schema_version <> i.schema_version AND e.content_hash = {restated_hash}
ORDER BY i.line_no
"""


def align(cursor: Cursor) -> None:
    """Rows of `incoming` that equal an earlier line of their key in all but the version take on that line's version."""
    cursor.execute(_MIXED)
    if cursor.fetchone() == (True,):
        # A column may vary in several families; it is set once.
        varied = dict.fromkeys(name for family in _evolved() for name in varying(family))
        same_columns = ", ".join(f"{name} = e.{name}" for name in ("schema_version", "content_hash", *varied))
        cursor.execute(_ALIGN.format(same_columns=same_columns, restated_hash=_restated_hash(cursor)))


def same_in_log(cursor: Cursor, lines: list[int]) -> list[int]:
    """Those of these lines of `incoming` that equal their stored event in all but the version."""
    cursor.execute(_SAME_IN_LOG.format(restated_hash=_restated_hash(cursor)), (lines,))
    return [line_no for (line_no,) in cursor.fetchall()]


def _evolved() -> Iterator[Family]:
    """Families with more than one version."""
    return (family for family in FAMILIES.values() if len(family.versions) > 1)


def _restated_hash(cursor: Cursor) -> str:
    """SQL: content hash of row `i` restated in the version of row `e`; null where that version can't say it."""
    cursor.execute(_COLUMNS)
    columns = cursor.fetchall()
    cases = [
        _case(family, said, wanted, columns)
        for family in _evolved()
        for said, wanted in permutations(family.numbers, 2)
    ]
    return f"CASE {' '.join(cases)} END"


def _case(family: Family, said: int, wanted: int, columns: Sequence[tuple[str, bool]]) -> str:
    sources = dict.fromkeys(varying(family), "NULL")
    sources |= {new: f"i.{old}" for new, old in restated(family, said, wanted).items()}
    sources["schema_version"] = f"{wanted}::smallint"
    row = ", ".join(sources.get(name, f"i.{name}") if known else "NULL" for name, known in columns)
    conditions = [f"i.family = '{family.name}'", f"i.schema_version = {said}", f"e.schema_version = {wanted}"]
    conditions += [f"i.{name} IS NULL" for name in unsaid(family, said, wanted)]
    return f"WHEN {' AND '.join(conditions)} THEN events.content_hash(ROW({row})::events.event)"
