"""Writes a region's published journal in one of the formats, whole or not at all."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from tempfile import NamedTemporaryFile

from ingestion.database import Connection
from reporting.journal_export.formats import Beancount, Format, HLedger, Ledger
from reporting.journal_export.reading import accounts_of, entries_of, head_of

FORMATS: dict[str, Format] = {"beancount": Beancount(), "ledger": Ledger(), "hledger": HLedger()}


class NothingPublishedError(RuntimeError):
    """The region has no published books, or the code is none of a region."""


def pieces(connection: Connection, region_code: str, format_name: str) -> Iterator[str]:
    """The journal as texts, the declarations first, then one an entry; equal books give equal texts.

    `connection` is in a transaction that sees one state. Raises NothingPublishedError.
    """
    head = head_of(connection, region_code)
    if head is None:
        raise NothingPublishedError(
            f"E-EXPORT-REGION 统筹区 {region_code} 没有已发布的账簿，请核对代码（select * from marts.published_head）"
            f" / region {region_code} has no published books; check the code (select * from marts.published_head)"
        )
    written = FORMATS[format_name]
    accounts = accounts_of(connection, region_code)
    paths = {account.key: account.path for account in accounts}
    yield written.opening(region_code, head, accounts)
    for lines in entries_of(connection, region_code):
        yield written.entry(lines, paths)


def export(connection: Connection, region_code: str, format_name: str, path: Path) -> int:
    """Write the journal to `path`, replacing it in one step; returns how many entries it has."""
    path.parent.mkdir(parents=True, exist_ok=True)
    entries = -1  # the first piece is none
    with NamedTemporaryFile(
        "w", encoding="utf-8", newline="\n", dir=path.parent, prefix=f".{path.name}.", delete=False
    ) as temporary:
        unfinished = Path(temporary.name)
        try:
            for text in pieces(connection, region_code, format_name):
                temporary.write(text)
                entries += 1
            temporary.flush()
            os.fsync(temporary.fileno())
            unfinished.chmod(0o644)
            unfinished.replace(path)
        except BaseException:
            unfinished.unlink(missing_ok=True)
            raise
    return entries
