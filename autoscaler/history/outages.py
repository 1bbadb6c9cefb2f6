"""Samples that say nothing about demand: the zeros and frozen values of a broken collector.

A run of one value is judged against earlier runs and moves, step by step and by nothing later, so
that what is plain in the past (a pool that is often empty, a count that stands for hours) is kept.
So are zeros that demand came down to, and a value that is the most there ever was.
This module must not replace anything.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["Outage", "outages"]

LONGER = 3
"""A run is implausible once it is this many times as long as any that was kept before."""
LEAST_STUCK = 6
"""So many equal values in a row are never called stuck."""
SUDDEN = 6.0
"""A fall to zero of this many mean moves is no demand that went away."""
LEVEL_STEPS = 3
"""It falls from the most of the hour before, and of so many values: it may break in mid-step."""
LEAST_MOVES = 8
"""Before so many moves nothing is called sudden."""
RESTLESS = 0.75
"""Only what moves in this share of its steps can be called stuck; GPU counts stand for days."""
LEAST_HISTORY = 24
"""Before so many steps, or a day of them, nothing is called an outage."""


HOURS_A_DAY = 24


@dataclass(frozen=True, slots=True)
class Outage:
    """Values from `first` up to `end` that say nothing, and why."""

    first: int
    end: int
    why: str


def outages(
    values: NDArray[np.float64], steps_a_day: int, longest_steps: int
) -> tuple[Outage, ...]:
    """Every outage in values that were all measured.

    Whether a value belongs to one depends on the values up to it alone. What lasts longer than
    `longest_steps` is believed from then on.
    """
    begins = np.flatnonzero(np.diff(values, prepend=np.nan) != 0)
    ends = np.append(begins[1:], len(values))
    lengths = ends - begins
    judged = (values[begins] == 0) | (lengths > LEAST_STUCK)
    past = _Past(values, np.maximum.accumulate(np.where(judged, 0, lengths)), steps_a_day)
    found: list[Outage] = []
    for run in np.flatnonzero(judged).tolist():
        begin, end = int(begins[run]), int(ends[run])
        past.go_to(begin, run)
        outage = None
        if begin >= max(steps_a_day, LEAST_HISTORY):
            outage = past.judge(begin, end, longest_steps)
        if outage is not None:
            found.append(outage)
        past.keep(begin, end, outage)
    return tuple(found)


class _Past:
    """What was seen before a run: how far values move, and how long they stand."""

    def __init__(
        self, values: NDArray[np.float64], plain_longest: NDArray[np.int64], steps_a_day: int
    ) -> None:
        self._values = values
        self._plain_longest = plain_longest
        moves = np.abs(np.diff(values, prepend=values[:1]))
        self._move_sum = np.cumsum(moves)
        self._move_count = np.cumsum(moves > 0)
        self._most = np.maximum.accumulate(values)
        self._sum, self._count, self._steps, self._upto = 0.0, 0, 0, 0
        self._hour = max(LEVEL_STEPS, steps_a_day // HOURS_A_DAY)
        self._longest = 0
        self._longest_zero = 0

    def go_to(self, begin: int, run: int) -> None:
        """Learn from the values between the last run that was judged and this one."""
        if begin - 1 > self._upto:
            self._sum += float(self._move_sum[begin - 1] - self._move_sum[self._upto])
            self._count += int(self._move_count[begin - 1] - self._move_count[self._upto])
            self._steps += begin - 1 - self._upto
            self._upto = begin - 1
        if run:
            self._longest = max(self._longest, int(self._plain_longest[run - 1]))

    def judge(self, begin: int, end: int, longest_steps: int) -> Outage | None:
        """The part of a run that is an outage."""
        stop = min(end, begin + longest_steps)
        value = float(self._values[begin])
        if value == 0:
            first = begin + LONGER * self._longest_zero
            why = "zero at once, unlike any fall before"
            is_implausible = self._is_sudden(begin)
        else:
            first = begin + max(LEAST_STUCK, LONGER * self._longest)
            why = f"stuck at {value:g} for longer than any value before"
            is_implausible = self._is_restless() and value < self._most[begin - 1]
        return Outage(first, stop, why) if is_implausible and first < stop else None

    def keep(self, begin: int, end: int, outage: Outage | None) -> None:
        """Learn from what of the run was kept; the ways into and out of an outage are no moves."""
        kept = end - begin if outage is None else outage.first - begin
        if outage is not None and outage.end < end:
            kept = end - begin
        self._longest = max(self._longest, kept)
        if self._values[begin] == 0:
            self._longest_zero = max(self._longest_zero, kept)
        if outage is not None:
            self._upto = end

    def _is_restless(self) -> bool:
        return self._count >= RESTLESS * self._steps

    def _is_sudden(self, begin: int) -> bool:
        if self._count < LEAST_MOVES:
            return False
        level = float(self._values[max(0, begin - self._hour) : begin].max())
        return level > SUDDEN * self._sum / self._count
