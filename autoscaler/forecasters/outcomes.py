"""What really came, seen from each moment: the value some steps later, or the peak until then.

Forecasters learn from outcomes and are judged by them, so both take them from here. A stand-in is
no outcome: it was made from the past, and a forecast of it would only meet itself again.
This module must not forecast.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from gpu_fleet.forecasts import Target
    from gpu_fleet.series import Series

__all__ = ["MOST_STAND_INS", "mostly_measured", "outcomes", "rolling_max"]

MOST_STAND_INS = 0.1
"""The share of stand-ins among the steps of a peak above which the peak counts as unknown."""


def outcomes(series: Series, target: Target) -> NDArray[np.float64]:
    """The outcome of `target` as seen from each step of `series`; not-a-number where unknown."""
    ahead = target.ahead
    found = np.full(len(series), np.nan)
    if ahead >= len(series):
        return found
    if not target.peak:
        found[:-ahead] = np.where(series.measured[ahead:], series.values[ahead:], np.nan)
        return found
    seen = np.where(series.measured[1:], series.values[1:], -np.inf)
    counts = mostly_measured(series.measured[1:], ahead)
    found[:-ahead] = np.where(counts, rolling_max(seen, ahead), np.nan)
    return found


def rolling_max(values: NDArray[np.float64], width: int) -> NDArray[np.float64]:
    """The most of each `width` neighbours: `len(values) - width + 1` numbers."""
    most, covered = values, 1
    while covered < width:
        further = min(covered, width - covered)
        most = np.maximum(most[:-further], most[further:])
        covered += further
    return most


def mostly_measured(measured: NDArray[np.bool_], width: int) -> NDArray[np.bool_]:
    """Whether enough of each `width` neighbours was measured for their peak to be known."""
    absent = np.concatenate([[0], np.cumsum(~measured)])
    return np.asarray((absent[width:] - absent[:-width]) <= MOST_STAND_INS * width)
