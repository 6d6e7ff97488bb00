"""Honest cases that a coarse rule would take for fraud: without them precision says nothing."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from runtime.samples.frauds import births, employers, identities, payments, revisions, services, stays, together

Parameters = Mapping[str, Any]


@dataclass(frozen=True)
class LookAlike:
    """Something honest that a coarse rule would take for fraud."""

    code: str
    zh: str
    en: str
    stage: Callable[..., None]
    parameters: Parameters = field(default_factory=dict)


LOOK_ALIKES: tuple[LookAlike, ...] = (
    LookAlike("new_firm", "新办企业", "A new firm", employers.new_firm),
    LookAlike(
        "small_firm_two_births", "小单位两例生育", "A small firm with two births", employers.small_firm_two_births
    ),
    LookAlike("job_changer", "换工作后生育", "A birth after changing jobs", employers.job_changer, {"cases": 3}),
    LookAlike("leaves_after_leave", "产假后离职", "Leaves after the leave", employers.leaves_after_leave, {"cases": 3}),
    LookAlike("yearly_raise", "年度基数调整", "The yearly raise", employers.yearly_raise, {"cases": 3}),
    LookAlike(
        "readmitted_elsewhere", "转往他院再住院", "Taken in again elsewhere", stays.readmitted_elsewhere, {"cases": 3}
    ),
    LookAlike("transferred", "转院", "Transferred", stays.transferred, {"cases": 3}),
    LookAlike("regular_patient", "规律治疗", "Cycles of treatment", stays.regular_patient, {"cases": 3}),
    LookAlike(
        "settled_after_death", "死亡前住院、死后结算", "Settled after death", stays.settled_after_death, {"cases": 3}
    ),
    LookAlike("twins", "双胞胎", "Twins", births.twins, {"cases": 3}),
    LookAlike(
        "miscarriage_then_birth",
        "流产后再孕",
        "A birth after a miscarriage",
        births.miscarriage_then_birth,
        {"cases": 3},
    ),
    LookAlike(
        "high_risk_hospital",
        "多胎妊娠中心",
        "A centre for multiple births",
        births.high_risk_hospital,
        {"births": 30, "hospital": 8},
    ),
    LookAlike("few_dear_stays", "少数重症", "A few grave cases", births.few_dear_stays, {"hospital": 12}),
    LookAlike(
        "prenatal_at_rule", "产前检查恰为标准", "Prenatal care at the rule", births.prenatal_at_rule, {"cases": 2}
    ),
    LookAlike("older_mother", "高龄产妇", "A mother of 45", births.older_mother, {"cases": 2}),
    LookAlike("mans_operation", "男性计划生育手术", "A man's operation", births.mans_operation, {"cases": 2}),
    LookAlike(
        "refund_to_payer", "换单位后退费", "A refund after changing jobs", payments.refund_to_payer, {"cases": 2}
    ),
    LookAlike("family_account", "家庭共济", "A family's account", payments.family_account, {"cases": 2}),
    LookAlike("course_of_treatment", "连续治疗", "A course of treatment", services.course_of_treatment, {"cases": 3}),
    LookAlike("long_rehabilitation", "康复住院", "A long rehabilitation", services.long_rehabilitation, {"cases": 3}),
    LookAlike(
        "settled_anew_100",
        "银行退回后重新结算",
        "Settled anew for the same sum",
        revisions.settled_anew_alike,
        {"cases": 2, "percent": 100},
    ),
    LookAlike(
        "settled_anew_104",
        "撤销后补一项费用",
        "Settled anew with a bed day more",
        revisions.settled_anew_alike,
        {"cases": 2, "percent": 104},
    ),
    LookAlike(
        "own_account_after_leaving",
        "停保后用个人账户余额",
        "One's own account after leaving",
        revisions.own_account_after_leaving,
        {"cases": 2},
    ),
    LookAlike(
        "there_and_back", "手术、康复、返院", "Operated, moved, taken back", together.there_and_back, {"cases": 2}
    ),
    LookAlike("colleagues_by_chance", "同事偶然同日住院", "Colleagues by chance", together.colleagues_by_chance),
    LookAlike(
        "colleagues_in_an_accident", "同事事故住院", "Colleagues in an accident", together.colleagues_in_an_accident
    ),
    LookAlike("weekly_medicine", "长期用药每周购药", "Medicine every week", together.weekly_medicine, {"cases": 2}),
    LookAlike(
        "account_before_death",
        "死亡前使用家庭账户",
        "A family account until the death",
        identities.account_before_death,
        {"cases": 2},
    ),
    LookAlike("young_apprentice", "17岁职工", "An employee of seventeen", identities.young_apprentice, {"cases": 2}),
    LookAlike(
        "pregnant_again", "分娩五个月后早期流产", "Pregnant again, and lost", identities.pregnant_again, {"cases": 2}
    ),
    LookAlike("older_father", "高龄丈夫结算妻子分娩", "A husband of 57", identities.older_father, {"cases": 2}),
    LookAlike("fathers_leave", "男职工护理假津贴", "A father's leave", identities.fathers_leave, {"cases": 2}),
)
