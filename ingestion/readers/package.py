"""An .xlsx file as a zip archive of XML parts: what it may be, how much it may unpack to, how its parts are read."""

from __future__ import annotations

import lzma
import mmap
import posixpath
import struct
import zipfile
import zlib
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from xml.parsers import expat

from ingestion.errors import FileRejected

UNPACKED_BYTES_MAX = 1024**3
STRINGS_BYTES_MAX = 256 * 1024**2  # of the shared strings, which have to be kept in memory
SMALL_PART_BYTES_MAX = 32 * 1024**2
ENTRIES_MAX = 10_000
TOKEN_BYTES_MAX = 4 * 1024**2
_BLOCK = 1 << 16
_OLE = bytes.fromhex("D0CF11E0A1B11AE1")  # the container of .xls and of every encrypted workbook
_ENCRYPTED = "EncryptedPackage".encode("utf-16-le")
_BROKEN_ARCHIVE = (zipfile.BadZipFile, zlib.error, lzma.LZMAError, struct.error, EOFError, NotImplementedError)
_BROKEN = (*_BROKEN_ARCHIVE, expat.ExpatError, UnicodeError, ValueError)

Start = Callable[[str, dict[str, str]], None]
End = Callable[[str], None]
Text = Callable[[str], None]


def damaged(detail: str) -> FileRejected:
    """The rejection of what is no workbook."""
    return FileRejected("E-FILE-XLSX", detail[:200])


def local(name: str) -> str:
    """An element's or attribute's name without its prefix."""
    return name.rpartition(":")[2]


@contextmanager
def open_package(path: Path) -> Iterator[Package]:
    """The archive, its unpacked size checked beforehand; whatever is broken in it is one `FileRejected`."""
    _refuse_other_formats(path)
    try:
        with zipfile.ZipFile(path) as archive:
            yield Package(archive)
    except _BROKEN as error:
        raise damaged(str(error)) from None
    except (
        LookupError
    ) as error:  # how expat tells of an encoding that nobody knows; its subclasses are mistakes of ours
        raise damaged(str(error)) if type(error) is LookupError else error from None
    except RuntimeError as error:  # how zipfile tells of an encrypted entry
        raise FileRejected("E-FILE-PASSWORD") if "encrypted" in str(error) else error from None


def _refuse_other_formats(path: Path) -> None:
    with path.open("rb") as stream:
        start = stream.read(len(_OLE))
        if not start:
            raise FileRejected("E-FILE-EMPTY")
        if start == _OLE:
            with mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ) as content:
                encrypted = content.find(_ENCRYPTED) >= 0
            raise FileRejected("E-FILE-PASSWORD" if encrypted else "E-FILE-XLS")


class Package:
    """Parts by name (case does not matter), each read as a stream."""

    def __init__(self, archive: zipfile.ZipFile) -> None:
        entries = archive.infolist()
        if len(entries) > ENTRIES_MAX or sum(entry.file_size for entry in entries) > UNPACKED_BYTES_MAX:
            raise FileRejected("E-FILE-TOO-LARGE", f"{sum(entry.file_size for entry in entries):,} bytes")
        self._archive = archive
        self._entries = {entry.filename.lower().lstrip("/"): entry for entry in entries}

    def __contains__(self, name: str) -> bool:
        return name.lower() in self._entries

    def blocks(self, name: str, limit: int = SMALL_PART_BYTES_MAX) -> Iterator[bytes]:
        """A part's bytes; the archive's own directory bounds what is unpacked."""
        entry = self._entries.get(name.lower())
        if entry is None:
            raise damaged(f"no part {name}")
        if entry.file_size > limit:
            raise FileRejected("E-FILE-TOO-LARGE", f"{name}: {entry.file_size:,} bytes")
        with self._archive.open(entry) as stream:
            while block := stream.read(_BLOCK):
                yield block

    def parse(
        self, name: str, start: Start, end: End | None = None, text: Text | None = None, limit: int | None = None
    ) -> None:
        """Read a part from beginning to end."""
        parser = new_parser(start, end, text)
        for _ in parsed(parser, self.blocks(name, limit or SMALL_PART_BYTES_MAX)):
            pass

    def relations(self, part: str) -> dict[str, tuple[str, str]]:
        """id -> (kind, part) of the parts a part refers to."""
        folder, name = posixpath.split(part)
        found: dict[str, tuple[str, str]] = {}

        def start(element: str, attributes: dict[str, str]) -> None:
            if local(element) == "Relationship" and attributes.get("TargetMode") != "External":
                target = posixpath.normpath(posixpath.join("/", folder, attributes["Target"])).lstrip("/")
                found[attributes["Id"]] = (attributes["Type"].rpartition("/")[2], target)

        try:
            self.parse(posixpath.join(folder, "_rels", f"{name}.rels"), start)
        except KeyError as error:
            raise damaged(f"relation without {error}") from None
        return found


def new_parser(start: Start, end: End | None = None, text: Text | None = None) -> expat.XMLParserType:
    """A parser that refuses document types, and with them every entity a file could define."""
    parser = expat.ParserCreate()
    parser.buffer_text = True
    parser.StartDoctypeDeclHandler = _refuse_doctype
    parser.StartElementHandler = start
    parser.EndElementHandler = end
    parser.CharacterDataHandler = text
    return parser


def parsed(parser: expat.XMLParserType, blocks: Iterable[bytes]) -> Iterator[None]:
    """Feed a part to its parser, stopping after each block; a tag that does not end would be read again each time."""
    fed = 0
    for block in blocks:
        parser.Parse(block, False)
        fed += len(block)
        if fed - parser.CurrentByteIndex > TOKEN_BYTES_MAX:
            raise damaged("a tag or comment too long")
        yield
    parser.Parse(b"", True)
    yield


def _refuse_doctype(*_: object) -> None:
    raise damaged("document type declaration")
