"""A swap while others read, build and publish; and a replay cut off at its worst moments."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from contextlib import closing

import psycopg2
import pytest

from runtime import dbt
from runtime.layout import REPOSITORY
from runtime.replay import Outcome, Request, rebuilt_equals_incremental, replay
from tests.integration import replay_support as books
from tests.integration.posting_log import PostingLog
from tests.integration.replay_support import HUAINAN, NANJING, ask

pytestmark = pytest.mark.slow

READ = (
    "SELECT sum(closing_balance), count(*) FROM marts.trial_balance WHERE region_code = '340400'",
    "SELECT sum(s.amount_month), count(*) FROM marts.general_ledger AS g JOIN marts.income_expenditure_statement AS s"
    " USING (region_code, fund_code, accounting_month) WHERE region_code = '340400'",
    "SELECT sum(amount), count(*) FROM marts.maternity_expenditure JOIN marts.balance_sheet USING (region_code)"
    " WHERE region_code = '340400'",
)
TRIED_FOR_S = 300
MORE = books.PREMIUM | {"occurred_on": "2020-04-10", "employer_amount": 50}


class Readers:
    """Sessions of a login of finance staff that ask for the same figures over and over."""

    def __init__(self, url: str, count: int) -> None:
        self._url = url
        self._over = threading.Event()
        self._threads = [threading.Thread(target=self._read, args=(number,)) for number in range(count)]
        self.answers: set[tuple[str, str]] = set()
        self.errors: list[str] = []
        self.slowest_s = 0.0
        self.rounds = 0

    def __enter__(self) -> Readers:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        for thread in self._threads:
            thread.join()

    def _read(self, number: int) -> None:
        try:
            with closing(psycopg2.connect(self._url)) as connection, connection.cursor() as cursor:
                connection.autocommit = number % 2 == 0  # the others hold what they have read until they have read all
                while not self._over.is_set():
                    self._round(cursor)
                    connection.commit()
                    time.sleep(0.05)
        except psycopg2.Error as error:
            self.errors.append(f"{type(error).__name__}: {error}")

    def _round(self, cursor: psycopg2.extensions.cursor) -> None:
        for query in READ:
            began = time.monotonic()
            cursor.execute(query)
            self.answers.add((query, str(cursor.fetchall())))
            self.slowest_s = max(self.slowest_s, time.monotonic() - began)
        self.rounds += 1


def until(condition: Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + TRIED_FOR_S
    while not condition():
        assert time.monotonic() < deadline, f"waited in vain until {what}"
        time.sleep(0.1)


def rebuilding() -> bool:
    return "ledger_replay" in books.schemas()


@pytest.mark.exhaustive
@pytest.mark.timeout(1800)
def test_readers_builds_and_publications_go_on_while_the_books_are_replayed_and_swapped(small_books_copy: str) -> None:
    journal, endings = books.relation_oid("ledger.journal_line"), []
    with books.login(small_books_copy, "finance_reader", None) as reader_url, Readers(reader_url, 4) as readers:
        replaying = threading.Thread(target=lambda: endings.append(replay("live", Request(swap=True))))
        replaying.start()
        until(rebuilding, "the shadow is being built")
        PostingLog(NANJING).add(MORE)
        dbt.build("meanwhile")
        books.publish()
        replaying.join()
        rounds = readers.rounds
        until(lambda: readers.rounds > rounds + 10 or bool(readers.errors), "readers have read the new books")

    assert readers.errors == []
    assert len(readers.answers) == len(READ)  # never other figures, before, while and after
    assert readers.slowest_s < 10
    (ending,) = endings
    assert (ending.outcome, ending.notes) == (Outcome.SWAPPED, [])
    assert books.relation_oid("ledger.journal_line") != journal
    assert ask("SELECT max(event_seq) FROM ledger.journal_line WHERE region_code = %s", NANJING) == [(3,)]
    assert ask("SELECT seq FROM marts.published_head WHERE region_code = %s", NANJING) == [(3,)]
    assert books.schemas() == {"ledger", "marts"}


def start_replay() -> subprocess.Popen[str]:
    """`python -m runtime replay --swap` as a group of processes of its own."""
    command = [sys.executable, "-m", "runtime", "replay", "--swap", "--run-id", "cut off"]
    return subprocess.Popen(
        command, cwd=REPOSITORY, env=dict(os.environ), start_new_session=True, stdout=subprocess.DEVNULL, text=True
    )


def cut_off(process: subprocess.Popen[str]) -> None:
    """As a power cut does it: everything at once, without a word."""
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def swap_is_waiting() -> bool:
    waiting = "SELECT count(*) FROM pg_stat_activity WHERE query LIKE 'ALTER VIEW%%SET SCHEMA%%' AND state = 'active'"
    return bool(ask(waiting)[0][0])


@pytest.mark.exhaustive
@pytest.mark.timeout(1800)
def test_cut_off_at_any_instant_either_the_former_or_the_new_books_are_live(small_books_copy: str) -> None:
    before, journal = books.fingerprints(small_books_copy), books.relation_oid("ledger.journal_line")

    # While the shadow is being built: leftovers, nothing else.
    process = start_replay()
    until(rebuilding, "the shadow is being built")
    cut_off(process)
    assert books.relation_oid("ledger.journal_line") == journal
    assert books.fingerprints(small_books_copy) == before

    # While the swap waits for a reader: all of it is undone.
    with closing(psycopg2.connect(small_books_copy)) as reader, reader.cursor() as reading:
        reading.execute("SELECT count(*) FROM marts.trial_balance")
        process = start_replay()
        until(swap_is_waiting, "the swap waits for the reader")
        cut_off(process)
    assert books.relation_oid("ledger.journal_line") == journal
    assert books.schemas() == {"ledger", "marts", "ledger_replay", "marts_replay"}
    assert books.fingerprints(small_books_copy) == before

    # Right after the swap, before the former books are cleared away.
    with closing(psycopg2.connect(small_books_copy)) as old, old.cursor() as looking:
        with closing(psycopg2.connect(small_books_copy)) as reader, reader.cursor() as reading:
            reading.execute("SELECT count(*) FROM marts.trial_balance")
            process = start_replay()
            until(swap_is_waiting, "the swap waits for the reader")
            old.set_session(isolation_level="REPEATABLE READ", readonly=True)
            looking.execute("SELECT count(*) FROM events.batch")
        until(lambda: books.relation_oid("ledger.journal_line") != journal, "the books are swapped")
        cut_off(process)
    assert books.schemas() >= {"ledger", "marts", "ledger_retired", "marts_retired"}
    assert books.fingerprints(small_books_copy) == before
    assert ask("SELECT outcome FROM quality.replay_outcome") == [("swapped",)]

    # The next replay clears the rest; the next build goes on.
    PostingLog(HUAINAN).add(MORE)
    dbt.build("goes on")
    assert rebuilt_equals_incremental("the next one")
    assert books.schemas() == {"ledger", "marts"}


@pytest.mark.exhaustive
@pytest.mark.timeout(1200)
def test_a_transaction_that_would_see_empty_tables_is_waited_for(small_books_copy: str) -> None:
    """Its snapshot is older than the rows of the new tables: were it to read them, there would be no figures."""
    endings: list[Outcome] = []
    with closing(psycopg2.connect(small_books_copy)) as reader, reader.cursor() as cursor:
        reader.set_session(isolation_level="REPEATABLE READ", readonly=True)
        cursor.execute("SELECT count(*) FROM events.batch")
        replaying = threading.Thread(target=lambda: endings.append(replay("wait", Request(swap=True)).outcome))
        replaying.start()
        until(lambda: bool(ask("SELECT count(*) > 0 FROM quality.replay_result")[0][0]), "all is compared")
        time.sleep(3)
        assert endings == []
        cursor.execute("SELECT count(*) FROM marts.trial_balance")
        assert cursor.fetchone() != (0,)
    replaying.join()
    assert endings == [Outcome.SWAPPED]


@pytest.mark.usefixtures("small_books_copy")
def test_two_replays_never_run_at_once() -> None:
    lock = "SELECT pg_advisory_lock(hashtextextended('merged_fund.replay', 0))"
    with closing(psycopg2.connect(os.environ["FUND_DATABASE_URL"])) as other, other.cursor() as cursor:
        cursor.execute(lock)
        done = subprocess.run(
            [sys.executable, "-m", "runtime", "replay"], cwd=REPOSITORY, capture_output=True, text=True, check=False
        )
    assert (done.returncode, done.stdout.splitlines()[-1:]) == (1, ["RESULT=error"])
    assert done.stderr.startswith("error: R-REPLAY-RUNNING")
