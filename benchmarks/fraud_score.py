"""What was planted against what was said: found and missed by pattern, right and wrong by rule."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from decimal import Decimal

from benchmarks.fraud_cities import Hit
from runtime.samples.frauds import Planted


@dataclass
class PatternScore:
    """Cases of one pattern; amounts in yuan, of what the fund paid on a case."""

    planted: int = 0
    found: int = 0
    amount: Decimal = Decimal(0)
    found_amount: Decimal = Decimal(0)
    rules: set[str] = field(default_factory=set)

    @property
    def recall(self) -> float:
        """Share of the cases that at least one rule has found."""
        return self.found / self.planted


@dataclass
class RuleScore:
    """Findings of one rule: of planted fraud, of planted look-alikes alone, and of nobody that was planted."""

    true: int = 0
    look_alikes: int = 0
    others: int = 0
    patterns: set[str] = field(default_factory=set)

    @property
    def hits(self) -> int:
        """All findings."""
        return self.true + self.look_alikes + self.others

    @property
    def precision(self) -> float:
        """Share of the findings that are about planted fraud."""
        return self.true / self.hits


@dataclass
class Score:
    """Of one or more cities."""

    patterns: dict[str, PatternScore] = field(default_factory=lambda: defaultdict(PatternScore))
    look_alikes: dict[str, PatternScore] = field(default_factory=lambda: defaultdict(PatternScore))
    rules: dict[str, RuleScore] = field(default_factory=lambda: defaultdict(RuleScore))

    def add(self, planted: Sequence[Planted], found: Sequence[Hit]) -> None:
        """Count what was planted in the cities of one database, and what the rules say of them."""
        for case in planted:
            touching = [hit for hit in found if touches(hit, case)]
            _count((self.patterns if case.is_fraud else self.look_alikes)[case.pattern], case, touching)
        for hit in found:
            self._judge(hit, planted)

    def _judge(self, hit: Hit, planted: Iterable[Planted]) -> None:
        cases = [case for case in planted if touches(hit, case)]
        frauds = {case.pattern for case in cases if case.is_fraud}
        rule = self.rules[hit.rule_code]
        rule.patterns |= frauds
        if frauds:
            rule.true += 1
        elif cases:
            rule.look_alikes += 1
        else:
            rule.others += 1

    @property
    def precision(self) -> float:
        """Share of all findings that are about planted fraud."""
        return sum(rule.true for rule in self.rules.values()) / sum(rule.hits for rule in self.rules.values())

    @property
    def recall(self) -> float:
        """Share of all planted frauds found."""
        scores = self.patterns.values()
        return sum(score.found for score in scores) / sum(score.planted for score in scores)

    @property
    def alarm_rate(self) -> float:
        """Share of the look-alikes that some rule has taken for fraud."""
        scores = self.look_alikes.values()
        return sum(score.found for score in scores) / sum(score.planted for score in scores)


def touches(hit: Hit, case: Planted) -> bool:
    """Whether a finding is about a case: a claim, an employer or an institution of it, or, without claims, a person."""
    if hit.region_code != case.region_code:
        return False
    if hit.claims & set(case.claims) or hit.institution_code in case.institutions or hit.employer_no in case.employers:
        return True
    without_claims = not hit.claims or not case.claims
    return without_claims and bool(hit.persons & set(case.persons))


def _count(score: PatternScore, case: Planted, touching: Sequence[Hit]) -> None:
    score.planted += 1
    paid = Decimal(case.amount) / 100
    score.amount += paid
    if touching:
        score.found += 1
        score.found_amount += paid
    score.rules |= {hit.rule_code for hit in touching}
