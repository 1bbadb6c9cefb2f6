"""What a partly free GPU is still worth, for this mix of pods.

A hole of 0.19 GPU is worth nothing if the smallest pod asks for 0.22, and a hole of 0.53 is worth
half a GPU if it takes a pod of 0.46, because two of those fill a GPU. These values are the duals of
the cutting-stock linear program (Gilmore, Gomory: A linear programming approach to the
cutting-stock problem, 1961): cut GPUs into the sizes that the mix asks for, using as few GPUs as
possible; the dual of a size is the part of a GPU that a pod of this size really costs.
docs/design/002-least-loss.md works through an example. This module must not look at nodes.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from gpu_fleet.nodes import WHOLE_GPU_MILLI
from gpu_fleet.scores import MICRO

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

__all__ = ["effective_sizes", "hole_values"]

_MAX_PATTERNS = 1_000
"""Column generation ends long before; a bound so that no mix can make it run away."""
_WORTH_ADDING = 1 + 1e-9
"""A pattern that is worth more than one GPU at today's prices improves the plan."""
_SOLVED_IN_ALL = 1e6
"""The program's demands sum to this, whatever the unit of the frequencies: the solver's tolerances
are absolute, and pod-seconds of a year are large numbers."""


def hole_values(frequencies: Mapping[int, int]) -> NDArray[np.int64]:
    """Worth of each free part, in micro-GPU, indexed by thousandths of a GPU: 0..1000.

    `frequencies` says how often each size is asked for. The table never falls, is superadditive
    (two holes apart are never worth more than together), and a whole GPU is worth one.
    """
    sizes = effective_sizes(frequencies)
    values = _fill(WHOLE_GPU_MILLI, sizes)
    values[WHOLE_GPU_MILLI] = MICRO
    return values


def effective_sizes(frequencies: Mapping[int, int]) -> dict[int, int]:
    """What a pod of each size costs, in micro-GPU: the duals, rounded.

    Rounding to whole micro-GPU makes the result the same on every machine.
    """
    sizes = [size for size, count in frequencies.items() if count > 0 and size < WHOLE_GPU_MILLI]
    if not sizes:
        return {}
    step = math.gcd(WHOLE_GPU_MILLI, *sizes)
    units = np.array([size // step for size in sizes], np.int64)
    demand = np.array([frequencies[size] for size in sizes], np.float64)
    demand *= _SOLVED_IN_ALL / demand.sum()
    duals = _solve(units, demand, WHOLE_GPU_MILLI // step)
    return {size: round(dual * MICRO) for size, dual in zip(sizes, duals, strict=True)}


def _solve(
    units: NDArray[np.int64], demand: NDArray[np.float64], width: int
) -> NDArray[np.float64]:
    # Imported here: scipy is heavy, and a policy without shared GPUs never needs it.
    from scipy.optimize import linprog  # noqa: PLC0415

    patterns = [np.eye(len(units))[i] * (width // units[i]) for i in range(len(units))]
    duals = np.zeros(len(units))
    for _ in range(_MAX_PATTERNS):
        plan = linprog(
            np.ones(len(patterns)),
            A_ub=-np.column_stack(patterns),
            b_ub=-demand,
            method="highs-ds",
        )
        duals = np.maximum(0.0, -plan.ineqlin.marginals)
        pattern = _best_pattern(units, duals, width)
        if pattern @ duals <= _WORTH_ADDING:
            break
        patterns.append(pattern)
    return duals


def _best_pattern(
    units: NDArray[np.int64], duals: NDArray[np.float64], width: int
) -> NDArray[np.float64]:
    """The most valuable way to cut one GPU: an unbounded knapsack."""
    best = np.zeros(width + 1)
    chosen = np.full(width + 1, -1)
    for room in range(1, width + 1):
        best[room], chosen[room] = best[room - 1], -1
        fits = np.flatnonzero(units <= room)
        if fits.size:
            worth = best[room - units[fits]] + duals[fits]
            top = int(np.argmax(worth))
            if worth[top] > best[room]:
                best[room], chosen[room] = worth[top], fits[top]
    pattern = np.zeros(len(units))
    room = width
    while room > 0:
        if chosen[room] < 0:
            room -= 1
            continue
        pattern[chosen[room]] += 1
        room -= int(units[chosen[room]])
    return pattern


def _fill(width: int, sizes: Mapping[int, int]) -> NDArray[np.int64]:
    """The largest sum of effective sizes that fits into each free part."""
    values = np.zeros(width + 1, np.int64)
    for room in range(1, width + 1):
        best = int(values[room - 1])
        for size, worth in sizes.items():
            if size <= room:
                best = max(best, int(values[room - size]) + worth)
        values[room] = min(best, MICRO)
    return values
