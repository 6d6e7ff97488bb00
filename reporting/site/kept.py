"""What decides whether a page, or what it is made of, can be kept from the last writing."""

from __future__ import annotations

from functools import cache
from hashlib import sha256
from pathlib import Path

_PACKAGE = Path(__file__).parent.parent


@cache
def code_digest() -> str:
    """A hash over all that makes a page out of figures: with other code every page is written again."""
    digest = sha256()
    for path in sorted(_PACKAGE.rglob("*")):
        if path.suffix in (".py", ".j2"):
            digest.update(path.read_bytes())
    return digest.hexdigest()
