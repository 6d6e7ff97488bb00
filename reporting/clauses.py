"""The notices on the merger clause by clause: what each asks, what answers it, and how that stands. Reads only."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any

from ingestion.database import Connection
from reporting import findings
from reporting.names import Name
from reporting.quality import exists, rows

MART = "marts.clause_register"


@dataclass(frozen=True)
class Answer:
    """One thing that answers a clause: kind (`mart`, `check`, `page`, `dag`, `seed`, `document`) and name."""

    kind: str
    name: str


@dataclass(frozen=True)
class Clause:
    """A clause of a notice; without answers where software has none to give, and then `said` is the reason."""

    clause_id: str
    region_code: str
    document_no: str
    section: str
    asked: Name
    said: Name
    answers: tuple[Answer, ...]

    def of(self, kind: str) -> list[str]:
        """Names of the answers of a kind."""
        return [answer.name for answer in self.answers if answer.kind == kind]


@dataclass(frozen=True)
class Standing:
    """How a check stands in a region: whether it was ever made, and how many of its findings are open."""

    made: bool
    open: int


@dataclass(frozen=True)
class SelfCheck:
    """How the self-check of a region stands: of `whole` items, those met, not met, and what can't be told."""

    whole: int
    met: int
    not_met: int
    untold: int


_SELF_CHECK = """
    select region_code, count(*), count(*) filter (where result = 'met'), count(*) filter (where result = 'not_met'),
        count(*) filter (where result = 'cannot_tell')
    from marts.merger_self_check group by region_code
"""
# One look-up in index check_result_trend each: the results of all runs ever are not walked.
_MADE = """
    select wanted.region_code, wanted.code
    from unnest(%(regions)s::text[], %(codes)s::text[]) as wanted (region_code, code)
    cross join lateral (
        select from quality.check_result as made
        where made.region_code = wanted.region_code and made.code = wanted.code limit 1
    ) as made
"""
_CLAUSES = f"""
    select clause_id, region_code, document_no, section, clause_zh, clause_en, answer_zh, answer_en, answer_kind,
        answer_name
    from {MART}
    order by region_code, clause_order,
        array_position(array['page', 'mart', 'check', 'seed', 'dag', 'document'], answer_kind), answer_name
"""


def clauses(connection: Connection) -> list[Clause]:
    """Every clause of every notice, in the order of the notices."""
    if not exists(connection, MART):
        return []
    return grouped(rows(connection, _CLAUSES))


def grouped(found: Sequence[tuple[Any, ...]]) -> list[Clause]:
    """Clauses of rows in the order of the register, one row an answer."""
    register = []
    for (clause_id, region, document, section, zh, en, said_zh, said_en), of_clause in groupby(found, lambda r: r[:8]):
        answers = tuple(Answer(kind, name) for *_, kind, name in of_clause if kind)
        asked, said = Name(zh, en), Name(said_zh, said_en)
        register.append(Clause(clause_id, region, document, section, asked, said, answers))
    return register


def checked(connection: Connection) -> dict[str, SelfCheck]:
    """The self-check by region, which answers some clauses instead of a check."""
    if not exists(connection, "marts.merger_self_check"):
        return {}
    return {region: SelfCheck(*counts) for region, *counts in rows(connection, _SELF_CHECK)}


def standings(connection: Connection, register: Sequence[Clause]) -> dict[tuple[str, str], Standing]:
    """How the checks that answer clauses stand, by region and code."""
    if not exists(connection, "quality.check_result"):
        return {}
    asked = sorted({(clause.region_code, code) for clause in register for code in clause.of("check")})
    wanted = {"regions": [region for region, _ in asked], "codes": [code for _, code in asked]}
    found = {(region, code): Standing(made=True, open=0) for region, code in rows(connection, _MADE, wanted)}
    for total in findings.totals(connection):
        if total.status == "open":
            place = (total.region_code, total.code)
            found[place] = Standing(made=True, open=total.count)
    return found
