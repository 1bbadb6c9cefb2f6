"""Samples on an even grid: how far apart they are, and what each step of a series holds.

The step is learned from the first samples only, so that it never depends on what came later. This
module must not fill a step that has too few samples: it leaves not-a-number there.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from autoscaler.history.settings import Kind
from gpu_fleet.clock import NS_PER_S
from gpu_fleet.errors import InputError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from autoscaler.history.ordering import Track

__all__ = [
    "FIRST_GAPS",
    "LEAST_SHARE",
    "MOST_STEPS",
    "Grid",
    "Pace",
    "grid_of",
    "on_grid",
    "pace_of",
]

FIRST_GAPS = 1_000
"""As many gaps between samples tell how far apart they are."""
STEADY_WITHIN = 0.25
"""A gap this close to the median, as a share of it, counts as one step."""
LEAST_SHARE = 0.5
"""A step with fewer of its samples than this share is a gap."""
MOST_STEPS = 5_500_000
"""Ten years of minutes; more show a wrong date or a step that is far too fine."""


@dataclass(frozen=True, slots=True)
class Pace:
    """How far apart the samples are."""

    native_ns: int
    """The median of the first gaps."""
    is_steady: bool
    """Whether most gaps are about that long; samples of events are not."""


@dataclass(frozen=True, slots=True)
class Grid:
    """The steps of a series, and which moment belongs to which."""

    start_ns: int
    step_s: int
    count: int
    lead_ns: int
    """How much earlier than a step begins its samples may be."""
    samples_a_step: float | None
    """Not known where samples are not steady."""
    said: str
    """How the step was chosen, where nobody asked for it; else empty."""

    def steps(self, times_ns: NDArray[np.int64]) -> NDArray[np.int64]:
        """The step of each moment; some may be outside of 0 to `count` - 1."""
        return (times_ns - self.start_ns + self.lead_ns) // (self.step_s * NS_PER_S)

    def later(self, steps: int) -> Grid:
        """The same grid without its first steps."""
        start_ns = self.start_ns + steps * self.step_s * NS_PER_S
        return replace(self, start_ns=start_ns, count=self.count - steps)


def pace_of(times_ns: NDArray[np.int64]) -> Pace | None:
    """How far apart the first samples are; None where there is only one."""
    gaps = np.diff(times_ns[: FIRST_GAPS + 1])
    if not gaps.size:
        return None
    native_ns = int(np.sort(gaps)[(len(gaps) - 1) // 2])
    near = np.abs(gaps - native_ns) <= STEADY_WITHIN * native_ns
    return Pace(native_ns, is_steady=bool(2 * int(near.sum()) >= len(gaps)))


def grid_of(
    first_ns: int, last_ns: int, pace: Pace | None, asked_s: int | None, utc_offset_s: int
) -> Grid:
    """Steps that cover all moments from the first value to the last stamp.

    Steps as long as the samples are apart begin at the first one. Longer ones begin at round local
    times, and one that has not ended by the last stamp is left out.
    """
    step_s, said = _step(pace, asked_s)
    steady = pace if pace is not None and pace.is_steady else None
    if steady is not None and step_s == _seconds(steady.native_ns):
        grid = Grid(first_ns // NS_PER_S * NS_PER_S, step_s, 0, step_s * NS_PER_S // 2, 1.0, said)
    else:
        share = None if steady is None else step_s * NS_PER_S / steady.native_ns
        grid = Grid(_round_start_ns(first_ns, step_s, utc_offset_s), step_s, 0, 0, share, said)
    return _counted(grid, first_ns, last_ns, steady)


def on_grid(track: Track, grid: Grid, kind: Kind) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """What each step holds, not-a-number where samples are too few, and steps that lack some."""
    steps = grid.steps(track.times_ns)
    inside = (steps >= 0) & (steps < grid.count)
    steps, values = steps[inside], track.values[inside]
    found = np.bincount(steps, minlength=grid.count).astype(np.float64)
    sums = np.bincount(steps, weights=values, minlength=grid.count)
    wanted = grid.samples_a_step
    enough = (found > 0) & (found >= LEAST_SHARE * (wanted or 0))
    with np.errstate(invalid="ignore", divide="ignore"):
        held = sums if kind is Kind.COUNT and wanted is None else sums / found
    if kind is Kind.COUNT and wanted is not None:
        held = np.where(found == wanted, sums, held * wanted)
    lacking = enough & (found < int(wanted or 0))
    return np.where(enough, held, np.nan), np.flatnonzero(lacking)


def _step(pace: Pace | None, asked_s: int | None) -> tuple[int, str]:
    if pace is None or not pace.is_steady:
        if asked_s is None:
            why = "one sample has no step" if pace is None else "samples are not evenly spaced"
            raise InputError(why, remedy="give the step, such as --step 10min")
        return asked_s, ""
    native_s = _seconds(pace.native_ns)
    if asked_s is None:
        return native_s, f"steps of {native_s} s: the median of the first {FIRST_GAPS:,} gaps"
    if asked_s < native_s:
        return native_s, f"steps of {native_s} s, not {asked_s} s: samples are that far apart"
    return asked_s, ""


def _seconds(native_ns: int) -> int:
    return max(1, round(native_ns / NS_PER_S))


def _round_start_ns(first_ns: int, step_s: int, utc_offset_s: int) -> int:
    local_s = first_ns // NS_PER_S + utc_offset_s
    return (local_s // step_s * step_s - utc_offset_s) * NS_PER_S


def _counted(grid: Grid, first_ns: int, last_ns: int, steady: Pace | None) -> Grid:
    """The grid with as many steps as have samples, without halves at its ends."""
    step_ns = grid.step_s * NS_PER_S
    last = (last_ns - grid.start_ns + grid.lead_ns) // step_ns
    start_ns = grid.start_ns
    if steady is not None and not grid.lead_ns:
        end_ns = start_ns + (last + 1) * step_ns
        if last_ns + 3 * steady.native_ns // 2 <= end_ns:
            last -= 1
        if last > 0 and first_ns - start_ns > (1 - LEAST_SHARE) * step_ns:
            start_ns, last = start_ns + step_ns, last - 1
    count = max(1, int(last) + 1)
    if count > MOST_STEPS:
        raise InputError(
            f"{count:,} steps of {grid.step_s} s from the first to the last sample",
            remedy="look for a wrong date, or give a larger --step",
        )
    return replace(grid, start_ns=start_ns, count=count)
