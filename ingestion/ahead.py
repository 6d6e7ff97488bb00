"""Working ahead: the next items are made while the caller is busy with the last one."""

from __future__ import annotations

from collections import deque
from collections.abc import Generator, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

_T = TypeVar("_T")
_END = object()
_AHEAD = 2  # one to be taken up at once, one being made


def ahead(items: Iterator[_T]) -> Generator[_T, None, None]:
    """The same items in the same order, made by another thread while those before them are being used.

    What goes wrong while an item is made is raised when its turn comes.
    """
    with ThreadPoolExecutor(1, thread_name_prefix="ahead") as thread:
        coming = deque(thread.submit(next, items, _END) for _ in range(_AHEAD))
        while (item := coming.popleft().result()) is not _END:
            coming.append(thread.submit(next, items, _END))
            yield item  # type: ignore[misc]
