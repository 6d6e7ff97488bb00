"""A full disk, told once and plainly: what is full, what has become of the data, what to do."""

from __future__ import annotations

import errno
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from psycopg2 import OperationalError
from psycopg2.errors import DiskFull

_FULL = (errno.ENOSPC, errno.EDQUOT)


def explanation(error: BaseException) -> str | None:
    """What to tell of an error that comes from a full disk, here or on the database's server; None for any other."""
    seen: BaseException | None = error
    while seen is not None:
        if (what := _what_is_full(seen)) is not None:
            return (
                f"磁盘已满 / the disk is full: {what}。已提交的数据完好，未完成的文件没有写入任何一行；腾出空间后再运行一次，"
                "即从中断处继续 / what was committed is safe, the file that was not finished has left no row: free some"
                " space and run again, it goes on by itself"
            )
        seen = seen.__cause__ or seen.__context__
    return None


@contextmanager
def naming(path: Path) -> Iterator[None]:
    """Let an error that says that there is no space also say where: writing through a handle does not tell."""
    try:
        yield
    except OSError as error:
        if error.errno in _FULL and error.filename is None:
            raise OSError(error.errno, error.strerror, str(path)) from error
        raise


def _what_is_full(error: BaseException) -> str | None:
    if isinstance(error, OSError) and error.errno in _FULL:
        return f"{error.filename or '本机 / this machine'} ({error.strerror})"
    by_text = isinstance(error, OperationalError) and "No space left on device" in str(error)
    if isinstance(error, DiskFull) or by_text:
        return f"数据库服务器 / the database's server ({str(error).strip().splitlines()[0]})"
    return None
