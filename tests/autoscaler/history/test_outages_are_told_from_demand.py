"""Zeros and frozen values that the past does not explain are an outage; plain ones are demand.

Each case is one that a person would call the same way by looking at the values before it.
"""

from __future__ import annotations

import numpy as np
import pytest

from autoscaler.history.assembly import series_of
from autoscaler.history.settings import HistorySettings
from gpu_fleet.series import MarkKind, Series
from tests.autoscaler.history.made import demand, marks, sampled

SEEDS = range(20)


def hours(values: np.ndarray[tuple[int], np.dtype[np.float64]] | list[float]) -> Series:
    """A series of hours."""
    return series_of(sampled(values), HistorySettings(step_s=3_600))


def outages(series: Series) -> list[tuple[int, int]]:
    """Where it was found broken."""
    return marks(series, MarkKind.OUTAGE)


@pytest.mark.parametrize("seed", SEEDS)
def test_zeros_in_the_middle_of_steady_demand_are_an_outage(seed: int) -> None:
    """From the first zero on, and stand-ins follow the day before."""
    values = demand(5, seed)
    kept = values.copy()
    values[80:86] = 0.0
    series = hours(values)

    assert outages(series) == [(80, 85)]
    assert not series.measured[80:86].any()
    assert np.abs(series.values[80:86] / kept[80:86] - 1).max() < 0.5


def test_the_step_in_which_it_broke_does_not_hide_the_outage() -> None:
    """A part of a step is no slow decline."""
    values = demand(5, seed=1)
    values[80] *= 0.2
    values[81:90] = 0.0

    assert outages(hours(values)) == [(81, 89)]


@pytest.mark.parametrize("seed", SEEDS)
def test_nights_at_zero_are_demand(seed: int) -> None:
    """Business hours only: zero was plain on the first day, however suddenly it begins."""
    values = demand(20, seed)
    hour = np.arange(len(values)) % 24
    values[(hour < 8) | (hour >= 20)] = 0.0

    assert outages(hours(values)) == []


@pytest.mark.parametrize("seed", SEEDS)
def test_a_pool_that_is_often_empty_is_demand(seed: int) -> None:
    """Few jobs of many GPUs each: it stands still for hours, and empties at once."""
    draws = np.random.default_rng(seed)
    values = np.repeat(draws.choice([0.0, 8.0, 16.0], 60), draws.integers(2, 20, 60))

    assert outages(hours(values)) == []


def test_small_counts_that_reach_zero_are_demand() -> None:
    """A handful of requests an hour is sometimes none."""
    values = np.random.default_rng(5).poisson(4.0, 24 * 30).astype(float)

    assert (values == 0).any()
    assert outages(hours(values)) == []


def test_a_slow_decline_to_zero_is_demand() -> None:
    """A service that is turned off step by step."""
    values = np.concatenate((demand(4, seed=3), np.linspace(60.0, 0.0, 40), np.zeros(30)))
    series = hours(values)

    assert series.values[-30:].tolist() == [0.0] * 30
    assert outages(series) == []


@pytest.mark.parametrize("seed", SEEDS)
def test_a_frozen_value_is_an_outage_once_it_is_implausible(seed: int) -> None:
    """Demand that always moves does not stand still; the first hours of it may yet be chance."""
    values = demand(6, seed)
    values[100:130] = values[99]
    series = hours(values)
    ((first, last),) = outages(series)

    assert first == 99 + 6
    # What lasts for a day is believed from then on.
    assert last == 99 + 23


def test_standing_at_the_most_there_ever_was_is_saturation() -> None:
    """A pool that is full stands still, and that is what a planner must know."""
    values = np.minimum(demand(6, seed=2), 120.0)
    values[100:130] = 120.0

    assert outages(hours(values)) == []


def test_a_count_that_stands_for_days_is_demand() -> None:
    """The number of nodes of a pool hardly ever moves."""
    values = np.repeat([40.0, 42.0, 41.0, 44.0, 40.0], 100)

    assert outages(hours(values)) == []


def test_what_lasts_is_believed() -> None:
    """A service that was switched off for good is at zero after the longest outage."""
    values = np.concatenate((demand(5, seed=4), np.zeros(60)))
    series = hours(values)

    assert outages(series) == [(120, 143)]
    assert series.measured[144:].all()
    assert series.values[144:].tolist() == [0.0] * 36


def test_on_the_first_day_nothing_is_judged() -> None:
    """There is no past yet that could call a zero implausible."""
    values = demand(2, seed=6)
    values[10:14] = 0.0

    assert outages(hours(values)) == []
