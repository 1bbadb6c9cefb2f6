"""95 % intervals hold the truth in about 95 % of runs: demand that remembers, seeds 1 to 400.

The truth of the first process is known in closed form: a normal variable and the quantile that
never changes. That of whole backtests is what each bound that was stated is worth.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pytest
from scipy.signal import lfilter
from scipy.special import ndtr, ndtri

from autoscaler.calibration.tracking import pinball
from simulations.forecasts.intervals import (
    batches,
    error_of_misses,
    loss_interval,
    share_interval,
)
from simulations.forecasts.result import SELECTED
from simulations.forecasts.rows import json_rows, scores_of
from simulations.forecasts.spec import UPPER, BacktestSpec
from tests.figures import record
from tests.simulations.forecasts.made import series_of, studied

if TYPE_CHECKING:
    from simulations.forecasts.result import SeriesResult

RUNS = range(1, 401)
OTHER_RUNS = range(1_001, 1_401)
LEAST, MOST = 0.92, 0.98
DAY = 24
MEAN, SPREAD, MEMORY = 100.0, 10.0, 0.7


def remembering(
    seed: int, count: int, memory: float
) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    """Standard normal numbers, each alike the one before."""
    draws = np.random.default_rng(seed).normal(0, math.sqrt(1 - memory**2), count)
    draws[0] /= math.sqrt(1 - memory**2)
    return np.asarray(lfilter([1.0], [1.0, -memory], draws), dtype=np.float64)


@pytest.mark.parametrize("memory", [0.0, 0.5, 0.7])
@pytest.mark.parametrize("days", [16, 40])
def test_a_loss_and_a_share_of_known_truth_are_covered(days: int, memory: float) -> None:
    """The pinball loss of a standard normal at its own quantile z is its density there."""
    z = float(ndtri(0.95))
    loss = math.exp(-z * z / 2) / math.sqrt(2 * math.pi)
    steps = np.arange(days * DAY)
    batch = batches(steps, DAY, 1)
    losses = shares = 0
    for seed in RUNS:
        came = remembering(seed, len(steps), memory)
        lost = pinball(came, np.full(len(came), z), 0.95)
        losses += _covers(loss_interval(lost, np.ones(len(came)), batch), loss)
        shares += _covers(share_interval((came <= z).astype(np.float64), batch), 0.95)

    assert LEAST <= losses / len(RUNS) <= MOST
    assert LEAST <= shares / len(RUNS) <= MOST


def test_a_ratio_of_two_losses_is_covered() -> None:
    """Two forecasters judged on the same outcomes: what they share does not widen the interval."""
    steps = np.arange(20 * DAY)
    batch = batches(steps, DAY, 1)
    z, high = float(ndtri(0.95)), 2.5
    density = math.exp(-high * high / 2) / math.sqrt(2 * math.pi)
    above = 0.5 * math.erfc(high / math.sqrt(2))
    # E max(.95 (y - q), .05 (q - y)) for a standard normal y.
    of_high = (density - high * above) + 0.05 * high
    truth = of_high / (math.exp(-z * z / 2) / math.sqrt(2 * math.pi))
    covered = 0
    for seed in RUNS:
        came = remembering(seed, len(steps), 0.5)
        ours = pinball(came, np.full(len(came), high), 0.95)
        theirs = pinball(came, np.full(len(came), z), 0.95)
        covered += _covers(loss_interval(ours, theirs, batch), truth)

    assert LEAST <= covered / len(RUNS) <= MOST


@pytest.mark.prove
def test_the_figures_of_whole_backtests_are_covered() -> None:
    """`selected`, the best naive one and last-value: an hour ahead over 40 days of hours.

    Each step's demand is normal given the one before it, so what a bound that was stated is worth
    is known in closed form; what is gained over the naive one is that of other seeds. Intervals
    may be wider than need be, not narrower, for a seasonal guess, which ignores the step before.
    """
    gains = _long_run_gains()
    held: dict[str, list[bool]] = {}
    for seed in RUNS:
        result = _backtest(seed)
        for row in json_rows([result]):
            name = str(row["model"])
            worth = _worth(result, name)
            truths = {"pinball95": worth.loss, "coverage95": worth.held}
            truths |= {"skill": gains[name]} if name in gains else {}
            for field, truth in truths.items():
                found = _covers(_interval(row[f"{field}_ci95"]), truth)
                held.setdefault(f"{name} {field}", []).append(found)
    shares = {name: sum(found) / len(found) for name, found in held.items()}
    record("forecast_intervals", [{"figure": name, "covered": shares[name]} for name in shares])

    wide = {"seasonal-naive pinball95", "seasonal-naive coverage95"}
    assert {name for name in shares if shares[name] < LEAST} == set()
    assert {name for name in shares.keys() - wide if shares[name] > MOST} == set()


def test_steps_fall_into_whole_days_and_into_two_horizons() -> None:
    """Batches are never shorter than either, and what is left over joins the last one."""
    counts = np.bincount(batches(np.arange(100), 24, 1))
    far = np.bincount(batches(np.arange(200), 24, 30))

    assert counts.tolist() == [24, 24, 24, 28]
    assert far.tolist() == [72, 128]


def test_one_batch_has_no_interval() -> None:
    """One observation gives a mean and nothing about how sure it is; neither does none."""
    steps = np.arange(30)

    assert loss_interval(np.ones(30), np.ones(30), batches(steps, 24, 1)) is None
    assert share_interval(np.ones(30), batches(steps, 24, 1)) is None
    assert share_interval(np.ones(0), batches(steps[:0], 24, 1)) is None


def test_two_bounds_that_are_nearly_alike_differ_by_what_a_miss_would_change() -> None:
    """One lies 0.1 higher: by chance alone the difference of 400 losses strays by 0.1 x 4.36."""
    steps = np.arange(400)
    batch, naive = batches(steps, DAY, 1), np.full(400, 0.5)
    misses = error_of_misses(np.full(400, 0.1), 0.95, 1)

    alone = loss_interval(naive + 0.002, naive, batch)
    found = loss_interval(naive + 0.002, naive, batch, miss_error=misses)

    assert misses == pytest.approx(0.436, abs=1e-3)
    assert error_of_misses(np.full(400, 0.1), 0.95, 4) == pytest.approx(2 * misses)
    assert alone is not None
    assert found is not None
    assert alone[1] - alone[0] < 1e-9
    assert found[0] < 1.0 < found[1]


def test_a_bound_that_always_held_may_still_be_missed_once() -> None:
    """All ones are no proof that the share is one."""
    batch = batches(np.arange(10 * DAY), DAY, 1)
    found = share_interval(np.ones(10 * DAY), batch)

    assert found is not None
    assert 0.95 < found[0] < 1.0
    assert found[1] == pytest.approx(1.0)


@dataclass(frozen=True)
class Worth:
    """What the bounds that were stated are worth, chance taken out."""

    held: float
    loss: float


def _backtest(seed: int) -> SeriesResult:
    values = MEAN + SPREAD * remembering(seed, 40 * DAY, MEMORY)
    spec = BacktestSpec(models=("last-value", "seasonal-naive"), horizons_s=(3_600,))
    return studied(series_of(values), spec)


def _long_run_gains() -> dict[str, float]:
    """What is lost less than by last-value, the best naive one here, over other seeds."""
    models = (SELECTED, "seasonal-naive", "last-value")
    lost = dict.fromkeys(models, 0.0)
    for seed in OTHER_RUNS:
        result = _backtest(seed)
        for name in models:
            lost[name] += float(scores_of(result, name, 0).losses.mean())
    return {name: 1 - lost[name] / lost["last-value"] for name in models[:2]}


def _worth(result: SeriesResult, model: str) -> Worth:
    """Of a normal variable with this mean and spread, given the value at each origin."""
    scores = scores_of(result, model, 0)
    known = result.series.values[scores.origins]
    mean, spread = MEAN + MEMORY * (known - MEAN), SPREAD * math.sqrt(1 - MEMORY**2)
    high = (scores.said[:, UPPER] - mean) / spread
    density = np.exp(-high * high / 2) / math.sqrt(2 * math.pi)
    loss = spread * (density - high * ndtr(-high) + 0.05 * high)
    return Worth(float(ndtr(high).mean()), float(loss.mean()))


def _covers(interval: tuple[float, float] | None, truth: float) -> bool:
    return interval is not None and interval[0] <= truth <= interval[1]


def _interval(value: object) -> tuple[float, float]:
    assert isinstance(value, list)
    return value[0], value[1]
