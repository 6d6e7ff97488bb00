"""The one model: exponential smoothing in its linear state-space form, with additive errors and a damped trend.

It takes series as they are: red months are negative, so that there is no logarithm; gaps are skipped by the filter;
sums of its forecasts are forecasts of the sums, which the path of a balance is made of. What a short series can't tell
is left out, and said: `choose` is the whole rule.

What is fitted is scaled to its mean absolute value, for the optimizer's sake; figures are rounded to a cent at the end.
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass, field
from decimal import ROUND_HALF_UP, Decimal
from importlib.metadata import version
from statistics import NormalDist
from typing import TYPE_CHECKING, Any

from forecasting.series import COUNTS, MONTHLY, Series

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Bools = NDArray[np.bool_]

# A change of what follows makes other figures of the same series: raise it, and every series is forecast anew.
CODE_VERSION = 1
HORIZON = 36
# Fewer months than these tell nothing of how much they vary; of years, which are sums of months, four are enough.
MONTHS_MIN, YEARS_MIN = 6, 4
# A season and a trend are told apart only by two full years.
SEASONS_MIN = 2
YEARS_OF_TREND = 6

_CENT = Decimal("0.01")
_Z = {80: NormalDist().inv_cdf(0.9), 95: NormalDist().inv_cdf(0.975)}


@dataclass(frozen=True)
class Choice:
    """Which terms a series is given: `none` has no forecast, `constant` no variance."""

    model: str
    note_zh: str
    note_en: str
    seasonal: bool = False
    trend: bool = False


@dataclass(frozen=True)
class Point:
    """A period ahead: mean, intervals, and the sum from the first period ahead with its standard deviation."""

    horizon: int
    mean: Decimal
    lower_80: Decimal
    upper_80: Decimal
    lower_95: Decimal
    upper_95: Decimal
    cumulative_mean: Decimal
    cumulative_sd: Decimal


@dataclass(frozen=True)
class Forecast:
    """What was chosen and fitted, and the periods ahead; none of them when the series is too short."""

    choice: Choice
    parameters: dict[str, float] = field(default_factory=dict)
    points: tuple[Point, ...] = ()


def library_version() -> str:
    """Name and version of the library, without importing it."""
    return f"statsmodels {version('statsmodels')}"


def choose(series: Series) -> Choice:
    """The terms that a series of this length can bear."""
    known, monthly = series.known, series.period == MONTHLY
    zh, en = ("个月", "months") if monthly else ("年", "years")
    least = MONTHS_MIN if monthly else YEARS_MIN
    if known < least:
        return Choice(
            "none", f"只有 {known} {zh}，少于 {least}，不作预测", f"{known} {en}, fewer than {least}: no forecast"
        )
    if len({value for value in series.values if value is not None}) == 1:
        return Choice("constant", f"{known} {zh}数值不变，沿用该值", f"{known} {en} of the same value: it goes on")
    if not monthly:
        if known < YEARS_OF_TREND:
            return Choice("level", f"{known} 年，只有水平", f"{known} years: a level alone")
        return Choice(
            "damped_trend", f"{known} 年，水平与阻尼趋势", f"{known} years: a level and a damped trend", trend=True
        )
    if known < SEASONS_MIN * MONTHLY:
        return Choice(
            "level",
            f"{known} 个月，不足 24 个月：只有水平，无季节和趋势",
            f"{known} months, fewer than 24: a level, without season and trend",
        )
    return Choice(
        "damped_trend_season",
        f"{known} 个月：水平、阻尼趋势和 12 个月季节",
        f"{known} months: a level, a damped trend and a season of 12 months",
        seasonal=True,
        trend=True,
    )


def forecast(series: Series, horizon: int = HORIZON) -> Forecast:
    """Fit and forecast `horizon` periods; the same series gives the same figures."""
    choice = choose(series)
    if choice.model == "none":
        return Forecast(choice)
    if choice.model == "constant":
        value = float(next(value for value in series.values if value is not None))
        return Forecast(choice, {}, _points(series.code, [value] * horizon, [0.0] * horizon, [0.0] * horizon))
    return _fitted(series, choice, horizon)


def _fitted(series: Series, choice: Choice, horizon: int) -> Forecast:
    import numpy as np  # noqa: PLC0415 - see the package
    from statsmodels.tsa.statespace.exponential_smoothing import ExponentialSmoothing  # noqa: PLC0415

    values = np.array([np.nan if value is None else float(value) for value in series.values])
    scale = float(np.nanmean(np.abs(values)))
    initial = _initial(values / scale, series.period, choice)
    model = ExponentialSmoothing(
        values / scale,
        trend=choice.trend,
        damped_trend=choice.trend,
        seasonal=series.period if choice.seasonal else None,
        initialization_method="known",
        **initial,
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of an optimum on a bound: what it comes to is in the parameters
        fitted = model.fit(disp=False, maxiter=200)
    mean = np.asarray(fitted.get_forecast(horizon).predicted_mean) * scale
    # Of the periods known, those spent on what was estimated say nothing of the variance.
    spent = len(fitted.params) + sum(np.size(one) for one in initial.values())
    widen = series.known / max(series.known - spent, 1)
    covariance = _covariance(fitted, np.isfinite(values), horizon) * scale * scale * widen
    sums = [float(np.sqrt(covariance[: n + 1, : n + 1].sum())) for n in range(horizon)]
    parameters = {name: round(float(one), 6) for name, one in zip(fitted.param_names, fitted.params, strict=True)}
    parameters["sigma"] = round(float(np.sqrt(covariance[0, 0])), 6)
    return Forecast(
        choice, parameters, _points(series.code, mean.tolist(), np.sqrt(np.diag(covariance)).tolist(), sums)
    )


def _initial(values: Floats, period: int, choice: Choice) -> dict[str, Any]:
    """States before the first period, from the first years: estimated they would take more months than there are."""
    import numpy as np  # noqa: PLC0415

    # Years in a row grow: the first is the level to begin with. Months vary about one, and their mean is nearer to it.
    year = 1 if period == 1 and not choice.trend else min(len(values), MONTHLY)
    initial: dict[str, Any] = {"initial_level": float(np.nanmean(values[:year]))}
    if choice.trend:
        later = values[year : 2 * year]
        grown = (np.nanmean(later) - np.nanmean(values[:year])) / year if np.isfinite(later).any() else 0.0
        if not choice.seasonal:
            known = np.flatnonzero(np.isfinite(values[:year]))
            grown = (values[known[-1]] - values[known[0]]) / max(known[-1] - known[0], 1)
        initial["initial_trend"] = float(grown)
        # The level stands before the first period, in the middle of which year it was averaged.
        initial["initial_level"] -= float(grown) * (year + 1) / 2
    if choice.seasonal:
        years = values[: len(values) // period * period].reshape(-1, period)
        around = years - np.nanmean(years, axis=1, keepdims=True)
        known_months = np.isfinite(around).any(axis=0)
        season = np.zeros(period)
        season[known_months] = np.nanmean(around[:, known_months], axis=0)
        season -= season.mean()
        if choice.trend:
            season -= initial["initial_trend"] * (np.arange(period) - (period - 1) / 2)
        initial["initial_seasonal"] = season[::-1]  # newest first, as the state has them
    return initial


def _covariance(fitted: Any, known: Bools, horizon: int) -> Floats:  # noqa: ANN401 - the library is not typed
    """Covariance of the forecasts of all periods ahead, scaled: what the variance of their sums is made of."""
    import numpy as np  # noqa: PLC0415

    found = fitted.filter_results
    design, transition = found.design[:, :, -1], found.transition[:, :, -1]
    shock = found.selection[:, :, -1] @ found.state_cov[:, :, -1] @ found.selection[:, :, -1].T
    state = found.predicted_state_cov[:, :, -1] + _of_initial(fitted, known)
    covariance = np.zeros((horizon, horizon))
    for ahead in range(horizon):
        reach = state
        for later in range(ahead, horizon):
            covariance[ahead, later] = covariance[later, ahead] = (design @ reach @ design.T).item()
            reach = transition @ reach
        state = transition @ state @ transition.T + shock
    return covariance


def _of_initial(fitted: Any, known: Bools) -> Floats:  # noqa: ANN401
    """What not knowing the states before the first period leaves of uncertainty after the last.

    The library takes them as known. Errors of theirs pass from period to period by M = T (I - R Z), by T over a gap;
    what the series tells of them is the sum of squares of Z M, as in least squares. Without it the level of ten months
    would be taken for certain, and a sum over three years of it too.
    """
    import numpy as np  # noqa: PLC0415

    found = fitted.filter_results
    design, transition, selection = found.design[:, :, -1], found.transition[:, :, -1], found.selection[:, :, -1]
    size = len(transition)
    seen = transition @ (np.eye(size) - selection @ design)
    passed = np.eye(size)[:, 1:]  # the first state is the error of the period itself
    told = np.zeros((size - 1, size - 1))
    for is_known in known:
        if is_known:
            told += (design @ passed).T @ (design @ passed)
        passed = (seen if is_known else transition) @ passed
    left: Floats = passed @ np.linalg.pinv(told, rcond=1e-9, hermitian=True) @ passed.T * found.state_cov[0, 0, -1]
    return left


def _points(code: str, means: Sequence[float], deviations: Sequence[float], sums: Sequence[float]) -> tuple[Point, ...]:
    points, total = [], Decimal(0)
    for place, (mean, deviation, of_sum) in enumerate(zip(means, deviations, sums, strict=True)):
        middle = _cents(mean, code)
        total += middle
        ends = {
            share: (_cents(mean - z * deviation, code), _cents(mean + z * deviation, code)) for share, z in _Z.items()
        }
        points.append(Point(place + 1, middle, *ends[80], *ends[95], total, abs(_cents(of_sum))))
    return tuple(points)


def _cents(value: float, code: str = "") -> Decimal:
    rounded = Decimal(repr(value)).quantize(_CENT, ROUND_HALF_UP)
    return max(rounded, Decimal("0.00")) if code in COUNTS else rounded + 0
