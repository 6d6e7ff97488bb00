"""Small cities with every planted fraud, taken the whole way: each pattern is found, what only looks like it is left.

How well rules do is measured by `python -m benchmarks.monitoring`; here it is only that none of them has gone blind.
"""

from __future__ import annotations

import pytest

from benchmarks.fraud_cities import hits, published
from benchmarks.fraud_score import Score

# Look-alikes that may be named, of all that are planted.
ALARMS_AT_MOST = 0.10
# Of all findings, those about planted fraud.
PRECISION_AT_LEAST = 0.90


@pytest.mark.exhaustive
@pytest.mark.timeout(1200)
@pytest.mark.usefixtures("deployed_warehouse")
@pytest.mark.parametrize("which", ["tuning", "held_out"])
def test_every_pattern_is_found_and_look_alikes_are_left_alone(which: str) -> None:
    planted = published(seed=5, persons=600, which=which)
    score = Score()
    score.add(planted, hits())
    missed = {code for code, pattern in score.patterns.items() if not pattern.found}
    assert missed == set()
    named = {code: alike.rules for code, alike in score.look_alikes.items() if alike.found}
    assert score.alarm_rate <= ALARMS_AT_MOST, named
    others = {code: rule for code, rule in score.rules.items() if rule.look_alikes + rule.others}
    assert score.precision >= PRECISION_AT_LEAST, others
