"""Patterns of days and weeks are found, carried on in local phase, and judged on unseen steps."""

from __future__ import annotations

import numpy as np
import pytest

from autoscaler.forecasters.mstl import Mstl
from autoscaler.forecasters.outcomes import outcomes
from gpu_fleet.forecasts import NotForecastable, Target
from tests.autoscaler.contract.demand import DAY, demand, series_of

LEVELS = (0.05, 0.5, 0.95)


def test_a_clean_pattern_is_carried_on_for_days() -> None:
    """Smooth days on a level are forecast a day and a half ahead to a few percent, peaks too."""
    hours = np.arange(20 * DAY)
    series = series_of(100 + 40 * np.sin(hours * 2 * np.pi / DAY))
    targets = [Target(36), Target(36, peak=True), Target(5, peak=True)]
    fitted = Mstl().fit(series.upto(15 * DAY), targets, (0.5,))
    origins = np.arange(15 * DAY, 18 * DAY, dtype=np.int64)
    answer = fitted.quantiles(series, origins)[:, :, 0]

    for j, target in enumerate(targets):
        assert answer[:, j] == pytest.approx(outcomes(series, target)[origins], rel=0.05)


def test_weekends_are_known_after_three_weeks() -> None:
    """With weeks to learn from, a Saturday is not forecast to be a Friday."""
    series = demand(days=35)
    friday_noon = np.array([28 * DAY + 4 * DAY + 12], dtype=np.int64)
    answer = Mstl().fit(series.upto(28 * DAY), [Target(DAY)], LEVELS).quantiles(series, friday_noon)
    saturday, friday = series.values[friday_noon[0] + DAY], series.values[friday_noon[0]]

    assert abs(answer[0, 0, 1] - saturday) < 0.5 * abs(friday - saturday)


def test_bounds_rest_on_steps_that_the_pattern_had_not_seen() -> None:
    """On pure noise, where any pattern is an accident, nine in ten still fall between bounds."""
    series = series_of(np.random.default_rng(8).normal(50, 9, 40 * DAY))
    target = Target(3)
    fitted = Mstl().fit(series.upto(20 * DAY), [target], LEVELS)
    origins = np.arange(20 * DAY, 39 * DAY, dtype=np.int64)
    low, _, high = fitted.quantiles(series, origins)[:, 0].T
    came = outcomes(series, target)[origins]

    assert 0.92 <= np.mean(came <= high) <= 0.98
    assert 0.92 <= np.mean(came >= low) <= 0.98


def test_the_phase_is_that_of_the_clock() -> None:
    """A series cut to its last days, at any hour, meets the pattern at the same hour."""
    series = demand(days=35)
    fitted = Mstl().fit(series.upto(28 * DAY), [Target(6)], (0.5,))
    whole = fitted.quantiles(series, np.array([len(series) - 1], dtype=np.int64))
    cut = series.last(20 * DAY + 7)

    assert fitted.quantiles(cut, np.array([len(cut) - 1], dtype=np.int64)) == pytest.approx(
        whole, rel=0.02
    )


def test_less_than_three_days_are_refused() -> None:
    """A day must be seen twice, and be wrong about a third."""
    with pytest.raises(NotForecastable, match="3 days of 24"):
        Mstl().fit(demand().upto(3 * DAY - 1), [Target(1)], LEVELS)


def test_a_long_step_is_refused() -> None:
    """Twelve hours show nothing of a day."""
    with pytest.raises(NotForecastable, match="shorter step"):
        Mstl().fit(demand(step_s=43_200), [Target(1)], LEVELS)
