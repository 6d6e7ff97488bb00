"""What was paid beside what was due: cases worked out by hand, cases by chance against the oracle, and what stands on both sides of the merger."""

# ruff: noqa: E501 - one case a row reads better than wrapped

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import psycopg2
import pytest

from expectations.check import REVIEW, Candidate
from expectations.suites.policy.entitlement import P05
from ingestion.settings import BEIJING, Settings
from runtime import dbt
from tests.conftest import isolate
from tests.integration.entitlement_books import HUAINAN, NANJING, Books, Case, chance
from tests.integration.entitlement_lives import WORKED_OUT, add_lives
from tests.integration.pages_support import built
from tests.integration.test_maternity_line import publish_built

SEED = 20191201

pytestmark = pytest.mark.timeout(600)

FLEXIBLE = {"insurance_type": "310", "enrollment_category": "flexible"}
# Ended as a flexible worker only after the employer had enrolled her.
ENDED_AS_FLEXIBLE: tuple[dict[str, object], ...] = (
    FLEXIBLE | {"event_type": "enrollment.started", "occurred_on": date(2019, 6, 1)},
    FLEXIBLE | {"event_type": "enrollment.ended", "occurred_on": date(2020, 1, 31)},
)
# A base told after she had left.
CHANGED_AFTER_THE_END: tuple[dict[str, object], ...] = (
    {
        "event_type": "enrollment.changed", "occurred_on": date(2020, 11, 25), "insurance_type": "310",
        "enrollment_category": "employee", "employer_no": "E-changed after", "contribution_base": "6600.00",
    },
)  # fmt: skip

# (case, kind, days due, amount due). Nanjing: 98 + 30 days until 10 February 2022, then 98 + 60; 6,000 ÷ 30 = 200.00 a day. Huainan: 98 + 60.
BY_HAND: tuple[tuple[Case, str, int | None, str | None], ...] = (
    (Case("normal"), "as_due", 128, "25600.00"),
    (Case("caesarean", care="delivery_caesarean", paid="28600.00"), "as_due", 143, "28600.00"),
    (Case("assisted twins", care="delivery_assisted", births=2, paid="31600.00"), "as_due", 158, "31600.00"),
    (Case("now normal", born=date(2023, 5, 6), paid="31600.00"), "as_due", 158, "31600.00"),
    (Case("now caesarean", born=date(2023, 5, 6), care="delivery_caesarean", paid="34600.00"), "as_due", 173, "34600.00"),
    (Case("last day of 30", born=date(2022, 2, 9), paid="25600.00"), "as_due", 128, "25600.00"),
    (Case("first day of 60", born=date(2022, 2, 10), paid="25600.00"), "underpaid", 158, "31600.00"),
    (Case("week 7", care="miscarriage", weeks=7, paid="4000.00"), "as_due", 20, "4000.00"),
    (Case("week 8", care="miscarriage", weeks=8, paid="4000.00"), "underpaid", 30, "6000.00"),
    (Case("week 11", care="miscarriage", weeks=11, paid="6000.00"), "as_due", 30, "6000.00"),
    (Case("week 12", care="miscarriage", weeks=12, paid="8400.00"), "as_due", 42, "8400.00"),
    (Case("week 27", care="miscarriage", weeks=27, paid="8400.00"), "as_due", 42, "8400.00"),
    (Case("week 28", care="miscarriage", weeks=28, paid="19600.00"), "as_due", 98, "19600.00"),
    (Case("no weeks", care="miscarriage", paid="4000.00"), "not_computable", None, None),
    (Case("operation", care="family_planning", paid="4200.00"), "not_computable", None, None),
    (Case("no birth", care=None), "not_computable", None, None),
    (Case("fen", base="6500.00", base_grows="10.00", months=24, born=date(2020, 3, 10), paid="27968.00"), "as_due", 128, "27968.00"),
    (Case("new employer", region=HUAINAN, born=date(2020, 3, 10), registered=date(2019, 9, 1), base_grows="60.00", months=20, paid="34760.00", stated_base="220.00"), "overpaid", 158, "34602.00"),
    (Case("of this year", born=date(2021, 12, 5), registered=date(2021, 1, 10), months=11, base_grows="30.00", paid="26240.00", stated_base="205.00"), "as_due", 128, "26240.00"),
    (Case("nine months", months=9), "not_entitled", 128, "0.00"),
    (Case("ten months", months=10), "as_due", 128, "25600.00"),
    (Case("interrupted", hole=10), "not_entitled", 128, "0.00"),
    (Case("interrupted before", hole=11), "as_due", 128, "25600.00"),
    (Case("made up", late=2), "as_due", 128, "25600.00"),
    (Case("left", left=0), "not_entitled", 128, "0.00"),
    (Case("left after", left=1), "as_due", 128, "25600.00"),
    (Case("employed since", born=date(2020, 12, 5), extras=ENDED_AS_FLEXIBLE), "as_due", 128, "25600.00"),
    (Case("changed after", born=date(2020, 12, 5), left=-20, extras=CHANGED_AFTER_THE_END), "not_entitled", 128, "0.00"),
    (Case("flexible", category="flexible", born=date(2021, 5, 6)), "not_entitled", 128, "0.00"),
    (Case("unemployed", kind="unemployment_fund"), "not_entitled", 128, "0.00"),
    (Case("unemployed subsidy", kind="unemployment_fund", item="nutrition_subsidy", paid="2221.00", payee="person"), "as_due", None, "2221.00"),
    (Case("husband", male=True, care=None, paid="3000.00"), "as_due", 15, "3000.00"),
    (Case("undated", dated=False, paid_on=date(2020, 4, 10)), "as_due", 128, "25600.00"),
    (Case("June 2025", born=date(2025, 3, 1), paid="31600.00", paid_on=date(2025, 6, 30)), "as_due", 158, "31600.00"),
    (Case("July 2025", born=date(2025, 3, 1), paid="31600.00", paid_on=date(2025, 7, 1)), "as_due", 158, "31600.00"),
    (Case("2025", item="nutrition_subsidy", born=date(2025, 3, 1), paid="3193.00", payee="person"), "as_due", None, "3193.00"),
    (Case("30 June", item="nutrition_subsidy", born=date(2020, 6, 30), paid="2221.00", payee="person"), "as_due", None, "2221.00"),
    (Case("1 July", item="nutrition_subsidy", born=date(2020, 7, 1), paid="2221.00", payee="person"), "underpaid", None, "2492.00"),
    (Case("no year", item="nutrition_subsidy", born=date(2022, 7, 1), paid="2800.00", payee="person"), "not_computable", None, None),
    (Case("early", item="nutrition_subsidy", care="miscarriage", weeks=20, paid="2221.00", payee="person"), "not_entitled", None, "0.00"),
    (Case("seventh month", item="nutrition_subsidy", care="miscarriage", weeks=28, paid="2221.00", payee="person"), "as_due", None, "2221.00"),
    (Case("Anhui", region=HUAINAN, care="delivery_caesarean", paid="34600.00"), "as_due", 173, "34600.00"),
    (Case("Anhui six months", region=HUAINAN, months=6, paid="31600.00"), "as_due", 158, "31600.00"),
    (Case("Anhui five months", region=HUAINAN, months=5, paid="31600.00"), "not_entitled", 158, "0.00"),
    (Case("Anhui week 15", region=HUAINAN, care="miscarriage", weeks=15, paid="3000.00"), "as_due", 15, "3000.00"),
    (Case("Anhui week 16", region=HUAINAN, care="miscarriage", weeks=16, paid="3000.00"), "underpaid", 42, "8400.00"),
    # Around the merger, the years of the subsidy, the fen, and several children.
    (Case("triplets", born=date(2024, 8, 15), care="delivery_caesarean", births=3, base="8100.00", stated_base="270.00", months=24, paid="54810.00"), "as_due", 203, "54810.00"),
    (Case("day of the merger", born=date(2020, 1, 1), months=10), "as_due", 128, "25600.00"),
    (Case("months of both", born=date(2020, 3, 15), months=10), "as_due", 128, "25600.00"),
    (Case("hole after it", born=date(2020, 3, 15), hole=2), "not_entitled", 128, "0.00"),
    (Case("thirds down", born=date(2021, 6, 1), months=24, base="7333.33", stated_base="244.44", paid="31288.32"), "as_due", 128, "31288.32"),
    (Case("thirds up", born=date(2021, 6, 1), months=24, base="7333.47", stated_base="244.45", paid="31289.60"), "as_due", 128, "31289.60"),
    (Case("half a fen", born=date(2021, 6, 1), months=24, base="6000.15", care="miscarriage", weeks=5, stated_base="200.01", paid="4000.20"), "as_due", 20, "4000.20"),
    (Case("rising bases", born=date(2023, 4, 10), months=20, base_grows="100.00", stated_base="218.33", paid="34496.14"), "as_due", 158, "34496.14"),
    (Case("week 30", born=date(2023, 4, 10), care="miscarriage", weeks=30, months=24, paid="19600.00"), "as_due", 98, "19600.00"),
    (Case("twins lost", born=date(2023, 4, 10), care="miscarriage", weeks=20, births=2, months=24, paid="8400.00"), "as_due", 42, "8400.00"),
    (Case("30 June 2019", item="nutrition_subsidy", born=date(2019, 6, 30), paid="2030.00", payee="person"), "as_due", None, "2030.00"),
    (Case("1 July 2019", item="nutrition_subsidy", born=date(2019, 7, 1), paid="2030.00", payee="person"), "underpaid", None, "2221.00"),
    (Case("30 June 2021", item="nutrition_subsidy", born=date(2021, 6, 30), paid="2492.00", payee="person"), "as_due", None, "2492.00"),
    (Case("30 June 2024", item="nutrition_subsidy", born=date(2024, 6, 30), paid="3193.00", payee="person"), "not_computable", None, None),
    (Case("1 July 2024", item="nutrition_subsidy", born=date(2024, 7, 1), paid="3193.00", payee="person"), "as_due", None, "3193.00"),
    (Case("one for twins", item="nutrition_subsidy", born=date(2020, 5, 1), births=2, paid="4442.00", payee="person"), "overpaid", None, "2221.00"),
    (Case("Anhui twins", region=HUAINAN, born=date(2021, 3, 3), care="delivery_assisted", births=2, months=24, paid="37600.00"), "as_due", 188, "37600.00"),
    (Case("Anhui week 30", region=HUAINAN, born=date(2021, 3, 3), care="miscarriage", weeks=30, months=24, paid="8400.00"), "as_due", 42, "8400.00"),
    (Case("Anhui last of the old", region=HUAINAN, born=date(2019, 11, 30), months=6, paid="31600.00"), "as_due", 158, "31600.00"),
    (Case("Anhui first of the new", region=HUAINAN, born=date(2019, 12, 1), months=6, paid="31600.00"), "as_due", 158, "31600.00"),
    (Case("Anhui husband", region=HUAINAN, male=True, care=None, paid="3000.00"), "not_computable", None, None),
    (Case("Anhui subsidy", region=HUAINAN, item="nutrition_subsidy", paid="2000.00", payee="person"), "not_entitled", None, "0.00"),
)  # fmt: skip


@pytest.fixture(scope="module")
def books(
    warehouse_factory: Callable[..., str], deployed_template: tuple[str, Path], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[str, dict[str, Books]]]:
    """A database in which all cases are built and published, and the books of each region."""
    local = tmp_path_factory.mktemp("entitlement") / "local"
    with pytest.MonkeyPatch.context() as patch:
        isolate(patch, local)
        url = warehouse_factory(template=deployed_template[0])
        patch.setenv("FUND_DATABASE_URL", url)
        told = {region: Books(region) for region in (NANJING, HUAINAN)}
        for case, *_ in BY_HAND:
            told[case.region].add(case)
        add_lives(told[NANJING])
        for region, region_books in told.items():
            for case in chance(region, 120, SEED):
                region_books.add(case)
            region_books.write()
        dbt.build("entitlement")
        publish_built()
        yield url, told


def ask(url: str, query: str, *values: object) -> list[tuple[Any, ...]]:
    with closing(psycopg2.connect(url)) as connection, connection.cursor() as cursor:
        cursor.execute(query, values)
        return cursor.fetchall() if cursor.description else []


def test_cases_worked_out_by_hand(books: tuple[str, dict[str, Books]]) -> None:
    found = ask(books[0], "select claim_no, kind, days_due, amount_due::text from marts.entitlement_payment")
    by_claim = {claim: tuple(rest) for claim, *rest in found}
    wanted = {f"C-{case.key}": (kind, days, amount) for case, kind, days, amount in BY_HAND}
    assert {claim: by_claim[claim] for claim in wanted} == wanted


def test_lives_worked_out_by_hand(books: tuple[str, dict[str, Books]]) -> None:
    query = """
        select claim_no, kind, days_due, base_due::text, amount_due::text, months_contributed
        from marts.entitlement_payment where claim_no = any(%s)"""
    found = {claim: tuple(rest) for claim, *rest in ask(books[0], query, list(WORKED_OUT))}
    assert found == WORKED_OUT


def test_cases_by_chance_come_to_what_the_oracle_says(books: tuple[str, dict[str, Books]]) -> None:
    url, told = books
    query = "select claim_no, kind, days_due, base_due, amount_due, amount_paid from marts.entitlement_payment"
    found = {claim: rest for claim, *rest in ask(url, query)}
    kinds = set()
    for region_books in told.values():
        for key, due in region_books.dues.items():
            kind, days, base, amount, paid = found[f"C-{key}"]
            kinds.add(kind)
            assert (days, base, amount) == (due.days, due.base, due.amount), key
            assert kind == expected_kind(due.amount, paid, has_right=due.has_right), key
    assert kinds == {"as_due", "overpaid", "underpaid", "not_entitled", "not_computable"}


def expected_kind(amount: Decimal | None, paid: Decimal, *, has_right: bool) -> str:
    if amount is None:
        return "not_computable"
    if not has_right and paid > 0:
        return "not_entitled"
    return "as_due" if amount == paid else "overpaid" if paid > amount else "underpaid"


def test_payee_goes_by_the_day_of_payment(books: tuple[str, dict[str, Books]]) -> None:
    query = "select claim_no, payee_due, payee_paid, payee_as_due from marts.entitlement_payment where claim_no = any(%s) order by 1"
    found = ask(books[0], query, ["C-July 2025", "C-June 2025"])
    assert found == [("C-July 2025", "person", "employer", False), ("C-June 2025", "employer", "employer", True)]


def test_what_differs_is_listed_apart_and_never_netted(books: tuple[str, dict[str, Books]]) -> None:
    rows = ask(books[0], """
        select region_code, paid_month, overpaid_amount, underpaid_amount, month_overpaid_amount, month_underpaid_amount
        from marts.entitlement_difference""")  # fmt: skip
    sums: dict[tuple[str, date], list[Decimal]] = {}
    for region, month, over, under, *_ in rows:
        assert (over > 0) != (under > 0)
        both = sums.setdefault((region, month), [Decimal(0), Decimal(0)])
        both[0] += over
        both[1] += under
    assert all([over, under] == sums[region, month] for region, month, _, _, over, under in rows)
    whole = ask(books[0], """
        select sum(greatest(difference, 0)), sum(greatest(-difference, 0)) from marts.entitlement_payment""")  # fmt: skip
    assert [tuple(map(sum, zip(*sums.values(), strict=True)))] == whole


def offending(url: str, region: str) -> dict[str, Decimal]:
    (head,) = ask(url, "select seq from marts.published_head where region_code = %s", region)[0]
    candidate = Candidate(region, 0, head, 1, datetime.now(UTC), 0, date(2026, 1, 31), None, scope=REVIEW)
    listed = ask(url, f"select item, amount from ({P05.bind(P05.offending, candidate)}) as found")
    ((examined,),) = ask(url, P05.bind(P05.examined, candidate))
    ((population,),) = ask(url, P05.bind(P05.population, candidate))
    assert 0 < population <= examined
    return dict(listed)


def test_a_benefit_that_the_merger_reduced_is_found(books: tuple[str, dict[str, Books]]) -> None:
    """The extension ends with the old fund: 98 days instead of 128 for every birth since, whatever was paid."""
    url, _ = books
    query = "select kind, days_old_rules, days_new_rules, amount_old_rules, amount_new_rules from marts.benefit_before_after_merger where claim_no = %s"
    as_it_is = ask(url, query, "C-now normal")
    assert as_it_is == [("not_reduced", 128, 158, Decimal("25600.00"), Decimal("31600.00"))]
    before = offending(url, NANJING)
    assert all(item.startswith("paid_below_old_rules/") for item in before)
    cut = "update policy.policy_allowance_days set effective_to = '2019-12-31' where region_code = %s and allowance_case = 'provincial_extension'"
    with closing(psycopg2.connect(url)) as connection, connection.cursor() as cursor:
        cursor.execute(cut, (NANJING,))
        cursor.execute(query, ("C-now normal",))
        assert cursor.fetchall() == [("reduced_by_rules", 128, 98, Decimal("25600.00"), Decimal("19600.00"))]
        connection.rollback()


def test_a_rounding_and_an_average_are_parameters(books: tuple[str, dict[str, Books]]) -> None:
    """An employer registered in September 2019, a birth in March 2020: (6,480 + 6,540 + 6,600 + 6,660) ÷ 4 ÷ 30 = 219.00."""
    url, _ = books
    query = "select base_due, base_months, base_source from marts.entitlement_payment where claim_no = 'C-new employer'"
    with closing(psycopg2.connect(url)) as connection, connection.cursor() as cursor:
        cursor.execute(query)
        assert cursor.fetchall() == [(Decimal("219.00"), 4, "employer_months_paid")]
        cursor.execute("update policy.policy_allowance_method set short_employer_average = 'months_before_birth'")
        cursor.execute(query)
        # with January and February, 6,000 and 6,060: 38,340 ÷ 6 ÷ 30
        assert cursor.fetchall() == [(Decimal("213.00"), 6, "employer_months_before_birth")]
        cursor.execute("update policy.policy_allowance_method set daily_base_rounding = 'up', daily_base_decimals = 0")
        cursor.execute(query.replace("new employer", "fen"))
        assert cursor.fetchall() == [(Decimal("219.00"), 12, "employer_previous_year")]
        connection.rollback()


def test_the_review_counts_either_side(books: tuple[str, dict[str, Books]]) -> None:
    url, told = books
    cases = "select detail, before_amount, after_amount from marts.merger_review where region_code = %s and measure_code = 'cases'"
    found = {detail: (before, after) for detail, before, after in ask(url, cases, NANJING)}
    months = {"before": ("2019-01-01", "2020-01-01"), "after": ("2020-01-01", "2021-01-01")}
    for item, counted in found.items():
        for side, (since, until) in enumerate(months.values()):
            ((claims,),) = ask(
                url,
                """
                select nullif(count(*), 0) from events.event where region_code = %s and event_type = 'claim.paid' and benefit_item = %s
                and occurred_on >= %s and occurred_on < %s""",
                NANJING,
                item,
                since,
                until,
            )
            assert counted[side] == claims
    for side, day in {"before": date(2019, 12, 31), "after": date(2020, 12, 31)}.items():
        spells = [
            each for each in told[NANJING].enrolments if each.since <= day and (each.until is None or each.until > day)
        ]
        medical = [spell for spell in spells if spell.insurance_type == "310"]
        query = f"""
            select coalesce(detail, ''), {side}_amount from marts.merger_review
            where region_code = %s and measure_code = 'persons_insured'"""
        persons = dict(ask(url, query, NANJING))
        assert persons["310"] == len(medical)
        assert persons["310_employee"] == len([spell for spell in medical if spell.category == "employee"])
    answers = dict(ask(url, "select item_code, result from marts.merger_self_check where region_code = %s", NANJING))
    assert answers["F1"] == "met"
    assert answers["B2"] == "not_met"
    assert answers["C2"] == "cannot_tell"
    assert ask(url, "select count(distinct result) from marts.merger_self_check") == [(3,)]


FIGURES = "select item_code, numerator, denominator, result from marts.merger_self_check where region_code = %s"
CALENDAR = "insert into events.source_calendar (source_system, family, due_rule, active_from, region_code) values (%s, %s, %s, %s, %s)"


def test_the_self_check_answers_with_evidence(books: tuple[str, dict[str, Books]]) -> None:
    """Balance is that of the pooled fund alone; months count as public, and files as timely, by the day they came."""
    url, _ = books
    figures = {item: tuple(rest) for item, *rest in ask(url, FIGURES, NANJING)}
    today = datetime.now(BEIJING).date()
    pooled = ask(
        url,
        "select sum(pooled_income), sum(pooled_expenditure_in_all) from marts.fund_month where region_code = %s and is_merged",
        NANJING,
    )
    assert figures["F9"][:2] == pooled[0]
    assert figures["F9"][2] == ("met" if pooled[0][0] >= pooled[0][1] else "not_met")
    # The books were published long after the last day of the calendar.
    assert figures["F12"][0] == 0
    assert figures["F12"][1] > 0
    assert figures["F12"][2] == "not_met"
    assert figures["R3"][2] == "cannot_tell", "who should be insured is in no source"
    assert figures["R3"][1] > 0
    assert figures["F10"][2] == "not_met", "nothing has been forecast on these books"
    with closing(psycopg2.connect(url)) as connection, connection.cursor() as cursor:
        for row in (
            ("demo", "claim", "monthly day 10 until 2020-06", "2020-01-01", NANJING),
            ("demo", "treasury", "quarterly day 31 until 2020Q2", "2019-10-15", None),
            ("demo", "registration", "unreadable", "2020-01-01", NANJING),
        ):
            cursor.execute(CALENDAR, row)
        cursor.execute(
            "select count(*) filter (where arrived_on <= due_on), count(*) from events.due_file(%s)"
            " where due_on < %s and (region_code is null or region_code = %s)",
            (today, today, NANJING),
        )
        told = cursor.fetchone()
        assert told is not None
        assert told[1] == 9, "six months and three quarters"
        cursor.execute(f"{FIGURES} and item_code = 'P2'", (NANJING,))
        assert cursor.fetchall() == [("P2", *told, "not_met")]
        connection.rollback()


@pytest.mark.parametrize("key", ["entitlement", "merger"])
def test_pages_show_sums_and_nobody(books: tuple[str, dict[str, Books]], key: str) -> None:
    page = built(Settings.from_env(), key)[f"{key}.html"]
    assert "南京市" in page
    assert "淮南市" in page
    assert ("无资格而支付" if key == "entitlement" else "实付低于原规则") in page
    assert not [case.key for case, *_ in BY_HAND if f"C-{case.key}" in page or f"P-{case.key}" in page]
    assert books[0]
