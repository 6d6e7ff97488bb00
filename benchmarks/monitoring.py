"""How well claims monitoring finds planted fraud: cases known from audits, and what only looks like them.

For each seed two pairs of cities are made and taken the whole way to publication: one with the parameters that rules
were tuned on, one with others and with whole patterns that nobody looked at then. A case is found when a rule names a
claim, the employer or the institution of it. A finding that names none of a planted fraud is a false alarm.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator

from benchmarks.common import command, machine, server
from benchmarks.databases import fresh
from benchmarks.fraud_cities import hits, published
from benchmarks.fraud_score import PatternScore, Score
from ingestion.schema import migrate
from ingestion.settings import Settings
from runtime.samples.frauds import FRAUDS, LOOK_ALIKES

SETS = ("tuning", "held_out")
_TITLES = {"tuning": "Parameters rules were tuned on", "held_out": "Held out: other parameters, other patterns"}


def main(arguments: list[str] | None = None) -> int:
    """Measure and print the tables of the report."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.monitoring", description=__doc__)
    parser.add_argument("--persons", type=int, default=4_000, help="in both cities together (default: %(default)s)")
    parser.add_argument("--seeds", type=int, nargs="+", default=[1, 2, 3], help="one pair of cities each")
    parser.add_argument("--sets", nargs="+", choices=SETS, default=list(SETS), help="default: both")
    options = parser.parse_args(arguments)
    print(f"{machine()}\n`{command()}`\n")
    scores = {which: Score() for which in options.sets}
    with server() as empty:
        migrate(Settings.from_env())
        for seed in options.seeds:
            for which in options.sets:
                fresh(empty)
                scores[which].add(published(seed, options.persons, which), hits())
    for which, score in scores.items():
        print("\n".join(_report(_TITLES[which], score)))
    return 0


def _report(title: str, score: Score) -> Iterator[str]:
    yield f"### {title}\n"
    yield f"Recall {score.recall:.2f}, precision {score.precision:.2f}; look-alikes named {score.alarm_rate:.2f}\n"
    yield "| pattern | planted | found | recall | paid, yuan | of which found | by |"
    yield "|---|---|---|---|---|---|---|"
    names = {pattern.code: pattern.en for pattern in FRAUDS}
    for code in (code for code in names if code in score.patterns):
        yield _row(names[code], score.patterns[code])
    yield "\n| looks like it | planted | taken for it | rate | paid, yuan | of which | by |"
    yield "|---|---|---|---|---|---|---|"
    for alike in LOOK_ALIKES:
        yield _row(alike.en, score.look_alikes[alike.code])
    yield "\n| rule | findings | of planted fraud | of look-alikes | of others | precision | patterns |"
    yield "|---|---|---|---|---|---|---|"
    for rule_code, rule in sorted(score.rules.items()):
        patterns = ", ".join(sorted(rule.patterns)) or "—"
        counts = f"{rule.hits} | {rule.true} | {rule.look_alikes} | {rule.others} | {rule.precision:.2f}"
        yield f"| {rule_code} | {counts} | {patterns} |"
    yield ""


def _row(name: str, score: PatternScore) -> str:
    rules = " ".join(sorted(score.rules)) or "—"
    counts = f"{score.planted} | {score.found} | {score.recall:.2f}"
    return f"| {name} | {counts} | {score.amount:,.0f} | {score.found_amount:,.0f} | {rules} |"


if __name__ == "__main__":
    raise SystemExit(main())
