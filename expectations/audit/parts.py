"""The parts of a nightly audit, each a task: the log, the books made anew, all checks over all history, the conclusion.

Each part records what it found and that it has come to its end. Only the conclusion freezes; it says so when a part has
not come to its end, and freezes nothing for that.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from psycopg2 import sql

from expectations import freeze
from expectations.audit import records
from expectations.audit.journals import closed_journals
from expectations.audit.rebuilt import compare
from expectations.audit.sessions import sessions, snapshot, snapshot_name
from expectations.candidate import over_all_history, read_candidates
from expectations.check import AUDIT, Candidate
from expectations.gate import RegionVerdict, verdict_of
from expectations.record import record
from expectations.suites import suites_of
from expectations.validation import CheckResult, Run, Target, open_context, run_suite
from ingestion import verification
from ingestion.database import Connection, connect
from ingestion.schema import check_version
from ingestion.settings import Settings
from runtime import dbt
from runtime.replay.records import record_results

if TYPE_CHECKING:
    from great_expectations.data_context import EphemeralDataContext  # type: ignore[attr-defined]

_LOG = logging.getLogger(__name__)
_BEYOND = """
    select exists (
        select from (select region_code, max(seq) as seq from ledger.built_head group by region_code) as built
        cross join lateral (
            select from ledger.{table} as held
            where held.region_code = built.region_code and held.{seq} > built.seq limit 1
        ) as beyond
    )
"""
# Checks that judge what a part has recorded: without it they have nothing to judge, and freeze nothing.
_RESTS_ON: dict[records.Part, tuple[str, ...]] = {"log": ("H01", "H02"), "rebuilt": ("H03", "B08")}
PARTS: tuple[records.Part, ...] = ("log", "rebuilt", "checks")
BY = "nightly audit"


class AuditError(RuntimeError):
    """The audit found something, or did not come to its end; the message says what, in both languages."""


@dataclass(frozen=True)
class Conclusion:
    """How an audit ended: regions frozen with the codes that failed, other findings, and parts that broke."""

    run_id: str
    frozen: dict[str, tuple[str, ...]]
    red: dict[str, tuple[str, ...]]
    broken: dict[records.Part, str]

    @property
    def outcome(self) -> records.Outcome:
        """Broken when a part did not come to its end; else red when a check of severity `fail` failed."""
        return "broken" if self.broken else "red" if self.red else "green"

    def text(self) -> str:
        """What happened, a line each, Chinese and English."""
        lines = [f"夜间审计 / nightly audit · run_id = {self.run_id} · {_OUTCOMES[self.outcome]}"]
        for part, reason in self.broken.items():
            lines.append(f"  ✗ 未完成 / not completed: {_PARTS[part]}: {reason}")
        for region, codes in self.red.items():
            then = "已暂停发布 / publication frozen" if region in self.frozen else "不暂停发布 / publication not frozen"
            lines.append(f"  ✗ {region}: {', '.join(codes)} · {then}")
        if self.broken and not self.frozen:
            lines.append(
                "  中断本身不暂停发布，应当日重新运行 / breaking freezes nothing by itself; run it again today"
            )
        return "\n".join(lines)


_OUTCOMES = {"green": "通过 / green", "red": "不通过 / red", "broken": "未完成 / not completed"}
_PARTS = {
    "log": "日志与链头 / log and heads",
    "rebuilt": "重算等于增量 / rebuilt = incremental",
    "checks": "全部历史的检查 / checks over all history",
}


def verify_log(run_id: str, settings: Settings | None = None) -> int:
    """Recompute the hashes and the chain of the whole log, compare with the heads outside; returns what was found."""
    settings = settings or Settings.from_env()
    with _part(run_id, "log", settings):
        reports = verification.verify(settings=settings)
        records.record_log(run_id, reports, settings)
    return sum(report.found for report in reports)


def rebuild(run_id: str, settings: Settings | None = None) -> int:
    """Make the books anew, compare them with those there are, hash the closed months; returns rows that differ.

    A build that broke off has left tables behind each other: that is made good first, as the next build would.
    """
    settings = settings or Settings.from_env()
    with _part(run_id, "rebuilt", settings):
        _demand_deployed()
        tables = dbt.compiled_for_audit(run_id)
        if _is_half_built(tables, settings):
            try:
                dbt.build(f"{run_id}.live")
            except dbt.DbtError:
                _LOG.exception("the live books could not be completed; they are compared as they are")
        with snapshot(settings) as seen, sessions(seen, settings) as reading:
            results = compare(tables, seen, reading)
            journals = closed_journals(seen, reading)
        record_results(run_id, results)
        records.record_journals(run_id, journals, settings)
    return sum(one.live_only_rows + one.replayed_only_rows for one in results)


def check_history(run_id: str, settings: Settings | None = None) -> list[RegionVerdict]:
    """Run all checks over all history of every region and record their results.

    AuditError when a check could not be evaluated; what the others have found is recorded all the same.
    """
    settings = settings or Settings.from_env()
    with _part(run_id, "checks", settings):
        with snapshot(settings) as seen, closing(connect(records.ROLE, settings=settings)) as writing:
            began = datetime.now(UTC)
            candidates = [over_all_history(one, run_id) for one in read_candidates(seen, settings)]
            context = open_context(settings.database_url, snapshot_name(seen))
            verdicts, failed = [], []
            for candidate in candidates:
                results = record(writing, run_id, candidate, _results(context, seen, Run(run_id, began), candidate))
                verdicts.append(verdict_of(candidate, results))
                failed += [f"{candidate.region_code} {one.check.code}" for one in results if not one.could_run]
        if failed:
            raise AuditError(f"无法检查 / could not be checked: {', '.join(failed)}")
    return verdicts


def _results(
    context: EphemeralDataContext, connection: Connection, run: Run, candidate: Candidate
) -> list[CheckResult]:
    return [
        result
        for suite, checks in suites_of(AUDIT).items()
        for result in run_suite(context, connection, suite, Target(run, candidate, checks)).results
    ]


def conclude(run_id: str, settings: Settings | None = None) -> Conclusion:
    """Freeze the regions in which a check failed, record how the audit ended. AuditError unless it is green.

    Calling it again for the same run freezes nothing twice.
    """
    settings = settings or Settings.from_env()
    began = datetime.now(UTC)
    _check_version(settings)
    with closing(connect(records.ROLE, settings=settings)) as connection:
        ended = records.steps(connection, run_id)
        red = freeze.failed_codes(connection, run_id)
    broken = {part: _why(ended.get(part)) for part in PARTS if ended.get(part, ("broken", ""))[0] == "broken"}
    unfounded = {code for part in broken for code in _RESTS_ON.get(part, ())}
    frozen = {}
    for region, codes in red.items():
        if freezing := freeze.freezing([code for code in codes if code not in unfounded]):
            freeze.freeze(region, BY, _reason(freezing), settings, run_id=run_id, codes=freezing)
            frozen[region] = freezing
    conclusion = Conclusion(run_id, frozen, red, broken)
    records.record_step(run_id, "audit", conclusion.outcome, conclusion.text(), began, settings)
    if conclusion.outcome != "green":
        raise AuditError(conclusion.text())
    return conclusion


def audit(run_id: str, settings: Settings | None = None) -> Conclusion:
    """All parts one after the other, as the DAG runs them, whatever became of those before; then the conclusion."""
    settings = settings or Settings.from_env()
    for part in (verify_log, rebuild, check_history):
        try:
            part(run_id, settings)
        except Exception:
            _LOG.exception("a part of the audit broke")
    return conclude(run_id, settings)


def _demand_deployed() -> None:
    """AuditError when other models are deployed than the program's: their books can't be compared with ours."""
    if dbt.deployed_code() != dbt.code_sha256():
        raise AuditError("模型有更新尚未部署，请先运行 build_ledger / the models have changed; run build_ledger first")


def _is_half_built(tables: Mapping[str, dbt.Appended], settings: Settings) -> bool:
    """Whether a build that broke off has left rows behind the built heads; ordinary new events are left alone."""
    with closing(connect(records.ROLE, settings=settings)) as connection, connection.cursor() as cursor:
        for table in tables.values():
            cursor.execute(
                sql.SQL(_BEYOND).format(table=sql.Identifier(table.name), seq=sql.Identifier(table.seq_column))
            )
            if (cursor.fetchone() or (False,))[0]:
                return True
    return False


@contextmanager
def _part(run_id: str, part: records.Part, settings: Settings) -> Iterator[None]:
    """Record the end of a part, however it ends."""
    began = datetime.now(UTC)
    _check_version(settings)
    try:
        yield
    except Exception as error:
        records.record_step(run_id, part, "broken", f"{type(error).__name__}: {error}"[:2000], began, settings)
        raise
    records.record_step(run_id, part, "green", None, began, settings)


def _check_version(settings: Settings) -> None:
    with closing(connect(autocommit=True, settings=settings)) as connection:
        check_version(connection)


def _why(ended: tuple[str, str | None] | None) -> str:
    if ended is None:
        return "未运行或被终止 / did not run, or was ended"
    return ended[1] or ""


def _reason(codes: Sequence[str]) -> str:
    return f"夜间审计未通过 / the nightly audit failed: {', '.join(codes)}"
