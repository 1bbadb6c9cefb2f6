"""What a forecaster was asked for, and whether a series can be used to answer it.

Every forecaster begins with the same questions: are these levels levels, is there anything in the
past, does the series that goes on have the step that was learned from. They are asked here once.
This module must not forecast.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from autoscaler.forecasters import stored
from gpu_fleet.errors import FleetError
from gpu_fleet.forecasts import NotForecastable
from gpu_fleet.series import Level, Series

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from gpu_fleet.forecasts import Target

__all__ = ["LARGEST", "Asked", "nothing_yet"]

LARGEST = 1e150
"""Beyond this the difference of two values, or its square, no longer fits a number."""


@dataclass(frozen=True, slots=True)
class Asked:
    """Targets and levels, and the step of the series that they are counted in."""

    targets: tuple[Target, ...]
    levels: tuple[float, ...]
    step_s: int

    def __post_init__(self) -> None:
        levels = self.levels
        rising = all(low < high for low, high in pairwise(levels))
        if not self.targets or not levels or not rising or levels[0] <= 0 or levels[-1] >= 1:
            raise FleetError(
                f"a forecast of {len(self.targets)} targets at levels {list(levels)}; "
                "give one target or more, and levels that rise between 0 and 1"
            )

    @classmethod
    def of(cls, past: Series, targets: Sequence[Target], levels: Sequence[float]) -> Asked:
        """What is asked of a past that can be learned from at all."""
        asked = cls(tuple(targets), tuple(float(level) for level in levels), past.step_s)
        if not past.measured.any():
            raise NotForecastable(
                f"series {past.name} holds no measured value; wait for its first samples"
            )
        if np.abs(past.values).max() > LARGEST:
            raise NotForecastable(
                f"series {past.name} holds a value beyond {LARGEST:g}; give it in a larger unit"
            )
        return asked

    def known_at(self, series: Series, origins: NDArray[np.int64]) -> Series:
        """The part of a series that the latest of some origins may use.

        A value beyond measure that came after the fit is cut: one broken sample is no reason to
        stop answering.
        """
        if series.step_s != self.step_s:
            raise FleetError(
                f"series {series.name}: a step of {series.step_s} s, but the forecaster learned "
                f"from one of {self.step_s} s; fit it again"
            )
        if len(origins) == 0:
            return series.upto(0)
        if origins.min() < 0 or origins.max() >= len(series):
            raise FleetError(
                f"series {series.name}: a forecast from step {origins.min()} to {origins.max()}, "
                f"but it has the steps 0 to {len(series) - 1}"
            )
        known = series.upto(int(origins.max()) + 1)
        if np.abs(known.values).max() > LARGEST:
            return replace(known, values=np.clip(known.values, -LARGEST, LARGEST))
        return known

    def blank(self, origins: NDArray[np.int64]) -> NDArray[np.float64]:
        """Room for the answer, where nothing is said yet: [origin, target, level]."""
        return np.full((len(origins), len(self.targets), len(self.levels)), np.nan)

    def state(self) -> dict[str, object]:
        """What was asked, as JSON could hold it."""
        return {
            "targets": stored.state_of_targets(self.targets),
            "levels": list(self.levels),
            "step_s": self.step_s,
        }

    @classmethod
    def revive(cls, state: Mapping[str, object]) -> Asked:
        """What was asked, out of `state`."""
        targets = stored.targets_of(state, "targets")
        if not targets:
            raise stored.bad_part("targets", "a stored model needs one target or more")
        return cls(
            targets, stored.levels_of(state, "levels"), stored.whole(state, "step_s", least=1)
        )


def nothing_yet(step_s: int) -> Series:
    """A series of one step, to ask without origins what shape an answer has."""
    return Series("nothing", "", Level.POOL, 0, step_s, np.zeros(1), np.ones(1, dtype=np.bool_))
