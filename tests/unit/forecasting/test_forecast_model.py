"""The model: which terms a series is given, figures of known series, gaps and zeros, the same figures every time."""

from __future__ import annotations

import subprocess
import sys
from datetime import date
from decimal import Decimal
from math import pi, sin

import pytest

from forecasting.backtest import backtest
from forecasting.model import Forecast, Point, choose, forecast
from forecasting.series import MONTHLY, YEARLY, Series

CENT = Decimal("0.01")
# Around 100, the same every time: what a generator of random numbers would give, without depending on one.
NOISE = (3, -5, 1, 4, -2, -6, 5, 0, 2, -3, 6, -4, -1, 2, 5, -5, 0, 3, -2, 1, -4, 4, -3, 2, 1, -1, 6, -6, 3, -3)


def series(values: list[float | None], code: str = "pooled_income", period: int = MONTHLY) -> Series:
    shown = tuple(None if value is None else Decimal(str(value)).quantize(CENT) for value in values)
    return Series("320100", code, date(2020, 1, 1), shown, period)


def seasonal(years: int) -> list[float]:
    return [1000 + 2 * n + 200 * sin(2 * pi * n / 12) + NOISE[n % 30] for n in range(12 * years)]


@pytest.mark.parametrize(
    ("months", "model"),
    [(0, "none"), (5, "none"), (6, "level"), (10, "level"), (23, "level"), (24, "damped_trend_season")],
)
def test_terms_go_by_the_months_known(months: int, model: str) -> None:
    choice = choose(series([100.0 + NOISE[n] for n in range(months)]))
    assert (choice.model, choice.seasonal, choice.trend) == (model, months == 24, months == 24)
    assert str(months) in choice.note_zh
    assert str(months) in choice.note_en


def test_years_have_no_season_and_a_trend_from_six_on() -> None:
    models = [choose(series([100.0 + n for n in range(years)], period=YEARLY)).model for years in (3, 4, 5, 6)]
    assert models == ["none", "level", "level", "damped_trend"]


def test_too_short_a_series_has_no_points_and_says_so() -> None:
    said = forecast(series([1.0, 2.0, 3.0]))
    assert said.points == ()
    assert said.choice.note_en == "3 months, fewer than 6: no forecast"


def test_gaps_do_not_count_as_months() -> None:
    assert choose(series([1.0, None, 2.0, None, 3.0, None, 4.0, None, 5.0])).model == "none"


def test_ten_months_go_on_at_their_mean_with_what_they_vary_by() -> None:
    """The mean of n months is as uncertain as a month over the square root of n: a year's sum shows it."""
    values = [100.0 + NOISE[n] for n in range(10)]
    said = forecast(series(values), 12)
    mean = sum(values) / 10
    sigma = (sum((value - mean) ** 2 for value in values) / 8) ** 0.5  # ten less level and smoothing
    first, last = said.points[0], said.points[-1]
    assert float(first.mean) == pytest.approx(mean, abs=0.05)
    assert float(first.upper_95 - first.mean) == pytest.approx(1.959964 * sigma * (1 + 1 / 10) ** 0.5, rel=0.02)
    assert float(first.upper_80 - first.mean) == pytest.approx(1.281552 * sigma * (1 + 1 / 10) ** 0.5, rel=0.02)
    assert float(last.cumulative_sd) == pytest.approx(sigma * (12 + 12**2 / 10) ** 0.5, rel=0.02)


def test_season_and_trend_go_on() -> None:
    """Five years of a wave with a slope: the sixth is within a tenth of the wave's height."""
    points = forecast(series(seasonal(5))).points
    for n, point in enumerate(points[:12]):
        wanted = 1000 + 2 * (60 + n) + 200 * sin(2 * pi * (60 + n) / 12)
        assert float(point.mean) == pytest.approx(wanted, abs=20)
    assert [p.horizon for p in points] == list(range(1, 37))


def test_intervals_are_nested_and_widen_and_sums_are_sums() -> None:
    points = forecast(series(seasonal(4))).points
    for point in points:
        assert point.lower_95 < point.lower_80 < point.mean < point.upper_80 < point.upper_95
    assert points[35].upper_95 - points[35].lower_95 > points[0].upper_95 - points[0].lower_95
    assert points[35].cumulative_mean == sum((point.mean for point in points), Decimal(0))
    assert points[35].cumulative_sd > points[0].cumulative_sd > 0


def test_the_variance_of_a_month_is_the_library_s_own() -> None:
    """Ours has besides what not knowing the first states adds: after a long series next to nothing."""
    from statsmodels.tsa.statespace.exponential_smoothing import ExponentialSmoothing

    values = [100.0 + sum(NOISE[: n % 30]) for n in range(200)]
    model = ExponentialSmoothing(values, initialization_method="known", initial_level=100.0)
    fitted = model.fit(disp=False)
    from forecasting.model import _covariance

    ours = _covariance(fitted, model.endog[:, 0] == model.endog[:, 0], 6)
    assert list(ours.diagonal()) == pytest.approx(list(fitted.get_forecast(6).var_pred_mean), rel=0.01)


@pytest.mark.parametrize(
    "values",
    [
        [0.0] * 15,
        [0.0] * 40,
        [100.0 + n if n not in (0, 7, 8, 31) else None for n in range(40)],
        [NOISE[n % 30] * 1e6 for n in range(40)],
        [0.0] * 20 + [5.0] + [0.0] * 19,
        [1e12 + NOISE[n % 30] for n in range(30)],
    ],
    ids=["zero", "long-zero", "gaps", "negative", "one-month", "large"],
)
def test_whatever_comes_has_figures(values: list[float | None]) -> None:
    points = forecast(series(values)).points
    assert len(points) == 36
    assert all(point.lower_95 <= point.mean <= point.upper_95 for point in points)
    assert all(figure.is_finite() for point in points for figure in (point.mean, point.upper_95, point.cumulative_sd))


def test_what_never_changes_goes_on_without_an_interval() -> None:
    said = forecast(series([7.5] * 9))
    assert said.choice.model == "constant"
    assert {(p.lower_95, p.mean, p.upper_95, p.cumulative_sd) for p in said.points} == {
        (Decimal("7.50"), Decimal("7.50"), Decimal("7.50"), Decimal("0.00"))
    }


def test_red_months_stay_red_and_counts_stay_above_zero() -> None:
    low = [float(NOISE[n] - 4) for n in range(12)]
    assert forecast(series(low, "pooled_net")).points[0].lower_95 < 0
    assert min(point.lower_95 for point in forecast(series(low, "deliveries")).points) == 0


def test_the_same_series_gives_the_same_figures_in_another_process() -> None:
    code = (
        "from tests.unit.forecasting.test_forecast_model import seasonal, series\n"
        "from forecasting.model import forecast\nprint(forecast(series(seasonal(3))))"
    )
    told = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, env={"OMP_NUM_THREADS": "1"}
    ).stdout
    here = forecast(series(seasonal(3)))
    assert isinstance(here, Forecast)
    assert told == f"{here}\n"


def test_reading_the_package_imports_no_library() -> None:
    code = "import sys, forecasting; sys.exit(any(name in sys.modules for name in ('statsmodels', 'numpy', 'scipy')))"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_the_hash_is_of_months_and_values() -> None:
    one = series([1.0, None, 2.0])
    assert one.sha256 == series([1.0, None, 2.0]).sha256
    others = series([1.0, 0.0, 2.0]), series([1.0, None, 2.01]), series([None, 1.0, None, 2.0])
    assert one.sha256 not in {other.sha256 for other in others}


def test_back_tests_know_nothing_of_what_comes_after_the_origin() -> None:
    values = [100.0 + NOISE[n] for n in range(14)]
    tests = backtest(series(values))
    changed = backtest(series([*values[:-1], 9999.0]))
    before = {(t.method, t.origin, t.target): t.forecast for t in tests}
    assert {(t.method, t.origin, t.target): t.forecast for t in changed} == before
    assert {t.actual for t in changed if t.target == date(2021, 2, 1)} == {Decimal("9999.00")}


def test_back_tests_compare_with_the_last_value_and_the_year_before() -> None:
    tests = backtest(series([float(n) for n in range(1, 15)]))
    assert min(t.origin for t in tests) == date(2020, 6, 1), "six months are known"
    last = [t for t in tests if t.origin == date(2021, 1, 1)]
    said = {t.method: (t.forecast, t.actual, t.scale) for t in last if t.method != "model"}
    assert said["naive"] == (Decimal("13.00"), Decimal("14.00"), Decimal("12.000000"))
    assert said["seasonal_naive"] == (Decimal("2.00"), Decimal("14.00"), Decimal("12.000000"))


def test_a_gap_is_no_target() -> None:
    tests = backtest(series([100.0, 102.0, 99.0, 101.0, 98.0, 103.0, None, 100.0]))
    assert {t.target for t in tests} == {date(2020, 8, 1)}


def test_a_point_has_its_parts_in_the_order_of_the_table() -> None:
    names = "horizon mean lower_80 upper_80 lower_95 upper_95 cumulative_mean cumulative_sd"
    assert " ".join(Point.__dataclass_fields__) == names
