"""Digests that have not got through: those that failed when they were last tried."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from ingestion.database import Connection

_NEWEST = """
    select channel, error, recorded_at from (
        select distinct on (channel, connection_id, audience) * from quality.notification
        order by channel, connection_id, audience, notification_id desc
    ) as newest
    where outcome = 'failed' order by channel, connection_id, audience
"""


@dataclass(frozen=True)
class Undelivered:
    """A channel whose last digest was not taken, why, and when it was tried."""

    channel: str
    error: str
    tried_at: datetime


def undelivered(connection: Connection) -> tuple[Undelivered, ...]:
    """What has not got through, by channel; takes a connection of role auditor."""
    with connection.cursor() as cursor:
        cursor.execute(_NEWEST)
        return tuple(Undelivered(*row) for row in cursor.fetchall())
