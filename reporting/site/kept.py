"""What decides whether a page, or what it is made of, can be kept from the last writing."""

from __future__ import annotations

from functools import cache
from hashlib import sha256
from pathlib import Path

from ingestion.database import Connection
from reporting.quality import rows

_PACKAGE = Path(__file__).parent.parent


_DEPLOYED = "select code_sha256 from ledger.deployment order by deployed_at desc limit 1"


def code_digest(connection: Connection) -> str:
    """A hash over all that makes a page: what makes figures of the log (deployed models and seeds), and a page of them.

    With other code every page is written again.
    """
    deployed = [code for (code,) in rows(connection, _DEPLOYED)]
    return sha256(f"{_own_digest()}|{deployed}".encode()).hexdigest()


@cache
def _own_digest() -> str:
    digest = sha256()
    for path in sorted(_PACKAGE.rglob("*")):
        if path.suffix in (".py", ".j2"):
            digest.update(path.read_bytes())
    return digest.hexdigest()
