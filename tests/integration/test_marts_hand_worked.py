"""Both cities through ingestion, dbt and publication to the marts; every expected figure is worked out by hand here.

The facts are the files of `hand_worked/`; both cities lie in the same files. Yuan; p = pooled, a = personal account.

Nanjing, merger on 2020-01-01. Books opened on 2019-12-01:
    EMI  special 100,000 + expenditure 20,000 = 120,000; personal accounts 30,000, so pooled 90,000
    MAT  special 50,000, all pooled
  December
    NJ-C1  collected 1,000 + 200, credit 150, late fee 5:
           treasury 1,205 = 400101 850p + 400102 150a + 400103 200a + 490101 5p
    NJ-C2  maternity premium: MAT treasury 80 = 400110 80
    NJ-P1  delivery under 510: MAT special -3,000 = 50011001 3,000;
           the personal part is EMI's: special -100 = 50010201 100a
    NJ-P2  inpatient: expenditure account -4,500 = 50010101 4,000p + 50010202 500a
    NJ-T1  interest: special 60 = 4201 60p
    EMI  I11 1,000 (850p 150a), I12 200a, I30 60p, I50 5p, I90 1,265 (915p 350a); E111 4,000p, E12 600a, E90 4,600
         S10 1,265 - 4,600 = -3,335 (-3,085p -250a); S25 120,000; S30 116,665 (86,915p 29,750a)
         A20 1,205 + A41 (100,000 + 60 - 100 =) 99,960 + A50 (20,000 - 4,500 =) 15,500 = A90 116,665
    MAT  I11 80, E1131 3,000, S10 -2,920, S25 50,000, S30 47,080 = A20 80 + A41 47,000
  January
    NJ-T2  merger: MAT's 80 in the treasury and 47,000 in the special account go to EMI, 3001 47,080
    NJ-C3  maternity arrears received after the merger: treasury 40 = 400101 40p
    NJ-C4  refund 100 + 20 with credit 15: special -120 = 400101 -85p + 400102 -15a + 400103 -20a, red
    NJ-P3, P4, P5  caesarean 5,000, allowance 12,000, nutrition subsidy 1,000 out of the expenditure account
    NJ-P6  recovered of NJ-P1, a payment of an earlier year: special 300 = 490102 300p
    NJ-T3  treasury to special 1,000; NJ-T4  special to expenditure account 10,000
    EMI  I11 40 - 85 - 15 = -60 (-45p -15a), I12 -20a, I50 300p, I90 220 (255p -35a)
         E1131 5,000, E1132 12,000 + 1,000 = 13,000, of which E1133 1,000; E113 = E90 = 18,000
         S10 -17,780 (-17,745p -35a); S20 116,665; S25 47,080p; S30 145,965 (116,250p 29,715a)
         A20 1,205 + 80 + 40 - 1,000 = 325; A41 99,960 + 47,000 + 300 - 120 + 1,000 - 10,000 = 138,140
         A50 15,500 + 10,000 - 18,000 = 7,500; A90 145,965
    MAT  S20 47,080, S25 -47,080, S30 0

Huainan, merger on 2019-12-01. Books opened on 2019-11-01:
    EMI  special 60,000 + expenditure 10,000 = 70,000; personal accounts 15,000, so pooled 55,000
    MAT  special 8,000
  November
    HN-C1  flexible worker 600 with credit 100: special 600 = 400104 500p + 100a
    HN-C2  maternity premium: MAT special 30
    HN-P1, P2  prenatal 200 and allowance 900 out of MAT's special account
    HN-A1  advance to a hospital: 1101 1,500 out of the expenditure account
    HN-P3  pharmacy: 50010203 80a out of the expenditure account
    EMI  I13 600 (500p 100a), E12 80a, S10 520 (500p 20a), S25 70,000, S30 70,520 (55,500p 15,020a)
         A41 60,600 + A50 (10,000 - 1,500 - 80 =) 8,420 + A60 1,500 = A90 70,520
    MAT  I11 30, E1131 200, E1132 900, S10 -1,070, S25 8,000, S30 = A41 = 6,930
  December
    HN-T1  merger: 6,930 from MAT to EMI
    HN-A2  offset against the advance: 5001010301 1,000p + 50010201 50a = 1101 -1,050
    HN-P4  recovered of HN-P1, same year: special 120 = 5001010301 -120, red, in EMI now
    HN-P5, P6  delivery 2,500 paid, then reversed since the bank never paid: all red, nothing remains
    HN-P7  allowance: 5001010302 1,300 out of the expenditure account
    HN-C3  maternity arrears: special 60 = 400101 60p
    EMI  I11 60p, E1131 1,000 - 120 + 2,500 - 2,500 = 880, E1132 1,300, E113 2,180, E12 50a, E90 2,230
         S10 -2,170 (-2,120p -50a); S20 70,520; S25 6,930; S30 75,280
  A file that comes after the first publication
    HN-P8  miscarriage of 28 November under 510: MAT 50011001 70 in November, and 70 less goes to EMI in December
    MAT  November E1131 270, S10 -1,140, S30 6,860; December S25 -6,860, S30 0
    EMI  December S25 6,860, S30 75,210 (60,240p 14,970a)
         A41 60,600 + 6,860 + 120 + 60 = 67,640; A50 8,420 - 1,300 = 7,120; A60 1,500 - 1,050 = 450; A90 75,210
         since the opening: S10 520 - 2,170 = -1,650; S25 70,000 + 6,860 = 76,860; S20 0; S30 75,210
"""

from __future__ import annotations

import shutil
from contextlib import closing
from decimal import Decimal
from pathlib import Path

import pytest

from ingestion import runs
from ingestion.database import connect
from ingestion.settings import Settings
from runtime import dbt
from tests.integration.pages_support import amounts, body_and_foot, built, by_id, tree, words

FILES = Path(__file__).parent / "hand_worked"
Figures = dict[str, str]


def query(sql: str, *values: object) -> list[tuple[object, ...]]:
    """Rows that the finance staff's role sees."""
    with closing(connect(role="finance_reader", autocommit=True)) as connection, connection.cursor() as cursor:
        cursor.execute(sql, values)
        return list(cursor.fetchall())


def let_finance_read() -> None:
    """All regions for finance staff as a group: a role without a grant sees no rows."""
    with closing(connect(autocommit=True)) as connection, connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO access.region_grant (reader, reader_role) VALUES ('finance_reader', 'finance_reader')"
        )


def publish_everything(run_id: str) -> None:
    """Move every region's published head to its built head, as the gate does when all is green."""
    with closing(connect(role="fund_publisher", autocommit=True)) as connection, connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO ledger.publication (region_code, seq, batch_id, batch_hash, rules_sha256, run_id)"
            " SELECT DISTINCT ON (region_code) region_code, seq, batch_id, batch_hash, '-', %s FROM ledger.built_head"
            " ORDER BY region_code, seq DESC ON CONFLICT DO NOTHING",
            (run_id,),
        )


def take(run_id: str, *names: str) -> None:
    """Land files, take them in, book and publish them."""
    settings = Settings.from_env()
    folder = settings.landing_dir / "handmade"
    folder.mkdir(parents=True, exist_ok=True)
    for name in names:
        shutil.copy(FILES / name, folder)
    for item in runs.discover(settings):
        runs.ingest(item)
    runs.retry_waiting()
    dbt.deploy(run_id)
    dbt.build(run_id)
    publish_everything(run_id)


def statement(region: str, fund: str, month: str, sub_fund: str = "total", column: str = "amount_month") -> Figures:
    """Line -> amount of the month, lines of zero left out."""
    found = query(
        f"SELECT line_code, {column} FROM marts.income_expenditure_statement WHERE region_code = %s AND fund_code = %s"
        " AND accounting_month = %s AND sub_fund = %s",
        region, fund, f"{month}-01", sub_fund,
    )  # fmt: skip
    assert len(found) == 32, "every line exists in every month"
    return nonzero(found)


def balances(region: str, fund: str, month: str, sub_fund: str = "total") -> Figures:
    """Line -> amount at the end of the month, lines of zero left out."""
    return nonzero(
        query(
            "SELECT line_code, closing_amount FROM marts.balance_sheet WHERE region_code = %s AND fund_code = %s"
            " AND accounting_month = %s AND sub_fund = %s",
            region, fund, f"{month}-01", sub_fund,
        )
    )  # fmt: skip


def nonzero(found: list[tuple[object, ...]]) -> Figures:
    return {str(line): f"{amount:,.0f}" for line, amount in found if isinstance(amount, Decimal) and amount != 0}


def figures(text: str) -> Figures:
    """'I10 5 E10 -3' -> {'I10': '5', 'E10': '-3'}."""
    words = text.split()
    return dict(zip(words[::2], words[1::2], strict=True))


@pytest.mark.timeout(600)
@pytest.mark.usefixtures("deployed_warehouse")
def test_both_cities_come_out_as_worked_out_by_hand(tmp_path: Path) -> None:
    let_finance_read()
    take("first", "both.contribution.1.csv", "both.claim.1.csv", "both.treasury.1.csv")
    assert query("SELECT region_code FROM marts.published_head ORDER BY 1") == [("320100",), ("340400",)]
    check_nanjing()
    check_huainan(mat_spent=200, merged=6930)
    check_pages(built(Settings.from_env(), "statement", tmp_path))

    take("second", "late.claim.2.csv")
    check_nanjing()
    check_huainan(mat_spent=270, merged=6860)
    check_huainan_december()
    check_maternity()
    check_general_ledger()
    # What is late has moved the separate fund, and what that handed over: no other month is written again.
    assert set(built(Settings.from_env(), "statement", tmp_path)) == {
        "statement.html",
        "statement_340400_mat_2019-11.html",
        "statement_340400_mat_2019-12.html",
        "statement_340400_emi_2019-12.html",
    }


def check_pages(pages: dict[str, str]) -> None:
    """The page of Nanjing's January; `pages` are HTML by file name."""
    assert len(pages) == 9
    root = tree(pages["statement_320100_emi_2020-01.html"])
    # Total, pooled and personal of the month, the same of the year, then the total of December.
    assert amounts(by_id(root, "I11")) == [-60, -45, -15, -60, -45, -15, 1000]
    assert amounts(by_id(root, "E113")) == [18000, 18000, 0, 18000, 18000, 0, 0]
    assert amounts(by_id(root, "S30")) == [145965, 116250, 29715, 145965, 116250, 29715, 116665]
    assert amounts(by_id(root, "A41")) == [99960, 138140]
    (behind,) = by_id(root, "x-I11").iterfind(".//table[@class='behind']")
    assert body_and_foot(behind) == ([[-45, -45], [-15, -15]], [-60, -60])
    items = by_id(root, "x-E113").iterfind(".//tr[@class='item']")
    assert sorted(amounts(item)[0] for item in items) == [1000, 5000, 12000]
    vouchers = next(by_id(root, "v-100301-shared").iter("table"))
    assert body_and_foot(vouchers)[1] == [48300, 10120], "merger 47,000, recovered 300, moved in 1,000; out, refund"
    assert "✗" not in words(root)


def check_nanjing() -> None:
    december, january = ("320100", "EMI", "2019-12"), ("320100", "EMI", "2020-01")
    assert statement(*december) == figures(
        "I10 1,200 I11 1,000 I12 200 I30 60 I50 5 I60 1,265 I90 1,265 E10 4,600 E11 4,000 E111 4,000 E12 600 E50 4,600"
        " E90 4,600 S10 -3,335 S25 120,000 S30 116,665"
    )
    assert statement(*december, "personal") == figures(
        "I10 350 I11 150 I12 200 I60 350 I90 350 E10 600 E12 600 E50 600 E90 600 S10 -250 S25 30,000 S30 29,750"
    )
    assert balances(*december) == figures(
        "A20 1,205 A40 99,960 A41 99,960 A50 15,500 A90 116,665 N10 86,915 N20 29,750 N90 116,665 T90 116,665"
    )
    assert statement("320100", "MAT", "2019-12") == figures(
        "I10 80 I11 80 I60 80 I90 80 E10 3,000 E11 3,000 E113 3,000 E1131 3,000 E50 3,000 E90 3,000"
        " S10 -2,920 S25 50,000 S30 47,080"
    )
    assert statement(*january) == figures(
        "I10 -80 I11 -60 I12 -20 I50 300 I60 220 I90 220 E10 18,000 E11 18,000 E113 18,000 E1131 5,000"
        " E1132 13,000 E1133 1,000 E50 18,000 E90 18,000 S10 -17,780 S20 116,665 S25 47,080 S30 145,965"
    )
    assert statement(*january, "pooled")["S30"] == "116,250"
    assert statement(*january, "personal")["S30"] == "29,715"
    assert statement(*january, column="amount_year_to_date")["S20"] == "116,665"
    assert balances(*january) == figures(
        "A20 325 A40 138,140 A41 138,140 A50 7,500 A90 145,965 N10 116,250 N20 29,715 N90 145,965 T90 145,965"
    )
    assert statement("320100", "MAT", "2020-01") == figures("S20 47,080 S25 -47,080")
    assert balances("320100", "MAT", "2020-01") == {}


def check_huainan(mat_spent: int, merged: int) -> None:
    """`mat_spent`: E1131 of the separate fund in November; `merged`: what it hands over."""
    assert statement("340400", "EMI", "2019-11") == figures(
        "I10 600 I13 600 I60 600 I90 600 E10 80 E12 80 E50 80 E90 80 S10 520 S25 70,000 S30 70,520"
    )
    assert balances("340400", "EMI", "2019-11") == figures(
        "A40 60,600 A41 60,600 A50 8,420 A60 1,500 A90 70,520 N10 55,500 N20 15,020 N90 70,520 T90 70,520"
    )
    spent = f"{mat_spent + 900:,}"
    assert statement("340400", "MAT", "2019-11") == figures(
        f"I10 30 I11 30 I60 30 I90 30 E10 {spent} E11 {spent} E113 {spent} E1131 {mat_spent} E1132 900 E50 {spent}"
        f" E90 {spent} S10 {30 - 900 - mat_spent:,} S25 8,000 S30 {merged:,}"
    )
    assert statement("340400", "MAT", "2019-12") == figures(f"S20 {merged:,} S25 -{merged:,}")
    assert statement("340400", "EMI", "2019-12")["S30"] == f"{70520 - 2170 + merged:,}"
    months = query(
        "SELECT DISTINCT accounting_month::text FROM marts.trial_balance"
        " WHERE region_code = '340400' AND fund_code = 'MAT'"
    )
    assert sorted(months) == [("2019-11-01",), ("2019-12-01",)], "the separate fund ends with the merger month"


def check_huainan_december() -> None:
    december = ("340400", "EMI", "2019-12")
    assert statement(*december) == figures(
        "I10 60 I11 60 I60 60 I90 60 E10 2,230 E11 2,180 E113 2,180 E1131 880 E1132 1,300 E12 50 E50 2,230 E90 2,230"
        " S10 -2,170 S20 70,520 S25 6,860 S30 75,210"
    )
    assert statement(*december, column="amount_year_to_date") == figures(
        "I10 660 I11 60 I13 600 I60 660 I90 660 E10 2,310 E11 2,180 E113 2,180 E1131 880 E1132 1,300 E12 130"
        " E50 2,310 E90 2,310 S10 -1,650 S25 76,860 S30 75,210"
    )
    assert balances(*december) == figures(
        "A40 67,640 A41 67,640 A50 7,120 A60 450 A90 75,210 N10 60,240 N20 14,970 N90 75,210 T90 75,210"
    )
    assert query(
        "SELECT account_code, opening_balance::text, debit_amount::text, credit_amount::text, closing_balance::text"
        " FROM marts.trial_balance WHERE region_code = '340400' AND fund_code = 'EMI'"
        " AND accounting_month = '2019-12-01' AND account_code IN ('1004', '1101', '5001010301') ORDER BY 1"
    ) == [
        ("1004", "8420.00", "0.00", "1300.00", "7120.00"),
        ("1101", "1500.00", "0.00", "1050.00", "450.00"),
        ("5001010301", "0.00", "880.00", "0.00", "880.00"),
    ]
    incomplete = query(
        "SELECT DISTINCT region_code, accounting_month::text FROM marts.income_expenditure_statement"
        " WHERE NOT year_to_date_complete ORDER BY 1, 2"
    )
    assert incomplete == [("320100", "2019-12-01"), ("340400", "2019-11-01"), ("340400", "2019-12-01")]


def check_maternity() -> None:
    assert query(
        "SELECT benefit_item, payment_method, claim_count, person_count, amount::text FROM marts.maternity_expenditure"
        " WHERE region_code = '340400' AND fund_code = 'EMI' AND accounting_month = '2019-12-01' ORDER BY 1"
    ) == [
        ("delivery_normal", "per_disease", 1, 1, "1000.00"),
        ("maternity_allowance", "fixed_amount", 1, 1, "1300.00"),
        ("prenatal", "fixed_amount", 0, 0, "-120.00"),
    ]


def check_general_ledger() -> None:
    """The late fact leads back to its file and line, and is followed up into EMI in the merger month."""
    lines = query(
        "SELECT fund_code, accounting_month::text, entry_kind, account_code, debit_amount::integer,"
        " credit_amount::integer FROM marts.general_ledger"
        " WHERE source_file = 'late.claim.2.csv' AND source_line = 2 ORDER BY entry_id, line_no"
    )
    assert ("MAT", "2019-11-01", "normal", "50011001", 70, 0) in lines
    assert ("MAT", "2019-12-01", "closing", "50011001", 0, 70) in lines
    assert ("EMI", "2019-12-01", "merger", "3001", 70, 0) in lines
    assert ("EMI", "2019-12-01", "merger", "100301", 0, 70) in lines
    unnumbered = query(
        "SELECT count(*) FROM marts.general_ledger WHERE voucher_no IS NULL OR account_name IS NULL OR summary = ''"
    )
    assert unnumbered == [(0,)]
    assert query(
        "SELECT sum(debit_amount) = (SELECT sum(debit_amount) FROM marts.general_ledger) FROM marts.voucher"
    ) == [(True,)]
