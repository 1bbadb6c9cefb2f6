"""Exponential smoothing (statsmodels): the level of lately, and a trend where the past had one.

The form with the least AICc is chosen at each fit, and its weights stay until the next; the level
follows every value. Bounds are the quantiles of its own errors. It must not look for seasons.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from autoscaler.forecasters import stored
from autoscaler.forecasters.asked import Asked
from autoscaler.forecasters.residual_quantiles import (
    TWO_WEEKS,
    PointFitted,
    Points,
    TrailingWindow,
    fitted_rule,
)
from autoscaler.forecasters.sight import Units
from autoscaler.forecasters.smoothing import Weights
from autoscaler.forecasters.statsmodels_fits import fewest_values, smoothing_weights
from gpu_fleet.forecasts import NotForecastable

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from gpu_fleet.forecasts import Target
    from gpu_fleet.series import Series

__all__ = ["Ets", "weights_of"]

MOST_VALUES = 4_000
"""Weights are learned from this many of the latest values."""


@dataclass(frozen=True, slots=True)
class _Smooth:
    """A level and perhaps a trend, without a season."""

    weights: Weights

    def points(self, series: Series, targets: Sequence[Target]) -> list[Points]:
        """The level of each step, and its trend carried on; sound where the step was measured."""
        levels, trends = self.weights.course(series.values, series.measured)
        return [Points(self._said(target, levels, trends), series.measured) for target in targets]

    def _said(
        self, target: Target, levels: NDArray[np.float64], trends: NDArray[np.float64]
    ) -> NDArray[np.float64]:
        """A path that only rises or only falls has its peak at one of its ends."""
        last = levels + self.weights.lasting(target.ahead) * trends
        if not target.peak:
            return last
        return np.maximum(last, levels + self.weights.lasting(1) * trends)

    def state(self) -> Mapping[str, object]:
        """Its kind and its weights."""
        return {"kind": "ets", **self.weights.state()}


@dataclass(frozen=True, slots=True)
class Ets:
    """Follows the level with fixed weights; bounds are the quantiles of its latest errors."""

    name: str = "ets"
    window: TrailingWindow = TWO_WEEKS

    def fit(self, past: Series, targets: Sequence[Target], levels: Sequence[float]) -> PointFitted:
        """Learn the weights; refuses a past that is too short or never moves."""
        asked = Asked.of(past, targets, levels)
        units = Units.of(past)
        weights = weights_of(past, units.values(past)[past.measured])
        return fitted_rule(past, asked, _Smooth(weights), self.window)

    def revive(self, state: Mapping[str, object]) -> PointFitted:
        """What was fitted before."""
        rule = stored.part(state, "rule")
        if stored.text(rule, "kind") != "ets":
            raise stored.bad_part("kind", "this model was not fitted by ets")
        return PointFitted(Asked.revive(state), _Smooth(Weights.revive(rule)), self.window)


def weights_of(past: Series, values: NDArray[np.float64], *, trend: bool = True) -> Weights:
    """The weights that suit the latest of these values of a past, which are all measured."""
    if len(values) < fewest_values():
        raise NotForecastable(
            f"series {past.name}: {len(values)} measured values, but smoothing needs "
            f"{fewest_values()}; wait for more history"
        )
    found = smoothing_weights(values[-MOST_VALUES:], trend=trend)
    if found is None:
        raise NotForecastable(
            f"series {past.name}: no form of exponential smoothing fits; use last-value"
        )
    return Weights(*found)
