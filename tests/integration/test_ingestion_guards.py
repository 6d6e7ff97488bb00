"""What the database itself refuses, what each role may do, and that hashes and heads give a rewrite away."""

from __future__ import annotations

import hashlib
import json
from contextlib import closing
from pathlib import Path

import psycopg2
import pytest
from psycopg2 import errors

from ingestion import heads, runs
from ingestion.database import connect
from ingestion.schema import FOLDER, SchemaVersionError, check_version, migrate
from ingestion.settings import Settings
from tests.integration.ingestion_support import CERTIFICATE, land_rows, payment, person, premium, run, select
from tests.unit.ingestion.valid_rows import VALID, sound_row

RECORDED = (
    "events.event", "events.batch", "events.file_registry", "events.file_outcome", "events.quarantine",
    "events.quarantine_resolution", "events.file_note", "events.control_total", "events.log_identity",
    "ledger.publication",
    "quality.check_result", "quality.finding", "quality.publication_decision",
    "quality.replay_result", "quality.replay_difference", "quality.replay_outcome",
)  # fmt: skip
ROLES = (
    "fund_ingest",
    "fund_transform",
    "fund_quality",
    "fund_publisher",
    "finance_reader",
    "supervisor_reader",
    "auditor",
)


def attempt(statement: str, role: str | None = None) -> None:
    with closing(connect(role)) as connection, connection.cursor() as cursor:
        cursor.execute(statement)
        connection.rollback()


@pytest.fixture
def log_with_events(migrated_warehouse: str) -> str:
    """One sound row of every event type that needs no original, a duplicate-free conflict and a waiting row."""
    land_rows("a.registration.1.csv", person(certificate_no=CERTIFICATE), sound_row("employer.registered"))
    land_rows(
        "a.contribution.1.csv",
        premium("K1"),
        premium("K2", personal_account_credit="1.00"),
        premium("K3", person_no="X"),
    )
    land_rows("a.claim.1.csv", payment("K1", admitted_on="2019-11-01"), payment("K1", pooled_amount="1.00"))
    plain = [name for name in VALID if "original_event_key" not in VALID[name] and "fund_code" in VALID[name]]
    land_rows("a.treasury.1.csv", *(sound_row(name, source_event_key=name) for name in plain))
    run()
    land_rows("b.claim.1.csv", payment("K9", region_code="340400"), payment("K10"))
    run()
    return migrated_warehouse


@pytest.mark.usefixtures("migrated_warehouse")
@pytest.mark.parametrize("relation", RECORDED)
def test_the_owner_too_may_not_change_what_is_recorded(relation: str) -> None:
    column = select(f"SELECT attname FROM pg_attribute WHERE attrelid = '{relation}'::regclass AND attnum = 1")[0][0]
    for statement in (
        f"UPDATE {relation} SET {column} = {column}",
        f"DELETE FROM {relation}",
        f"TRUNCATE {relation} CASCADE",
    ):
        with pytest.raises(errors.RestrictViolation, match="never changed or removed"):
            attempt(statement)


@pytest.mark.usefixtures("migrated_warehouse")
def test_each_role_may_do_what_it_is_for_and_no_more() -> None:
    allowed = {
        "SELECT FROM events.event": {"fund_ingest", "fund_transform", "fund_quality", "fund_publisher", "auditor"},
        "INSERT INTO events.log_identity SELECT FROM events.log_identity WHERE false": {"fund_ingest"},
        "UPDATE events.landing_sighting SET size_bytes = 0": {"fund_ingest"},
        "CREATE TABLE ledger.t (a int)": {"fund_transform"},
        "CREATE VIEW marts.v AS SELECT 1 AS a": {"fund_transform"},
        "CREATE TABLE events.t (a int)": set(),
        "SELECT FROM ledger.publication": {"fund_transform", "fund_quality", "fund_publisher", "auditor"},
        "INSERT INTO ledger.publication SELECT FROM ledger.publication WHERE false": {"fund_publisher"},
        "INSERT INTO quality.check_result SELECT FROM quality.check_result WHERE false": {"fund_quality"},
        "INSERT INTO ledger.deployment (code_sha256) VALUES ('x')": {"fund_transform"},
        "SELECT FROM quality.finding": {"fund_quality", "fund_publisher", "supervisor_reader", "auditor"},
    }
    for statement, expected in allowed.items():
        assert {role for role in ROLES if _is_allowed(statement, role)} == expected, statement


def _is_allowed(statement: str, role: str) -> bool:
    try:
        attempt(statement, role)
    except errors.InsufficientPrivilege:
        return False
    except errors.NotNullViolation:
        return True
    return True


@pytest.mark.usefixtures("migrated_warehouse")
def test_what_the_models_make_can_be_read_by_those_who_should() -> None:
    with closing(connect("fund_transform", autocommit=True)) as connection, connection.cursor() as cursor:
        cursor.execute("CREATE VIEW marts.made AS SELECT 1 AS a; CREATE TABLE ledger.made (a int)")
    # Readers of the marts get their right from the model that is bound to regions, never by default.
    for made in ("marts.made", "ledger.made"):
        readers = {role for role in ROLES if _is_allowed(f"SELECT FROM {made}", role)}
        assert readers == {*ROLES} - {"fund_ingest", "finance_reader", "supervisor_reader"}


def test_the_warehouse_user_is_no_superuser_and_owns_the_log(migrated_warehouse: str) -> None:
    assert "merged_fund" in migrated_warehouse
    assert select("SELECT rolsuper FROM pg_roles WHERE rolname = current_user") == [(False,)]
    owners = select("SELECT DISTINCT tableowner = current_user FROM pg_tables WHERE schemaname = 'events'")
    assert owners == [(True,)]
    assert select("SELECT count(*) FROM pg_class WHERE relnamespace = 'public'::regnamespace") == [(0,)]


@pytest.mark.usefixtures("log_with_events")
def test_the_database_recomputes_every_hash() -> None:
    assert select(
        "SELECT count(*) FROM events.event AS e WHERE e.content_hash IS DISTINCT FROM events.content_hash(e)"
    ) == [(0,)]
    broken = select(
        "SELECT region_code, batch_id FROM events.batch"
        " WHERE batch_hash IS DISTINCT FROM events.batch_hash(region_code, batch_id)"
    )
    assert broken == []
    assert len(select("SELECT DISTINCT event_type FROM events.event")) > 25
    gaps = select(
        "SELECT region_code FROM events.event GROUP BY region_code HAVING min(seq) <> 1 OR max(seq) <> count(*)"
    )
    assert gaps == []


@pytest.mark.usefixtures("log_with_events")
def test_a_rewrite_by_the_owner_shows(migrated_warehouse: str) -> None:
    assert migrated_warehouse
    heads.record()
    with closing(connect(autocommit=True)) as connection, connection.cursor() as cursor:
        cursor.execute("ALTER TABLE events.event DISABLE TRIGGER append_only")
        cursor.execute("UPDATE events.event SET amount = amount + 1 WHERE event_type = 'loan.received'")
        cursor.execute("SELECT source_event_key FROM events.event AS e WHERE content_hash <> events.content_hash(e)")
        assert cursor.fetchall() == [("loan.received",)]
        cursor.execute(
            "UPDATE events.event AS e SET content_hash = events.content_hash(e) WHERE event_type = 'loan.received'"
        )
        cursor.execute("SELECT count(*) FROM events.batch WHERE batch_hash <> events.batch_hash(region_code, batch_id)")
        assert cursor.fetchone() == (1,)
        cursor.execute("ALTER TABLE events.batch DISABLE TRIGGER append_only")
        for _ in range(10):  # each pass carries the new hash one batch further
            cursor.execute("UPDATE events.batch SET batch_hash = events.batch_hash(region_code, batch_id)")
    assert any("is not what it was" in problem for problem in heads.verify())


@pytest.mark.usefixtures("log_with_events")
def test_heads_are_appended_with_the_one_before() -> None:
    first = heads.record()
    assert {head["region_code"] for head in first} == {"320100", "340400"}
    assert heads.record() == []
    land_rows("c.claim.1.csv", payment("K11"))
    run()
    (second,) = heads.record()
    ((log_id,),) = select("SELECT log_id::text FROM events.log_identity")
    path = Settings.from_env().heads_dir / log_id / "320100.jsonl"
    assert [json.loads(line)["seq"] for line in path.read_text().splitlines()] == [first[0]["seq"], second["seq"]]
    assert second["previous_batch_hash"] == first[0]["batch_hash"]
    assert heads.verify() == []


@pytest.mark.usefixtures("log_with_events")
def test_a_log_without_heads_outside_is_not_taken_for_a_verified_one() -> None:
    folder = Settings.from_env().heads_dir
    assert heads.verify() == [f"region {region}: no head outside the database" for region in ("320100", "340400")]
    heads.record()
    (own,) = folder.iterdir()
    own.rename(folder / "00000000-0000-0000-0000-000000000000")
    assert "another database?" in heads.verify()[-1]


@pytest.mark.usefixtures("log_with_events")
def test_a_head_cut_off_by_a_crash_is_written_again() -> None:
    heads.record()
    (path,) = Settings.from_env().heads_dir.rglob("320100.jsonl")
    with path.open("a", encoding="utf-8") as handle:
        handle.write('{"region_code": "3201')
    land_rows("c.claim.1.csv", payment("K11"))
    run()
    heads.record()
    assert len(heads.whole_lines(path)) == 2
    assert path.read_text(encoding="utf-8").count("\n") == 2
    assert heads.verify() == []


@pytest.mark.usefixtures("log_with_events")
@pytest.mark.parametrize("damage", [b"\xff", b"{", b"null "])
def test_after_a_damaged_line_heads_are_still_recorded(damage: bytes) -> None:
    heads.record()
    (path,) = Settings.from_env().heads_dir.rglob("320100.jsonl")
    damaged = damage + path.read_bytes()
    path.write_bytes(damaged)
    land_rows("c.claim.1.csv", payment("K11"))
    run()
    (head,) = heads.record()
    assert path.read_bytes() == damaged + json.dumps(head, ensure_ascii=False).encode() + b"\n"
    assert head["previous_line_sha256"] == hashlib.sha256(damaged[:-1]).hexdigest()
    assert heads.record() == []
    assert heads.verify() == ["320100.jsonl line 1: the line can't be read"]


@pytest.mark.usefixtures("log_with_events")
def test_recorded_at_never_decreases_and_is_one_value_a_batch() -> None:
    assert select(
        "SELECT count(*) FROM (SELECT recorded_at < lag(recorded_at) OVER w AS earlier FROM events.event"
        " WINDOW w AS (PARTITION BY region_code ORDER BY seq)) AS x WHERE earlier"
    ) == [(0,)]
    assert select(
        "SELECT count(*) FROM events.batch AS b INNER JOIN events.event AS e USING (region_code, batch_id)"
        " WHERE e.recorded_at <> b.recorded_at OR e.seq NOT BETWEEN b.first_seq AND b.last_seq"
    ) == [(0,)]


@pytest.mark.usefixtures("migrated_warehouse")
def test_everything_is_described_in_both_languages() -> None:
    bare = select(
        "SELECT c.relname, a.attname FROM pg_class AS c INNER JOIN pg_namespace AS n ON n.oid = c.relnamespace"
        " INNER JOIN pg_attribute AS a ON a.attrelid = c.oid AND a.attnum >= 0 AND NOT a.attisdropped"
        " WHERE c.relkind IN ('r', 'v')"
        " AND (n.nspname IN ('access', 'events', 'quality') OR c.relname IN ('publication', 'deployment'))"
        " AND coalesce(col_description(c.oid, a.attnum), '') !~ '[一-龥].* / .*[A-Za-z]'"
    )
    assert bare == []


def test_a_database_of_another_version_stops_the_run(
    warehouse_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(SchemaVersionError, match=r"lacks migration\(s\) 0001.events.*python -m ingestion migrate"):
        runs.discover()
    assert migrate()[0] == "0001.events"
    assert migrate() == []
    older = tmp_path / "schema"
    older.mkdir()
    for path in sorted(FOLDER.glob("[0-9]*.sql"))[:-1]:
        (older / path.name).write_bytes(path.read_bytes())
    monkeypatch.setattr("ingestion.schema.FOLDER", older)
    with (
        closing(psycopg2.connect(warehouse_url)) as connection,
        pytest.raises(SchemaVersionError, match="newer than this"),
    ):
        check_version(connection)
    with pytest.raises(SchemaVersionError, match="newer than this"):
        migrate()


def test_a_superuser_can_migrate_as_well(
    postgres_url: str, warehouse_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    database = warehouse_url.rpartition("/")[2]
    monkeypatch.setenv("FUND_DATABASE_URL", f"{postgres_url.rpartition('/')[0]}/{database}")
    assert migrate()
    land_rows("a.claim.1.csv", payment("K1"))
    run()
    assert select("SELECT count(*) FROM events.event") == [(1,)]
