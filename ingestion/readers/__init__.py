"""From bytes to frames of text columns, in bounded chunks, whatever the format."""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Callable, Generator, Iterator
from contextlib import closing
from pathlib import Path

from ingestion.errors import FileRejected
from ingestion.profiles import Feed
from ingestion.readers.chunk import CHUNK_ROWS, ROWS_MAX, Chunk, Misfit
from ingestion.readers.delimited import csv_chunks
from ingestion.readers.json_lines import jsonl_chunks
from ingestion.readers.parquet import parquet_chunks
from ingestion.readers.text import text_blocks
from ingestion.readers.workbook import xlsx_chunks

__all__ = ["CHUNK_ROWS", "READER_VERSION", "Chunk", "Misfit", "chunks"]

READER_VERSION = "4"

_TEXT = {"csv": csv_chunks, "jsonl": jsonl_chunks}
_BINARY: dict[str, Callable[[Path, Feed, int], Iterator[Chunk]]] = {"xlsx": xlsx_chunks, "parquet": parquet_chunks}


def chunks(path: Path, feed: Feed, size: int = CHUNK_ROWS) -> Iterator[Chunk]:
    """Read a file as its feed says; any way in which it can't be read is one `FileRejected`.

    `ReadingInterrupted` when what kept it from being read is not the file itself.
    """
    rows = 0
    try:
        with closing(_chunks(path, feed, size)) as found:
            for chunk in found:
                rows += chunk.rows
                if rows > ROWS_MAX:
                    raise FileRejected("E-FILE-TOO-LARGE", f"{ROWS_MAX:,}")
                yield chunk
    except UnicodeDecodeError as error:
        raise FileRejected("E-FILE-ENCODING", f"{error.encoding}, {error.reason}") from None
    except (gzip.BadGzipFile, zlib.error, EOFError) as error:
        raise FileRejected("E-FILE-GZIP", str(error)) from None
    except OSError as error:
        raise FileRejected("E-FILE-UNREADABLE", error.strerror or type(error).__name__) from None


def _chunks(path: Path, feed: Feed, size: int) -> Generator[Chunk, None, None]:
    if feed.format in _BINARY:
        yield from _BINARY[feed.format](path, feed, size)
    else:
        with text_blocks(path, feed.encoding) as blocks:
            yield from _TEXT[feed.format](blocks, feed, size)
