"""The tables of docs/forecasting.md that are figures: made from the database, and compared with what the document says.

`python -m tests.integration.forecast_document` prints them, with the FUND_* variables of a warehouse set.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

from ingestion.database import Connection, connect

DOCUMENT = Path(__file__).parents[2] / "docs" / "forecasting.md"
_BACKTEST = """
SELECT series_code, method, forecasts, mean_absolute_error, mean_absolute_percentage_error, mean_absolute_scaled_error,
    coverage_80, coverage_95, is_best
FROM marts.forecast_backtest WHERE region_code = '-' ORDER BY series_code, mean_absolute_error, method
"""
_REPRODUCED = """
SELECT indicator_code, subject_code, year, published_value, decimals, computed_value, reason_zh, reason_en
FROM marts.indicator_reproduction WHERE NOT is_reproduced ORDER BY indicator_code, subject_code, year
"""
_COUNTED = "SELECT count(*), count(*) FILTER (WHERE is_reproduced) FROM marts.indicator_reproduction"


def tables(connection: Connection) -> list[str]:
    """The back-tests on national series, how many published figures are reproduced, and those that are not."""
    with connection.cursor() as cursor:
        cursor.execute(_BACKTEST)
        tested = [_tested(row) for row in cursor.fetchall()]
        cursor.execute(_COUNTED)
        every, reproduced = cursor.fetchone()
        cursor.execute(_REPRODUCED)
        others = [_other(row) for row in cursor.fetchall()]
    return [
        "\n".join(tested),
        f"公布值 {every} 个，一致 {reproduced} 个 / {every} published figures, {reproduced} reproduced",
        "\n".join(others),
    ]


def _tested(row: Sequence[Any]) -> str:
    series, method, forecasts, absolute, percent, scaled, of_80, of_95, best = row
    shares = " | ".join("–" if share is None else f"{100 * share:.0f} %" for share in (of_80, of_95))
    return (
        f"| `{series}` | `{method}` | {forecasts} | {absolute:,.2f} | {percent:.2f} % | {scaled:.3f} | {shares} |"
        f" {'✓' if best else ''} |"
    )


def _other(row: Sequence[Any]) -> str:
    indicator, subject, year, published, decimals, computed, zh, en = row
    value = "–" if computed is None else f"{computed:.{decimals + 2}f}"
    return f"| `{indicator}` | `{subject}` | {year} | {published:.{decimals}f} | {value} | {zh} / {en} |"


if __name__ == "__main__":
    with closing(connect("auditor")) as session:
        print("\n\n".join(tables(session)))
