"""The guide for accountants says what there is: every table and column as described, every code."""

from __future__ import annotations

from parameters.document import GUIDE, written
from parameters.problems import CODES


def test_the_guide_is_that_of_the_seeds() -> None:
    guide = GUIDE.read_text("utf-8")
    assert written(guide) == guide, "python -m parameters document --write"


def test_the_guide_lists_every_code() -> None:
    guide = GUIDE.read_text("utf-8")
    assert [code for code in CODES if f"| `{code}`" not in guide] == []
