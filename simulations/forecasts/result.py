"""Everything that was said along a walk through one series, beside what came.

Rows, tables and the report are made from this value, so it holds answers and outcomes and no figure
about them. This module must not judge.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from autoscaler.backtest.follow import FollowSettings, follow
from autoscaler.backtest.walk import together
from autoscaler.forecasters.outcomes import outcomes
from autoscaler.forecasters.registry import NAIVE
from gpu_fleet.errors import UnknownName

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from autoscaler.backtest.follow import Followed
    from autoscaler.backtest.walk import Told, Walked
    from gpu_fleet.series import Series
    from simulations.forecasts.spec import BacktestSpec, StudyPlan

__all__ = ["BEST_NAIVE", "SELECTED", "SeriesResult", "result_of"]

SELECTED = "selected"
"""What would have been answered: those that had earned it, at each moment."""
BEST_NAIVE = "best_naive"
"""The naive forecaster that lost least in hindsight."""


@dataclass(frozen=True, slots=True, eq=False)
class SeriesResult:
    """One series: n origins, m models, k horizons (`plan.kept`), l levels (`spec.levels`)."""

    series: Series
    spec: BacktestSpec
    plan: StudyPlan
    told: tuple[Told, ...]
    """What each model told, in the order of `models`."""
    walked: Walked
    followed: Followed
    came: NDArray[np.float64]
    """The outcome as seen from each origin, [n, k]; not-a-number where it was not measured."""

    @property
    def models(self) -> tuple[str, ...]:
        """The forecasters' names."""
        return self.walked.names

    @property
    def naive(self) -> tuple[str, ...]:
        """Those of them that are naive."""
        pairs = zip(self.walked.names, self.walked.naive, strict=True)
        return tuple(name for name, is_naive in pairs if is_naive)

    @property
    def origins(self) -> NDArray[np.int64]:
        """The step of each origin, [n]."""
        return self.walked.origins

    @property
    def counts(self) -> NDArray[np.bool_]:
        """Which outcomes count: after the split, and measured, [n, k]."""
        late = self.origins >= self.plan.split
        return np.asarray(late[:, np.newaxis] & np.isfinite(self.came))

    def said(self, model: str) -> NDArray[np.float64]:
        """What a model said, [n, k, l]: naive ones as they are, others corrected.

        `selected` is what would have been answered. Not-a-number where it was mute.
        """
        if model == SELECTED:
            return self.followed.selected
        if model not in self.models:
            raise UnknownName(f"no model {model!r} in this backtest; it has {self.models}")
        at = self.models.index(model)
        said = self.walked.raw if model in self.naive else self.followed.calibrated
        return said[:, at]

    def told_by(self, model: str) -> Told:
        """What a model told, and what that took."""
        return self.told[self.models.index(model)]


def result_of(
    series: Series,
    spec: BacktestSpec,
    plan: StudyPlan,
    told: Sequence[Told],
    settings: FollowSettings | None = None,
) -> SeriesResult:
    """Correct and share out along the walk that these models told of, and look up what came."""
    walked = together(told, NAIVE, plan.targets, spec.levels, plan.walk)
    came = np.stack([outcomes(series, target) for target in plan.targets], axis=1)
    return SeriesResult(
        series=series,
        spec=spec,
        plan=plan,
        told=tuple(told),
        walked=walked,
        followed=follow(series, walked, settings or FollowSettings()),
        came=came[walked.origins],
    )
