"""One region: its events are dealt out to its batches, and both are judged as they come."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence

import polars as pl

from ingestion.verification.chain import Chain, Evidence, Start
from ingestion.verification.events import examined
from ingestion.verification.findings import Finding, Findings, Kind
from ingestion.verification.reading import Batch, Chunk, Events

_KINDS = {kind.code: kind for kind in Kind}
_TIMES_MAX = 3


class RegionCheck:
    """Takes the chunks of a region in order; holds no more than one of them and the batches that wait for events."""

    def __init__(self, region_code: str, start: Start | None = None) -> None:
        self.findings = Findings(region_code)
        self.events = 0
        self.batches = 0
        self.chain = Chain(region_code, start)
        self._waiting: deque[Batch] = deque()
        self._evidence = Evidence()
        self._next_seq: int | None = None  # in the batch that is open
        self._last_seq: int | None = None

    def take(self, chunk: Chunk) -> None:
        """The next stretch of the log."""
        self._waiting.extend(chunk.batches)
        if chunk.events:
            frame = pl.concat(_marked(events) for events in chunk.events).sort("seq", maintain_order=True)
            self.events += frame.height
            self._note_repeated(frame["seq"])
            self._deal(frame)
        else:
            self.finish()

    def finish(self) -> None:
        """No further events or batches."""
        while self._waiting:
            self._close()

    def _note_repeated(self, seq: pl.Series) -> None:
        before = seq.shift(1, fill_value=self._last_seq)
        for repeated in seq.filter(seq == before).unique().sort():
            self._note(Kind.REPEATED, repeated, repeated)
        self._last_seq = int(seq[-1])

    def _deal(self, frame: pl.DataFrame) -> None:
        seq, at = frame["seq"], 0
        while at < frame.height and self._waiting:
            batch = self._waiting[0]
            start = max(at, int(seq.search_sorted(batch.first_seq, side="left")))
            end = max(start, int(seq.search_sorted(batch.last_seq, side="right")))
            self._outside(frame[at:start])
            self._gather(batch, frame[start:end])
            at = end
            if at < frame.height:
                self._close()
        self._outside(frame[at:])

    def _outside(self, frame: pl.DataFrame) -> None:
        for first, last in _runs(frame["seq"]):
            self._note(Kind.OUTSIDE, first, last)

    def _gather(self, batch: Batch, frame: pl.DataFrame) -> None:
        """Add events to the batch that is open."""
        if frame.is_empty():
            return
        evidence = self._evidence
        seq = frame["seq"]
        self._note_gaps(batch, seq)
        self._note_marks(batch, frame)
        sound = frame["fault"].null_count() == frame.height
        evidence.add(_bytes(frame["proof"]), None if sound else _bytes(frame["recomputed"]))
        evidence.derived.update("".join(frame["derived"].drop_nulls()).encode())
        evidence.seen += frame.height
        evidence.by_pipeline &= bool(frame["by_pipeline"].all())
        times = frame["recorded_at"].drop_nulls().unique().sort().head(_TIMES_MAX)
        evidence.recorded_at = frozenset(sorted(evidence.recorded_at.union(times))[:_TIMES_MAX])

    def _note_gaps(self, batch: Batch, seq: pl.Series) -> None:
        expected = batch.first_seq if self._next_seq is None else self._next_seq
        follows = seq.shift(1, fill_value=expected - 1) + 1
        gaps = pl.DataFrame({"from": follows, "to": seq - 1}).filter(pl.col("from") <= pl.col("to"))
        for first, last in gaps.rows():
            self._note(Kind.MISSING, first, last, batch.batch_id)
        self._next_seq = int(seq[-1]) + 1

    def _note_marks(self, batch: Batch, frame: pl.DataFrame) -> None:
        """Faults of single events, in runs."""
        belongs = pl.col("batch_id").eq_missing(pl.lit(str(batch.batch_id)))
        timely = pl.col("recorded_at").eq_missing(pl.lit(batch.recorded_at))
        marks = frame.filter(pl.col("fault").is_not_null() | ~belongs | ~timely)
        if marks.is_empty():
            return
        for code in marks["fault"].drop_nulls().unique().sort():
            self._note_runs(batch, _KINDS[code], marks.filter(pl.col("fault") == code)["seq"])
            self._evidence.list_altered |= code == Kind.DERIVED_COLUMNS.code
        self._note_runs(batch, Kind.BATCH_ID, marks.filter(~belongs)["seq"])
        self._note_runs(batch, Kind.RECORDED_AT, marks.filter(~timely)["seq"])

    def _note_runs(self, batch: Batch, kind: Kind, seq: pl.Series) -> None:
        for first, last in _runs(seq):
            self._note(kind, first, last, batch.batch_id)

    def _note(self, kind: Kind, first: int, last: int, batch_id: int | None = None) -> None:
        self.findings.note(Finding(self.findings.region_code, first, kind, last_seq=last, batch_id=batch_id))

    def _close(self) -> None:
        """No further events for the batch that is open."""
        batch = self._waiting.popleft()
        missing_from = batch.first_seq if self._next_seq is None else self._next_seq
        if missing_from <= batch.last_seq:
            self._note(Kind.MISSING, missing_from, batch.last_seq, batch.batch_id)
        for finding in self.chain.judge(batch, self._evidence):
            if finding.kind is Kind.CONTENT_HASH:  # that is what the marks on the single events mean then
                self.findings.rename(Kind.CONTENT, Kind.CONTENT_HASH, batch.batch_id)
                continue
            if finding.kind is Kind.BATCH_RECORDED_AT:  # then its events are right
                self.findings.withdraw(Kind.RECORDED_AT, batch.batch_id)
            self.findings.note(finding)
        self.findings.correct(self.chain.corrected)
        self.batches += 1
        self._evidence = Evidence()
        self._next_seq = None


def _marked(events: Events) -> pl.DataFrame:
    return examined(events).with_columns(pl.lit(events.family == "control").alias("by_pipeline"))


def _bytes(proofs: pl.Series) -> bytes:
    return bytes.fromhex(str(proofs.str.join("")[0]))


def _runs(seq: pl.Series) -> Sequence[tuple[int, int]]:
    """First and last of each run of consecutive numbers."""
    frame = pl.DataFrame({"seq": seq.unique().sort()})
    run = frame.group_by((pl.col("seq") - pl.int_range(pl.len())).alias("run"), maintain_order=True)
    ends = run.agg(pl.col("seq").first().alias("first"), pl.col("seq").last().alias("last"))
    return list(ends.select("first", "last").iter_rows())
