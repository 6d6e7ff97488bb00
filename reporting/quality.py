"""What the gate has said: the verdict of a run per region, results of checks, findings. Reads only; judges nothing.

Every function takes a connection of role auditor. Amounts are yuan, times are aware.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from decimal import Decimal
from typing import Any, Literal

from expectations.check import AUDIT, GATE
from expectations.freeze import Frozen, frozen_regions
from expectations.publication import FROZEN, HEAD_MOVED, NOT_CHECKED, RULES_NOT_ADOPTED
from expectations.record import CUT_OFF, FINDINGS_MAX
from ingestion.database import Connection
from reporting.books import Head

__all__ = ["CUT_OFF", "FINDINGS_MAX", "FROZEN", "HEAD_MOVED", "NOT_CHECKED", "RULES_NOT_ADOPTED", "Head"]

Decision = Literal["published", "unchanged", "refused"]
State = Literal["no_data", "nothing_loaded", "not_checked", "undecided"] | Decision


@dataclass(frozen=True)
class Run:
    """A run of the pipeline; the times are null when it left no built head, no check or no decision behind."""

    run_id: str
    built_at: datetime | None
    checked_at: datetime | None
    decided_at: datetime | None

    @property
    def left_traces(self) -> bool:
        """Whether the run got as far as building a region."""
        return any((self.built_at, self.checked_at, self.decided_at))


@dataclass(frozen=True)
class RegionVerdict:
    """What a run has decided on one region, and how far log, ledger and publication reach.

    `reasons` are codes of checks, or `not-checked`, `not-checked:<code>`, `head-moved`, `rules-not-adopted`, `frozen`;
    a decision that is older than a check of the same run counts as none.
    `refused_since` is the first of the refusals that have followed one another
    up to now. `received`: rows of the region are held back, or a file of its sources was rejected.
    """

    region_code: str
    name_zh: str
    name_en: str
    log_seq: int
    built_seq: int
    checked_seq: int | None
    decision: Decision | None
    reasons: tuple[str, ...]
    decided_at: datetime | None
    refused_since: datetime | None
    received: bool
    published: Head | None
    frozen: Frozen | None = None  # now, whatever the run has decided
    audited: tuple[CheckResult, ...] = ()  # what the audit that froze it found: failed checks of severity `fail`

    @property
    def state(self) -> State:
        """The decision, or how far the run came when it made none."""
        if self.decision is not None:
            return self.decision
        if self.checked_seq is not None:
            return "undecided"
        if self.log_seq or self.published is not None:
            return "not_checked"
        return "nothing_loaded" if self.received else "no_data"

    @property
    def published_was_checked(self) -> bool:
        """Whether what the run has checked are the very books that are public."""
        return self.published is not None and self.checked_seq == self.published.seq


@dataclass(frozen=True)
class CheckResult:
    """Newest result of one check on one region in a run; `first_seen_at` is that of its oldest finding.

    The accepted rows are those that a decision accepted when the check ran; `accepted_until` is the first to end.
    """

    region_code: str
    suite: str
    code: str
    severity: str
    success: bool
    rows_examined: int
    unexpected_count: int
    unexpected_amount: Decimal | None
    title_zh: str
    title_en: str
    owner: str
    clause: str
    started_at: datetime
    first_seen_at: datetime | None
    age_days: int | None
    accepted_count: int = 0
    accepted_amount: Decimal | None = None
    accepted_by: str | None = None
    accepted_until: date | None = None

    @property
    def is_accepted(self) -> bool:
        """Whether all that was found is accepted."""
        return not self.success and self.accepted_count == self.unexpected_count

    @property
    def open_count(self) -> int:
        """Rows that no decision accepts."""
        return self.unexpected_count - self.accepted_count

    @property
    def open_amount(self) -> Decimal | None:
        """Their amount in yuan."""
        if self.unexpected_amount is None or self.accepted_amount is None:
            return self.unexpected_amount
        return self.unexpected_amount - self.accepted_amount


@dataclass(frozen=True)
class Finding:
    """One offending item; `item` is the row that the check listed, with the places that lead to it.

    The key `cut off` stands for all that were not listed.
    """

    region_code: str
    code: str
    key: str
    item: dict[str, Any]
    amount: Decimal | None
    first_seen_run: str
    first_seen_at: datetime
    age_days: int


_NEWEST_RUN = """
    select run_id from (
        select run_id, started_at as seen_at from quality.check_result where scope = 'gate'
        union all
        select run_id, decided_at from quality.publication_decision
        {built}
    ) as seen
    order by seen_at desc limit 1
"""

_RUN = """
    select
        {built},
        (select min(started_at) from quality.check_result where run_id = %(run)s and scope = 'gate'),
        (select max(decided_at) from quality.publication_decision where run_id = %(run)s)
"""

_RUN_BUILT = "(select max(built_at) from ledger.built_head where run_id = %(run)s)"

_REGIONS = """
    select
        known.region_code, coalesce(named.name_zh, known.region_code), coalesce(named.name_en, ''),
        coalesce((select max(last_seq) from events.batch where batch.region_code = known.region_code), 0),
        coalesce(built.seq, 0), checked.head_seq, decided.decision, coalesce(decided.failed_checks, '{{}}'),
        decided.decided_at, refused.since, {received},
        head.seq, encode(head.batch_hash, 'hex'), head.rules_sha256, head.published_at, head.run_id
    from (
        select region_code from events.batch
        union select region_code from ledger.publication
        union select region_code from quality.publication_decision where run_id = %(run)s
        union select region_code from events.quarantine_open where region_code is not null
        {policy}
    ) as known
    left join ({names}) as named using (region_code)
    left join ({built}) as built using (region_code)
    left join (
        select region_code, max(head_seq) as head_seq, max(started_at) as started_at
        from quality.check_result where run_id = %(run)s and scope = 'gate' group by region_code
    ) as checked using (region_code)
    left join (
        select distinct on (region_code) * from ledger.publication order by region_code, seq desc, published_at desc
    ) as head using (region_code)
    left join lateral (
        select made.decision, made.failed_checks, made.decided_at from quality.publication_decision as made
        where made.run_id = %(run)s and made.region_code = known.region_code
            and made.decided_at >= coalesce(checked.started_at, '-infinity')
        order by made.decided_at desc limit 1
    ) as decided on true
    left join lateral (
        select min(decision.decided_at) as since from quality.publication_decision as decision
        where decision.region_code = known.region_code and decision.decision = 'refused'
            and decision.decided_at > coalesce((
                select max(passed.decided_at) from quality.publication_decision as passed
                where passed.region_code = known.region_code and passed.decision <> 'refused'
            ), '-infinity')
    ) as refused on true
    order by known.region_code
"""
_RECEIVED = """
    exists (select from events.quarantine_open as open where open.region_code = known.region_code)
    or exists (
        select from events.file as file inner join events.source_calendar as calendar using (source_system)
        where file.state = 'rejected' and calendar.region_code = known.region_code
    )
"""
_POLICY_CODES = "union select region_code from policy.policy_region"
_POLICY_NAMES = "select distinct on (region_code) * from policy.policy_region order by region_code, known_from desc"
_NO_NAMES = "select null::text as region_code, null::text as name_zh, null::text as name_en"
_BUILT = "select region_code, max(seq) as seq from ledger.built_head group by region_code"
_NOT_BUILT = "select null::text as region_code, null::bigint as seq"

# Findings of the region's newest check in the run: a check may have been repeated, and have found less.
NEWEST_FINDINGS = """
    select finding.* from quality.finding as finding
    inner join (
        select found.region_code, max(found.found_at) as found_at from quality.finding as found
        where found.run_id = %(run)s and found.scope = %(scope)s
            and found.found_at >= (
                select max(started_at) from quality.check_result as result
                where result.run_id = %(run)s and result.region_code = found.region_code
                    and result.scope = %(scope)s
            )
        group by found.region_code
    ) as newest using (region_code, found_at)
    where finding.run_id = %(run)s and finding.scope = %(scope)s
"""

_RESULTS = f"""
    select region_code, suite, code, severity, success, rows_examined, unexpected_count, unexpected_amount,
        title_zh, title_en, owner, coalesce(clause, ''), started_at, seen.first_seen_at, seen.age_days,
        accepted_count, accepted_amount, seen.accepted_by, seen.accepted_until
    from (
        select distinct on (region_code, code) * from quality.check_result
        where run_id = %(run)s and scope = %(scope)s order by region_code, code, started_at desc
    ) as newest
    left join (
        select region_code, code, min(first_seen_at) as first_seen_at, max(age_days) as age_days,
            string_agg(distinct decision.decided_by, '、' order by decision.decided_by) as accepted_by,
            min(decision.valid_until) as accepted_until
        from ({NEWEST_FINDINGS}) as finding
        left join quality.finding_decision as decision using (region_code, code, decided_seq)
        group by region_code, code
    ) as seen using (region_code, code)
    order by region_code, code
"""

# Numbered per region and check: the largest amounts first; the note of a cut list is the last, and never left out.
_FINDINGS = f"""
    select region_code, code, finding_key, item::text, amount, first_seen_run, first_seen_at, age_days
    from (
        select finding.*, row_number() over (
            partition by region_code, code
            order by finding_key = '{CUT_OFF}', abs(amount) desc nulls last, finding_key
        ) as place
        from ({NEWEST_FINDINGS}) as finding
    ) as numbered
    where %(limit)s::integer is null or place <= %(limit)s or finding_key = '{CUT_OFF}'
    order by region_code, code, place
"""


def newest_run(connection: Connection) -> str | None:
    """The run that was heard of last: by a check of the gate, a decision, or a ledger that it has built.

    A broken build that an audit or a replay has completed first bears its run with `.live`, and is no run of its own.
    """
    built = (
        "union all select run_id, built_at from ledger.built_head where right(run_id, 5) <> '.live'"
        if exists(connection, "ledger.built_head")
        else ""
    )
    found = rows(connection, _NEWEST_RUN.format(built=built))
    return found[0][0] if found else None


def gate_run(connection: Connection, run_id: str) -> str | None:
    """The run itself if it has built, checked for the gate or decided; else the newest run that has.

    An audit, a look at freshness, and one that broke before it had anything to record decide nothing on regions.
    """
    return run_id if run(connection, run_id).left_traces else newest_run(connection)


def run(connection: Connection, run_id: str) -> Run:
    """When a run has built, checked and decided."""
    built = exists(connection, "ledger.built_head")
    query = _RUN.format(built=_RUN_BUILT if built else "null")
    return Run(run_id, *rows(connection, query, {"run": run_id})[0])


def verdicts(connection: Connection, run_id: str | None) -> list[RegionVerdict]:
    """Every region that is configured or has data, by code, with what the run has decided on it."""
    configured, built = exists(connection, "policy.policy_region"), exists(connection, "ledger.built_head")
    query = _REGIONS.format(
        policy=_POLICY_CODES if configured else "",
        names=_POLICY_NAMES if configured else _NO_NAMES,
        built=_BUILT if built else _NOT_BUILT,
        received=_RECEIVED,
    )
    frozen = frozen_regions(connection)
    told = [_verdict(row) for row in rows(connection, query, {"run": run_id})]
    return [_with_freeze(connection, verdict, frozen.get(verdict.region_code)) for verdict in told]


def _with_freeze(connection: Connection, verdict: RegionVerdict, frozen: Frozen | None) -> RegionVerdict:
    audit = results(connection, frozen.run_id, AUDIT) if frozen is not None and frozen.run_id else []
    failed = [one for one in audit if not one.success and one.severity == "fail"]
    of_region = [one for one in failed if one.region_code == verdict.region_code]
    return replace(verdict, frozen=frozen, audited=tuple(of_region))


def _verdict(row: tuple[Any, ...]) -> RegionVerdict:
    head = Head(*row[11:]) if row[11] else None
    values: list[Any] = [*row[:7], tuple(row[7]), *row[8:11], head]
    return RegionVerdict(*values)


def results(connection: Connection, run_id: str, scope: str = GATE) -> list[CheckResult]:
    """The newest result of every check of a run, passes too, by region and code; `scope`: where it was checked."""
    return [CheckResult(*row) for row in rows(connection, _RESULTS, {"run": run_id, "scope": scope})]


def findings(connection: Connection, run_id: str, limit: int | None = None) -> list[Finding]:
    """Offending items of a run by region, code and falling amount, at most `limit` a check."""
    return [_finding(row) for row in rows(connection, _FINDINGS, {"run": run_id, "scope": GATE, "limit": limit})]


def _finding(row: tuple[Any, ...]) -> Finding:
    region, code, key, item, amount, run_id, first_seen_at, age_days = row
    item = json.loads(item, parse_float=Decimal)  # the driver would make amounts floats
    return Finding(region, code, key, item, amount, run_id, first_seen_at, age_days)


def exists(connection: Connection, relation: str) -> bool:
    """Whether a relation of the models has been deployed already."""
    return bool(rows(connection, "select to_regclass(%(name)s) is not null", {"name": relation})[0][0])


def rows(connection: Connection, query: str, parameters: dict[str, Any] | None = None) -> Sequence[tuple[Any, ...]]:
    """All rows of a query."""
    with connection.cursor() as cursor:
        cursor.execute(query, parameters)
        return list(cursor.fetchall())
