"""What each role may do with every relation: exactly what stands here, in the catalogue and when it is tried."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import psycopg2
import pytest
from psycopg2 import errors, sql

from tests.conftest import WarehouseFactory

PASSWORD = "a password for tests"
ROLES = (
    "fund_ingest",
    "fund_transform",
    "fund_quality",
    "fund_publisher",
    "auditor",
    "finance_reader",
    "supervisor_reader",
    "voucher_reviewer",
)
READERS = ("finance_reader", "supervisor_reader")
SCHEMAS = (
    "access",
    "events",
    "forecast",
    "fund_migrations",
    "ledger",
    "marts",
    "policy",
    "public",
    "quality",
    "signoff",
    "staging",
)
RESULTS = {
    *("quality.check_result", "quality.finding", "quality.publication_decision"),
    *("quality.finding_period", "quality.notification"),
    *("quality.replay_result", "quality.replay_difference", "quality.replay_outcome"),
    *("quality.publication_freeze", "quality.audit_step"),
    *("quality.log_verification", "quality.log_finding", "quality.closed_journal"),
}
PIPELINE_ONLY = {"quality.audit_step", "quality.validation_document", "quality.decision_newest", "quality.notification"}
ALSO_PUBLISHED = {"quality.publication_decision", "ledger.publication", "quality.publication_freeze"}
MIGRATED = {"ledger.publication", "ledger.deployment"}
LOG_VIEWS = {
    *("events.event_current", "events.file", "events.file_control_total", "events.quarantine_open"),
    "events.source_region",
}
EVERYTHING = {"SELECT", "INSERT", "UPDATE", "DELETE", "TRUNCATE", "REFERENCES", "TRIGGER"}

RELATIONS = """
    SELECT n.nspname || '.' || c.relname, c.relkind::text
    FROM pg_class AS c INNER JOIN pg_namespace AS n ON n.oid = c.relnamespace
    WHERE n.nspname = ANY(%s) AND c.relkind IN ('r', 'v', 'm', 'p', 'f') ORDER BY 1
"""
GRANTED = """
    SELECT privilege FROM unnest(%s::text[]) AS privilege WHERE has_table_privilege(%s, %s, privilege)
"""


def expected(role: str, relation: str) -> set[str]:
    """The matrix. Read-only but where it says so; owners are not listed: fund_transform owns what the models make."""
    schema = relation.partition(".")[0]
    if relation == "access.my_region":
        return set() if role == "fund_ingest" else {"SELECT"}
    if schema in ("access", "fund_migrations", "public"):
        return {"SELECT"} if (role, relation) == ("auditor", "access.region_grant") else set()
    if schema == "signoff":
        return _of_signoff(role, relation)
    if schema == "forecast":
        return _of_forecast(role)
    rights = {
        "fund_ingest": _of_ingest,
        "fund_transform": _of_transform,
        "fund_quality": _of_quality,
        "fund_publisher": lambda one: {"SELECT", "INSERT"} if one in ALSO_PUBLISHED else {"SELECT"},
        "auditor": lambda _: {"SELECT"},
        "finance_reader": lambda _: {"SELECT"} if schema == "marts" else set(),
        "voucher_reviewer": lambda _: set(),  # an account of this role is a finance reader as well
        "supervisor_reader": lambda one: (
            {"SELECT"} if schema in ("marts", "quality") and one not in PIPELINE_ONLY else set()
        ),
    }
    return rights[role](relation)


def _of_signoff(role: str, relation: str) -> set[str]:
    """People's reviews are their own; the rest is written by who publishes. Inserting a review is granted by column."""
    if relation == "signoff.voucher_review":
        reading = ("fund_transform", "fund_quality", "fund_publisher", "auditor", "voucher_reviewer")
        return {"SELECT"} if role in reading else set()
    if role == "fund_publisher":
        return {"SELECT", "INSERT"}
    return {"SELECT"} if role in ("fund_transform", "fund_quality", "auditor") else set()


def _of_forecast(role: str) -> set[str]:
    """Readers read the marts, which apply their regions."""
    if role == "fund_quality":
        return {"SELECT", "INSERT"}
    return {"SELECT"} if role in ("fund_transform", "fund_publisher", "auditor") else set()


def _of_ingest(relation: str) -> set[str]:
    if not relation.startswith("events."):
        return set()
    if relation == "events.landing_sighting":
        return {"SELECT", "INSERT", "UPDATE", "DELETE"}
    return {"SELECT"} if relation in LOG_VIEWS else {"SELECT", "INSERT"}


def _of_quality(relation: str) -> set[str]:
    if relation == "quality.validation_document":
        return {"SELECT", "INSERT", "DELETE"}
    return {"SELECT", "INSERT"} if relation in RESULTS else {"SELECT"}


def _of_transform(relation: str) -> set[str]:
    if relation == "ledger.deployment":
        return {"SELECT", "INSERT"}
    if relation.startswith("events.") or relation in MIGRATED:
        return {"SELECT"}
    if relation == "quality.decision_newest":  # what monitoring has found stands beside what was decided on it
        return {"SELECT"}
    return set() if relation.startswith("quality.") else EVERYTHING


@pytest.fixture(scope="module")
def warehouse(warehouse_factory: WarehouseFactory, published_template: tuple[str, Path]) -> Iterator[str]:
    """Published samples, and a login of its own in each role, called try_<role>."""
    url = warehouse_factory(template=published_template[0])
    with closing(psycopg2.connect(url)) as connection, connection.cursor() as cursor:
        connection.autocommit = True
        for role in ROLES:
            login = sql.Identifier(f"try_{role}")
            cursor.execute(sql.SQL("CREATE ROLE {} LOGIN PASSWORD {}").format(login, sql.Literal(PASSWORD)))
            cursor.execute(sql.SQL("GRANT {} TO {}").format(sql.Identifier(role), login))
        yield url
        for role in ROLES:
            cursor.execute(sql.SQL("DROP ROLE {}").format(sql.Identifier(f"try_{role}")))


def login_url(url: str, login: str) -> str:
    parts = urlsplit(url)
    return urlunsplit(parts._replace(netloc=f"{login}:{PASSWORD.replace(' ', '%20')}@{parts.hostname}:{parts.port}"))


def relations(url: str) -> list[tuple[str, str]]:
    with closing(psycopg2.connect(url)) as connection, connection.cursor() as cursor:
        cursor.execute(RELATIONS, (list(SCHEMAS),))
        return list(cursor.fetchall())


def outcome(url: str, *statements: str) -> dict[str, str]:
    """Statement -> SQLSTATE class name of its refusal, '' when it was done; nothing is kept."""
    told = {}
    with closing(psycopg2.connect(url)) as connection, connection.cursor() as cursor:
        for statement in statements:
            try:
                cursor.execute(statement)
                told[statement] = ""
            except psycopg2.Error as error:
                # A right that row security then narrows is a right: what it lets through depends on the row.
                narrowed = "row-level security" in str(error)
                told[statement] = "RowSecurity" if narrowed else type(error).__name__
            connection.rollback()
    return told


@pytest.mark.parametrize("role", ROLES)
def test_the_catalogue_grants_exactly_this(warehouse: str, role: str) -> None:
    found, wanted = {}, {}
    with closing(psycopg2.connect(warehouse)) as connection, connection.cursor() as cursor:
        for relation, _ in relations(warehouse):
            cursor.execute(GRANTED, (sorted(EVERYTHING), role, relation))
            found[relation] = {row[0] for row in cursor.fetchall()}
            wanted[relation] = expected(role, relation)
    assert found == wanted


@pytest.mark.parametrize("role", ROLES)
def test_a_login_can_do_exactly_this(warehouse: str, role: str) -> None:
    """Reads, inserts, updates, deletes and truncations really tried; another error than the refusal counts as done."""
    tried: dict[str, tuple[str, str]] = {}
    for relation, kind in relations(warehouse):
        tried[f"SELECT FROM {relation} LIMIT 0"] = (relation, "SELECT")
        if kind == "r":
            tried[f"INSERT INTO {relation} DEFAULT VALUES"] = (relation, "INSERT")
            tried[f"UPDATE {relation} SET {_column(warehouse, relation)} = NULL"] = (relation, "UPDATE")
            tried[f"DELETE FROM {relation}"] = (relation, "DELETE")
            tried[f"TRUNCATE {relation}"] = (relation, "TRUNCATE")
    told = outcome(login_url(warehouse, f"try_{role}"), *tried)
    done = {tried[statement] for statement, error in told.items() if error != "InsufficientPrivilege"}
    assert done == {(relation, right) for relation, right in tried.values() if right in expected(role, relation)}


def _column(url: str, relation: str) -> str:
    with closing(psycopg2.connect(url)) as connection, connection.cursor() as cursor:
        cursor.execute(
            "SELECT quote_ident(attname) FROM pg_attribute WHERE attrelid = %s::regclass AND attnum > 0"
            " AND NOT attisdropped AND attgenerated = '' AND attidentity = '' ORDER BY attnum LIMIT 1",
            (relation,),
        )
        (column,) = cursor.fetchone() or ("",)
    return str(column)


def test_the_public_may_do_nothing(warehouse: str) -> None:
    with closing(psycopg2.connect(warehouse)) as connection, connection.cursor() as cursor:
        for relation, _ in relations(warehouse):
            cursor.execute(GRANTED, (sorted(EVERYTHING), "public", relation))
            assert cursor.fetchall() == [], relation
        cursor.execute(
            "SELECT nspname FROM pg_namespace WHERE nspname = ANY(%s) AND"
            " (has_schema_privilege('public', oid, 'CREATE')"
            " OR nspname <> 'public' AND has_schema_privilege('public', oid, 'USAGE'))",
            (list(SCHEMAS),),
        )
        assert cursor.fetchall() == []


def test_schemas_are_open_to_those_who_need_them(warehouse: str) -> None:
    people = {*READERS, "voucher_reviewer"}
    usage = {
        "access": {*ROLES} - {"fund_ingest"},
        "events": {*ROLES} - people,
        "forecast": {*ROLES} - {"fund_ingest"} - people,
        "fund_migrations": set(),
        "ledger": {*ROLES} - {"fund_ingest"} - people,
        "marts": {*ROLES} - {"fund_ingest", "voucher_reviewer"},
        "policy": {*ROLES} - {"fund_ingest"} - people,
        "quality": {*ROLES} - {"fund_ingest", "finance_reader", "voucher_reviewer"},
        "signoff": {*ROLES} - {"fund_ingest", *READERS},
        "staging": {*ROLES} - {"fund_ingest"} - people,
    }
    created = {"policy", "staging", "ledger", "marts"}
    with closing(psycopg2.connect(warehouse)) as connection, connection.cursor() as cursor:
        for schema, users in usage.items():
            for right, wanted in (("USAGE", users), ("CREATE", {"fund_transform"} if schema in created else set())):
                cursor.execute(
                    "SELECT r FROM unnest(%s::text[]) AS r WHERE has_schema_privilege(r, %s, %s)",
                    (list(ROLES), schema, right),
                )
                assert {row[0] for row in cursor.fetchall()} == wanted, (schema, right)


def test_roles_are_bare_and_not_members_of_each_other(warehouse: str) -> None:
    with closing(psycopg2.connect(warehouse)) as connection, connection.cursor() as cursor:
        cursor.execute(
            "SELECT rolname FROM pg_roles WHERE rolname = ANY(%s) AND NOT (rolsuper OR rolcreaterole OR rolcreatedb"
            " OR rolcanlogin OR rolreplication OR rolbypassrls)",
            (list(ROLES),),
        )
        assert {row[0] for row in cursor.fetchall()} == {*ROLES}
        cursor.execute("SELECT count(*) FROM pg_auth_members WHERE member = ANY(%s::regrole[])", (list(ROLES),))
        assert cursor.fetchone() == (0,)


SUPERUSERS_ONLY = (
    "COPY (SELECT 1) TO PROGRAM 'cat'",
    "COPY (SELECT 1) TO '/tmp/merged-fund-copied'",
    "CREATE TEMP TABLE t (a text); COPY t FROM '/etc/passwd'",
    "SELECT pg_read_file('/etc/passwd')",
    "SELECT pg_ls_dir('.')",
    "SELECT lo_import('/etc/passwd')",
    "SELECT lo_export(1, '/tmp/merged-fund-exported')",
    "SET session_replication_role = replica",
    "SET log_statement = 'none'",
    "SET SESSION AUTHORIZATION merged_fund",
    "SELECT FROM pg_authid",
    "SELECT FROM pg_statistic",
    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename IS DISTINCT FROM current_user",
    "CREATE ROLE one_more",
    "CREATE SCHEMA one_more",
    "CREATE EXTENSION dblink",
    "CREATE TABLE public.t (a int)",
    "CREATE FUNCTION public.f() RETURNS int LANGUAGE sql SECURITY DEFINER AS 'SELECT 1'",
    "CREATE EVENT TRIGGER t ON ddl_command_end EXECUTE FUNCTION events.refuse_change()",
    "ALTER ROLE auditor BYPASSRLS",
    "GRANT auditor TO CURRENT_USER",
    "ALTER TABLE events.event DISABLE TRIGGER append_only",
    "ALTER TABLE events.event ADD COLUMN a int",
    "DROP TABLE events.quarantine_resolution",
    "CREATE INDEX ON events.event (amount)",
    "CREATE TRIGGER t BEFORE INSERT ON events.event FOR EACH ROW EXECUTE FUNCTION events.refuse_change()",
    "ALTER TABLE quality.check_result DISABLE ROW LEVEL SECURITY",
    "DROP POLICY region_of_reader ON quality.check_result",
    "ALTER VIEW access.my_region RESET (security_barrier)",
    "CREATE OR REPLACE VIEW access.my_region AS SELECT NULL::text AS region_code",
    "UPDATE access.region_grant SET region_code = NULL",
    "INSERT INTO access.region_grant (reader, reader_role) VALUES (current_user, current_user::regrole)",
)
OUTSIDE_TRANSACTIONS = ("ALTER SYSTEM SET log_statement = 'none'", "CREATE DATABASE one_more", "DROP DATABASE postgres")
MODELS_ONLY = (
    "CREATE VIEW marts.v AS SELECT 1 AS a",
    "CREATE TABLE ledger.t (a int)",
    "ALTER VIEW marts.trial_balance RESET (security_barrier)",
    "DROP VIEW marts.trial_balance CASCADE",
    "ALTER TABLE ledger.journal_line ADD COLUMN a int",
)


@pytest.mark.parametrize("role", ROLES)
def test_what_no_login_may_do(warehouse: str, role: str) -> None:
    others = [f"SET ROLE {other}" for other in (*ROLES, "merged_fund", "pg_read_all_data") if other != role]
    told = outcome(login_url(warehouse, f"try_{role}"), *SUPERUSERS_ONLY, *others)
    assert {s: e for s, e in told.items() if e not in ("InsufficientPrivilege", "InvalidParameterValue")} == {}
    with closing(psycopg2.connect(login_url(warehouse, f"try_{role}"))) as connection, connection.cursor() as cursor:
        connection.autocommit = True
        for statement in OUTSIDE_TRANSACTIONS:
            with pytest.raises(errors.InsufficientPrivilege):
                cursor.execute(statement)
    models = outcome(login_url(warehouse, f"try_{role}"), *MODELS_ONLY)
    assert {*models.values()} == ({""} if role == "fund_transform" else {"InsufficientPrivilege"})


def test_large_objects_are_ones_own(warehouse: str) -> None:
    """PostgreSQL lets every login store large objects; nobody reads or changes those of another."""
    with closing(psycopg2.connect(warehouse)) as connection, connection.cursor() as cursor:
        cursor.execute("SELECT lo_from_bytea(0, 'secret')")
        (number,) = cursor.fetchone() or (0,)
        connection.commit()
        told = outcome(
            login_url(warehouse, "try_finance_reader"), f"SELECT lo_get({number})", f"SELECT lo_put({number}, 0, 'x')"
        )
        assert {*told.values()} == {"InsufficientPrivilege"}
        cursor.execute("SELECT lo_unlink(%s)", (number,))
        connection.commit()


@pytest.mark.parametrize("role", READERS)
def test_readers_copy_out_only_what_they_may_read(warehouse: str, role: str) -> None:
    with closing(psycopg2.connect(login_url(warehouse, f"try_{role}"))) as connection, connection.cursor() as cursor:
        for relation in ("events.event", "ledger.journal_line", "policy.policy_region", "staging.stg_event"):
            with pytest.raises(errors.InsufficientPrivilege), Path("/dev/null").open("w") as nowhere:
                cursor.copy_expert(f"COPY (SELECT * FROM {relation}) TO STDOUT", nowhere)
            connection.rollback()
        with Path("/dev/null").open("w") as nowhere:
            cursor.copy_expert("COPY (SELECT * FROM marts.account) TO STDOUT", nowhere)
        assert cursor.rowcount > 0
