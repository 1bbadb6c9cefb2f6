"""What can be seen of a series from each origin, as numbers that a learner can use.

Everything is told relative to the value at the origin and in units of how much the series has moved
lately. So the same shape looks the same on ten GPUs and on ten thousand, and whatever was learned
holds when demand grows. Each number is computed alike for one origin and for many, to the last bit.
This module must not learn, and from an origin it must not look ahead.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from autoscaler.forecasters import stored
from autoscaler.forecasters.asked import nothing_yet
from autoscaler.forecasters.outcomes import rolling_max
from gpu_fleet.clock import DAY_S
from gpu_fleet.forecasts import NotForecastable

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from gpu_fleet.forecasts import Target
    from gpu_fleet.series import Series

    Column = NDArray[np.float64]

__all__ = ["Ahead", "Rhythm", "Sight", "Units"]

FARTHEST = 1e6
"""Values are cut this many units from the centre: a broken sample must not overflow a square."""
LARGEST_MOVE = 50.0
"""One step's move counts at most as this many usual ones when the scale is measured."""
WILDEST = 200.0
"""A clue says at most this many units of the scale."""
LAGS = (1, 2, 3, 4, 6, 9, 12, 18, 24, 36)
SCALE_DAYS = 3
NAMED_DAYS = (1, 2, 3, 7)
"""Earlier days that are looked at one by one; of all seven the mean is told."""
WEEK = 7
FEWEST_STEPS_A_DAY = 4
"""With longer steps a day has no shape."""


@dataclass(frozen=True, slots=True)
class Units:
    """A centre and a unit that bring a series near one; the unit is a power of two, so exact."""

    centre: float
    unit: float
    usual_move: float
    """The mean move from one step to the next, in units."""

    @classmethod
    def of(cls, past: Series) -> Units:
        """The units that suit a past; refuses one that never moves."""
        values = past.values[past.measured]
        moves = np.abs(np.diff(past.values))[past.measured[1:] & past.measured[:-1]]
        if len(moves) == 0 or moves.max() == 0:
            raise NotForecastable(
                f"series {past.name} never moves, so there is nothing to learn; use last-value"
            )
        cap = float(np.quantile(moves, 0.99)) or float(moves.max())
        typical = float(np.minimum(moves, cap).mean())
        unit = math.ldexp(1.0, math.frexp(typical)[1])
        if unit == 0 or not math.isfinite(1 / unit):
            raise NotForecastable(
                f"series {past.name} moves by too little to count; give it in a smaller unit"
            )
        return cls(float(np.median(values)), unit, typical / unit)

    def values(self, series: Series) -> Column:
        """A series in these units, cut where it runs away."""
        with np.errstate(over="ignore"):
            told = (series.values - self.centre) / self.unit
        return np.clip(told, -FARTHEST, FARTHEST)

    def state(self) -> dict[str, object]:
        """As JSON could hold it."""
        return {"centre": self.centre, "unit": self.unit, "usual_move": self.usual_move}

    @classmethod
    def revive(cls, state: Mapping[str, object]) -> Units:
        """Out of `state`."""
        found = cls(*(stored.number(state, name) for name in ("centre", "unit", "usual_move")))
        if found.unit <= 0 or found.usual_move <= 0:
            raise stored.bad_part("unit", "a unit and a usual move are more than zero")
        return found


@dataclass(frozen=True, slots=True)
class Rhythm:
    """Which rhythms a past was long enough to show."""

    step_s: int
    week: bool
    """Whether what was a week ago is told."""
    weekday: bool
    """Whether the day of the week is told: a learner should have seen each one twice."""

    @classmethod
    def of(cls, past: Series) -> Rhythm:
        """The rhythms that a past shows."""
        days = len(past) * past.step_s / DAY_S
        return cls(past.step_s, days >= WEEK + 2, days >= 2 * WEEK + 1)

    @property
    def day(self) -> int:
        """Steps in a day."""
        return max(1, DAY_S // self.step_s)

    @property
    def hour(self) -> int:
        """Steps in an hour, one where they are longer."""
        return max(1, round(3_600 / self.step_s))

    def days_before(self, ahead: int) -> list[int]:
        """How many days before the target its time of day is known, as seen from the origin."""
        if self.day < FEWEST_STEPS_A_DAY:
            return []
        return [back for back in range(1, WEEK + 1) if back * self.day >= ahead]

    def state(self) -> dict[str, object]:
        """As JSON could hold it."""
        return {"week": int(self.week), "weekday": int(self.weekday)}

    @classmethod
    def revive(cls, state: Mapping[str, object], step_s: int) -> Rhythm:
        """Out of `state`."""
        flags = [stored.whole(state, name, least=0) for name in ("week", "weekday")]
        return cls(step_s, bool(flags[0]), bool(flags[1]))


@dataclass(frozen=True, slots=True)
class Ahead:
    """What is seen from each origin of one target."""

    rows: NDArray[np.float64]
    """All columns, for trees."""
    clues: list[Column]
    """The few columns that a straight line can use, in units of `scale`, never absent."""
    profile: Column
    """What the same time of earlier days says, in units of `scale`."""
    scale: Column
    """How much the series moves around here, in its units."""

    def only(self, kept: NDArray[np.bool_] | slice) -> Ahead:
        """What is seen from some of the origins."""
        clues = [clue[kept] for clue in self.clues]
        return Ahead(self.rows[kept], clues, self.profile[kept], self.scale[kept])


class Sight:
    """A series as seen from some origins."""

    def __init__(
        self, series: Series, origins: NDArray[np.int64], units: Units, rhythm: Rhythm
    ) -> None:
        self._series, self._origins, self._rhythm = series, origins, rhythm
        self._values = values = units.values(series)
        self._sums = _sums(values)
        self._squares = _sums(values * values)
        counted = np.zeros(len(values))
        counted[1:] = series.measured[1:] & series.measured[:-1]
        moves = np.minimum(np.abs(np.diff(values, prepend=values[:1])), LARGEST_MOVE)
        self._moves, self._counted = _sums(moves * counted), _sums(counted)
        self._usual_move = units.usual_move
        self.unit = units.unit
        self.now = values[origins]
        self._wide = np.maximum(
            self._mean_move(SCALE_DAYS * rhythm.day, origins), 0.02 * units.usual_move
        )
        self._recent = self._recent_columns()

    @classmethod
    def of_nothing(cls, units: Units, rhythm: Rhythm) -> Sight:
        """A sight of no origins, to learn which columns there are."""
        return cls(nothing_yet(rhythm.step_s), np.zeros(0, dtype=np.int64), units, rhythm)

    def ahead(self, target: Target) -> Ahead:
        """What is seen of one target."""
        days = self._rhythm.days_before(target.ahead)
        then, here = self._earlier_days(target, days)
        changes = then - here
        change, profile, habit = _mean(changes), _mean(then), _mean(here)
        named = [
            (i, day)
            for i, day in enumerate(days)
            if day in NAMED_DAYS and (day < WEEK or self._rhythm.week)
        ]
        columns = [change, profile, habit]
        for i, day in named:
            columns += [changes[i], then[i], *self._smoothed(target.ahead, day)]
        clues = [change, profile, *(changes[i] for i, _ in named)]
        clues += [then[i] for i, day in named if day in (1, WEEK)]
        clues += [self._mean(self._sums, width) - self.now for width in self._clue_widths()]
        clues.append(self._before(self._values, [1])[0] - self.now)
        scale = self._scale(target.ahead, days)
        rows = np.column_stack(
            [
                *self._recent,
                *(column / self._wide for column in columns),
                *self._calendar(target.ahead),
                self._wide / scale,
            ]
        )
        return Ahead(rows, [_told(clue / scale) for clue in clues], _told(profile / scale), scale)

    def _clue_widths(self) -> Sequence[int]:
        return (self._rhythm.hour, self._rhythm.day, SCALE_DAYS * self._rhythm.day)

    def _recent_columns(self) -> list[Column]:
        """What was just before, whatever the target is."""
        hour, day = self._rhythm.hour, self._rhythm.day
        lags = [lag for lag in LAGS if lag <= max(1, day // 2)]
        columns = [*((self._before(self._values, lags) - self.now) / self._wide)]
        for width in sorted({hour, 3 * hour, 6 * hour, 12 * hour, day} - {1}):
            mean = self._mean(self._sums, width)
            variance = np.maximum(self._mean(self._squares, width) - mean * mean, 0.0)
            columns += [(mean - self.now) / self._wide, np.sqrt(variance) / self._wide]
        for width in (3 * hour, day):
            columns.append(self._mean_move(width, self._origins) / self._wide)
        return columns

    def _earlier_days(
        self, target: Target, days: list[int]
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """The outcome of the same target on earlier days, and its origin's value, less now's."""
        day, ahead = self._rhythm.day, target.ahead
        came = self._values
        if target.peak:
            came = np.full(len(self._values), np.nan)
            if len(came) >= ahead:
                came[ahead - 1 :] = rolling_max(self._values, ahead)
        then = self._before(came, [back * day - ahead for back in days])
        here = self._before(self._values, [back * day for back in days])
        return then - self.now, here - self.now

    def _smoothed(self, ahead: int, back: int) -> list[Column]:
        """What an earlier day was around the target's time, where all of that is past."""
        half = max(1, self._rhythm.hour // 2)
        behind = back * self._rhythm.day - ahead - half
        if behind < 0:
            return []
        end = self._origins - behind
        smooth = self._mean(self._sums, 2 * half + 1, np.maximum(end, 0))
        return [np.where(end >= 2 * half, smooth - self.now, np.nan)]

    def _scale(self, ahead: int, days: list[int]) -> Column:
        """How much it moves: in general, around this time of day, and just now."""
        width = 3 * self._rhythm.hour
        behind = [back * self._rhythm.day - ahead - width // 2 for back in days]
        ends = self._origins - np.maximum(np.array(behind, dtype=np.int64), 0)[:, np.newaxis]
        moves = self._mean_move(width, np.maximum(ends, 0))
        habit = _mean(np.where(ends >= width, moves, np.nan))
        habit = np.where(np.isnan(habit), self._wide, habit)
        just_now = self._mean_move(width, self._origins)
        mixed = 0.3 * self._wide + 0.4 * habit + 0.3 * just_now
        return np.maximum(mixed, 0.2 * self._wide)

    def _calendar(self, ahead: int) -> list[Column]:
        """The local time of day at the target, and its weekday where those were learned."""
        step_s = self._series.step_s
        local = self._series.time_s(0) + self._series.utc_offset_s
        seconds = local + (self._origins + ahead) * step_s
        columns = [(seconds % DAY_S) / DAY_S]
        if self._rhythm.weekday:
            columns.append((seconds // DAY_S % WEEK).astype(np.float64))
        return columns

    def _before(self, values: Column, backs: Sequence[int]) -> NDArray[np.float64]:
        """The value so many steps before each origin; not-a-number before the beginning."""
        index = self._origins - np.array(backs, dtype=np.int64)[:, np.newaxis]
        return np.where(index >= 0, values[np.maximum(index, 0)], np.nan)

    def _mean(self, sums: Column, width: int, ends: NDArray[np.int64] | None = None) -> Column:
        """The mean of the `width` steps up to each end, or of as many as there are."""
        stop = (self._origins if ends is None else ends) + 1
        first = np.maximum(stop - width, 0)
        return np.asarray((sums[stop] - sums[first]) / (stop - first))

    def _mean_move(self, width: int, ends: NDArray[np.int64]) -> Column:
        """The mean measured move in the `width` steps up to each end; the usual one where none."""
        stop = ends + 1
        first = np.maximum(stop - width, 0)
        count = self._counted[stop] - self._counted[first]
        total = self._moves[stop] - self._moves[first]
        return np.where(count > 0, total / np.maximum(count, 1), self._usual_move)


def _sums(values: Column) -> Column:
    """Running sums that begin with zero."""
    return np.concatenate([[0.0], np.cumsum(values)])


def _mean(columns: NDArray[np.float64]) -> Column:
    """The mean over days of what is not absent, added in one order; absent where all is."""
    if len(columns) == 0:
        return np.full(columns.shape[1], np.nan)
    there = ~np.isnan(columns)
    known = there.sum(axis=0)
    # A running sum adds one after the other; a plain one may pair its terms, as numpy sees fit.
    total = np.cumsum(np.where(there, columns, 0.0), axis=0)[-1]
    return np.where(known > 0, total / np.maximum(known, 1), np.nan)


def _told(clue: Column) -> Column:
    """A clue that is never absent and never wild: a straight line has no place for either."""
    present = np.where(np.isnan(clue), 0.0, clue)
    return np.minimum(np.maximum(present, -WILDEST), WILDEST)
