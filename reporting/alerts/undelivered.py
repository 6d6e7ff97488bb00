"""Digests that have not got through: those that failed when they were last tried, and of late."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from ingestion.database import Connection

# A route that was changed or removed is not tried again: what failed before that is told for so long.
OF_LATE = timedelta(days=7)
_NEWEST = """
    select channel, error, recorded_at from (
        select distinct on (channel, connection_id, audience) * from quality.notification
        order by channel, connection_id, audience, notification_id desc
    ) as newest
    where outcome = 'failed' and recorded_at > now() - %s
    order by channel, connection_id, audience
"""


@dataclass(frozen=True)
class Undelivered:
    """A channel whose last digest was not taken, why, and when it was tried, within the last days."""

    channel: str
    error: str
    tried_at: datetime


def undelivered(connection: Connection, of_late: timedelta = OF_LATE) -> tuple[Undelivered, ...]:
    """What has not got through, by channel; takes a connection of role auditor."""
    with connection.cursor() as cursor:
        cursor.execute(_NEWEST, (of_late,))
        return tuple(Undelivered(*row) for row in cursor.fetchall())
