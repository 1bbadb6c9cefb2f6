"""Round ticks, and where a value lies between the ends of an axis.

Every axis of the report is made here, so that charts of one page agree on what a round number is.
It must not know any chart, pixel or markup: positions are shares of the axis, 0 to 1.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil, floor, log10
from typing import TYPE_CHECKING, Final

from simulations.report.numbers import figure

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["Axis", "Tick", "spread_apart", "tight_axis", "value_axis"]

ROUND: Final = (1.0, 2.0, 2.5, 5.0, 10.0)
MILLION: Final = 1e6
FROM_ZERO: Final = 0.5
"""An axis whose lowest value is at most this share of its highest begins at zero: cut axes lie
about sizes, and only where all values are alike does the reader need the cut."""


@dataclass(frozen=True, slots=True)
class Tick:
    """A round number on an axis."""

    at: float
    """Share of the axis, 0 to 1."""
    label: str


@dataclass(frozen=True, slots=True)
class Axis:
    """From `lo` to `hi`, with ticks on round numbers."""

    lo: float
    hi: float
    ticks: tuple[Tick, ...]

    def at(self, value: float) -> float:
        """Where a value lies, as a share of the axis; what passes an end stays at the end."""
        share = (value - self.lo) / (self.hi - self.lo)
        return min(1.0, max(0.0, share))


def value_axis(values: Sequence[float], count: int = 5, *, from_zero: bool = False) -> Axis:
    """An axis for amounts: widened to round numbers, from zero where that tells the truth."""
    lo, hi = (min(values), max(values)) if values else (0.0, 1.0)
    if lo >= 0 and (from_zero or lo <= FROM_ZERO * hi or lo == hi):
        lo = 0.0
    if hi <= lo:
        hi = lo + (abs(lo) or 1.0)
    step = _round_step((hi - lo) / count)
    first, last = floor(lo / step + 1e-9), ceil(hi / step - 1e-9)
    return _axis(first * step, last * step, step)


def tight_axis(lo: float, hi: float, count: int = 6) -> Axis:
    """An axis for load or time: it ends where the data ends, and ticks lie where they are round."""
    if hi <= lo:
        hi = lo + (abs(lo) or 1.0)
    return _axis(lo, hi, _round_step((hi - lo) / count))


def spread_apart(wanted: Sequence[float], gap: float) -> list[float]:
    """Moves marks on a stretch of 0..1 as little as possible until each pair is `gap` apart.

    The order is kept, equal marks in the order given. Least squares, by pooling neighbours.
    The caller sees to it that they fit: (n - 1) x gap <= 1.
    """
    order = sorted(range(len(wanted)), key=lambda index: (wanted[index], index))
    pools: list[tuple[float, int]] = []
    for rank, index in enumerate(order):
        total, size = wanted[index] - rank * gap, 1
        while pools and pools[-1][0] / pools[-1][1] >= total / size:
            before, many = pools.pop()
            total, size = total + before, size + many
        pools.append((total, size))
    room = 1 - (len(wanted) - 1) * gap
    means = [total / size for total, size in pools for _ in range(size)]
    placed = [0.0] * len(wanted)
    for rank, index in enumerate(order):
        placed[index] = min(max(means[rank], 0.0), room) + rank * gap
    return placed


def _round_step(raw: float) -> float:
    """The smallest round step that is not under `raw`."""
    power: float = 10.0 ** floor(log10(raw))
    return next((r * power for r in ROUND if r * power >= raw * (1 - 1e-9)), 10 * power)


def _axis(lo: float, hi: float, step: float) -> Axis:
    """Ticks at the multiples of `step` that lie between the ends."""
    first, last = ceil(lo / step - 1e-9), floor(hi / step + 1e-9)
    values = [index * step for index in range(first, last + 1)]
    in_millions = max(abs(lo), abs(hi)) >= MILLION and step >= MILLION / 100
    scale, suffix = (MILLION, "\u00a0M") if in_millions else (1.0, "")
    places = _step_places(step / scale)
    ticks = tuple(
        Tick((value - lo) / (hi - lo), figure(value / scale, places) + (suffix if value else ""))
        for value in values
    )
    return Axis(lo, hi, ticks)


def _step_places(step: float) -> int:
    """Decimals that write this step without loss: 0.25 needs two, 20 none."""
    return next(
        (places for places in range(12) if abs(round(step, places) - step) < 1e-9 * step), 12
    )
