"""Claims monitoring: a check for each rule of seed `monitoring_rule`, on what is published (policy §7).

The rules are views of the ledger, united in `ledger.monitoring_hit`; a check reads its own. Titles, owner and what to
do are those of the seed, which the pages show as well.
"""

from __future__ import annotations

import csv
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from expectations.check import REVIEW, Check
from runtime.layout import REPOSITORY
from runtime.seed_folder import seeds_of

# A city of a million events has dozens of findings of a rule; thousands of them say that a parameter is set wrongly.
_ROWS_MAX = 2_000
_SEED = "policy/monitoring_rule.csv"

# The session sees this region alone; as an equality the condition would be taken for a strict one, and loops follow.
_OFFENDING = """
    select hit.finding_key as item, hit.amount, hit.said_zh || ' / ' || hit.said_en as reason, hit.institution_code,
        hit.employer_no, hit.persons, hit.claims, hit.first_on, hit.last_on, hit.recovered_amount, hit.evidence
    from ledger.{model} as hit
    where case when hit.region_code = $region then true else false end
"""
_CLAIMS = """
    select count(*) from ledger.claim_turnover as claim
    where claim.region_code = $region and claim.last_seq > $after and claim.last_seq <= $head
"""
_REFUNDS = """
    select count(*) from events.event as refund
    where refund.region_code = $region and refund.seq > $after and refund.seq <= $head
        and refund.event_type = 'contribution.refunded'
"""
_POPULATION = {"S17": _REFUNDS}
# A rule that is switched off has nothing to look at, and the page says so. One that lacks a parameter looks at nothing
# although there is something: that is reported and not taken for silence.
_STATE = """
        and (select judged.state from ledger.monitoring_state as judged
            where judged.region_code = $region and judged.rule_code = '{code}') {condition}
"""


@dataclass(frozen=True)
class Rule:
    """A row of the seed: what the rule is called, whose it is, and what its owner does."""

    code: str
    model: str
    title_zh: str
    title_en: str
    clause: str
    owner: str
    todo_zh: str
    todo_en: str


@cache
def rules() -> tuple[Rule, ...]:
    """The rules of this installation's seeds, which dbt loads too, in the order of their codes."""
    with _seed().open(encoding="utf-8-sig", newline="") as file:
        found = [
            Rule(
                code=row["rule_code"],
                model=row["model_name"],
                title_zh=row["title_zh"],
                title_en=row["title_en"],
                clause=row["clause"],
                owner=row["owner"],
                todo_zh=row["todo_zh"],
                todo_en=row["todo_en"],
            )
            for row in csv.DictReader(file)
        ]
    return tuple(sorted(found, key=lambda rule: rule.code))


def _seed() -> Path:
    """The file of the installation; the code's own where the folder lacks it, which no deployment accepts anyway."""
    project = REPOSITORY / "dbt_project"
    own = seeds_of(project) / _SEED
    return own if own.is_file() else project / "seeds" / _SEED


def _check(rule: Rule) -> Check:
    population = _POPULATION.get(rule.code, _CLAIMS)
    return Check(
        code=rule.code,
        title_zh=rule.title_zh,
        title_en=rule.title_en,
        severity="warn",
        owner=rule.owner,
        clause=rule.clause,
        offending=_OFFENDING.format(model=rule.model),
        examined=population + _STATE.format(code=rule.code, condition="= 'on'"),
        population=population + _STATE.format(code=rule.code, condition="is distinct from 'off'"),
        scopes=frozenset({REVIEW}),
        relists=True,
        rows_max=_ROWS_MAX,
    )


CHECKS: tuple[Check, ...] = tuple(_check(rule) for rule in rules())
