"""The few cases that the demo cities have, so that monitoring has something to show: documented in docs/sources.md.

None of them trips a check of the gate: premiums, sums and allowances are right. That is what monitoring is for.
"""

from __future__ import annotations

from collections.abc import Callable

from runtime.samples.frauds import births, employers, payments, stays
from runtime.samples.frauds.catalogue import stage
from runtime.samples.frauds.pattern import Parameters
from runtime.samples.frauds.scene import Scene
from runtime.samples.frauds.truth import Planted
from runtime.samples.log import CityLog

Case = tuple[str, Callable[..., None], Parameters]

_CASES: dict[str, tuple[Case, ...]] = {
    "nanjing": (
        ("small_firm", employers.small_firm, {"staff": 9, "births": 7, "base": 12_600}),
        ("split_stay", stays.split_stay, {"patients": 3, "parts": 2, "gap_days": (0, 1), "hospital": 2}),
        ("two_births", births.two_births, {"days_between": 160, "cases": 1}),
        ("refund_to_another", payments.refund_to_another, {"cases": 1, "same_employer": False}),
        ("twins", births.twins, {"cases": 1}),
        ("readmitted_elsewhere", stays.readmitted_elsewhere, {"cases": 1}),
    ),
    "huainan": (
        ("base_jump", employers.base_jump, {"factor": 2.4, "months_before": 4, "cases": 1}),
        ("overlapping_stay", stays.overlapping_stay, {"cases": 1, "same_hospital": False}),
        ("one_account_for_many", payments.one_account_for_many, {"users": 12}),
        ("transferred", stays.transferred, {"cases": 1}),
        ("family_account", payments.family_account, {"cases": 1}),
    ),
}


def plant_demonstration(log: CityLog, seed: int) -> list[Planted]:
    """Stage the cases of the log's city; the same seed gives the same facts."""
    scene = Scene(log, seed)
    for code, act, parameters in _CASES[log.city.source_system]:
        stage(scene, code, act, parameters)
    return scene.planted
