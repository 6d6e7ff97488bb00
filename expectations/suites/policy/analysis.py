"""Risk, budget, statistics and disclosure (P11-P14): checks of the suite `policy`, made on what is published."""

from __future__ import annotations

from expectations.check import REVIEW, Check
from expectations.suites.policy._analysis_sql import (
    BOOK_MONTHS,
    BUDGETS,
    BUDGETS_EXAMINED,
    BUDGETS_POPULATION,
    DISCLOSURES,
    DISCLOSURES_EXAMINED,
    DISCLOSURES_POPULATION,
    INDICATORS,
    INDICATORS_EXAMINED,
    STATISTICS,
    STATISTICS_EXAMINED,
)

ACCOUNTING = "fund_accounting"
OPERATIONS = "data_operations"

P11 = Check(
    code="P11",
    title_zh="风险指标在正常区间内",
    title_en="risk indicators lie within their normal range",
    severity="warn",
    owner=ACCOUNTING,
    clause="policy §6；宁政办发〔2019〕52号二（二）基金风险预警机制",
    offending=INDICATORS,
    examined=INDICATORS_EXAMINED,
    population=BOOK_MONTHS,
    scopes=frozenset({REVIEW}),
    relists=True,
)

P12 = Check(
    code="P12",
    title_zh="预算执行未超支、与时间进度相符，批准的预算说明齐全、合计相符",
    title_en="budgets are not exceeded, execution keeps to time, approved budgets are explained and add up",
    severity="warn",
    owner=ACCOUNTING,
    clause="policy §5；宁政办发〔2019〕52号二（二）基金预算管理",
    offending=BUDGETS,
    examined=BUDGETS_EXAMINED,
    population=BUDGETS_POPULATION,
    scopes=frozenset({REVIEW}),
    relists=True,
)

P13 = Check(
    code="P13",
    title_zh="统计及时、完整，与收支表一致",
    title_en="statistics are timely, complete and agree with the statement",
    severity="warn",
    owner=OPERATIONS,
    clause="policy §8；宁政办发〔2019〕52号二（四）信息系统统计功能",
    offending=STATISTICS,
    examined=STATISTICS_EXAMINED,
    population=BOOK_MONTHS,
    scopes=frozenset({REVIEW}),
    relists=True,
)

P14 = Check(
    code="P14",
    title_zh="基金运行情况按期公开",
    title_en="the public table of every month is out in time",
    severity="warn",
    owner=ACCOUNTING,
    clause="policy §10；宁政办发〔2019〕52号二（二）基金收支运行情况公开",
    offending=DISCLOSURES,
    examined=DISCLOSURES_EXAMINED,
    population=DISCLOSURES_POPULATION,
    scopes=frozenset({REVIEW}),
    relists=True,
)

CHECKS: tuple[Check, ...] = (P11, P12, P13, P14)
