"""Working ahead: the next item is made while the caller is busy with the last one."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

_T = TypeVar("_T")
_END = object()


def ahead(items: Iterator[_T]) -> Generator[_T, None, None]:
    """The same items in the same order, each made by another thread while the one before it is being used.

    What goes wrong while an item is made is raised when its turn comes.
    """
    with ThreadPoolExecutor(1, thread_name_prefix="ahead") as thread:
        coming = thread.submit(next, items, _END)
        while (item := coming.result()) is not _END:
            coming = thread.submit(next, items, _END)
            yield item  # type: ignore[misc]
