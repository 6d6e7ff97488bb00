"""A landing area in object storage, or wherever else fsspec reaches: read, never written."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import fsspec

from ingestion import spool
from ingestion.errors import FileChanged, FileRejected, ReadingInterrupted
from ingestion.landed import NO_SOURCE, Copy, Shape, Stored, printable, two_names, unread
from ingestion.manifest import SUFFIX
from ingestion.settings import SettingsError

BLOCK_BYTES = 8 << 20
# What the stores call the time of the last change and the mark of a version.
_TIMES = ("LastModified", "last_modified", "mtime", "updated", "modified", "created")
_MARKS = ("ETag", "etag", "e_tag", "generation", "md5Hash")


class Area:
    """The files below a URL such as `s3://bucket/prefix`.

    Every method but `check` and `files` raises FileChanged when an object is not what it was, FileRejected when it may
    not be read, ReadingInterrupted when it could not be; all raise SettingsError when the area itself can't be reached.
    """

    def __init__(self, url: str) -> None:
        self._shown = re.sub(r"(?<=://)[^/@]*@", "***@", url)
        with self._reached():
            self._store, root = fsspec.core.url_to_fs(url)
        self._root = root.rstrip("/")

    def check(self) -> None:
        """SettingsError unless the root is a folder with something in it, or an empty bucket."""
        with self._listed():
            found = self._store.ls(self._root, detail=False)
        if found == [self._root]:
            raise SettingsError(f"the landing root {self._shown} is a file, no folder; FUND_LANDING_DIR names it")

    def files(self) -> Iterator[tuple[Stored, Shape]]:
        """Every file below the root but manifests, and what it looks like; marks of empty folders are none."""
        with self._listed():
            found = self._store.find(self._root, detail=True)
        below = self._root + "/"
        for key in sorted(found):
            shape = _shape(found[key])
            empty_folder = key.endswith("/") and not shape.size_bytes
            if key.startswith(below) and not key.endswith(SUFFIX) and not empty_folder:
                yield _stored(key, below), shape

    def locate(self, source_system: str, file_name: str) -> Stored | None:
        """The file under its printable names; None when it is gone."""
        key = self._key(source_system, file_name)
        with suppress(Exception):  # not there, or not to be looked at by itself: the listing tells which
            self._store.invalidate_cache()
            if self._store.info(key)["type"] == "file":
                return Stored(source_system, file_name, key)
        return next((f for f, _ in self.files() if (f.source_system, f.file_name) == (source_system, file_name)), None)

    def sha256(self, file: Stored) -> str:
        """Of an object's bytes; of its own name for what may not be read."""
        digest = hashlib.sha256()
        try:
            _check_name(file)
            for block in self._blocks(file, self._shape(file)):
                digest.update(block)
        except FileRejected:
            return unread(file)
        return digest.hexdigest()

    def manifest(self, source_system: str, file_name: str) -> bytes | None:
        """The sidecar of a file, None when there is none; `E-FILE-MANIFEST` when it may not be read."""
        file = Stored(source_system, file_name, self._key(source_system, file_name + SUFFIX))
        try:
            with self._asked(file):
                content: bytes = self._store.cat_file(file.key)
        except FileChanged:
            return None
        except FileRejected as refused:
            raise FileRejected("E-FILE-MANIFEST", refused.detail) from None
        return content

    @contextmanager
    def copied(self, file: Stored, spool_dir: Path) -> Iterator[Copy]:
        """A copy for as long as the context lasts, hashed on its way; the object is fetched once."""
        with ExitStack() as kept:
            try:
                own = kept.enter_context(spool.folder(spool_dir))
                copy = self._copy(file, own / f"copy-{file.file_name.rpartition('/')[2][-60:]}")
            except OSError as error:
                where = f"{file.source_system}/{file.file_name}"
                raise ReadingInterrupted(f"{where}: no copy can be made in {spool_dir}: {error.strerror}") from None
            yield copy

    def _key(self, source_system: str, file_name: str) -> str:
        folder = [] if source_system == NO_SOURCE else [source_system]
        return "/".join([self._root, *folder, file_name])

    def _copy(self, file: Stored, path: Path) -> Copy:
        digest, shape = hashlib.sha256(), Shape(0, 0)
        try:
            shape = self._shape(file)
            _check_name(file)
            with path.open("wb") as copy:
                for block in self._blocks(file, shape):
                    digest.update(block)
                    copy.write(block)
        except FileRejected as refused:
            return Copy(file.source_system, file.file_name, path, shape, unread(file), refused)
        return Copy(file.source_system, file.file_name, path, shape, digest.hexdigest())

    def _blocks(self, file: Stored, expected: Shape) -> Iterator[bytes]:
        """The object's bytes, all of one version: FileChanged at the end at the latest when it is another one."""
        size = 0
        try:
            with self._asked(file), self._store.open(file.key, "rb", cache_type="none") as stream:
                while block := stream.read(BLOCK_BYTES):
                    size += len(block)
                    yield block
        except ReadingInterrupted:
            if self._shape(file) != expected:
                raise FileChanged(file.file_name) from None
            raise
        if self._shape(file) != expected or size != expected.size_bytes:
            raise FileChanged(file.file_name)

    def _shape(self, file: Stored) -> Shape:
        with self._asked(file):
            return _shape(self._store.info(file.key))

    @contextmanager
    def _asked(self, file: Stored) -> Iterator[None]:
        """Tell the faults of one object from those of the whole area; libraries raise errors of many kinds."""
        try:
            self._store.invalidate_cache()
            yield
        except FileNotFoundError:
            raise FileChanged(file.file_name) from None
        except Exception as error:
            self.check()
            if isinstance(error, PermissionError):
                raise FileRejected("E-FILE-UNREADABLE", str(error)) from None
            where = f"{file.source_system}/{file.file_name}"
            raise ReadingInterrupted(f"{where}: could not be read from {self._shown}: {_said(error)}") from None

    @contextmanager
    def _listed(self) -> Iterator[None]:
        with self._reached():
            self._store.invalidate_cache()
            yield

    @contextmanager
    def _reached(self) -> Iterator[None]:
        try:
            yield
        except FileNotFoundError as error:
            told = f"is not there ({error}); FUND_LANDING_DIR names it"
            raise SettingsError(f"the landing root {self._shown} {told}") from None
        except PermissionError as error:
            told = f"may not be listed ({error}); check the credentials and what they allow"
            raise SettingsError(f"the landing root {self._shown} {told}") from None
        except Exception as error:  # libraries raise errors of many kinds
            told = f"can't be reached: {_said(error)}; check FUND_LANDING_DIR, the store's address and credentials"
            raise SettingsError(f"the landing root {self._shown} {told}") from None


def _check_name(file: Stored) -> None:
    if file.source_system == NO_SOURCE:
        raise FileRejected("E-FILE-FOLDER", file.file_name)
    if file.file_name.endswith("/") or "\0" in file.key or printable(file.key) != file.key:
        raise FileRejected("E-FILE-NAME", file.file_name)


def _stored(key: str, below: str) -> Stored:
    source_system, file_name = two_names(key.removeprefix(below).replace("\0", "\\x00").split("/"))
    return Stored(source_system, file_name, key)


def _shape(told: Mapping[str, Any]) -> Shape:
    """Size, and the second of the last change with the mark of the version in the places below it.

    Stores tell whole seconds, some of them milliseconds in listings only: too coarse to know one version from the next.
    """
    time = next((told[name] for name in _TIMES if told.get(name)), None)
    mark = next((told[name] for name in _MARKS if told.get(name)), time)
    places = int.from_bytes(hashlib.sha256(str(mark).strip('"').encode()).digest()[:8]) % 10**9
    return Shape(int(told.get("size") or 0), _second(time) * 10**9 + places)


def _second(time: object) -> int:
    if isinstance(time, str):
        with suppress(ValueError):
            time = datetime.fromisoformat(time)
    if isinstance(time, datetime):
        time = (time if time.tzinfo else time.replace(tzinfo=UTC)).timestamp()
    return int(time) if isinstance(time, int | float) else 0


def _said(error: Exception) -> str:
    return f"{type(error).__name__}: {' '.join(str(error).split())}"
