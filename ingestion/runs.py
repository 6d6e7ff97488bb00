"""What a run does: discover files, take each in, try waiting rows again. For tasks and for `python -m ingestion`."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator
from contextlib import closing, contextmanager
from typing import Any

from psycopg2 import OperationalError
from psycopg2.extensions import connection as Connection
from psycopg2.extensions import cursor as Cursor

from ingestion import incoming, intake, landing, quarantine, registry
from ingestion.acceptance import Acceptance, Judge
from ingestion.contracts import FAMILY_RANK
from ingestion.database import connect, let_go_when_frozen
from ingestion.errors import FileChanged, FileRejected, message
from ingestion.event_log import Appender, Origin, RegionsOutOfOrder
from ingestion.landing import Landed, Named, Shape
from ingestion.profiles import profile_of
from ingestion.registry import FileOf, Outcome
from ingestion.rows import Part
from ingestion.schema import SchemaVersionError, check_version
from ingestion.seeds import SeedError, Seeds
from ingestion.settings import Settings, SettingsError, beijing_today

_log = logging.getLogger(__name__)

Item = dict[str, Any]


def check_landing(settings: Settings) -> None:
    """`SettingsError` when the landing root is no folder: a misspelt path must not pass for an empty one."""
    landing.check_root(settings.landing_dir)


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
    found = landing.locate(settings.landing_dir, item["source_system"], item["file_name"])
    if found is None:
        return _told(item, Outcome("missing"))
    try:
        with landing.local(settings, found) as landed:
            outcome = _take(settings, landed)
    except FileChanged:
        outcome = Outcome("waiting")
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


class FilesLeftError(RuntimeError):
    """Some files could not be taken in although nothing says that they are at fault; the others were."""


def run_all(settings: Settings | None = None) -> list[dict[str, Any]]:
    """Everything that lies in the landing area, then the waiting rows: one run without a scheduler.

    What goes wrong with one file keeps no other from being taken: `FilesLeftError` at the end names such files. An
    unusable setting or a lost database ends the run at once.
    """
    results, left = [], []
    for item in discover(settings):
        try:
            results.append(ingest(item, settings))
        except (SettingsError, SchemaVersionError, SeedError, OperationalError):
            raise
        except Exception as error:
            name = f"{item['source_system']}/{item['file_name']}"
            _log.exception(name)
            left.append((name, error))
    results.append({"state": "retried"} | retry_waiting(settings))
    if left:
        told = "; ".join(f"{name}: {error}" for name, error in left)
        raise FilesLeftError(f"{len(left)} file(s) were not taken in and will be tried again: {told}") from left[0][1]
    return results


def _take(settings: Settings, landed: Landed) -> Outcome:
    """Take a file in that lies where it can be read."""
    file = intake.sight(settings, landed)
    key = intake.key_of(settings, landed)  # before anything is read by it: what changes meanwhile is tried again
    with session(settings) as connection:
        try:
            outcome = _load_file(connection, settings, landed, file, key)
        except FileRejected as rejection:
            connection.rollback()
            if landing.changed(landed, file.shape):
                raise FileChanged(landed.file_name) from None
            outcome = _reject(connection, file, key, rejection)
        connection.commit()
    return outcome


@contextmanager
def session(settings: Settings, *, autocommit: bool = False) -> Iterator[Connection]:
    """A session as fund_ingest on a database of this code's version."""
    with closing(connect(autocommit=True, settings=settings)) as connection:
        check_version(connection)
        with connection.cursor() as cursor:
            cursor.execute("SET ROLE fund_ingest")
            let_go_when_frozen(cursor)
        connection.autocommit = autocommit
        yield connection


def _sighted(cursor: Cursor, settings: Settings) -> list[tuple[Named, str, Shape]]:
    """Finished files with their sha256; remembers what was seen, so that unchanged files are not read again."""
    known = registry.sightings(cursor)
    shapes = landing.look(settings.landing_dir)
    for source_system, file_name in known.keys() - {(f.source_system, f.file_name) for f in shapes}:
        registry.forget(cursor, source_system, file_name)
    cached = {f: known[f.source_system, f.file_name] for f in shapes if (f.source_system, f.file_name) in known}
    same = {
        f: digest
        for f, (shape, digest) in cached.items()
        if digest is not None and digest != landing.unread(f) and shape == shapes[f] and not f.unfinished
    }
    unknown = {f: seen for f, seen in shapes.items() if f not in same}
    for landed, shape in landing.settled(settings.landing_dir, unknown).items():
        digest = landing.digest(settings.landing_dir, landed) if shape is not None else None
        registry.sight(cursor, landed, shape or shapes[landed], digest)
        if digest is not None:
            same[landed] = digest
    return [(landed, same[landed], shapes[landed]) for landed in shapes if landed in same]


def _family(settings: Settings, landed: Named) -> str | None:
    try:
        return profile_of(landed.source_system, settings.sources_dir).feed_of(landed.file_name).family
    except FileRejected:
        return None


def _load_file(connection: Connection, settings: Settings, landed: Landed, file: FileOf, key: str) -> Outcome:
    """Where the regions came in an order that might let two files wait for each other: once more, all locked first."""
    regions: frozenset[str] = frozenset()
    while True:
        try:
            return _decide_file(connection, settings, intake.plan(settings, landed, file), key, regions)
        except RegionsOutOfOrder as out_of_order:
            connection.rollback()
            regions = out_of_order.regions


def _decide_file(
    connection: Connection, settings: Settings, reading: intake.Reading, key: str, regions: Iterable[str]
) -> Outcome:
    file = reading.file
    with connection.cursor() as cursor:
        registry.lock(cursor, file)
        known = registry.decided(cursor, file)
        if known is not None and known.stands(key):
            return known.outcome
        outcome = intake.load(cursor, settings, reading, regions)
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
    with connection.cursor() as cursor:
        appender = Appender(cursor, origin)
        appender.lock(quarantine.regions_waiting(cursor, origin.file_id))
        incoming.create_tables(cursor)
        taken = quarantine.take_up(cursor, origin.file_id)
        judge = Judge(Seeds.load(settings.seeds_dir), beijing_today(), file_name)
        acceptance = Acceptance(cursor, appender, judge, hold=True)
        for rows in incoming.take(cursor, incoming.ROWS_AT_ONCE):
            acceptance.take(Part(rows, shown=lambda some: some))
        done = acceptance.finish()
        quarantine.settle(cursor, origin.file_id, appender.first_seqs())
        quarantine.settle_duplicates(cursor, origin.file_id)
        quarantine.record_reasons(cursor, origin.file_id)
    connection.commit()
    return done.loaded, done.duplicate, taken - done.loaded - done.duplicate


def _told(item: Item, outcome: Outcome) -> dict[str, Any]:
    return {"source_system": item["source_system"], "file_name": item["file_name"]} | vars(outcome)
