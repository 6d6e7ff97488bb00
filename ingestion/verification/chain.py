"""The chain of a region's batches: what each batch says against its events, its file and the batch before it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from hashlib import sha256
from typing import Protocol

from ingestion.canonical import GENESIS, TIME_FORMAT, batch_hash_of_body, derived_hash_of_body
from ingestion.verification.findings import Finding, Kind
from ingestion.verification.reading import Batch


class _Digest(Protocol):
    def update(self, data: bytes, /) -> None: ...
    def digest(self) -> bytes: ...
    def copy(self) -> _Digest: ...


@dataclass
class Evidence:
    """What was seen of a batch's events: digests over what is stored, and over what its contents really hash to."""

    stored: _Digest = field(default_factory=sha256)
    recomputed: _Digest | None = None  # None while it equals `stored`
    derived: _Digest = field(default_factory=sha256)
    seen: int = 0
    recorded_at: frozenset[str] = frozenset()  # at most three different ones
    list_altered: bool = False  # the list of computed columns of some event
    by_pipeline: bool = True  # all events are of family control

    def add(self, stored: bytes, recomputed: bytes | None) -> None:
        """Add the proofs (content hash and line number) of some events; `recomputed` is None when it is the same."""
        if self.recomputed is None and recomputed is not None:
            self.recomputed = self.stored.copy()
        self.stored.update(stored)
        if self.recomputed is not None:
            self.recomputed.update(stored if recomputed is None else recomputed)


@dataclass(frozen=True)
class Start:
    """What a chain goes on from: the last batch before it and its hashes; by default nothing, as at the beginning."""

    batch_id: int = 0
    seq: int = 0
    batch_hash: bytes = GENESIS
    derived_hash: bytes | None = None  # the last one that is not null


@dataclass(frozen=True)
class _Link:
    """A batch that has been judged, with the hashes that it should have."""

    batch: Batch
    recomputed: bytes | None  # its true hash, where all its events are there
    unexplained: Finding | None  # that its hash does not recompute


class Chain:
    """Takes a region's batches one after the other, by number."""

    def __init__(self, region_code: str, start: Start | None = None) -> None:
        self.region_code = region_code
        self._start = start or Start()
        self.should_be: dict[int, set[bytes]] = {}  # batch -> hashes that it should have, where it has others
        self.uncovered = 0  # batches from before the derived hash was kept
        self.corrected: dict[Finding, Finding] = {}  # what the batch after has shown of an earlier finding
        self._last: _Link | None = None
        self._derived = {self._start.derived_hash or GENESIS}  # what the next derived hash may rest on
        self._covered = self._start.derived_hash is not None

    @property
    def last(self) -> Batch | None:
        """The batch judged last."""
        return self._last.batch if self._last else None

    def judge(self, batch: Batch, evidence: Evidence) -> list[Finding]:
        """What is wrong with the next batch, apart from what its single events have shown."""
        found = [*self._place(batch), *self._file(batch, evidence)]
        kinds = {finding.kind for finding in found}
        whole = evidence.seen == batch.last_seq - batch.first_seq + 1 and Kind.RANGE not in kinds
        recomputed: bytes | None = None
        about_hash: list[Finding] = []
        if whole:
            recomputed, about_hash = self._hash(batch, evidence, follows=Kind.BATCH_MISSING not in kinds)
        unexplained = next((finding for finding in about_hash if finding.kind is Kind.BATCH), None)
        link = _Link(batch, recomputed, unexplained)
        self._last = link
        return [*found, *about_hash, *self._added(link, evidence, whole=whole)]

    def _place(self, batch: Batch) -> Iterator[Finding]:
        """Numbers, ranges and times go on from the batch before."""
        last = self.last
        number, seq = (last.batch_id, last.last_seq) if last else (self._start.batch_id, self._start.seq)
        if batch.batch_id != number + 1:
            yield self._about(batch, Kind.BATCH_MISSING, (seq + 1, max(seq + 1, batch.first_seq - 1)))
        elif batch.first_seq != seq + 1 or batch.last_seq < batch.first_seq:
            yield self._about(batch, Kind.RANGE, (min(seq + 1, batch.first_seq), batch.last_seq))
        if last is not None and batch.recorded < last.recorded:
            yield self._about(batch, Kind.TIME)

    def _file(self, batch: Batch, evidence: Evidence) -> Iterator[Finding]:
        """The file is registered, with the batch's hash; if it is the batch that was altered, its own hash says so."""
        if batch.registered == batch.file_sha256 or (batch.file_id is None and evidence.by_pipeline):
            return
        if self._recompute(batch, evidence, file_sha256=batch.registered) != batch.batch_hash:
            yield self._about(batch, Kind.FILE)

    def _hash(self, batch: Batch, evidence: Evidence, *, follows: bool) -> tuple[bytes | None, list[Finding]]:
        """The batch's true hash as far as known, and what is wrong with it or with its link to the batch before."""
        before = self._last.batch.batch_hash if self._last else self._start.batch_hash
        own = self._recompute(batch, evidence)
        linked = batch.prev_batch_hash == before
        if own == batch.batch_hash:
            return own, [] if linked or not follows else self._broken_link(batch)
        if not linked and self._recompute(batch, evidence, prev_batch_hash=before) == batch.batch_hash:
            return batch.batch_hash, [self._about(batch, Kind.PREV_BATCH_HASH)]
        self.should_be.setdefault(batch.batch_id, set()).add(own)
        explained = self._explanation(batch, evidence)
        return own if explained is None else batch.batch_hash, [self._about(batch, explained or Kind.BATCH)]

    def _broken_link(self, batch: Batch) -> list[Finding]:
        """The batch holds in itself but continues another hash than the one that is there: what was altered?"""
        last = self._last
        if last is None:
            return [self._about(batch, Kind.BATCH_MISSING, (self._start.seq + 1, batch.first_seq))]
        if last.unexplained is None:
            return [self._about(last.batch, Kind.REWRITTEN)]
        if last.recomputed == batch.prev_batch_hash:
            self.corrected[last.unexplained] = replace(last.unexplained, kind=Kind.BATCH_HASH)
        return []

    def _explanation(self, batch: Batch, evidence: Evidence) -> Kind | None:
        """The single altered column that explains why the hash does not recompute."""
        if self._recompute(batch, replace(evidence, stored=evidence.recomputed or evidence.stored)) == batch.batch_hash:
            return Kind.CONTENT_HASH
        if self._recompute(batch, evidence, file_sha256=batch.registered) == batch.batch_hash:
            return Kind.FILE_SHA256
        for time in evidence.recorded_at:
            if self._recompute(batch, evidence, recorded=_canonical_time(time)) == batch.batch_hash:
                return Kind.BATCH_RECORDED_AT
        return None

    def _recompute(self, batch: Batch, evidence: Evidence, **altered: str | bytes | None) -> bytes:
        """Hash of the batch from its stored columns, some of them replaced, and the proofs of its events."""
        b = replace(batch, **altered)  # type: ignore[arg-type]
        fields = (self.region_code, b.batch_id, b.first_seq, b.last_seq, b.recorded, b.file_sha256)
        return batch_hash_of_body(b.prev_batch_hash or b"", map(str, fields), evidence.stored.digest())

    def _added(self, link: _Link, evidence: Evidence, *, whole: bool) -> list[Finding]:
        """Judge the derived hash.

        An altered hash of this batch or of the one before has been told already: the true ones will do as well.
        """
        batch = link.batch
        if batch.derived_hash is None and not self._covered:
            self.uncovered += 1
            return []
        self._covered = True
        own = {digest for digest in (batch.batch_hash, link.recomputed) if digest is not None}
        body = evidence.derived.digest()
        expected = {derived_hash_of_body(before, digest, body) for before in self._derived for digest in own}
        stored = {batch.derived_hash} if batch.derived_hash is not None else set()
        if stored and (stored & expected or not whole):
            self._derived = stored
            return []
        self._derived = stored | expected if len(expected) < 10 else stored
        self.should_be.setdefault(batch.batch_id, set()).update(expected)
        if batch.derived_hash is None:
            return [self._about(batch, Kind.DERIVED_REMOVED)]
        told = evidence.list_altered or link.unexplained is not None
        return [] if told else [self._about(batch, Kind.DERIVED)]

    def _about(self, batch: Batch, kind: Kind, span: tuple[int, int] | None = None) -> Finding:
        first, last = span or (batch.first_seq, batch.last_seq)
        return Finding(self.region_code, first, kind, last_seq=last, batch_id=batch.batch_id)


def _canonical_time(text: str) -> str | None:
    try:
        return datetime.fromisoformat(text).astimezone(UTC).strftime(TIME_FORMAT)
    except (ValueError, OverflowError):
        return None
