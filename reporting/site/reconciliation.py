"""The reconciliation pages: all regions at a glance, and a page for each with its differences down to single items."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from reporting import books, quality
from reporting.names import Name
from reporting.reconciliation import control_totals
from reporting.reconciliation.reading import ITEMS_OF_FIGURE, MONTHS, newest_months
from reporting.reconciliation.views import ITEMS_WITH_AGE, LIGHTS_OF_MONTH, RegionView, region_view
from reporting.site.frame import Frame
from reporting.site.kept import code_digest
from reporting.site.pages import Source
from reporting.site.warnings import warnings_of
from reporting.tie_out.reading import KINDS, MATCHED_BY, OUTCOMES, STATUSES

KEY = "reconciliation"
FILE = "reconciliation.html"


def file_name(region_code: str) -> str:
    """Name of a region's page."""
    return f"reconciliation_{region_code}.html"


def build(source: Source, frame: Frame) -> Iterator[tuple[str, str]]:
    """The page of every region with published books, then the one over all of them."""
    html = partial(
        frame.html,
        KINDS=KINDS,
        OUTCOMES=OUTCOMES,
        STATUSES=STATUSES,
        MATCHED_BY=MATCHED_BY,
        MONTHS=MONTHS,
        LIGHTS_OF_MONTH=LIGHTS_OF_MONTH,
        ITEMS_OF_FIGURE=ITEMS_OF_FIGURE,
        ITEMS_WITH_AGE=ITEMS_WITH_AGE,
        file_name=file_name,
    )
    views, warnings = [], warnings_of(source.overview)
    for view in _views(source, frame):
        views.append(view)
        named = Name(f"{view.name.zh}对账", f"{view.name.en}: reconciliation")
        warning = warnings.get(view.region_code)
        yield (
            file_name(view.region_code),
            html("reconciliation_region.html.j2", KEY, name=named, view=view, warning=warning),
        )
    totals = control_totals.newest(source.connection)
    yield FILE, html("reconciliation_index.html.j2", KEY, views=views, totals=totals, warnings=warnings)


def _views(source: Source, frame: Frame) -> Iterator[RegionView]:
    if not quality.exists(source.connection, "marts.published_head"):
        return
    code = code_digest(source.connection)
    for region in books.regions(source.connection):
        if region.head is not None:
            months = newest_months(source.connection, region.region_code, source.folder, code)
            name = Name(region.name_zh, region.name_en)
            yield region_view(region.region_code, name, months, frame.clock.business_date)
