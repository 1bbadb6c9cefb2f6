"""A quantile's interval assumes no distribution and never claims what the sample cannot hold."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gpu_fleet.errors import SimulationError
from simulations.statistics import QuantileEstimate, quantile_interval
from simulations.streams import Streams


@pytest.mark.parametrize(
    ("n", "share", "lo", "hi"),
    [
        (10, 0.5, 2, 9),  # the textbook's median of ten: 97.9 %
        (100, 0.5, 40, 61),
        (1000, 0.99, 983, 997),
    ],
)
def test_the_ends_are_the_order_statistics_of_the_tables(
    n: int, share: float, lo: int, hi: int
) -> None:
    """Of the numbers 1..n the r-th smallest is r, so the ends show the ranks."""
    estimate = quantile_interval(list(range(n, 0, -1)), share)

    assert estimate == QuantileEstimate(value=round(n * share), lo=lo, hi=hi, n=n)


def test_a_small_sample_bounds_a_high_quantile_on_one_side_only() -> None:
    """100 waits say that the 99th percentile is not small, and nothing about how large it is."""
    estimate = quantile_interval(list(range(1, 101)), 0.99)

    assert (estimate.value, estimate.lo, estimate.hi) == (99, 97, None)
    assert not estimate.covers(99)


def test_one_observation_bounds_nothing() -> None:
    """Its own value is the best guess and no more."""
    assert quantile_interval([4.0], 0.5) == QuantileEstimate(value=4.0, lo=None, hi=None, n=1)


@pytest.mark.parametrize(("n", "share"), [(50, 0.5), (500, 0.9), (1000, 0.99)])
def test_the_interval_covers_at_least_95_in_100_whatever_the_distribution(
    n: int, share: float
) -> None:
    """1,500 exponential samples; the law is discrete, so it covers somewhat more than it says."""
    truth = -math.log(1 - share)
    samples = Streams(9).generator("x").exponential(1, (1500, n))
    covered = np.mean([quantile_interval(sample, share).covers(truth) for sample in samples])

    assert 0.95 - 0.017 <= covered <= 0.995


@given(st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=200), st.floats(0.01, 0.99))
def test_the_interval_holds_its_own_value(values: list[float], share: float) -> None:
    """And the value is one of the observations."""
    estimate = quantile_interval(values, share)

    assert estimate.value in values
    assert estimate.lo is None or estimate.lo <= estimate.value
    assert estimate.hi is None or estimate.value <= estimate.hi


def test_a_share_is_not_a_percentage() -> None:
    """99 instead of 0.99 is the common slip."""
    with pytest.raises(SimulationError, match="share is 99"):
        quantile_interval([1.0, 2.0], 99)
