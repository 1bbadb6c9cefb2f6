"""What a backtest asks of a series: which steps ahead, from which moments, judged from when on.

The walk begins at half of the part before the split, so that bounds and the choice among models
have learned when the part begins that counts. This module must not read or forecast a series.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import isfinite
from typing import TYPE_CHECKING

from autoscaler.backtest.walk import WalkPlan
from gpu_fleet.clock import DAY_S
from gpu_fleet.errors import InputError
from gpu_fleet.forecasts import Target

if TYPE_CHECKING:
    from gpu_fleet.series import Series

__all__ = ["LEVELS", "LOW", "MIDDLE", "UPPER", "BacktestSpec", "Horizon", "StudyPlan"]

LEVELS = (0.05, 0.5, 0.95)
"""The quantiles that are asked for."""
LOW, MIDDLE, UPPER = range(3)
"""Where each of them is in an answer."""

LONGEST_HORIZON_S = 366 * DAY_S
LEAST_OUTCOMES = 20
"""A bound that should be missed once in 20 times needs as many outcomes to be judged at all, and
before that as many to learn from."""


@dataclass(frozen=True, slots=True)
class Horizon:
    """How far ahead was asked, and what that is in steps of one series."""

    asked_s: int
    horizon_s: int
    """The asked one, or the next multiple of the step."""
    ahead: int
    """The same in steps."""
    too_short: str = ""
    """Why it is left out for this series, in words; empty where it is not."""

    @classmethod
    def of(cls, asked_s: int, step_s: int) -> Horizon:
        """At least one step, and always whole ones."""
        ahead = max(1, -(-asked_s // step_s))
        return cls(asked_s, ahead * step_s, ahead)


@dataclass(frozen=True, slots=True)
class StudyPlan:
    """What is asked of one series."""

    horizons: tuple[Horizon, ...]
    """Every horizon once, the nearest first, those that are left out as well."""
    walk: WalkPlan
    split: int
    """The first origin that counts."""

    @property
    def kept(self) -> tuple[Horizon, ...]:
        """The horizons that are not left out, in the order of `targets`."""
        return tuple(horizon for horizon in self.horizons if not horizon.too_short)

    @property
    def targets(self) -> tuple[Target, ...]:
        """What forecasters are asked."""
        return tuple(Target(horizon.ahead) for horizon in self.kept)


@dataclass(frozen=True, slots=True)
class BacktestSpec:
    """Everything that decides the figures, but for the series themselves."""

    models: tuple[str, ...]
    horizons_s: tuple[int, ...] = (600, 3_600, DAY_S)
    split: float = 0.6
    """The share of a series that forecasters may learn from before it counts."""
    levels: tuple[float, ...] = LEVELS
    most_refits: int = 12
    """A model is fitted anew each day, but no more often than this on the way."""

    def __post_init__(self) -> None:
        if not (isfinite(self.split) and 0 < self.split < 1):
            raise InputError(
                f"{self.split:g} is not possible",
                remedy="give a share between 0 and 1; 0.6 learns from the first 60 %",
                field="--split",
            )
        if not self.horizons_s:
            raise InputError(
                "no horizon", remedy="give one or more: 10min,1h,24h", field="--horizons"
            )
        for asked_s in self.horizons_s:
            if not 1 <= asked_s <= LONGEST_HORIZON_S:
                raise InputError(
                    f"{asked_s:,} s ahead is not possible",
                    remedy=f"give 1 s to {LONGEST_HORIZON_S // DAY_S}d",
                    field="--horizons",
                )

    def plan(self, series: Series) -> StudyPlan:
        """What is asked of this series; an `InputError` where it is too short for anything."""
        split = int(self.split * len(series))
        horizons = tuple(
            self._judged(Horizon.of(asked_s, series.step_s), series, split)
            for asked_s in _each_once(self.horizons_s, series.step_s)
        )
        if all(horizon.too_short for horizon in horizons):
            raise InputError(
                f"series {series.name}: {horizons[0].too_short}",
                remedy="give a longer series, a nearer horizon or a finer --step",
                field="--horizons",
            )
        every = max(1, series.steps_a_day)
        walk = WalkPlan.evenly(split // 2, len(series), every, self.most_refits)
        return StudyPlan(horizons, walk, split)

    def _judged(self, horizon: Horizon, series: Series, split: int) -> Horizon:
        """The horizon, with why it is left out where the series is too short for it."""
        to_learn = split - horizon.ahead
        to_judge = len(series) - split - horizon.ahead
        if min(to_learn, to_judge) >= LEAST_OUTCOMES:
            return horizon
        words = (
            f"{len(series):,} steps of {series.step_s:,} s are too short to look "
            f"{horizon.horizon_s:,} s ahead: {max(0, to_learn):,} outcomes to learn from and "
            f"{max(0, to_judge):,} to judge by, where {LEAST_OUTCOMES} of each are needed"
        )
        return Horizon(horizon.asked_s, horizon.horizon_s, horizon.ahead, words)


def _each_once(horizons_s: tuple[int, ...], step_s: int) -> tuple[int, ...]:
    """The asked horizons, the nearest first; of those that come to the same steps the first."""
    by_steps: dict[int, int] = {}
    for asked_s in horizons_s:
        by_steps.setdefault(Horizon.of(asked_s, step_s).ahead, asked_s)
    return tuple(asked_s for _, asked_s in sorted(by_steps.items()))
