"""The part of the lock file that runs in production: python run_packages.py < requirements.txt > run.txt.

requirements.in names the development tools below a comment line; the lock says for each package which ones ask for it.
Left out: what only those tools ask for, and the installer. The embedded PostgreSQL server is in for its client
programs, which make the backups.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path

NOT_IN_IMAGE = frozenset({"uv"})
_DEVELOPMENT = "# development"


def run_packages(wanted: str, lock: str) -> str:
    """Blocks of the lock that the packages wanted for running need, directly or through others."""
    blocks = re.findall(r"^[a-z0-9][^\n]*\n(?:[ \t]+[^\n]*\n)*", lock, flags=re.MULTILINE)
    named = {_name(block): block for block in blocks}
    kept = {_name(line) for line in wanted.partition(_DEVELOPMENT)[0].splitlines() if line and line[0] != "#"}
    kept -= NOT_IN_IMAGE
    while more := {name for name, block in named.items() if name not in kept and kept & _asked_for_by(block)}:
        kept |= more
    if unknown := kept - named.keys():
        raise SystemExit(f"not in the lock file: {', '.join(sorted(unknown))}; run make lock")
    return "".join(block for name, block in named.items() if name in kept)


def _name(text: str) -> str:
    return re.split(r"[^A-Za-z0-9._-]", text, maxsplit=1)[0].lower().replace("_", "-")


def _asked_for_by(block: str) -> set[str]:
    return set(re.findall(r"^\s+#\s+(?:via )?([a-z0-9][a-z0-9._-]*)", block, flags=re.MULTILINE)) - {"via"}


if __name__ == "__main__":
    sys.stdout.write(run_packages(Path("requirements.in").read_text("utf-8"), sys.stdin.read()))
