"""Small made-up series and walks through them; nothing here is anybody's trace.

This module must not assert anything.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from autoscaler.backtest.walk import walk
from autoscaler.forecasters.registry import NAIVE, forecaster
from gpu_fleet.series import Level, Series
from simulations.forecasts.result import result_of
from simulations.forecasts.spec import BacktestSpec

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from simulations.forecasts.result import SeriesResult

__all__ = ["HOUR_S", "NAIVE_SPEC", "days", "series_of", "studied"]

HOUR_S = 3_600
MONDAY_S = 4 * 86_400
NAIVE_SPEC = BacktestSpec(models=NAIVE, horizons_s=(HOUR_S, 24 * HOUR_S))


def series_of(
    values: NDArray[np.float64], measured: NDArray[np.bool_] | None = None, *, step_s: int = HOUR_S
) -> Series:
    """A series of these values, all measured unless told otherwise."""
    flags = np.ones(len(values), dtype=np.bool_) if measured is None else measured.copy()
    numbers = np.array(values, dtype=np.float64)
    return Series("made", "GPUs", Level.POOL, MONDAY_S, step_s, numbers, flags)


def days(count: int = 20, seed: int = 1) -> NDArray[np.float64]:
    """Hours of days with a peak in the afternoon, and noise."""
    hours = np.arange(count * 24)
    noise = np.random.default_rng(seed).normal(0, 4, len(hours))
    return 100 + 40 * np.sin((hours - 9) * 2 * np.pi / 24) + noise


def studied(series: Series, spec: BacktestSpec = NAIVE_SPEC) -> SeriesResult:
    """Everything that was said along a walk; the clock stands still."""
    plan = spec.plan(series)
    told = [
        walk(series, forecaster(name), plan.targets, spec.levels, plan.walk, lambda: 0.0)
        for name in spec.models
    ]
    return result_of(series, spec, plan, told)
