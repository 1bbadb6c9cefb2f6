"""The forecast that explains itself: what comes, who says so, why they are believed, since when.

It is read off the end of the same walk that a backtest scores, so a live answer is the last answer
of a backtest that ends now. This module must not read a clock: what time it is, is how long the
series is.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from autoscaler.backtest.follow import FollowSettings, follow
from autoscaler.backtest.walk import WalkPlan, together, walk
from autoscaler.forecasters.outcomes import outcomes
from autoscaler.repairs import repairs
from gpu_fleet.clock import DAY_S
from gpu_fleet.errors import FleetError
from gpu_fleet.forecasts import Answer, Forecast, Unanswered

if TYPE_CHECKING:
    from collections.abc import Sequence

    from autoscaler.backtest.follow import Followed
    from autoscaler.backtest.walk import Told, Walked
    from autoscaler.selection import SelectionSettings
    from gpu_fleet.forecasts import Forecaster, Target
    from gpu_fleet.series import Series

__all__ = ["ForecastSettings", "forecast", "forecast_of", "recent_walk"]

_LEAST_PART = 0.005
"""A smaller part in an answer does not show in it."""


@dataclass(frozen=True, slots=True)
class ForecastSettings:
    """How much of the past is walked before an answer, and how it is corrected and combined."""

    levels: tuple[float, ...] = (0.05, 0.5, 0.95)
    days: float = 14.0
    """Bounds forget half of what they know in five days; two weeks are all that matters."""
    least_horizons: int = 21
    """For far targets longer: as many times as far as they look, so that who forecasts them can be
    proven (`SelectionSettings.least_independent`) and is then watched for a while."""
    most_refits: int = 4
    """Models are fitted anew so often on the way, and once more for the answer."""
    follow: FollowSettings = field(default_factory=FollowSettings)


def recent_walk(series: Series, targets: Sequence[Target], settings: ForecastSettings) -> WalkPlan:
    """A walk to the last step, through the last part of the series, half of it at most."""
    if not len(series) or not targets:
        raise FleetError(f"series {series.name}: a forecast needs a step and a target")
    farthest = max(target.ahead for target in targets)
    wanted = max(
        round(settings.days * DAY_S / series.step_s),
        settings.least_horizons * farthest,
        settings.follow.calibration.least_outcomes + farthest,
    )
    end = len(series)
    first = min(end - 1, max(end // 2, end - wanted))
    on_the_way = WalkPlan.evenly(first, end, max(1, series.steps_a_day), settings.most_refits)
    return WalkPlan(first, end, tuple(dict.fromkeys((*on_the_way.refits, end - 1))))


def forecast(
    series: Series,
    forecasters: Sequence[Forecaster],
    naive: Sequence[str],
    targets: Sequence[Target],
    settings: ForecastSettings | None = None,
) -> Forecast:
    """What these forecasters have to say now; the ones named in `naive` are the guesses to beat."""
    settings = settings or ForecastSettings()
    plan = recent_walk(series, targets, settings)
    told = [
        walk(series, forecaster, targets, settings.levels, plan, lambda: 0.0)
        for forecaster in forecasters
    ]
    return forecast_of(series, told, naive, targets, plan, settings)


def forecast_of(
    series: Series,
    told: Sequence[Told],
    naive: Sequence[str],
    targets: Sequence[Target],
    plan: WalkPlan,
    settings: ForecastSettings,
) -> Forecast:
    """The same, where the walks have been taken already."""
    walked = together(told, naive, targets, settings.levels, plan)
    if not any(walked.naive):
        raise FleetError("a forecast without a naive one beside it; give one or more of them")
    followed = follow(series, walked, settings.follow)
    age_s = (plan.end - 1 - plan.refits[-1]) * series.step_s
    ends = [_End(series, walked, followed, k, age_s) for k in range(len(walked.targets))]
    return Forecast(
        series=series.name,
        unit=series.unit,
        origin_s=series.time_s(len(series)),
        step_s=series.step_s,
        levels=walked.levels,
        answers=tuple(end.answer(settings) for end in ends if end.is_known),
        unanswered=tuple(end.unanswered(told) for end in ends if not end.is_known),
        repaired=repairs(series),
    )


@dataclass(frozen=True, slots=True, eq=False)
class _End:
    """The last origin of a walk, for one target."""

    series: Series
    walked: Walked
    followed: Followed
    k: int
    age_s: int

    @property
    def target(self) -> Target:
        return self.walked.targets[self.k]

    @property
    def horizon_s(self) -> int:
        return self.target.ahead * self.series.step_s

    @property
    def is_known(self) -> bool:
        return bool(np.isfinite(self.followed.selected[-1, self.k]).all())

    def answer(self, settings: ForecastSettings) -> Answer:
        """The last answer, with what makes it believable."""
        naive = self._best_naive()
        of_naive = self.walked.raw[-1, naive, self.k]
        held, count = self._held()
        names = self.walked.names
        return Answer(
            target=self.target,
            horizon_s=self.horizon_s,
            quantiles=tuple(self.followed.selected[-1, self.k].tolist()),
            parts=tuple(self._parts(level) for level in range(len(self.walked.levels))),
            reason=self._reason(naive, settings.follow.selection),
            naive=names[naive],
            naive_quantiles=tuple(of_naive.tolist()) if np.isfinite(of_naive).all() else (),
            outcomes=count,
            held=held,
            model_age_s=self.age_s,
        )

    def unanswered(self, told: Sequence[Told]) -> Unanswered:
        """Why nobody could answer: what the first that was refused lacked."""
        refusals = [one.refusal for one in told if one.refusal]
        why = next(iter(refusals), "too few outcomes so far; wait for more history")
        return Unanswered(self.target, self.horizon_s, why)

    def _best_naive(self) -> int:
        """The naive one that lost least lately; before there is evidence the first that speaks."""
        losses = self.followed.losses[:, self.k, -1]
        last = self.walked.raw[-1, :, self.k]
        ranked = [
            (not np.isfinite(last[m]).all(), float(losses[m]), m)
            for m, is_naive in enumerate(self.walked.naive)
            if is_naive
        ]
        return min(ranked)[2]

    def _parts(self, level: int) -> tuple[tuple[str, float], ...]:
        """Who has which part in a quantile; parts that do not show are left out."""
        parts = self.followed.parts[-1, :, self.k, level]
        shown = np.where(parts >= _LEAST_PART, parts, 0.0)
        shown /= shown.sum()
        named = zip(self.walked.names, shown.tolist(), strict=True)
        return tuple(sorted((pair for pair in named if pair[1] > 0), key=lambda pair: -pair[1]))

    def _reason(self, naive: int, settings: SelectionSettings) -> str:
        """Why the highest quantile is by those who share it."""
        parts = self.followed.parts[-1, :, self.k, -1]
        used = [m for m in self._challengers() if parts[m] >= _LEAST_PART]
        return self._why_these(used, naive) if used else self._why_naive(naive, settings)

    def _challengers(self) -> list[int]:
        return [m for m, is_naive in enumerate(self.walked.naive) if not is_naive]

    def _why_these(self, used: Sequence[int], naive: int) -> str:
        losses, names = self.followed.losses[:, self.k, -1], self.walked.names
        best = min(used, key=lambda m: float(losses[m]))
        whose = "" if len(used) == 1 else f"the best of them, {names[best]}, "
        less = _less(losses[best], losses[naive])
        return f"{whose}{less} than {names[naive]}, the best naive one"

    def _why_naive(self, naive: int, settings: SelectionSettings) -> str:
        losses = self.followed.losses[:, self.k, -1]
        if not np.isfinite(losses[naive]):
            return "is naive, and used until it is known who loses least"
        judged = [(float(losses[m]), m) for m in self._challengers() if np.isfinite(losses[m])]
        if not judged:
            return "is naive, and nobody else has been judged"
        loss, best = min(judged)
        asked = settings.unproven_margin if self._is_unproven(settings) else 0.0
        wanted = f"{asked:.0%} less is asked for" if asked else "less is asked for"
        return (
            f"is naive, and the best of the others, {self.walked.names[best]}, "
            f"{_less(loss, losses[naive])} ({wanted})"
        )

    def _is_unproven(self, settings: SelectionSettings) -> bool:
        independent = (len(self.walked.origins) - 1) / self.target.ahead
        return independent < settings.least_independent

    def _held(self) -> tuple[float | None, int]:
        """How often the highest quantile was not exceeded on this walk, and of how often."""
        came = outcomes(self.series, self.target)[self.walked.origins]
        bound = self.followed.selected[:, self.k, -1]
        known = np.isfinite(came) & np.isfinite(bound)
        count = int(known.sum())
        return (float((came[known] <= bound[known]).mean()) if count else None), count


def _less(loss: float, than: float) -> str:
    """How much less, or more, one lost lately."""
    if than <= 0:
        return "has lost as little" if loss <= 0 else "has lost more"
    share = 1.0 - loss / than
    return f"has lost {abs(share):.1%} {'less' if share >= 0 else 'more'} lately"
