"""Small files that may stand beside the data: a source's profile, a file's manifest."""

from __future__ import annotations

import errno
from pathlib import Path

from ingestion.errors import FileRejected


def content(path: Path, code: str) -> bytes | None:
    """The file's bytes, None when there is none; rejection with `code` when it is there and can't be read."""
    try:
        return path.read_bytes() if path.is_file() else None
    except OSError as error:
        if error.errno == errno.ENAMETOOLONG:  # the name that it would have is one that no file can have
            return None
        raise FileRejected(code, error.strerror or type(error).__name__) from None
