"""The simplest forecast: what is now will be then.

Every other forecaster has to beat it, and on slow series few do, so it comes with honest bounds of
its own: the quantiles of its past errors. It must not learn anything else.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from autoscaler.forecasters import stored
from autoscaler.forecasters.asked import Asked
from autoscaler.forecasters.residual_quantiles import (
    TWO_WEEKS,
    PointFitted,
    Points,
    TrailingWindow,
    fitted_rule,
)

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from gpu_fleet.forecasts import Target
    from gpu_fleet.series import Series

__all__ = ["LastValue"]


@dataclass(frozen=True, slots=True)
class _Repeat:
    """The value at the origin, for the peak as well."""

    def points(self, series: Series, targets: Sequence[Target]) -> list[Points]:
        """The value at each step; sound where it was measured."""
        return [Points(series.values, series.measured) for _ in targets]

    def state(self) -> Mapping[str, object]:
        """Its kind; there is nothing else to know."""
        return {"kind": "last-value"}


@dataclass(frozen=True, slots=True)
class LastValue:
    """Repeats the last value; its bounds are the quantiles of its errors of the last days."""

    name: str = "last-value"
    window: TrailingWindow = TWO_WEEKS

    def fit(self, past: Series, targets: Sequence[Target], levels: Sequence[float]) -> PointFitted:
        """Nothing is learned; refuses where the past does not tell how wrong it is."""
        return fitted_rule(past, Asked.of(past, targets, levels), _Repeat(), self.window)

    def revive(self, state: Mapping[str, object]) -> PointFitted:
        """What was fitted before."""
        if stored.text(stored.part(state, "rule"), "kind") != "last-value":
            raise stored.bad_part("kind", "this model was not fitted by last-value")
        return PointFitted(Asked.revive(state), _Repeat(), self.window)
