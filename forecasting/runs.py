"""Making forecasts of all published regions and keeping them."""

from __future__ import annotations

import json
from collections.abc import Sequence
from contextlib import closing
from dataclasses import asdict, dataclass
from typing import Any

from psycopg2.extras import execute_values

from forecasting import backtest, series
from forecasting.backtest import Tested
from forecasting.model import CODE_VERSION, Forecast, forecast, library_version
from forecasting.series import NATIONAL, TESTED, YEARLY, Series
from ingestion.database import Connection, connect
from ingestion.schema import check_version
from ingestion.settings import Settings

ROLE = "fund_quality"

# Two at once would make the same forecasts twice; it ends with the transaction.
_LOCK = "SELECT pg_advisory_xact_lock(hashtext('forecast'))"
_STANDS = """
SELECT series_sha256, code_version, library_version FROM forecast.run
WHERE region_code = %s AND series_code = %s ORDER BY run_no DESC LIMIT 1
"""
_RUN = """
INSERT INTO forecast.run (region_code, head_seq, series_code, model, parameters, library_version, code_version,
    series_sha256, first_month, last_month, months_known, note_zh, note_en)
VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s) RETURNING run_no
"""
_POINTS = """
INSERT INTO forecast.point (run_no, region_code, month, horizon, mean, lower_80, upper_80, lower_95, upper_95,
    cumulative_mean, cumulative_sd) VALUES %s
"""
_TESTS = """
INSERT INTO forecast.backtest (run_no, region_code, method, origin, target, horizon, actual, forecast,
    lower_80, upper_80, lower_95, upper_95, scale) VALUES %s
"""


_YEAR_TO_DATE = (
    "年初累计数，只回测由累计数推算全年的方法，不拟合模型：各月之间有缺",
    "sums of the year to date: only ways to bring them to the year are tested, no model is fitted: months are lacking",
)


@dataclass(frozen=True)
class Told:
    """What was done for a region: series forecast anew, and those whose forecast stands since they have not changed."""

    region_code: str
    head_seq: int
    made: int
    stood: int


def run(settings: Settings | None = None, regions: Sequence[str] | None = None) -> list[Told]:
    """Forecast what has changed since its newest forecast, each region in a transaction; national back-tests first.

    A series that is the same needs no new forecast: repeated for the same head it does nothing. `regions`: these alone.
    """
    with closing(connect(settings=settings)) as connection:
        check_version(connection)
    told = []
    with closing(connect(ROLE, settings=settings)) as connection:
        wanted = [(NATIONAL, 0), *series.heads(connection)]
        connection.rollback()
        for region_code, seq in wanted:
            if regions is None or region_code == NATIONAL or region_code in regions:
                with connection:
                    told.append(_of(connection, region_code, seq))
    return told


def _of(connection: Connection, region_code: str, seq: int) -> Told:
    with connection.cursor() as cursor:
        cursor.execute(_LOCK)
    if region_code == NATIONAL:
        found = series.of_nation(connection)
        made = sum(_kept(connection, one, seq, _Modelled(one)) for one in found)
        sums = backtest.year_to_date(connection)
        made += sum(_kept(connection, one, seq, None, tests) for one, tests in sums)
        return Told(region_code, seq, made, len(found) + len(sums) - made)
    found = series.of_region(connection, region_code)
    made = sum(_kept(connection, one, seq, _Modelled(one)) for one in found)
    return Told(region_code, seq, made, len(found) - made)


class _Modelled:
    """The model's forecast and back-test of a series, made when asked for: what stands already costs nothing."""

    def __init__(self, one: Series) -> None:
        self.one = one

    def forecast(self) -> Forecast:
        return forecast(self.one, 3) if self.one.period == YEARLY else forecast(self.one)

    def tests(self) -> list[Tested]:
        return backtest.backtest(self.one) if self.one.period == YEARLY or self.one.code in TESTED else []


def _kept(
    connection: Connection, one: Series, seq: int, modelled: _Modelled | None, tests: Sequence[Tested] = ()
) -> bool:
    """Whether a run was added; not when the newest one of the series was made of the same."""
    version = (one.sha256, CODE_VERSION, library_version())
    with connection.cursor() as cursor:
        cursor.execute(_STANDS, (one.region_code, one.code))
        if cursor.fetchone() == version:
            return False
        said = modelled.forecast() if modelled else None
        tests = modelled.tests() if modelled else tests
        notes = (said.choice.note_zh, said.choice.note_en) if said else _YEAR_TO_DATE
        about: tuple[Any, ...] = (
            said.choice.model if said else "none",
            json.dumps(said.parameters if said else {}, sort_keys=True),
        )
        versions = (version[2], version[1], version[0])
        span = (one.first, one.last, one.known)
        cursor.execute(_RUN, (one.region_code, seq, one.code, *about, *versions, *span, *notes))
        run_no = cursor.fetchone()[0]
        points = [
            (run_no, one.region_code, one.at(len(one.values) - 1 + p.horizon), *asdict(p).values())
            for p in (said.points if said else ())
        ]
        execute_values(cursor, _POINTS, points, page_size=500)
        rows = [_row(run_no, one.region_code, tested) for tested in tests]
        execute_values(cursor, _TESTS, rows, page_size=500)
    return True


def _row(run_no: int, region_code: str, tested: Tested) -> tuple[Any, ...]:
    interval = tested.interval or (None, None, None, None)
    place = (tested.method, tested.origin, tested.target, tested.horizon, tested.actual, tested.forecast)
    return (run_no, region_code, *place, *interval, tested.scale)
