"""The patterns that are known from audits and inspections.

Each pattern has parameters for tuning rules and others that are held out: rules are judged on those, and on whole
patterns that were never used for tuning.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable

from runtime.samples.frauds import births, employers, payments, services, stays
from runtime.samples.frauds.held_out import HELD_OUT
from runtime.samples.frauds.look_alikes import LOOK_ALIKES
from runtime.samples.frauds.pattern import Parameters, Pattern
from runtime.samples.frauds.scene import Scene
from runtime.samples.frauds.truth import Planted

FRAUDS: tuple[Pattern, ...] = (
    Pattern(
        "shell_employer",
        "空壳单位骗取生育津贴",
        "A shell made for allowances",
        employers.shell_employer,
        ({"staff": 30, "claimants": 24, "months_before": (2, 3), "base": 17_300},),
        ({"staff": 14, "claimants": 9, "months_before": (4, 5), "base": 12_900},),
    ),
    Pattern(
        "small_firm",
        "小单位生育人数畸高",
        "A small firm of mothers",
        employers.small_firm,
        ({"staff": 15, "births": 13, "base": 13_000},),
        ({"staff": 11, "births": 6, "base": 8_100},),
    ),
    Pattern(
        "hr_agency",
        "人力资源公司挂靠参保",
        "An agency that insures strangers",
        employers.hr_agency,
        ({"staff": 60, "claimants": 40, "base": 5_700},),
        ({"staff": 189, "claimants": 127, "base": 4_800},),
    ),
    Pattern(
        "base_jump",
        "孕后突击提高缴费基数",
        "The base jumps after conception",
        employers.base_jump,
        ({"factor": 2.6, "months_before": 4, "cases": 3},),
        ({"factor": 1.9, "months_before": 6, "cases": 2},),
    ),
    Pattern(
        "join_and_stop",
        "突击参保，领款后停保",
        "Joins before the birth, stops after the payment",
        employers.join_and_stop,
        ({"months_before": 3, "stops_after_days": 25, "cases": 3},),
        ({"months_before": 5, "stops_after_days": 50, "cases": 2},),
    ),
    Pattern(
        "left_employer",
        "已离职人员由原单位申领津贴",
        "An allowance to the employer she had left",
        employers.left_employer,
        ({"gap_days": 70, "cases": 2},),
        ({"gap_days": 130, "cases": 2},),
    ),
    Pattern(
        "male_or_retired",
        "男性或退休人员申领",
        "Claimed for a man or a retired person",
        employers.claimed_for_men_and_retired,
        ({"kind": "male", "cases": 2},),
        ({"kind": "retired", "cases": 2},),
    ),
    Pattern(
        "split_stay",
        "分解住院",
        "Stays split",
        stays.split_stay,
        ({"patients": 12, "parts": 2, "gap_days": (0, 1), "hospital": 2},),
        ({"patients": 6, "parts": 3, "gap_days": (2, 4), "hospital": 0},),
    ),
    Pattern(
        "overlapping_stay",
        "住院时间重叠",
        "Overlapping stays",
        stays.overlapping_stay,
        ({"cases": 4, "same_hospital": False},),
        ({"cases": 3, "same_hospital": True},),
    ),
    Pattern(
        "after_death",
        "死亡后结算",
        "Care after death",
        stays.after_death,
        ({"days_after": 25, "item": "inpatient", "cases": 2},),
        ({"days_after": 4, "item": "outpatient", "cases": 3},),
    ),
    Pattern(
        "outside_enrolment",
        "参保期外待遇",
        "Care outside enrolment",
        stays.outside_enrolment,
        ({"days_after": 60, "cases": 3},),
        ({"days_after": 12, "cases": 2},),
    ),
    Pattern(
        "duplicate_billing",
        "重复结算",
        "The same stay billed twice",
        stays.duplicate_billing,
        ({"cases": 4, "days_later": 0},),
        ({"cases": 3, "days_later": 33},),
    ),
    Pattern(
        "two_births",
        "八个月内两次分娩",
        "Two births within eight months",
        births.two_births,
        ({"days_between": 150, "cases": 2},),
        ({"days_between": 205, "cases": 2},),
    ),
    Pattern(
        "impossible_birth",
        "不可能的分娩",
        "Impossible births",
        births.impossible_birth,
        ({"kind": "old", "cases": 2}, {"kind": "children", "cases": 2}, {"kind": "weeks", "cases": 2}),
        ({"kind": "young", "cases": 1}, {"kind": "carried", "cases": 2}),
    ),
    Pattern(
        "two_regions",
        "两地重复申领",
        "One birth claimed in two regions",
        births.two_regions,
        ({"cases": 2},),
        ({"cases": 3},),
    ),
    Pattern(
        "upcoding",
        "高套病种（剖宫产占比畸高）",
        "Births upcoded to caesareans",
        births.upcoding,
        ({"births": 32, "caesarean": 30, "hospital": 7},),
        ({"births": 28, "caesarean": 22, "hospital": 9},),
    ),
    Pattern(
        "cost_inflation",
        "次均费用畸高",
        "Cost per case inflated",
        births.cost_inflation,
        ({"stays": 30, "factor": 2.6, "hospital": 10},),
        ({"stays": 24, "factor": 1.8, "hospital": 11},),
    ),
    Pattern(
        "prenatal_over_rule",
        "产前检查超标准",
        "Prenatal care above the rule",
        births.prenatal_over_rule,
        ({"percent": 210, "visits": 4, "cases": 3},),
        ({"percent": 135, "visits": 3, "cases": 2},),
    ),
    Pattern(
        "refund_to_another",
        "退费给他人",
        "Premiums refunded to somebody else",
        payments.refund_to_another,
        ({"cases": 2, "same_employer": False},),
        ({"cases": 2, "same_employer": True},),
    ),
    Pattern(
        "one_account_for_many",
        "一个账户供多人使用",
        "One account pays for many",
        payments.one_account_for_many,
        ({"users": 14},),
        ({"users": 9},),
    ),
    Pattern(
        "split_charge",
        "分解收费",
        "One treatment charged in many bills",
        services.split_charge,
        ({"bills": 10, "days": 6, "cases": 2},),
        ({"bills": 8, "days": 20, "cases": 2},),
    ),
    Pattern(
        "equal_fees",
        "费用雷同（虚构服务）",
        "The same fee for everybody",
        services.equal_fees,
        ({"bills": 40, "fee": 300, "hospital": 13},),
        ({"bills": 24, "fee": 250, "hospital": 14},),
    ),
    Pattern(
        "bed_kept",
        "空床、超长住院",
        "A bed kept for nobody",
        services.bed_kept,
        ({"days": 40, "pooled": 1_900, "cases": 2},),
        ({"days": 24, "pooled": 2_300, "cases": 2},),
    ),
    Pattern(
        "operated_again",
        "反复手术",
        "The same operation again and again",
        services.operated_again,
        ({"operations": 5, "days_between": 45, "cases": 2},),
        ({"operations": 3, "days_between": 60, "cases": 2},),
    ),
    *HELD_OUT,
)


def stage(scene: Scene, code: str, act: Callable[..., None], parameters: Parameters) -> None:
    """Stage one pattern with parameters; its stream depends on both, so that others may change."""
    act(scene, _rng(scene, code, parameters), **parameters)


def _rng(scene: Scene, code: str, parameters: Parameters) -> random.Random:
    return scene.rng(f"{code}:{sorted(parameters.items())}")


def plant(scene: Scene, which: str, patterns: Iterable[Pattern] = FRAUDS) -> list[Planted]:
    """Stage the patterns with their parameters of a set, `tuning` or `held_out`, and all look-alikes."""
    for pattern in patterns:
        for parameters in getattr(pattern, which):
            stage(scene, pattern.code, pattern.stage, parameters)
    for alike in LOOK_ALIKES:
        stage(scene, alike.code, alike.stage, alike.parameters)
    return scene.planted
