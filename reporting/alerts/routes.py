"""Whom a digest goes to: the Airflow connections `fund_alerts_email` (SMTP) and `fund_alerts_webhook` (HTTP).

Extra of the first: `from_email`, `to` (addresses that are told everything), `routes` (owner role -> addresses; the
role `escalation` is told what has stood for long). Of the second: `form` (`json`, `wecom`, `dingtalk`), `path`,
`secret_parameter` (query parameter that carries the password), `routes` (owner role -> id of another such connection).
Of both: `page_url`, where the overview page can be read. Where there is no connection nothing is sent.
"""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from reporting.alerts.digest import ESCALATION, Audience
from reporting.names import OWNERS

if TYPE_CHECKING:
    from airflow.sdk import Connection

EMAIL = "fund_alerts_email"
WEBHOOK = "fund_alerts_webhook"

_LOG = logging.getLogger(__name__)

Channel = Literal["email", "webhook"]


@dataclass(frozen=True)
class Route:
    """One way to one audience; `recipients` are the addresses of an e-mail, or nobody's for a webhook."""

    channel: Channel
    connection_id: str
    audience: Audience
    recipients: tuple[str, ...]
    page_url: str | None


def configured() -> list[Route]:
    """The routes of the connections that exist, in a fixed order."""
    return [*_by_email(), *_by_webhook()]


def connection(connection_id: str) -> Connection | None:
    """The connection as Airflow knows it (environment, secrets backend, its own database), None without one."""
    from airflow.sdk import Connection  # noqa: PLC0415 - several seconds, and only who sends needs it
    from airflow.sdk.exceptions import AirflowNotFoundException  # noqa: PLC0415

    try:
        found: Connection = Connection.get(connection_id)
    except AirflowNotFoundException:
        return None
    return found


def _by_email() -> Iterator[Route]:
    """One route an audience: addresses with the same roles get the same mail, and one address no two of a run.

    Who is told everything needs no part of it. An escalation goes to those who are not.
    """
    found = connection(EMAIL)
    if found is None:
        return
    extra = found.extra_dejson
    everybody = _addresses(extra.get("to"))
    roles: dict[str, set[str]] = defaultdict(set)
    for role, addresses in _routes(extra).items():
        for address in _addresses(addresses):
            roles[address].add(role)
    audiences: dict[Audience, set[str]] = defaultdict(set)
    for address, named in roles.items():
        if address not in everybody:
            owners = tuple(sorted(named - {ESCALATION}))
            audiences[owners or (ESCALATION,)].add(address)
            if owners and ESCALATION in named:
                audiences[ESCALATION,].add(address)
    if everybody:
        audiences[()] = set(everybody)
    for audience, recipients in sorted(audiences.items()):
        yield Route("email", EMAIL, audience, tuple(sorted(recipients)), extra.get("page_url"))


def _by_webhook() -> Iterator[Route]:
    found = connection(WEBHOOK)
    if found is None:
        return
    page_url = found.extra_dejson.get("page_url")
    yield Route("webhook", WEBHOOK, (), (), page_url)
    others: dict[str, set[str]] = defaultdict(set)
    for role, connection_id in _routes(found.extra_dejson).items():
        others[str(connection_id)].add(role)
    for connection_id, named in sorted(others.items()):
        if connection(connection_id) is None:
            _LOG.warning("通知连接不存在 / no such connection: %s", connection_id)
        else:
            yield Route("webhook", connection_id, tuple(sorted(named)), (), page_url)


def _routes(extra: Mapping[str, Any]) -> dict[str, Any]:
    routes = extra.get("routes") or {}
    if unknown := sorted(set(routes) - set(OWNERS) - {ESCALATION}):
        _LOG.warning("通知路由中的岗位不存在 / no such owner roles in the routes: %s", ", ".join(unknown))
    return dict(routes)


def _addresses(given: object) -> set[str]:
    """Addresses of a list, or of a text with commas."""
    parts = given.split(",") if isinstance(given, str) else given if isinstance(given, list) else []
    return {str(part).strip() for part in parts if str(part).strip()}
