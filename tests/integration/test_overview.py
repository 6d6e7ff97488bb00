"""The site on a real PostgreSQL: it says what became of each region, and hostile text stays text."""

from __future__ import annotations

import os
import re
import shutil
import stat
from contextlib import suppress

import pytest

import reporting.workbook
from expectations.gate import GateRefusedError, check, publish
from expectations.suites import SUITES, all_checks, gate_checks
from ingestion.database import Connection
from ingestion.settings import Settings
from reporting import write
from reporting.__main__ import main
from reporting.advice import ACTIONS
from reporting.books import Region
from reporting.names import OWNERS
from reporting.publish import ReportsError
from reporting.site import PAGES
from reporting.site.writing import ASSETS
from tests.integration.gate_books import EVENTS_PER_BATCH
from tests.integration.gate_books_copy import GateBooks
from tests.integration.overview_support import Words, html_of, mutation, run, site_of, words_of

pytestmark = pytest.mark.slow

CHECKS = len(gate_checks())
HOSTILE = """<script>alert(1)</script>"><img src=x onerror=alert(2)> javascript:alert(3) </style> {{ 7 * 7 }} '\\"""


def test_published_books_are_said_to_be_trustworthy(books: GateBooks) -> None:
    run(books)
    site = words_of(books.settings, workbooks=["merged_fund_320100.xlsx"])
    words = site["index.html"]
    assert "2 个统筹区的账簿全部可信，均已发布。" in words["verdict"]
    ((idle,),) = books.rows(
        "select count(*) from quality.check_result where region_code = '320100' and rows_examined = 0"
    )
    said = f"南京市：账簿可信，已发布，截至2020年1月；{CHECKS} 项检查全部通过（其中 {idle} 项本次无新数据可查）。"
    assert said in words["r-320100"]
    assert "published through January 2020" in words["r-320100"]
    assert ("a", "href", "merged_fund_320100.xlsx") in words.attributes
    assert ("a", "href", "merged_fund_340400.xlsx") not in words.attributes
    assert "没有尚未解决的隔离行" in site["ingestion.html"]["quarantine"]
    assert "所存哈希一致" in words["heads"]
    assert "没有未解决的问题" in words["top"]
    assert "最近 1 次运行：0 次未予发布，0 次有提示" in words["trend"]
    assert "没有可比较的上次运行" in words["since"]


def test_refusal_names_rows_amount_age_owner_and_what_is_still_shown(books: GateBooks) -> None:
    books.corrupt(mutation("M03", "a maternity benefit from the personal account"))
    run(books)
    site = words_of(books.settings)
    words, findings = site["index.html"], site["findings.html"]
    assert "2 个统筹区中：1 个未发布；1 个已发布，可信。" in words["verdict"]
    said = words["r-320100"]
    assert "本次未予发布" in said
    assert "M03" in said
    assert "最早发现于" in said
    assert "待遇结算" in said
    assert "可查询的账簿仍为2020年2月1日 10:00 发布的结果，截至2019年12月。" in said
    for place in ("300.00", "待遇结算", "如何处理"):
        assert place in findings["320100-M03"]
    for place in ("300.00", "320100-10-1", "2020-01", "320100.2020-01.csv", "第 11 行", "待遇结算", "如何处理"):
        assert place in findings["findings"]
    assert "不通过 M03" in words["lights"]
    assert ("a", "href", "findings.html#320100-merger") in words.attributes
    assert "320100-merger" in findings.texts
    assert re.search(r"(M03|B05|M02) .*300\.00", words["top"])
    assert "账簿可信" in words["r-340400"]


def test_warnings_are_published_and_shown(books: GateBooks) -> None:
    books.corrupt(
        mutation("C05", "one row in eight set aside")
        + "update events.quarantine set amount = 1;"
        + "update policy.policy_region set quarantine_row_share_max = 0.2, quarantine_amount_share_max = 0.2"
    )
    shutil.rmtree(books.settings.heads_dir)
    run(books)
    site = words_of(books.settings)
    words, files = site["index.html"], site["ingestion.html"]
    assert (
        "账簿可信，已发布，截至2020年1月；另有 2 项检查提示（C05、H01），共 2 行，涉及金额 1.00 元" in words["r-320100"]
    )
    assert "由数据运维、内部审计负责处理" in words["r-320100"]
    assert "320100.2020-01.csv" in files["quarantine"]
    assert "金额格式不正确" in files["quarantine"]
    assert re.search(r"尚未解决 1 行，涉及金额 .*1\.00 元", files["quarantine"])
    assert "未留存或落后" in words["heads"]


def test_missing_files_are_named(books: GateBooks) -> None:
    books.corrupt(
        "insert into events.source_calendar values"
        " ('source_320100', 'claim', 'monthly day 10 until 2020-02', '2020-02-01', '320100')"
    )
    run(books)
    words = Words(html_of(books.settings, file="ingestion.html"))
    assert "逾期未到 1 份" in words["due"]
    assert "202002" in words["due"]
    assert re.search("南京市 .*320100 待遇结算 .*202002 2020-03-10", words["due"])


def test_other_reasons_for_a_refusal_are_said_in_words(books: GateBooks) -> None:
    check("run-1", books.settings)
    books.corrupt(
        "set session_replication_role = replica; delete from quality.check_result where code in ('B02', 'H01');"
        " insert into ledger.built_head (region_code, batch_id, seq, batch_hash, run_id, built_at)"
        " values ('320100', 3, 99, sha256('x'), 'late', now())"
    )
    undecided = Words(html_of(books.settings, "run-1"))
    assert f"检查已完成，尚未作出发布决定：{CHECKS - 2} 项检查全部通过" in undecided["r-320100"]
    assert "已检查，未作决定" in undecided["r-320100"]
    with pytest.raises(GateRefusedError):
        publish("run-1", books.settings)
    words = Words(html_of(books.settings, "run-1"))
    assert "缺少检查 B02、H01 的结果" in words["r-340400"]
    assert "检查之后账簿又有变动" in words["r-320100"]
    assert "由数据运维负责处理" in words["r-320100"]
    assert "未检查 1 项" in words["lights"]
    assert "未检查" in words["heads"]
    with suppress(GateRefusedError):
        publish("never", books.settings)
    assert "未完成对该统筹区的检查" in Words(html_of(books.settings, "never"))["r-320100"]


def test_run_that_broke_before_the_checks_is_not_taken_for_a_verdict(books: GateBooks) -> None:
    site = words_of(books.settings, "broken-run")
    words = site["index.html"]
    assert "本次运行未形成结论" in words["verdict"]
    assert "本次运行在质量检查完成之前中断" in words["r-320100"]
    assert f"另有 {EVENTS_PER_BATCH[1]} 笔已入库的业务数据尚未检查、尚未发布" in words["r-320100"]
    assert "可信" not in words["r-320100"]
    assert f"未检查 {len(SUITES['balance'])} 项" in words["lights"]
    assert "本次运行没有检查结果" in site["findings.html"]["checks"]


def test_unchanged_region_says_since_when_it_is_so(books: GateBooks) -> None:
    run(books)
    run(books, "run-2")
    site = words_of(books.settings)
    words = site["index.html"]
    assert "账簿可信；本次没有新数据，仍为" in words["r-320100"]
    assert "没有变化" in words["since"]
    assert "逐笔检查已在发布时完成" in words["r-320100"]
    ((idle,),) = books.rows(
        "select count(*) from quality.check_result"
        " where run_id = 'run-2' and region_code = '320100' and success and rows_examined = 0"
    )
    assert idle >= 10
    assert f"{CHECKS} 项检查全部通过（其中 {idle} 项本次无新数据可查）" in words["r-320100"]
    assert "通过（无数据可查）" in site["findings.html"]["all-320100"]
    assert "未被改动" not in words["heads"]


@pytest.mark.parametrize("warehouse", ["migrated_warehouse", "deployed_warehouse"])
def test_empty_database_has_a_page(warehouse: str, request: pytest.FixtureRequest) -> None:
    request.getfixturevalue(warehouse)
    site = words_of(Settings.from_env())
    words = site["index.html"]
    assert "尚无数据：系统中还没有任何统筹区的账簿。" in words["verdict"]
    assert "尚未收到任何文件" in site["ingestion.html"]["sources"]
    assert "尚无账簿" in site["periods.html"]["content"]
    assert "本次运行没有检查结果" in site["findings.html"]["checks"]
    assert ("南京市（320100）" in words["verdict"]) == (warehouse == "deployed_warehouse")


def test_hostile_text_stays_text(books: GateBooks) -> None:
    text = HOSTILE.replace("'", "''")
    books.corrupt(
        mutation("C05", "within the threshold")
        + f"""update events.quarantine set source_event_key = '{text}', messages = array['{text}'],
                error_codes = array['{text}'];
            update events.file_registry set file_name = '{text}2020-01.csv', source_system = '{text}' where file_id = 2;
            insert into events.file_registry values (77, '{text}', '{text}', repeat('0', 64), 1, now());
            insert into events.file_outcome values (77, 1, 'rejected', 'E-FILE-NAME', '{text}', null, 0, 0, 0, 0, null,
                'reader', null, now());
            update policy.policy_region set name_zh = '{text}', name_en = '{text}' where region_code = '340400'"""
    )
    run(books, HOSTILE)
    site = site_of(books.settings)
    for html in site.values():
        words = Words(html)
        assert words.tags.isdisjoint({"img", "iframe", "object", "form"})
        assert not [name for _, name, _ in words.attributes if name.startswith("on")]
        scripts = re.findall("<script[^>]*>", html)
        assert scripts
        assert all(re.fullmatch(r'<script src="assets/[a-z/.]+\.js"( defer)?>', script) for script in scripts)
        links = {value for tag, name, value in words.attributes if name in ("href", "src") and tag != "script"}
        own = r"[a-z_]+\.html(#[\w=&-]+)?|disclosure_\d{6}\.csv"
        allowed = rf"#.*|data:,|data_docs/index\.html|assets/(site|print|statement)\.css|{own}"
        assert [link for link in links if not re.fullmatch(allowed, link)] == []
        assert html.count("</style>") == 1
    files = Words(site["ingestion.html"])
    assert "{{ 7 * 7 }}" in files["quarantine"]
    assert "onerror=alert(2)" in files["rejected"]


def test_long_lists_are_cut_and_say_so(books: GateBooks) -> None:
    books.corrupt(
        "set session_replication_role = replica;"
        "insert into events.quarantine (quarantine_id, file_id, line_no, region_code, family, source_system,"
        " source_event_key, error_codes, messages, amount, quarantined_at)"
        " select n, 2, n, '320100', 'claim', 'source_320100', 'Q' || n, array['E-TYPE-AMOUNT'],"
        " array['第 ' || n || ' 行金额格式不正确 / line ' || n || ' has no amount'], n,"
        " timestamptz '2026-11-22 00:00Z' - n % 120 * interval '1 day' from generate_series(1, 10000) as n;"
        "update events.file_outcome set rows = rows + 10000, quarantined = 10000, declared_rows = rows + 10000"
        " where file_id = 2"
    )
    run(books)
    site = site_of(books.settings)
    assert max(len(html.encode()) for html in site.values()) < 700_000
    words = Words(site["ingestion.html"])
    assert re.search(r"尚未解决 10,000 行，涉及金额 .*50,005,000\.00 元", words["quarantine"])
    assert "另有 9,950 行未在本页列出" in words["quarantine"]
    assert "10,000.00" in words["quarantine"]  # the largest amounts are listed
    findings = Words(site["findings.html"])
    assert "另有 9,800 条未在本页列出" in findings["320100-C05"]
    assert "events.quarantine_open" in findings["320100-C05"]


def test_same_state_gives_the_same_page(books: GateBooks) -> None:
    books.corrupt(mutation("M03", "a maternity benefit from the personal account"))
    run(books)
    assert site_of(books.settings) == site_of(books.settings)


def test_page_is_there_when_the_workbooks_are_not(published_copy: str, monkeypatch: pytest.MonkeyPatch) -> None:
    assert published_copy
    folder, real = Settings.from_env().reports_dir, reporting.workbook.workbook

    def failing(connection: Connection, region: Region, **given: object) -> bytes:
        if region.region_code == "320100":
            with connection.cursor() as cursor:
                cursor.execute("select 1 / 0")
        return real(connection, region, **given)

    monkeypatch.setattr(reporting.workbook, "workbook", failing)
    with pytest.raises(ReportsError, match="320100: division by zero"):
        write()
    words = Words((folder / "index.html").read_text("utf-8"))
    assert re.search("以下文件未能生成： .*南京市（DivisionByZero）", words["verdict"])
    assert "工作簿尚未生成" in words["r-320100"]
    assert ("a", "href", "merged_fund_340400.xlsx") in words.attributes
    assert main(["write"]) == 1


def test_page_is_there_when_the_writer_is_killed(published_copy: str, monkeypatch: pytest.MonkeyPatch) -> None:
    assert published_copy
    folder = Settings.from_env().reports_dir
    write()
    (folder / "merged_fund_340400.xlsx").unlink()
    os.utime(folder / "merged_fund_320100.xlsx", (0, 0))
    (folder / "index.html").write_text("old")
    monkeypatch.setattr(reporting.workbook, "workbook", _killed)
    with pytest.raises(KeyboardInterrupt):
        write()
    words = Words((folder / "index.html").read_text("utf-8"))
    assert "2 个统筹区的账簿全部可信" in words["verdict"]
    assert "xlsx" not in {value for _, _, value in words.attributes}  # of another publication, or not there


def _killed(*_: object, **__: object) -> bytes:
    raise KeyboardInterrupt


def test_page_is_replaced_in_one_step(published_copy: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert published_copy
    folder = Settings.from_env().reports_dir
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "index.html").write_text("old")
    assert main(["write"]) == 0
    page = folder / "index.html"
    assert capsys.readouterr().out.splitlines()[-1] == str(page)
    assert stat.S_IMODE(page.stat().st_mode) == 0o644
    of_months = re.compile(r"(statement_\d{6}_|\.?reconciliation_\d{6}).*")
    assert {path.name for path in folder.iterdir() if not of_months.fullmatch(path.name)} == {
        *(page.file for page in PAGES), "assets", "data_docs", "merged_fund_320100.xlsx", "merged_fund_340400.xlsx",
        "disclosure_320100.csv", "disclosure_340400.csv",
    }  # fmt: skip
    assert {path.name for path in (folder / "assets").iterdir()} == {*ASSETS, "vendor"}
    words = Words(page.read_text("utf-8"))
    assert "2 个统筹区的账簿全部可信，均已发布。" in words["verdict"]
    assert ("a", "href", "merged_fund_340400.xlsx") in words.attributes


def test_command_says_what_is_wrong(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setenv("FUND_DATABASE_URL", "postgresql://nobody@127.0.0.1:1/nowhere")
    assert main(["write"]) == 1
    assert "not all reports were written" in capsys.readouterr().err


def test_every_check_has_an_action_and_a_named_owner() -> None:

    assert {check.code for check in all_checks()} == set(ACTIONS)
    assert {check.owner for check in all_checks()} <= set(OWNERS)
