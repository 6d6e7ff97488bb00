"""Makes the dump of a database as the code before event-type versions left it. Kept to tell how; not run by any test.

    git worktree add /tmp/previous 5d83a47
    cp -r tests/data /tmp/previous/tests/
    cd /tmp/previous && python -m tests.data.previous_version.make

It writes `schema_0008.sql.gz` and `heads/` beside itself: the files of `landing/` and the hand-worked ones, taken in,
booked, checked and published by that code in a database of an embedded server.
"""

from __future__ import annotations

import gzip
import os
import shutil
import subprocess
import tempfile
from pathlib import Path
from urllib.parse import urlsplit

from expectations.gate import check
from ingestion import heads
from ingestion.schema import FOLDER, migrate
from runtime.layout import Layout
from runtime.postgres import EmbeddedPostgres
from tests.integration.test_marts_hand_worked import FILES, let_finance_read, take

HERE = Path(__file__).parent
LAST_MIGRATION = "0008.access"
HAND_WORKED = ("both.contribution.1.csv", "both.claim.1.csv", "both.treasury.1.csv")


def main() -> None:
    """Start a server, fill a database, dump it, remove the server."""
    newest = max(path.stem for path in FOLDER.glob("[0-9]*.sql"))
    assert newest == LAST_MIGRATION, f"this is code of {newest}: check out the commit named above"
    local = Path(tempfile.mkdtemp(prefix="merged-fund-previous-"))
    local.chmod(0o755)
    server = EmbeddedPostgres(Layout(local))
    server.start()
    try:
        _fill(server.ensure_database("merged_fund", may_create_roles=True), local)
        _write(_dump(server))
    finally:
        server.remove()
        shutil.rmtree(local)


def _fill(url: str, local: Path) -> None:
    folder = local / "landing" / "handmade"
    shutil.copytree(HERE / "landing", folder)
    shutil.rmtree(HERE / "heads", ignore_errors=True)
    os.environ |= {
        "FUND_DATABASE_URL": url,
        "FUND_LOCAL_DIR": str(local),
        "FUND_LANDING_DIR": str(local / "landing"),
        "FUND_HEADS_DIR": str(HERE / "heads"),
        "FUND_REPORTS_DIR": str(local / "reports"),
        "FUND_PSEUDONYM_KEY": "0" * 64,
    }
    migrate()
    let_finance_read()
    assert all((FILES / name).is_file() for name in HAND_WORKED)
    take("previous", *HAND_WORKED)
    heads.record()
    check("previous")


def _dump(server: EmbeddedPostgres) -> str:
    parts = urlsplit(server.superuser_url("merged_fund"))
    command = [server.program("pg_dump"), "--format=plain", "--host=127.0.0.1", f"--port={parts.port}"]
    command += [f"--username={parts.username}", "merged_fund"]
    done = subprocess.run(
        command, env={"PGPASSWORD": parts.password or ""}, stdout=subprocess.PIPE, check=True, encoding="utf-8"
    )
    return done.stdout


def _write(dump: str) -> None:
    """gzip without name or time. psql's \\restrict lines, whose key is random, say nothing here and are left out."""
    lines = (line for line in dump.splitlines(keepends=True) if not line.startswith(("\\restrict", "\\unrestrict")))
    with gzip.GzipFile(HERE / "schema_0008.sql.gz", "wb", 9, mtime=0) as stream:
        stream.write("".join(lines).encode())


if __name__ == "__main__":
    main()
