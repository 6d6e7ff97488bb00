"""The figures of a region's accounting month as known at a seq: four canonical CSVs and their hashes.

The bytes come from the functions `marts.*_csv`; SQL gives the same hashes (`marts.figures_sha256`). Neither later
events nor a rebuild of the books nor a session's settings change them.
"""

from __future__ import annotations

import hashlib
import shutil
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import IO

from ingestion.database import Connection
from ingestion.settings import BEIJING

PARTS = ("journal", "trial_balance", "statement", "balance_sheet")

_IN_MEMORY_BYTES = 16 * 1024 * 1024
_ROWS_AT_ONCE = 10_000


class FiguresError(LookupError):
    """There are no such figures; the message carries a stable code and says in both languages what to ask instead."""

    def __init__(self, code: str, zh: str, en: str) -> None:
        self.code = code
        super().__init__(f"{code}: {zh} / {en}")


@dataclass(frozen=True)
class Part:
    """One CSV: UTF-8, a header line, LF line ends. Above 16 MB it lies in a temporary file, gone with the object."""

    name: str
    sha256: str
    rows: int
    _content: IO[bytes]

    def read(self) -> bytes:
        """The whole CSV, in memory."""
        self._content.seek(0)
        return self._content.read()

    def write(self, path: Path) -> None:
        """Write the CSV to `path`, which appears only once it is whole."""
        draft = path.with_name(f".{path.name}.part")
        self._content.seek(0)
        with draft.open("wb") as handle:
            shutil.copyfileobj(self._content, handle)
        draft.replace(path)


@dataclass(frozen=True)
class Figures:
    """All parts of a region's month (its first day) at a seq."""

    region_code: str
    month: date
    seq: int
    journal: Part
    trial_balance: Part
    statement: Part
    balance_sheet: Part

    @property
    def parts(self) -> tuple[Part, ...]:
        """The parts in the order in which they are hashed."""
        return (self.journal, self.trial_balance, self.statement, self.balance_sheet)

    @property
    def ledger_sha256(self) -> str:
        """Hexadecimal sha256 over the hexadecimal hashes of all parts, joined by LF."""
        return hashlib.sha256("\n".join(part.sha256 for part in self.parts).encode()).hexdigest()

    def write(self, folder: Path) -> list[Path]:
        """Write `<region>.<month>.<seq>.<part>.csv` into `folder`, made when missing; returns the paths."""
        folder.mkdir(parents=True, exist_ok=True)
        paths = []
        for part in self.parts:
            path = folder / f"{self.region_code}.{self.month:%Y-%m}.{self.seq}.{part.name}.csv"
            part.write(path)
            paths.append(path)
        return paths


def figures(connection: Connection, region_code: str, month: date, seq: int) -> Figures:
    """Figures of `month` (any day of it) as known at `seq`; the session must be one that may read the region's marts.

    Raises FiguresError: `E-PERIOD-SEQ` when the seq is not published or not readable, `E-PERIOD-EMPTY` when the
    region's books had not reached the month at that seq.
    """
    first_day = month.replace(day=1)
    _require_published(connection, region_code, seq)
    statements = {part: _part(connection, part, region_code, first_day, seq) for part in PARTS[1:]}
    if not statements["trial_balance"].rows:
        raise FiguresError(
            "E-PERIOD-EMPTY",
            f"截至序号 {seq}，统筹区 {region_code} 的账簿尚无 {first_day:%Y-%m}；请选已有发生额的月份",
            f"as of seq {seq} the books of region {region_code} do not reach {first_day:%Y-%m};"
            " ask for a month that they cover",
        )
    journal = _part(connection, "journal", region_code, first_day, seq)
    return Figures(region_code, first_day, seq, journal, **statements)


def seq_at(connection: Connection, region_code: str, instant: datetime) -> int:
    """Last published seq recorded at or before `instant`; an instant without a zone is Beijing time.

    Raises FiguresError `E-PERIOD-SEQ` when nothing had been recorded by then.
    """
    aware = instant if instant.tzinfo else instant.replace(tzinfo=BEIJING)
    with connection.cursor() as cursor:
        cursor.execute("SELECT marts.seq_at(%s, %s)", (region_code, aware))
        (seq,) = cursor.fetchone() or (0,)
    if not seq:
        raise FiguresError(
            "E-PERIOD-SEQ",
            f"统筹区 {region_code} 在 {aware.isoformat()} 之前没有已发布的记录；请用更晚的时间",
            f"region {region_code} has nothing published that was recorded by {aware.isoformat()}; give a later time",
        )
    return int(seq)


def published_seq(connection: Connection, region_code: str) -> int:
    """Seq up to which the region is published, 0 when it is not published or not readable."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT seq FROM marts.published_head WHERE region_code = %s", (region_code,))
        (seq,) = cursor.fetchone() or (0,)
    return int(seq)


def _require_published(connection: Connection, region_code: str, seq: int) -> None:
    published = published_seq(connection, region_code)
    if not 1 <= seq <= published:
        raise FiguresError(
            "E-PERIOD-SEQ",
            f"统筹区 {region_code} 已发布到序号 {published}（0 为未发布或无权限），没有序号 {seq}；"
            f"请用 1 至 {published} 之间的序号",
            f"region {region_code} is published up to seq {published} (0: not published, or no right to it),"
            f" seq {seq} is not; give one from 1 to {published}",
        )


def _part(connection: Connection, name: str, region_code: str, month: date, seq: int) -> Part:
    content: IO[bytes] = tempfile.SpooledTemporaryFile(max_size=_IN_MEMORY_BYTES)  # noqa: SIM115 - it lives as long as the part
    digest, lines = hashlib.sha256(), -1
    for line in _lines(connection, name, region_code, month, seq):
        raw = f"{line}\n".encode()
        digest.update(raw)
        content.write(raw)
        lines += 1
    return Part(name, digest.hexdigest(), lines, content)


def _lines(connection: Connection, name: str, region_code: str, month: date, seq: int) -> Iterator[str]:
    """A cursor on the server: a journal of a million lines passes through in portions."""
    with connection.cursor(f"figures_{name}", withhold=connection.autocommit) as cursor:
        cursor.itersize = _ROWS_AT_ONCE
        cursor.execute(f"SELECT line FROM marts.{name}_csv(%s, %s, %s) ORDER BY place", (region_code, month, seq))
        for (line,) in cursor:
            yield line
