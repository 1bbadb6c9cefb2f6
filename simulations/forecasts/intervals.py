"""How sure a figure is that was averaged along a walk, where neighbours are alike.

Outcomes that overlap, and days that resemble each other, are no independent evidence; so the walk
is cut into batches that are much longer than that, and only batches count as observations. This
module must not know what the figures mean.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

import numpy as np

from simulations.statistics import mean_interval

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

__all__ = ["Interval", "batches", "ratio_interval"]

Interval: TypeAlias = tuple[float, float]

LEAST_BATCHES = 2
MOST_BATCHES = 20
"""More batches would be shorter, and the shorter the less independent."""
HORIZONS_A_BATCH = 2


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


def ratio_interval(parts: Floats, wholes: Floats, batch: NDArray[np.int64]) -> Interval | None:
    """The 95 % interval of `sum(parts) / sum(wholes)`; None where it cannot be told.

    A mean is a ratio too: its wholes are ones. Batches need not be equally long, since each is
    compared with what the ratio would have given it (linearised, then Student's t over batches).
    """
    count = int(batch.max()) + 1 if batch.size else 0
    of_parts = np.bincount(batch, weights=parts, minlength=count)
    of_wholes = np.bincount(batch, weights=wholes, minlength=count)
    held = np.bincount(batch, minlength=count) > 0
    whole = float(of_wholes.sum())
    if int(held.sum()) < LEAST_BATCHES or whole == 0:
        return None
    ratio = float(of_parts.sum()) / whole
    strayed = (of_parts - ratio * of_wholes)[held] * int(held.sum()) / whole
    found = mean_interval(ratio + strayed)
    return None if found.lo is None or found.hi is None else (found.lo, found.hi)
