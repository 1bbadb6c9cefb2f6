"""Samples that tests make, from a handful of numbers or as weeks of plausible demand.

This module must not assert anything.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from autoscaler.history.samples import Samples
from gpu_fleet.clock import DAY_S, NS_PER_S

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from gpu_fleet.series import MarkKind, Series

__all__ = ["HOUR_S", "MIDNIGHT_S", "demand", "marks", "sampled"]

HOUR_S = 3_600
MIDNIGHT_S = 20_000 * DAY_S
NAN = float("nan")


def sampled(
    values: Sequence[float] | NDArray[np.float64],
    *,
    at_s: Sequence[float] | NDArray[np.float64] | None = None,
    step_s: int = HOUR_S,
    start_s: int = MIDNIGHT_S,
) -> Samples:
    """Samples `step_s` apart, or at the given seconds after the start; places are lines."""
    offsets = np.arange(len(values)) * float(step_s) if at_s is None else np.asarray(at_s, float)
    return Samples(
        name="pool",
        times_ns=start_s * NS_PER_S + np.rint(offsets * NS_PER_S).astype(np.int64),
        values=np.asarray(values, dtype=np.float64),
        unit="GPUs",
        source="load.csv",
        column="gpus",
        places=np.arange(2, 2 + len(values)),
    )


def demand(
    days: int, seed: int, *, steps_a_day: int = 24, level: float = 100.0, noise: float = 0.05
) -> NDArray[np.float64]:
    """Days and nights around a level, with noise that is a share of it."""
    draws = np.random.default_rng(seed)
    hours = np.arange(days * steps_a_day) * 2 * np.pi / steps_a_day
    shape = 1 - 0.4 * np.cos(hours)
    return level * shape * (1 + noise * draws.standard_normal(len(hours)))


def marks(series: Series, kind: MarkKind) -> list[tuple[int, int]]:
    """Where a series is marked with a kind."""
    return [(mark.first, mark.last) for mark in series.marks if mark.kind is kind]
