"""How sure a figure is that was averaged along a walk, where neighbours are alike.

Outcomes that overlap, and days that resemble each other, are no independent evidence; so the walk
is cut into batches that are much longer than that, and only batches count as observations. There
are few of them, and neither losses nor shares are spread evenly around their mean, so a loss is
looked at on a scale of ratios and a share by its score. This module must not know what was said.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import exp, hypot, sqrt
from typing import TYPE_CHECKING, TypeAlias

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

__all__ = ["Interval", "batches", "error_of_misses", "loss_interval", "share_interval"]

Interval: TypeAlias = tuple[float, float]

LEAST_BATCHES = 2
MOST_BATCHES = 10
"""More would be shorter, and the shorter the less independent; with fewer Student's t is wide.
Chosen among 4, 6, 8, 10 and 16 on made-up demand, seeds 1001 to 1400."""
HORIZONS_A_BATCH = 2
TWO_SIDED_95 = 0.975
NORMAL_95 = 1.959964


def batches(steps: NDArray[np.int64], steps_a_day: int, ahead: int) -> NDArray[np.int64]:
    """The batch of each step: whole days, and at least two horizons long.

    What does not fill the last batch belongs to the one before it.
    """
    if not steps.size:
        return np.zeros(0, dtype=np.int64)
    day = max(1, steps_a_day)
    first, span = int(steps[0]), int(steps[-1]) - int(steps[0]) + 1
    least = max(HORIZONS_A_BATCH * ahead, -(-span // MOST_BATCHES))
    length = day * -(-least // day)
    last = max(1, span // length) - 1
    return np.minimum((steps - first) // length, last)


def loss_interval(
    parts: Floats, wholes: Floats, batch: NDArray[np.int64], *, miss_error: float = 0.0
) -> Interval | None:
    """The 95 % interval of `sum(parts) / sum(wholes)`, none below 0; None where it cannot be told.

    A mean is such a ratio too: its wholes are ones. `miss_error` is the standard error of
    `sum(parts)` by `error_of_misses`, which counts beside what the batches show.
    """
    ratio = _Ratio.of(parts, wholes, batch, miss_error)
    if ratio is None:
        return None
    if ratio.value <= 0:
        return 0.0, 0.0
    reach = exp(ratio.reach / ratio.value)
    return ratio.value / reach, ratio.value * reach


def error_of_misses(weights: Floats, share: float, ahead: int) -> float:
    """The standard error of a sum that each miss changes by its weight, of a bound with this share.

    Two bounds that are alike lose nearly the same at each step, so that batches look alike too; yet
    one miss more or less changes which of them is better. Outcomes `ahead` steps ahead overlap, and
    are missed together.
    """
    return sqrt(ahead * share * (1.0 - share) * float((weights * weights).sum()))


def share_interval(held: Floats, batch: NDArray[np.int64]) -> Interval | None:
    """The 95 % interval of the share of ones (Wilson's); None where it cannot be told.

    Each outcome counts as much as the spread over batches shows it to be worth.
    """
    ratio = _Ratio.of(held, np.ones(len(held)), batch)
    if ratio is None:
        return None
    share, t = ratio.value, ratio.student_t
    worth = len(held) if ratio.error <= 0 else share * (1.0 - share) / ratio.error**2
    pull = t * t / worth
    centre = (share + pull / 2) / (1 + pull)
    reach = sqrt(share * (1.0 - share) * pull + pull * pull / 4) / (1 + pull)
    return max(0.0, centre - reach), min(1.0, centre + reach)


@dataclass(frozen=True, slots=True)
class _Ratio:
    """A ratio of sums over batches, which need not be equally long."""

    value: float
    error: float
    """Its standard error, linearised: each batch against what the ratio would have given it."""
    student_t: float
    miss_error: float
    """What misses by chance add to it; known beforehand, hence a normal law and not Student's t."""

    @property
    def reach(self) -> float:
        """How far the ends of a plain interval are from the middle."""
        return hypot(self.student_t * self.error, NORMAL_95 * self.miss_error)

    @classmethod
    def of(
        cls, parts: Floats, wholes: Floats, batch: NDArray[np.int64], miss_error: float = 0.0
    ) -> _Ratio | None:
        held = np.bincount(batch) > 0 if batch.size else np.zeros(0, dtype=np.bool_)
        count, whole = int(held.sum()), float(wholes.sum())
        if count < LEAST_BATCHES or whole <= 0:
            return None
        value = float(parts.sum()) / whole
        strayed = np.bincount(batch, weights=parts - value * wholes)[held] * count / whole
        error = float(strayed.std(ddof=1)) / sqrt(count)
        return cls(value, error, _student_t(count - 1), miss_error / whole)


def _student_t(freedom: int) -> float:
    # Only when asked: scipy.special takes as long to import as numpy.
    from scipy.special import stdtrit  # noqa: PLC0415 - see above

    return float(stdtrit(freedom, TWO_SIDED_95))
