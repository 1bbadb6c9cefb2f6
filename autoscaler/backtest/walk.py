"""What each forecaster said, from every origin of a stretch of history, retrained on the way.

An origin's answer comes from the latest model that was fitted before it, as it would live. Where a
fit is refused the last one that succeeded goes on. This module must not correct or judge anything.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from gpu_fleet.forecasts import NotForecastable

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    from gpu_fleet.forecasts import Fitted, Forecaster, Target
    from gpu_fleet.series import Series

__all__ = ["Told", "WalkPlan", "Walked", "together", "walk"]


@dataclass(frozen=True, slots=True)
class WalkPlan:
    """Which origins, and where on the way models are fitted anew."""

    first: int
    """The first origin."""
    end: int
    """One past the last origin."""
    refits: tuple[int, ...]
    """Origins at which a model is fitted, on everything up to and including that step."""

    @property
    def origins(self) -> NDArray[np.int64]:
        """Every origin, in order."""
        return np.arange(self.first, self.end, dtype=np.int64)

    @classmethod
    def evenly(cls, first: int, end: int, every: int, most: int) -> WalkPlan:
        """A fit each `every` steps, but no more than `most` of them."""
        apart = max(every, -(-(end - first) // most), 1)
        return cls(first, end, tuple(range(first, end, apart)))


@dataclass(frozen=True, slots=True, eq=False)
class Told:
    """What one forecaster told on a walk, and what that took."""

    name: str
    raw: NDArray[np.float64]
    """[n, k, l]; not-a-number where it was mute."""
    fit_s: float
    """The mean time of a fit; 0 where there was none."""
    predict_ms: float
    """The time of one answer from the last origin, alone."""
    refusal: str = ""
    """Why the last fit was refused; empty when it was not."""


def walk(
    series: Series,
    forecaster: Forecaster,
    targets: Sequence[Target],
    levels: Sequence[float],
    plan: WalkPlan,
    now_s: Callable[[], float],
) -> Told:
    """Let one forecaster tell its quantiles along a plan; `now_s` only times it."""
    raw = np.full((plan.end - plan.first, len(targets), len(levels)), np.nan)
    fitted: Fitted | None = None
    refusal, fit_s = "", []
    for start, stop in zip(plan.refits, (*plan.refits[1:], plan.end), strict=True):
        began_s = now_s()
        try:
            fitted = forecaster.fit(series.upto(start + 1), targets, levels)
            refusal = ""
            fit_s.append(now_s() - began_s)
        except NotForecastable as error:
            refusal = str(error)
        if fitted is not None:
            origins = np.arange(start, stop, dtype=np.int64)
            raw[start - plan.first : stop - plan.first] = fitted.quantiles(series, origins)
    predict_ms = 0.0
    if fitted is not None:
        began_s = now_s()
        fitted.quantiles(series, plan.origins[-1:])
        predict_ms = (now_s() - began_s) * 1e3
    return Told(forecaster.name, raw, float(np.mean(fit_s or [0.0])), predict_ms, refusal)


@dataclass(frozen=True, slots=True, eq=False)
class Walked:
    """What all candidates told: n origins, m candidates, k targets, l levels."""

    names: tuple[str, ...]
    naive: tuple[bool, ...]
    targets: tuple[Target, ...]
    levels: tuple[float, ...]
    origins: NDArray[np.int64]
    raw: NDArray[np.float64]


def together(
    told: Sequence[Told],
    naive: Sequence[str],
    targets: Sequence[Target],
    levels: Sequence[float],
    plan: WalkPlan,
) -> Walked:
    """Several forecasters' walks along one plan, side by side."""
    return Walked(
        tuple(one.name for one in told),
        tuple(one.name in naive for one in told),
        tuple(targets),
        tuple(levels),
        plan.origins,
        np.stack([one.raw for one in told], axis=1),
    )
