"""Rows that must not load: at least one for every group of reasons that a row can have (E4)."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from random import Random

from .story import Story
from .teller import Fact

Columns = dict[str, str]
Damage = Callable[[Story], Fact]


def _premium(story: Story, **columns: object) -> Fact:
    """A collection that would load as it is."""
    good = {
        "employer_no": story.employers[0],
        "person_no": sorted(story.persons)[0],
        "insurance_type": "310",
        "enrollment_category": "employee",
        "contribution_month": "2019-10",
        "contribution_base": "5000.00",
        "employer_amount": "100.00",
        "personal_account_credit": "10.00",
        "receipt_no": "T1",
        "deposit_account": "treasury",
    }
    return story.add("contribution.collected", story.merger_date - timedelta(days=30), **{**good, **columns})


def _payment(story: Story, **columns: object) -> Fact:
    """A payment that would load as it is."""
    good = {
        "claim_no": "C1",
        "person_no": sorted(story.persons)[0],
        "insurance_type": "310",
        "benefit_item": "inpatient",
        "payee_type": "person",
        "pooled_amount": "100.00",
        "payment_no": "Z1",
    }
    return story.add("claim.paid", story.merger_date - timedelta(days=30), **{**good, **columns})


def _interest(story: Story, **columns: object) -> Fact:
    """Interest that would load as it is."""
    good = {"fund_code": "EMI", "sub_fund": "pooled", "account": "income", "amount": "1.00"}
    return story.add("interest.credited", story.merger_date - timedelta(days=30), **{**good, **columns})


def _with(fact: Fact, **columns: str) -> Fact:
    fact.columns.update(columns)
    return fact


def _without(fact: Fact, column: str) -> Fact:
    del fact.columns[column]
    return fact


def _settlement_that_does_not_add_up(story: Story) -> Fact:
    fact = _with(_payment(story, medical_fee_total="100.01"), event_type="claim.settled")
    return _without(_without(fact, "payee_type"), "payment_no")


def _refund_of_nothing(story: Story) -> Fact:
    return _with(_premium(story, original_event_key="never-sent"), event_type="contribution.refunded")


def _refund_of_too_much(story: Story) -> Fact:
    original = _premium(story)
    key = original.columns["source_event_key"]
    fact = _with(_premium(story, original_event_key=key, employer_amount="100.01"), event_type="contribution.refunded")
    fact.source_system = original.source_system
    return fact


def _recovery_of_a_settlement(story: Story) -> Fact:
    settled = _with(_payment(story, medical_fee_total="100.00"), event_type="claim.settled")
    key = settled.columns["source_event_key"]
    fact = _with(_payment(story, original_event_key=key), event_type="claim.recovered")
    fact.source_system = settled.source_system
    return _without(_without(fact, "payee_type"), "payment_no")


def _reversal_of_nothing(story: Story) -> Fact:
    fact = _with(_payment(story, original_event_key="never-sent"), event_type="claim.reversed")
    return _without(_without(fact, "payee_type"), "payment_no")


def _late_premium_of_510(story: Story) -> Fact:
    month = f"{story.merger_date:%Y-%m}"
    return _premium(story, insurance_type="510", contribution_month=month, personal_account_credit="")


def _maternity_premium(story: Story, **columns: object) -> Fact:
    good = {"insurance_type": "510", "contribution_month": "2019-09", "personal_account_credit": ""}
    return _premium(story, **{**good, **columns})


def _person(story: Story, **columns: object) -> Fact:
    good = {"person_no": "PX", "insurance_type": "310", "enrollment_category": "retiree", "birth_date": "1950-01-01"}
    return story.add("enrollment.started", story.merger_date, **{**good, **columns})


def _employer(story: Story, code: str) -> Fact:
    columns = {"employer_no": "EX", "employer_type": "enterprise", "employer_credit_code": code}
    return story.add("employer.registered", story.merger_date, **columns)


DAMAGES: tuple[Damage, ...] = (
    # E-TYPE
    lambda s: _premium(s, employer_amount="12a"),
    lambda s: _premium(s, contribution_month="2019/10"),
    lambda s: _payment(s, pooled_amount="一百"),
    lambda s: _with(_payment(s), occurred_on="2019-13-01"),
    lambda s: _interest(s, amount="1.005"),
    lambda s: _person(s, birth_date="1950-02-30"),
    lambda s: _payment(s, birth_count="one"),
    # E-VALUE
    lambda s: _premium(s, employer_amount="-100.00"),
    lambda s: _premium(s, employer_amount="0", personal_account_credit=""),
    lambda s: _premium(s, personal_account_credit="100.01"),
    lambda s: _premium(s, personal_account_credit="", contribution_base=""),
    lambda s: _premium(s, insurance_type="390"),
    lambda s: _payment(s, payee_type="bank"),
    lambda s: _payment(s, benefit_item="dental"),
    lambda s: _interest(s, account="purse"),
    lambda s: _interest(s, fund_code="RES"),
    lambda s: _with(_interest(s), region_code="999999"),
    lambda s: _with(_interest(s), region_code="Nanjing"),
    lambda s: _person(s, certificate_no="32010019800101001X" if s.region == "320100" else "340400198001010019"),
    lambda s: _person(s, certificate_no="11010519491231002X", birth_date="1949-12-30"),
    lambda s: _person(s, certificate_no="11010519491231002X", birth_date="1949-12-31", sex="M"),
    lambda s: _person(s, employer_no="11010519491231002X"),
    lambda s: _premium(s, receipt_no="TX 11010519491231002X"),
    lambda s: _payment(s, account_holder_no="11010519491231002X"),
    lambda s: _interest(s, counterparty="张三11010519491231002X"),
    lambda s: _with(_interest(s), source_event_key="440524188001010014"),
    lambda s: _employer(s, "91320100MA1MXXXXX0"),
    lambda s: s.add("fund.merged", s.merger_date + timedelta(days=1), fund_code="MAT"),
    # E-SCHEMA
    lambda s: _with(_premium(s), event_type="contribution.payed"),
    lambda s: _with(_premium(s), event_type="registration.ended"),
    lambda s: _without(_premium(s), "receipt_no"),
    lambda s: _without(_payment(s), "person_no"),
    lambda s: _without(_interest(s), "sub_fund"),
    lambda s: _payment(s, schema_version="99"),
    lambda s: _payment(s, schema_version="3"),
    lambda s: _payment(s, applied_on="2020-01-02"),
    lambda s: _premium(s, schema_version="2"),
    lambda s: _premium(s, tax_authority_code="13201060000"),
    # E-CLAIM
    _settlement_that_does_not_add_up,
    # E-MATERNITY
    _late_premium_of_510,
    lambda s: _maternity_premium(s, enrollment_category="flexible"),
    lambda s: _maternity_premium(s, personal_amount="1.00"),
    lambda s: _payment(s, insurance_type="510"),
    lambda s: _payment(s, benefit_item="maternity_allowance"),
    lambda s: _payment(s, insurance_type="510", benefit_item="nutrition_subsidy", personal_account_amount="1.00"),
    # E-TREASURY
    lambda s: _transfer(s, "treasury", "expenditure"),
    lambda s: _transfer(s, "income", "cash"),
    lambda s: _with(_interest(s, fund_code="MAT"), occurred_on=s.merger_date.isoformat()),
    # E-REF
    _refund_of_nothing,
    _refund_of_too_much,
    _recovery_of_a_settlement,
    _reversal_of_nothing,
    lambda s: _premium(s, person_no="never-registered", personal_account_credit=""),
    # E-PERIOD
    lambda s: _with(_interest(s), occurred_on="2999-12-31"),
    # several at once
    lambda s: _with(_interest(s, amount="x", account="purse"), occurred_on="2999-12-31"),
)


def _transfer(story: Story, source: str, target: str) -> Fact:
    columns = {"fund_code": "EMI", "from_account": source, "to_account": target, "amount": "1.00"}
    return story.add("cash.transferred", story.merger_date, **columns)


def damaged(random: Random, story: Story, count: int) -> list[Fact]:
    """So many damaged rows, with the sound rows that some of them refer to. Leaves `story.facts` as it was."""
    told = len(story.facts)
    for damage in random.sample(DAMAGES, min(count, len(DAMAGES))):
        damage(story)
    facts = story.facts[told:]
    del story.facts[told:]
    keys = {fact.columns["source_event_key"] for fact in facts}
    for fact in facts:
        for column in ("source_event_key", "original_event_key"):
            if fact.columns.get(column) in keys:  # the story would give these keys out again
                fact.columns[column] = f"x-{fact.columns[column]}"
    return facts
