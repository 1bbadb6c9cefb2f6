"""From samples to a series: every repair in its order, each marked.

The value, the flag and the marks of a step depend on samples up to the end of that step and on
nothing later; the step itself is learned from the first samples. This module must not hold a repair
of its own.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from autoscaler.history.counters import rates_of
from autoscaler.history.gaps import filled
from autoscaler.history.marks import in_order, on_steps
from autoscaler.history.ordering import each_moment_once, in_time
from autoscaler.history.outages import outages
from autoscaler.history.settings import Kind
from autoscaler.history.shifts import level_shifts
from autoscaler.history.steps import grid_of, on_grid, pace_of
from gpu_fleet.clock import DAY_S, NS_PER_S
from gpu_fleet.errors import InputError
from gpu_fleet.series import Mark, MarkKind, Series

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from autoscaler.history.marks import Noticed
    from autoscaler.history.samples import Samples
    from autoscaler.history.settings import HistorySettings
    from autoscaler.history.steps import Grid

__all__ = ["MOST_VALUE", "series_of"]

MOST_VALUE = 1e18
"""Sums of such values are still exact enough; what is beyond was never measured."""


_LEAST_OF_A_COUNTER = 2


def series_of(samples: Samples, settings: HistorySettings) -> Series:
    """The samples as a series, repaired and marked; an `InputError` where that cannot be."""
    _refuse_impossible(samples, settings.kind)
    try:
        return _assembled(samples, settings)
    except InputError as complaint:
        raise complaint.within(samples.source or samples.name) from None


def _refuse_impossible(samples: Samples, kind: Kind) -> None:
    if not len(samples):
        raise _complaint(samples, "there is no sample", "give a longer range or another file")
    values = samples.values
    if not np.isfinite(values).any():
        raise _complaint(samples, "no sample has a value", "check the column or the query")
    with np.errstate(invalid="ignore"):
        negative = np.flatnonzero(values < 0) if kind.is_never_negative else np.empty(0, np.int64)
        absurd = np.flatnonzero(np.isfinite(values) & (np.abs(values) > MOST_VALUE))
    if negative.size:
        shown = f"{values[negative[0]]:g} is not possible for a {kind.value}"
        raise _complaint(samples, shown, "give 0 or more, or --kind gauge", int(negative[0]))
    if absurd.size:
        shown = f"{values[absurd[0]]:g} was never measured"
        raise _complaint(samples, shown, f"give at most {MOST_VALUE:g}", int(absurd[0]))


def _complaint(samples: Samples, problem: str, remedy: str, index: int | None = None) -> InputError:
    return InputError(
        problem,
        remedy=remedy,
        file=samples.source or samples.name,
        line=None if index is None else samples.place(index),
        field=samples.column or None,
    )


def _assembled(samples: Samples, settings: HistorySettings) -> Series:
    offset_s = samples.utc_offset_s if settings.utc_offset_s is None else settings.utc_offset_s
    every, unordered = in_time(samples)
    every, doubled = each_moment_once(every)
    noticed = [unordered, doubled]
    track = every.kept(np.isfinite(every.values))
    if settings.kind is Kind.COUNTER:
        if len(track) < _LEAST_OF_A_COUNTER:
            problem = "one sample of a counter is no rate"
            raise _complaint(samples, problem, "give a longer range")
        track, restarts = rates_of(track)
        noticed.append(restarts)
    pace = pace_of(every.times_ns)
    first_ns, last_ns = int(track.times_ns[0]), int(every.times_ns[-1])
    grid = grid_of(first_ns, last_ns, pace, settings.step_s, offset_s)
    held, lacking = on_grid(track, grid, settings.kind)
    grid, held, lacking = _from_first_value(grid, held, lacking)
    marks = [mark for each in noticed for mark in _marked(each, grid)]
    marks += on_steps(MarkKind.PARTIAL, lacking, lambda _: "some of its samples are missing")
    if grid.said:
        marks.append(Mark(MarkKind.STEP, 0, 0, grid.said))
    repaired = _repaired(held, grid.step_s, settings.longest_outage_s)
    return Series(
        name=samples.name,
        unit=f"{samples.unit}/s" if settings.kind is Kind.COUNTER else samples.unit,
        level=settings.level,
        start_s=grid.start_ns // NS_PER_S,
        step_s=grid.step_s,
        values=repaired.values,
        measured=repaired.measured,
        utc_offset_s=offset_s,
        marks=in_order((*marks, *repaired.marks)),
    )


def _from_first_value(
    grid: Grid, held: NDArray[np.float64], lacking: NDArray[np.int64]
) -> tuple[Grid, NDArray[np.float64], NDArray[np.int64]]:
    """Without the steps before the first that holds something."""
    known = np.flatnonzero(~np.isnan(held))
    if not known.size:
        raise InputError(
            f"no step of {grid.step_s} s has half of its samples", remedy="give a larger --step"
        )
    skip = int(known[0])
    return grid.later(skip), held[skip:], lacking - skip


def _marked(noticed: Noticed, grid: Grid) -> tuple[Mark, ...]:
    steps = grid.steps(noticed.times_ns)
    inside = np.flatnonzero((steps >= 0) & (steps < grid.count))
    return on_steps(noticed.kind, steps[inside], lambda index: noticed.say(int(inside[index])))


@dataclass(frozen=True, slots=True, eq=False)
class _Repaired:
    """Steps that all hold something, and what was done for that."""

    values: NDArray[np.float64]
    measured: NDArray[np.bool_]
    marks: tuple[Mark, ...]


def _repaired(held: NDArray[np.float64], step_s: int, longest_outage_s: int) -> _Repaired:
    day = DAY_S // step_s
    known = np.flatnonzero(~np.isnan(held))
    marks = [*on_steps(MarkKind.GAP, np.flatnonzero(np.isnan(held)), lambda _: "no sample")]
    trusted = held.copy()
    for outage in outages(held[known], day, max(1, longest_outage_s // step_s)):
        steps, why = known[outage.first : outage.end], outage.why
        trusted[steps] = np.nan
        marks += on_steps(MarkKind.OUTAGE, steps, partial(_constant, why))
    values, measured = filled(trusted, day), ~np.isnan(trusted)
    for shift in level_shifts(values, measured, day):
        words = f"{shift.lean.value}: about {shift.level:.4g}, {shift.before:.4g} a day before"
        marks.append(Mark(MarkKind.LEVEL_SHIFT, shift.step, shift.step, words))
    return _Repaired(values, measured, tuple(marks))


def _constant(words: str, _: int) -> str:
    return words
