"""A site made by hand, as large and as bad as wanted, without a database."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import cast

from expectations.check import GATE
from expectations.suites import suites_of
from ingestion.database import Connection
from reporting import arrivals, findings, history, periods, quality
from reporting.overview import Clock, Overview
from reporting.site import Source, frame_of
from reporting.site import findings as findings_page
from reporting.site import ingestion as ingestion_page
from reporting.site import overview as overview_page
from reporting.site import periods as periods_page
from reporting.site.writing import write_assets

MADE_AT = datetime(2026, 11, 22, 8, 0, tzinfo=UTC)
_SEEN_AT = datetime(2026, 11, 19, 8, 0, tzinfo=UTC)
_MONTH = date(2020, 6, 1)
# More than the fund of a large city takes in a year: the widest figure that a column must hold.
WIDE = Decimal("98765432109.87")


def write_site(folder: Path, regions: int, items: int, *, codes: int = 22) -> dict[str, Path]:
    """The pages and their assets in a folder; returns the pages by name."""
    content = overview(regions, codes=codes)
    names = ["merged_fund_320100.xlsx"]
    source = Source(cast(Connection, None), content, names, ["第320200市（DivisionByZero）"], folder)
    frame = frame_of(source)
    pages = {
        "index.html": overview_page.render(source, frame, first_page(content, items)),
        "findings.html": findings_page.render(source, frame, listed(content, items)),
        "ingestion.html": ingestion_page.render(source, frame, arrived(content)),
        "periods.html": periods_page.render(source, frame, [_periods(v.region_code) for v in content.verdicts]),
    }
    write_assets(folder)
    (folder / names[0]).write_bytes(b"")
    written = {name: folder / name for name in pages}
    for name, html in pages.items():
        written[name].write_text(html, encoding="utf-8")
    return written


def first_page(content: Overview, items: int) -> overview_page.Content:
    """Thirty runs of every region, a change of every kind, and the largest findings."""
    regions = [verdict.region_code for verdict in content.verdicts]
    made = [_run(region, number) for region in regions for number in range(history.RUNS)]
    since = []
    for region in regions:
        first, *_, last = content.results_of(region)  # failed, and passed
        worse = history.Changed(first, replace(first, success=True))
        better = history.Changed(last, replace(last, success=False))
        moved = history.Changed(first, replace(first, unexpected_count=1))
        since.append(history.Since(region, made[-2], 1234, [worse], [better], [moved]))
    return overview_page.Content(made, since, _current(content, items)[: overview_page.TOP], 100_000)


def listed(content: Overview, items: int) -> findings_page.Content:
    """So many findings of every failed check, and as many again that are not listed."""
    current = _current(content, items)
    bad = [result for result in content.results if not result.success]
    totals = [findings.Total(r.region_code, r.code, "open", 2 * items, WIDE, 90) for r in bad]
    return findings_page.Content(findings_page.rows_of(current, content.results), totals)


def arrived(content: Overview) -> ingestion_page.Content:
    """Thirty days of files and of quarantine, and a calendar with files that are missing or late."""
    days = [_MONTH + timedelta(days=number) for number in range(history.DAYS)]
    names = [verdict.region_code for verdict in content.verdicts]
    due = arrivals.SourceDue(
        "nanjing", "claim", "monthly day 10", names[0], 5, 1, 2, 3, 1, False, "202004", _MONTH, "202005", _MONTH
    )
    seen = "nanjing_claim_202006.csv (rejected E-FILE-NAME)"
    missing = arrivals.DueFile("nanjing", "claim", None, "202006", _MONTH, "missing", None, None, seen)
    late = replace(missing, state="late", region_code=names[0], arrived_on=_MONTH + timedelta(days=3))
    return ingestion_page.Content(
        due_sources=[due, replace(due, source_system="tax", unreadable=True), replace(due, missing=0)],
        due_files=[missing, late],
        manifests=[arrivals.Manifests(names[0], 3, 2, 1)],
        quarantine_days=[history.QuarantineDay(day, n % 7 * 100, n % 5 * 90, 1000 + n) for n, day in enumerate(days)],
        files_days=[history.FilesDay(day, n % 4, n % 3, n % 2, n * 1000) for n, day in enumerate(days)],
    )


def overview(regions: int, *, codes: int = 22) -> Overview:
    """So many regions, each with `codes` checks that fail."""
    names = [f"{320100 + 100 * number}" for number in range(regions)]
    results = [result for name in names for result in _results(name, codes)]
    return Overview(
        clock=Clock(MADE_AT, date(2026, 11, 22)),
        run=quality.Run("asset_triggered__2026-11-22T08:00:00+00:00_x", _SEEN_AT, _SEEN_AT, _SEEN_AT),
        verdicts=[
            _verdict(name, [r.code for r in results if not r.success and r.region_code == name]) for name in names
        ],
        results=results,
        open_rows=[arrivals.OpenRows(name, 10_000, WIDE, 3, _SEEN_AT, ((2500, WIDE),) * 4) for name in names],
        open_codes=[arrivals.OpenRowsOfCode(name, "E-TYPE-AMOUNT", 10_000, WIDE) for name in names],
        open_list=[_open_row(name, number) for name in names for number in range(10)],
        rejected_files=1,
        sources=[
            arrivals.SourceFiles(name, 9, 5, 1, 2, 1, 10**6, 10**6, 10**5, 10**4, 10**3, _SEEN_AT) for name in names
        ],
        files=[arrivals.ListedFile(names[0], "二月.csv", "rejected", "E-FILE-NAME", "文件名不合约定", _SEEN_AT, False)],
        last_months=dict.fromkeys(names, _MONTH),
    )


def _results(region: str, failing: int) -> list[quality.CheckResult]:
    checks = [(suite, check) for suite, checks in suites_of(GATE).items() for check in checks]
    return [
        quality.CheckResult(
            region, suite, check.code, "warn" if number % 5 == 4 else "fail", number >= failing, 1000, 200, WIDE,
            check.title_zh, check.title_en, check.owner, check.clause, _SEEN_AT, _SEEN_AT, 3,
        )
        for number, (suite, check) in enumerate(checks)
    ]  # fmt: skip


def _verdict(region: str, failed: list[str]) -> quality.RegionVerdict:
    head = quality.Head(40000, "ab" * 32, "cd" * 32, _SEEN_AT, "before")
    decision: quality.Decision = "refused" if failed else "published"
    values = (f"第{region}市", "City", 41449, 41449, 41449, decision, tuple(failed), _SEEN_AT, _SEEN_AT, True, head)
    return quality.RegionVerdict(region, *values)


def _finding(result: quality.CheckResult, number: int) -> quality.Finding:
    item = {
        "reason": "报表与分录不符 / the statement differs from the journal", "accounting_month": "2020-06-01",
        "entry_id": f"{result.region_code}-{number}-1", "event_seq": number, "event_type": "claim.paid",
        "source_system": "nanjing", "source_file": "nj_claim_2020Q2.csv", "source_line": number,
        "debit_amount": WIDE, "fund_code": "EMI", "severity": result.severity,
    }  # fmt: skip
    return quality.Finding(result.region_code, result.code, f"EMI/2020-06/{number}", item, WIDE, "run", _SEEN_AT, 3)


def _open_row(region: str, number: int) -> arrivals.OpenRow:
    codes, message = ["E-TYPE-AMOUNT"], "nj_claim_2020Q2.csv:7 E-TYPE-AMOUNT 金额格式不正确 / not an amount"
    return arrivals.OpenRow(
        region, "nanjing", "nj_claim_2020Q2.csv", number, "claim", f"K{number}", codes, [message], None, _SEEN_AT
    )  # fmt: skip


def _run(region: str, number: int) -> history.RunOfRegion:
    at = MADE_AT - timedelta(days=history.RUNS - number)
    decision = ("published", "unchanged", "refused", None)[number % 4]
    failed = 2 if decision == "refused" else 0
    amount = WIDE / (number + 1) if failed else Decimal(0)
    return history.RunOfRegion(region, f"run-{number}", at, 1000 + number, decision, 20, number % 3, failed, 9, amount)


def _current(content: Overview, items: int) -> list[findings.Current]:
    bad = [result for result in content.results if not result.success]
    found = []
    for number, result in enumerate(result for result in bad for _ in range(items)):
        status = ("open", "open", "open", "accepted", "resolved")[number % 5]
        accepted = ("王芳", "已与银行核对", date(2026, 12, 31)) if status == "accepted" else (None, None, None)
        found.append(findings.Current(_finding(result, number), result.severity, status, *accepted))
    return found


def _periods(region: str) -> periods.Periods:
    digest = "ab" * 32
    files = tuple(
        periods.SignedFile(name, digest, 54321, f"signed/{region}/2020-04/{name}")
        for name in ("SHA256SUMS", "close.html", f"merged_fund_{region}_2020-04.xlsx")
    )
    closed = periods.Closed(
        region,
        date(2020, 4, 1),
        "王芳",
        _SEEN_AT,
        "李强",
        _SEEN_AT,
        _SEEN_AT,
        4321,
        digest,
        digest,
        None,
        _SEEN_AT,
        files,
    )
    unsigned = replace(closed, month=date(2020, 3, 1), signed_at=None, reason="在途资金", files=())
    item = periods.ChecklistItem("B09", "waivable", "收入户月末余额为零", "the income account is empty", 3)
    request = periods.Request(
        f"{region}-2020-05-1", 1, "王芳", _SEEN_AT, 5000, digest, "rejected", "李强", _SEEN_AT, "请核对",
        {"ok": 5, "waivable": 1}, (item,), f"draft/{region}/2020-05/1/close.html",
    )  # fmt: skip
    freeze = periods.Freeze(_SEEN_AT, "赵敏", "重放结果不一致", "audit-1", ("H03",))
    return periods.Periods(region, [closed, unsigned], 7, [_MONTH, date(2020, 5, 1)], request, freeze)
