"""What a page of the site is made of: where it stands, what it reads, and how it is built."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from ingestion.database import Connection
from reporting.names import Name
from reporting.overview import Overview
from reporting.site.frame import Frame, Part


@dataclass(frozen=True)
class Source:
    """What builders read: one read-only state of the database, and what has been read of it already.

    `workbooks` are names of files beside the pages; `failures` say which of them could not be written; `folder` is
    where the pages will lie: a builder of pairs leaves out what already stands there unchanged.
    """

    connection: Connection
    overview: Overview
    workbooks: Collection[str] = ()
    failures: Collection[str] = ()
    folder: Path | None = None

    @property
    def names(self) -> dict[str, Name]:
        """Names of all regions by code."""
        return {v.region_code: Name(v.name_zh, v.name_en or v.region_code) for v in self.overview.verdicts}


def workbook_name(region_code: str) -> str:
    """Name of the file beside the page that holds a region's workbook."""
    return f"merged_fund_{region_code}.xlsx"


# HTML by file name, all in the folder of reports; as pairs, one made after the other, where there are many.
Builder = Callable[[Source, Frame], Mapping[str, str] | Iterator[tuple[str, str]]]


@dataclass(frozen=True)
class Page:
    """An entry of the site: key, file that the navigation leads to, title, what makes its files, and its part."""

    key: str
    file: str
    title: Name
    build: Builder
    part: Part = "books"

    def files(self, source: Source, frame: Frame) -> Iterator[tuple[str, str]]:
        """Name and HTML of each of its files, made one after the other."""
        built = self.build(source, frame)
        yield from built.items() if isinstance(built, Mapping) else built
