"""One region's facts, invented from a seed: every event type, on both sides of the merger and of a year's end.

Facts keep to readings on which the contract leaves no doubt; the doubtful ones are listed in `README.md` beside this.
"""

from __future__ import annotations

from .story_benefits import Benefits
from .story_contributions import Contributions
from .story_treasury import Treasury
from .teller import LAST_DAY, Fact


class Story(Contributions, Benefits, Treasury):
    """All of it."""

    def tell(self, size: int) -> list[Fact]:
        """About `size` facts of each kind."""
        self._open_books()
        self._register(4 + size)
        for _ in range(size):
            self._contributions()
            self._benefits()
            self._advances()
            self._treasury()
        self._unspent_receipts(size)
        self.add("fund.merged", self.merger_date, fund_code="MAT")
        self.add("interest.credited", LAST_DAY, fund_code="EMI", sub_fund="pooled", account="income", amount="0.01")
        return self.facts
