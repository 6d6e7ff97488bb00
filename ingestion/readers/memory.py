"""How much memory there is for reading: what the machine has, or the group of processes we are in may use."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

_SYSTEM = Path("/")
_NAMES = {"": "memory.max", "memory": "memory/memory.limit_in_bytes"}  # of the second and the first version


def total(system: Path = _SYSTEM) -> int:
    """Bytes of the machine, or fewer where a control group above this process is limited to fewer."""
    machine = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return min([machine, *_limits(system)])


def _limits(system: Path) -> Iterator[int]:
    groups = system / "sys/fs/cgroup"
    for line in _text(system / "proc/self/cgroup").splitlines():
        _, kind, path = line.split(":", 2)
        if kind not in _NAMES:
            continue
        folder, _, name = _NAMES[kind].rpartition("/")
        own = Path(path.lstrip("/"))
        for group in (own, *own.parents):  # inside a container its own group may show as the root
            limit = _text(groups / folder / group / name).strip()
            if limit.isdigit():
                yield int(limit)


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except OSError:
        return ""
