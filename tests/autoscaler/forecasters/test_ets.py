"""Exponential smoothing follows the level, learns a trend where there is one, and stays silent."""

from __future__ import annotations

import numpy as np
import pytest

from autoscaler.forecasters.ets import Ets
from autoscaler.forecasters.smoothing import Weights
from gpu_fleet.forecasts import NotForecastable, Target
from tests.autoscaler.contract.demand import demand, series_of

LEVELS = (0.05, 0.5, 0.95)
EVERY = np.ones(400, dtype=np.bool_)


def test_the_recursion_is_the_one_of_the_books() -> None:
    """Level and trend after each step equal the textbook's, once the start is forgotten."""
    values = np.random.default_rng(5).normal(100, 10, 400)
    levels, trends = Weights(0.4, 0.1, 0.9).course(values, EVERY)

    level, trend = values[0], 0.0
    for i in range(1, 400):
        said = level + 0.9 * trend
        level, trend = said + 0.4 * (values[i] - said), 0.9 * trend + 0.1 * (values[i] - said)
    assert levels[-1] == pytest.approx(level)
    assert trends[-1] == pytest.approx(trend)


def test_a_slow_level_begins_as_the_mean_of_what_was_seen() -> None:
    """With a tiny weight the first values count alike, wherever the series begins."""
    values = np.arange(10.0)
    levels, _ = Weights(0.01, 0.0, 0.0).course(values, EVERY[:10])

    assert levels.tolist() == pytest.approx([values[: i + 1].mean() for i in range(10)])


def test_a_stand_in_does_not_move_the_level() -> None:
    """Whatever stands in for what was not measured, the level waits."""
    values = np.full(400, 10.0)
    values[200:300] = 1e6
    measured = EVERY.copy()
    measured[200:300] = False

    assert (Weights(0.5, 0.0, 0.0).course(values, measured)[0] == 10).all()


def test_a_steady_climb_is_carried_on() -> None:
    """On two a step with little noise the forecast of ten steps ahead is twenty higher."""
    noise = np.random.default_rng(1).normal(0, 0.1, 400)
    series = series_of(2 * np.arange(400.0) + noise)
    fitted = Ets().fit(series.upto(350), [Target(10), Target(10, peak=True)], LEVELS)
    answer = fitted.quantiles(series, np.array([380], dtype=np.int64))[0]

    assert answer[:, 1] == pytest.approx([780, 780], abs=1)
    assert (np.ptp(answer, axis=1) < 3).all()


def test_nothing_is_warned_of_or_printed(capfd: pytest.CaptureFixture[str]) -> None:
    """A series that statsmodels complains about is fitted without a word."""
    spiky = np.zeros(200)
    spiky[::50] = 1e9
    Ets().fit(series_of(spiky), [Target(1)], LEVELS)

    assert capfd.readouterr() == ("", "")


def test_a_short_past_is_refused() -> None:
    """Weights from a dozen values would be a guess."""
    with pytest.raises(NotForecastable, match="12 measured values"):
        Ets().fit(demand().upto(12), [Target(1)], LEVELS)
