"""Text files: plain or gzip, UTF-8 or GB18030, in blocks of whole lines."""

from __future__ import annotations

import codecs
import gzip
import io
import itertools
from collections.abc import Generator, Iterable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from ingestion.errors import FileRejected

BLOCK_BYTES = 3 * 1024**2
LINE_CHARACTERS_MAX = 16 * 1024**2
# What is packed tighter than rows ever are is no table: deflate makes a thousand bytes of one at most.
PACKING_MAX = 200
PACKING_BYTES_MIN = 64 * 1024**2
_UTF16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)


@contextmanager
def text_blocks(path: Path, encoding: str) -> Iterator[Iterator[str]]:
    """The text of a file, cut behind line ends; only the last block may end without one.

    `FileRejected` for a line of more than LINE_CHARACTERS_MAX and for what unpacks to far more than it should;
    `UnicodeDecodeError` for what is not of the encoding.
    """
    with closing(_unpacked(path)) as data:
        first = next(data, b"")
        if not first:
            raise FileRejected("E-FILE-EMPTY")
        yield _blocks(itertools.chain([first], data), _encoding(path, first, encoding))


def lines_of(blocks: Iterable[str]) -> Iterator[str]:
    """Physical lines with their ends: LF, CR LF or a lone CR."""
    for block in blocks:
        yield from io.StringIO(block, newline="")


def check_length(line: str) -> None:
    """`FileRejected` for a line, or the beginning of one, that is too long."""
    if len(line) > LINE_CHARACTERS_MAX:
        raise FileRejected("E-FILE-TOO-LARGE", f"a line of more than {LINE_CHARACTERS_MAX:,} characters")


def _blocks(data: Iterable[bytes], encoding: str) -> Iterator[str]:
    decoder = codecs.getincrementaldecoder(encoding)("strict")
    text = ""
    for block in data:
        text += decoder.decode(block)
        # A CR at the very end may be half of a CR LF.
        end = text.rfind("\n") + 1 or text.rfind("\r", 0, -1) + 1
        if end:
            yield text[:end]
            text = text[end:]
        check_length(text)
    text += decoder.decode(b"", final=True)
    if text:
        yield text


def _unpacked(path: Path) -> Generator[bytes, None, None]:
    with path.open("rb") as packed:
        if not path.name.endswith(".gz"):
            while block := packed.read(BLOCK_BYTES):
                yield block
            return
        length = 0
        with gzip.GzipFile(fileobj=packed) as stream:
            while block := stream.read(BLOCK_BYTES):
                length += len(block)
                if length > max(PACKING_BYTES_MIN, PACKING_MAX * packed.tell()):
                    raise FileRejected("E-FILE-TOO-LARGE", f"{packed.tell():,} -> {length:,} bytes")
                yield block


def _encoding(path: Path, start: bytes, declared: str) -> str:
    """A UTF-8 byte order mark always wins; `auto` is UTF-8 when the whole file is, else GB18030."""
    if start.startswith(codecs.BOM_UTF8):
        return "utf-8-sig"
    if start.startswith(_UTF16):
        raise FileRejected("E-FILE-ENCODING", "UTF-16")
    return declared if declared != "auto" else _detected(path)


def _detected(path: Path) -> str:
    decoder = codecs.getincrementaldecoder("utf-8")()
    with closing(_unpacked(path)) as data:
        try:
            for block in data:
                decoder.decode(block)
            decoder.decode(b"", final=True)
        except UnicodeDecodeError:
            return "gb18030"
    return "utf-8"
