"""Verification: a sound log gives no finding, and every forgery is found and named."""

from __future__ import annotations

from pathlib import Path
from collections.abc import Iterator

import pytest

from ingestion.settings import Settings
from ingestion.verification import verify, verify_snapshot
from tests.conftest import WarehouseFactory, _isolate
from tests.independent.verifier import first_bad_seqs
from tests.integration import sealed_log
from tests.integration.ingestion_support import select
from tests.integration.sealed_log import HUAINAN, NANJING, forging, stand_guard


@pytest.fixture(scope="module")
def sealed(warehouse_factory: WarehouseFactory, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Settings]:
    url = warehouse_factory(migrated=True)
    with pytest.MonkeyPatch.context() as patch:
        _isolate(patch, tmp_path_factory.mktemp("sealed") / "local")
        patch.setenv("FUND_DATABASE_URL", url)
        settings = Settings.from_env()
        sealed_log.make(settings)
        yield settings


def test_look(sealed: Settings, postgres_url) -> None:
    for r in select("select region_code, seq, batch_id, line_no, event_type, source_event_key, original_seq, derived_columns, pseudonym_key_id is not null from events.event order by 1,2"):
        print(r)
    for r in select("select region_code, batch_id, first_seq, last_seq, file_id, encode(derived_hash,'hex') from events.batch order by 1,2"):
        print(r)
    print(select("select f.file_name, q.error_codes from events.quarantine q join events.file_registry f using (file_id)"))
    for r in verify():
        print(r)
        assert r.found == 0
    with forging(sealed_log.as_superuser(sealed, postgres_url)) as cursor:
        stand_guard(cursor)
        print(verify_snapshot(cursor, sealed))
        print(first_bad_seqs(cursor, next(sealed.heads_dir.iterdir())))
    for f in sealed.heads_dir.rglob("*.jsonl"): print(f.read_text())
    assert 0
