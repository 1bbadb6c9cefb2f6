"""A level that changes for good is noticed within a day, marked there, and nothing is replaced.

Weekends, spikes and slow growth are no shifts.
"""

from __future__ import annotations

import numpy as np
import pytest

from autoscaler.history.assembly import series_of
from autoscaler.history.settings import HistorySettings
from autoscaler.history.shifts import Cusum, Lean
from gpu_fleet.series import MarkKind, Series
from tests.autoscaler.history.made import demand, marks, sampled

SEEDS = range(20)


def hours(values: np.ndarray[tuple[int], np.dtype[np.float64]]) -> Series:
    """A series of hours."""
    return series_of(sampled(values), HistorySettings(step_s=3_600))


def shifts(series: Series) -> list[int]:
    """Where a shift was noticed."""
    return [first for first, _ in marks(series, MarkKind.LEVEL_SHIFT)]


@pytest.mark.parametrize("factor", [2.0, 0.5])
@pytest.mark.parametrize("seed", SEEDS)
def test_twice_or_half_the_level_is_noticed_within_twelve_hours(seed: int, factor: float) -> None:
    """Once, with the side and both levels in words, and the values stay as they are."""
    values = demand(14, seed)
    values[200:] *= factor
    series = hours(values)
    (noticed,) = shifts(series)

    assert 200 <= noticed <= 212
    np.testing.assert_array_equal(series.values, values)
    (words,) = (mark.detail for mark in series.marks if mark.kind is MarkKind.LEVEL_SHIFT)
    assert words.startswith("up: about" if factor > 1 else "down: about")
    assert words.endswith("a day before")


@pytest.mark.parametrize("seed", SEEDS)
def test_steady_demand_has_none(seed: int) -> None:
    """Four weeks of noise around the same days."""
    assert shifts(hours(demand(28, seed, noise=0.1))) == []


@pytest.mark.parametrize("seed", SEEDS)
def test_weekends_are_no_shifts_once_one_was_seen(seed: int) -> None:
    """A Saturday is unlike Friday and like the Saturday before."""
    values = demand(35, seed)
    day = np.arange(len(values)) // 24
    values[day % 7 >= 5] *= 0.4

    assert [step for step in shifts(hours(values)) if step >= 8 * 24] == []


def test_a_spike_is_no_shift() -> None:
    """However high, it counts as a few usual errors."""
    values = demand(14, seed=1)
    values[200:203] *= 50.0

    assert shifts(hours(values)) == []


def test_growth_is_no_shift() -> None:
    """A tenth a week."""
    values = demand(42, seed=1) * 1.1 ** (np.arange(42 * 24) / 168)

    assert shifts(hours(values)) == []


def test_an_outage_is_no_shift() -> None:
    """Stand-ins say nothing about the level."""
    values = demand(14, seed=1)
    values[200:220] = 0.0

    assert shifts(hours(values)) == []


def test_the_sums_tell_the_side_and_begin_anew() -> None:
    """Errors beyond the slack add up to the limit; after it is told they are forgotten."""
    cusum = Cusum(slack=0.5, limit=3.0)
    told = [cusum.feed(1.5) for _ in range(8)]

    assert told == [None, None, None, Lean.UP, None, None, None, Lean.UP]
    assert [cusum.feed(-4.0) for _ in range(2)] == [Lean.DOWN, Lean.DOWN]


def test_errors_within_the_slack_never_add_up() -> None:
    """Nor do absent ones, and a spike counts no more than the most."""
    cusum = Cusum(slack=1.0, limit=3.5, most=4.0)

    assert [cusum.feed(error) for error in [1.0, -1.0] * 500] == [None] * 1_000
    assert cusum.feed(float("nan")) is None
    assert cusum.feed(1e9) is None
    assert cusum.feed(1.6) is Lean.UP


def test_it_can_be_told_to_forget() -> None:
    """After a change that is known of."""
    cusum = Cusum(slack=0.0, limit=3.0)
    cusum.feed(2.9)
    cusum.forget()

    assert cusum.feed(2.9) is None
