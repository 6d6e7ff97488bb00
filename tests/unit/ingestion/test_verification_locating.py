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
        ([2, 4, 3, 5], [1, 2]),
        ([2, 6, 4, 5, 3, 7], [1, 4]),
        ([2, 3, 400, 5, 6], [2]),
        ([8, 9, 10, 1, 12], [3]),
        ([2, 0], [0, 1]),
        ([2, 3, 3, 4], [1, 2]),
    ],
    ids=["none", "ascending", "neighbours swapped", "swapped", "renumbered", "renumbered down", "either", "twice"],
)
def test_events_out_of_order(lines: list[int], expected: list[int]) -> None:
    assert out_of_order(lines) == expected


@given(st.lists(st.integers(0, 9), max_size=8))
def test_all_are_named_that_are_not_in_every_longest_ascending_selection(lines: list[int]) -> None:
    sizes = range(len(lines), -1, -1)
    selections = next(some for size in sizes if (some := _ascending(lines, size)))
    assert out_of_order(lines) == sorted(set(range(len(lines))) - set.intersection(*selections))


def _ascending(lines: list[int], size: int) -> list[set[int]]:
    places = combinations(range(len(lines)), size)
    return [set(some) for some in places if all(lines[one] < lines[other] for one, other in pairwise(some))]
