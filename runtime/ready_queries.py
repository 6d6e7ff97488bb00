"""The ready queries of docs/queries.md with their outputs: `python -m runtime.ready_queries [--write]`.

Runs every query on the warehouse (FUND_DATABASE_URL, or the local one) and compares what comes out with the table that
follows the query in the document. With --write the tables are replaced. The documented outputs are those of the sample
data: `FUND_LOCAL_DIR=/tmp/samples make run`, then this command with the same FUND_LOCAL_DIR.
"""

from __future__ import annotations

import argparse
import re
import sys
from collections.abc import Sequence
from contextlib import closing
from decimal import Decimal

import psycopg2

from ingestion.database import libpq_url
from runtime.environment import Environment
from runtime.layout import REPOSITORY

DOCUMENT = REPOSITORY / "docs" / "queries.md"
NOTHING = "（无 / no rows）"

_QUERY_AND_OUTPUT = re.compile(r"```sql\n(?P<query>.*?)```\n+(?P<output>(?:\|[^\n]*\n)+|（无[^\n]*\n)?\n*", re.DOTALL)


def with_outputs(text: str, database_url: str) -> str:
    """The document with the output of every query as a Markdown table after it."""
    with closing(psycopg2.connect(libpq_url(database_url))) as connection, connection.cursor() as cursor:
        connection.set_session(readonly=True, autocommit=True)

        def replaced(found: re.Match[str]) -> str:
            cursor.execute(found["query"])
            names = [column.name for column in cursor.description or ()]
            return f"```sql\n{found['query']}```\n\n{_table(names, cursor.fetchall())}\n\n"

        return _QUERY_AND_OUTPUT.sub(replaced, text)


def _table(names: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    if not rows:
        return NOTHING
    right = [any(isinstance(row[n], int | Decimal) for row in rows) for n in range(len(names))]
    lines = [" | ".join(names), " | ".join("--:" if number else "---" for number in right)]
    return "\n".join(f"| {line} |" for line in [*lines, *(" | ".join(map(_cell, row)) for row in rows)])


def _cell(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, Decimal):
        return f"{value:,}"
    return str(value).replace("|", "\\|")


def main() -> int:
    """Exit 0 when the document says what the queries give, 1 when it does not (and was not to be written)."""
    parser = argparse.ArgumentParser(prog="python -m runtime.ready_queries", description=__doc__)
    parser.add_argument("--write", action="store_true", help="replace the outputs in the document")
    options = parser.parse_args()
    text = DOCUMENT.read_text("utf-8")
    current = with_outputs(text, Environment.current().warehouse_url())
    if current == text:
        print(f"{DOCUMENT.name}: as the warehouse says")
        return 0
    if options.write:
        DOCUMENT.write_text(current, "utf-8")
        print(f"{DOCUMENT.name}: outputs written")
        return 0
    print(f"{DOCUMENT.name}: the outputs differ; --write replaces them", file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main())
