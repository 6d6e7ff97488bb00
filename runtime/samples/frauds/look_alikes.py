"""Honest cases that a coarse rule would take for fraud: without them precision says nothing."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from runtime.samples.frauds import births, employers, payments, services, stays

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
)
