"""The rows in use, to compare with: of another folder, of the last commit, or of the warehouse."""

from __future__ import annotations

import csv
import io
import shutil
import subprocess
from contextlib import closing
from pathlib import Path

import psycopg2
from psycopg2 import sql

from ingestion.database import connect
from ingestion.settings import SettingsError
from parameters.tables import tables


def of_folder(folder: Path) -> dict[str, bytes]:
    """Files of another folder of seeds, such as the copy that was deployed, by name below it."""
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in sorted(folder.rglob("*.csv"))}


def of_last_commit(folder: Path) -> dict[str, bytes]:
    """Files as of the last commit, where the folder lies in a work tree of git; empty elsewhere."""
    git, found = shutil.which("git"), {}
    for table in tables().values() if git else ():
        shown = subprocess.run(
            [git or "", "show", f"HEAD:./{table.file}"], cwd=folder, capture_output=True, check=False
        )
        if shown.returncode == 0:
            found[table.file] = shown.stdout
    return found


def deployed(folder: Path) -> tuple[dict[str, bytes], str]:
    """The rows in use where they can be found, and what they are: of the last commit, or of the warehouse.

    Nothing where the folder is in no work tree of git and no warehouse answers; the text then says so.
    """
    if found := of_last_commit(folder):
        return found, "上次提交 the last commit"
    try:
        found = of_warehouse()
    except (SettingsError, psycopg2.Error):
        found = {}
    return found, "数据库中已部署的行 the rows deployed in the warehouse" if found else ""


def of_warehouse() -> dict[str, bytes]:
    """Rows as the warehouse holds them: what was deployed last. Needs FUND_DATABASE_URL."""
    found = {}
    with closing(connect(autocommit=True)) as connection, connection.cursor() as cursor:
        for table in tables().values():
            cursor.execute("select to_regclass(%s) is not null", (f"policy.{table.name}",))
            if not (cursor.fetchone() or (False,))[0]:
                continue
            columns = sql.SQL(", ").join(sql.SQL("{}::text").format(sql.Identifier(name)) for name in table.names)
            cursor.execute(sql.SQL("select {} from policy.{}").format(columns, sql.Identifier(table.name)))
            buffer = io.StringIO()
            writer = csv.writer(buffer, lineterminator="\n")
            writer.writerow(table.names)
            writer.writerows(["" if cell is None else cell for cell in row] for row in cursor.fetchall())
            found[table.file] = buffer.getvalue().encode()
    return found
