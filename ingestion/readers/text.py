"""Text files: plain or gzip, UTF-8 or GB18030, in blocks of whole lines."""

from __future__ import annotations

import codecs
import gzip
import io
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from ingestion.errors import FileRejected

BLOCK_BYTES = 6 * 1024**2
LINE_CHARACTERS_MAX = 16 * 1024**2


@contextmanager
def text_blocks(path: Path, encoding: str) -> Iterator[Iterator[str]]:
    """The text of a file, cut behind line ends; only the last block may end without one.

    `FileRejected` for a line of more than LINE_CHARACTERS_MAX; `UnicodeDecodeError` for what is not of the encoding.
    """
    with _bytes(path) as raw:
        yield _blocks(raw, _encoding(path, raw, encoding))


def lines_of(blocks: Iterable[str]) -> Iterator[str]:
    """Physical lines with their ends: LF, CR LF or a lone CR."""
    for block in blocks:
        yield from io.StringIO(block, newline="")


def _blocks(raw: IO[bytes], encoding: str) -> Iterator[str]:
    decoder = codecs.getincrementaldecoder(encoding)("strict")
    text = ""
    while data := raw.read(BLOCK_BYTES):
        text += decoder.decode(data)
        # A CR at the very end may be half of a CR LF.
        end = text.rfind("\n") + 1 or text.rfind("\r", 0, -1) + 1
        if end:
            yield text[:end]
            text = text[end:]
        if len(text) > LINE_CHARACTERS_MAX:
            raise FileRejected("E-FILE-TOO-LARGE", f"a line of more than {LINE_CHARACTERS_MAX:,} characters")
    text += decoder.decode(b"", final=True)
    if text:
        yield text


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
