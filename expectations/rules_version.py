"""Version of the rules that published figures rest on: one hash over the seeds that posting reads (ledger §2)."""

from __future__ import annotations

import hashlib

from psycopg2 import sql

from ingestion.database import Connection

# Seed -> the columns that posting reads; none named: all of them. Thresholds and names may change without changing
# a figure.
_SEEDS: dict[str, tuple[str, ...]] = {
    "chart_of_accounts": (),
    "posting_rules": (),
    "money_account": (),
    "event_type": ("event_type", "family", "business_type", "carries_money"),
    "policy_region": ("region_code", "merger_date", "known_from"),
    "policy_rate": (),
    "policy_base": (),
    "policy_personal_account": (),
}


def rules_sha256(connection: Connection) -> str:
    """sha256, in hexadecimal, over the rows of the seeds as the warehouse holds them.

    Canonical form: seeds by name, columns by name, each row as netstrings of its values (`-` for null),
        rows in byte order.
    Order of rows and columns in the files therefore does not matter.
    """
    digest = hashlib.sha256()
    for seed, columns in sorted(_SEEDS.items()):
        rows = _canonical_rows(connection, seed, columns)
        digest.update(_netstring(seed) + _netstring(str(len(rows))) + b"".join(rows))
    return digest.hexdigest()


def _canonical_rows(connection: Connection, seed: str, columns: tuple[str, ...]) -> list[bytes]:
    with connection.cursor() as cursor:
        cursor.execute(
            "select column_name from information_schema.columns"
            " where table_schema = 'policy' and table_name = %s order by column_name",
            (seed,),
        )
        names = [name for (name,) in cursor.fetchall() if not columns or name in columns]
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
