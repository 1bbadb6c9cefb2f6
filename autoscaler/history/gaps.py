"""Stand-ins for steps without a value, made from what was known when the step ended.

The day before is followed at today's level; the nearer to now what is followed was measured, the
less it is scaled. Without a day of history the last value stays. A line drawn to the next value
would be nearer, and would tell the past what came later. This module must not decide which steps
are missing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["filled"]

LEVEL_SHARE_OF_DAY = 12
"""Today's level is seen in the last two hours."""
LEAST_LEVEL_STEPS = 3
MOST_SCALE = 4.0
"""Today is taken to be at most this many times yesterday, or this part of it."""


def filled(values: NDArray[np.float64], steps_a_day: int) -> NDArray[np.float64]:
    """The values, with a stand-in wherever there was none; the first one must be there."""
    whole = values.copy()
    missing = np.isnan(values)
    if not missing.any():
        return whole
    most = MOST_SCALE * np.fmax.accumulate(np.abs(values))
    edges = np.flatnonzero(np.diff(missing, prepend=False, append=False))
    for begin, end in edges.reshape(-1, 2).tolist():
        _fill(whole, begin, end, steps_a_day)
        # Stand-ins are made from stand-ins where gaps are many: they must not grow without end.
        np.clip(whole[begin:end], -most[begin], most[begin], out=whole[begin:end])
    return whole


def _fill(whole: NDArray[np.float64], begin: int, end: int, day: int) -> None:
    """Fill from `begin` up to `end`, a day at a time where the gap is longer than that."""
    if day < 1 or begin <= day:
        whole[begin:end] = whole[begin - 1]
        return
    first = min(end, begin + day)
    fading = (_scale(whole, begin, day) - 1) * (1 - np.arange(first - begin) / day)
    whole[begin:first] = whole[begin - day : first - day] * (1 + fading)
    for at in range(first, end, day):
        upto = min(end, at + day)
        whole[at:upto] = whole[at - day : upto - day]


def _scale(whole: NDArray[np.float64], begin: int, day: int) -> float:
    """Today's level over yesterday's, in the steps before the gap and a day before them."""
    width = min(max(LEAST_LEVEL_STEPS, day // LEVEL_SHARE_OF_DAY), begin - day)
    now = float(whole[begin - width : begin].sum())
    then = float(whole[begin - width - day : begin - day].sum())
    if now < 0 or then <= 0:
        return 1.0
    return min(max(now / then, 1 / MOST_SCALE), MOST_SCALE)
