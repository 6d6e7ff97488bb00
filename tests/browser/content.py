"""Content of an overview page made by hand, as large and as bad as wanted, without a database."""

from __future__ import annotations

import csv
from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal

from expectations.check import GATE
from expectations.suites import suites_of
from ingestion.settings import REPOSITORY
from reporting import arrivals, books, quality
from reporting.names import Name
from reporting.overview import Clock, FundBooks, Overview

MADE_AT = datetime(2026, 11, 22, 8, 0, tzinfo=UTC)
_SEEN_AT = datetime(2026, 11, 19, 8, 0, tzinfo=UTC)
_MONTH = date(2020, 6, 1)
# More than the fund of a large city takes in a year: the widest figure that a column must hold.
WIDE = Decimal("98765432109.87")


def overview(regions: int, items: int, *, codes: int = 22) -> Overview:
    """So many regions, each with `codes` checks that fail with so many listed items, and with statements."""
    names = [f"{320100 + 100 * number}" for number in range(regions)]
    results = [result for name in names for result in _results(name, codes)]
    return Overview(
        clock=Clock(MADE_AT, date(2026, 11, 22)),
        run=quality.Run("asset_triggered__2026-11-22T08:00:00+00:00_x", _SEEN_AT, _SEEN_AT, _SEEN_AT),
        verdicts=[
            _verdict(name, [r.code for r in results if not r.success and r.region_code == name]) for name in names
        ],
        results=results,
        findings=[_finding(r, number) for r in results if not r.success for number in range(items)],
        open_rows=[arrivals.OpenRows(name, 10_000, WIDE, 3, _SEEN_AT, ((2500, WIDE),) * 4) for name in names],
        open_codes=[arrivals.OpenRowsOfCode(name, "E-TYPE-AMOUNT", 10_000, WIDE) for name in names],
        open_list=[_open_row(name, number) for name in names for number in range(10)],
        missing_files=[_missing(name, names) for name in names],
        rejected_files=1,
        sources=[
            arrivals.SourceFiles(name, 9, 5, 1, 2, 1, 10**6, 10**6, 10**5, 10**4, 10**3, _SEEN_AT) for name in names
        ],
        files=[arrivals.ListedFile(names[0], "二月.csv", "rejected", "E-FILE-NAME", "文件名不合约定", _SEEN_AT, False)],
        books={name: [_fund("EMI"), replace(_fund("MAT"), ended=True)] for name in names},
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


def _missing(source: str, regions: list[str]) -> arrivals.MissingFile:
    seen = f"{source}_claim_202006.csv (rejected E-FILE-NAME)"
    return arrivals.MissingFile(
        f"{source}/claim/202006", source, "claim", "202006", "2020-07-10", True, seen, None, regions[:5]
    )


def _open_row(region: str, number: int) -> arrivals.OpenRow:
    codes, message = ["E-TYPE-AMOUNT"], "nj_claim_2020Q2.csv:7 E-TYPE-AMOUNT 金额格式不正确 / not an amount"
    return arrivals.OpenRow(
        region, "nanjing", "nj_claim_2020Q2.csv", number, "claim", f"K{number}", codes, [message], None, _SEEN_AT
    )  # fmt: skip


def _fund(code: str) -> FundBooks:
    method, account = Name("按病种付费", "Per disease"), Name("生育医疗费用支出", "Maternity medical expenditure")
    maternity = books.MaternityLine(
        benefit_item="delivery_caesarean", item=Name("剖宫产", "Caesarean delivery"),
        payment_method="per_disease", method=method, account_code="5001010301", account=account,
        claim_count=120, person_count=118, amount_month=WIDE,
        claim_count_year_to_date=700, person_count_year_to_date=690, amount_year_to_date=WIDE,
    )  # fmt: skip
    flow, red, balance = books.Flow(WIDE, WIDE), books.Flow(-WIDE, -WIDE), books.Balance(WIDE, WIDE)
    parts = ("total", "pooled", "personal")
    return FundBooks(
        code,
        _MONTH,
        False,
        [
            books.StatementLine(
                **line,
                amounts=dict.fromkeys(parts, red if line["line_code"] == "S10" else flow),
                year_to_date_complete=False,
            )
            for line in _lines("income_expenditure")
        ],
        [books.BalanceLine(**line, amounts=dict.fromkeys(parts, balance)) for line in _lines("balance_sheet")],
        [maternity] * 12,
    )


def _lines(statement: str) -> list[dict[str, object]]:
    path = REPOSITORY / "dbt_project" / "seeds" / "statements" / "statement_line.csv"
    with path.open(encoding="utf-8", newline="") as handle:
        return [
            {
                "line_code": row["line_code"],
                "line_order": int(row["line_order"]),
                "name_zh": row["name_zh"],
                "name_en": row["name_en"],
                "level": max(len(row["line_code"]) - 3, 0),
                "of_which": False,
                "terms": (),
            }
            for row in csv.DictReader(handle)
            if row["statement"] == statement
        ]
