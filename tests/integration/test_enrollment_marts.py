"""Who is insured, who lacks an insurance, who is insured twice, who was enrolled late: stories worked out by hand.

Nanjing merges on 2020-01-01, Huainan on 2019-12-01; the books of both have reached March 2020.
"""

# ruff: noqa: E501 - one row of figures a line reads better than wrapped

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest

from expectations.check import Candidate, Check
from expectations.suites import check_by_code
from reporting.overview import Clock, Overview
from reporting.site import Source, enrollment, frame_of
from tests.integration.enrollment_books import EnrollmentBooks, Fact, enrollment_books

__all__ = ["enrollment_books"]

NANJING, HUAINAN = "320100", "340400"
# A base of 5,000 at 0.8 % for maternity, 9 % + 2 % for medical insurance, 9.8 % + 2 % after the merger.
MISSED_510, MISSED_310, MISSED_AFTER = Decimal("40.00"), Decimal("550.00"), Decimal("590.00")


@pytest.fixture
def books(enrollment_books: EnrollmentBooks) -> EnrollmentBooks:
    """Empty books, a finance reader of Nanjing and one of both cities."""
    enrollment_books.begin()
    for login, region in (("one_city", f"'{NANJING}'"), ("all_cities", "null")):
        enrollment_books.run(
            f"create role {login} in role finance_reader; insert into access.region_grant"
            f" (reader, reader_role, region_code) values ('{login}', '{login}', {region})"
        )
    return enrollment_books


def employer(number: str, name: str) -> Fact:
    about = {"employer_no": number, "employer_name": name, "employer_type": "enterprise"}
    return {"event_type": "employer.registered", "occurred_on": "2019-09-01"} | about


def told(kind: str, person: str, day: str, employer_no: str | None, insurance: str = "310", **more: Any) -> Fact:  # noqa: ANN401
    category = "employee" if employer_no else "flexible"
    about = {"person_no": person, "insurance_type": insurance, "employer_no": employer_no}
    return {"event_type": f"enrollment.{kind}", "occurred_on": day, "enrollment_category": category} | about | more


def assessed(person: str, employer_no: str, month: str) -> Fact:
    about = {
        "person_no": person,
        "employer_no": employer_no,
        "insurance_type": "310",
        "enrollment_category": "employee",
    }
    amounts = {"contribution_base": 5000, "employer_amount": 450, "personal_amount": 100}
    months = {"occurred_on": f"{month}-05", "contribution_month": f"{month}-01"}
    return {"event_type": "contribution.assessed"} | months | about | amounts


def published(books: EnrollmentBooks, **batches: list[list[Fact]]) -> EnrollmentBooks:
    """Take batches of each city, one build a batch, and publish what is known."""
    for city, of_city in batches.items():
        region, seq = {"nanjing": NANJING, "huainan": HUAINAN}[city], 0
        for batch in of_city:
            seq = books.add(region, *batch)
            books.build(region)
        books.reach(region, "2020-03-01")
        books.publish(region, seq)
    return books


def listed(books: EnrollmentBooks, check: Check) -> list[dict[str, Any]]:
    """What a check lists of Nanjing; it has looked at something."""
    ((head,),) = [
        row.values() for row in books.rows(f"select max(seq) from ledger.publication where region_code = '{NANJING}'")
    ]
    candidate = Candidate(NANJING, 0, head, 1, None, 0, date(2020, 4, 1), None)
    for query in (check.examined, check.population):
        assert books.rows(check.bind(query, candidate))[0]["count"] > 0
    return sorted(books.rows(check.bind(check.offending, candidate), "fund_quality"), key=lambda row: str(row["item"]))


def test_a_persons_history_month_by_month(books: EnrollmentBooks) -> None:
    """In both insurances at E1 until 11 March, when the person dies; the base goes up in November."""
    starts = [told("started", "P1", "2019-10-10", "E1", kind, contribution_base=5000) for kind in ("310", "510")]
    later = [
        told("changed", "P1", "2019-11-01", "E1", contribution_base=6000),
        told("ended", "P1", "2020-03-11", "E1", reason="died"),
    ]
    published(books, nanjing=[[employer("E1", "一号有限公司"), *starts], later])
    rows = books.rows(
        "select * from marts.person_insured_month where person_no = 'P1' order by insured_month, insurance_type"
    )
    assert [
        (
            f"{row['insured_month']:%Y-%m}", row["insurance_type"], row["status"], row["psn_insu_stas"], row["insured_days"],
            row["contribution_base"] and int(row["contribution_base"]), row["maternity_coverage"],
        )
        for row in rows
    ] == [
        ("2019-10", "310", "insured", "1", 22, 5000, "through_510"),
        ("2019-10", "510", "insured", "1", 22, 5000, "through_510"),
        ("2019-11", "310", "insured", "1", 30, 6000, "through_510"),
        ("2019-11", "510", "insured", "1", 30, 5000, "through_510"),
        ("2019-12", "310", "insured", "1", 31, 6000, "through_510"),
        ("2019-12", "510", "insured", "1", 31, 5000, "through_510"),
        ("2020-01", "310", "insured", "1", 31, 6000, "through_310"),
        ("2020-02", "310", "insured", "1", 29, 6000, "through_310"),
        ("2020-03", "310", "left", "3", 10, 6000, "through_310"),
    ]  # fmt: skip
    assert {(row["insured_from"], row["insured_until"]) for row in rows if row["insurance_type"] == "310"} == {
        (date(2019, 10, 10), date(2020, 3, 11))
    }


def test_gaps_are_those_that_the_check_lists(books: EnrollmentBooks) -> None:
    """P1 in 310 alone from 15 October, P2 in 510 alone to this day, P3 flexible of a new business form."""
    facts = [
        employer("E1", "一号有限公司"),
        told("started", "P1", "2019-10-15", "E1", contribution_base=5000),
        told("started", "P2", "2019-12-01", "E1", "510", contribution_base=5000),
        told("started", "P3", "2019-09-20", None, worker_group="new_form"),
    ]
    mended = [told("started", "P1", "2019-12-16", "E1", "510")]
    published(books, nanjing=[facts, mended])
    rows = books.rows("select * from marts.enrollment_gap order by gap_kind, gap_month")
    assert [
        (
            row["gap_kind"], f"{row['gap_month']:%Y-%m}", row["period"], row["is_gap"], row["employer_name"],
            row["person_count"], row["person_at_month_end_count"], row["gap_days"], row["base_amount"], row["missed_amount"],
        )
        for row in rows
    ] == [
        *(
            ("310_without_510", month, "before_merger", True, "一号有限公司", 1, int(days != 15), days, Decimal(5000), missed)
            for month, days, missed in (("2019-10", 17, MISSED_510), ("2019-11", 30, MISSED_510), ("2019-12", 15, None))
        ),
        ("510_without_310", "2019-12", "before_merger", True, "一号有限公司", 1, 1, 31, Decimal(5000), MISSED_310),
        *(
            ("new_form_flexible", f"{month}", period, False, None, 1, 1, None, None, None)
            for month, period in (
                *((f"2019-{month:02}", "before_merger") for month in (9, 10, 11, 12)),
                *((f"2020-{month:02}", "after_merger") for month in (1, 2, 3)),
            )
        ),
        *(
            ("uncovered_after_merger", month, "after_merger", True, "一号有限公司", 1, 1, days, Decimal(5000), MISSED_AFTER)
            for month, days in (("2020-01", 31), ("2020-02", 29), ("2020-03", 31))
        ),
    ]  # fmt: skip
    found = {row["item"]: row["amount"] for row in listed(books, check_by_code("M04"))}
    assert found == {
        "310_without_510/E1/2019-10": MISSED_510,
        "310_without_510/E1/2019-11": MISSED_510,
        "510_without_310/E1/2019-12": MISSED_310,
        "uncovered_after_merger/E1": 3 * MISSED_AFTER,
    }
    assert sum(found.values()) == sum(row["missed_amount"] or 0 for row in rows)
    alone = books.rows(
        "select * from marts.person_insured_month where person_no = 'P2' and insured_month = '2020-02-01'"
    )
    assert [(row["insurance_type"], row["is_covered_for_maternity"], row["maternity_coverage"]) for row in alone] == [
        ("510", False, "uncovered_after_merger")
    ]


def two_cities(books: EnrollmentBooks) -> EnrollmentBooks:
    """C1 is P1 in Nanjing and X1 in Huainan; C2 is P2 and P3 of Nanjing; P4 and P5 change employers, one late."""
    nanjing = [
        employer("E1", "一号有限公司"),
        told("started", "P1", "2019-09-01", "E1", certificate_pseudonym="C1"),
        told("started", "P2", "2019-09-01", "E1", certificate_pseudonym="C2"),
        told("started", "P3", "2020-02-01", "E2", certificate_pseudonym="C2"),
        *(told("started", person, "2019-09-01", "E1") for person in ("P4", "P5")),
        *(told("started", person, "2019-11-01", "E2") for person in ("P4", "P5")),
        told("ended", "P4", "2020-01-10", "E1", reason="left_employer"),
        told("ended", "P5", "2019-11-11", "E1", reason="left_employer"),
    ]
    huainan = [
        told("started", "X1", "2019-12-01", None, certificate_pseudonym="C1"),
        told("ended", "X1", "2020-02-01", None, reason="other"),
        told("started", "X2", "2019-12-01", "H1", certificate_pseudonym="C9"),
    ]
    return published(books, nanjing=[nanjing, [told("ended", "P2", "2020-03-01", "E1")]], huainan=[huainan])


def test_a_reader_sees_that_another_enrolment_exists_and_no_more(books: EnrollmentBooks) -> None:
    two_cities(books)
    query = "select * from marts.double_participation order by kind, person_no"
    columns = (
        "kind",
        "person_no",
        "other_region_code",
        "other_person_no",
        "other_employer_no",
        "overlap_days",
        "is_tolerated",
    )
    of_nanjing = [tuple(row[name] for name in columns) for row in books.rows(query, "one_city")]
    within = [
        ("two_employers", "P4", NANJING, "P4", "E2", 70, False),
        ("two_employers", "P5", NANJING, "P5", "E2", 10, True),
        ("two_numbers", "P2", NANJING, "P3", "E2", 29, False),
        ("two_numbers", "P3", NANJING, "P2", "E1", 29, False),
    ]
    assert of_nanjing == [*within, ("two_regions", "P1", HUAINAN, None, None, 62, False)]
    (seen,) = books.rows("select * from marts.double_participation where kind = 'two_regions'", "one_city")
    assert (seen["other_insured_from"], seen["other_insured_until"]) == (date(2019, 12, 1), date(2020, 2, 1))
    assert (seen["overlap_from"], seen["overlap_until"]) == (date(2019, 12, 1), date(2020, 2, 1))
    assert seen["other_enrollment_category"] is None
    of_all = [tuple(row[name] for name in columns) for row in books.rows(query, "all_cities")]
    assert of_all == [
        *within,
        ("two_regions", "P1", HUAINAN, "X1", None, 62, False),
        ("two_regions", "X1", NANJING, "P1", "E1", 62, False),
    ]


def test_nobody_asks_his_way_into_the_other_region(books: EnrollmentBooks) -> None:
    """Conditions on what is hidden find nothing, and a function of the reader's own meets no row of the other city."""
    two_cities(books)
    for condition in ("other_person_no = 'X1'", "other_enrollment_category = 'flexible'", "region_code = '340400'"):
        assert books.rows(f"select 1 from marts.double_participation where {condition}", "one_city") == []
    assert books.rows("select 1 from marts.person_insured_month where person_no like 'X%'", "one_city") == []
    books.run("set local enable_seqscan = off")
    asked = "where other_insured_from = '2019-12-01'"
    ((plan,),) = [
        row.values()
        for row in books.rows(
            f"explain (analyze, format json) select * from marts.double_participation {asked}", "one_city"
        )
    ]
    scans = [node for node in nodes(plan[0]["Plan"]) if node.get("Relation Name") == "event"]
    seen = [node for node in scans if "certificate" in str({key: node[key] for key in node if key != "Plans"})]
    assert seen
    assert sum(node["Actual Rows"] * node["Actual Loops"] for node in seen) <= 6, "his own persons and their twins"


def nodes(plan: dict[str, Any]) -> list[dict[str, Any]]:
    return [plan, *(node for below in plan.get("Plans", ()) for node in nodes(below))]


def test_who_is_insured_twice_is_listed(books: EnrollmentBooks) -> None:
    two_cities(books)
    found = listed(books, check_by_code("P01"))
    assert [row["item"] for row in found] == [
        f"two_employers/P4/{NANJING}/P4/E1-E2/2019-11-01",
        f"two_numbers/P2/{NANJING}/P3/2020-02-01",
        f"two_numbers/P3/{NANJING}/P2/2020-02-01",
        f"two_regions/P1/{HUAINAN}/2019-12-01",
    ]
    assert "X1" not in str(found), "findings of Nanjing name nobody of Huainan"


def test_who_was_enrolled_late_is_listed(books: EnrollmentBooks) -> None:
    """P1 assessed from October, enrolled on 1 December: 31 days after the last of October, one more than allowed.

    P2, assessed from November, is within 30 days. P3 comes in batch 2 for 1 September, when enrolments had been told up to
    20 December: 110 days. P4 comes with it for 1 December, 19 days.
    """
    first = [
        employer("E1", "一号有限公司"),
        told("started", "P1", "2019-12-01", "E1"),
        told("started", "P2", "2019-12-20", "E1"),
        *(assessed("P1", "E1", month) for month in ("2019-10", "2019-11", "2019-12")),
        assessed("P2", "E1", "2019-11"),
    ]
    second = [told("started", "P3", "2019-09-01", "E1"), told("started", "P4", "2019-12-01", "E1")]
    published(books, nanjing=[first, second])
    found = listed(books, check_by_code("P02"))
    assert [(row["item"], row["late_days"], row["days_allowed"]) for row in found] == [
        ("backdated/E1/P3/2019-09-01", 110, 60),
        ("started_late/E1/P1/2019-12-01", 31, 30),
    ]
    assert [row["event_seq"] for row in found] == [8, 2]


def test_a_limit_is_a_row_of_the_seed(books: EnrollmentBooks) -> None:
    """A newer row allows 31 days: nobody is late any more."""
    published(books, nanjing=[[told("started", "P1", "2019-12-01", "E1"), assessed("P1", "E1", "2019-10")]])
    assert len(books.rows("select * from marts.late_joiner")) == 1
    books.run(
        "insert into policy.policy_enrollment_limit values"
        f" ('{NANJING}', 'late_enrollment', '2019-01-01', null, 31, '2026-01-01', 'assumed', 'by hand')"
    )
    assert books.rows("select * from marts.late_joiner") == []


def test_the_page_names_employers_and_nobody_else(books: EnrollmentBooks) -> None:
    two_cities(books)
    clock = Clock(datetime(2026, 11, 22, 8, tzinfo=UTC), date(2020, 4, 1))
    source = Source(books.connection, Overview(clock, None, [], [], [], [], [], 0, [], [], {}))
    html = enrollment.build(source, frame_of(source))[enrollment.FILE]
    for said in (
        "参加职工医疗保险、未参加生育保险",
        "一号有限公司",
        "两个统筹区",
        "两个单位",
        "社会保险法第58条第三款",
        "没有逾期或补报的参保",
    ):
        assert said in html
    assert not any(f"{person}<" in html or f">{person}" in html for person in ("P1", "P2", "P3", "P4", "P5", "X1"))


def test_a_page_without_enrolments_says_so(books: EnrollmentBooks) -> None:
    clock = Clock(datetime(2026, 11, 22, 8, tzinfo=UTC), date(2020, 4, 1))
    source = Source(books.connection, Overview(clock, None, [], [], [], [], [], 0, [], [], {}))
    assert "尚无已发布的参保登记" in enrollment.build(source, frame_of(source))[enrollment.FILE]
