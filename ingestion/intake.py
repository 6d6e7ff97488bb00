"""One file in one transaction: read, validate, judge, append, quarantine, record the outcome."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal

from psycopg2.extensions import cursor as Cursor

from ingestion import incoming, landing, manifest, profiles, quarantine, readers, registry
from ingestion.acceptance import Judge, accept
from ingestion.contracts import FAMILIES
from ingestion.corrections.answers import take_note
from ingestion.errors import FileRejected
from ingestion.event_log import Origin
from ingestion.identity import mask_in_text
from ingestion.incoming import Refusal, accepted_frame, add_refusals, copy_accepted, posting_amount
from ingestion.landing import Landed
from ingestion.mapping import RAW_FIELD_LENGTH_MAX, canonical_texts, raw_texts
from ingestion.profiles import Feed, Profile, profile_of
from ingestion.readers import Chunk, Misfit
from ingestion.reasons import told
from ingestion.registry import FileOf, Outcome
from ingestion.seeds import Seeds
from ingestion.settings import Settings, SettingsError, beijing_today
from ingestion.validation import Examined, Rulebook, examine


class FileChanged(RuntimeError):
    """The file was changed while it was read: it is still being written."""


@dataclass(frozen=True)
class Reading:
    """A file together with how it is to be read."""

    landed: Landed
    file: FileOf
    feed: Feed
    manifest: bytes | None


def sight(settings: Settings, landed: Landed) -> FileOf:
    """Name, content and shape of a landed file."""
    shape = landing.shape(landed.path)
    return FileOf(landed.source_system, landed.file_name, landing.sha256(settings.landing_dir, landed), shape)


def key_of(settings: Settings, landed: Landed) -> str:
    """What decides how the file is read, beside its own bytes; a broken profile counts by its bytes too."""
    try:
        return registry.reader_key(
            profiles.read_bytes(landed.source_system, settings.sources_dir), manifest.read_bytes(landed.path)
        )
    except FileRejected as rejection:
        return rejection.code  # one of them can't be read; that too may change


def plan(settings: Settings, landed: Landed, file: FileOf) -> Reading:
    """Find out how a file is to be read; `FileRejected` when it may not be or nobody knows."""
    landing.check(settings.landing_dir, landed)
    profile: Profile = profile_of(landed.source_system, settings.sources_dir)
    feed = profile.feed_of(landed.file_name)
    sidecar = manifest.read_bytes(landed.path)
    if sidecar is None and feed.manifest_required:
        raise FileRejected("E-FILE-MANIFEST-MISSING")
    return Reading(landed, file, feed, sidecar)


def load(cursor: Cursor, settings: Settings, reading: Reading) -> Outcome:
    """Take a file into the log within the caller's transaction, whose lock on the file is held."""
    same = registry.same_content(cursor, reading.file)
    if same is not None:
        return Outcome("duplicate_file", family=reading.feed.family, duplicate_of=same)
    book = _rulebook(settings, reading.feed)
    said = manifest.parse(reading.manifest) if reading.manifest is not None else manifest.Manifest()
    tally = manifest.Tally(said, reading.feed)
    incoming.create_tables(cursor)
    for chunk in readers.chunks(reading.landed.path, reading.feed):
        tally.add(chunk)
        _stage(cursor, reading, book, chunk)
    tally.check(reading.file.sha256)
    if landing.shape(reading.landed.path) != reading.file.shape:
        raise FileChanged(reading.file.file_name)
    return _settle(cursor, reading, book, tally.rows, said.row_count)


def _rulebook(settings: Settings, feed: Feed) -> Rulebook:
    if feed.family == "registration" and not settings.pseudonym_key:
        raise SettingsError("FUND_PSEUDONYM_KEY is not set: registration files need it to replace identity numbers")
    return Rulebook(FAMILIES[feed.family], Seeds.load(settings.seeds_dir), beijing_today(), settings.pseudonym_key)


def _stage(cursor: Cursor, reading: Reading, book: Rulebook, chunk: Chunk) -> None:
    """Validate a chunk: rows that hold go to temp table `incoming`, the others to `refused`."""
    examined = examine(canonical_texts(chunk.frame, reading.feed), reading.feed, book)
    for row, faults in chunk.faults.items():
        examined.reasons[row] = [*faults, *examined.reasons.get(row, [])]
    if reading.feed.is_corrections:
        take_note(cursor, chunk, examined, reading.feed)
    raw = raw_texts(chunk.frame, reading.feed)
    copy_accepted(cursor, accepted_frame(examined, book.family, reading.file.source_system, raw, chunk.line_nos))
    add_refusals(cursor, _refusals(examined, reading, book, list(raw), chunk.line_nos))
    add_refusals(cursor, (_misfit(misfit, reading) for misfit in chunk.misfits))


def _refusals(
    examined: Examined, reading: Reading, book: Rulebook, raw: list[str], line_nos: list[int]
) -> Iterator[Refusal]:
    rows = list(examined.reasons)
    shown = examined.frame.select("region_code", "source_event_key", posting_amount(book.family).alias("cents"))[rows]
    for row, (region, key, cents) in zip(rows, shown.iter_rows(), strict=True):
        where = f"{reading.file.file_name}:{line_nos[row]}"
        reasons = examined.reasons[row]
        yield Refusal(
            line_nos[row],
            region,
            key,
            [code for code, _ in reasons],
            told(reasons, raw[row], reading.feed, where),
            raw[row],
            None if cents is None else Decimal(cents) / 100,
        )


def _misfit(misfit: Misfit, reading: Reading) -> Refusal:
    """A row without shape. Where a profile ignores columns, its text may hold what is not to be kept: left out."""
    where = f"{reading.file.file_name}:{misfit.line_no}"
    text = mask_in_text(misfit.text[:RAW_FIELD_LENGTH_MAX]).replace("\x00", "\N{SYMBOL FOR NULL}")
    raw = None if reading.feed.ignore else json.dumps({"line": text}, ensure_ascii=False)
    messages = told([(misfit.code, ("line",) if raw else ())], raw or "{}", reading.feed, where)
    return Refusal(misfit.line_no, None, None, [misfit.code], messages, raw, None)


def _settle(cursor: Cursor, reading: Reading, book: Rulebook, rows: int, declared: int | None) -> Outcome:
    file_id = registry.register(cursor, reading.file)
    judge = Judge(book.seeds, book.today, reading.file.file_name)
    quarantine.lock_regions(cursor)
    done = accept(cursor, Origin(file_id, reading.file.sha256), judge)
    refused = quarantine.add(cursor, file_id, book.family.name, reading.file.source_system)
    quarantine.settle(cursor, file_id)
    return Outcome("loaded", book.family.name, rows, done.loaded, done.duplicate, refused, declared_rows=declared)
