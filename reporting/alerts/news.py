"""What there is to tell after a run: how each region stands, and the open findings with what became of them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from expectations.record import CUT_OFF
from ingestion.database import Connection
from ingestion.settings import Settings
from reporting import audits, quality, verdict
from reporting.names import Name

# Days after which a finding that still stands is told again; from ESCALATED on also to those above.
AGE_STEPS = (7, 30, 90)
ESCALATED = 30

_AUDIT_ENDED = {
    "red": Name("不通过", "has failed"),
    "broken": Name("未完成", "broke and was not completed"),
}
_FINDINGS = """
    select status.region_code, status.code, status.finding_key, status.severity, status.owner, status.title_zh,
        status.title_en, status.amount, status.first_seen_at, status.age_days, status.cause, status.stands_since,
        coalesce((status.item ->> 'found')::bigint - (status.item ->> 'listed')::bigint, 1)
    from quality.finding_status as status
    where status.status = 'open'
    order by status.region_code, status.severity, status.code, status.finding_key
"""


@dataclass(frozen=True)
class Standing:
    """An open finding: what it is, since when, and why it is open; `rows` of it, one but for a list that was cut off.

    `amount` is in yuan, `began_at` when it began to stand as it stands.
    """

    region_code: str
    code: str
    key: str
    severity: str
    owner: str
    title: Name
    amount: Decimal | None
    first_seen_at: datetime
    age_days: int
    cause: str
    began_at: datetime
    rows: int

    @property
    def age_step(self) -> int:
        """The last of AGE_STEPS that it has passed, 0 before the first."""
        return max((step for step in AGE_STEPS if self.age_days >= step), default=0)


@dataclass(frozen=True)
class RegionState:
    """How a region stands after the run; `reasons` of a refusal that are no checks."""

    region_code: str
    name: Name
    light: verdict.Light
    badge: Name
    reasons: tuple[str, ...]


@dataclass(frozen=True)
class News:
    """All that a run leaves to be told; `audit`: how the newest audit ended, when that was red or broken."""

    run_id: str
    regions: tuple[RegionState, ...]
    findings: tuple[Standing, ...]
    audit: Name | None = None


def read(connection: Connection, run_id: str, settings: Settings) -> News:
    """The news of a run; takes a connection of role auditor.

    An audit or a look decides nothing on regions: they stand as the newest run of the gate has left them.
    """
    decided = quality.gate_run(connection, run_id)
    results = quality.results(connection, decided) if decided else []
    regions = [
        _region(region, [result for result in results if result.region_code == region.region_code])
        for region in quality.verdicts(connection, decided)
        if region.state != "no_data"
    ]
    with connection.cursor() as cursor:
        cursor.execute(
            "select set_config('merged_fund.business_date', %s, true)", (settings.business_date.isoformat(),)
        )
    findings = tuple(_standing(quality.rows(connection, _FINDINGS)))
    return News(run_id, tuple(regions), findings, _audit(audits.newest(connection)))


def _audit(audit: audits.Audit | None) -> Name | None:
    if audit is None or audit.outcome not in _AUDIT_ENDED:
        return None
    ended, at = _AUDIT_ENDED[audit.outcome], verdict.moment(audit.ended_at)
    return Name(f"{at} 结束的夜间审计{ended.zh}", f"the nightly audit that ended at {at} {ended.en}")


def _region(region: quality.RegionVerdict, results: list[quality.CheckResult]) -> RegionState:
    codes = {result.code for result in results}
    return RegionState(
        region_code=region.region_code,
        name=Name(region.name_zh, region.name_en),
        light=verdict.region_light(region, results),
        badge=verdict.badge(region, results),
        reasons=_reasons(region, codes),
    )


def _reasons(region: quality.RegionVerdict, codes: set[str]) -> tuple[str, ...]:
    reasons = [reason for reason in region.reasons if reason not in codes]
    if region.frozen is not None and quality.FROZEN not in reasons:
        reasons.append(quality.FROZEN)
    return tuple(reasons)


def _standing(found: Iterable[tuple[Any, ...]]) -> Iterable[Standing]:
    for region, code, key, severity, owner, title_zh, title_en, *rest, unlisted in found:
        title = Name(title_zh or code, title_en or code)
        rows = unlisted if key == CUT_OFF else 1
        values = [region, code, key, severity, owner or "", title, *rest, rows]
        yield Standing(*values)
