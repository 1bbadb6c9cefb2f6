"""Daily and weekly patterns (MSTL of statsmodels) on a level that follows the series.

The patterns of the last cycles are repeated until the next fit, while what they leave is smoothed
step by step. Its errors are counted on steps that its patterns had not seen: up to the fit with
patterns of an earlier part of the past, for a pattern fits what it was made of too well.
This module must not find a pattern where the past holds less than two of its periods.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from autoscaler.forecasters import stored
from autoscaler.forecasters.asked import Asked
from autoscaler.forecasters.ets import weights_of
from autoscaler.forecasters.residual_quantiles import (
    TWO_WEEKS,
    PointFitted,
    Points,
    TrailingWindow,
    fitted_rule,
)
from autoscaler.forecasters.sight import Units
from autoscaler.forecasters.smoothing import Season, Weights
from autoscaler.forecasters.statsmodels_fits import seasons
from gpu_fleet.clock import DAY_S
from gpu_fleet.forecasts import NotForecastable

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from gpu_fleet.forecasts import Target
    from gpu_fleet.series import Series

__all__ = ["Mstl"]

WEEK = 7
FEWEST_STEPS_A_DAY = 4
FEWEST_DAYS = 3
MOST_DAYS = 42
UNSEEN_DAYS = 14
"""So many days at the end of the past are kept from the earlier patterns, at most a third."""
SMOOTH_S = 1_800
"""A pattern is smoothed over half an hour to both sides: few cycles leave much noise in it."""
JUMPS_A_DAY = 6
"""Patterns are fitted at so many moments of a day; between them they are straight."""


@dataclass(frozen=True, slots=True)
class _Pattern:
    """A season and the weights of what it leaves, and from when on they were not fitted to it."""

    season: Season
    weights: Weights
    known_s: int
    """The time of the first step that it had not seen."""

    @classmethod
    def of(cls, past: Series) -> _Pattern:
        """The pattern of a past."""
        units = Units.of(past)
        day = DAY_S // past.step_s
        values = _filled(units.values(past), past.measured, day)[-MOST_DAYS * day :]
        periods = [period for period in (day, WEEK * day) if len(values) > 2 * period]
        parts = seasons(values, periods, max(1, day // JUMPS_A_DAY))
        length = periods[-1]
        table = np.zeros(length)
        for part in parts:
            table += np.resize(_smooth(part, round(SMOOTH_S / past.step_s)), length)
        first_s = past.time_s(len(past) - length)
        season = Season(table * units.unit, first_s, past.step_s)
        phases = season.phases(past.start_s, len(past))
        left = (units.values(past) - table[phases])[past.measured]
        return cls(season, weights_of(past, left, trend=False), past.time_s(len(past)))

    def points(self, series: Series, targets: Sequence[Target]) -> list[NDArray[np.float64]]:
        """What it says of each target from each step."""
        phases = self.season.phases(series.start_s, len(series))
        left = series.values - self.season.here(phases)
        levels, _ = self.weights.course(left, series.measured)
        return [levels + self.season.ahead(target, phases) for target in targets]

    def state(self) -> dict[str, object]:
        """As JSON could hold it."""
        return {**self.season.state(), **self.weights.state(), "known_s": self.known_s}

    @classmethod
    def revive(cls, state: Mapping[str, object], step_s: int) -> _Pattern:
        """Out of `state`."""
        return cls(
            Season.revive(state, step_s),
            Weights.revive(state),
            round(stored.number(state, "known_s")),
        )


@dataclass(frozen=True, slots=True)
class _Patterns:
    """The pattern of the whole past, and that of an earlier part to learn errors from."""

    early: _Pattern
    late: _Pattern

    def points(self, series: Series, targets: Sequence[Target]) -> list[Points]:
        """Up to the fit what the early pattern says, then the late; sound where it is unseen."""
        steps = np.arange(len(series), dtype=np.int64)
        now_late = steps >= self._last_seen(self.late, series)
        sound = series.measured & (steps >= self._last_seen(self.early, series))
        early, late = self.early.points(series, targets), self.late.points(series, targets)
        return [
            Points(np.where(now_late, after, before), sound)
            for before, after in zip(early, late, strict=True)
        ]

    @staticmethod
    def _last_seen(pattern: _Pattern, series: Series) -> int:
        """The last step that a pattern saw: from there all outcomes are new to it."""
        return (pattern.known_s - series.start_s) // series.step_s - 1

    def state(self) -> Mapping[str, object]:
        """Its kind and both patterns."""
        return {"kind": "mstl", "early": self.early.state(), "late": self.late.state()}


@dataclass(frozen=True, slots=True)
class Mstl:
    """Repeats days and weeks on a smoothed level; bounds are the quantiles of its errors."""

    name: str = "mstl"
    window: TrailingWindow = TWO_WEEKS

    def fit(self, past: Series, targets: Sequence[Target], levels: Sequence[float]) -> PointFitted:
        """Learn patterns and weights; refuses a past of less than three days."""
        asked = Asked.of(past, targets, levels)
        day = DAY_S // past.step_s
        if day < FEWEST_STEPS_A_DAY:
            raise NotForecastable(
                f"series {past.name}: with a step of {past.step_s} s a day has no pattern; give a "
                "shorter step"
            )
        if len(past) < FEWEST_DAYS * day:
            raise NotForecastable(
                f"series {past.name}: {len(past)} steps, but {FEWEST_DAYS} days of {day} are "
                "needed to see a pattern twice and be wrong once; wait for more history"
            )
        rule = _Patterns(_Pattern.of(past.upto(_cut(len(past), day))), _Pattern.of(past))
        return fitted_rule(past, asked, rule, self.window)

    def revive(self, state: Mapping[str, object]) -> PointFitted:
        """What was fitted before."""
        rule = stored.part(state, "rule")
        if stored.text(rule, "kind") != "mstl":
            raise stored.bad_part("kind", "this model was not fitted by mstl")
        asked = Asked.revive(state)
        early, late = (
            _Pattern.revive(stored.part(rule, name), asked.step_s) for name in ("early", "late")
        )
        return PointFitted(asked, _Patterns(early, late), self.window)


def _smooth(pattern: NDArray[np.float64], reach: int) -> NDArray[np.float64]:
    """The mean of a pattern and its neighbours on both sides; it is a ring."""
    ring = np.concatenate([pattern[len(pattern) - reach :], pattern, pattern[:reach]])
    return np.convolve(ring, np.full(2 * reach + 1, 1 / (2 * reach + 1)), "valid")


def _cut(count: int, day: int) -> int:
    """How many steps the early pattern is made of; a week is kept in sight where that is near."""
    cut = count - min(UNSEEN_DAYS * day, count // 3)
    two_weeks = 2 * WEEK * day + 1
    return two_weeks if cut < two_weeks <= count - 2 * day else max(cut, 2 * day + 1)


def _filled(
    values: NDArray[np.float64], measured: NDArray[np.bool_], day: int
) -> NDArray[np.float64]:
    """Values with stand-ins replaced by the mean of what was measured at their time of day."""
    if measured.all():
        return values
    time_of_day = np.arange(len(values)) % day
    counts = np.bincount(time_of_day[measured], minlength=day)
    totals = np.bincount(time_of_day[measured], values[measured], minlength=day)
    usual = np.where(counts > 0, totals / np.maximum(counts, 1), values[measured].mean())
    return np.where(measured, values, usual[time_of_day])
