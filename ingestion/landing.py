"""What lies in the landing folders: names, sizes, contents, and what may not be read at all."""

from __future__ import annotations

import hashlib
import os
import stat
import time
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from ingestion.errors import FileRejected
from ingestion.manifest import SUFFIX
from ingestion.masking import mask_found
from ingestion.settings import beijing_today

NO_SOURCE = "-"  # stands for the source system of a file that lies in no folder
UNFINISHED = (".part", ".tmp")
QUIET_SECONDS = 1.5


@dataclass(frozen=True)
class Landed:
    """A file of the landing area. Both names are printable; the path is what the file system knows."""

    source_system: str
    file_name: str
    path: Path

    @property
    def unfinished(self) -> bool:
        """Whether its name says that it is still being written."""
        return self.file_name.endswith(UNFINISHED)


@dataclass(frozen=True)
class Shape:
    """Size and time of last change, as the file system tells."""

    size_bytes: int
    modified_ns: int


def files(root: Path) -> Iterator[Landed]:
    """Every file below the root but manifests, by name. A folder behind a link or a locked one is one entry."""
    locked: list[OSError] = []
    for folder, subfolders, names in os.walk(root, onerror=locked.append):
        subfolders.sort()
        here = Path(folder)
        linked = [name for name in subfolders if (here / name).is_symlink()]
        for name in sorted([*names, *linked]):
            if not name.endswith(SUFFIX):
                yield _landed(root, here / name)
    for error in locked:
        if (folder_path := Path(error.filename)) != root:
            yield _landed(root, folder_path)


def locate(root: Path, source_system: str, file_name: str) -> Landed | None:
    """The file under its printable names; None when it is gone."""
    path = root / file_name if source_system == NO_SOURCE else root / source_system / file_name
    if os.path.lexists(path) and _landed(root, path).file_name == file_name:
        return _landed(root, path)
    return next((f for f in files(root) if (f.source_system, f.file_name) == (source_system, file_name)), None)


def check(root: Path, landed: Landed) -> None:
    """Refuse what may not be read: files in no folder, links that lead out, names that can't be stored, devices."""
    if landed.path.is_dir() and not landed.path.is_symlink():
        raise FileRejected("E-FILE-UNREADABLE", landed.file_name)
    if landed.source_system == NO_SOURCE:
        raise FileRejected("E-FILE-FOLDER", landed.file_name)
    try:
        target = landed.path.resolve(strict=True)
        regular = stat.S_ISREG(target.stat().st_mode)
    except (OSError, RuntimeError):
        raise FileRejected(
            "E-FILE-LINK" if landed.path.is_symlink() else "E-FILE-UNREADABLE", landed.file_name
        ) from None
    if not regular or not target.is_relative_to(root.resolve()):
        raise FileRejected("E-FILE-LINK", landed.file_name)
    if _printable(str(landed.path)) != str(landed.path):
        raise FileRejected("E-FILE-NAME", landed.file_name)


def shape(path: Path) -> Shape:
    """Size and modification time of a file, of the link itself when it leads nowhere."""
    try:
        found = path.stat()
    except OSError:
        found = path.lstat()
    return Shape(found.st_size, found.st_mtime_ns)


def sha256(root: Path, landed: Landed) -> str:
    """Of a file's bytes; of its own name for what may not be opened, so that it has a stable identity."""
    try:
        check(root, landed)
        with landed.path.open("rb") as handle:
            return hashlib.file_digest(handle, "sha256").hexdigest()
    except (FileRejected, OSError):
        kind = str(landed.path.readlink()) if landed.path.is_symlink() else "unread"
        return hashlib.sha256(
            f"{kind}\0{landed.source_system}\0{landed.file_name}".encode("utf-8", "surrogateescape")
        ).hexdigest()


def shapes(present: Iterable[Landed]) -> dict[Landed, Shape]:
    """What the files look like now; those that have vanished since they were listed are left out."""
    found = {}
    for landed in present:
        with suppress(OSError):
            found[landed] = shape(landed.path)
    return found


def settled(seen: dict[Landed, Shape]) -> dict[Landed, Shape | None]:
    """The same files a moment later: None for those that are changing, vanished ones left out."""
    now = time.time_ns()
    if any(now - before.modified_ns < 60 * 10**9 for before in seen.values()):
        time.sleep(QUIET_SECONDS)
    return {
        landed: again if again == seen[landed] and not landed.unfinished else None
        for landed, again in shapes(seen).items()
    }


def _landed(root: Path, path: Path) -> Landed:
    parts = [_printable(part) for part in path.relative_to(root).parts]
    if len(parts) == 1:
        return Landed(NO_SOURCE, parts[0], path)
    return Landed(parts[0], "/".join(parts[1:]), path)


def _printable(name: str) -> str:
    """A name without what can't be printed and without identity numbers; `check` refuses names that it changes."""
    return mask_found(name.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace"), beijing_today())
