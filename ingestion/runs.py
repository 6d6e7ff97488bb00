"""What a run does: discover files, take each in, try waiting rows again. For tasks and for `python -m ingestion`."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import closing, contextmanager
from typing import Any

from psycopg2.extensions import connection as Connection
from psycopg2.extensions import cursor as Cursor

from ingestion import incoming, intake, landing, quarantine, registry
from ingestion.acceptance import Judge, accept
from ingestion.contracts import FAMILY_RANK
from ingestion.database import connect
from ingestion.errors import FileRejected, message
from ingestion.event_log import Origin, lock_regions
from ingestion.landing import Landed, Shape
from ingestion.profiles import profile_of
from ingestion.registry import FileOf, Outcome
from ingestion.schema import check_version
from ingestion.seeds import Seeds
from ingestion.settings import Settings, SettingsError, beijing_today

_log = logging.getLogger(__name__)

Item = dict[str, Any]


def check_landing(settings: Settings) -> None:
    """`SettingsError` when the landing root is no directory: a misspelt path must not pass for an empty one."""
    if not settings.landing_dir.is_dir():
        raise SettingsError(f"the landing root {settings.landing_dir} is no directory; FUND_LANDING_DIR names it")


def discover(settings: Settings | None = None) -> list[Item]:
    """Files to be taken in, in their order: `source_system`, `file_name`, `family` (None when it can't be told)."""
    settings = settings or Settings.from_env()
    check_landing(settings)
    items = []
    with session(settings, autocommit=True) as connection, connection.cursor() as cursor:
        final = registry.final(cursor)
        for landed, digest, shape in _sighted(cursor, settings):
            if (landed.source_system, landed.file_name, digest) in final:
                continue
            known = registry.decided(cursor, FileOf(landed.source_system, landed.file_name, digest, shape))
            if known is None or not known.stands(intake.key_of(settings, landed)):
                items.append(
                    {
                        "source_system": landed.source_system,
                        "file_name": landed.file_name,
                        "family": _family(settings, landed),
                    }
                )
    return sorted(
        items, key=lambda item: (FAMILY_RANK.get(item["family"], 9), item["source_system"], item["file_name"])
    )


def ingest(item: Item, settings: Settings | None = None) -> dict[str, Any]:
    """Take one file in; returns its state and counts. One that can't be taken is recorded as rejected, not raised."""
    settings = settings or Settings.from_env()
    landed = landing.locate(settings.landing_dir, item["source_system"], item["file_name"])
    if landed is None:
        return _told(item, Outcome("missing"))
    file = intake.sight(settings, landed)
    key = intake.key_of(settings, landed)  # before anything is read by it: what changes meanwhile is tried again
    with session(settings) as connection:
        try:
            outcome = _decide_file(connection, settings, landed, file, key)
        except FileRejected as rejection:
            connection.rollback()
            outcome = _reject(connection, file, key, rejection)
        except intake.FileChanged:
            connection.rollback()
            outcome = Outcome("waiting")
        connection.commit()
    if outcome.error_message:
        _log.warning(outcome.error_message)
    return _told(item, outcome)


def retry_waiting(settings: Settings | None = None) -> dict[str, Any]:
    """Try rows that wait for a reference again, until a whole round brings nothing more."""
    settings = settings or Settings.from_env()
    total = {"loaded": 0, "duplicate": 0, "waiting": 0}
    with session(settings) as connection:
        progress = True
        while progress:
            progress, total["waiting"] = False, 0
            for file_id, sha256, file_name in _waiting(connection):
                loaded, duplicate, left = _retry_file(connection, settings, Origin(file_id, sha256), file_name)
                total["loaded"] += loaded
                total["duplicate"] += duplicate
                total["waiting"] += left
                progress = progress or loaded > 0
    return total


def run_all(settings: Settings | None = None) -> list[dict[str, Any]]:
    """Everything that lies in the landing area, then the waiting rows: one run without a scheduler."""
    results = [ingest(item, settings) for item in discover(settings)]
    return [*results, {"state": "retried"} | retry_waiting(settings)]


@contextmanager
def session(settings: Settings, *, autocommit: bool = False) -> Iterator[Connection]:
    """A session as fund_ingest on a database of this code's version."""
    with closing(connect(autocommit=True, settings=settings)) as connection:
        check_version(connection)
        with connection.cursor() as cursor:
            cursor.execute("SET ROLE fund_ingest")
        connection.autocommit = autocommit
        yield connection


def _sighted(cursor: Cursor, settings: Settings) -> list[tuple[Landed, str, Shape]]:
    """Finished files with their sha256; remembers what was seen, so that unchanged files are not read again."""
    known = registry.sightings(cursor)
    shapes = landing.shapes(landing.files(settings.landing_dir))
    for source_system, file_name in known.keys() - {(f.source_system, f.file_name) for f in shapes}:
        registry.forget(cursor, source_system, file_name)
    cached = {f: known[f.source_system, f.file_name] for f in shapes if (f.source_system, f.file_name) in known}
    same = {
        f: digest
        for f, (shape, digest) in cached.items()
        if digest is not None and shape == shapes[f] and not f.unfinished
    }
    for landed, shape in landing.settled({f: seen for f, seen in shapes.items() if f not in same}).items():
        digest = landing.sha256(settings.landing_dir, landed) if shape is not None else None
        registry.sight(cursor, landed, shape or shapes[landed], digest)
        if digest is not None:
            same[landed] = digest
    return [(landed, same[landed], shapes[landed]) for landed in shapes if landed in same]


def _family(settings: Settings, landed: Landed) -> str | None:
    try:
        return profile_of(landed.source_system, settings.sources_dir).feed_of(landed.file_name).family
    except FileRejected:
        return None


def _decide_file(connection: Connection, settings: Settings, landed: Landed, file: FileOf, key: str) -> Outcome:
    with connection.cursor() as cursor:
        registry.lock(cursor, file)
        known = registry.decided(cursor, file)
        if known is not None and known.stands(key):
            return known.outcome
        outcome = intake.load(cursor, settings, intake.plan(settings, landed, file))
        registry.decide(cursor, registry.register(cursor, file), outcome, key)
        return outcome


def _reject(connection: Connection, file: FileOf, key: str, rejection: FileRejected) -> Outcome:
    told = message(rejection.code, rejection.detail, f"{file.source_system}/{file.file_name}")
    outcome = Outcome("rejected", error_code=rejection.code, error_message=told)
    with connection.cursor() as cursor:
        registry.lock(cursor, file)
        known = registry.decided(cursor, file)
        if known is not None and known.stands(key):  # another run was faster
            return known.outcome
        registry.decide(cursor, registry.register(cursor, file), outcome, key)
    return outcome


def _waiting(connection: Connection) -> list[tuple[int, str, str]]:
    with connection.cursor() as cursor:
        files = quarantine.files_waiting(cursor)
    connection.commit()
    return files


def _retry_file(connection: Connection, settings: Settings, origin: Origin, file_name: str) -> tuple[int, int, int]:
    """Rows of one file that could be loaded, that were known meanwhile, that still wait."""
    judge = Judge(Seeds.load(settings.seeds_dir), beijing_today(), file_name)
    with connection.cursor() as cursor:
        lock_regions(cursor, quarantine.regions_waiting(cursor, origin.file_id))
        incoming.create_tables(cursor)
        taken = quarantine.take_up(cursor, origin.file_id)
        done = accept(cursor, origin, judge)
        quarantine.settle(cursor, origin.file_id)
        quarantine.settle_duplicates(cursor, origin.file_id)
        quarantine.record_reasons(cursor, origin.file_id)
    connection.commit()
    return done.loaded, done.duplicate, taken - done.loaded - done.duplicate


def _told(item: Item, outcome: Outcome) -> dict[str, Any]:
    return {"source_system": item["source_system"], "file_name": item["file_name"]} | vars(outcome)
