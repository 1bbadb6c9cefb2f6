"""GPUs wanted over four weeks: working days and weekends, growth, bursts, and what goes wrong.

Forecasts are tried on what troubles them in a real shared cluster: a wave that swings with the day
and rests at the weekend, training runs that come unasked and stay for hours, a team that joins for
good, and a night without a sample. Every figure is made up and documented in
docs/explanation/bundled-workloads.md; each cause of chance has a stream of its own.
This module must not know a forecaster: whether the series can be forecast is the backtest's answer.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import numpy as np

from gpu_fleet.clock import DAY_S
from gpu_fleet.errors import InputError
from simulations.streams import Streams

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["DemandShape", "demand", "demand_csv"]

_HOUR_S = 3_600
_MONDAY_S = 1_772_409_600
"""2026-03-02 00:00 UTC, where the series begins."""
_MOST_DAYS = 3_660
_HEADER = "time,GPUs"


@dataclass(frozen=True, slots=True)
class DemandShape:
    """How demand moves; times are of the day or from the beginning, GPUs at the beginning."""

    step_s: int = 600
    base_gpus: float = 220.0
    day_swing: float = 0.35
    """The busiest hour of a working day is this share above the base, the quietest below it."""
    peak_s: int = 15 * _HOUR_S
    weekend: float = 0.65
    """What is left of a working day's demand on Saturdays and Sundays."""
    growth_a_day: float = 0.004
    noise: float = 0.03
    """Of the base: the spread of what wanders around the wave, and forgets within two hours."""
    noise_keeps: float = 0.92
    """The share of one step's noise that is still there a step later."""
    bursts_a_day: float = 1.5
    burst_gpus: tuple[int, ...] = (8, 16, 16, 32, 32, 64)
    """Sizes of training runs that come unasked, each as likely."""
    burst_median_s: float = 2.5 * _HOUR_S
    burst_sigma: float = 0.7
    shift_s: int = 20 * DAY_S + 9 * _HOUR_S
    shift: float = 1.35
    """From that moment on, demand is this many times as high: a team has joined."""
    gap_s: tuple[int, int] = (12 * DAY_S + 1 * _HOUR_S, 12 * DAY_S + 7 * _HOUR_S)
    """Between these two moments no sample was taken."""


def demand(
    days: int = 28, seed: int = 1, shape: DemandShape | None = None
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Seconds since 1970 and whole GPUs, a pair for each sample; the same for the same arguments.

    There is no pair where no sample was taken.
    """
    if not 1 <= days <= _MOST_DAYS:
        raise InputError(f"{days} days are not possible", remedy=f"give 1 to {_MOST_DAYS}")
    how = shape or DemandShape()
    streams = Streams(seed)
    since_s = np.arange(0, days * DAY_S, how.step_s, dtype=np.int64)
    level = how.base_gpus * (1 + how.growth_a_day * since_s / DAY_S)
    level = np.where(since_s >= how.shift_s, level * how.shift, level)
    gpus = level * _week(since_s, how) * (1 + _noise(len(since_s), how, streams))
    gpus = np.rint(gpus + _bursts(since_s, how, streams)).astype(np.int64)
    taken = (since_s < how.gap_s[0]) | (since_s >= how.gap_s[1])
    return _MONDAY_S + since_s[taken], np.maximum(gpus, 0)[taken]


def demand_csv(days: int = 28, seed: int = 1) -> str:
    """The series as a file that `forecast backtest` reads."""
    times_s, gpus = demand(days, seed)
    rows = (
        f"{datetime.fromtimestamp(at, UTC):%Y-%m-%dT%H:%M:%SZ},{wanted}"
        for at, wanted in zip(times_s.tolist(), gpus.tolist(), strict=True)
    )
    return "\n".join((_HEADER, *rows)) + "\n"


def _week(since_s: NDArray[np.int64], how: DemandShape) -> NDArray[np.float64]:
    """The shape of day and week, around 1 on working days."""
    wave = 1 + how.day_swing * np.cos(2 * np.pi * (since_s - how.peak_s) / DAY_S)
    is_weekend = since_s // DAY_S % 7 >= 5  # noqa: PLR2004 - the series begins on a Monday
    return np.asarray(np.where(is_weekend, how.weekend, 1.0) * wave)


def _noise(count: int, how: DemandShape, streams: Streams) -> NDArray[np.float64]:
    """A share that wanders around 0, each step keeping most of the one before."""
    fresh = streams.generator("demand-noise").normal(size=count)
    fresh *= how.noise * np.sqrt(1 - how.noise_keeps**2)
    wandering, now = [], 0.0
    for push in fresh.tolist():
        now = how.noise_keeps * now + push
        wandering.append(now)
    return np.array(wandering)


def _bursts(since_s: NDArray[np.int64], how: DemandShape, streams: Streams) -> NDArray[np.float64]:
    """GPUs that training runs hold at each step: a Poisson process of runs of lognormal length."""
    rng = streams.generator("demand-bursts")
    span_s = len(since_s) * how.step_s
    count = int(rng.poisson(how.bursts_a_day * span_s / DAY_S))
    begins = rng.uniform(0, span_s, count)
    stays = rng.lognormal(np.log(how.burst_median_s), how.burst_sigma, count)
    sizes = rng.choice(np.array(how.burst_gpus, dtype=np.float64), count)
    steps = len(since_s) + 1
    first = np.searchsorted(since_s, begins)
    after = np.searchsorted(since_s, begins + stays)
    change = np.bincount(first, sizes, steps) - np.bincount(after, sizes, steps)
    return np.asarray(np.cumsum(change)[:-1])
