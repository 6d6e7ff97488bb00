"""Forecasts with intervals of each region's monthly series, back-tested; results are kept in the schema `forecast`.

The library takes seconds to import, so that it is imported when a series is fitted and not before.
"""

from __future__ import annotations

from forecasting.runs import Told, run

__all__ = ["Told", "run"]
