"""Processes that outlive their starter: told apart by pid and start time, stopped as whole sessions."""

from __future__ import annotations

import fcntl
import os
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from runtime.terminal import complain


@contextmanager
def exclusive(path: Path, waiting_for: str, timeout_s: float = 300) -> Iterator[None]:
    """Hold the lock file `path`; TimeoutError after `timeout_s` seconds. The system frees it when the holder dies."""
    with path.open("a") as handle:
        deadline, told = time.monotonic() + timeout_s, False
        while True:
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if time.monotonic() > deadline:
                    raise TimeoutError(f"another process is still {waiting_for} (lock file {path})") from None
                if not told and time.monotonic() > deadline - timeout_s + 3:
                    told = True
                    complain(f"waiting: another process is {waiting_for} …")
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


def session_members(session: int) -> list[int]:
    """Living processes of a session: a process started by us and all its descendants, whatever their groups."""
    members = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            with suppress(OSError, IndexError):
                fields = (entry / "stat").read_bytes().rpartition(b")")[2].split()
                if int(fields[3]) == session and fields[0] not in (b"Z", b"X"):
                    members.append(int(entry.name))
    return members


def identity(pid: int) -> dict[str, int | None]:
    """Note of a process that stays unmistakable when its pid is given to another."""
    return {"pid": pid, "started_at": started_at(pid)}


def same(noted: dict[str, int | None]) -> bool:
    """Whether the noted process still lives."""
    pid, began = noted["pid"], noted["started_at"]
    return pid is not None and began is not None and started_at(pid) == began


def stop_session(leader: int, patience_s: float) -> None:
    """End a whole session: SIGTERM to its leader, after `patience_s` seconds SIGKILL to whatever is left.

    Repeated until a look finds nothing, since what is being killed may still fork.
    """
    _signal(leader, signal.SIGTERM)
    deadline = time.monotonic() + patience_s
    while members := session_members(leader):
        if time.monotonic() >= deadline:
            for pid in members:
                _signal(pid, signal.SIGKILL)
        elif leader not in members:
            for pid in members:  # orphans of a leader that is gone
                _signal(pid, signal.SIGTERM)
        time.sleep(0.05)
    reap(leader)


def reap(pid: int) -> None:
    """Take a child of ours that has ended off the process table; not every init process does it for us."""
    with suppress(ChildProcessError):
        os.waitpid(pid, os.WNOHANG)


def _signal(pid: int, number: signal.Signals) -> None:
    with suppress(ProcessLookupError):
        os.kill(pid, number)
