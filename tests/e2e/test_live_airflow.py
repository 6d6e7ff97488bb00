"""The commands, as a user runs them, with a live Airflow on a small landing root."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import closing
from decimal import Decimal
from pathlib import Path
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import psycopg2
import pytest

from runtime.airflow import LocalAirflow
from runtime.layout import REPOSITORY, Layout
from tests.e2e.landing import STATEMENT, land_bad, land_good

pytestmark = [pytest.mark.e2e, pytest.mark.slow, pytest.mark.timeout(1500)]

STATEMENT_QUERY = """
    SELECT line_code, amount_month FROM marts.income_expenditure_statement
    WHERE region_code = '320100' AND fund_code = 'EMI' AND sub_fund = 'total' AND accounting_month = '2020-03-01'
"""


class Commands:
    """Runs `python -m runtime <command>` with a local and a landing directory of its own."""

    def __init__(self, folder: Path) -> None:
        self.local = folder / "local"
        self.landing = folder / "landing"
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("FUND_", "AIRFLOW"))}
        self._environment = {**kept, "FUND_LOCAL_DIR": str(self.local), "FUND_LANDING_DIR": str(self.landing)}

    def __call__(self, *arguments: str) -> tuple[int, list[str]]:
        """Exit code and the lines of standard output."""
        done = subprocess.run(
            [sys.executable, "-m", "runtime", *arguments],
            env=self._environment,
            cwd=REPOSITORY,
            stdout=subprocess.PIPE,
            stderr=None,
            text=True,
            check=False,
        )
        print(done.stdout)
        return done.returncode, done.stdout.splitlines()

    def ask(self, query: str) -> list[tuple[object, ...]]:
        """Rows of a query on the warehouse, whose address `url` prints alone."""
        code, lines = self("url")
        assert code == 0
        (url,) = lines
        with closing(psycopg2.connect(url)) as connection, connection.cursor() as cursor:
            cursor.execute(query)
            return list(cursor.fetchall())

    def processes(self) -> list[str]:
        """Command lines of all living processes that have to do with our local directory."""
        found = []
        for entry in Path("/proc").iterdir():
            if entry.name.isdigit():
                try:
                    line = (entry / "cmdline").read_bytes()
                    about = line + (entry / "environ").read_bytes()
                except OSError:
                    continue
                if str(self.local).encode() in about and int(entry.name) != os.getpid():
                    found.append(line.replace(b"\0", b" ").decode())
        return found


@pytest.fixture
def commands() -> Iterator[Commands]:
    with tempfile.TemporaryDirectory(prefix="merged fund 合并 ") as folder:
        Path(folder).chmod(0o755)
        commands = Commands(Path(folder))
        yield commands
        commands("clean", "--yes")
        assert commands.processes() == []


def test_good_files_are_published_and_bad_ones_refused_by_a_running_airflow(commands: Commands) -> None:
    land_good(commands.landing)
    assert commands("up")[0] == 0

    code, lines = commands("pipeline")
    assert (code, lines[-1]) == (0, "RESULT=published")
    statement = dict(commands.ask(STATEMENT_QUERY))
    assert {line: statement[line] for line in STATEMENT} == {line: Decimal(text) for line, text in STATEMENT.items()}
    (published,) = commands.ask("SELECT seq FROM marts.published_head")
    page = commands.local / "reports" / "index.html"
    assert _seen_in_airflow(commands) == page.read_bytes()
    assert b"E-VALUE-LIST" not in page.read_bytes()

    land_bad(commands.landing)
    code, lines = commands("pipeline")
    assert (code, lines[-1]) == (3, "RESULT=refused")
    assert any("C05" in line for line in lines)
    assert commands.ask("SELECT seq FROM marts.published_head") == [published]
    assert commands.ask("SELECT line_no, error_codes FROM events.quarantine_open") == [(3, ["E-VALUE-LIST"])]
    assert b"E-VALUE-LIST" in _seen_in_airflow(commands)

    assert commands("down")[0] == 0
    assert commands.processes() == []


def _seen_in_airflow(commands: Commands) -> bytes:
    """The overview page as a signed-in user of Airflow gets it, by the address that the navigation leads to."""
    airflow = LocalAirflow(Layout(commands.local))
    login = json.dumps({"username": "admin", "password": airflow.password()}).encode()
    with urlopen(Request(airflow.url() + "/auth/token", login, {"Content-Type": "application/json"})) as answer:
        token = {"Authorization": "Bearer " + json.load(answer)["access_token"]}
    with urlopen(Request(airflow.url() + "/api/v2/plugins", headers=token)) as answer:
        views = [view for plugin in json.load(answer)["plugins"] for view in plugin["external_views"]]
    (address,) = [airflow.url() + view["href"] for view in views if view["url_route"] == "fund-overview"]
    with pytest.raises(HTTPError) as refused:
        urlopen(address)
    assert refused.value.code == 401
    with pytest.raises(HTTPError) as absent:
        urlopen(Request(address.replace("index.html", "airflow.cfg"), headers=token))
    assert absent.value.code == 404
    with urlopen(Request(address.replace("index.html", "assets/site.js"), headers=token)) as script:
        assert "javascript" in script.headers["Content-Type"]
    with urlopen(Request(address, headers=token)) as answer:
        assert "default-src 'none'; script-src 'self'" in answer.headers["Content-Security-Policy"]
        return bytes(answer.read())


@pytest.mark.exhaustive
def test_an_airflow_of_its_own_leaves_only_the_database_running(commands: Commands) -> None:
    land_good(commands.landing)
    code, lines = commands("pipeline")
    assert (code, lines[-1]) == (0, "RESULT=published")
    assert [line for line in commands.processes() if "postgres" not in line] == []
    assert commands("down")[0] == 0
    assert commands.processes() == []


@pytest.mark.exhaustive
def test_the_demonstration_ends_the_same_when_it_is_run_twice(commands: Commands) -> None:
    code, lines = commands("run")
    assert (code, lines[-1]) == (0, "RESULT=published")
    assert not commands.landing.exists()  # samples never go into a landing root that was set
    before = commands.ask("SELECT region_code, seq, batch_hash::text FROM marts.published_head ORDER BY 1")
    assert [row[0] for row in before] == ["320100", "340400"]
    code, lines = commands("run")
    assert (code, lines[-1]) == (0, "RESULT=published")
    assert commands.ask("SELECT region_code, seq, batch_hash::text FROM marts.published_head ORDER BY 1") == before
