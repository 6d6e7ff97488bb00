"""A file as its source delivers it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class SourceFile:
    """Name, bytes and, where there is one, manifest of a delivered file."""

    source_system: str
    name: str
    content: bytes
    manifest: bytes | None = None
