"""Version of the rules that published figures rest on: one hash over the seeds that posting reads (ledger §2).

A version other than that of a region's last publication must be adopted by an event of the region's log before
anything more of it is published.
"""

from __future__ import annotations

import hashlib

from psycopg2 import sql

from ingestion.database import Connection

# The tables that posting and acceptance read, by name.
SEEDS = (
    "chart_of_accounts",
    "event_type",
    "money_account",
    "policy_base",
    "policy_personal_account",
    "policy_rate",
    "policy_region",
    "posting_rules",
)

# What no posting reads may change without changing a figure: the columns that the macro keep_used_rows leaves open.
EDITABLE = frozenset(
    {
        "name_zh",
        "name_en",
        "note_zh",
        "note_en",
        "clause",
        "status",
        "source",
        "official_code",
        "official_code_source",
        "upper_documents",
        "settlement_platform_status",
        "quarantine_row_share_max",
        "quarantine_amount_share_max",
    }
)

_ADOPTED = """
    select exists (
        select from events.event
        where region_code = %s and event_type = 'rules.adopted' and rules_sha256 = %s and seq <= %s
    )
"""


def rules_sha256(connection: Connection) -> str:
    """sha256, in hexadecimal, over the rows of the seeds as the warehouse holds them.

    Canonical form: seeds by name, columns by name, each row as netstrings of its values (`-` for null), rows in byte
    order. Order of rows and columns in the files therefore does not matter, and neither do the EDITABLE columns.
    LookupError when a seed has not been loaded.
    """
    digest = hashlib.sha256()
    for seed in SEEDS:
        rows = _canonical_rows(connection, seed)
        digest.update(_netstring(seed) + _netstring(str(len(rows))) + b"".join(rows))
    return digest.hexdigest()


def may_publish(connection: Connection, region_code: str, rules: str, published_rules: str | None, seq: int) -> bool:
    """Whether a head at `seq`, made under `rules`, may follow what the region has published.

    It may when it is the first, when the rules are those of the last publication, or when an event of the log at or
    before the head has adopted them.
    """
    if published_rules is None or published_rules == rules:
        return True
    return is_adopted(connection, region_code, rules, seq)


def is_adopted(connection: Connection, region_code: str, rules: str, seq: int) -> bool:
    """Whether the region's log adopts a version of the rules at or before `seq`."""
    with connection.cursor() as cursor:
        cursor.execute(_ADOPTED, (region_code, rules, seq))
        return bool((cursor.fetchone() or (False,))[0])


def _canonical_rows(connection: Connection, seed: str) -> list[bytes]:
    with connection.cursor() as cursor:
        cursor.execute(
            "select column_name from information_schema.columns"
            " where table_schema = 'policy' and table_name = %s order by column_name",
            (seed,),
        )
        names = [name for (name,) in cursor.fetchall() if name not in EDITABLE]
        if not names:
            raise LookupError(f"policy.{seed} is missing: the seeds have not been loaded")
        fields = sql.SQL(", ").join(sql.SQL("{}::text").format(sql.Identifier(name)) for name in names)
        cursor.execute(sql.SQL("select {} from policy.{}").format(fields, sql.Identifier(seed)))
        return sorted(
            b"".join(_netstring(name) + _netstring(value) for name, value in zip(names, row, strict=True))
            for row in cursor
        )


def _netstring(value: str | None) -> bytes:
    if value is None:
        return b"-"
    encoded = value.encode()
    return f"{len(encoded)}:".encode() + encoded
