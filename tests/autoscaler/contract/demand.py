"""Demand that the contract is checked on: five weeks of hours with days, weekends and noise.

Its values are multiples of 1/64, so that scaling by a power of two and shifting by a whole number
are exact, and what a forecaster answers to them can be compared to the last digits.
"""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

import numpy as np

from gpu_fleet.series import Level, Series

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["DAY", "LEARNED", "demand", "series_of", "with_values"]

HOUR_S = 3_600
DAY = 24
LEARNED = 28 * DAY
"""The first four weeks are learned from; the fifth is forecast."""
MONDAY_S = 4 * 86_400
"""The first Monday of 1970."""


def series_of(
    values: NDArray[np.float64],
    measured: NDArray[np.bool_] | None = None,
    *,
    step_s: int = HOUR_S,
) -> Series:
    """A series of these values, all measured unless told otherwise."""
    numbers = np.array(values, dtype=np.float64)
    flags = np.ones(len(numbers), dtype=np.bool_) if measured is None else measured.copy()
    return Series("demand", "GPUs", Level.POOL, MONDAY_S, step_s, numbers, flags)


def demand(days: int = 35, seed: int = 7, step_s: int = HOUR_S) -> Series:
    """Days with a peak in the afternoon, weekends at two thirds, and noise that remembers."""
    draws = np.random.default_rng(seed)
    count = days * 86_400 // step_s
    hours = np.arange(count) * step_s / 3_600
    shape = 100 + 40 * np.sin((hours - 9) * 2 * np.pi / 24) + 10 * np.sin(hours * 4 * np.pi / 24)
    weekend = (hours // 24) % 7 >= 5
    noise = np.zeros(count)
    for i, draw in enumerate(draws.normal(0, 4, count)):
        noise[i] = 0.7 * noise[i - 1] + draw if i else draw
    values = np.round((shape * np.where(weekend, 2 / 3, 1) + noise) * 64) / 64
    return series_of(values, step_s=step_s)


def with_values(series: Series, values: NDArray[np.float64]) -> Series:
    """The same moments and flags with other values."""
    return dataclasses.replace(series, values=np.array(values, dtype=np.float64))
