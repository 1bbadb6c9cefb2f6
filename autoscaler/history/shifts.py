"""Levels that changed for good: noticed when they are, and never repaired.

`Cusum` adds up errors that lean to one side until chance no longer explains them; the calibration
of bounds feeds it too. Demand is compared to both yesterday and last week, since a Saturday is no
shift. This module must not replace a value.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["Cusum", "Lean", "Shift", "level_shifts"]

DAYS_A_WEEK = 7
SCALE_DAYS = 7
"""Errors of so many days, up to a day ago, say what is usual."""
SLACK = 1.5
"""Errors up to this many usual ones are no sign of a shift."""
LIMIT_DAYS = 0.75
"""A shift is told once errors beyond the slack add up to this many days of one usual error."""
MOST_ERROR = 4.0
"""A spike counts as this many usual errors, so that none is a shift by itself."""
LEAST_SCALE = 0.05
"""Errors of this share of the level are always usual."""
LEAST_DAY = 4
"""With fewer steps a day there is no day to compare with."""


class Lean(Enum):
    """To which side errors lean."""

    UP = "up"
    DOWN = "down"


class Cusum:
    """Tells when errors have leaned to one side for longer than chance would let them.

    Two one-sided sums of scaled errors, each less a slack; after it told, both begin at 0.
    """

    __slots__ = ("_down", "_limit", "_most", "_slack", "_up")

    def __init__(self, *, slack: float, limit: float, most: float = MOST_ERROR) -> None:
        self._slack = slack
        self._limit = limit
        self._most = most
        self._up = 0.0
        self._down = 0.0

    def feed(self, error: float) -> Lean | None:
        """One error, in usual errors; not-a-number says nothing. The side, if it is told now."""
        if error != error:  # noqa: PLR0124  # the quickest way to see not-a-number
            return None
        bounded = min(max(error, -self._most), self._most)
        self._up = max(0.0, self._up + bounded - self._slack)
        self._down = max(0.0, self._down - bounded - self._slack)
        lean = self._lean()
        if lean is not None:
            self.forget()
        return lean

    def forget(self) -> None:
        """Begin anew, as after a change that is known of."""
        self._up = self._down = 0.0

    def _lean(self) -> Lean | None:
        if self._up > self._limit:
            return Lean.UP
        return Lean.DOWN if self._down > self._limit else None


@dataclass(frozen=True, slots=True)
class Shift:
    """A shift of the level, at the step at which it was noticed."""

    step: int
    lean: Lean
    level: float
    """The mean of the steps that showed it."""
    before: float
    """The mean of the same steps a day before."""


def level_shifts(
    values: NDArray[np.float64], measured: NDArray[np.bool_], steps_a_day: int
) -> tuple[Shift, ...]:
    """Every shift, in the order of time; each is told once, and none in the day after it."""
    day = steps_a_day
    if day < LEAST_DAY or len(values) <= day:
        return ()
    errors = _scaled_errors(values, measured, day)
    cusum = Cusum(slack=SLACK, limit=LIMIT_DAYS * day)
    found: list[Shift] = []
    quiet_until = 0
    for step, error in enumerate(errors.tolist()):
        if step < quiet_until:
            continue
        lean = cusum.feed(error)
        if lean is not None:
            found.append(_shift(values, step, lean, day))
            quiet_until = step + day
    return tuple(found)


def _shift(values: NDArray[np.float64], step: int, lean: Lean, day: int) -> Shift:
    width = max(1, day // 4)
    level = float(values[step + 1 - width : step + 1].mean())
    before = float(values[step + 1 - width - day : step + 1 - day].mean())
    return Shift(step, lean, level, before)


def _scaled_errors(
    values: NDArray[np.float64], measured: NDArray[np.bool_], day: int
) -> NDArray[np.float64]:
    """How unlike yesterday and last week each value is, over how unlike values usually are."""
    errors = _errors(values, day)
    seen = measured & ~np.isnan(errors)
    known = np.where(seen, np.abs(errors), 0.0)
    count = _window_sum(seen.astype(np.float64), day)
    usual = _ratio(_window_sum(known, day), count)
    level = _ratio(_window_sum(np.where(seen, np.abs(values), 0.0), day), count)
    scale = np.maximum(usual, LEAST_SCALE * level)
    with np.errstate(invalid="ignore", divide="ignore"):
        scaled = np.where(errors == 0, 0.0, errors / scale)
    return np.where(seen & (count >= day), scaled, np.nan)


def _errors(values: NDArray[np.float64], day: int) -> NDArray[np.float64]:
    """The smaller of the differences to the day before and, once there is one, to the week."""
    errors = np.full(len(values), np.nan)
    errors[day:] = values[day:] - values[:-day]
    week = DAYS_A_WEEK * day
    if len(values) > week:
        weekly = values[week:] - values[:-week]
        daily = errors[week:]
        errors[week:] = np.where(np.abs(weekly) < np.abs(daily), weekly, daily)
    return errors


def _window_sum(numbers: NDArray[np.float64], day: int) -> NDArray[np.float64]:
    """The sum over the days that ended a day before each step."""
    sums: NDArray[np.float64] = np.concatenate((np.zeros(1), np.cumsum(numbers)))
    upto = np.maximum(np.arange(len(numbers)) - day + 1, 0)
    window: NDArray[np.float64] = sums[upto] - sums[np.maximum(upto - SCALE_DAYS * day, 0)]
    return window


def _ratio(sums: NDArray[np.float64], count: NDArray[np.float64]) -> NDArray[np.float64]:
    ratio = np.zeros(len(sums), dtype=np.float64)
    np.divide(sums, count, out=ratio, where=count > 0)
    return ratio
