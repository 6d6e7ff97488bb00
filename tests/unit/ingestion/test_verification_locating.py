"""Which events of a batch are out of order, by their lines."""

from __future__ import annotations

from itertools import combinations, pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingestion.verification.locating import out_of_order


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        ([], []),
        ([2, 3, 9], []),
        ([2, 4, 3, 5], [1]),
        ([2, 6, 4, 5, 3, 7], [1, 4]),
        ([2, 3, 400, 5], [2]),
        ([8, 9, 10, 1, 12], [3]),
        ([2, 3, 3, 4], [1]),
    ],
    ids=["none", "ascending", "neighbours swapped", "swapped", "renumbered", "renumbered down", "twice"],
)
def test_events_out_of_order(lines: list[int], expected: list[int]) -> None:
    assert out_of_order(lines) == expected


@given(st.lists(st.integers(0, 9), max_size=8))
def test_the_fewest_are_named_and_the_others_ascend(lines: list[int]) -> None:
    left = set(range(len(lines))) - set(out_of_order(lines))
    assert _ascends([lines[n] for n in sorted(left)])
    longer = combinations(range(len(lines)), len(left) + 1)
    assert not any(_ascends([lines[n] for n in some]) for some in longer)


def _ascends(lines: list[int]) -> bool:
    return all(one < other for one, other in pairwise(lines))
