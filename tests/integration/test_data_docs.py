"""Data Docs: what Great Expectations has returned is kept, without persons, and its pages are made of that."""

from __future__ import annotations

import dataclasses
import re
from contextlib import suppress
from html import unescape
from pathlib import Path

import pytest
from psycopg2 import errors

from expectations.check import GATE
from expectations.document import DOCUMENTS_KEPT
from expectations.gate import GateRefusedError, check, publish
from expectations.suites import SUITES, gate_checks, suites_of
from ingestion.database import connect
from reporting import data_docs
from reporting.books import one_state
from tests.integration.gate_books_copy import GateBooks
from tests.integration.overview_support import mutation

pytestmark = pytest.mark.slow

REGIONS = ("320100", "340400")
RUN = "scheduled__2026-11-26T11:42:00+08:00"
HOSTILE = "<script>alert(1)</script>"


def made(books: GateBooks, folder: Path) -> list[str]:
    """Bring the pages up to date; names of those that are new, below the folder of the site."""
    with one_state(books.settings) as connection:
        written = data_docs.write(connection, folder)
    return [path.relative_to(folder / data_docs.FOLDER).as_posix() for path in written]


def page(folder: Path, suite: str, region: str, run: str = "scheduled__2026-11-26T11-42-00-08-00") -> str:
    (path,) = (folder / data_docs.FOLDER).glob(f"validations/{suite}-{region}/{run}/*/*.html")
    return path.read_text("utf-8")


def words(html: str) -> str:
    """Text of a page, on one line."""
    return re.sub(r"\s+", " ", unescape(re.sub(r"<style>.*?</style>|<[^>]+>", " ", html, flags=re.DOTALL)))


def copies(books: GateBooks, runs: list[str], hostile: str = "") -> None:
    """Documents of later runs, as the check would have left them; item and clause of each replaced by `hostile`."""
    for minutes, run in enumerate(runs, start=1):
        books.corrupt(
            f"""insert into quality.validation_document
            select '{run}', region_code, suite, head_seq, validated_at + interval '{minutes} minutes', success,
                replace(jsonb_set(document, '{{meta,run_id}}', jsonb_build_object('run_name', '{run}', 'run_time',
                    (document #>> '{{meta,run_id,run_time}}')::timestamptz + interval '{minutes} minutes'))::text,
                    'EMI', 'EMI{hostile}')::jsonb
            from quality.validation_document where run_id = '{RUN}'"""
        )


def test_pages_say_what_great_expectations_said_and_name_nobody(books: GateBooks, tmp_path: Path) -> None:
    books.corrupt(mutation("M03", "a maternity benefit from the personal account"))
    check(RUN, books.settings)
    written = made(books, tmp_path)
    assert len(written) == len(suites_of(GATE)) * len(REGIONS) + 1
    assert written[-1] == "index.html"
    assert (tmp_path / "assets/vendor/bootstrap/dist/css/bootstrap.min.css").is_file()
    results = books.rows(f"select region_code, suite, code, success from quality.check_result where run_id = '{RUN}'")
    assert len(results) == len(gate_checks()) * len(REGIONS)
    for region, suite, code, success in results:
        verdict = "通过 passed" if success else "(?:不通过 failed|提示 warning)"
        assert re.search(rf"{verdict} {code} ", words(page(tmp_path, suite, region))), (region, code)
    merger = words(page(tmp_path, "merger", "320100"))
    assert merger.index("不通过 failed M03") < merger.index("通过 passed M01"), "what failed comes first"
    index = words((tmp_path / data_docs.INDEX).read_text("utf-8"))
    assert index.count("不通过 failed") >= 1
    assert RUN in index
    listed = books.rows(f"select item from quality.finding where run_id = '{RUN}' and code = 'M03'")
    numbers = {item[name] for (item,) in listed for name in ("person_no", "claim_no") if item.get(name)}
    assert numbers
    documents = str(books.rows("select document from quality.validation_document"))
    pages = "".join(path.read_text("utf-8") for path in tmp_path.rglob("*.html"))
    assert [number for number in numbers if number in documents or number in pages] == []


def test_a_check_that_could_not_run_says_so_without_a_traceback(
    books: GateBooks,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    broken = dataclasses.replace(SUITES["balance"][0], offending="select 1 / 0 as item, 0 as amount")
    monkeypatch.setitem(SUITES, "balance", (broken, *SUITES["balance"][1:]))
    check(RUN, books.settings)
    made(books, tmp_path)
    html = page(tmp_path, "balance", "340400")
    assert "检查未能执行 the check could not be run" in words(html)
    assert "division by zero" in words(html)
    assert "Traceback" not in html
    assert "site-packages" not in str(books.rows("select document from quality.validation_document"))


def test_pages_are_made_once_and_old_runs_go(
    books: GateBooks,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    check(RUN, books.settings)
    check(RUN, books.settings)
    first = made(books, tmp_path)
    assert len(first) == len(suites_of(GATE)) * len(REGIONS) + 1, "a check that is repeated replaces its documents"
    monkeypatch.setattr("reporting.data_docs.site.build", lambda *_: pytest.fail("nothing is new"))
    assert made(books, tmp_path) == []
    monkeypatch.undo()
    copies(books, ["later"], HOSTILE)
    assert len(made(books, tmp_path)) == len(first), "only the new ones"
    copies(books, [f"run-{number}" for number in range(DOCUMENTS_KEPT)])
    check("newest", books.settings)
    kept = {run for (run,) in books.rows("select distinct run_id from quality.validation_document")}
    assert kept == {"newest", "later", *(f"run-{number}" for number in range(DOCUMENTS_KEPT))} - {"later", "run-0"}
    made(books, tmp_path)
    assert not [path for path in tmp_path.rglob("*") if RUN[:20] in path.name or path.name == "later"]
    assert len(list(tmp_path.rglob("warehouse-*.html"))) == DOCUMENTS_KEPT * len(first[:-1])


def test_what_an_item_holds_stays_text(books: GateBooks, tmp_path: Path) -> None:
    books.corrupt(mutation("M03", "a maternity benefit from the personal account"))
    check(RUN, books.settings)
    copies(books, ["hostile"], HOSTILE)
    made(books, tmp_path)
    html = page(tmp_path, "merger", "320100", "hostile")
    assert HOSTILE not in html
    assert HOSTILE in unescape(html)


def test_another_version_makes_all_pages_anew(
    books: GateBooks,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    check(RUN, books.settings)
    first = made(books, tmp_path)
    monkeypatch.setattr(data_docs, "version", lambda: "another")
    assert made(books, tmp_path) == first


def test_a_verdict_stands_when_its_document_can_not_be_kept(books: GateBooks, tmp_path: Path) -> None:
    books.corrupt("alter table quality.validation_document rename to gone")
    assert [verdict.green for verdict in check(RUN, books.settings)] == [True, True]
    assert {decision.decision for decision in publish(RUN, books.settings)} == {"published"}
    assert made(books, tmp_path) == []


def test_pages_do_not_disturb_the_gate(books: GateBooks) -> None:
    """The quality role may drop documents and nothing else of what it has recorded."""
    check(RUN, books.settings)
    with suppress(GateRefusedError):
        publish(RUN, books.settings)
    with connect("fund_quality", settings=books.settings) as connection, connection.cursor() as cursor:
        cursor.execute("delete from quality.validation_document")
        with pytest.raises(errors.InsufficientPrivilege):
            cursor.execute("delete from quality.check_result")
