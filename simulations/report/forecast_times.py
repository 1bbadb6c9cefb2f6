"""When things were, as a planner says it: spans in round units, moments on the local calendar.

Charts of a forecast share one axis, days since a local midnight, so that its whole numbers are the
nights. This module must not know what happened at any moment.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final

import numpy as np

from gpu_fleet.clock import DAY_S
from simulations.report.numbers import NARROW
from simulations.runs.durations import in_words

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from gpu_fleet.series import Series

__all__ = ["Calendar", "span_words"]

MINUTE_S: Final = 60
HOUR_S: Final = 3_600
YEAR_S: Final = 366 * DAY_S
"""A series that begins in 1970 has no dates: it counts from its own day 0."""
LAST_DATE_S: Final = 253_402_214_400
"""The last day that a calendar of four-figure years knows."""


def span_words(seconds: int) -> str:
    """A span in the largest unit that leaves no rest, kept on one line: 10 min, 1 h, 24 h, 7 d."""
    return in_words(seconds).replace(" ", NARROW)


@dataclass(frozen=True, slots=True)
class Calendar:
    """The steps of a series on the clock of those who make its demand."""

    start_s: int
    """Local: seconds since 1970 on that clock."""
    step_s: int
    utc_offset_s: int
    is_dated: bool

    @classmethod
    def of(cls, series: Series) -> Calendar:
        """The calendar of this series."""
        start_s = series.start_s + series.utc_offset_s
        end_s = start_s + len(series) * series.step_s
        is_dated = not 0 <= series.start_s < YEAR_S and 0 <= end_s < LAST_DATE_S
        return cls(start_s, series.step_s, series.utc_offset_s, is_dated)

    def local_s(self, step: int) -> int:
        """When a step begins."""
        return self.start_s + step * self.step_s

    def moment(self, step: int) -> str:
        """`Mon 2026-03-02 09:00`, or `day 3, 09:00` where there are no dates."""
        return f"{self._day(self.local_s(step))} {self._clock(self.local_s(step))}"

    def night_before(self, step: int) -> int:
        """The local midnight that a step follows, in local seconds."""
        return self.local_s(step) // DAY_S * DAY_S

    def days(self, steps: NDArray[np.int64], night_s: int) -> NDArray[np.float64]:
        """Where steps begin on an axis of days since a midnight."""
        return np.asarray((self.start_s + steps * self.step_s - night_s) / DAY_S)

    def axis_label(self, night_s: int) -> str:
        """What such an axis counts."""
        if not self.is_dated:
            return f"Days; 0 is the beginning of {self._day(night_s)}"
        return f"Days since {self._day(night_s)} 00:00, {self.clock_name}"

    @property
    def clock_name(self) -> str:
        """Which clock that is."""
        if not self.utc_offset_s:
            return "UTC"
        hours, rest = divmod(abs(self.utc_offset_s) // MINUTE_S, 60)
        sign = "+" if self.utc_offset_s > 0 else "-"
        return f"UTC{sign}{hours}" + (f":{rest:02d}" if rest else "")

    def _day(self, local_s: int) -> str:
        if not self.is_dated:
            return f"day{NARROW}{local_s // DAY_S}"
        # Not fromtimestamp: it refuses what lies beyond the platform's own calendar.
        return f"{datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=local_s):%a %Y-%m-%d}"

    def _clock(self, local_s: int) -> str:
        hours, rest = divmod(local_s % DAY_S, HOUR_S)
        return f"{hours:02d}:{rest // MINUTE_S:02d}"
