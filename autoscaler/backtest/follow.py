"""One pass over a series: correct every candidate's quantiles, share out the answer, go on.

What is said at a step depends on that step and those before it; a backtest reads off what was said
at each, a live forecast reads off the last. This module must not fit anything.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from autoscaler.calibration.balance import Balance
from autoscaler.calibration.settings import CalibrationSettings
from autoscaler.calibration.tracking import Tracking, middle_of
from autoscaler.forecasters.outcomes import outcomes
from autoscaler.selection import SelectionSettings, parts

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from autoscaler.backtest.walk import Walked
    from gpu_fleet.series import Series

    Floats = NDArray[np.float64]
    Flags = NDArray[np.bool_]

__all__ = ["FollowSettings", "Followed", "follow"]


@dataclass(frozen=True, slots=True)
class FollowSettings:
    """How forecasts are corrected and combined."""

    calibration: CalibrationSettings = field(default_factory=CalibrationSettings)
    selection: SelectionSettings = field(default_factory=SelectionSettings)


@dataclass(frozen=True, slots=True, eq=False)
class Followed:
    """What was said at each origin of a walk: n origins, m candidates, k targets, l levels."""

    calibrated: Floats
    """Every candidate's quantiles after correction, [n, m, k, l]."""
    selected: Floats
    """What would have been answered, [n, k, l]."""
    parts: Floats
    """Which part each candidate had in that, [n, m, k, l]; they add to 1."""
    losses: Floats
    """What each candidate had lost lately, at the last origin, [m, k, l]."""
    lost_its_way: Flags
    """Where a candidate's errors were found to lean to one side, [n, m, k]."""


def follow(series: Series, walked: Walked, settings: FollowSettings) -> Followed:
    """Correct, and share out the answer, along a walk."""
    raw = walked.raw
    n, m, k, levels = raw.shape
    naive = np.asarray(walked.naive, dtype=np.bool_)
    cal = settings.calibration
    asked = walked.targets, walked.levels, series.steps_a_day
    tracking = Tracking(m, *asked, cal.rates, cal)
    final = Tracking(1, *asked, cal.final_rates, cal, root=cal.final_root, aim=cal.final_aim)
    balance = Balance(*asked, cal)
    middle = middle_of(walked.levels)
    came = _came(series, walked)
    floor = _floor(series)[walked.origins]
    calibrated = np.empty_like(raw)
    selected = np.empty((n, k, levels))
    shares = np.empty_like(raw)
    lost = np.zeros((n, m, k), dtype=np.bool_)
    independent, remembered = _evidence(series, walked, cal)
    unproven = independent < settings.selection.least_independent
    for i in range(n):
        said, lost[i] = tracking.step(raw[i], came[i])
        calibrated[i] = np.maximum(said, floor[i])
        able, known = np.isfinite(said), (independent[i], remembered[i])
        shares[i] = parts(tracking.losses, able, naive, *known, settings.selection)
        answer = _mean(calibrated[i], shares[i])
        answer = _cautious(answer, calibrated[i][naive], unproven[i], middle)
        said, _ = final.step(np.sort(answer, axis=1)[np.newaxis], came[i])
        selected[i] = balance.step(said[0], came[i], floor[i])
    return Followed(calibrated, selected, shares, tracking.losses, lost)


def _evidence(
    series: Series, walked: Walked, settings: CalibrationSettings
) -> tuple[Floats, Floats]:
    """How many outcomes without overlap could be known at each origin, and are remembered: [n, k].

    What fades with a half-life tells of as many as would come in half-life / ln 2.
    """
    steps = np.arange(len(walked.origins), dtype=np.float64)[:, np.newaxis]
    ahead = np.array([target.ahead for target in walked.targets])
    most = settings.memory_days * max(1, series.steps_a_day) / math.log(2.0)
    return steps / ahead, np.minimum(steps, most) / ahead


def _mean(said: Floats, shares: Floats) -> Floats:
    """What candidates say by their parts in the answer, [k, l]; who has none may be mute."""
    mean: Floats = np.where(shares > 0, said * shares, 0.0).sum(axis=0)
    return mean


def _cautious(answer: Floats, naive: Floats, unproven: Flags, middle: int) -> Floats:
    """The answer, at least as wide as every naive one where too little came true to know better.

    `answer` is [k, l], `naive` [m, k, l], `unproven` [k].
    """
    wide = answer.copy()
    wide[:, :middle] = np.fmin(answer[:, :middle], np.fmin.reduce(naive[:, :, :middle]))
    wide[:, middle + 1 :] = np.fmax(
        answer[:, middle + 1 :], np.fmax.reduce(naive[:, :, middle + 1 :])
    )
    return np.where(unproven[:, np.newaxis], wide, answer)


def _came(series: Series, walked: Walked) -> Floats:
    """The outcome of each target that becomes known at each origin, [n, k]."""
    came = np.full((len(walked.origins), len(walked.targets)), np.nan)
    for k, target in enumerate(walked.targets):
        of_origin = outcomes(series, target)
        asked_at = walked.origins - target.ahead
        known = asked_at >= walked.origins[0]
        came[known, k] = of_origin[asked_at[known]]
    return came


def _floor(series: Series) -> Floats:
    """Demand that was never below zero will not be; one that was has no floor but its own."""
    lowest: NDArray[np.float64] = np.minimum.accumulate(series.values)
    return np.where(lowest >= 0, 0.0, -np.inf)
