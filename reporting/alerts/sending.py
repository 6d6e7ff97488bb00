"""Sends the digests of a run, at most one an audience, and records each. Called again, it sends what is left.

A digest that could not be sent is tried again by the next run: what is new is counted from the last one that was sent.
"""

from __future__ import annotations

import logging
import os
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Literal

from ingestion.database import Connection, connect
from ingestion.settings import BEIJING, Settings
from reporting.alerts import channels, news
from reporting.alerts.digest import Digest, compose
from reporting.alerts.routes import EMAIL, WEBHOOK, Route, configured
from reporting.page import PAGE

_LOG = logging.getLogger(__name__)

# One sender at a time, to the end of its session: two would send the same digest.
_LOCK = "select pg_advisory_lock(hashtextextended('merged_fund.notify', 0))"
_LAST = """
    select state_sha256, recorded_at from quality.notification
    where channel = %s and connection_id = %s and audience = %s and outcome = 'sent'
    order by notification_id desc limit 1
"""
_RECORD = """
    insert into quality.notification
        (run_id, channel, connection_id, audience, state_sha256, content_sha256, findings, outcome, error, recorded_at)
    values (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s)
"""

Outcome = Literal["sent", "failed", "unchanged"]


@dataclass(frozen=True)
class Sent:
    """What became of the digest of one route."""

    route: Route
    outcome: Outcome
    error: str | None = None


@dataclass(frozen=True)
class _Last:
    """The last digest that a route's audience has got."""

    state_sha256: str
    told_at: datetime


def send(run_id: str, settings: Settings | None = None, now: datetime | None = None) -> list[Sent]:
    """Tell every audience what a run has left for it to know; never raises for a digest that is not taken.

    Nothing is sent where nothing is configured, where an audience has nothing open and knew of nothing, or where it
    has been told the same on the same day in Beijing.
    """
    settings = settings or Settings.from_env()
    routes = configured()
    if not routes:
        _LOG.info("未配置通知连接，未发送 / nothing is configured, nothing is sent: %s, %s", EMAIL, WEBHOOK)
        return []
    with closing(connect("fund_quality", settings=settings)) as connection:
        with connection.cursor() as cursor:
            cursor.execute(_LOCK)
        now = now or datetime.now(UTC)  # another sender may have been waited for, and have told of what came since
        with closing(connect("auditor", settings=settings)) as reading:
            told = news.read(reading, run_id, settings)
        return [_tell(connection, route, told, now, settings) for route in routes]


def _tell(connection: Connection, route: Route, told: news.News, now: datetime, settings: Settings) -> Sent:
    last = _last(connection, route)
    digest = compose(told, route.audience, last.told_at if last else None)
    if not _is_due(digest, last, now):
        _LOG.info("%s %s: 无新情况，未发送 / nothing new, not sent", route.channel, _audience(route))
        return Sent(route, "unchanged")
    link, error = _link(route, settings), None
    try:
        channels.send(route, digest, link)
    except channels.NotSentError as failure:
        error = str(failure)
        _LOG.warning(
            "%s %s: 通知未能送出，下次运行重试 / not sent, the next run tries again: %s",
            route.channel, _audience(route), error,
        )  # fmt: skip
    else:
        _LOG.info("%s %s: 已发送 / sent", route.channel, _audience(route))
    _record(connection, route, digest, (channels.content_sha256(route, digest, link), error, now))
    return Sent(route, "failed" if error else "sent", error)


def _is_due(digest: Digest, last: _Last | None, now: datetime) -> bool:
    """The first that there is something to act on, what has changed, and once a day what still stands."""
    if last is None:
        return not digest.is_clear
    if digest.state_sha256 != last.state_sha256:
        return True
    return not digest.is_clear and last.told_at.astimezone(BEIJING).date() < now.astimezone(BEIJING).date()


def _last(connection: Connection, route: Route) -> _Last | None:
    with connection.cursor() as cursor:
        cursor.execute(_LAST, (route.channel, route.connection_id, list(route.audience)))
        row = cursor.fetchone()
    return None if row is None else _Last(*row)


def _record(connection: Connection, route: Route, digest: Digest, outcome: tuple[str, str | None, datetime]) -> None:
    content, error, now = outcome
    with connection, connection.cursor() as cursor:
        cursor.execute(
            _RECORD,
            (digest.run_id, route.channel, route.connection_id, list(route.audience), digest.state_sha256, content,
             digest.findings, "failed" if error else "sent", error, now),
        )  # fmt: skip


def _audience(route: Route) -> str:
    return ", ".join(route.audience) or "all"


def _link(route: Route, settings: Settings) -> str:
    """Where the page is read: the connection's own address, Airflow's, or the file."""
    if route.page_url:
        return route.page_url
    if base := os.environ.get("AIRFLOW__API__BASE_URL"):
        return f"{base.rstrip('/')}/fund-reports/{PAGE}"
    return str(settings.reports_dir / PAGE)
