"""Who reads what comes after his head sees every event once and in order, however slowly some writers commit."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path

import psycopg2
import pytest

from runtime import dbt
from tests.faults.conftest import MakeIngestion
from tests.faults.ingesting import Ingestion, ask, command, ended, until
from tests.faults.landing_area import REGIONS, land, payment
from tests.faults.log_state import audit
from tests.faults.stopping import stopped

pytestmark = pytest.mark.slow

FILES, ROWS = 8, 40
Superuser = Callable[[Ingestion], str]
_HEADS = "SELECT region_code, max(seq) FROM ledger.built_head GROUP BY region_code ORDER BY region_code"
# Payments whose two legs are there once, with their amount, and up to where.
_POSTED = """
SELECT j.region_code, count(*), max(j.event_seq)
FROM (
    SELECT region_code, event_seq, count(*) AS legs, sum(debit_amount) AS debit
    FROM ledger.journal_line GROUP BY region_code, event_seq
) AS j
INNER JOIN events.event AS e ON e.region_code = j.region_code AND e.seq = j.event_seq
WHERE j.legs = 2 AND j.debit = e.pooled_amount
GROUP BY j.region_code ORDER BY j.region_code
"""


class Reader:
    """Polls a region's log after its own head, in a session of its own, until told that no more comes."""

    def __init__(self, url: str, region: str) -> None:
        self._url = url
        self._region = region
        self._last_round = threading.Event()
        self._thread = threading.Thread(target=self._read)
        self.seen: list[int] = []
        self.looks = 0

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def finish(self) -> None:
        """Read what is there and end."""
        self._last_round.set()
        self._thread.join()

    def _read(self) -> None:
        head, more = 0, True
        with closing(psycopg2.connect(self._url)) as connection, connection.cursor() as cursor:
            connection.autocommit = True
            while more:
                more = not self._last_round.is_set()
                cursor.execute(
                    "SELECT seq FROM events.event WHERE region_code = %s AND seq > %s ORDER BY seq",
                    (self._region, head),
                )
                found = [seq for (seq,) in cursor.fetchall()]
                self.seen += found
                self.looks += bool(found)
                head = max([head, *found])


@contextmanager
def slow_commits(superuser_url: str) -> Iterator[None]:
    """Every second writer takes a while to commit, with its positions given and its rows written."""
    command(
        superuser_url,
        """
        CREATE FUNCTION events.dawdle() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            IF new.file_id % 2 = 0 THEN PERFORM pg_sleep(0.3); END IF;
            RETURN NULL;
        END $$
        """,
        "CREATE CONSTRAINT TRIGGER dawdle AFTER INSERT ON events.file_outcome DEFERRABLE INITIALLY DEFERRED"
        " FOR EACH ROW EXECUTE FUNCTION events.dawdle()",
    )
    yield
    command(superuser_url, "DROP FUNCTION events.dawdle() CASCADE")


def test_no_reader_misses_an_event_of_a_slow_writer(
    tmp_path: Path, ingestion_on: MakeIngestion, superuser: Superuser
) -> None:
    _land(tmp_path)
    ingestion = ingestion_on(tmp_path)
    readers = [Reader(ingestion.url, region) for region in REGIONS]
    with slow_commits(superuser(ingestion)):
        for reader in readers:
            reader.start()
        try:
            _ingest_all_at_once(ingestion)
        finally:
            for reader in readers:
                reader.finish()
    for reader in readers:
        assert reader.seen == list(range(1, FILES * ROWS + 1))
        assert reader.looks > 2  # it read while they wrote
    assert audit(ingestion.url, contents=True) == []


@pytest.mark.exhaustive
def test_the_ledger_misses_no_event_that_is_committed_while_it_is_built(
    deployed_warehouse: str, fund_environment: Path, tmp_path: Path, superuser: Superuser
) -> None:
    nanjing, huainan = REGIONS
    for name, region in (("slow", nanjing), ("fast", nanjing), ("other", huainan), ("later", huainan)):
        land(tmp_path, name, "a.claim.1.csv", [payment(n, region, name) for n in range(ROWS)])
    ingestion = Ingestion(deployed_warehouse, tmp_path, fund_environment)
    with (
        stopped(superuser(ingestion), "commit", "file_outcome", "new.file_id = 1") as point,
        ended(ingestion.start("ingest", "slow", "a.claim.1.csv")) as slow,
    ):
        point.backend()
        with ended(ingestion.start("ingest", "fast", "a.claim.1.csv")) as fast:
            ingestion.finish("ingest", "other", "a.claim.1.csv")
            with closing(psycopg2.connect(superuser(ingestion))) as holder, holder.cursor() as cursor:
                cursor.execute("LOCK TABLE ledger.journal_line IN EXCLUSIVE MODE")
                build = threading.Thread(target=dbt.build, args=("beside",))
                build.start()
                until(lambda: ask(ingestion.url, _HEADS) == [(huainan, ROWS)])  # it knows how far it goes, and waits
                point.release()
                assert (slow.wait(), fast.wait()) == (0, 0)
                ingestion.finish("ingest", "later", "a.claim.1.csv")
            build.join()
    assert ask(ingestion.url, _POSTED) == [(huainan, ROWS, ROWS)]
    dbt.build("after")
    assert ask(ingestion.url, _HEADS) == [(region, 2 * ROWS) for region in REGIONS]
    assert ask(ingestion.url, _POSTED) == [(region, 2 * ROWS, 2 * ROWS) for region in REGIONS]
    assert audit(ingestion.url, contents=True) == []


def _land(root: Path) -> None:
    """In each region files of its own, and some that both share."""
    for number in range(FILES):
        kind = f"file{number}"
        if number % 4 == 3:
            rows = [payment(n, region, kind) for region in REGIONS for n in range(ROWS)]
            land(root, "both", f"{number}.claim.1.csv", rows)
        else:
            for region in REGIONS:
                land(root, region, f"{number}.claim.1.csv", [payment(n, region, kind) for n in range(ROWS)])


def _ingest_all_at_once(ingestion: Ingestion) -> None:
    files = sorted(path.relative_to(ingestion.landing).parts for path in ingestion.landing.glob("*/*.csv"))
    with ExitStack() as stack:
        running = [stack.enter_context(ended(ingestion.start("ingest", *file))) for file in files]
        for process in running:
            _, err = process.communicate()
            assert process.returncode == 0, err
