"""What a file of the landing area is called, what it looks like, and where its bytes can be read."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from ingestion.errors import FileRejected
from ingestion.masking import mask_found
from ingestion.settings import beijing_today

NO_SOURCE = "-"  # stands for the source system of a file that lies in no folder
UNFINISHED = (".part", ".tmp")


@dataclass(frozen=True)
class Shape:
    """Size and time of last change, as the file system or the object store tells."""

    size_bytes: int
    modified_ns: int


@dataclass(frozen=True)
class Named:
    """A file of the landing area by its two names, both printable."""

    source_system: str
    file_name: str

    @property
    def unfinished(self) -> bool:
        """Whether its name says that it is still being written."""
        return self.file_name.endswith(UNFINISHED)


@dataclass(frozen=True)
class Landed(Named):
    """A file that can be read; the path is what the file system knows."""

    path: Path


@dataclass(frozen=True)
class Stored(Named):
    """A file in object storage; the key is its full path there."""

    key: str


@dataclass(frozen=True)
class Copy(Landed):
    """A private copy of a stored file, with what was found while it was made; `refused` when there is none."""

    shape: Shape
    sha256: str
    refused: FileRejected | None = None


def two_names(parts: Sequence[str]) -> tuple[str, str]:
    """Source system and file name of a path below the landing root, both printable."""
    parts = [printable(part) for part in parts]
    if len(parts) == 1 or not parts[0]:
        return NO_SOURCE, "/".join(parts)
    return parts[0], "/".join(parts[1:])


def printable(name: str) -> str:
    """A name without what can't be printed and without identity numbers; names that it changes are refused."""
    return mask_found(name.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace"), beijing_today())


def unread(file: Named, kind: str = "unread") -> str:
    """Stands for the sha256 of what may not be opened: of its own name, so that it has a stable identity."""
    identity = f"{kind}\0{file.source_system}\0{file.file_name}"
    return hashlib.sha256(identity.encode("utf-8", "surrogateescape")).hexdigest()
