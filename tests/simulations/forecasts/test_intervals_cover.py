"""95 % intervals hold the truth in about 95 % of runs: demand that remembers, seeds 1 to 400.

The truth of the first process is known in closed form: a normal variable and the quantile that
never changes. That of whole backtests is the mean over other seeds.
"""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy.signal import lfilter
from scipy.special import ndtri

from autoscaler.calibration.tracking import pinball
from simulations.forecasts.intervals import batches, loss_interval, share_interval
from simulations.forecasts.rows import json_rows
from simulations.forecasts.spec import BacktestSpec
from tests.simulations.forecasts.made import series_of, studied

RUNS = range(1, 401)
OTHER_RUNS = range(1_001, 1_401)
LEAST, MOST = 0.92, 0.98
DAY = 24


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
    """`selected`, the best naive one and each model: an hour ahead over 40 days of hours."""
    truths = [_figures(seed) for seed in OTHER_RUNS]
    found = [_figures(seed) for seed in RUNS]
    shares = {}
    for at, row in enumerate(found[0]):
        for field in ("pinball95", "coverage95"):
            truth = float(np.mean([_number(rows[at][field]) for rows in truths]))
            held = sum(_covers(_interval(rows[at][f"{field}_ci95"]), truth) for rows in found)
            shares[f"{row['model']} {field}"] = held / len(found)

    print(shares)  # noqa: T201 - the figure that is proved
    assert {name for name, share in shares.items() if not LEAST <= share <= MOST} == set()


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


def test_a_bound_that_always_held_may_still_be_missed_once() -> None:
    """All ones are no proof that the share is one."""
    batch = batches(np.arange(10 * DAY), DAY, 1)
    found = share_interval(np.ones(10 * DAY), batch)

    assert found is not None
    assert 0.95 < found[0] < 1.0
    assert found[1] == pytest.approx(1.0)


def _figures(seed: int) -> list[dict[str, object]]:
    values = 100 + 10 * remembering(seed, 40 * DAY, 0.7)
    spec = BacktestSpec(models=("last-value", "seasonal-naive"), horizons_s=(3_600,))
    return json_rows([studied(series_of(values), spec)])


def _covers(interval: tuple[float, float] | None, truth: float) -> bool:
    return interval is not None and interval[0] <= truth <= interval[1]


def _number(value: object) -> float:
    assert isinstance(value, float)
    return value


def _interval(value: object) -> tuple[float, float]:
    assert isinstance(value, list)
    return value[0], value[1]
