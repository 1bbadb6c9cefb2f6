"""When forecasts hold: coverage and error for each hour of the day, where the people live.

A bound that holds 95 % of the time and never at nine in the morning is no bound; one mean over all
hours hides that. This module must not draw.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from gpu_fleet.clock import DAY_S
from simulations.forecasts.rows import scores_of

if TYPE_CHECKING:
    from simulations.forecasts.result import SeriesResult

__all__ = ["HourOfDay", "by_hour"]

HOUR_S = 3_600


@dataclass(frozen=True, slots=True)
class HourOfDay:
    """What was said of one hour of the day; None where nothing was."""

    hour: int
    """Local time of the moment that was forecast, from 0 to 23."""
    outcomes: int
    coverage: float | None
    """The share of outcomes at or below the upper bound."""
    wape: float | None
    """None also where all that came was 0."""
    mean_width: float | None
    mean_value: float | None


def by_hour(result: SeriesResult, model: str, k: int) -> tuple[HourOfDay, ...]:
    """The 24 hours of the day for a model (also `selected`, `best_naive`) at `plan.kept[k]`."""
    scores = scores_of(result, model, k)
    series = result.series
    steps = scores.origins + result.plan.kept[k].ahead
    local_s = series.start_s + steps * series.step_s + series.utc_offset_s
    hours = local_s % DAY_S // HOUR_S
    count = np.bincount(hours, minlength=24)

    def total(values: np.ndarray[tuple[int], np.dtype[np.float64]]) -> list[float]:
        sums: list[float] = np.bincount(hours, weights=values, minlength=24).tolist()
        return sums

    held, errors, widths = total(scores.held), total(scores.errors), total(scores.widths)
    came, sizes = total(scores.came), total(np.abs(scores.came))
    return tuple(
        HourOfDay(
            hour=hour,
            outcomes=int(n),
            coverage=_over(held[hour], n),
            wape=_over(errors[hour], sizes[hour]),
            mean_width=_over(widths[hour], n),
            mean_value=_over(came[hour], n),
        )
        for hour, n in enumerate(count.tolist())
    )


def _over(part: float, whole: float) -> float | None:
    return part / whole if whole > 0 else None
