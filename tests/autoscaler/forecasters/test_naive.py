"""The naive forecasters say what their names promise, with the width of their own past errors."""

from __future__ import annotations

import numpy as np
import pytest

from autoscaler.forecasters.last_value import LastValue
from autoscaler.forecasters.outcomes import outcomes
from autoscaler.forecasters.registry import NAIVE, forecaster
from autoscaler.forecasters.residual_quantiles import TrailingWindow
from autoscaler.forecasters.seasonal_naive import SeasonalNaive
from gpu_fleet.errors import InputError
from gpu_fleet.forecasts import NotForecastable, Target
from tests.autoscaler.contract.demand import demand, series_of

LEVELS = (0.05, 0.5, 0.95)


def at(*origins: int) -> np.ndarray:
    """Origins as a forecaster takes them."""
    return np.array(origins, dtype=np.int64)


def test_the_median_error_moves_the_last_value() -> None:
    """On a steady climb of one a step, the last value learns to add the steps ahead."""
    series = series_of(np.arange(200.0))
    fitted = LastValue().fit(series, [Target(1), Target(5), Target(5, peak=True)], LEVELS)

    assert fitted.quantiles(series, at(150))[0].tolist() == [[151] * 3, [155] * 3, [155] * 3]


def test_a_perfect_season_is_repeated_without_width() -> None:
    """Days that repeat to the last digit are forecast exactly, peaks and two days ahead too."""
    day = np.array([0.0, 1, 5, 9, 4, 2] * 4)
    series = series_of(np.tile(day, 6))
    targets = [Target(3), Target(30), Target(3, peak=True), Target(30, peak=True)]
    fitted = SeasonalNaive().fit(series.upto(96), targets, LEVELS)
    answer = fitted.quantiles(series, np.arange(96, 110, dtype=np.int64))

    for j, target in enumerate(targets):
        expected = outcomes(series, target)[96:110]
        assert np.array_equal(answer[:, j], np.repeat(expected[:, np.newaxis], 3, axis=1))


def test_bounds_hold_as_often_as_they_say() -> None:
    """On noise that does not change, nine in ten outcomes fall between the 5 and 95 % bounds."""
    series = series_of(np.random.default_rng(11).normal(50, 9, 6_000), step_s=600)
    for name in NAIVE:
        target = Target(3)
        fitted = forecaster(name).fit(series.upto(4_000), [target], LEVELS)
        origins = np.arange(4_000, 5_990, dtype=np.int64)
        low, _, high = fitted.quantiles(series, origins)[:, 0].T
        came = outcomes(series, target)[origins]

        assert 0.92 <= np.mean(came <= high) <= 0.98
        assert 0.92 <= np.mean(came >= low) <= 0.98


def test_an_error_that_is_not_known_yet_does_not_count() -> None:
    """An error enters when its outcome is known, `ahead` steps after it was made."""
    values = np.zeros(200)
    values[100] = 50.0
    series = series_of(values)
    fitted = LastValue(window=TrailingWindow(least_steps=20)).fit(series, [Target(4)], (0.5, 0.99))

    assert fitted.quantiles(series, at(99))[0, 0, 1] == 0
    assert fitted.quantiles(series, at(101))[0, 0, 1] == 50


def test_errors_older_than_the_window_are_forgotten() -> None:
    """A spike stops widening the bounds after as many errors as the window holds."""
    values = np.zeros(400)
    values[100] = 50.0
    series = series_of(values)
    window = TrailingWindow(days=1, least_steps=20)
    fitted = LastValue(window=window).fit(series, [Target(1)], (0.5, 0.99))
    answer = fitted.quantiles(series, np.arange(102, 200, dtype=np.int64))

    assert np.flatnonzero(answer[:, 0, 1] > 0).max() == 100 + 24 - 1 - 102


def test_a_target_without_known_errors_is_not_a_number() -> None:
    """A day of history says something of the next hour and nothing yet of the next day."""
    series = series_of(np.arange(30.0) % 7)
    answer = LastValue().fit(series, [Target(1), Target(24)], LEVELS).quantiles(series, at(29))

    assert np.isfinite(answer[0, 0]).all()
    assert np.isnan(answer[0, 1]).all()


@pytest.mark.parametrize(("name", "days"), [("seasonal-naive", 2), ("seasonal-naive-week", 14)])
def test_less_than_two_seasons_are_refused(name: str, days: int) -> None:
    """One season shows nothing of how wrong repeating it is."""
    series = demand(days=days + 1)
    with pytest.raises(NotForecastable, match="two seasons"):
        forecaster(name).fit(series.upto(days * 24 - 1), [Target(1)], LEVELS)

    assert forecaster(name).fit(series, [Target(1)], LEVELS).state()["levels"] == list(LEVELS)


def test_a_step_of_a_day_has_no_hours_to_repeat() -> None:
    """A season must hold more than one step."""
    series = demand(days=40, step_s=86_400)
    with pytest.raises(NotForecastable, match="shorter step"):
        forecaster("seasonal-naive").fit(series, [Target(1)], LEVELS)

    weekly = forecaster("seasonal-naive-week").fit(series, [Target(1)], LEVELS)
    assert np.isfinite(weekly.quantiles(series, at(39))).all()


def test_an_unknown_name_is_told_the_known_ones() -> None:
    """The command line's mistake is one line that lists what there is."""
    with pytest.raises(InputError, match=r"'prophet'; give one of last-value, seasonal-naive"):
        forecaster("prophet")
