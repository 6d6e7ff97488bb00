"""Pseudonyms under the key of today and under earlier ones, and rows that are the same but for the key."""

from __future__ import annotations

import json
from dataclasses import dataclass

import polars as pl
from psycopg2.extensions import cursor as Cursor

from ingestion.identity import key_id, pseudonym

# Whether a row that came again ({new}, of `incoming`) equals the stored one ({stored}, of events.event) but for the key
# of its pseudonym. With the stored row's key at hand the identity numbers are compared by their pseudonyms under it,
# else by what they tell. All the rest is in the content hash of the new row with the stored one's pseudonym.
SAME_UNDER_OTHER_KEY = """
{stored}.pseudonym_key_id <> {new}.pseudonym_key_id
AND CASE WHEN {new}.retired_pseudonyms ? {stored}.pseudonym_key_id
         THEN {new}.retired_pseudonyms ->> {stored}.pseudonym_key_id = {stored}.certificate_pseudonym
         ELSE {stored}.birth_date = {new}.birth_date AND {stored}.sex = {new}.sex END
AND events.content_hash(jsonb_populate_record({stored}, to_jsonb({new}) - 'certificate_pseudonym'))
    = {stored}.content_hash
"""
_RECOGNISE = f"""
UPDATE known AS k SET same = true
FROM incoming AS i, events.event AS e
WHERE NOT k.same AND i.line_no = k.line_no AND e.region_code = k.region_code AND e.seq = k.seq
  AND {SAME_UNDER_OTHER_KEY.format(stored="e", new="i")}
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
        return numbers.to_frame("n").select(pl.when(pl.col("n").is_not_null()).then(pl.lit(key_id(self.key or ""))))[
            "literal"
        ]

    def retired_pseudonyms(self, numbers: pl.Series) -> pl.Series:
        """JSON of key name -> pseudonym under the retired keys; all null without any."""
        names = {key_id(key): key for key in self.retired if key != self.key}
        if not names:
            return pl.Series([None] * len(numbers), dtype=pl.String)
        return pl.Series(
            [n and json.dumps({name: pseudonym(n, key) for name, key in names.items()}) for n in numbers],
            dtype=pl.String,
        )


def recognise(cursor: Cursor) -> None:
    """Mark rows of temp table `known` (line_no, region_code, seq, same) that are the same under another key."""
    cursor.execute(_RECOGNISE)
