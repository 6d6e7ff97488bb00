"""A digest for one audience: what of the news is theirs, what of it is new since the last one, and how it is said.

Items and people are not named: counts, amounts, ages, and where to look.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from itertools import groupby

from ingestion.settings import BEIJING
from reporting.alerts.news import ESCALATED, News, RegionState, Standing
from reporting.names import OWNERS, Name, name_of

ESCALATION = "escalation"
Audience = tuple[str, ...]  # owner roles, or ESCALATION alone; empty: everybody's findings

# Owner of what keeps a region from being published without being a check.
_OPERATIONS = "data_operations"
# Who acts on an audit that was red or broke, and those above.
_OF_AUDIT = {_OPERATIONS, "internal_audit", ESCALATION}
_RETURNED = {
    "returned",
    "withdrawn",
    "rejected",
    "expired",
    "over_budget",
    "failing",
    "facts_changed",
}


@dataclass(frozen=True)
class CheckLine:
    """What one check has open in a region; `aged` counts what has passed an age step since the last digest."""

    code: str
    title: Name
    severity: str
    owner: str
    rows: int
    amount: Decimal | None
    first_seen_on: date
    new: int
    returned: int
    aged: int


@dataclass(frozen=True)
class RegionPart:
    """A region with the lines that are for the audience."""

    state: RegionState
    lines: tuple[CheckLine, ...]


@dataclass(frozen=True)
class Digest:
    """What an audience is told after a run. `state_sha256` is that of what it tells of, whatever the run.

    `audit`: how the newest audit ended, where that is bad and concerns the audience.
    """

    run_id: str
    parts: tuple[RegionPart, ...]
    findings: int
    state_sha256: str
    audit: Name | None = None

    @property
    def is_clear(self) -> bool:
        """Whether there is nothing that anybody has to act on."""
        return not self.findings and self.audit is None and all(part.state.light == "green" for part in self.parts)


def compose(news: News, audience: Audience, since: datetime | None) -> Digest:
    """The digest of an audience; what began or passed an age step after `since` (None: ever) is new to it."""
    findings = [finding for finding in news.findings if _is_for(finding, audience)]
    parts = [
        RegionPart(region, tuple(_lines([f for f in findings if f.region_code == region.region_code], since)))
        for region in news.regions
    ]
    shown = tuple(part for part in parts if part.lines or _concerns(part.state, audience))
    audit = news.audit if not audience or not _OF_AUDIT.isdisjoint(audience) else None
    return Digest(news.run_id, shown, len(findings), _state(shown, findings, audience, audit), audit)


def _is_for(finding: Standing, audience: Audience) -> bool:
    if audience == (ESCALATION,):
        return finding.age_days >= ESCALATED
    return not audience or finding.owner in audience


def _concerns(region: RegionState, audience: Audience) -> bool:
    """Whether a region's verdict is told to an audience that has nothing open there."""
    return not audience or (_OPERATIONS in audience and bool(region.reasons))


def _lines(findings: list[Standing], since: datetime | None) -> Iterable[CheckLine]:
    for (_, code), group in groupby(findings, key=lambda finding: (finding.severity, finding.code)):
        of_check = list(group)
        amounts = [finding.amount for finding in of_check if finding.amount is not None]
        fresh = [finding for finding in of_check if since is None or finding.began_at > since]
        yield CheckLine(
            code=code,
            title=of_check[0].title,
            severity=of_check[0].severity,
            owner=of_check[0].owner,
            rows=sum(finding.rows for finding in of_check),
            amount=sum(amounts, Decimal(0)) if amounts else None,
            first_seen_on=min(finding.first_seen_at for finding in of_check).astimezone(BEIJING).date(),
            new=sum(finding.rows for finding in fresh if finding.cause not in _RETURNED),
            returned=sum(finding.rows for finding in fresh if finding.cause in _RETURNED),
            aged=sum(_has_aged(finding, since) for finding in of_check),
        )


def _has_aged(finding: Standing, since: datetime | None) -> bool:
    """Whether the finding passed its age step after the last digest."""
    if not finding.age_step or since is None:
        return False
    told_at_days = (since.astimezone(BEIJING).date() - finding.first_seen_at.astimezone(BEIJING).date()).days
    return told_at_days < finding.age_step


def _state(parts: Iterable[RegionPart], findings: Iterable[Standing], audience: Audience, audit: Name | None) -> str:
    """Amounts are left out: they change every day, and a digest that repeats itself is not read."""
    told = {
        "regions": [
            (part.state.region_code, part.state.badge.en, part.state.reasons)
            for part in parts
            if _concerns(part.state, audience)
        ],
        "findings": [
            (f.region_code, f.code, f.key, f.severity, f.cause, f.began_at.isoformat(), f.age_step) for f in findings
        ],
    }
    if audit is not None:
        told["audit"] = [audit.en]
    return hashlib.sha256(json.dumps(told, ensure_ascii=False).encode()).hexdigest()


def subject(digest: Digest) -> str:
    """One line in both languages: the worst that there is to tell."""
    lines = [line for part in digest.parts for line in part.lines]
    failed, warned = (sum(line.severity == kind for line in lines) for kind in ("fail", "warn"))
    refused = sum(part.state.light == "red" for part in digest.parts)
    if digest.is_clear:
        return "合并基金账：问题已全部处理 / Merged Fund: all findings are settled"
    zh = [f"{refused} 个统筹区有不通过项"] * bool(refused) + [f"不通过 {failed} 项，提示 {warned} 项"]
    en = [f"{refused} region(s) red"] * bool(refused) + [f"{failed} failed, {warned} warning(s)"]
    if digest.audit is not None:
        zh, en = [*zh, "夜间审计未通过"], [*en, "the nightly audit is not green"]
    return f"合并基金账：{'，'.join(zh)} / Merged Fund: {', '.join(en)}"


def region_words(part: RegionPart) -> str:
    """A region's verdict on one line."""
    state = part.state
    reasons = f"（{'、'.join(state.reasons)}）" if state.reasons else ""
    name = " ".join(dict.fromkeys(part for part in (*state.name, state.region_code) if part))
    return f"{name}: {state.badge.zh}{reasons} / {state.badge.en}"


def line_words(line: CheckLine) -> str:
    """A check on one line: what, whose, how much, since when, and what of it is new."""
    owner = name_of(OWNERS, line.owner)
    money = [] if line.amount is None else [f"{line.amount:,.2f} 元 / yuan"]
    news = [
        f"{zh} / {en} {count:,}"
        for zh, en, count in (
            ("新增", "new", line.new),
            ("再现", "returned", line.returned),
            ("久未处理", "aged", line.aged),
        )
        if count
    ]
    parts = [
        f"{'✗' if line.severity == 'fail' else '!'} {line.code} {line.title.zh} / {line.title.en}",
        f"{owner.zh} / {owner.en}",
        f"{line.rows:,} 行 / rows",
        *money,
        f"自 / since {line.first_seen_on}",
        *(news or ["此前已告知 / told before"]),
    ]
    return " · ".join(parts)
