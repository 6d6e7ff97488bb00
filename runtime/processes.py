"""Processes that outlive their starter: told apart by pid and start time, stopped as whole groups."""

from __future__ import annotations

import fcntl
import json
import os
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path


@contextmanager
def exclusive(path: Path, waiting_for: str, timeout_s: float = 300) -> Iterator[None]:
    """Hold the lock file `path`; TimeoutError after `timeout_s` seconds. The system frees it when the holder dies."""
    with path.open("a") as handle:
        deadline = time.monotonic() + timeout_s
        while True:
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if time.monotonic() > deadline:
                    raise TimeoutError(f"another process is still {waiting_for} (lock file {path})") from None
                time.sleep(0.1)
        yield


def started_at(pid: int) -> int | None:
    """Start time of a living process in clock ticks since boot; None when there is none or only a zombie."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_bytes().rpartition(b")")[2].split()
    except OSError:
        return None
    return None if fields[0] in (b"Z", b"X") else int(fields[19])


def arguments(pid: int) -> list[str]:
    """Command line of a process, empty when it is gone."""
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().decode(errors="replace").split("\0")
    except OSError:
        return []


def group_members(group: int) -> list[int]:
    """Living processes of a process group."""
    members = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            with suppress(OSError, IndexError):
                fields = (entry / "stat").read_bytes().rpartition(b")")[2].split()
                if int(fields[2]) == group and fields[0] not in (b"Z", b"X"):
                    members.append(int(entry.name))
    return members


def remember(path: Path, pid: int) -> None:
    """Write a pid file that survives the reuse of pids."""
    path.write_text(json.dumps({"pid": pid, "started_at": started_at(pid)}))


def recall(path: Path) -> int | None:
    """Pid of a pid file when that very process still lives."""
    try:
        noted = json.loads(path.read_text())
    except (OSError, ValueError):
        return None
    return noted["pid"] if noted["started_at"] is not None and started_at(noted["pid"]) == noted["started_at"] else None


def stop_groups(groups: list[int], patience_s: float = 20) -> None:
    """End whole process groups: SIGTERM, then SIGKILL to what is left after `patience_s` seconds."""
    for group in groups:
        _signal_group(group, signal.SIGTERM)
    if not _wait_until_empty(groups, patience_s):
        for group in groups:
            _signal_group(group, signal.SIGKILL)
        _wait_until_empty(groups, 10)


def _signal_group(group: int, number: signal.Signals) -> None:
    with suppress(ProcessLookupError):
        os.killpg(group, number)


def _wait_until_empty(groups: list[int], patience_s: float) -> bool:
    deadline = time.monotonic() + patience_s
    while any(group_members(group) for group in groups):
        if time.monotonic() > deadline:
            return False
        time.sleep(0.1)
    return True
