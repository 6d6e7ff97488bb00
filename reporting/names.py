"""Names that people read for the codes in the books: Chinese and English."""

from __future__ import annotations

from typing import NamedTuple

from expectations import impersonal
from expectations.suites import SUITE_TITLES


class Name(NamedTuple):
    """One name in both languages."""

    zh: str
    en: str


SUITE_NAMES = {suite: Name(*title.split(" / ")) for suite, title in SUITE_TITLES.items()}
OWNERS = {
    "fund_accounting": Name("基金会计", "fund accounting"),
    "data_operations": Name("数据运维", "data operations"),
    "benefit_settlement": Name("待遇结算", "benefit settlement"),
    "internal_audit": Name("内部审计", "internal audit"),
}
NOT_STATED = Name("未注明", "not stated")

FUNDS = {
    "EMI": Name("职工基本医疗保险基金", "Employee basic medical insurance fund"),
    "MAT": Name("生育保险基金", "Maternity insurance fund"),
}
SUB_FUNDS = {
    "total": Name("合计", "Total"),
    "pooled": Name("统筹基金", "Pooled fund"),
    "personal": Name("个人账户", "Personal accounts"),
    "shared": Name("共用", "Shared"),
}
BENEFIT_ITEMS = {
    "inpatient": Name("住院", "Inpatient"),
    "outpatient": Name("普通门诊", "Outpatient"),
    "outpatient_chronic": Name("门诊慢特病", "Outpatient, chronic and special diseases"),
    "pharmacy": Name("定点零售药店购药", "Pharmacy"),
    "prenatal": Name("产前检查", "Prenatal care"),
    "delivery_normal": Name("自然分娩", "Normal delivery"),
    "delivery_assisted": Name("助产分娩", "Assisted delivery"),
    "delivery_caesarean": Name("剖宫产", "Caesarean delivery"),
    "miscarriage": Name("流产、引产", "Miscarriage and termination"),
    "family_planning": Name("计划生育手术", "Family planning surgery"),
    "maternity_complication": Name("生育并发症", "Maternity complications"),
    "maternity_allowance": Name("生育津贴", "Maternity allowance"),
    "nutrition_subsidy": Name("一次性营养补助", "One-time nutrition subsidy"),
}
PAYMENT_METHODS = {
    "per_disease": Name("按病种付费", "Per disease"),
    "per_capita": Name("按人头付费", "Per capita"),
    "per_unit": Name("按服务单元付费", "Per service unit"),
    "fee_for_service": Name("按项目付费", "Fee for service"),
    "drg": Name("按疾病诊断相关分组（DRG）付费", "DRG"),
    "dip": Name("按病种分值（DIP）付费", "DIP"),
    "fixed_amount": Name("定额支付", "Fixed amount"),
}

# How well a parameter is founded.
STATUSES = {
    "verified": Name("已核原文", "verified"),
    "secondary": Name("二手来源", "secondary source"),
    "assumed": Name("假定待确认", "assumed, to be confirmed"),
}

BUSINESS_TYPES = {
    "collection": Name("保费征缴", "Contributions"),
    "benefit": Name("待遇支付", "Benefits"),
    "advance": Name("预付款", "Advances"),
    "transfer": Name("资金划转", "Transfers"),
    "interest": Name("利息", "Interest"),
    "subsidy": Name("财政补贴", "Fiscal subsidy"),
    "level": Name("上下级往来", "Between levels"),
    "relation_transfer": Name("关系转移", "Persons moved"),
    "temporary_receipt": Name("暂收款", "Temporary receipts"),
    "other": Name("其他收支", "Other"),
    "catastrophic": Name("大病保险", "Catastrophic insurance"),
    "loan": Name("借入款项", "Loans"),
    "personal_account": Name("个人账户", "Personal accounts"),
    "out_of_area": Name("异地就医", "Out of area"),
    "opening": Name("期初建账", "Opening"),
    "merger": Name("基金合并", "Merger"),
    "year_end": Name("年终结转", "Year end"),
}

# What no page and no workbook shows.
PERSONAL_COLUMNS = impersonal.PERSONAL_COLUMNS


def name_of(names: dict[str, Name], code: str | None) -> Name:
    """The name of `code`; a code without a name stands for itself, so that nothing is hidden."""
    if not code:
        return NOT_STATED
    return names.get(code, Name(code, code))
