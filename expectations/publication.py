"""Moves the published head of every green region, in one transaction, and records what was decided on each."""

from __future__ import annotations

from contextlib import closing
from dataclasses import dataclass
from typing import Any, Literal

from expectations.freeze import frozen_regions
from expectations.report import explain
from expectations.rules_version import may_publish, rules_sha256
from expectations.suites import gate_checks
from ingestion.database import Connection, connect
from ingestion.settings import Settings

Decision = Literal["published", "refused", "unchanged"]

FROZEN = "frozen"
HEAD_MOVED = "head-moved"
NOT_CHECKED = "not-checked"
RULES_NOT_ADOPTED = "rules-not-adopted"

# One publisher at a time; held to the end of the transaction.
_LOCK = "select pg_advisory_xact_lock(hashtextextended('merged_fund.publish', 0))"

# Per region: the built head, the published head, and the newest result of each check of this run.
_STATE = """
    select built.region_code, built.seq, built.batch_id, built.batch_hash, coalesce(published.seq, 0), published.run_id,
        published.rules_sha256,
        coalesce(checked.head_seqs, '{}'), coalesce(checked.codes, '{}'), coalesce(checked.red, '{}')
    from (
        select distinct on (region_code) region_code, seq, batch_id, batch_hash
        from ledger.built_head order by region_code, seq desc
    ) as built
    left join (
        select distinct on (region_code) region_code, seq, run_id, rules_sha256
        from ledger.publication order by region_code, seq desc, published_at desc
    ) as published using (region_code)
    left join (
        select region_code,
            array_agg(distinct head_seq) as head_seqs,
            array_agg(code order by code) as codes,
            array_agg(code order by code) filter (where not success and severity = 'fail') as red
        from (
            select distinct on (region_code, code) * from quality.check_result
            where run_id = %s and scope = 'gate' order by region_code, code, started_at desc
        ) as newest
        group by region_code
    ) as checked using (region_code)
    order by built.region_code
"""


@dataclass(frozen=True)
class RegionDecision:
    """What was decided on one region; `failed_checks` are the reasons of a refusal."""

    region_code: str
    head_seq: int
    decision: Decision
    failed_checks: tuple[str, ...]


class GateRefusedError(RuntimeError):
    """At least one region was refused; the green ones have been published all the same."""

    def __init__(self, decisions: list[RegionDecision], explanation: str) -> None:
        super().__init__(explanation)
        self.decisions = decisions


def publish(run_id: str, settings: Settings | None = None) -> list[RegionDecision]:
    """Publish the regions that `check` of this run found green; acts as role fund_publisher.

    All green regions move in one transaction. A region is refused when a `fail` check failed,
        when a check has no result, when its built head is no longer the one that was checked, when the posting
        rules have changed since its last publication and no event of its log has adopted them, or while its
        publication is frozen.
    Calling it again for the same run decides the same and publishes nothing twice.
    Raises GateRefusedError after the commit when a region was refused.
    """
    settings = settings or Settings.from_env()
    with closing(connect("fund_publisher", settings=settings)) as connection:
        with connection, connection.cursor() as cursor:
            cursor.execute(_LOCK)
            cursor.execute(_STATE, (run_id,))
            states = cursor.fetchall()
            rules = rules_sha256(connection) if states else ""
            frozen = frozen_regions(connection)
            decisions = [_decide(run_id, connection, row, rules, row[0] in frozen) for row in states]
        if any(decision.decision == "refused" for decision in decisions):
            raise GateRefusedError(decisions, explain(run_id, settings))
    return decisions


def _decide(run_id: str, connection: Connection, row: tuple[Any, ...], rules: str, is_frozen: bool) -> RegionDecision:
    region, seq, batch_id, batch_hash, published_seq, published_run, published_rules, head_seqs, codes, red = row
    reasons = _reasons(seq, head_seqs, codes, red)
    if published_seq != seq and not may_publish(connection, region, rules, published_rules, seq):
        reasons += (RULES_NOT_ADOPTED,)
    if is_frozen:
        reasons += (FROZEN,)
    if reasons:
        decision: Decision = "refused"
    elif published_seq == seq:
        decision = "published" if published_run == run_id else "unchanged"
    else:
        decision = "published"
    with connection.cursor() as cursor:
        if decision == "published" and published_seq != seq:
            cursor.execute(
                "insert into ledger.publication (region_code, seq, batch_id, batch_hash, rules_sha256, run_id)"
                " values (%s, %s, %s, %s, %s, %s)",
                (region, seq, batch_id, batch_hash, rules, run_id),
            )
        cursor.execute(
            "insert into quality.publication_decision (run_id, region_code, head_seq, decision, failed_checks)"
            " values (%s, %s, %s, %s, %s)",
            (run_id, region, seq, decision, list(reasons)),
        )
    return RegionDecision(region, seq, decision, reasons)


def _reasons(seq: int, head_seqs: list[int], codes: list[str], red: list[str]) -> tuple[str, ...]:
    """Why a region may not be published; empty when it may."""
    missing = {check.code for check in gate_checks()} - set(codes)
    reasons = list(red)
    if missing:
        reasons += [f"{NOT_CHECKED}:{code}" for code in sorted(missing)] if codes else [NOT_CHECKED]
    if codes and head_seqs != [seq]:
        reasons.append(HEAD_MOVED)
    return tuple(reasons)
