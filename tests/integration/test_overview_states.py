"""What the overview page says in states that are easily taken for better than they are, and who may write it."""

from __future__ import annotations

import json
import re
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing

import psycopg2
import pytest

from expectations.gate import check
from ingestion.errors import message
from reporting import write
from reporting.__main__ import main
from reporting.books import one_state
from reporting.publish import _LOCK, OlderRunError
from tests.integration.gate_books_copy import GateBooks
from tests.integration.overview_support import Words, corruption, first, html_of, mutation, run, site_of

pytestmark = pytest.mark.slow

_TAMPERED = (
    "set session_replication_role = replica; update ledger.publication set batch_hash = sha256('x') where seq > 7"
)


def test_published_books_that_fail_are_not_called_safe(books: GateBooks) -> None:
    run(books)
    books.corrupt(_TAMPERED + " and region_code = '320100'")
    run(books, "run-2")
    words = Words(html_of(books.settings))
    said = words["r-320100"]
    assert "已发布的账簿未通过检查" in said
    assert "查明之前请勿使用" in said
    assert "H01" in said
    assert "本次未予发布" not in said
    assert ("article", "class", "card red") in words.attributes
    assert "1 个已发布的账簿未通过检查；1 个已发布，可信" in words["verdict"]


def test_refusal_over_history_warns_of_what_is_still_shown(books: GateBooks) -> None:
    books.corrupt(
        "set session_replication_role = replica;"
        " update ledger.publication set batch_hash = sha256('x') where region_code = '320100'"
    )
    run(books)
    said = Words(html_of(books.settings))["r-320100"]
    assert "本次未予发布" in said
    assert "该项检查也涉及此前已发布的数据，内部审计查明之前请勿使用" in said


def test_decision_before_the_newest_checks_counts_no_more(books: GateBooks) -> None:
    run(books)
    books.corrupt(mutation("B02", first("B02")))
    check("run-1", books.settings)
    words = Words(html_of(books.settings))
    assert ("article", "class", "card red") in words.attributes
    assert "账簿可信" not in words["r-320100"]
    assert "B02" in words["r-320100"]
    assert "已发布的账簿未通过检查" in words["r-320100"]


def test_all_passed_is_said_of_full_results_only(books: GateBooks) -> None:
    run(books)
    assert "检查全部通过，没有提示" in Words(html_of(books.settings, file="findings.html"))["checks"]
    books.corrupt("delete from quality.check_result where region_code = '340400'")
    missing = Words(html_of(books.settings, file="findings.html"))["checks"]
    assert "全部通过" not in missing
    assert re.search("淮南市 .*本次运行没有任何检查结果", missing)
    books.corrupt("delete from quality.check_result where region_code = '320100' and code in ('B02', 'M01')")
    findings = Words(html_of(books.settings, file="findings.html"))
    assert re.search("南京市 .*缺少检查 B02、M01 的结果", findings["checks"])


def test_data_after_the_build_is_no_broken_run(books: GateBooks) -> None:
    books.corrupt(
        "delete from ledger.built_head where region_code = '340400';"
        "delete from ledger.publication where region_code = '340400'"
    )
    run(books)
    late = Words(html_of(books.settings))["r-340400"]
    assert "数据在本次构建之后才收到，下次运行时检查" in late
    assert "中断" not in late
    assert "数据在构建之后才收到，或构建中断" in Words(html_of(books.settings, "without-trace"))["r-340400"]


def test_region_whose_rows_were_all_refused_has_a_card(books: GateBooks) -> None:
    run(books)
    books.corrupt(
        _REJECTED.format(name="bad.csv", file=77, family="null", at="2020-03-01")
        + "insert into policy.policy_region select (jsonb_populate_record(region, jsonb_build_object('region_code',"
        " code, 'name_zh', name))).* from policy.policy_region as region, (values ('320200', '无锡市'),"
        " ('320300', '徐州市')) as new (code, name) where region.region_code = '320100';"
        "insert into events.quarantine (quarantine_id, file_id, line_no, region_code, family, source_system,"
        " error_codes, messages, amount, quarantined_at)"
        " values (1, 77, 2, '320200', 'claim', 's', array['E-TYPE-AMOUNT'], array['x'], 1, now());"
        "insert into events.source_calendar values ('source_320100', 'claim', 'monthly day 10', '2030-01-01', '320300')"
    )
    words = Words(html_of(books.settings))
    for code in ("320200", "320300"):
        assert "已收到文件，但无一行入账" in words[f"r-{code}"]
        assert "未入账" in words[f"r-{code}"]
    assert "4 个统筹区中：2 个未入账；2 个已发布，可信；另有 1 份文件被拒收，尚待更正。" in words["verdict"]


_REJECTED = """
    insert into events.file_registry values ({file}, 'source_320100', '{name}', repeat('0', 64), 1, '{at}');
    insert into events.file_outcome values ({file}, 1, 'rejected', 'E-FILE-HEADER',
        '{name} E-FILE-HEADER 缺少列 [P77, 张三] / missing', {family}, 0, 0, 0, 0, null, 'reader', null, '{at}');
"""


def test_rejected_file_is_made_good_by_one_of_the_same_period(books: GateBooks) -> None:
    # Loaded later: 320100.2020-01.csv of family claim.
    names = {"320100.2020-01.csv": "null", "fix of 202001.csv": "'claim'", "320100.2020-01_v0.csv": "null"}
    open_names = {"treasury of 202001.csv": "'treasury'", "other.2020-01.csv": "null", "claim 201911.csv": "'claim'"}
    listed = {**names, **open_names}
    books.corrupt(
        "".join(
            _REJECTED.format(name=name, file=80 + number, family=family, at="2020-01-01")
            for number, (name, family) in enumerate(listed.items())
        )
    )
    words = Words(html_of(books.settings, file="ingestion.html"))
    for name in listed:
        expected = "拒收，后已更正" if name in names else "拒收 rejected"
        assert re.search(re.escape(f"source_320100/{name}") + " +" + expected, words["rejected"]), name
    assert "张三" not in words[""]


def test_file_that_two_regions_wait_for_is_one_file(books: GateBooks) -> None:
    books.corrupt(
        "insert into events.source_calendar values ('tax', 'contribution', 'monthly day 10 until 2020-03',"
        " '2020-02-01', null);"
        "insert into events.file_registry values (90, 'tax', 'tax.2020-01.csv', repeat('1', 64), 1, now());"
        "update events.batch set file_id = 90 where batch_id = 2"
    )
    run(books)
    words = Words(html_of(books.settings, file="ingestion.html"))
    assert "逾期未到 1 份，未到期限 1 份" in words["due"]
    assert re.search("tax 该来源各统筹区 .*征缴 .*202002", words["due"])


def test_page_names_no_person(books: GateBooks) -> None:
    rows = [
        {"person_no": f"PERSON-{n}", "birth_date": "1990-05-17", "claim_no": "CLAIM-9", "amount": n} for n in (1, 2)
    ]
    stored, new = (json.dumps(row) for row in rows)
    conflict = message("E-CONFLICT", f"已有/stored {stored}；新到/new {new}", "a.csv:7")
    reference = message("E-REF-ORIGINAL", "PERSON-3", "a.csv:8")
    books.corrupt(
        "set session_replication_role = replica;"
        "update events.event set person_no = 'PERSON-' || seq, claim_no = 'CLAIM-' || seq, birth_date = '1990-05-17';"
        "update ledger.journal_line set person_no = 'PERSON-' || event_seq, claim_no = 'CLAIM-' || event_seq;"
        + ";".join(
            corruption(code, why)
            for code, why in (
                ("M03", "a maternity benefit from the personal account"),
                ("M06", first("M06")),
                ("C05", "one row in eight set aside"),
            )
        )
    )
    with closing(psycopg2.connect(books.admin_url)) as connection, connection, connection.cursor() as cursor:
        cursor.execute(
            "update events.quarantine set source_event_key = 'PERSON-5', error_codes = %s, messages = %s",
            (["E-CONFLICT", "E-REF-ORIGINAL"], [conflict, reference]),
        )
    run(books)
    site = site_of(books.settings)
    words = Words(site["ingestion.html"])
    assert {"320100-M03", "320100-M06", "320100-C05"} <= Words(site["findings.html"]).texts.keys()
    assert "a.csv:7 E-CONFLICT 同一业务编号已有不同内容" in words["quarantine"]
    assert "不同的列/columns that differ: amount, person_no" in words["quarantine"]
    assert "a.csv:8 E-REF-ORIGINAL 找不到原业务" in words["quarantine"]
    for personal in ("PERSON-", "CLAIM-", "1990-05-17"):
        assert [name for name, html in site.items() if personal in html] == []
    assert "本网站不列人员编号" in words["notes"]


def test_rows_by_source_foot(books: GateBooks) -> None:
    books.corrupt("update events.file_outcome set loaded = 15, quarantined = 2, rows = 18 where file_id = 2")
    words = Words(html_of(books.settings, file="ingestion.html"))
    # Two files of 8 and 18 rows: 22 + 2 + 2 = 26, of the last two both have come since.
    assert re.search("source_320100 2 2 0 0 0 26 22 2 2 2 ", words["sources"])


def test_hidden_items_lead_to_the_workbook_of_the_same_run_only(books: GateBooks) -> None:
    books.corrupt(mutation("M03", "a maternity benefit from the personal account"))
    run(books)
    books.corrupt("update quality.check_result set unexpected_count = 300 where code = 'M03' and not success")
    html = html_of(books.settings, workbooks=["merged_fund_320100.xlsx"], file="findings.html")
    said = Words(html)["320100-M03"]
    assert "另有 299 条未在本页列出" in said
    assert "quality.finding（每项检查留存 200 条）" in said
    assert "xlsx" not in said


def test_older_run_leaves_the_page_alone(books: GateBooks, capsys: pytest.CaptureFixture[str]) -> None:
    run(books)
    books.corrupt("set session_replication_role = replica; update ledger.publication set batch_hash = sha256('x')")
    run(books, "run-2")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("reporting.publish.write_workbooks", lambda *_: iter(()))
        write("run-2", books.settings)
        page = books.settings.reports_dir / "index.html"
        before = page.read_bytes()
        with pytest.raises(OlderRunError, match="run run-1 is older than run-2"):
            write("run-1", books.settings)
        assert main(["write", "--run", "run-1"]) == 1
        assert "run-2" in capsys.readouterr().err
        assert page.read_bytes() == before
        write("broken-before-it-built", books.settings)
    assert "本次运行未形成结论" in page.read_text("utf-8")


def test_writers_wait_for_one_another(books: GateBooks, monkeypatch: pytest.MonkeyPatch) -> None:
    run(books)
    monkeypatch.setattr("reporting.publish.write_workbooks", lambda *_: iter(()))
    with one_state(books.settings) as slow, ThreadPoolExecutor(1) as pool:
        with slow.cursor() as cursor:
            cursor.execute(_LOCK)
        slow.commit()
        writing = pool.submit(write, None, books.settings)
        while not books.rows("select from pg_locks where locktype = 'advisory' and not granted"):
            assert not writing.done()
        run(books, "run-2")  # what is found while a writer waits is on its page
        slow.close()
        written = writing.result(240)
    (page,) = [path for path in written if path == books.settings.reports_dir / "index.html"]
    assert "run-2" in Words(page.read_text("utf-8"))[""]
