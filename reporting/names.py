"""Names that people read for the codes in the books: Chinese and English."""

from __future__ import annotations

from typing import NamedTuple

from expectations import impersonal
from expectations.suites import SUITE_TITLES


class Name(NamedTuple):
    """One name in both languages."""

    zh: str
    en: str


def spoken(text: str) -> Name:
    """Reasons told as `中文 / English；中文 / English`, each language by itself; one without English stands in both."""
    parts = [part.partition(" / ") for part in text.split("；")]
    return Name("；".join(zh for zh, _, _ in parts), "; ".join(en or zh for zh, _, en in parts))


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

CATEGORIES = {
    "employee": Name("职工", "employees"),
    "flexible": Name("灵活就业人员", "flexible workers"),
    "retiree": Name("退休人员", "retirees"),
}
INSURANCES = {
    "310": Name("职工医保", "employee medical"),
    "510": Name("生育保险（合并前）", "maternity (before merger)"),
}
EMPLOYER_TYPES = {
    "enterprise": Name("企业", "enterprises"),
    "public_institution": Name("事业单位", "public institutions"),
    "government": Name("机关", "government"),
    "unemployment_fund": Name("失业保险基金代缴", "unemployment fund"),
    "other": Name("其他单位", "others"),
}
ASSESSMENT_REASONS = {
    "employer_type_unknown": Name("单位类型不明", "employer type unknown"),
    "no_rate_rule": Name("缺费率", "no rate"),
    "no_base_rule": Name("缺基数上下限", "no base limits"),
    "no_base_declared": Name("缺申报基数", "no declared base"),
    "relief_not_applied": Name("未减征", "relief not applied"),
    "halved_without_relief": Name("无据减半", "halved without a relief"),
    "base_not_limited": Name("基数未按上下限", "base not limited"),
    "employer_part_differs": Name("单位部分不符", "employer's part differs"),
    "personal_part_differs": Name("个人部分不符", "person's part differs"),
    "both_parts_differ": Name("两部分均不符", "both parts differ"),
}
# Ways of being insured twice, and of being enrolled late.
DOUBLE_KINDS = {
    "two_regions": Name("两个统筹区", "two regions"),
    "two_numbers": Name("两个人员编号", "two person numbers"),
    "two_employers": Name("两个单位", "two employers"),
}
LATE_KINDS = {
    "started_late": Name("逾期参保（至少天数）", "started late (days at least)"),
    "backdated": Name("补报", "backdated"),
}
MATTERS = {
    "maternity_allowance": Name("生育津贴", "Maternity allowance"),
    "manual_claim": Name("手工报销", "Reimbursement"),
    "nutrition_subsidy": Name("一次性营养补助", "Nutrition subsidy"),
}
# What a price is held against.
BASES = {
    "case": Name("每例定价", "price of a case"),
    "limit": Name("孕期累计限额", "limit of a pregnancy"),
    "heads": Name("人头标准的整数倍", "whole number of heads"),
}
AGREEMENT_INDICATORS = {
    "caesarean_share": Name("剖宫产率", "Share of caesareans"),
    "cost_per_delivery": Name("次均分娩费用", "Cost of a delivery"),
    "direct_settlement_share": Name("直接结算占比", "Share settled directly"),
    "days_to_settle": Name("出院至结算天数", "Days from discharge to settlement"),
    "overcharge_share": Name("超价格金额占比", "Share above the price"),
    "prenatal_heads_per_delivery": Name("产前人头与分娩数之比", "Heads of prenatal care to a delivery"),
}
PAYEES = {"employer": Name("用人单位", "employer"), "person": Name("个人", "the person")}

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
