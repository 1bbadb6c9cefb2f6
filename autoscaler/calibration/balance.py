"""Bounds that held too seldom lately are widened, those that held too often are narrowed.

Quantile tracking corrects a bound by where outcomes fall; this counts how many fell outside, and
answers in proportion to how many more that were than there should be (the integral term of
conformal PID control: Angelopoulos, Candes and Tibshirani, 2023). Outcomes that overlap count as
one: the further ahead a bound looks, the fewer are known and the older they are, so the less it is
moved. This module must not know how a bound was made or corrected before.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from autoscaler.calibration.tracking import MIDDLE, middle_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from autoscaler.calibration.settings import CalibrationSettings
    from gpu_fleet.forecasts import Target

    Floats = NDArray[np.float64]

__all__ = ["Balance"]


class Balance:
    """Widens and narrows the quantiles of k targets at l levels. Feed every step in order."""

    def __init__(
        self,
        targets: Sequence[Target],
        levels: Sequence[float],
        steps_a_day: int,
        settings: CalibrationSettings,
    ) -> None:
        self._ahead = np.array([target.ahead for target in targets])
        self._levels = np.asarray(levels, dtype=np.float64)
        self._outward = np.sign(self._levels - MIDDLE)
        self._middle = middle_of(levels)
        self._gain = settings.balance_gain
        self._limits = settings.balance_limits
        self._keep = 0.5 ** (1.0 / (settings.memory_days * max(1, steps_a_day)))
        shape = (len(targets), len(levels))
        self._below = np.zeros(shape)
        self._known = np.zeros(len(targets))
        self._answered = np.full((1 + int(self._ahead.max(initial=0)), *shape), np.nan)
        self._step = -1

    def step(self, said: Floats, came: Floats, floor: float) -> Floats:
        """Go on by one step; returns what is answered, [k, l], ordered and nowhere below `floor`.

        `said` is the quantiles of now, [k, l]. `came` is the outcome of each target that became
        known now, [k], not-a-number where none did.
        """
        self._step += 1
        for k in np.flatnonzero(~np.isnan(came) & (self._step >= self._ahead)).tolist():
            self._learn(k, float(came[k]))
        middle = said[:, self._middle, np.newaxis]
        evened = np.maximum(np.sort(middle + (said - middle) * self._widths(), axis=1), floor)
        self._answered[self._step % len(self._answered)] = evened
        return evened

    def _learn(self, k: int, outcome: float) -> None:
        then = self._answered[(self._step - self._ahead[k]) % len(self._answered), k]
        if np.isfinite(then).all():
            self._below[k] = self._below[k] * self._keep + (outcome <= then)
            self._known[k] = self._known[k] * self._keep + 1.0

    def _widths(self) -> Floats:
        """By how much each quantile's distance from the median is multiplied, [k, l]."""
        wanted = self._known[:, np.newaxis] * self._levels
        lacking = (wanted - self._below) * self._outward / self._ahead[:, np.newaxis]
        widths: Floats = np.clip(1.0 + self._gain * lacking, *self._limits)
        return widths
