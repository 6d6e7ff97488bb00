"""What the documents tell finance staff: every table has its line, and every query gives just what stands there."""

from __future__ import annotations

import re
from contextlib import closing

import psycopg2

import forecasting
from runtime.layout import REPOSITORY
from runtime.ready_queries import DOCUMENT, with_outputs

ACCOUNTING = REPOSITORY / "docs" / "accounting.md"


def test_every_mart_has_its_line(published_samples: str) -> None:
    text = ACCOUNTING.read_text("utf-8")
    section = text[text.index("## 一行一表") : text.index("## 报表如何得出")]
    with closing(psycopg2.connect(published_samples)) as connection, connection.cursor() as cursor:
        cursor.execute("SELECT relname FROM pg_class WHERE relnamespace = 'marts'::regnamespace AND relkind <> 'i'")
        marts = {name for (name,) in cursor.fetchall()}
    assert set(re.findall(r"(?m)^\| `(\w+)` \|", section)) == marts


def test_every_query_gives_what_the_document_shows(published_copy: str) -> None:
    """Otherwise: python -m runtime.ready_queries --write on a warehouse with the sample data."""
    forecasting.run()
    text = DOCUMENT.read_text("utf-8")
    assert len(re.findall(r"(?m)^```sql$", text)) >= 10
    assert with_outputs(text, published_copy).splitlines() == text.splitlines()
