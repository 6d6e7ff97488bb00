"""Text files: plain or gzip, UTF-8 or GB18030."""

from __future__ import annotations

import codecs
import gzip
import io
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from ingestion.errors import FileRejected


@contextmanager
def text_lines(path: Path, encoding: str) -> Iterator[Iterator[str]]:
    """The physical lines of a text file."""
    with _bytes(path) as raw:
        chosen = _encoding(path, raw, encoding)
        with io.TextIOWrapper(raw, encoding=chosen, errors="strict", newline="") as text:
            yield iter(text)


def _bytes(path: Path) -> IO[bytes]:
    return gzip.open(path, "rb") if path.name.endswith(".gz") else path.open("rb")  # type: ignore[return-value]


def _encoding(path: Path, raw: IO[bytes], declared: str) -> str:
    """A UTF-8 byte order mark always wins; `auto` is UTF-8 when the whole file is, else GB18030."""
    start = raw.read(len(codecs.BOM_UTF8))
    raw.seek(0)
    if not start:
        raise FileRejected("E-FILE-EMPTY")
    if start == codecs.BOM_UTF8:
        return "utf-8-sig"
    return declared if declared != "auto" else _detected(path)


def _detected(path: Path) -> str:
    decoder = codecs.getincrementaldecoder("utf-8")()
    with _bytes(path) as raw:
        try:
            while block := raw.read(1 << 20):
                decoder.decode(block)
            decoder.decode(b"", final=True)
        except UnicodeDecodeError:
            return "gb18030"
    return "utf-8"
