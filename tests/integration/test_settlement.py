"""Payment methods, settlement, providers and time limits on real books; every figure is worked out by hand here.

Nanjing, by the seeds of the project: a normal delivery at a level-3 hospital is 4,200; allowances are decided within 10
working days, reimbursements within 30; what is settled in a month is declared by the 10th of the next and paid within 30
working days; advances may be outstanding for 365 days.

S1  normal delivery at H…104 discharged on 5 March 2020, settled on the 6th for 4,300: 100 too much. Paid on the 20th.
S2  caesarean at H…199, which has no agreement: no level, so no price. 6,300 paid without an agreement.
S3  the same delivery as S1 for 4,200, paid on 20 March in a first batch; its settlement comes with a second one.
S4  inpatient at H…104 settled on 16 December 2019: declared by 10 January, 30 working days (24 to 31 January off, 19
    January and 1 February worked as the calendar says) end on 28 February; paid on 25 March: late.
A1  allowance applied for on 3 February 2020, decided on the 18th: 4-7, 10-14, 17 and 18 February are 11 days: late.
L1  applied for on 28 April 2020: 1 to 5 May are off, Saturday the 9th is worked, so 14 May is the tenth day: in time.
L2  the same, decided on the 15th: 11 days, late.
R2  bill applied for on 15 September 2020: 27 September and 10 October are worked, 1 to 8 October off; 2 November is day 30.
A2  applied for on the 4th, decided on the 18th: 10 days, in time. A3  version 1 of the interface: not known.
R1  bill on paper for 590, applied for on 2 March, decided on the 16th: 10 working days of 30, paid to the person.
Advance of 100,000 on 1 February 2019 to H…102, of which 30,000 are offset: 70,000 outstanding, 424 days at the end of March.
P10: overcharge of H…104 in 2020 is 100 / (4,300 + 4,200) = 1.18 %, above 1 %. Its direct settlement is whole.
"""

# ruff: noqa: E501 - one fact a row reads better than wrapped

from __future__ import annotations

from contextlib import closing
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import psycopg2
import pytest
from posting_log import Fact, PostingLog

from expectations.candidate import read_candidates
from expectations.review import as_published
from expectations.suites.policy import settlement
from ingestion.database import connect
from ingestion.settings import Settings
from runtime import dbt
from tests.integration.pages_support import built, tree, words

NANJING = "320100"
HOSPITAL, WITH_ADVANCE, UNKNOWN = "H32010000104", "H32010000102", "H32010000199"
BIRTH = {"insurance_type": "310", "payment_method": "per_disease", "benefit_item": "delivery_normal"}


def settled(claim: str, day: str, amount: int, **more: object) -> Fact:
    return {"event_type": "claim.settled", "occurred_on": day, "claim_no": claim, "pooled_amount": amount, **more}


def paid(claim: str, day: str, amount: int, **more: object) -> Fact:
    about = {"event_type": "claim.paid", "payee_type": "institution", "payment_no": f"Z{claim}"}
    return about | {"occurred_on": day, "claim_no": claim, "pooled_amount": amount, **more}


def first_batch() -> list[Fact]:
    normal = BIRTH | {"institution_code": HOSPITAL, "discharged_on": "2020-03-05", "person_no": "P1"}
    unknown = BIRTH | {"institution_code": UNKNOWN, "benefit_item": "delivery_caesarean", "discharged_on": "2020-03-02"}
    stay = {"insurance_type": "310", "benefit_item": "inpatient", "institution_code": HOSPITAL, "person_no": "P4"}
    allowance = {"insurance_type": "310", "benefit_item": "maternity_allowance", "person_no": "P5", "schema_version": 2}
    paper = {"insurance_type": "310", "benefit_item": "outpatient", "person_no": "P6", "schema_version": 2}
    lent = {"insurance_type": "310", "institution_code": WITH_ADVANCE}
    return [
        lent | {"event_type": "advance.paid", "occurred_on": "2019-02-01", "claim_no": "V1", "pooled_amount": 100_000},
        settled("S0", "2019-03-01", 30_000, **lent, benefit_item="inpatient", person_no="P0"),
        lent | {"event_type": "advance.offset", "occurred_on": "2019-03-20", "claim_no": "S0", "benefit_item": "inpatient", "person_no": "P0", "pooled_amount": 30_000, "original": 1},
        settled("S4", "2019-12-16", 900, **stay),
        settled("S1", "2020-03-06", 4_300, **normal, medical_fee_total=4_801),
        settled("S2", "2020-03-06", 6_300, **unknown, person_no="P2"),
        settled("A1", "2020-02-18", 500, **allowance, applied_on="2020-02-03"),
        settled("A2", "2020-02-18", 500, **allowance, applied_on="2020-02-04"),
        settled("A3", "2020-02-18", 500, **allowance | {"schema_version": 1}),
        settled("R1", "2020-03-16", 590, **paper, applied_on="2020-03-02"),
        settled("L1", "2020-05-14", 500, **allowance, applied_on="2020-04-28"),
        settled("L2", "2020-05-15", 500, **allowance, applied_on="2020-04-28"),
        settled("R2", "2020-11-02", 590, **paper, applied_on="2020-09-15"),
        paid("S1", "2020-03-20", 4_300, **normal),
        paid("S2", "2020-03-20", 6_300, **unknown, person_no="P2"),
        paid("S3", "2020-03-20", 4_200, **normal | {"person_no": "P3"}),
        paid("S4", "2020-03-25", 900, **stay),
        paid("R1", "2020-03-20", 590, **paper | {"payee_type": "person"}),
    ]  # fmt: skip


def publish() -> None:
    with closing(connect(autocommit=True)) as connection, connection.cursor() as cursor:
        cursor.execute(
            "insert into ledger.publication (region_code, seq, batch_id, batch_hash, rules_sha256, run_id)"
            " select region_code, seq, batch_id, batch_hash, '-', 'by hand' from ledger.built_head"
            " order by seq desc limit 1"
        )


def asked(query: str) -> list[tuple[Any, ...]]:
    with closing(connect()) as connection, connection.cursor() as cursor:
        cursor.execute(query)
        return [tuple(row) for row in cursor.fetchall()]


def found() -> dict[str, tuple[dict[str, Decimal], int, int]]:
    """By check: amounts by item, rows examined, and what there was to examine, as the review's role sees them."""
    results = {}
    with closing(connect("fund_quality")) as connection, connection.cursor() as cursor:
        (candidate,) = read_candidates(connection, Settings.from_env())
        seen = as_published(connection, candidate)
        for check in settlement.CHECKS:
            cursor.execute(f"select item, amount from ({check.bind(check.offending, seen)}) as offending")
            items = dict(cursor.fetchall())
            counts = []
            for query in (check.examined, check.population):
                cursor.execute(check.bind(query, seen))
                counts.append(cursor.fetchone()[0])
            results[check.code] = (items, counts[0], counts[1])
    return results


@pytest.mark.timeout(300)
@pytest.mark.usefixtures("deployed_warehouse")
def test_what_is_settled_paid_and_decided(fund_environment: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert fund_environment.is_dir()
    monkeypatch.setenv("FUND_BUSINESS_DATE", "2020-04-05")
    log = PostingLog(NANJING)
    log.add(*first_batch())
    dbt.build("first")
    log.add(
        settled(
            "S3", "2020-03-06", 4_200, **BIRTH, institution_code=HOSPITAL, discharged_on="2020-03-05", person_no="P3"
        )
    )
    dbt.build("second")
    publish()

    assert asked("select claim_no, over_amount, outcome from marts.price_difference order by 1") == [
        ("S1", Decimal("100.00"), "over"),
        ("S2", None, "not_computable"),
        ("S3", Decimal("0.00"), "as_priced"),
    ]
    timeliness = "select payable_amount, paid_in_time_amount, paid_late_amount, unpaid_amount, due_on, working_days_max from marts.settlement_timeliness"
    assert asked(f"{timeliness} where institution_code = '{HOSPITAL}' order by settled_month") == [
        (Decimal("900.00"), Decimal("0.00"), Decimal("900.00"), Decimal("0.00"), date(2020, 2, 28), 48),
        (Decimal("8500.00"), Decimal("8500.00"), Decimal("0.00"), Decimal("0.00"), date(2020, 5, 25), 0),
    ]
    decided = "select claim_no, working_days_used, outcome from marts.time_limit order by claim_no"
    assert asked(decided) == [
        ("A1", 11, "late"),
        ("A2", 10, "in_time"),
        ("A3", None, "not_known"),
        ("L1", 10, "in_time"),
        ("L2", 11, "late"),
        ("R1", 10, "in_time"),
        ("R2", 30, "in_time"),
    ]
    share = "select amount, direct_settlement_share from marts.maternity_direct_settlement"
    assert asked(share) == [(Decimal("14800.00"), Decimal("1.0000"))]
    # what the marts add up to is the statement's line
    line = "select sum(amount_month) from marts.income_expenditure_statement where line_code = 'E113' and sub_fund = 'total'"
    assert asked("select sum(amount) from marts.payment_method_expenditure") == asked(line) == [(Decimal("14800.00"),)]

    overcharge = f"overcharge_share/{HOSPITAL}/year/2020-01-01"
    results = found()
    items, examined, population = results.pop("P10")
    assert items == {overcharge: Decimal("100.00")}
    assert examined > 0 < population
    assert results == {
        "P06": ({"event/5": Decimal("100.00")}, 3, 3),
        "P07": ({f"none/{UNKNOWN}": Decimal("6300.00")}, 2, 3),
        "P08": ({"event/7": Decimal("500.00"), "event/12": Decimal("500.00")}, 7, 7),
        "P09": ({"advance/1": Decimal("70000.00")}, 1, 1),
    }

    settings = Settings.from_env()
    said = words(tree(built(settings, "settlement")["settlement.html"]))
    for part in ("按病种付费", "不可计算", "2020-02-28", "南京示例医院2", "超时限", "随合并一次并入"):
        assert part in said
    said = words(tree(built(settings, "providers")["providers.html"]))
    for part in ("没有协议", "超价格金额占比", "1.18%", "未达标"):
        assert part in said


def test_the_samples_are_clean_and_looked_at(published_samples: str) -> None:
    with closing(psycopg2.connect(published_samples)) as connection, connection.cursor() as cursor:
        for relation in (
            "price_difference",
            "time_limit",
            "advance_and_deposit",
            "provider_agreement_status",
            "provider_indicator",
        ):
            cursor.execute(f"select count(distinct region_code) from marts.{relation}")
            assert cursor.fetchone() == (2,), relation
        cursor.execute(
            "select (select count(*) from marts.price_difference where outcome in ('over', 'under')),"
            " (select count(*) from marts.provider_agreement_status where outcome <> 'valid'),"
            " (select count(*) from marts.time_limit where outcome in ('late', 'not_computable')),"
            " (select count(*) from marts.advance_and_deposit where is_beyond_limit),"
            " (select count(*) from marts.provider_indicator where outcome = 'missed'),"
            " (select count(*) from marts.legacy_platform where outcome in ('differs', 'not_stated', 'after_migration'))"
        )
        assert cursor.fetchone() == (0, 0, 0, 0, 0, 0)
