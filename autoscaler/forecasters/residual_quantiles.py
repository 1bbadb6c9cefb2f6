"""How wrong a point forecast has been lately, and so between which bounds the next one will fall.

A rule that says one number becomes a forecaster by adding to it the quantiles of its own errors:
the latest whose outcome was known at the origin. Stand-ins are no outcomes, so over an outage the
window reaches further back.
This module must not know how the rule forecasts, nor use an error that was not known yet.
"""

from __future__ import annotations

import math
from bisect import bisect_left, insort
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

import numpy as np

from autoscaler.forecasters.outcomes import outcomes
from gpu_fleet.clock import DAY_S
from gpu_fleet.forecasts import NotForecastable

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from autoscaler.forecasters.asked import Asked
    from gpu_fleet.forecasts import Target
    from gpu_fleet.series import Series

__all__ = ["TWO_WEEKS", "PointFitted", "PointRule", "Points", "TrailingWindow", "fitted_rule"]

FRESH_START = 256
"""When so many errors became known between two origins, sorting the window anew is cheaper."""


@dataclass(frozen=True, slots=True)
class Points:
    """What a rule says of one target from each step of a series; not-a-number where it is mute."""

    values: NDArray[np.float64]
    sound: NDArray[np.bool_]
    """Whether it rests on measured values; an error of one that does not teaches nothing."""


class PointRule(Protocol):
    """Says one number for each target, from each step of a series."""

    def points(self, series: Series, targets: Sequence[Target]) -> list[Points]:
        """What it says of each target. From step t it uses values up to and including t."""
        ...

    def state(self) -> Mapping[str, object]:
        """What the rule learned, as JSON could hold it."""
        ...


@dataclass(frozen=True, slots=True)
class TrailingWindow:
    """How many of the latest errors count, and how few are too few."""

    days: float = 14.0
    least: int = 10
    """With fewer errors than this nothing is said."""
    least_steps: int = 60
    """Where a step is long, days are stretched to this many steps."""

    def steps(self, step_s: int) -> int:
        """How many errors count: as many as these days have steps."""
        return max(self.least_steps, math.ceil(self.days * DAY_S / step_s))


TWO_WEEKS = TrailingWindow()
"""Long enough to hold each hour of the week twice, short enough to forget what changed."""


@dataclass(frozen=True, slots=True)
class PointFitted:
    """A rule with the quantiles of its own errors: keeps the protocol `Fitted`."""

    asked: Asked
    rule: PointRule
    window: TrailingWindow

    def quantiles(self, series: Series, origins: NDArray[np.int64]) -> NDArray[np.float64]:
        """The rule's number plus the quantiles of its trailing errors; see `Fitted`."""
        known = self.asked.known_at(series, origins)
        answer = self.asked.blank(origins)
        if len(origins) == 0:
            return answer
        order = np.argsort(origins, kind="stable")
        width = self.window.steps(series.step_s)
        said = self.rule.points(known, self.asked.targets)
        for j, (target, points) in enumerate(zip(self.asked.targets, said, strict=True)):
            errors = _errors(known, target, points)
            ends = origins[order] - target.ahead
            spread = _trailing(errors, ends, width, self.window.least, self.asked.levels)
            answer[order, j] = points.values[origins[order], np.newaxis] + spread
        return answer

    def state(self) -> Mapping[str, object]:
        """What was asked and what the rule learned."""
        return {**self.asked.state(), "rule": dict(self.rule.state())}


def fitted_rule(past: Series, asked: Asked, rule: PointRule, window: TrailingWindow) -> PointFitted:
    """A rule ready to answer; refuses where it could say nothing of any target yet."""
    fitted = PointFitted(asked, rule, window)
    latest = np.array([len(past) - 1], dtype=np.int64)
    if np.isnan(fitted.quantiles(past, latest)).all():
        raise NotForecastable(
            f"series {past.name}: of {len(past)} steps fewer than {window.least} tell how wrong "
            "this forecaster is; wait for more history"
        )
    return fitted


def _errors(series: Series, target: Target, points: Points) -> NDArray[np.float64]:
    """Outcome less forecast from each step; not-a-number where it is unknown or teaches nothing."""
    with np.errstate(over="ignore", invalid="ignore"):
        found = outcomes(series, target) - points.values
    # Adding zero turns a negative zero into zero: equal errors are then one value, not two.
    return np.where(points.sound & np.isfinite(found), found, np.nan) + 0.0


def _trailing(
    errors: NDArray[np.float64],
    ends: NDArray[np.int64],
    width: int,
    least: int,
    levels: tuple[float, ...],
) -> NDArray[np.float64]:
    """The quantiles of the last `width` known errors up to each end; ends do not fall."""
    answer = np.full((len(ends), len(levels)), np.nan)
    known = ~np.isnan(errors)
    counts = np.concatenate([[0], np.cumsum(known)])
    told = errors[known]
    inside: list[float] = []
    stop = 0
    for row, new_stop in enumerate(counts[np.maximum(ends + 1, 0)].tolist()):
        if new_stop - stop > FRESH_START:
            inside = np.sort(told[max(0, new_stop - width) : new_stop]).tolist()
        else:
            _slide(inside, told, stop, new_stop, width)
        stop = new_stop
        if stop >= least:
            answer[row] = [_quantile(inside, level) for level in levels]
    return answer


def _slide(
    inside: list[float], told: NDArray[np.float64], stop: int, new_stop: int, width: int
) -> None:
    """Let a sorted window of `width` errors move on: one enters, the oldest leaves."""
    for i in range(stop, new_stop):
        insort(inside, float(told[i]))
        if i >= width:
            del inside[bisect_left(inside, float(told[i - width]))]


def _quantile(ordered: list[float], level: float) -> float:
    """The value that a further, exchangeable one stays below with probability `level`.

    So the rank counts the one to come: (n + 1) x level, between neighbours in proportion. Where
    there are too few for that the extremes stand in.
    """
    rank = (len(ordered) + 1) * level - 1
    low = math.floor(rank)
    if low < 0:
        return ordered[0]
    if low + 1 >= len(ordered):
        return ordered[-1]
    below, above = ordered[low], ordered[low + 1]
    return min(above, below + (above - below) * (rank - low))
