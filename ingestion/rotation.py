"""Pseudonyms under the key of today and under earlier ones, and rows that are the same but for the key."""

from __future__ import annotations

import json
from dataclasses import dataclass

import polars as pl
from psycopg2.extensions import cursor as Cursor

from ingestion.identity import key_id, pseudonym

# Rows that came again and equal the stored ones but for the key of the pseudonym. With the stored row's key at hand the
# identity numbers are compared by their pseudonyms under it, else by what they tell. All the rest is in the content
# hash of the new row with the stored one's pseudonym.
_SAME = """
SELECT i.line_no
FROM incoming AS i
INNER JOIN events.event AS e USING (region_code, source_system, family, source_event_key)
WHERE i.line_no = ANY(%s) AND e.pseudonym_key_id <> i.pseudonym_key_id
    AND CASE WHEN i.retired_pseudonyms ? e.pseudonym_key_id
             THEN i.retired_pseudonyms ->> e.pseudonym_key_id = e.certificate_pseudonym
             ELSE e.birth_date = i.birth_date AND e.sex = i.sex END
    AND events.content_hash(jsonb_populate_record(e, to_jsonb(i) - 'certificate_pseudonym')) = e.content_hash
ORDER BY i.line_no
"""


@dataclass(frozen=True)
class Keyring:
    """The key under which identity numbers become pseudonyms, and those under which they once did."""

    key: str | None = None
    retired: tuple[str, ...] = ()

    def pseudonyms(self, numbers: pl.Series) -> pl.Series:
        """The pseudonym of each valid identity number; null where there is none."""
        key = self.key or ""
        return pl.Series([n and pseudonym(n, key) for n in numbers], dtype=pl.String)

    def key_ids(self, numbers: pl.Series) -> pl.Series:
        """The name of the key, beside each pseudonym."""
        name = pl.lit(key_id(self.key or ""))
        return pl.select(pl.when(numbers.is_not_null()).then(name)).to_series()

    def retired_pseudonyms(self, numbers: pl.Series) -> pl.Series:
        """JSON of key name -> pseudonym under the retired keys."""
        names = {key_id(key): key for key in self.retired if key != self.key}
        return pl.Series(
            [n and json.dumps({name: pseudonym(n, key) for name, key in names.items()}) for n in numbers],
            dtype=pl.String,
        )


def same_under_other_key(cursor: Cursor, lines: list[int]) -> list[int]:
    """Those of these lines of temp table `incoming` that equal the event of their key but for the pseudonym's key.

    Meant for lines whose content hash differs. Reads column `retired_pseudonyms` of `incoming` (jsonb, null without
    retired keys).
    """
    cursor.execute(_SAME, (lines,))
    return [line_no for (line_no,) in cursor.fetchall()]
