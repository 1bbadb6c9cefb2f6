"""A duration's samples have the moments that its value states."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
import pytest

from gpu_fleet.errors import SimulationError
from simulations.durations import Duration, Exponential, Fixed, HyperExponential, LogNormal
from simulations.streams import Streams

if TYPE_CHECKING:
    from collections.abc import Callable

DURATIONS: list[Duration] = [
    Exponential(0.25),
    Fixed(3.0),
    LogNormal(40.0, 0.5),
    HyperExponential(7.0, 3.0),
]


@pytest.mark.parametrize("duration", DURATIONS, ids=lambda duration: type(duration).__name__)
def test_samples_have_the_stated_mean_and_variance(duration: Duration) -> None:
    """The formula and the simulation speak of one distribution."""
    samples_s = duration.sample_ns(Streams(3).generator("x"), 400_000) / 1e9

    assert samples_s.min() >= 0
    assert samples_s.mean() == pytest.approx(duration.mean_s, rel=0.01)
    assert samples_s.var() / samples_s.mean() ** 2 == pytest.approx(duration.squared_cv, rel=0.04)


def test_the_two_kinds_of_a_hyperexponential_bring_half_of_the_work_each() -> None:
    """Its third moment, and so the spread of waits behind it, rests on this convention."""
    duration = HyperExponential(1.0, 4.0)
    samples_s = duration.sample_ns(Streams(3).generator("x"), 400_000) / 1e9
    short = (1 + math.sqrt(3 / 5)) / 2
    third_moment = 6 * (short * (1 / (2 * short)) ** 3 + (1 - short) * (1 / (2 - 2 * short)) ** 3)

    assert np.mean(samples_s**3) == pytest.approx(third_moment, rel=0.1)


@pytest.mark.parametrize(
    ("build", "complaint"),
    [
        (lambda: Exponential(0.0), "mean_s is 0.0"),
        (lambda: Fixed(-1.0), "mean_s is -1.0"),
        (lambda: LogNormal(math.nan, 1.0), "mean_s is nan"),
        (lambda: LogNormal(1.0, math.inf), "squared_cv is inf"),
        (lambda: HyperExponential(1.0, 1.0), "use Exponential for 1"),
    ],
)
def test_a_distribution_that_cannot_be_is_refused(
    build: Callable[[], Duration], complaint: str
) -> None:
    """Where it is stated, not where it is drawn."""
    with pytest.raises(SimulationError, match=complaint):
        build()
