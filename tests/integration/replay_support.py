"""What tests of replays look at: the books as readers see them, grants, schemas; and small books of two regions."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, contextmanager
from typing import Any

import psycopg2
from psycopg2 import sql

from ingestion.database import connect
from runtime import dbt
from tests.integration.posting_log import PostingLog
from tests.integration.test_roles_matrix import PASSWORD, login_url

Rows = list[tuple[Any, ...]]
HUAINAN, NANJING = "340400", "320100"
PREMIUM = {
    **{"event_type": "contribution.collected", "insurance_type": "310", "enrollment_category": "employee"},
    **{"deposit_account": "treasury", "person_no": "P1", "employer_no": "E1", "personal_account_credit": 80},
    "contribution_month": "2019-10-01",
}
BIRTH = {
    **{"event_type": "claim.paid", "insurance_type": "510", "benefit_item": "delivery_normal", "person_no": "P1"},
    **{"institution_code": "H1", "claim_no": "C1"},
}
# Everything that decides who may do what with the books: schemas, relations, columns, functions, defaults.
_GRANTS = """
SELECT 'schema', nspname, '', nspacl::text FROM pg_namespace WHERE nspname IN ('ledger', 'marts')
UNION ALL
SELECT 'relation', n.nspname, c.relname,
    concat_ws(' ', c.relkind::text, c.relowner::regrole, coalesce(c.relacl::text, '-'), c.reloptions::text)
FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace
WHERE n.nspname IN ('ledger', 'marts') AND c.relkind IN ('r', 'v', 'm', 'p')
UNION ALL
SELECT 'column', n.nspname, c.relname || '.' || a.attname, a.attacl::text
FROM pg_attribute AS a JOIN pg_class AS c ON c.oid = a.attrelid JOIN pg_namespace AS n ON n.oid = c.relnamespace
WHERE n.nspname IN ('ledger', 'marts') AND a.attacl IS NOT NULL
UNION ALL
SELECT 'function', n.nspname, p.oid::regprocedure::text, p.proowner::regrole || ' ' || coalesce(p.proacl::text, '-')
FROM pg_proc AS p JOIN pg_namespace AS n ON n.oid = p.pronamespace WHERE n.nspname IN ('ledger', 'marts')
UNION ALL
SELECT 'default', n.nspname, d.defaclobjtype::text, d.defaclacl::text
FROM pg_default_acl AS d JOIN pg_namespace AS n ON n.oid = d.defaclnamespace WHERE n.nspname IN ('ledger', 'marts')
ORDER BY 1, 2, 3, 4
"""
_PUBLISH = """
INSERT INTO ledger.publication (region_code, seq, batch_id, batch_hash, rules_sha256, run_id)
SELECT DISTINCT ON (b.region_code) b.region_code, b.seq, b.batch_id, b.batch_hash, 'none', 'by hand'
FROM ledger.built_head AS b
WHERE NOT EXISTS (SELECT FROM ledger.publication AS p WHERE p.region_code = b.region_code AND p.seq >= b.seq)
ORDER BY b.region_code, b.seq DESC
"""


def ask(statement: str, *parameters: object) -> Rows:
    """Rows as the owner of the database sees them."""
    with closing(connect(autocommit=True)) as connection, connection.cursor() as cursor:
        cursor.execute(statement, parameters or None)
        return list(cursor.fetchall()) if cursor.description else []


def as_owner(statement: str) -> None:
    """Do something to the books that nobody may do: as the models' role, with the guards of the tables off."""
    with closing(connect(role=dbt.ROLE)) as connection, connection, connection.cursor() as cursor:
        tables = ("journal_line", "account_turnover", "voucher")
        cursor.execute(
            "SELECT tgrelid::regclass::text, tgname FROM pg_trigger"
            " WHERE tgenabled = 'A' AND tgrelid = ANY(%s::regclass[])",
            ([f"ledger.{table}" for table in tables],),
        )
        guards = cursor.fetchall()
        for table in tables:
            cursor.execute(f"ALTER TABLE ledger.{table} DISABLE TRIGGER USER")
        cursor.execute(statement)
        for table in tables:
            cursor.execute(f"ALTER TABLE ledger.{table} ENABLE TRIGGER USER")
        for table, guard in guards:  # as they were: a guard that is on for ordinary sessions alone is a finding
            cursor.execute(f"ALTER TABLE {table} ENABLE ALWAYS TRIGGER {guard}")


@contextmanager
def login(url: str, group: str, region_code: str | None) -> Iterator[str]:
    """URL of a login in a group of readers that reads one region, or all of them."""
    with closing(psycopg2.connect(url)) as connection, connection.cursor() as cursor:
        connection.autocommit = True
        cursor.execute(sql.SQL("CREATE ROLE try_replay_reader LOGIN PASSWORD {}").format(sql.Literal(PASSWORD)))
        cursor.execute(sql.SQL("GRANT {} TO try_replay_reader").format(sql.Identifier(group)))
        grant = "INSERT INTO access.region_grant (reader, reader_role, region_code) VALUES (%s, %s::regrole, %s)"
        cursor.execute(grant, ("try_replay_reader", "try_replay_reader", region_code))
        yield login_url(url, "try_replay_reader")
        cursor.execute("DROP ROLE try_replay_reader")


def marts() -> list[str]:
    """All marts there are."""
    return [row[0] for row in ask("SELECT viewname FROM pg_views WHERE schemaname = 'marts' ORDER BY 1")]


def fingerprints(url: str) -> dict[str, tuple[int, str]]:
    """Rows and a hash over all rows in order, for every mart."""
    query = "SELECT count(*), md5(string_agg(md5(mart::text), '' ORDER BY md5(mart::text))) FROM marts.{} AS mart"
    with closing(psycopg2.connect(url)) as connection, connection.cursor() as cursor:
        found = {}
        for mart in marts():
            cursor.execute(query.format(mart))
            found[mart] = cursor.fetchone() or (0, "")
    return found


def grants() -> Rows:
    """Who may do what, as the catalogue has it."""
    return ask(_GRANTS)


def schemas() -> set[str]:
    """The schemas of books: live, replayed, former."""
    return {row[0] for row in ask("SELECT nspname FROM pg_namespace WHERE nspname ~ '^(ledger|marts)'")}


def relation_oid(name: str) -> int:
    """Identity of a relation, which a swap changes."""
    return int(ask("SELECT %s::regclass::oid::bigint", name)[0][0])


def publish() -> None:
    """Move the heads past the gate, which these books are too small for."""
    with closing(connect(role="fund_publisher")) as connection, connection, connection.cursor() as cursor:
        cursor.execute(_PUBLISH)


def small_books() -> tuple[PostingLog, PostingLog]:
    """Two regions, two builds, published: premiums, births before the merger, the merger, a late fact, a year end."""
    huainan, nanjing = PostingLog(HUAINAN), PostingLog(NANJING)
    huainan.add(
        PREMIUM | {"occurred_on": "2019-10-08", "employer_amount": 700, "personal_amount": 200},
        PREMIUM | {"insurance_type": "510", "occurred_on": "2019-10-08", "employer_amount": 70},
        BIRTH | {"occurred_on": "2019-10-20", "pooled_amount": 3200},
    )
    nanjing.add(PREMIUM | {"occurred_on": "2020-02-10", "employer_amount": 900, "personal_amount": 100})
    dbt.build("one")
    huainan.add(
        {"event_type": "period.closed", "occurred_on": "2019-10-31", "accounting_month": "2019-10-01"},
        BIRTH | {"occurred_on": "2019-10-25", "pooled_amount": 400, "claim_no": "C2"},
        {"event_type": "fund.merged", "fund_code": "MAT", "occurred_on": "2019-12-01"},
    )
    huainan.add({"event_type": "year.closed", "occurred_on": "2019-12-31", "accounting_month": "2019-12-01"})
    nanjing.add(BIRTH | {"occurred_on": "2020-03-02", "pooled_amount": 2500})
    dbt.build("two")
    publish()
    return huainan, nanjing
