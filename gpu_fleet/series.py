"""Demand over time as one value: evenly spaced numbers, and which of them were really measured.

Forecasts are made from this and from nothing else, so whatever was repaired on the way here is
marked: a forecaster that learns from a stand-in, or is judged by one, must be able to know.
This module must not read, repair or predict anything.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from enum import Enum
from typing import TYPE_CHECKING

import numpy as np

from gpu_fleet.clock import DAY_S
from gpu_fleet.errors import FleetError

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["Level", "Mark", "MarkKind", "Series"]


class Level(Enum):
    """How much of the fleet a series speaks for; accuracy is a statement about this too."""

    CLUSTER = "cluster"
    POOL = "pool"
    WORKLOAD = "workload"


class MarkKind(Enum):
    """What was noticed, and where needed repaired, in a stretch of a series."""

    GAP = "gap"
    """No sample; a stand-in made from the past is in its place."""
    OUTAGE = "outage"
    """Samples that say nothing about demand (zeros of a broken collector); replaced as a gap is."""
    DUPLICATE = "duplicate"
    """Several samples of one moment; the last one counts."""
    RESET = "reset"
    """A counter began anew; the step holds what it had counted since."""
    UNORDERED = "unordered"
    """Samples that arrived out of order and were sorted."""
    PARTIAL = "partial"
    """Some of a step's samples are missing; the others, half of them or more, speak for it."""
    STEP = "step"
    """How long the steps are, where that was not asked for; it stands on the first step."""
    LEVEL_SHIFT = "level shift"
    """The level changed for good; nothing was replaced."""


@dataclass(frozen=True, slots=True)
class Mark:
    """One thing that was noticed, on the steps `first` to `last`, both included."""

    kind: MarkKind
    first: int
    last: int
    detail: str = ""


@dataclass(frozen=True, slots=True, eq=False)
class Series:
    """Numbers `step_s` apart; the value at i speaks for the step that begins at `time_s(i)`.

    Every value is finite. Where `measured` is False it is a stand-in that was made from earlier
    values only, so that cutting a series never changes what is left.
    """

    name: str
    unit: str
    level: Level
    start_s: int
    """Seconds since 1970 UTC; a source without dates begins its day 0 at 0."""
    step_s: int
    values: NDArray[np.float64]
    measured: NDArray[np.bool_]
    utc_offset_s: int = 0
    """Where the people live whose days shape the demand: local time less UTC."""
    marks: tuple[Mark, ...] = field(default=())

    def __post_init__(self) -> None:
        if self.step_s <= 0:
            raise FleetError(f"series {self.name}: a step of {self.step_s} s; give 1 or more")
        if self.values.shape != self.measured.shape or self.values.ndim != 1:
            raise FleetError(f"series {self.name}: one flag is needed for each value")
        if not np.isfinite(self.values).all():
            raise FleetError(f"series {self.name}: a value is not finite; repair it first")
        self.values.flags.writeable = False
        self.measured.flags.writeable = False

    def __len__(self) -> int:
        return len(self.values)

    @property
    def steps_a_day(self) -> int:
        """How many steps make a day; 0 where a step is longer than one."""
        return DAY_S // self.step_s

    def time_s(self, index: int) -> int:
        """When a step begins, in seconds since 1970 UTC."""
        return self.start_s + index * self.step_s

    def upto(self, count: int) -> Series:
        """The first `count` steps, as they were known then."""
        return replace(
            self,
            values=self.values[:count],
            measured=self.measured[:count],
            marks=tuple(
                replace(mark, last=min(mark.last, count - 1))
                for mark in self.marks
                if mark.first < count
            ),
        )

    def last(self, count: int) -> Series:
        """The last `count` steps; marks before them are dropped, others move along."""
        skip = max(0, len(self) - count)
        return replace(
            self,
            start_s=self.time_s(skip),
            values=self.values[skip:],
            measured=self.measured[skip:],
            marks=tuple(
                replace(mark, first=max(0, mark.first - skip), last=mark.last - skip)
                for mark in self.marks
                if mark.last >= skip
            ),
        )
