"""The log: files in, events, duplicates and quarantine out (E2, E4)."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Literal

from .acceptance import computes_credit, examine
from .policy import Policy, personal_account_credit
from .references import Event, Identity, Waits, consume, original_identity
from .rows import FileRejected, LandedFile, Row, read
from .vocabulary import RENAMED, SHARED

# The contract leaves the order of files within one run open; this is the order the project documents.
FAMILY_RANK = {"registration": 0, "contribution": 1, "claim": 2, "treasury": 3, None: 4}


@dataclass
class FileRecord:
    """One row of `events.file` (E4), counts as of its first run."""

    file_id: int
    source_system: str
    file_name: str
    sha256: str
    state: Literal["loaded", "rejected", "duplicate_file"] = "loaded"
    error_group: str | None = None
    counts: Counter[str] = field(default_factory=Counter)
    now_loaded: int = 0


@dataclass
class Quarantined:
    """A row that could not load; `still_open` until it, or a corrected one under its key, is in the log."""

    file: FileRecord
    row: Row
    identity: Identity | None
    family: str
    groups: frozenset[str]
    still_open: bool = True

    @property
    def waits(self) -> bool:
        """Only rows whose sole trouble is a reference are tried again (E4)."""
        return self.still_open and self.groups == {"E-REF"}


@dataclass
class _Candidate:
    row: Row
    identity: Identity
    outcome: str = "open"  # open, settling, loaded, waiting, duplicate, conflict
    event: Event | None = None


class Log:
    """All regions' logs, with what has been quarantined beside them."""

    def __init__(self, policy: Policy, today: date) -> None:
        self.policy = policy
        self.today = today
        self.files: dict[tuple[str, str, str], FileRecord] = {}
        self.events: dict[Identity, Event] = {}
        self.by_region: dict[str, list[Event]] = defaultdict(list)
        self.quarantine: list[Quarantined] = []
        self.births: dict[tuple[str, str], date] = {}

    def run(self, files: Iterable[LandedFile]) -> None:
        """One run: the files not yet known, one after the other; then rows that wait."""
        for file in sorted(files, key=lambda f: (FAMILY_RANK[f.family], f.source_system, f.file_name)):
            if (file.source_system, file.file_name, file.sha256) not in self.files:
                self._ingest(file)
        while self._retry():
            pass

    def _ingest(self, file: LandedFile) -> None:
        record = FileRecord(len(self.files) + 1, file.source_system, file.file_name, file.sha256)
        same_bytes = [
            f for f in self.files.values() if (f.source_system, f.sha256) == (file.source_system, file.sha256)
        ]
        self.files[file.source_system, file.file_name, file.sha256] = record
        if any(f.state == "loaded" for f in same_bytes):
            record.state = "duplicate_file"
            return
        try:
            rows = read(file)
        except FileRejected:
            record.state, record.error_group = "rejected", "E-FILE"
            return
        assert file.family
        self._take_rows(record, file.family, rows)

    def _take_rows(self, record: FileRecord, family: str, rows: list[Row]) -> None:
        candidates = []
        for row in rows:
            examine(row, family, self.policy, self.today)
            if row.groups:
                self._put_aside(record, family, row, record.source_system)
            else:
                candidates.append(_Candidate(row, _identity(row, record.source_system, family)))
        self._settle_all(record, candidates)
        for candidate in candidates:
            if candidate.outcome in ("waiting", "conflict"):
                candidate.row.groups.add("E-REF" if candidate.outcome == "waiting" else "E-CONFLICT")
                self._put_aside(record, family, candidate.row, record.source_system)
        outcomes = Counter(candidate.outcome for candidate in candidates)
        record.counts = Counter(rows=len(rows), loaded=outcomes["loaded"], duplicate=outcomes["duplicate"])
        record.counts["quarantined"] = len(rows) - outcomes["loaded"] - outcomes["duplicate"]
        self._append(record, candidates)
        self._settle_resent(record)

    def _settle_resent(self, record: FileRecord) -> None:
        """A row sent again counts once: what says nothing new is settled by the open entry, else the other way round.

        A row that waits is kept: it loads when its original comes.
        """
        opened = [entry for entry in self.quarantine if entry.still_open and entry.identity]
        pairs = [
            (fresh, before)
            for before in opened
            for fresh in opened
            if fresh.file is record and before.file is not record and fresh.identity == before.identity
        ]
        same = [pair for pair in pairs if _says_the_same(*pair)]
        stale = [before for fresh, before in pairs if not before.waits and not any(_in_both(fresh, before, same))]
        for entry in [*(fresh for fresh, _ in same), *stale]:
            entry.still_open = False

    def _put_aside(self, record: FileRecord, family: str, row: Row, source_system: str) -> None:
        readable = all(column in row.text for column in SHARED)
        identity = _identity(row, source_system, family) if readable else None
        self.quarantine.append(Quarantined(record, row, identity, family, frozenset(row.groups)))

    def _settle_all(self, record: FileRecord, candidates: list[_Candidate]) -> None:
        first: dict[Identity, list[_Candidate]] = defaultdict(list)
        for candidate in candidates:
            first[candidate.identity].append(candidate)
        for candidate in candidates:
            self._settle(record, candidate, first)

    def _settle(self, record: FileRecord, candidate: _Candidate, in_file: dict[Identity, list[_Candidate]]) -> None:
        """E4: duplicate, conflict, or a fact of its own if its reference holds."""
        if candidate.outcome != "open":
            return
        candidate.outcome = "settling"
        known = self._known(candidate.identity, in_file)
        if known:
            same = content(known.row) == content(candidate.row, version_of(known.row))
            candidate.outcome = "duplicate" if same else "conflict"
            return
        event = Event(candidate.identity, candidate.row, record.file_id)
        try:
            self._set_credit(event)
            self._refer(record, event, in_file)
        except Waits:
            candidate.outcome = "waiting"
            return
        candidate.outcome, candidate.event = "loaded", event

    def _known(self, identity: Identity, in_file: dict[Identity, list[_Candidate]]) -> Event | None:
        loaded = (c.event for c in in_file.get(identity, ()) if c.outcome == "loaded")
        return self.events.get(identity) or next(loaded, None)

    def _refer(self, record: FileRecord, event: Event, in_file: dict[Identity, list[_Candidate]]) -> None:
        """E4: the original must exist "in the log or anywhere in the same file"."""
        wanted = original_identity(event.row, event.identity)
        if wanted is None:
            return
        for candidate in in_file.get(wanted, ()):
            self._settle(record, candidate, in_file)
        original = self._known(wanted, in_file)
        if original is None:
            raise Waits("original")
        consume(event, original)

    def _set_credit(self, event: Event) -> None:
        """E3 personal_account_credit; the one reference to a person that makes a row wait."""
        row = event.row
        event.credit = row.amount("personal_account_credit")
        if event.event_type != "contribution.collected" or not computes_credit(row):
            return
        born = self.births.get((event.region, row.text["person_no"]))
        if born is None:
            raise Waits("person")
        month = row.values["contribution_month"]
        assert isinstance(month, date)
        event.credit = personal_account_credit(
            self.policy, event.region, month, row.amount("contribution_base"), born, row.amount("employer_amount")
        )

    def _append(self, record: FileRecord, candidates: list[_Candidate]) -> None:
        for candidate in candidates:
            event = candidate.event
            if event is None:
                continue
            log = self.by_region[event.region]
            log.append(event)
            event.seq = len(log)
            self.events[event.identity] = event
            record.now_loaded += 1
            self._remember_birth(event)
            self._resolve(event, record)

    def _resolve(self, event: Event, record: FileRecord) -> None:
        """E4: "a corrected row sent later under the same key loads, and the entry is marked resolved by it"."""
        here = (record.file_id, event.row.line_no)
        for entry in self.quarantine:
            if entry.identity == event.identity and (entry.file.file_id, entry.row.line_no) <= here:
                entry.still_open = False

    def _remember_birth(self, event: Event) -> None:
        """E3 registration: taken from the certificate when absent."""
        person = event.text("person_no")
        if event.identity[2] != "registration" or not person:
            return
        born = event.row.values.get("birth_date")
        certificate = event.text("certificate_no")
        if born is None and certificate:
            born = date.fromisoformat(f"{certificate[6:10]}-{certificate[10:12]}-{certificate[12:14]}")
        if isinstance(born, date):
            self.births[event.region, person] = born

    def _retry(self) -> bool:
        """Every waiting row once more, file by file; True when something has loaded."""
        waiting: dict[int, list[Quarantined]] = defaultdict(list)
        for entry in self.quarantine:
            if entry.waits:
                waiting[entry.file.file_id].append(entry)
        progress = [self._retry_file(waiting[file_id]) for file_id in sorted(waiting)]
        return any(progress)

    def _retry_file(self, entries: list[Quarantined]) -> bool:
        entries = sorted((e for e in entries if e.still_open), key=lambda e: e.row.line_no)
        record = entries[0].file if entries else None
        candidates = [_Candidate(e.row, e.identity) for e in entries if e.identity]
        if record is None:
            return False
        self._settle_all(record, candidates)
        for entry, candidate in zip(entries, candidates, strict=True):
            if candidate.outcome == "duplicate":
                entry.still_open = False
        self._append(record, candidates)
        return any(candidate.outcome == "loaded" for candidate in candidates)


def _says_the_same(fresh: Quarantined, before: Quarantined) -> bool:
    if fresh.waits and before.waits:
        return content(fresh.row) == content(before.row)
    return fresh.groups == before.groups and fresh.row.text == before.row.text


def _in_both(fresh: Quarantined, before: Quarantined, same: list[tuple[Quarantined, Quarantined]]) -> Iterator[bool]:
    return (fresh is one or before is other for one, other in same)


def content(row: Row, version: str | None = None) -> frozenset[tuple[str, object]]:
    """What duplicates are compared by: the source's own fields (E4, E5), "under the stored row's schema_version".

    A field that this version does not have keeps its name, and so equals nothing of that version.
    """
    wanted = version or version_of(row)
    values = {**row.values, "schema_version": wanted}
    for (number, new), old in RENAMED.items():
        said, called = (new, old) if wanted < number else (old, new)
        if said in values:
            values[called] = values.pop(said)
    return frozenset((column, _plain(value)) for column, value in values.items())


def version_of(row: Row) -> str:
    """E3: 1 by default."""
    return row.text.get("schema_version", "1")


def _plain(value: object) -> object:
    return value.quantize(Decimal("0.01")) if isinstance(value, Decimal) else value


def _identity(row: Row, source_system: str, family: str) -> Identity:
    return row.text["region_code"], source_system, family, row.text["source_event_key"]
