"""Whatever a forecaster says, its corrected bound holds about as often as it promises.

The numbers are drawn by fixed seeds. No forecaster is needed: quantiles are made up.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from autoscaler.calibration.settings import CalibrationSettings
from autoscaler.calibration.tracking import Tracking, pinball
from gpu_fleet.forecasts import Target

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

DAY = 144
SETTINGS = CalibrationSettings()
NEXT_STEP = Target(1)


def corrected(demand: Floats, said: Floats, target: Target = NEXT_STEP) -> Floats:
    """The corrected 95 % bound at each step, of one candidate that says `said` for the median."""
    tracking = Tracking(1, [target], (0.5, 0.95), DAY, SETTINGS.rates, SETTINGS)
    bounds = np.empty(len(demand))
    for step in range(len(demand)):
        raw = np.array([[[said[step], said[step]]]])
        came = np.array([demand[step] if step >= target.ahead else np.nan])
        bounds[step] = tracking.step(raw, came)[0][0, 0, 1]
    return bounds


def held(demand: Floats, bounds: Floats, ahead: int, since: int, until: int | None = None) -> float:
    """The share of outcomes below their bound, of origins from `since` to `until`."""
    origins = np.arange(since, len(demand) - ahead if until is None else until)
    return float(np.mean(demand[origins + ahead] <= bounds[origins]))


SHAPES: dict[str, Callable[[np.random.Generator, int], Floats]] = {
    "even noise": lambda draws, n: draws.normal(100, 10, n),
    "heavy tails": lambda draws, n: 100 + 10 * draws.standard_t(2, n),
    "a random walk": lambda draws, n: np.cumsum(draws.normal(0, 1, n)),
    "noise that grows": lambda draws, n: draws.normal(100, np.linspace(1, 50, n), n),
    "a slow trend": lambda draws, n: np.linspace(0, 500, n) + draws.normal(0, 5, n),
}


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("ahead", [1, 6])
def test_a_forecaster_without_bounds_gets_ones_that_hold(shape: str, ahead: int) -> None:
    """The last value as the bound itself holds half of the time; corrected it holds 93 to 97 %."""
    demand = SHAPES[shape](np.random.default_rng(1), 20 * DAY)

    bounds = corrected(demand, demand, Target(ahead))

    assert 0.93 <= held(demand, bounds, ahead, 6 * DAY) <= 0.97


@pytest.mark.parametrize("factor", [2.0, 0.5])
def test_after_a_level_shift_bounds_hold_again_within_half_a_day(factor: float) -> None:
    """A forecaster that goes on speaking of the old level is corrected within 12 hours."""
    draws = np.random.default_rng(2)
    demand = draws.normal(100, 10, 20 * DAY)
    demand[10 * DAY :] *= factor
    old_level = np.full(len(demand), 100.0)

    bounds = corrected(demand, old_level)

    assert 0.93 <= held(demand, bounds, 1, 10 * DAY + DAY // 2, 12 * DAY) <= 0.97
    width = bounds[12 * DAY :] - demand[12 * DAY :].mean()
    assert np.mean(width) < 5 * 10 * factor


def test_who_leans_to_one_side_is_told_once_it_cannot_be_chance() -> None:
    """Steady noise tells nothing in 50 days; a lasting shift is told within 12 hours."""
    draws = np.random.default_rng(3)
    demand = draws.normal(100, 10, 60 * DAY)
    demand[50 * DAY :] += 50
    tracking = Tracking(1, [Target(1)], (0.5, 0.95), DAY, SETTINGS.rates, SETTINGS)
    said = np.full((1, 1, 2), 100.0)

    told = [step for step, value in enumerate(demand) if tracking.step(said, np.array([value]))[1]]

    assert told
    assert 50 * DAY < told[0] <= 50 * DAY + DAY // 2


def test_what_is_constant_keeps_a_bound_without_width() -> None:
    """Nothing was ever missed, so nothing is added."""
    demand = np.full(3 * DAY, 7.0)

    assert corrected(demand, demand).tolist() == demand.tolist()


def test_a_mute_candidate_learns_nothing_and_says_nothing() -> None:
    """Not-a-number in, not-a-number out, and its losses stay unknown."""
    tracking = Tracking(2, [Target(1)], (0.5, 0.95), DAY, SETTINGS.rates, SETTINGS)
    raw = np.array([[[1.0, 2.0]], [[np.nan, np.nan]]])
    for _ in range(2 * DAY):
        said, lost = tracking.step(raw, np.array([1.5]))

    assert np.isfinite(said[0]).all()
    assert np.isnan(said[1]).all()
    assert np.isfinite(tracking.losses[0]).all()
    assert np.isinf(tracking.losses[1]).all()
    assert not lost[1].any()


def test_an_unknown_outcome_moves_nothing() -> None:
    """Over a gap bounds stay where they were."""
    draws = np.random.default_rng(4)
    tracking = Tracking(1, [Target(1)], (0.5, 0.95), DAY, SETTINGS.rates, SETTINGS)
    raw = np.full((1, 1, 2), 100.0)
    for value in draws.normal(100, 10, 2 * DAY):
        before = tracking.step(raw, np.array([value]))[0]
    for _ in range(DAY):
        after = tracking.step(raw, np.array([np.nan]))[0]

    assert before.tolist() == after.tolist()


def test_pinball_weighs_a_miss_by_the_level() -> None:
    """Worked by hand: 10 above the 95 % bound cost 9.5, 10 below it cost 0.5."""
    lost = pinball(np.array([110.0, 90.0, 100.0]), np.array([100.0, 100.0, 100.0]), 0.95)

    assert lost == pytest.approx([9.5, 0.5, 0.0])
