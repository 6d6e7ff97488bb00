"""A statement as known at a seq is the one of books rebuilt from the log cut at that seq, whatever the log holds."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from ingestion.database import connect
from runtime import dbt
from tests.integration.cut_log import copy_cut, publish_built
from tests.integration.posting_log import Fact, PostingLog

pytestmark = pytest.mark.slow

FIRST_DAY, LAST_DAY = date(2019, 9, 1), date(2020, 3, 28)
MERGER = "2019-12-01"
CUTS = 12
MARTS = {
    "trial_balance_as_of": "trial_balance",
    "statement_as_of": "income_expenditure_statement",
    "balance_sheet_as_of": "balance_sheet",
}
DIFFERENCES = """
with cut as (select * from unnest(%(copies)s, %(seqs)s) as cut (region_code, seq)),
as_of as (
    select cut.region_code, to_jsonb(statement) - 'region_code' as content
    from cut
    cross join (values ('EMI'), ('MAT')) as fund (code)
    cross join generate_series(timestamp '2019-07-01', '2020-07-01', '1 month') as month (began)
    cross join lateral marts.{function}(%(region)s, fund.code, month.began::date, cut.seq) as statement
),
rebuilt as (
    select region_code, to_jsonb(mart) - 'region_code' as content
    from marts.{mart} as mart where region_code = any(%(copies)s)
)
select (select count(*) from as_of), (select count(*) from rebuilt), array(
    select '- ' || region_code || ' ' || content::text
    from (table rebuilt except all table as_of) as lacking (region_code, content)
    union all
    select '+ ' || region_code || ' ' || content::text
    from (table as_of except all table rebuilt) as beyond (region_code, content)
    order by 1 limit 20
)
"""
numbers = itertools.count(1)


@dataclass(frozen=True)
class Stream:
    """Batches of facts, after which of them the books are built, and where the log is cut."""

    batches: Sequence[Sequence[Fact]]
    builds: frozenset[int]
    cuts: Sequence[int]


def _fact(event_type: str, **columns: object) -> Fact:
    return {"event_type": event_type, **columns}


_PREMIUM = {"enrollment_category": "employee", "deposit_account": "treasury", "person_no": "P1", "employer_no": "E1"}
_CLAIM = {"person_no": "P1", "institution_code": "H1"}
# Facts that stand by themselves; the amount goes into the columns named.
PLAIN: list[tuple[Fact, tuple[str, ...]]] = [
    (
        _fact("contribution.collected", insurance_type="310", **_PREMIUM),
        ("employer_amount", "personal_amount", "late_fee"),
    ),
    (_fact("contribution.collected", insurance_type="510", **_PREMIUM), ("employer_amount",)),
    (_fact("claim.paid", insurance_type="310", benefit_item="inpatient", **_CLAIM), ("pooled_amount",)),
    (_fact("claim.paid", insurance_type="310", benefit_item="pharmacy", **_CLAIM), ("personal_account_amount",)),
    (_fact("claim.paid", insurance_type="510", benefit_item="delivery_normal", **_CLAIM), ("pooled_amount",)),
    (_fact("subsidy.received", fund_code="MAT", sub_fund="pooled", account="special_demand"), ("amount",)),
    (_fact("interest.credited", fund_code="EMI", sub_fund="personal", account="expenditure"), ("amount",)),
    (_fact("cash.transferred", fund_code="EMI", from_account="treasury", to_account="special_demand"), ("amount",)),
    (_fact("balance.opened", fund_code="EMI", account="special_demand"), ("amount",)),
    (_fact("enrollment.started", family="registration", person_no="P1"), ()),
]


@st.composite
def streams(draw: st.DrawFn) -> Stream:
    """Both funds, corrections, late facts, closed months, one merger and a year end, in any order."""
    facts: list[Fact] = []
    paid: list[tuple[int, Fact]] = []
    closing_months = iter([date(2019, 9, 1), date(2019, 10, 1), date(2019, 11, 1), date(2019, 12, 1), date(2020, 1, 1)])
    merged = year_closed = False
    for seq in range(1, draw(st.integers(25, 60)) + 1):
        day = draw(st.dates(FIRST_DAY, LAST_DAY))
        kind = draw(st.sampled_from(["plain"] * 12 + ["corrected"] * 2 + ["closed", "merged", "year"]))
        fact: Fact | None = None
        if kind == "closed" and (month := next(closing_months, None)):
            fact = _fact("period.closed", occurred_on=month, accounting_month=month)
        elif kind == "merged" and not merged:
            merged, fact = True, _fact("fund.merged", fund_code="MAT", occurred_on=MERGER)
        elif kind == "year" and not year_closed:
            year_closed = True
            fact = _fact("year.closed", occurred_on="2019-12-31", accounting_month="2019-12-01")
        elif kind == "corrected" and paid:
            original, claim = draw(st.sampled_from(paid))
            fact = {**claim, "event_type": "claim.recovered", "occurred_on": day, "original": original}
        if fact is None:
            columns, amounts = draw(st.sampled_from(PLAIN))
            values = draw(st.lists(st.integers(1, 10**7), min_size=len(amounts), max_size=len(amounts)))
            fact = {
                **columns,
                "occurred_on": day,
                **{c: Decimal(v) / 100 for c, v in zip(amounts, values, strict=True)},
            }
            if fact["event_type"] == "claim.paid":
                paid.append((seq, fact))
        facts.append(fact)
    ends = sorted({*draw(st.sets(st.integers(1, len(facts) - 1), min_size=2, max_size=8)), len(facts)})
    batches = [facts[after:end] for after, end in zip([0, *ends], ends, strict=False)]
    controls = [seq for seq, fact in enumerate(facts, 1) if fact["event_type"] in CONTROL]
    near = {seq + step for seq in controls for step in (-1, 0) if seq + step >= 1}
    drawn = draw(st.lists(st.integers(1, len(facts)), min_size=CUTS, max_size=CUTS))
    cuts = sorted({len(facts), *draw(st.permutations(sorted(near)))[: CUTS // 2], *drawn[: CUTS // 2]})
    return Stream(batches, frozenset(draw(st.sets(st.integers(0, len(batches) - 1), max_size=2))), cuts)


CONTROL = ("period.closed", "fund.merged", "year.closed")
shared = [HealthCheck.function_scoped_fixture, HealthCheck.too_slow, HealthCheck.data_too_large]


def fill(stream: Stream, region_code: str) -> None:
    """The region's log in batches a day apart, built after some of them."""
    add_policy(region_code)
    log, recorded = PostingLog(region_code), date(2020, 4, 1)
    for place, batch in enumerate(stream.batches):
        log.add(*batch, recorded_at=f"{recorded + timedelta(days=place)} 08:00:00+08")
        if place in stream.builds:
            dbt.build(f"{region_code} {place}")


def add_policy(region_code: str) -> None:
    """The merger was first expected a year later; its date became known before the first batch, or after it."""
    known = "2020-03-01" if int(region_code) % 2 else "2020-04-03"
    with closing(connect(role="fund_transform")) as connection, connection, connection.cursor() as cursor:
        cursor.executemany(
            "insert into policy.policy_region (region_code, merger_date, known_from) values (%s, %s, %s)",
            [(region_code, "2020-12-01", "2018-01-01"), (region_code, MERGER, known)],
        )


@pytest.mark.timeout(900)
@pytest.mark.usefixtures("deployed_warehouse")
@settings(
    max_examples=2,
    deadline=None,
    derandomize=True,
    suppress_health_check=shared,
    phases=(Phase.explicit, Phase.generate),
)
@given(streams())
def test_as_of_is_a_rebuild_of_the_log_cut_there(stream: Stream) -> None:
    place = next(numbers)
    region = f"{500000 + 100 * place + place % 2}"
    fill(stream, region)
    copies = [f"{int(region) + 1 + number}" for number in range(len(stream.cuts))]
    for copy, seq in zip(copies, stream.cuts, strict=True):
        copy_cut(region, seq, copy)
    dbt.build(f"{region} and its copies")
    publish_built(region)
    arguments = {"region": region, "copies": copies, "seqs": list(stream.cuts)}
    with closing(connect(role="auditor")) as connection, connection.cursor() as cursor:
        cursor.execute("select problem from ledger.unposted_event limit 1")
        assert cursor.fetchall() == []
        for function, mart in MARTS.items():
            cursor.execute(DIFFERENCES.format(function=function, mart=mart), arguments)
            as_of, rebuilt, differences = cursor.fetchone()
            assert differences == [], f"{function} at {stream.cuts}"
            assert as_of == rebuilt > 0
