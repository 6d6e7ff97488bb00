"""The page of maternity statistics: who is insured, who was paid for what, how timely and how complete."""

from __future__ import annotations

from collections.abc import Mapping

from reporting.analysis import reading
from reporting.analysis.figures import percent
from reporting.item_labels import FAMILIES
from reporting.names import BENEFIT_ITEMS, PAYMENT_METHODS, STATUSES
from reporting.site.frame import Frame
from reporting.site.pages import Source

KEY = "statistics"
FILE = "statistics.html"


def build(source: Source, frame: Frame) -> Mapping[str, str]:
    """The page."""
    return {
        FILE: frame.html(
            "statistics.html.j2",
            KEY,
            regions=reading.statistics(source.connection, source.overview.clock.business_date),
            names=source.names,
            ITEMS=BENEFIT_ITEMS,
            METHODS=PAYMENT_METHODS,
            STATUSES=STATUSES,
            FAMILIES=FAMILIES,
            percent=percent,
            share=reading.share,
        )
    }
