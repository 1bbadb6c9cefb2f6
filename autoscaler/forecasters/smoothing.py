"""Exponential smoothing with weights that are fixed, and patterns that repeat.

Between two fits the weights stay, and the level follows the series step by step; a forecast from
any origin is then one formula. A stand-in does not move the level: it was made from the past.
This module must not choose weights or find patterns.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from autoscaler.forecasters import stored
from autoscaler.forecasters.outcomes import rolling_max

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from gpu_fleet.forecasts import Target

    Column = NDArray[np.float64]

__all__ = ["Season", "Weights"]


@dataclass(frozen=True, slots=True)
class Weights:
    """How much of an error the level and the trend take over, and what is left of the trend."""

    level: float
    trend: float
    fading: float
    """The share of the trend that lasts another step; 0 where there is no trend."""

    def course(self, values: Column, measured: NDArray[np.bool_]) -> tuple[Column, Column]:
        """Follow values step by step: level and trend as they are known after each.

        At first every value counts as much as those before it together, until that is less than
        the level's weight: so a series need not begin where the weights were fitted.
        """
        levels, trends = [], []
        level = trend = 0.0
        seen, weight, trend_weight, fading = 0, self.level, self.trend, self.fading
        for value, real in zip(values.tolist(), measured.tolist(), strict=True):
            trend *= fading
            level += trend
            if real:
                seen += 1
                error = value - level
                if weight * seen < 1:
                    level += error / seen
                else:
                    level += error * weight
                if seen > 1:
                    trend += error * trend_weight
            levels.append(level)
            trends.append(trend)
        return np.array(levels), np.array(trends)

    def lasting(self, ahead: int) -> float:
        """How many times its last step a trend adds in the steps ahead."""
        total, share = 0.0, 1.0
        for _ in range(ahead):
            share *= self.fading
            total += share
        return total

    def state(self) -> dict[str, object]:
        """As JSON could hold it."""
        return {"level": self.level, "trend": self.trend, "fading": self.fading}

    @classmethod
    def revive(cls, state: Mapping[str, object]) -> Weights:
        """Out of `state`."""
        found = [stored.number(state, name) for name in ("level", "trend", "fading")]
        if not all(0 <= weight <= 1 for weight in found):
            raise stored.bad_part("level", "smoothing weights lie between 0 and 1")
        return cls(*found)


@dataclass(frozen=True, slots=True, eq=False)
class Season:
    """A pattern that repeats, and when it begins."""

    pattern: Column
    start_s: int
    step_s: int

    def phases(self, first_s: int, count: int) -> NDArray[np.int64]:
        """Where in the pattern each step of a series is that begins at `first_s`."""
        skipped = (first_s - self.start_s) // self.step_s
        return (skipped + np.arange(count, dtype=np.int64)) % len(self.pattern)

    def here(self, phases: NDArray[np.int64]) -> Column:
        """The pattern at these phases."""
        return self.pattern[phases]

    def ahead(self, target: Target, phases: NDArray[np.int64]) -> Column:
        """What the pattern says of a target, seen from these phases."""
        length = len(self.pattern)
        if not target.peak:
            return self.pattern[(phases + target.ahead) % length]
        turns = np.tile(self.pattern, 2 + target.ahead // length)
        return rolling_max(turns, target.ahead)[phases + 1]

    def state(self) -> dict[str, object]:
        """As JSON could hold it."""
        return {"pattern": self.pattern.tolist(), "start_s": self.start_s}

    @classmethod
    def revive(cls, state: Mapping[str, object], step_s: int) -> Season:
        """Out of `state`."""
        pattern = np.array(stored.numbers(state, "pattern"))
        if len(pattern) == 0:
            raise stored.bad_part("pattern", "a season has one step or more")
        return cls(pattern, round(stored.number(state, "start_s")), step_s)
