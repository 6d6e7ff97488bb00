"""dbt as a clean subprocess: `deploy` when the models' code has changed, `build` to append what is new.

Views are deployed by code, not by run; tables only grow. Both hold one lock in the warehouse, so that two never run at
once, whichever machine they run on. What dbt wrote about a run is kept under `<local>/dbt/runs/<run id>/`.
"""

from __future__ import annotations

import csv
import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from psycopg2.extensions import parse_dsn

from ingestion.database import Connection, connect, libpq_url
from ingestion.schema import check_version
from ingestion.settings import Settings
from parameters.checks import at_file, check
from runtime.layout import REPOSITORY, Layout
from runtime.seed_folder import described, project_with_seeds, seed_files, seeds_of

PROJECT = REPOSITORY / "dbt_project"
ROLE = "fund_transform"
_DEPLOYED = ("config.materialized:view", "config.materialized:sql_function", "resource_type:seed")
_CODE_FOLDERS = ("models", "macros", "tests")


class DbtError(RuntimeError):
    """dbt failed; the message names what failed and where the log is."""


@dataclass(frozen=True)
class Appended:
    """A table that builds append to: its columns, the one that bounds a build, and the query of what it must hold."""

    name: str
    seq_column: str
    columns: tuple[str, ...]
    query: str


def deploy(run_id: str) -> bool:
    """Bring seeds and views to the code's state; False when they are already there.

    In a new warehouse this creates the tables too, since views rest on them.
    """
    with _locked() as connection:
        code = code_sha256()
        if not _missing(connection) and _deployed(connection) == code:
            return False
        _require_sound_seeds()
        if changed := _seeds_with_other_columns(connection):
            _run(run_id, "seed", ["seed", "--full-refresh", "--select", *changed])
        _analyze("events")
        select = [] if _lacks_tables(connection) else ["--select", *_DEPLOYED]
        _run(run_id, "deploy", ["build", *select, "--exclude-resource-type", "unit_test", "test"])
        if lacking := _missing(connection):
            raise DbtError(f"dbt has finished, yet these relations are missing: {', '.join(sorted(lacking))}")
        with connection.cursor() as cursor:
            cursor.execute("INSERT INTO ledger.deployment (code_sha256) VALUES (%s)", (code,))
        return True


def build(run_id: str) -> dict[str, int]:
    """Append all events up to the log's head to the ledger, run the data tests; returns dbt's counts by status."""
    with _locked():
        return append(run_id)


def build_shadow(run_id: str, suffix: str, connection: Connection) -> None:
    """Make the ledger and marts beside the live ones, in schemas with this suffix, or go on with those there are.

    Everything up to the live built head. The schemas must exist; log, policy and staging views are shared and stay as
    they are. Holds no lock: builds and publications of the live books go on. `connection` belongs to the models' role.
    """
    schemas = [f"ledger{suffix}", f"marts{suffix}"]
    tables = _lacks_tables(connection, *schemas)
    select = ["config.schema:ledger", "config.schema:marts"] if tables else ["config.materialized:incremental"]
    arguments = ["build", "--select", *select, "--exclude-resource-type", "unit_test", "seed"]
    variables = ["--vars", json.dumps({"shadow": suffix})]
    _run(run_id, f"build{suffix}", [*arguments, *variables], target=f"target{suffix}")
    _analyze(*schemas)


def compiled_for_audit(run_id: str) -> dict[str, Appended]:
    """Every table that builds append to, by name, with the query that its rows must equal; nothing is run.

    The query holds the tokens of the macro `audit_tokens` instead of region and bounds. DbtError when dbt fails.
    """
    arguments = ["compile", "--select", "config.materialized:incremental", "--vars", json.dumps({"audit": True})]
    _run(run_id, "audit", arguments, target="target_audit")
    target = Layout.from_env().local / "dbt" / "target_audit"
    nodes = json.loads((target / "manifest.json").read_text(encoding="utf-8"))["nodes"].values()
    models = [node for node in nodes if node["resource_type"] == "model"]
    return {
        model["name"]: _appended(model, target)
        for model in sorted(models, key=lambda model: str(model["name"]))
        if model["config"]["materialized"] == "incremental" and model["name"] != "built_head"
    }


def _appended(model: Mapping[str, Any], target: Path) -> Appended:
    path = target / "compiled" / model["package_name"] / model["original_file_path"]
    columns = tuple(model["columns"])
    seq_column = next(name for name in ("event_seq", "last_seq") if name in columns)
    return Appended(model["name"], seq_column, columns, path.read_text(encoding="utf-8").strip())


def deployed_code() -> str:
    """Hash of the models' code whose views are deployed; DbtError when nothing is."""
    with closing(connect(role=ROLE, autocommit=True)) as connection:
        if (code := _deployed(connection)) is None:
            raise DbtError("no models are deployed yet; run build_ledger first")
        return code


@contextmanager
def locked() -> Iterator[Connection]:
    """Keep builds and deployments of the live books waiting; the connection has the models' role and autocommits."""
    with _locked() as connection:
        yield connection


def append(run_id: str) -> dict[str, int]:
    """As `build`, for whoever is inside `locked` already."""
    _analyze("events", "policy")
    arguments = ["build", "--select", "config.materialized:incremental", "--exclude-resource-type", "unit_test"]
    counts = _run(run_id, "build", arguments)
    _analyze("ledger")
    return counts


def unit_test(run_id: str) -> dict[str, int]:
    """Run dbt's unit tests in a deployed warehouse; returns dbt's counts by status.

    The project is parsed anew: dbt keeps the seeds that fixtures refer to in its cache, and would test old ones.
    """
    with _locked():
        return _run(run_id, "unit_test", ["test", "--select", "test_type:unit", "--no-partial-parse"])


def code_sha256() -> str:
    """Hash over everything in the project that decides what is deployed: paths and contents, in order."""
    digest = hashlib.sha256()
    code = [path for folder in _CODE_FOLDERS for path in (PROJECT / folder).rglob("*") if path.is_file()]
    code += [*described(PROJECT), PROJECT / "dbt_project.yml"]
    named = {path.relative_to(PROJECT).as_posix(): path for path in code}
    named |= {f"seeds/{path.relative_to(seeds_of(PROJECT)).as_posix()}": path for path in seed_files(PROJECT)}
    for name, path in sorted(named.items()):
        content = path.read_bytes()
        digest.update(f"{name}\0{len(content)}\0".encode() + content)
    return digest.hexdigest()


def connection_variables(url: str) -> dict[str, str]:
    """The FUND_DB_* variables of the profile, out of a database URL; what else is in it goes by libpq's names."""
    parts = parse_dsn(libpq_url(url))
    variables = {
        "FUND_DB_HOST": parts.get("host", "localhost"),
        "FUND_DB_PORT": parts.get("port", "5432"),
        "FUND_DB_USER": parts.get("user", ""),
        "FUND_DB_PASSWORD": parts.get("password", ""),
        "FUND_DB_NAME": parts.get("dbname", ""),
    }
    extra = {"sslmode": "PGSSLMODE", "sslrootcert": "PGSSLROOTCERT", "sslcert": "PGSSLCERT", "sslkey": "PGSSLKEY"}
    return variables | {variable: parts[name] for name, variable in extra.items() if name in parts}


@contextmanager
def _locked() -> Iterator[Connection]:
    """A connection that holds the warehouse's build lock, to a database of exactly this code's version.

    Older code would put its own views over newer tables, and with them older rules on who reads what.
    """
    with closing(connect(autocommit=True)) as connection:
        check_version(connection)
    with closing(connect(role=ROLE, autocommit=True)) as connection:
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_lock(hashtextextended('merged_fund.dbt', 0))")
        yield connection


def _run(run_id: str, stage: str, arguments: Sequence[str], target: str = "target") -> dict[str, int]:
    local = Layout.from_env().local / "dbt"
    target_path, kept = local / target, local / "runs" / re.sub(r"[^\w.+-]", "_", run_id) / stage
    kept.mkdir(parents=True, exist_ok=True)
    target_path.mkdir(parents=True, exist_ok=True)
    (target_path / "run_results.json").unlink(missing_ok=True)
    command = [
        sys.executable,
        "-c",
        "from dbt.cli.main import cli; cli()",
        "--no-use-colors",
        "--log-format",
        "text",
        *arguments,
    ]
    project = project_with_seeds(PROJECT, local / "project")
    command += ["--project-dir", str(project), "--profiles-dir", str(PROJECT), "--target-path", str(target_path)]
    command += ["--log-path", str(kept)]
    done = subprocess.run(
        command, env=_environment(run_id), cwd=local, capture_output=True, text=True, encoding="utf-8", check=False
    )
    (kept / "output.txt").write_text(done.stdout + done.stderr, encoding="utf-8")
    print(done.stdout)
    results = _results(target_path, kept)
    if done.returncode != 0:
        raise DbtError(_failure(stage, results, done.stdout + done.stderr, kept))
    return _counts(results)


def _environment(run_id: str) -> dict[str, str]:
    return {
        **os.environ,
        **connection_variables(Settings.from_env().database_url),
        "FUND_RUN_ID": run_id,
        "DBT_SEND_ANONYMOUS_USAGE_STATS": "false",
        "DO_NOT_TRACK": "1",
        "PYTHONUTF8": "1",
    }


def _results(target: Path, kept: Path) -> list[dict[str, Any]]:
    source = target / "run_results.json"
    if not source.exists():
        return []
    shutil.copy(source, kept)
    return list(json.loads(source.read_text(encoding="utf-8"))["results"])


def _counts(results: Sequence[Mapping[str, Any]]) -> dict[str, int]:
    statuses = [str(result["status"]) for result in results]
    return {status: statuses.count(status) for status in sorted(set(statuses))}


def _failure(stage: str, results: Sequence[Mapping[str, Any]], output: str, kept: Path) -> str:
    """What a person needs: the failed nodes with their messages, or else the end of dbt's own output."""
    failed = [result for result in results if result["status"] in ("error", "fail", "runtime error")]
    lines = [f"{result['unique_id']}: {result['message']}" for result in failed] or output.splitlines()[-25:]
    return "\n".join([f"dbt {stage} failed ({len(failed)} nodes); everything dbt said: {kept / 'output.txt'}", *lines])


def _analyze(*schemas: str) -> None:
    """Fresh statistics for the tables of these schemas: autovacuum comes a minute too late for what was just written.

    Without them the planner takes a new ledger for empty, and a check of seconds runs for minutes.
    """
    with closing(connect(autocommit=True)) as connection, connection.cursor() as cursor:
        cursor.execute(
            "SELECT format('%%I.%%I', schemaname, grown.relname) FROM pg_stat_user_tables AS grown"
            " JOIN pg_class ON pg_class.oid = grown.relid"
            " WHERE schemaname = ANY(%s) AND pg_has_role(relowner, 'USAGE')"
            " AND (n_mod_since_analyze > 0 OR coalesce(last_analyze, last_autoanalyze) IS NULL)",
            (list(schemas),),
        )
        for (table,) in cursor.fetchall():
            cursor.execute(f"ANALYZE {table}")


def _deployed(connection: Connection) -> str | None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT code_sha256 FROM ledger.deployment ORDER BY deployed_at DESC LIMIT 1")
        row = cursor.fetchone()
    return row[0] if row else None


def _missing(connection: Connection) -> set[str]:
    """Models and seeds of the project that have no relation or function in the warehouse."""
    files = [*(PROJECT / "models").rglob("*.sql"), *seed_files(PROJECT)]
    return {_relation_name(path) for path in files} - _relations(connection)


def _relation_name(path: Path) -> str:
    """The file's own name, or the alias that its model sets."""
    alias = re.search(r"alias='(\w+)'", path.read_text("utf-8")) if path.suffix == ".sql" else None
    return alias.group(1) if alias else path.stem


def _lacks_tables(connection: Connection, *schemas: str) -> bool:
    models = (PROJECT / "models").rglob("*.sql")
    tables = {path.stem for path in models if "materialized='incremental'" in path.read_text("utf-8")}
    return bool(tables - _relations(connection, *schemas))


def _relations(connection: Connection, *schemas: str) -> set[str]:
    """Names of relations and functions in these schemas; in those of the live books when none is named."""
    named = list(schemas) or ["policy", "staging", "ledger", "marts"]
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace"
            " WHERE n.nspname = ANY(%s) AND c.relkind IN ('r', 'v', 'm', 'p')"
            " UNION SELECT p.proname FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace"
            " WHERE n.nspname = ANY(%s)",
            (named, named),
        )
        return {row[0] for row in cursor.fetchall()}


def _require_sound_seeds() -> None:
    """DbtError when a parameter can't be used as it is written: dbt would load a blank or a wide digit as it stands.

    All files are read before any of them is loaded, so nothing is put to use by halves.
    """
    folder = seeds_of(PROJECT)
    problems = [at_file(problem, folder) for problem in check(folder).problems if problem.severity == "error"]
    if problems:
        raise DbtError(
            "参数有误，未装载任何一张表；更正后重新运行 / parameters can't be used, none was loaded; correct them and"
            " run again (python -m parameters check):\n" + "\n".join(map(str, problems))
        )


def _seeds_with_other_columns(connection: Connection) -> list[str]:
    """Seeds whose table has other columns than the file: only these must be dropped and made anew."""
    changed = []
    for path in seed_files(PROJECT):
        with path.open(encoding="utf-8", newline="") as handle:
            header = next(csv.reader(handle))
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT array_agg(attname::text ORDER BY attnum) FROM pg_attribute"
                " WHERE attrelid = to_regclass(%s) AND attnum > 0 AND NOT attisdropped",
                (f"policy.{path.stem}",),
            )
            (columns,) = cursor.fetchone() or (None,)
        if columns is not None and columns != header:
            changed.append(path.stem)
    return changed
