"""The second simplest forecast: what was at this time yesterday, or a week ago, will be again.

On strongly seasonal demand it is the guess to beat for a day ahead. Its bounds are the quantiles of
its past errors. It must not know of holidays or trends, or look at anything but that one value.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

import numpy as np

from autoscaler.forecasters import stored
from autoscaler.forecasters.asked import Asked
from autoscaler.forecasters.outcomes import mostly_measured, rolling_max
from autoscaler.forecasters.residual_quantiles import (
    TWO_WEEKS,
    PointFitted,
    Points,
    TrailingWindow,
    fitted_rule,
)
from gpu_fleet.clock import DAY_S
from gpu_fleet.forecasts import NotForecastable

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from gpu_fleet.forecasts import Target
    from gpu_fleet.series import Series

__all__ = ["SeasonalNaive"]

Kind = TypeVar("Kind", bound=np.generic)

SEASONS_NEEDED = 2
"""One season to repeat and one to see how wrong that is."""


@dataclass(frozen=True, slots=True)
class _SameTimeBefore:
    """The value one season before the target, or the least number of seasons that is known."""

    season: int
    """Steps in a season."""

    def points(self, series: Series, targets: Sequence[Target]) -> list[Points]:
        """What the last known season says; sound where that was measured."""
        return [
            self._peaks(series, target.ahead) if target.peak else self._values(series, target.ahead)
            for target in targets
        ]

    def _values(self, series: Series, ahead: int) -> Points:
        back = self.season * -(-ahead // self.season) - ahead
        return Points(_delayed(series.values, back, np.nan), _delayed(series.measured, back, 0))

    def _peaks(self, series: Series, ahead: int) -> Points:
        """The most of the season's values over the same steps; all of them where those wrap."""
        width = min(ahead, self.season)
        most = np.full(len(series), np.nan)
        sound = np.zeros(len(series), dtype=np.bool_)
        if len(series) >= width:
            most[width - 1 :] = rolling_max(series.values, width)
            sound[width - 1 :] = mostly_measured(series.measured, width)
        back = self.season - width
        return Points(_delayed(most, back, np.nan), _delayed(sound, back, 0))

    def state(self) -> Mapping[str, object]:
        """Its kind and its season."""
        return {"kind": "seasonal-naive", "season": self.season}


@dataclass(frozen=True, slots=True)
class SeasonalNaive:
    """Repeats the last season; its bounds are the quantiles of its errors of the last days."""

    name: str = "seasonal-naive"
    season_days: int = 1
    window: TrailingWindow = TWO_WEEKS

    def fit(self, past: Series, targets: Sequence[Target], levels: Sequence[float]) -> PointFitted:
        """Nothing is learned; refuses a past of less than two seasons."""
        asked = Asked.of(past, targets, levels)
        season = round(self.season_days * DAY_S / past.step_s)
        if season < SEASONS_NEEDED:
            raise NotForecastable(
                f"series {past.name}: a step of {past.step_s} s shows nothing of a season of "
                f"{self.season_days} days; give a shorter step"
            )
        if len(past) < SEASONS_NEEDED * season:
            raise NotForecastable(
                f"series {past.name}: {len(past)} steps, but two seasons of {season} are needed; "
                "wait for more history"
            )
        return fitted_rule(past, asked, _SameTimeBefore(season), self.window)

    def revive(self, state: Mapping[str, object]) -> PointFitted:
        """What was fitted before."""
        rule = stored.part(state, "rule")
        if stored.text(rule, "kind") != "seasonal-naive":
            raise stored.bad_part("kind", f"this model was not fitted by {self.name}")
        season = stored.whole(rule, "season", least=SEASONS_NEEDED)
        return PointFitted(Asked.revive(state), _SameTimeBefore(season), self.window)


def _delayed(values: NDArray[Kind], back: int, fill: float) -> NDArray[Kind]:
    """What each step knows of `back` steps ago; `fill` where that was before the beginning."""
    moved = np.full_like(values, fill)
    moved[back:] = values[: max(0, len(values) - back)]
    return moved
