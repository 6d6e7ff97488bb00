"""A database left by the code of migration 0008 is taken over: nothing recorded changes, and the books go on."""

from __future__ import annotations

import gzip
import shutil
import subprocess
from contextlib import closing
from pathlib import Path
from urllib.parse import urlsplit

import psycopg2
import pytest

from expectations.gate import check
from ingestion import heads
from ingestion.database import connect
from ingestion.schema import FOLDER, SchemaVersionError, migrate
from ingestion.settings import Settings
from runtime import dbt
from runtime.postgres import EmbeddedPostgres
from tests.conftest import WarehouseFactory
from tests.integration import test_marts_hand_worked as hand_worked
from tests.integration.ingestion_support import files, land, quarantined, run, select

pytestmark = pytest.mark.slow

DATA = Path(__file__).parents[1] / "data" / "previous_version"
LATER = sorted(path.stem for path in FOLDER.glob("[0-9]*.sql") if path.stem > "0008.access")
DERIVED = ("journal_line", "account_turnover", "voucher", "built_head")
# The original that a refund of the old database waits for, the first row of the old database again, and a new premium.
AFTER = """\
event_type,schema_version,source_event_key,occurred_on,region_code,employer_no,person_no,insurance_type,\
enrollment_category,contribution_month,employer_amount,personal_amount,personal_account_credit,late_fee,\
tax_voucher_no,tax_authority_code,deposit_account
contribution.collected,2,PV-LATER,2019-12-20,340400,E9,P9,310,employee,2019-12,10.00,,0.00,,R9,13404000000,special
contribution.collected,2,NJ-C1,2019-12-05,320100,E1,P1,310,employee,2019-12,1000.00,200.00,150.00,5.00,R1,,treasury
contribution.collected,2,NJ-C2,2019-12-05,320100,E1,P1,510,employee,2019-12,80.00,,,,R1,13201000000,treasury
"""


@pytest.fixture
def previous_warehouse(
    embedded_postgres: EmbeddedPostgres,
    warehouse_factory: WarehouseFactory,
    fund_environment: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> str:
    """The dump restored, with the heads that were written outside of it; also set as FUND_DATABASE_URL."""
    warehouse_factory(migrated=True)  # makes the roles, which belong to the server
    url = warehouse_factory()
    database = url.rpartition("/")[2]
    parts = urlsplit(embedded_postgres.superuser_url())
    command = [str(embedded_postgres.program("psql")), "--quiet", "--no-psqlrc", "--set=ON_ERROR_STOP=1"]
    command += ["--host=127.0.0.1", f"--port={parts.port}", f"--username={parts.username}", database]
    dump = gzip.decompress((DATA / "schema_0008.sql.gz").read_bytes())
    subprocess.run(command, input=dump, env={"PGPASSWORD": parts.password or ""}, stdout=subprocess.DEVNULL, check=True)
    shutil.copytree(DATA / "heads", fund_environment / "heads")
    monkeypatch.setenv("FUND_DATABASE_URL", url)
    return url


def recorded() -> dict[str, dict[str, object]]:
    """All that the database holds of events and batches, as it is stored, by place."""
    found = select(
        "SELECT concat_ws(' ', 'event', region_code, seq), to_jsonb(e) FROM events.event AS e"
        " UNION ALL SELECT concat_ws(' ', 'batch', region_code, batch_id), to_jsonb(b) FROM events.batch AS b"
    )
    return dict(found)


def changed_since(before: dict[str, dict[str, object]]) -> list[str]:
    """Places where anything that was there is not there any more; columns and rows may have come."""
    now = recorded()
    return [place for place, row in before.items() if not row.items() <= now.get(place, {}).items()]


def broken() -> list[tuple[object, ...]]:
    """Events and batches whose stored hash is not what the database computes."""
    return select(
        "SELECT region_code, seq FROM events.event AS e WHERE content_hash IS DISTINCT FROM events.content_hash(e)"
    ) + select(
        "SELECT region_code, batch_id FROM events.batch"
        " WHERE batch_hash IS DISTINCT FROM events.batch_hash(region_code, batch_id)"
    )


def check_figures(*, late: bool) -> None:
    hand_worked.check_nanjing()
    hand_worked.check_huainan(mat_spent=270 if late else 200, merged=6860 if late else 6930)
    if late:
        hand_worked.check_huainan_december()
        hand_worked.check_maternity()
        hand_worked.check_general_ledger()


def forget_the_books() -> None:
    """Drop all that dbt has derived from the log; what has been published is recorded, and stays."""
    with closing(connect("fund_transform", autocommit=True)) as connection, connection.cursor() as cursor:
        cursor.execute(f"DROP TABLE {', '.join(f'ledger.{name}' for name in DERIVED)} CASCADE")


@pytest.mark.timeout(600)
@pytest.mark.usefixtures("previous_warehouse")
def test_a_database_of_version_0008_is_taken_over() -> None:
    with pytest.raises(SchemaVersionError, match=LATER[0]):
        run()
    before = recorded()
    assert len(before) > 40
    check_figures(late=False)

    assert migrate() == LATER
    assert changed_since(before) == []
    assert recorded().keys() == before.keys()
    assert broken() == []
    assert heads.verify() == []
    check_figures(late=False)  # by the views of the old code

    forget_the_books()
    dbt.deploy("rebuilt")
    dbt.build("rebuilt")
    check_figures(late=False)

    land("after.contribution.1.csv", AFTER, source="handmade")
    hand_worked.take("after", "late.claim.2.csv")
    assert files()["after.contribution.1.csv"] == ("loaded", None, 3, 1, 1, 1, 1)
    assert quarantined(only_open=True) == {
        ("before.contribution.0.csv", 4): {"E-VALUE-LIST", "E-VALUE-BASE"},
        ("after.contribution.1.csv", 4): {"E-CONFLICT"},
    }
    check_figures(late=True)  # collected under version 2 and refunded under version 1: nothing is left of it
    assert changed_since(before) == []
    assert len(recorded()) > len(before)
    assert broken() == []
    heads.record()
    assert heads.verify() == []
    check("after")
    checks = select("SELECT code, success FROM quality.check_result WHERE run_id = 'after' AND code LIKE 'H%'")
    assert {code for code, _ in checks} >= {"H01", "H02", "H04"}
    assert [code for code, success in checks if not success] == []


def test_the_dump_is_what_it_says(previous_warehouse: str) -> None:
    with closing(psycopg2.connect(previous_warehouse)) as connection, connection.cursor() as cursor:
        cursor.execute("SELECT max(migration_id) FROM fund_migrations._yoyo_migration")
        assert cursor.fetchone() == ("0008.access",)
        cursor.execute("SELECT DISTINCT family FROM events.event ORDER BY 1")
        assert [name for (name,) in cursor.fetchall()] == ["claim", "contribution", "registration", "treasury"]
    assert (DATA / "schema_0008.sql.gz").stat().st_size < 200_000
    assert Settings.from_env().heads_dir.is_dir()
