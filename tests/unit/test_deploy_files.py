"""deploy/ beside the compose file, and the commands of docs/deployment.md: understood by those who read them."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import time
import urllib.error
import urllib.request
from base64 import b64encode
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import pytest

from runtime.__main__ import _parser
from runtime.layout import REPOSITORY, Layout
from tests.e2e.compose_services import COMPOSE, compose
from tests.programs import require

DEPLOY = REPOSITORY / "deploy"
DOCUMENT = (REPOSITORY / "docs" / "deployment.md").read_text("utf-8")
SERVICES = compose(LANDING_FOLDER="/srv/landing", AIRFLOW__API__BASE_URL="https://fund.example.cn")["services"]
BURST = 41


def _reports_conf(folder: Path, port: int) -> Path:
    """The web server's configuration with this machine's places."""
    (folder / "reports_users").write_text("")
    text = (DEPLOY / "nginx/reports.conf").read_text("utf-8")
    places = {"/run/secrets/": f"{folder}/", "/tmp/": f"{folder}/", "/srv/fund/reports": str(folder)}
    places["listen 8081"] = f"listen 127.0.0.1:{port}"
    # In one go: this test's folder lies below /tmp/ itself.
    text = re.sub("|".join(map(re.escape, places)), lambda found: places[found[0]], text)
    path = folder / "nginx.conf"
    path.write_text(text, "utf-8")
    return path


def test_the_web_servers_configuration_is_understood(tmp_path: Path) -> None:
    nginx = require("nginx", "FUND_REQUIRE_NGINX")
    done = subprocess.run([nginx, "-t", "-c", _reports_conf(tmp_path, 8081)], capture_output=True, check=False)
    assert done.returncode == 0, done.stderr


@contextmanager
def _reports(folder: Path) -> Iterator[str]:
    """The web server of the reports in the foreground; yields its address."""
    port = Layout(folder / "ports").port("reports")
    line = [require("nginx", "FUND_REQUIRE_NGINX"), "-c", str(_reports_conf(folder, port)), "-g", "daemon off;"]
    if os.geteuid() == 0:
        line[-1] += " user root;"  # its own user may not look into this test's folder
    with (folder / "output").open("wb") as output:
        server = subprocess.Popen(line, stdout=output, stderr=output)
    try:
        url = f"http://127.0.0.1:{port}"
        deadline = time.monotonic() + 10
        while _status(f"{url}/healthy") != 204:
            assert server.poll() is None, (folder / "output").read_text()
            assert time.monotonic() < deadline
            time.sleep(0.05)
        yield url
    finally:
        server.terminate()
        server.wait(10)


def _status(url: str, forwarded_for: str = "") -> int | None:
    request = urllib.request.Request(url, headers={"X-Forwarded-For": forwarded_for} if forwarded_for else {})
    try:
        with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(request, timeout=5) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as error:
        return error.code
    except OSError:
        return None


def test_who_guesses_passwords_behind_the_proxy_is_slowed_down_alone(tmp_path: Path) -> None:
    with _reports(tmp_path) as url, ThreadPoolExecutor(8) as pool:

        def guess(number: int) -> int | None:
            # What the client adds in front of the address that the proxy saw makes no other client of it.
            return _status(f"{url}/index.html", f"10.9.0.{number % 250}, 10.1.2.3")

        guesses = list(pool.map(guess, range(8 * BURST)))  # so many that a slow machine still exceeds the rate
        assert set(guesses) == {401, 503}
        assert guesses.count(503) > BURST / 2
        assert _status(f"{url}/index.html", "10.1.2.4") == 401
        assert _status(f"{url}/index.html", "203.0.113.9") == 401
        assert 503 in pool.map(guess, range(8 * BURST))


def test_what_pages_load_is_not_counted_and_asks_for_no_password(tmp_path: Path) -> None:
    (tmp_path / "assets").mkdir()
    (tmp_path / "assets/site.css").write_text("x")
    with _reports(tmp_path) as url, ThreadPoolExecutor(8) as pool:
        assert set(pool.map(lambda _: _status(f"{url}/assets/site.css"), range(8 * BURST))) == {200}
        assert _status(f"{url}/assets/none.css") == 404


def test_pages_and_what_they_load_are_served_and_nothing_beside_them(tmp_path: Path) -> None:
    page = "data_docs/validations/merger-320100/scheduled__2026-11-26T11-42-00-08-00/20261126T033742.015153Z"
    served = {
        **dict.fromkeys(("index.html", "findings.html", "data_docs/index.html"), "text/html"),
        **{"assets/site.css": "text/css", "assets/site.js": "text/javascript"},
        f"{page}/warehouse-merger-320100.html": "text/html",
        "assets/vendor/bootstrap/dist/css/bootstrap.min.css": "text/css",
        "assets/vendor/@scope/package/script.min.js": "text/javascript",
    }
    kept = (
        "data_docs/made.json",
        "assets/site.json",
        "assets/.site.js",
        ".findings.html",
        "assets/vendor/manifest.json",
        "assets/vendor/.hidden/x.js",
        f"{page}/other.html",
    )
    for name in (*served, *kept):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("x")
    with _reports(tmp_path) as url:
        (tmp_path / "reports_users").write_text("reader:{PLAIN}secret\n")
        asked = {name: _answer(f"{url}/{name}", "reader", "secret") for name in (*served, *kept)}
        assert {name: kind for name, (status, kind) in asked.items() if status == 200} == served
        assert {status for name, (status, _) in asked.items() if name in kept} == {404}
        assert _status(f"{url}/data_docs/index.html") == 401


def _answer(url: str, user: str, password: str) -> tuple[int, str]:
    """Status and media type for who signs in."""
    word = b64encode(f"{user}:{password}".encode()).decode()
    request = urllib.request.Request(url, headers={"Authorization": f"Basic {word}"})
    try:
        with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(request, timeout=5) as answer:
            return answer.status, answer.headers.get_content_type()
    except urllib.error.HTTPError as error:
        return error.code, error.headers.get_content_type()


@pytest.mark.parametrize("script", ["postgres/databases.sh", "redis/redis.sh"])
def test_scripts_are_understood_by_their_shells(script: str) -> None:
    path = DEPLOY / script
    shell = "bash" if "bash" in path.read_text("utf-8").splitlines()[0] else "sh"
    assert subprocess.run([shell, "-n", path], check=False).returncode == 0


@pytest.mark.parametrize("url", ["postgresql://merged_fund:it's@postgres/x", "postgresql://merged_fund@postgres/x", ""])
def test_a_password_that_would_need_quoting_stops_the_first_start(url: str, tmp_path: Path) -> None:
    (tmp_path / "fund_database_url").write_text(url)
    (tmp_path / "airflow_database_url").write_text("postgresql://airflow:abc@postgres/x")
    done = subprocess.run(
        ["bash", DEPLOY / "postgres/databases.sh"],
        env={"SECRETS_FOLDER": str(tmp_path), "PATH": "/usr/bin:/bin"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode != 0
    assert "fund_database_url is not a database URL" in done.stderr


def test_an_old_server_is_refused_before_a_role_is_made() -> None:
    text = (DEPLOY / "postgres" / "databases.sh").read_text("utf-8")
    check = text.index("current_setting('server_version_num')::int < 160000")
    assert text.index("ON_ERROR_STOP=1") < check < text.index("CREATE ROLE")


def _commands() -> list[str]:
    """Lines of the code blocks, comments and continuations resolved."""
    blocks = "\n".join(re.findall(r"^```[a-z]*\n(.*?)^```", DOCUMENT, flags=re.MULTILINE | re.DOTALL))
    inline = re.findall(r"`(docker compose [^`]+)`", DOCUMENT)
    return [*re.sub(r"\s#.*|\\\n", "", blocks).splitlines(), *inline]


def _runtime_arguments() -> list[str]:
    """What `python -m runtime` is given by the document's commands."""
    pattern = r"(?:-m runtime|docker compose run --rm|docker run .* merged-fund:\S+) ((?:[a-z]+\b)[^<>|']*)"
    return [found[1].replace("…", "x") for line in _commands() if (found := re.search(pattern, line))]


@pytest.mark.parametrize("arguments", _runtime_arguments())
def test_commands_of_the_document_are_understood(arguments: str) -> None:
    words = shlex.split(arguments)
    _parser().parse_args(words[1:] if words[0] == "migrate" and len(words) > 1 else words)


def test_services_and_settings_of_the_document_exist() -> None:
    for verb in ("exec(?: -T)?", "logs", "restart", "stop"):
        named = re.findall(rf"docker compose {verb} ([a-z][a-z-]+)", DOCUMENT)
        assert set(named) <= set(SERVICES), verb
    assert len(_runtime_arguments()) > 10


def test_settings_are_there_before_the_first_command_that_reads_them() -> None:
    installing = DOCUMENT.partition("## 安装")[2]
    first = re.search(r"^(?:sudo )?docker compose ", installing, flags=re.MULTILINE)
    assert first is not None
    assert installing.index("cp deploy/env.example .env") < first.start()
    assert "${AIRFLOW__API__BASE_URL:?" in COMPOSE.read_text("utf-8")
