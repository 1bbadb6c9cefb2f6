"""The figures of a backtest, row by row: docs/reference/forecast-backtest.schema.json in code.

Only origins after the split count, and only outcomes that were measured. Naive forecasters are
shown with the quantiles of their own errors, as anybody would build them; every other model with
its corrected quantiles; `selected` as it would have been answered. This module must not print or
draw.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from autoscaler.calibration.tracking import pinball
from gpu_fleet.clock import DAY_S
from simulations.forecasts.intervals import (
    batches,
    error_of_misses,
    loss_interval,
    share_interval,
)
from simulations.forecasts.result import BEST_NAIVE, SELECTED
from simulations.forecasts.spec import LOW, MIDDLE, UPPER

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from gpu_fleet.series import Series
    from simulations.forecasts.intervals import Interval
    from simulations.forecasts.result import SeriesResult

__all__ = ["Scores", "best_naive", "day_error", "json_rows", "scores_of"]

Row = dict[str, object]


@dataclass(frozen=True, slots=True, eq=False)
class Scores:
    """One model's answers at one horizon beside what came, at the origins that count."""

    model: str
    """The forecaster whose answers they are."""
    origins: NDArray[np.int64]
    came: NDArray[np.float64]
    said: NDArray[np.float64]
    """[origin, level]."""
    level: float
    """That of the upper bound."""

    @property
    def errors(self) -> NDArray[np.float64]:
        """How far the middle was off."""
        return np.abs(self.came - self.said[:, MIDDLE])

    @property
    def losses(self) -> NDArray[np.float64]:
        """The pinball loss of the upper bound."""
        return pinball(self.came, self.said[:, UPPER], self.level)

    @property
    def held(self) -> NDArray[np.float64]:
        """1 where the upper bound held, else 0."""
        return (self.came <= self.said[:, UPPER]).astype(np.float64)

    @property
    def widths(self) -> NDArray[np.float64]:
        """The upper bound less the middle."""
        return self.said[:, UPPER] - self.said[:, MIDDLE]

    @property
    def over_provision(self) -> NDArray[np.float64]:
        """What was held ready and not needed."""
        return np.maximum(self.said[:, UPPER] - self.came, 0.0)

    def among(self, origins: NDArray[np.int64]) -> Scores:
        """At those of its origins that are among these."""
        both = np.isin(self.origins, origins, assume_unique=True)
        return Scores(self.model, self.origins[both], self.came[both], self.said[both], self.level)


def scores_of(result: SeriesResult, model: str, k: int) -> Scores:
    """A model at the horizon `result.plan.kept[k]`: the origins that count and at which it spoke.

    `best_naive` is the naive forecaster that lost least.
    """
    name = best_naive(result, k) if model == BEST_NAIVE else model
    said = result.said(name)[:, k]
    spoke = result.counts[:, k] & np.isfinite(said).all(axis=1)
    return Scores(
        name, result.origins[spoke], result.came[spoke, k], said[spoke], result.spec.levels[UPPER]
    )


def best_naive(result: SeriesResult, k: int) -> str:
    """The naive forecaster with the least mean pinball loss, in hindsight.

    One that was mute at origins at which another spoke had an easier task and is passed over.
    """
    found = [scores_of(result, name, k) for name in result.naive]
    most = max(len(scores.origins) for scores in found)
    whole = [scores for scores in found if len(scores.origins) == most]
    return min(whole, key=lambda scores: _mean(scores.losses) or 0.0).model


def day_error(series: Series, split: int) -> float | None:
    """The mean of |value - value a day before| before the split; None where there is no day."""
    day = series.steps_a_day
    if day < 1 or split <= day:
        return None
    both = series.measured[day:split] & series.measured[: split - day]
    errors = np.abs(series.values[day:split] - series.values[: split - day])[both]
    return _mean(errors)


def json_rows(results: Sequence[SeriesResult]) -> list[Row]:
    """For each series and horizon: `selected`, `best_naive`, then each model."""
    return [
        _row(result, model, k)
        for result in results
        for k in range(len(result.plan.kept))
        for model in (SELECTED, BEST_NAIVE, *result.models)
    ]


def _row(result: SeriesResult, model: str, k: int) -> Row:
    scores = scores_of(result, model, k)
    naive = scores_of(result, BEST_NAIVE, k)
    wape = _ratio(scores.errors.sum(), np.abs(scores.came).sum())
    fit_s, predict_ms = _times(result, scores.model)
    horizon = result.plan.kept[k]
    batch = batches(scores.origins, result.series.steps_a_day, horizon.ahead)
    ones = np.ones(len(scores.origins))
    return {
        "series": result.series.name,
        "model": model,
        "horizon_s": horizon.horizon_s,
        "wape": wape,
        "accuracy": None if wape is None else 1.0 - wape,
        "mase": _mase(result, scores),
        "pinball95": _mean(scores.losses),
        "pinball95_ci95": _pair(loss_interval(scores.losses, ones, batch)),
        "coverage95": _mean(scores.held),
        "coverage95_ci95": _pair(share_interval(scores.held, batch)),
        "mean_width": _mean(scores.widths),
        "mean_band": _mean(scores.said[:, UPPER] - scores.said[:, LOW]),
        "mean_over_provision": _mean(scores.over_provision),
        "mean_value": _mean(scores.came),
        "naive": naive.model,
        **_skill(result, scores, naive, horizon.ahead),
        "choices": _choices(result, k) if model == SELECTED else None,
        "origins": len(scores.origins),
        "days": len(scores.origins) * result.series.step_s / DAY_S,
        "fit_s": fit_s,
        "predict_ms": predict_ms,
    }


def _mase(result: SeriesResult, scores: Scores) -> float | None:
    usual = day_error(result.series, result.plan.split)
    mean = _mean(scores.errors)
    return None if usual is None or mean is None else _ratio(mean, usual)


def _skill(result: SeriesResult, scores: Scores, naive: Scores, ahead: int) -> Row:
    """How much less than the best naive forecaster it lost, where both spoke."""
    ours, theirs = scores.among(naive.origins), naive.among(scores.origins)
    share = _ratio(ours.losses.sum(), theirs.losses.sum())
    batch = batches(ours.origins, result.series.steps_a_day, ahead)
    misses = error_of_misses(_a_miss(ours, theirs), ours.level, ahead)
    found = loss_interval(ours.losses, theirs.losses, batch, miss_error=misses)
    return {
        "skill": None if share is None else 1.0 - share,
        "skill_ci95": None if found is None else [1.0 - found[1], 1.0 - found[0]],
    }


def _a_miss(ours: Scores, theirs: Scores) -> NDArray[np.float64]:
    """By how much a miss at each step would change which bound loses less.

    By how far one bound is from the other, but no further than the naive one is usually missed by.
    """
    beyond = theirs.came - theirs.said[:, UPPER]
    missed = beyond[beyond > 0]
    usual = float(missed.mean()) if missed.size else np.inf
    return np.minimum(np.abs(ours.said[:, UPPER] - theirs.said[:, UPPER]), usual)


def _choices(result: SeriesResult, k: int) -> dict[str, float]:
    """The mean part of each model in the upper bound, over the origins that count."""
    parts = result.followed.parts[result.counts[:, k], :, k, UPPER]
    means = parts.sum(axis=0) / max(1, len(parts))
    return {name: float(mean) for name, mean in zip(result.models, means, strict=True) if mean > 0}


def _times(result: SeriesResult, model: str) -> tuple[float, float]:
    """A fit and an answer; for `selected` those of all models, since all are followed."""
    of = result.told if model == SELECTED else (result.told_by(model),)
    return sum(told.fit_s for told in of), sum(told.predict_ms for told in of)


def _mean(values: NDArray[np.float64]) -> float | None:
    return float(values.mean()) if values.size else None


def _ratio(part: float, whole: float) -> float | None:
    return float(part) / float(whole) if whole > 0 else None


def _pair(interval: Interval | None) -> list[float] | None:
    return None if interval is None else list(interval)
