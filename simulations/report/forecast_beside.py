"""What came beside what was said of that very moment, as arrays that a chart can draw.

An answer is about a moment some steps after it was given; here it is moved there. Stand-ins and
level shifts are kept apart from what was measured. This module must not draw.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from gpu_fleet.clock import DAY_S
from gpu_fleet.series import MarkKind
from simulations.forecasts.result import SELECTED
from simulations.report.forecast_times import HOUR_S

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from simulations.report.forecast_figures import Judged
    from simulations.report.forecast_times import Calendar

    Floats = NDArray[np.float64]
    Steps = NDArray[np.int64]

__all__ = ["Beside", "mean_span_s", "means", "side_by_side"]

MOST_MEANS: Final = 240
"""Means of a whole span, so that lines beside a band can be told apart."""
ROUND_SPANS_S: Final = tuple(
    HOUR_S * hours for hours in (1, 2, 3, 4, 6, 8, 12, 24, 48, 168, 336, 672)
)


@dataclass(frozen=True, slots=True, eq=False)
class Beside:
    """What came and what was said, of steps or of means over several, with days to draw them at."""

    days: Floats
    came: Floats
    """Not-a-number where it was not measured."""
    said: Floats
    """[step, level], of that very step."""
    stand_ins: dict[MarkKind, Floats]
    shifts: Floats
    """What there was where a level shift was noticed."""


def side_by_side(one: Judged, first: int, calendar: Calendar, night_s: int) -> Beside:
    """From step `first` to the last step that was forecast, which may be after the last that is."""
    result, ahead = one.result, one.result.plan.kept[one.shown].ahead
    series = result.series
    steps = np.arange(first, len(series) + ahead, dtype=np.int64)
    values = np.full(len(steps), np.nan)
    values[: len(series) - first] = series.values[first:]
    measured = np.zeros(len(steps), dtype=np.bool_)
    measured[: len(series) - first] = series.measured[first:]
    said = np.full((len(steps), len(result.spec.levels)), np.nan)
    about = result.origins + ahead
    inside = about >= first
    said[about[inside] - first] = result.said(SELECTED)[inside, one.shown]
    is_outage = _under(one, MarkKind.OUTAGE, steps)
    return Beside(
        days=calendar.days(steps, night_s),
        came=np.where(measured, values, np.nan),
        said=said,
        stand_ins={
            MarkKind.GAP: np.where(~measured & ~is_outage, values, np.nan),
            MarkKind.OUTAGE: np.where(~measured & is_outage, values, np.nan),
        },
        shifts=np.where(_under(one, MarkKind.LEVEL_SHIFT, steps), values, np.nan),
    )


def _under(one: Judged, kind: MarkKind, steps: Steps) -> NDArray[np.bool_]:
    """Which steps lie under a mark of this kind."""
    found = np.zeros(len(steps), dtype=np.bool_)
    for mark in one.result.series.marks:
        if mark.kind is kind:
            found |= (mark.first <= steps) & (steps <= mark.last)
    return found


def mean_span_s(steps: int, step_s: int) -> int:
    """The least round span, in whole steps, that leaves no more means than a chart can show."""
    least_s = -(-steps // MOST_MEANS) * step_s
    if least_s == step_s:
        return step_s
    fitting = (span for span in ROUND_SPANS_S if span >= least_s and span % step_s == 0)
    return next(fitting, least_s)


def means(given: Beside, span_s: int) -> Beside:
    """Means over spans that begin at the axis' midnight; unknown where nothing in one is known."""
    spans = np.floor(given.days * DAY_S / span_s + 1e-9).astype(np.int64)
    spans -= spans[0]
    began = np.searchsorted(spans, np.arange(spans[-1] + 1))

    def mean(values: Floats) -> Floats:
        known = np.isfinite(values)
        count = np.bincount(spans, weights=known.astype(np.float64))
        total = np.bincount(spans, weights=np.where(known, values, 0.0))
        return np.where(count > 0, total / np.maximum(count, 1), np.nan)

    levels = range(given.said.shape[1])
    return Beside(
        days=given.days[began],
        came=mean(given.came),
        said=np.stack([mean(given.said[:, level]) for level in levels], axis=1),
        stand_ins={kind: mean(values) for kind, values in given.stand_ins.items()},
        shifts=mean(given.shifts),
    )
