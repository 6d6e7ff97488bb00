"""A full disk, told once and plainly: what is full, what has become of the data, what to do.

A server that can't write its write-ahead log gives up and can't say why to its clients: that is told as far as known.
"""

from __future__ import annotations

import errno
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from psycopg2 import OperationalError
from psycopg2.errors import DiskFull

_FULL = (errno.ENOSPC, errno.EDQUOT)
_BROKE_OFF = ("server closed the connection unexpectedly", "recovery mode", "not yet accepting connections")
_REST = (
    "已提交的数据完好，未完成的文件没有写入任何一行；处理后再运行一次，即从中断处继续"
    " / what was committed is safe, the file that was not finished has left no row; set it right and run again, it goes"
    " on by itself"
)


def explanation(error: BaseException) -> str | None:
    """What to tell of an error that comes from a full disk, here or on the database's server; None for any other."""
    seen: BaseException | None = error
    while seen is not None:
        if (what := _what_happened(seen)) is not None:
            return f"{what}。{_REST}"
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


def _what_happened(error: BaseException) -> str | None:
    if isinstance(error, OSError) and error.errno in _FULL:
        return f"磁盘已满，请腾出空间 / the disk is full, free some space: {error.filename or ''} ({error.strerror})"
    if not isinstance(error, OperationalError):
        return None
    text = " ".join(str(error).split())
    if isinstance(error, DiskFull) or "No space left on device" in text:
        return f"数据库服务器磁盘已满，请腾出空间 / the disk of the database's server is full, free some space: {text}"
    if any(sign in text for sign in _BROKE_OFF):
        return (
            "数据库服务器中断了连接，可能磁盘已满或正在重启，请查看其磁盘空间与日志"
            " / the database's server broke off: its disk may be full, or it restarts; look at its disk and its log:"
            f" {text}"
        )
    return None
