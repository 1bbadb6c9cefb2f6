"""Bounds that follow what comes true: online conformal correction at several speeds.

A quantile that was too low is raised by what it should rarely have been missed by, and lowered a
little whenever it held; in the long run it then holds as often as it says, whatever the forecaster
is (Gibbs and Candes, 2021; Angelopoulos, Candes and Tibshirani, 2023). No one speed suits every
series, so several run side by side and the one that would have lost least lately is used.
When errors lean to one side for longer than chance allows, what came before is almost forgotten.
This module must not know how a quantile was made, nor which candidates are believed.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from autoscaler.history.shifts import Cusum

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from autoscaler.calibration.settings import CalibrationSettings
    from gpu_fleet.forecasts import Target

    Floats = NDArray[np.float64]

__all__ = ["Tracking", "middle_of", "pinball"]

MIDDLE = 0.5


def middle_of(levels: Sequence[float]) -> int:
    """Which of some levels is the median, or next to it."""
    return min(range(len(levels)), key=lambda at: abs(levels[at] - MIDDLE))


def pinball(outcome: Floats | float, quantile: Floats, level: Floats | float) -> Floats:
    """What a quantile loses by an outcome: the misses above weigh `level`, those below the rest."""
    error = outcome - quantile
    return np.maximum(level * error, (level - 1.0) * error)


class Tracking:
    """Corrects the quantiles of several candidates, each for itself, step by step.

    Shapes: m candidates, k targets, l levels, r rates. Feed every step of a series in order.
    A rate is divided by the steps ahead to the power of `root`; `aim` is how much further out than
    its level a bound is aimed.
    """

    def __init__(
        self,
        candidates: int,
        targets: Sequence[Target],
        levels: Sequence[float],
        steps_a_day: int,
        rates: Sequence[float],
        settings: CalibrationSettings,
        *,
        root: float = 0.5,
        aim: float = 0.0,
    ) -> None:
        day = max(1, steps_a_day)
        self._settings = settings
        self._targets = tuple(targets)
        self._levels = np.asarray(levels, dtype=np.float64)[np.newaxis, :, np.newaxis]
        at_once = np.asarray(rates, dtype=np.float64)
        self._rates = [at_once / target.ahead**root for target in self._targets]
        outward = np.sign(self._levels - MIDDLE)
        self._aims = np.clip(self._levels + outward * aim, 0.0, 1.0)
        self._middle = middle_of(levels)
        self._keep_loss = 0.5 ** (1.0 / (settings.memory_days * day))
        self._keep_scale = 0.5 ** (1.0 / (settings.scale_half_life_days * day))
        shape = (candidates, len(self._targets), len(levels), len(rates))
        self._corrections = np.zeros(shape)
        self._speed_losses = np.zeros(shape)
        self._losses = np.zeros(shape[:3])
        self._beside = np.zeros(shape[:3])
        self._weights = np.zeros(shape[:2])
        self._scales = np.zeros(shape[:2])
        self._scale_weights = np.zeros(shape[:2])
        self._outcomes = np.zeros(shape[:2], dtype=np.int64)
        self._ring = 1 + max(target.ahead for target in self._targets)
        self._said = np.full((self._ring, *shape), np.nan)
        self._answered = np.full((self._ring, *shape[:3]), np.nan)
        self._raw_middle = np.full((self._ring, *shape[:2]), np.nan)
        self._scale_then = np.zeros((self._ring, *shape[:2]))
        self._cusums = [
            [
                Cusum(
                    slack=settings.shift_slack,
                    limit=settings.shift_limit + settings.shift_limit_ahead * target.ahead,
                )
                for target in self._targets
            ]
            for _ in range(candidates)
        ]
        self._step = -1
        self._last_usual = np.zeros(shape[:2])

    @property
    def losses(self) -> Floats:
        """The mean pinball loss lately of what was answered, [m, k, l]; infinite while unknown.

        One that was mute for a while, or forgot it, had easier or harder outcomes than others. So
        each is measured by what the first candidate lost by the same outcomes, and told as if all
        had met those of the first.
        """
        known = (self._outcomes >= self._settings.least_outcomes) & (self._weights > 0)
        weights = np.where(known, self._weights, 1.0)[:, :, np.newaxis]
        mean, beside = self._losses / weights, self._beside / weights
        first = np.take_along_axis(beside, known.argmax(axis=0)[np.newaxis, :, np.newaxis], axis=0)
        as_if = np.divide(first, beside, out=np.ones_like(beside), where=beside > 0)
        return np.where(known[:, :, np.newaxis], mean * as_if, math.inf)

    def step(self, raw: Floats, came: Floats) -> tuple[Floats, NDArray[np.bool_]]:
        """Go on by one step; returns the corrected quantiles and who lost its way just now.

        `raw` is what each candidate says now, [m, k, l], not-a-number where it is mute. `came` is
        the outcome of each target that became known now, [k], not-a-number where none did.
        """
        self._step += 1
        lost = np.zeros(self._weights.shape, dtype=np.bool_)
        for k, target in enumerate(self._targets):
            then = self._step - target.ahead
            if then >= 0 and not math.isnan(came[k]):
                lost[:, k] = self._learn(k, then % self._ring, float(came[k]))
        return self._answer(raw), lost

    def _learn(self, k: int, slot: int, outcome: float) -> NDArray[np.bool_]:
        """Let target k learn from what was said in `slot` and what came of it."""
        said, answered = self._said[slot, :, k], self._answered[slot, :, k]
        spoke = np.isfinite(answered).all(axis=1)
        levels = self._levels
        scale = self._scale_then[slot, :, k][:, np.newaxis, np.newaxis]
        missed = (outcome > said) - (1.0 - self._aims)
        step = np.where(spoke[:, np.newaxis, np.newaxis], self._rates[k] * scale * missed, 0.0)
        self._corrections[:, k] += step
        lost_by_speed = pinball(outcome, said, levels)
        self._remember(k, spoke, lost_by_speed, pinball(outcome, answered, levels[..., 0]))
        errors = outcome - self._raw_middle[slot, :, k]
        lost = self._lean(k, np.where(spoke, errors, np.nan))
        self._widen(k, spoke, np.abs(errors))
        return lost

    def _remember(
        self, k: int, spoke: NDArray[np.bool_], by_speed: Floats, answered: Floats
    ) -> None:
        keep = np.where(spoke, self._keep_loss, 1.0)
        first = answered[spoke.argmax()]
        self._speed_losses[:, k] *= keep[:, np.newaxis, np.newaxis]
        self._losses[:, k] *= keep[:, np.newaxis]
        self._beside[:, k] *= keep[:, np.newaxis]
        self._weights[:, k] = self._weights[:, k] * keep + spoke
        self._speed_losses[:, k] += np.where(spoke[:, np.newaxis, np.newaxis], by_speed, 0.0)
        self._losses[:, k] += np.where(spoke[:, np.newaxis], answered, 0.0)
        self._beside[:, k] += np.where(spoke[:, np.newaxis], first, 0.0)
        self._outcomes[:, k] += spoke

    def _widen(self, k: int, spoke: NDArray[np.bool_], sizes: Floats) -> None:
        """Count an error in what is usual."""
        keep = np.where(spoke, self._keep_scale, 1.0)
        self._scales[:, k] = self._scales[:, k] * keep + np.where(spoke, sizes, 0.0)
        self._scale_weights[:, k] = self._scale_weights[:, k] * keep + spoke

    def _lean(self, k: int, errors: Floats) -> NDArray[np.bool_]:
        """Which candidates' errors lean to one side; these forget most of what they knew."""
        usual = self._usual()[:, k]
        lost = np.zeros(len(errors), dtype=np.bool_)
        for m, (error, scale) in enumerate(zip(errors.tolist(), usual.tolist(), strict=True)):
            if scale > 0 and self._outcomes[m, k] >= self._settings.least_outcomes:
                lost[m] = self._cusums[m][k].feed(error / scale) is not None
        keep = self._settings.kept_at_shift
        for kept in (self._scales, self._scale_weights):
            kept[lost, k] *= keep
        self._speed_losses[lost, k] *= keep
        return lost

    def _usual(self) -> Floats:
        """The usual size of an error, [m, k]; 0 while there is none."""
        weights = self._scale_weights
        usual: Floats = self._scales / np.where(weights > 0, weights, 1.0)
        return usual

    def _shrink(self) -> None:
        """Let corrections shrink with what is usual.

        They were learned in its measure: after a storm a bound would come down by small steps what
        it went up by large ones. They do not grow with it, for their next step does already.
        """
        usual, before = self._usual(), self._last_usual
        ratio = usual / np.where(before > 0, before, np.inf)
        shrunk = np.where(before > 0, np.minimum(ratio, 1.0), 1.0)
        self._corrections *= shrunk[:, :, np.newaxis, np.newaxis]
        self._last_usual = usual

    def _answer(self, raw: Floats) -> Floats:
        slot = self._step % self._ring
        self._shrink()
        said = raw[..., np.newaxis] + self._corrections
        best = self._speed_losses.argmin(axis=3)
        best[self._outcomes < self._settings.least_outcomes] = 0
        answer: Floats = np.take_along_axis(said, best[..., np.newaxis], axis=3)[..., 0]
        answer.sort(axis=2)
        self._said[slot] = said
        self._answered[slot] = answer
        self._raw_middle[slot] = raw[:, :, self._middle]
        self._scale_then[slot] = self._last_usual
        return answer
