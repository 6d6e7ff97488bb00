"""Two cities the code has never heard of, by profiles and seed rows alone: from their files to published statements.

Wuxi sends workbooks in ten thousand yuan, Bengbu text split by bars and gzipped JSON Lines in fen; rates, limits,
credit bands, merger dates, allowances, prices and methods are other than those of the cities that ship. All is in
`two_more_cities`: profiles, rows that take the place of other cities' in the seeds, and the files (workbooks and packed
files as the plain text they are made of). Worked out by hand, in yuan:

Wuxi, merger on 2020-04-01, books opened on 2020-03-01: special 500,000 + expenditure 80,000, personal accounts 100,000;
MAT 60,000 + 5,000.
    March: WX01 of 29 years on 9,000: 7.5 % = 675, 2 % = 180, credit (2.9 % - 2 %) = 81, maternity 0.5 % = 45
           WX04 of 35 years on 6,000: 450, 120, credit (3.4 % - 2 %) = 84, maternity 30
           WX02, a teacher of 50 years on 25,000, so 19,000: 7 % = 1,330, 380, credit 2.6 % = 494, maternity 0.4 % = 76
           I11 2,455 of which personal 659; I12 680; MAT I11 151, E1131 800; it hands over 65,000 + 151 - 800 = 64,351
    April: 8 % = 720 and 480, 7.4 % = 1,406: I11 2,606 of which personal 659; I12 680
    Allowances: the factory's average of 2020 = (9,000 + 6,000) / 2 / 30 = 250.00 a day
           WX04, normal birth in June 2021: 98 + 30 days = 32,000; nutrition 2,200 but 2,315 were paid: 115 too much
           WX01, caesarean in August 2021: 98 + 30 + 15 days = 35,750; nutrition 2,315
    July 2021 E1131 3,600; August E1132 34,315; September E1131 5,200, E1132 38,065 of which nutrition 2,315
    A41 500,000 + 60,000 + 3,135 + 151 + 17 x 3,286 - 50,000 = 569,148
    A50 80,000 + 5,000 - 800 + 50,000 - 3,600 - 34,315 - 43,265 = 53,020
Bengbu, merger on 2019-11-01, books opened on 2019-10-01: special 300,000 + expenditure 60,000, personal accounts
90,000; MAT 20,000.
    October: BB01 of 27 years on 5,000: 6 % = 300, 100, credit 50, maternity 25
             BB02, an official of 46 years on 8,000: 480, 160, credit (3.3 % - 2 %) = 104, maternity 0.4 % = 32
             BB03 on 2,000, so 3,429: 205.74, 68.58, credit 34.29, maternity 17.145 = 17.15
             BB04, by herself: 7.5 % of 4,000 = 300
    November: 6.5 % = 325 and 222.89, 6.4 % = 512: I11 1,059.89 of which personal 188.29; I12 328.58; I13 300
    July 2022: only the own 2 % is credited: I11 1,059.89 of which personal 0
    December: delivery 3,100; prenatal by head 23 x 880 = 20,240; inpatient 7,000 pooled + 500 personal
              allowance: the factory is new, so its average of October: (5,000 + 3,429) / 2 / 30 = 140.48 a day,
              x (98 + 60) = 22,195.84, to her and not to the employer; E113 45,535.84
              A50 60,000 - 45,535.84 - 7,500 = 6,964.16; A41 320,000 + 3 x 1,688.47 = 325,065.41
"""

from __future__ import annotations

import csv
import gzip
import shutil
from collections.abc import Callable, Iterator
from contextlib import closing
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import xlsxwriter

from expectations.gate import check, publish
from expectations.review import review
from ingestion.database import connect
from ingestion.heads import record
from ingestion.runs import run_all
from ingestion.settings import Settings
from reporting.site import PAGES
from runtime import dbt
from tests.integration.pages_support import built

DATA = Path(__file__).parent / "two_more_cities"
WUXI, BENGBU = "320200", "340300"
Ask = Callable[..., list[tuple[Any, ...]]]
TOTALS = ("基数", "单位金额", "个人金额", "费用", "统筹", "自付")


@pytest.fixture
def seeds(fund_environment: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of the seeds with the rows of these two cities instead of those that ship, set as FUND_SEEDS_DIR."""
    assert fund_environment.is_dir()
    folder = tmp_path / "seeds"
    shutil.copytree(dbt.PROJECT / "seeds", folder)
    for path in sorted(folder.rglob("*.csv")):
        columns, shipped = rows_of(path)
        if "region_code" not in columns:
            continue
        own_columns, own = rows_of(DATA / "seeds" / path.relative_to(folder))
        assert set(own_columns) <= set(columns), f"{path.name} does not know all of {own_columns}"
        with path.open("w", encoding="utf-8", newline="") as handle:
            writer = csv.DictWriter(handle, columns, lineterminator="\n")
            writer.writeheader()
            writer.writerows([*(row for row in shipped if not row["region_code"]), *own])
    monkeypatch.setenv("FUND_SEEDS_DIR", str(folder))
    return folder


def rows_of(path: Path) -> tuple[list[str], list[dict[str, str]]]:
    """Columns and rows of a seed; none when there is no such file."""
    if not path.exists():
        return [], []
    with path.open(encoding="utf-8", newline="") as handle:
        reader = csv.DictReader(handle)
        return list(reader.fieldnames or ()), list(reader)


@pytest.fixture
def sources(fund_environment: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Profiles of the two cities alone, set as FUND_SOURCES_DIR."""
    assert fund_environment.is_dir()
    folder = tmp_path / "sources"
    shutil.copytree(DATA / "sources", folder)
    monkeypatch.setenv("FUND_SOURCES_DIR", str(folder))
    return folder


def land(landing: Path) -> None:
    """The files as the cities send them."""
    for path in sorted((DATA / "landing").rglob("*.*")):
        folder = landing / path.parent.name
        folder.mkdir(parents=True, exist_ok=True)
        text = path.read_text("utf-8")
        if path.suffix == ".csv":
            workbook(folder / f"{path.stem}.xlsx", list(csv.reader(text.splitlines())))
        elif path.suffix == ".jsonl":
            (folder / f"{path.name}.gz").write_bytes(gzip.compress(text.encode("gb18030"), mtime=0))
        else:
            (folder / path.name).write_bytes(text.encode("gb18030"))


def workbook(path: Path, rows: list[list[str]]) -> None:
    """A title, the header, the rows with amounts as numbers, and sums of them."""
    header = rows[0]
    sums = dict.fromkeys((place for place, name in enumerate(header) if name in TOTALS), Decimal(0))
    with xlsxwriter.Workbook(path) as book:
        sheet = book.add_worksheet("明细")
        sheet.write_string(0, 0, "明细表（金额单位：万元）")
        for number, row in enumerate(rows, start=1):
            for place, value in enumerate(row):
                if value and number > 1 and (place in sums or header[place] in ("金额", "日标准")):
                    sheet.write_number(number, place, float(value))
                    sums[place] = sums.get(place, Decimal(0)) + Decimal(value)
                elif value:
                    sheet.write_string(number, place, value)
        if "contribution" in path.name or "claim" in path.name:
            sheet.write_string(len(rows) + 1, 0, "合计")
            for place, total in sums.items():
                sheet.write_number(len(rows) + 1, place, float(total))


@pytest.fixture
def reader(migrated_warehouse: str) -> Iterator[Ask]:
    """Ask as finance staff do."""
    assert migrated_warehouse
    with closing(connect(autocommit=True)) as connection, connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO access.region_grant (reader, reader_role) VALUES ('finance_reader', 'finance_reader')"
        )
    with closing(connect(role="finance_reader", autocommit=True)) as connection, connection.cursor() as cursor:

        def ask(sql: str, *values: object) -> list[tuple[Any, ...]]:
            cursor.execute(sql, values)
            return list(cursor.fetchall())

        yield ask


@pytest.mark.exhaustive
@pytest.mark.timeout(900)
@pytest.mark.usefixtures("seeds", "sources")
def test_two_cities_by_configuration_alone(fund_environment: Path, reader: Ask) -> None:
    land(fund_environment / "landing")
    run_all()
    refused = "select source_system, file_name, state, error_code from events.file where state <> 'loaded'"
    assert (told(refused), told("select file_id, line_no, error_codes, raw from events.quarantine")) == ([], [])
    record()
    dbt.deploy("two-cities")
    dbt.build("two-cities")
    verdicts = {verdict.region_code: verdict for verdict in check("two-cities")}
    assert {region: verdict.failed_checks for region, verdict in verdicts.items()} == {WUXI: (), BENGBU: ()}
    assert {decision.decision for decision in publish("two-cities")} == {"published"}

    assert {region: verdict.warned_checks for region, verdict in verdicts.items()} == {WUXI: ("M08",), BENGBU: ()}
    assert told("select item ->> 'claim_no', item ->> 'outcome', amount::text from quality.finding") == [
        ("WXC4", "overpaid", "115.00")
    ]
    examined = "select region_code, rows_examined from quality.check_result where code = %s order by region_code"
    assert told(examined, "T02") == [(WUXI, 1), (BENGBU, 1)]
    assert told(examined, "M08") == [(WUXI, 4), (BENGBU, 1)]

    check_wuxi(reader)
    check_bengbu(reader)
    check_policy(reader)
    reviewed = {verdict.region_code: verdict.warned_checks for verdict in review("review__two-cities")}
    assert reviewed.keys() == {WUXI, BENGBU}
    # One level of warning of the city's own: most of a fund so young is reserve, and it says by which row.
    level = "select item ->> 'threshold' from quality.finding where region_code = %s and finding_key = %s"
    assert told(level, WUXI, "pooled_months_in_reserve") == [("red < 4; yellow < 7; yellow_high > 10; excessive > 18",)]
    check_pages()


def check_policy(reader: Ask) -> None:
    """What is asked of the rules: rates, prices, agreements, entitlements are those of the cities' own rows."""
    rates = (
        "select employer_rate::numeric(5, 4)::text, base_floor::text, base_ceiling::text from marts.rate_in_force"
        " where region_code = %s and employer_type = %s and enrollment_category = 'employee' and insurance_type = '310'"
        " and effective_to is null"
    )
    assert reader(rates, WUXI, "public_institution") == [("0.0740", "3800.00", "19000.00")]
    assert reader(rates, BENGBU, "government") == [("0.0640", "3429.00", "17145.00")]
    assert reader("select claim_no, price::text, unit_count, outcome from marts.price_difference order by 1") == [
        ("D1", "3100.00", 1, "as_priced"),
        ("D2", "880.00", 23, "as_priced"),
        ("WXC1", "800.00", 1, "as_priced"),
        ("WXC2", "3600.00", 1, "as_priced"),
        ("WXC5", "5200.00", 1, "as_priced"),
    ]
    assert reader("select institution_code, outcome from marts.provider_agreement_status order by 1") == [
        ("HB1", "valid"),
        ("HW1", "valid"),
    ]
    assert reader("select claim_no, kind, overpaid_amount::text from marts.entitlement_difference") == [
        ("WXC4", "overpaid", "115.00")
    ]


def check_pages() -> None:
    """Every page speaks of these two cities by the names of their rows, and of no other city."""
    settings = Settings.from_env()
    written = {page.key: " ".join(built(settings, page.key).values()) for page in PAGES}
    for name in ("无锡市", "蚌埠市"):
        assert name in written["overview"]
        assert name in written["statement"]
    others = ("南京市", "淮南市", "Nanjing", "Huainan", "320100", "340400")
    assert {key: [name for name in others if name in page] for key, page in written.items()} == {
        key: [] for key in written
    }


def told(sql: str, *values: object) -> list[tuple[Any, ...]]:
    """Rows that the pipeline itself sees."""
    with closing(connect(autocommit=True)) as connection, connection.cursor() as cursor:
        cursor.execute(sql, values)
        return list(cursor.fetchall())


def lines(reader: Ask, region: str, month: str, *codes: str, fund: str = "EMI", sub_fund: str = "total") -> str:
    """'I11 2455.00 …': lines of the statement of a month."""
    found = dict(
        reader(
            "select line_code, amount_month::text from marts.income_expenditure_statement"
            " where region_code = %s and fund_code = %s and accounting_month = %s and sub_fund = %s",
            region, fund, f"{month}-01", sub_fund,
        )
    )  # fmt: skip
    return " ".join(f"{code} {found[code]}" for code in codes)


def balance(reader: Ask, region: str, month: str, line: str) -> str:
    ((amount,),) = reader(
        "select closing_amount::text from marts.balance_sheet where region_code = %s and fund_code = 'EMI'"
        " and accounting_month = %s and line_code = %s and sub_fund = 'total'",
        region, f"{month}-01", line,
    )  # fmt: skip
    return str(amount)


def check_wuxi(reader: Ask) -> None:
    income = ("I11", "I12")
    assert lines(reader, WUXI, "2020-03", *income) == "I11 2455.00 I12 680.00"
    assert lines(reader, WUXI, "2020-03", *income, sub_fund="personal") == "I11 659.00 I12 680.00"
    assert lines(reader, WUXI, "2020-03", "I11", "E1131", fund="MAT") == "I11 151.00 E1131 800.00"
    assert lines(reader, WUXI, "2020-04", *income, "S25") == "I11 2606.00 I12 680.00 S25 64351.00"
    assert lines(reader, WUXI, "2021-07", "E1131", "E113") == "E1131 3600.00 E113 3600.00"
    assert lines(reader, WUXI, "2021-08", "E1132", "E1133", "E113") == "E1132 34315.00 E1133 2315.00 E113 34315.00"
    assert (
        lines(reader, WUXI, "2021-09", "E1131", "E1132", "E1133", "E113")
        == "E1131 5200.00 E1132 38065.00 E1133 2315.00 E113 43265.00"
    )
    assert (balance(reader, WUXI, "2021-09", "A41"), balance(reader, WUXI, "2021-09", "A50")) == (
        "569148.00",
        "53020.00",
    )


def check_bengbu(reader: Ask) -> None:
    income = ("I11", "I12", "I13")
    assert lines(reader, BENGBU, "2019-10", *income) == "I11 985.74 I12 328.58 I13 300.00"
    assert lines(reader, BENGBU, "2019-10", "I11", fund="MAT") == "I11 74.15"
    assert lines(reader, BENGBU, "2019-11", *income, "S25") == "I11 1059.89 I12 328.58 I13 300.00 S25 20074.15"
    assert lines(reader, BENGBU, "2019-11", "I11", sub_fund="personal") == "I11 188.29"
    assert lines(reader, BENGBU, "2022-07", "I11", "I12") == "I11 1059.89 I12 328.58"
    assert lines(reader, BENGBU, "2022-07", "I11", sub_fund="personal") == "I11 0.00"
    assert (
        lines(reader, BENGBU, "2019-12", "E111", "E1131", "E1132", "E1133", "E113", "E12")
        == "E111 7000.00 E1131 23340.00 E1132 22195.84 E1133 0.00 E113 45535.84 E12 500.00"
    )
    assert (balance(reader, BENGBU, "2019-12", "A41"), balance(reader, BENGBU, "2019-12", "A50")) == (
        "325065.41",
        "6964.16",
    )
    assert reader(
        "select benefit_item, payment_method, claim_count, amount::text from marts.maternity_expenditure"
        " where region_code = %s and fund_code = 'EMI' and accounting_month = '2019-12-01' order by 1",
        BENGBU,
    ) == [
        ("delivery_normal", "per_disease", 1, "3100.00"),
        ("maternity_allowance", "fixed_amount", 1, "22195.84"),
        ("prenatal", "per_capita", 1, "20240.00"),
    ]
