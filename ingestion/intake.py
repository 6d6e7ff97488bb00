"""One file in one transaction: read, validate, judge, append, quarantine, record the outcome."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing
from dataclasses import dataclass
from decimal import Decimal

import polars as pl
from psycopg2.extensions import cursor as Cursor

from ingestion import incoming, landing, manifest, notes, profiles, quarantine, readers, registry
from ingestion.acceptance import Acceptance, Judge
from ingestion.ahead import ahead
from ingestion.contracts import FAMILIES
from ingestion.corrections.answers import answers
from ingestion.errors import FileChanged, FileRejected
from ingestion.event_log import Appender, Origin
from ingestion.incoming import Refusal, add_refusals
from ingestion.landing import Landed, Named
from ingestion.mapping import RAW_FIELD_LENGTH_MAX, canonical_texts, raw_texts
from ingestion.masking import mask_cut
from ingestion.profiles import Feed, Profile, profile_of
from ingestion.readers import Chunk, Misfit
from ingestion.reasons import told
from ingestion.registry import FileOf, Outcome
from ingestion.rotation import Keyring
from ingestion.rows import Part, part, posting_amount
from ingestion.seeds import Seeds
from ingestion.settings import Settings, SettingsError, beijing_today
from ingestion.validation import Examined, Rulebook, examine


@dataclass(frozen=True)
class _Chunk:
    """What became of a chunk before it is judged against the log."""

    part: Part
    refusals: list[Refusal]
    answers: list[quarantine.Answer]


@dataclass(frozen=True)
class Reading:
    """A file together with how it is to be read."""

    landed: Landed
    file: FileOf
    feed: Feed
    manifest: bytes | None


def sight(settings: Settings, landed: Landed) -> FileOf:
    """Name, content and shape of a landed file."""
    return FileOf(landed.source_system, landed.file_name, *landing.identity(settings.landing_dir, landed))


def key_of(settings: Settings, landed: Named) -> str:
    """What decides how the file is read, beside its own bytes; a broken profile counts by its bytes too."""
    try:
        return registry.reader_key(
            profiles.read_bytes(landed.source_system, settings.sources_dir),
            landing.sidecar(settings.landing_dir, landed),
        )
    except FileRejected as rejection:
        return rejection.code  # one of them can't be read; that too may change


def plan(settings: Settings, landed: Landed, file: FileOf) -> Reading:
    """Find out how a file is to be read; `FileRejected` when it may not be or nobody knows."""
    landing.check(settings.landing_dir, landed)
    profile: Profile = profile_of(landed.source_system, settings.sources_dir)
    feed = profile.feed_of(landed.file_name)
    sidecar = landing.sidecar(settings.landing_dir, landed)
    if sidecar is None and feed.manifest_required:
        raise FileRejected("E-FILE-MANIFEST-MISSING")
    return Reading(landed, file, feed, sidecar)


def load(cursor: Cursor, settings: Settings, reading: Reading, regions: Iterable[str] = ()) -> Outcome:
    """Take a file into the log within the caller's transaction, whose lock on the file is held.

    `regions` are locked first. `RegionsOutOfOrder`: roll back and start again with all that it names.
    """
    same = registry.same_content(cursor, reading.file)
    if same is not None:
        return Outcome("duplicate_file", family=reading.feed.family, duplicate_of=same)
    book = _rulebook(settings, reading.feed)
    said = manifest.parse(reading.manifest) if reading.manifest is not None else manifest.Manifest()
    tally = manifest.Tally(said, reading.feed)
    noted = notes.Noted()
    incoming.create_tables(cursor)
    file_id = registry.register(cursor, reading.file)
    appender = Appender(cursor, Origin(file_id, reading.file.sha256))
    appender.lock(regions)
    acceptance = Acceptance(cursor, appender, Judge(book.seeds, book.today, reading.file.file_name))
    with closing(ahead(_examined(reading, book, tally, noted))) as chunks:
        for chunk in chunks:
            acceptance.take(chunk.part)
            add_refusals(cursor, chunk.refusals)
            quarantine.note_answers(cursor, chunk.answers)
    tally.check(reading.file.sha256)
    if landing.changed(reading.landed, reading.file.shape):
        raise FileChanged(reading.file.file_name)
    done = acceptance.finish()
    appender.lock(quarantine.regions_refused(cursor))
    quarantine.lock_keyless(cursor, reading.file.source_system)
    refused = quarantine.add(cursor, file_id, book.family.name, reading.file.source_system)
    quarantine.settle(cursor, file_id, appender.first_seqs())
    noted.save(cursor, file_id)
    tally.save(cursor, file_id)
    counts = (tally.rows, done.loaded, done.duplicate, refused)
    return Outcome("loaded", book.family.name, *counts, declared_rows=said.row_count, notes=noted.messages())


def _rulebook(settings: Settings, feed: Feed) -> Rulebook:
    if feed.family == "registration" and not settings.pseudonym_key:
        raise SettingsError("FUND_PSEUDONYM_KEY is not set: registration files need it to replace identity numbers")
    keys = Keyring(settings.pseudonym_key, settings.retired_pseudonym_keys)
    return Rulebook(FAMILIES[feed.family], Seeds.load(settings.seeds_dir), beijing_today(), keys)


def _examined(reading: Reading, book: Rulebook, tally: manifest.Tally, noted: notes.Noted) -> Iterator[_Chunk]:
    """Each chunk validated: rows that hold, and those that don't with all their reasons."""
    for chunk in readers.chunks(reading.landed.path, reading.feed):
        tally.add(chunk)
        texts = canonical_texts(chunk.frame, reading.feed)
        noted.add(texts, chunk)
        yield _examine(chunk, texts, reading, book)


def _examine(chunk: Chunk, texts: pl.DataFrame, reading: Reading, book: Rulebook) -> _Chunk:
    examined = examine(texts, reading.feed, book)
    for row, faults in chunk.faults.items():
        examined.reasons[row] = [*faults, *examined.reasons.get(row, [])]

    given = answers(chunk, examined, reading.feed) if reading.feed.is_corrections else []

    def raw(rows: list[int]) -> pl.Series:
        return raw_texts(chunk.frame[rows], reading.feed)

    refusals = [
        *_refusals(examined, reading, book, raw, chunk.line_nos),
        *(_misfit(misfit, reading) for misfit in chunk.misfits),
    ]
    return _Chunk(part(examined, book.family, reading.file.source_system, raw, chunk.line_nos), refusals, given)


def _refusals(
    examined: Examined, reading: Reading, book: Rulebook, raw: Callable[[list[int]], pl.Series], line_nos: list[int]
) -> Iterator[Refusal]:
    rows = list(examined.reasons)
    shown = examined.frame[rows].select("region_code", "source_event_key", posting_amount(book.family).alias("cents"))
    for row, text, (region, key, cents) in zip(rows, raw(rows), shown.iter_rows(), strict=True):
        where = f"{reading.file.file_name}:{line_nos[row]}"
        reasons = examined.reasons[row]
        yield Refusal(
            line_nos[row],
            region,
            key,
            [code for code, _ in reasons],
            told(reasons, text, reading.feed, where),
            text,
            None if cents is None else Decimal(cents) / 100,
        )


def _misfit(misfit: Misfit, reading: Reading) -> Refusal:
    """A row without shape. Where a profile ignores columns, its text may hold what is not to be kept: left out."""
    where = f"{reading.file.file_name}:{misfit.line_no}"
    text = mask_cut(misfit.text, RAW_FIELD_LENGTH_MAX).replace("\x00", "\N{SYMBOL FOR NULL}")
    raw = None if reading.feed.ignore else json.dumps({"line": text}, ensure_ascii=False)
    messages = told([(misfit.code, ("line",) if raw else ())], raw or "{}", reading.feed, where)
    return Refusal(misfit.line_no, None, None, [misfit.code], messages, raw, None)
