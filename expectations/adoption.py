"""Adopting a changed version of the posting rules: an event in each region's log, before more of it is published."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from typing import Literal

from expectations.rules_version import rules_sha256
from ingestion import heads
from ingestion.control import adopt_rules
from ingestion.database import connect
from ingestion.settings import Settings

Outcome = Literal["adopted", "already", "unchanged", "first"]

# Every region whose log holds anything, with the rules of its last publication.
_REGIONS = """
    select logged.region_code, published.rules_sha256
    from (select distinct region_code from events.batch) as logged
    left join (
        select distinct on (region_code) region_code, rules_sha256
        from ledger.publication order by region_code, seq desc, published_at desc
    ) as published using (region_code)
    order by logged.region_code
"""


@dataclass(frozen=True)
class Adoption:
    """What was done for a region; `seq` is the place of the event that adopts the rules, where there is one."""

    region_code: str
    outcome: Outcome
    rules_sha256: str
    seq: int | None = None


def adopt(
    regions: Sequence[str] | None, prepared_by: str, reason: str, settings: Settings | None = None
) -> list[Adoption]:
    """Adopt the rules that the warehouse holds, in these regions (None: all that have a log), in ascending order.

    Nothing is appended where the rules are those of the last publication, where nothing has been published, or where
    the log has adopted them before. ValueError for a region without a log, or without a name or a reason.
    """
    settings = settings or Settings.from_env()
    if not prepared_by.strip() or not reason.strip():
        raise ValueError("经办人和原因不能为空 / who adopts the rules and the reason must not be empty")
    with closing(connect("fund_publisher", settings=settings)) as connection, connection.cursor() as cursor:
        rules = rules_sha256(connection)
        cursor.execute(_REGIONS)
        published: dict[str, str | None] = dict(cursor.fetchall())
    if unknown := sorted(set(regions or ()) - published.keys()):
        raise ValueError(f"统筹区没有日志 / no log of this region: {', '.join(unknown)}")
    wanted = sorted(set(regions)) if regions is not None else list(published)
    done = [_adopt(region, published[region], rules, prepared_by, reason, settings) for region in wanted]
    heads.record(settings)
    return done


def _adopt(
    region: str, published: str | None, rules: str, prepared_by: str, reason: str, settings: Settings
) -> Adoption:
    if published is None or published == rules:
        return Adoption(region, "first" if published is None else "unchanged", rules)
    place = adopt_rules(region, rules, prepared_by.strip(), reason.strip(), settings)
    return Adoption(region, "adopted" if place.is_new else "already", rules, place.seq)
