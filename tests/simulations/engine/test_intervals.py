"""Means and differences come with the interval that they deserve, or with none."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gpu_fleet.errors import SimulationError
from simulations.statistics import Estimate, Values, batch_means, mean_interval, paired_difference
from simulations.streams import Streams

finite = st.floats(-1e6, 1e6)


def test_a_mean_has_the_t_interval_of_the_textbook() -> None:
    """t(0.975; 9) = 2.262157 from any table; the values are Gosset's own sleep data (1908)."""
    extra_sleep_h = [0.7, -1.6, -0.2, -1.2, -0.1, 3.4, 3.7, 0.8, 0.0, 2.0]
    estimate = mean_interval(extra_sleep_h)

    assert estimate.mean == pytest.approx(0.75)
    assert estimate.sd == pytest.approx(1.789010)
    assert estimate.lo == pytest.approx(0.75 - 2.262157 * 1.789010 / math.sqrt(10), abs=1e-6)
    assert estimate.hi == pytest.approx(0.75 + 2.262157 * 1.789010 / math.sqrt(10), abs=1e-6)
    assert estimate.n == 10


def test_one_observation_has_no_interval() -> None:
    """Never one of zero width: that would claim certainty."""
    estimate = mean_interval([3.5])

    assert estimate == Estimate(mean=3.5, sd=None, lo=None, hi=None, n=1)
    assert estimate.half_width is None
    assert not estimate.covers(3.5)
    assert str(estimate) == "3.5 (n=1, no interval)"


def test_a_paired_difference_is_the_interval_of_the_differences() -> None:
    """Gosset's two drugs on the same ten sleepers: 1.58 +- 0.88 hours (p = 0.0028)."""
    first = [0.7, -1.6, -0.2, -1.2, -0.1, 3.4, 3.7, 0.8, 0.0, 2.0]
    second = [1.9, 0.8, 1.1, 0.1, -0.1, 4.4, 5.5, 1.6, 4.6, 3.4]
    estimate = paired_difference(second, first)

    assert estimate.mean == pytest.approx(1.58)
    assert (estimate.lo, estimate.hi) == pytest.approx((0.7001142, 2.4598858))


def test_common_chance_cancels_in_a_paired_difference() -> None:
    """Seeds that differ widely, policies that differ a little: only the pairs can tell."""
    rng = Streams(1).generator("x")
    hardness = rng.normal(100, 30, 20)
    ours, baseline = hardness + 1 + rng.normal(0, 0.5, 20), hardness

    paired = paired_difference(ours, baseline)

    assert paired.lo is not None
    assert paired.lo > 0
    assert mean_interval(ours).covers(float(baseline.mean()))


@given(st.lists(finite, min_size=2, max_size=30), finite)
def test_shifting_all_values_shifts_the_interval_and_changes_no_width(
    values: list[float], shift: float
) -> None:
    """Metamorphic: an interval has no favourite origin."""
    before, after = mean_interval(values), mean_interval([value + shift for value in values])

    assert after.mean == pytest.approx(before.mean + shift, abs=1e-6)
    assert after.half_width == pytest.approx(before.half_width, abs=1e-6)


@given(st.lists(finite, min_size=2, max_size=30))
def test_a_wider_confidence_gives_a_wider_interval(values: list[float]) -> None:
    """And both hold the mean they are built around."""
    narrow, wide = mean_interval(values, 0.8), mean_interval(values, 0.99)

    assert narrow.lo is not None
    assert wide.lo is not None
    assert wide.lo <= narrow.lo <= narrow.mean + 1e-9


def test_the_t_interval_covers_95_in_100() -> None:
    """2,000 samples of five normal values: the share covered is within 3 sd of 95 %."""
    samples = Streams(7).generator("x").normal(10, 2, (2000, 5))
    covered = np.mean([mean_interval(sample).covers(10) for sample in samples])

    assert covered == pytest.approx(0.95, abs=3 * math.sqrt(0.95 * 0.05 / 2000))


def test_batch_means_drop_the_warm_up_and_what_does_not_fill_a_batch() -> None:
    """By hand: of 0 0 | 1 3 | 5 7 | 9 the batches are 2 and 6."""
    estimate = batch_means([0, 0, 1, 3, 5, 7, 9], warm_up=2, batches=2)

    assert estimate.mean == 4
    assert estimate.sd == pytest.approx(math.sqrt(8))
    assert estimate.n == 2


def test_batch_means_are_honest_where_naive_intervals_are_not() -> None:
    """An AR(1) series with correlation 0.9: 300 seeds, batches of 25 times its memory."""
    covered_naive = covered = 0
    for seed in range(300):
        noise = Streams(seed).generator("x").normal(size=10_200)
        series = np.empty_like(noise)
        level = 0.0
        for index, shock in enumerate(noise.tolist()):
            level = 0.9 * level + shock
            series[index] = level
        covered_naive += mean_interval(series[200:]).covers(0)
        covered += batch_means(series, warm_up=200, batches=20).covers(0)

    assert covered_naive / 300 < 0.5
    assert 0.91 <= covered / 300 <= 0.985


@pytest.mark.parametrize(
    ("values", "complaint"),
    [
        ([], r"values has shape \(0,\)"),
        ([1.0, math.nan], r"values\[1\] is nan"),
        ([math.inf], r"values\[0\] is inf"),
        (np.zeros((2, 2)), r"values has shape \(2, 2\)"),
    ],
)
def test_values_that_say_nothing_are_refused(values: Values, complaint: str) -> None:
    """A NaN in a mean would travel into every table unseen."""
    with pytest.raises(SimulationError, match=complaint):
        mean_interval(values)


def test_bad_settings_are_refused_by_name() -> None:
    """Each complaint says which number is wrong."""
    with pytest.raises(SimulationError, match=r"confidence is 95"):
        mean_interval([1.0, 2.0], confidence=95)
    with pytest.raises(SimulationError, match="3 values cannot be paired with 2"):
        paired_difference([1.0, 2.0, 3.0], [1.0, 2.0])
    with pytest.raises(SimulationError, match="batches is 1"):
        batch_means([1.0, 2.0, 3.0], warm_up=0, batches=1)
    with pytest.raises(SimulationError, match="warm_up is -1"):
        batch_means([1.0, 2.0, 3.0], warm_up=-1, batches=2)
    with pytest.raises(SimulationError, match="do not fill 2 batches: run longer"):
        batch_means([1.0, 2.0, 3.0], warm_up=2, batches=2)
