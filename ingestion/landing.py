"""What lies in the landing folders: names, sizes, contents, and what may not be read at all."""

from __future__ import annotations

import hashlib
import logging
import os
import stat
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path

from ingestion import manifest
from ingestion.errors import FileChanged, FileRejected, ReadingInterrupted
from ingestion.landed import NO_SOURCE, Copy, Landed, Named, Shape, Stored, printable, two_names, unread
from ingestion.object_storage import Area
from ingestion.settings import Settings, SettingsError

__all__ = ["Landed", "Named", "Shape", "Stored", "unread"]

QUIET_SECONDS = 1.5
Root = Path | str  # a folder, or the URL of an area in object storage

_log = logging.getLogger(__name__)


def check_root(root: Root) -> None:
    """`SettingsError` when the landing root is no folder: a misspelt path must not pass for an empty one."""
    if isinstance(root, str):
        Area(root).check()
    elif not root.is_dir():
        raise SettingsError(f"the landing root {root} is no directory; FUND_LANDING_DIR names it")


def look(root: Root) -> dict[Named, Shape]:
    """Every file below the root but manifests, and what it looks like now."""
    return dict(Area(root).files() if isinstance(root, str) else shapes(files(root)).items())


def files(root: Path) -> Iterator[Landed]:
    """Every file below the root but manifests, by name. A folder behind a link or a locked one is one entry."""
    locked: list[OSError] = []
    for folder, subfolders, names in os.walk(root, onerror=locked.append):
        subfolders.sort()
        here = Path(folder)
        linked = [name for name in subfolders if (here / name).is_symlink()]
        for name in sorted([*names, *linked]):
            if not name.endswith(manifest.SUFFIX):
                yield _landed(root, here / name)
    for error in locked:
        if (folder_path := Path(error.filename)) != root:
            yield _landed(root, folder_path)


def locate(root: Root, source_system: str, file_name: str) -> Named | None:
    """The file under its printable names; None when it is gone."""
    if isinstance(root, str):
        return Area(root).locate(source_system, file_name)
    path = root / file_name if source_system == NO_SOURCE else root / source_system / file_name
    if os.path.lexists(path) and _landed(root, path).file_name == file_name:
        return _landed(root, path)
    return next((f for f in files(root) if (f.source_system, f.file_name) == (source_system, file_name)), None)


@contextmanager
def local(settings: Settings, found: Named) -> Iterator[Landed]:
    """The file where readers can open it: a local one in its place, a stored one as a copy that is gone afterwards."""
    if isinstance(found, Stored):
        with Area(str(settings.landing_dir)).copied(found, settings.spool_dir) as copy:
            yield copy
    else:
        assert isinstance(found, Landed)
        yield found


def check(root: Root, landed: Landed) -> None:
    """Refuse what may not be read: files in no folder, links that lead out, names that can't be stored, devices."""
    if isinstance(landed, Copy):
        if landed.refused is not None:
            raise landed.refused
        return
    assert isinstance(root, Path)
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
    if printable(str(landed.path)) != str(landed.path):
        raise FileRejected("E-FILE-NAME", landed.file_name)


def shape(path: Path) -> Shape:
    """Size and modification time of a file, of the link itself when it leads nowhere."""
    try:
        found = path.stat()
    except OSError:
        found = path.lstat()
    return Shape(found.st_size, found.st_mtime_ns)


def sha256(root: Root, landed: Landed) -> str:
    """Of a file's bytes; of its own name for what may not be opened, so that it has a stable identity."""
    try:
        check(root, landed)
        with landed.path.open("rb") as handle:
            return hashlib.file_digest(handle, "sha256").hexdigest()
    except (FileRejected, OSError):
        return unread(landed, str(landed.path.readlink())) if landed.path.is_symlink() else unread(landed)


def digest(root: Root, found: Named) -> str | None:
    """sha256 of a file that need not be read otherwise; None when it is changing or could not be fetched just now."""
    if not isinstance(found, Stored):
        assert isinstance(found, Landed)
        return sha256(root, found)
    try:
        return Area(str(root)).sha256(found)
    except FileChanged:
        return None
    except ReadingInterrupted as interrupted:
        _log.warning(str(interrupted))
        return None


def identity(root: Root, landed: Landed) -> tuple[str, Shape]:
    """sha256 of a file, and what it looked like before its bytes were hashed."""
    if isinstance(landed, Copy):
        return landed.sha256, landed.shape
    before = shape(landed.path)
    return sha256(root, landed), before


def changed(landed: Landed, before: Shape) -> bool:
    """Whether a file is another one by now, or gone; a copy is not: its original was looked at when it was complete."""
    try:
        return not isinstance(landed, Copy) and shape(landed.path) != before
    except OSError:
        return True


def sidecar(root: Root, found: Named) -> bytes | None:
    """The manifest of a file as it is now, None when there is none."""
    if isinstance(root, str):
        return Area(root).manifest(found.source_system, found.file_name)
    assert isinstance(found, Landed)
    return manifest.read_bytes(found.path)


def shapes(present: Iterable[Landed]) -> dict[Landed, Shape]:
    """What the files look like now; those that have vanished since they were listed are left out."""
    found = {}
    for landed in present:
        with suppress(OSError):
            found[landed] = shape(landed.path)
    return found


def settled(root: Root, seen: Mapping[Named, Shape]) -> dict[Named, Shape | None]:
    """The same files a moment later: None for those that are changing, vanished ones left out."""
    now = time.time_ns()
    if any(now - before.modified_ns < 60 * 10**9 for before in seen.values()):
        time.sleep(QUIET_SECONDS)
    return {
        found: again if again == seen[found] and not found.unfinished else None
        for found, again in _again(root, seen).items()
    }


def _again(root: Root, seen: Mapping[Named, Shape]) -> dict[Named, Shape]:
    if isinstance(root, str):
        return {found: again for found, again in (look(root) if seen else {}).items() if found in seen}
    return dict(shapes(found for found in seen if isinstance(found, Landed)).items())


def _landed(root: Path, path: Path) -> Landed:
    return Landed(*two_names(path.relative_to(root).parts), path)
