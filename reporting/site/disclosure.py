"""The page of public disclosure: a table a month to print and hang up, and the same as a file beside it."""

from __future__ import annotations

from collections.abc import Iterator

from reporting.analysis import reading
from reporting.site.frame import Frame
from reporting.site.pages import Source

KEY = "disclosure"
FILE = "disclosure.html"


def csv_name(region_code: str) -> str:
    """Name of the file of a region beside the page."""
    return f"disclosure_{region_code}.csv"


def build(source: Source, frame: Frame) -> Iterator[tuple[str, str]]:
    """The files of the regions, then the page."""
    regions = reading.disclosures(source.connection)
    for code in regions:
        yield csv_name(code), reading.disclosure_csv(source.connection, code)
    yield (
        FILE,
        frame.html(
            "disclosure.html.j2",
            KEY,
            regions=regions,
            names=source.names,
            csv_name=csv_name,
        ),
    )
