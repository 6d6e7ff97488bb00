"""python -m forecasting: forecast what has changed, show forecasts and outlook, show the back-tests."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from typing import Any

from psycopg2 import OperationalError, errors
from psycopg2.extras import RealDictCursor

from forecasting.runs import ROLE, run
from ingestion.database import Connection, connect
from ingestion.schema import SchemaVersionError, check_version
from ingestion.settings import SettingsError

_TOLD = (SettingsError, SchemaVersionError, OperationalError)
_SHOWN = {
    "series": """
        SELECT region_code, series_code, model, months_known, last_month, note_zh, note_en, head_seq,
            round(avg(mean) FILTER (WHERE horizon <= 12), 2) AS mean_of_next_12_months,
            min(lower_95) FILTER (WHERE horizon = 12) AS lower_95_at_12,
            max(upper_95) FILTER (WHERE horizon = 12) AS upper_95_at_12
        FROM marts.forecast
        WHERE %(region)s IS NULL OR region_code = %(region)s
        GROUP BY region_code, series_code, model, months_known, last_month, note_zh, note_en, head_seq
        ORDER BY region_code, series_code
    """,
    "outlook": """
        SELECT * FROM marts.reserve_outlook_summary
        WHERE %(region)s IS NULL OR region_code = %(region)s ORDER BY region_code, scenario_code
    """,
    "rates": """
        SELECT region_code, review_year, scenario_code, months_present, rate_in_force, income_per_rate_point,
            balancing_rate, months_in_reserve, lowest_rate, highest_rate, proposed_rate, proposed_change, limited_by,
            solved_for
        FROM marts.rate_review
        WHERE %(region)s IS NULL OR region_code = %(region)s ORDER BY region_code, review_year, scenario_code
    """,
}
_BACKTEST = """
    SELECT * FROM marts.forecast_backtest WHERE %(region)s IS NULL OR region_code = %(region)s
    ORDER BY region_code, series_code, mean_absolute_error, method
"""


def main(arguments: list[str] | None = None) -> int:
    """Run one command; 0 on success, 1 when something is wrong. Every line of the output is a JSON object."""
    options = _parser().parse_args(arguments)
    command: Callable[[argparse.Namespace], int] = options.command
    try:
        return command(options)
    except _TOLD as error:
        print(str(error).strip(), file=sys.stderr)
    except (errors.UndefinedTable, errors.InvalidSchemaName):
        print(
            "E-FORECAST-NOT-DEPLOYED: 预测的表尚未建立：先运行 make run，或等待下一次记账 /"
            " the tables of forecasts are not there yet: make run first, or wait for the next build",
            file=sys.stderr,
        )
    return 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m forecasting",
        description="Forecasts with intervals, outlook of the reserve, review of rates. Settings: FUND_* variables.",
    )
    commands = parser.add_subparsers(required=True, metavar="command")
    text = "forecast and back-test every series that has changed since; repeated it does nothing"
    one = commands.add_parser("run", help=text, description=text)
    _add_region(one)
    one.set_defaults(command=_run)
    text = "errors and coverage of the model beside naive methods, of regions and of published national series"
    one = commands.add_parser("backtest", help=text, description=text)
    _add_region(one)
    one.set_defaults(command=_backtest)
    text = "the newest forecasts, the outlook of the reserve under each scenario, and the review of rates"
    one = commands.add_parser("show", help=text, description=text)
    _add_region(one)
    one.add_argument("--what", choices=[*_SHOWN], help="one of them alone; default: all")
    one.set_defaults(command=_show)
    return parser


def _add_region(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--region", metavar="CODE", help="six digits; default: all regions (- are national figures)")


def _run(options: argparse.Namespace) -> int:
    for told in run(regions=None if options.region is None else [options.region]):
        _say({"region_code": told.region_code, "head_seq": told.head_seq, "made": told.made, "stood": told.stood})
    return 0


def _backtest(options: argparse.Namespace) -> int:
    with _published() as connection:
        _say_rows(connection, _BACKTEST, options.region)
    return 0


def _show(options: argparse.Namespace) -> int:
    with _published() as connection:
        for what, query in _SHOWN.items():
            if options.what in (None, what):
                _say_rows(connection, query, options.region, what=what)
    return 0


@contextmanager
def _published() -> Iterator[Connection]:
    """A connection that reads the marts, once the schema is known to be this version's."""
    with closing(connect()) as connection:
        check_version(connection)
    with closing(connect(ROLE)) as connection:
        yield connection


def _say_rows(connection: Connection, query: str, region: str | None, **more: str) -> None:
    with connection.cursor(cursor_factory=RealDictCursor) as cursor:
        cursor.execute(query, {"region": region})
        for row in cursor.fetchall():
            _say({**more, **row})


def _say(what: dict[str, Any]) -> None:
    print(json.dumps(what, ensure_ascii=False, default=str))


if __name__ == "__main__":
    sys.exit(main())
