"""Completeness of premiums and claims (C07-C10): what was assessed, settled or named has its other half, or shows."""

from __future__ import annotations

from expectations.check import Check
from expectations.suites._arrears_sql import ARREARS_HIDDEN, PREMIUMS_EXAMINED, PREMIUMS_POPULATION
from expectations.suites._claim_sql import LOG_CLAIMS, OVERDUE, OVERPAID, WORKING_DAYS
from expectations.suites._fragments import EVENTS
from expectations.suites._reference_sql import REFERENCES_EXAMINED, REFERENCES_POPULATION, UNRESOLVED

OPERATIONS = "data_operations"
ACCOUNTING = "fund_accounting"
SETTLEMENT = "benefit_settlement"

_CLAIM_FACTS = "('claim.settled', 'claim.paid', 'advance.offset', 'claim.reversed', 'claim.recovered')"

C07 = Check(
    code="C07",
    title_zh="各单位核定的月份有到账，或列为欠费",
    title_en="every employer's assessed months have collections or show as arrears",
    severity="warn",
    owner=ACCOUNTING,
    clause="社会保险法 第六十条、第六十二条；ledger §5 contribution_arrears",
    relists=True,
    offending=ARREARS_HIDDEN,
    examined=PREMIUMS_EXAMINED,
    population=PREMIUMS_POPULATION,
)

C08 = Check(
    code="C08",
    title_zh=f"已结算的待遇自次月 10 日起 {WORKING_DAYS} 个工作日内支付",
    title_en=f"settled claims are paid within {WORKING_DAYS} working days of the 10th of the following month",
    severity="warn",
    owner=SETTLEMENT,
    clause="国家医疗保障局令第3号 第二十九条；医疗保障经办条例 第二十条（医院时限为二手来源 / hospitals: secondary）",
    relists=True,
    offending=OVERDUE,
    examined="""
        select (
            select count(*) from ledger.claim_turnover as claim
            where claim.region_code = $region and claim.last_seq > $after and claim.last_seq <= $head
        ) + (
            select count(*) from ledger.claim_unpaid as bucket
            where bucket.region_code = $region and bucket.last_seq <= $head
        )
    """,
    population=f"select count(*) from {EVENTS} and event.event_type = 'claim.settled' and event.claim_no is not null",
)

C09 = Check(
    code="C09",
    title_zh="支付不超过结算，且有结算可依",
    title_en="no claim is paid above its settlement, and none without one",
    severity="fail",
    owner=SETTLEMENT,
    clause="events §3 claim",
    relists=True,
    offending=OVERPAID,
    examined=f"select count(*) from ({LOG_CLAIMS}) as log_claim",
    population=f"select count(*) from {EVENTS} and event.event_type in {_CLAIM_FACTS} and event.claim_no is not null",
)

C10 = Check(
    code="C10",
    title_zh="业务所涉的参保、人员和单位均已登记",
    title_en="the enrolments, persons and employers that facts refer to are registered",
    severity="warn",
    owner=OPERATIONS,
    clause="events §4；社会保险法 第二十八条",
    relists=True,
    offending=UNRESOLVED,
    examined=REFERENCES_EXAMINED,
    population=REFERENCES_POPULATION,
)

CHECKS: tuple[Check, ...] = (C07, C08, C09, C10)
