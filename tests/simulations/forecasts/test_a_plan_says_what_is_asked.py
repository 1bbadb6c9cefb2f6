"""Horizons in steps, where a walk begins and where it counts, and what is too short to be asked."""

from __future__ import annotations

import numpy as np
import pytest

from gpu_fleet.errors import InputError
from gpu_fleet.forecasts import Target
from simulations.forecasts.spec import BacktestSpec, Horizon
from tests.simulations.forecasts.made import HOUR_S, series_of


@pytest.mark.parametrize(
    ("asked_s", "step_s", "horizon_s", "ahead"),
    [
        (600, 600, 600, 1),
        (600, 3_600, 3_600, 1),
        (3_601, 3_600, 7_200, 2),
        (86_400, 3_600, 86_400, 24),
        (1, 60, 60, 1),
    ],
)
def test_a_horizon_is_at_least_a_step_and_whole_steps(
    asked_s: int, step_s: int, horizon_s: int, ahead: int
) -> None:
    """The larger of the step and the next multiple of it."""
    assert Horizon.of(asked_s, step_s) == Horizon(asked_s, horizon_s, ahead)


def test_a_walk_begins_at_half_of_what_may_be_learned_from() -> None:
    """A fit each day, and what counts begins at the split."""
    plan = BacktestSpec(models=("last-value",), horizons_s=(HOUR_S,)).plan(series_of(np.ones(240)))

    assert plan.split == 144
    assert plan.walk.first == 72
    assert plan.walk.end == 240
    assert plan.walk.refits == tuple(range(72, 240, 24))


def test_a_long_walk_fits_no_more_than_twelve_times() -> None:
    """Fits are then as far apart as that needs."""
    plan = BacktestSpec(models=("last-value",)).plan(series_of(np.ones(24 * 200)))

    assert len(plan.walk.refits) == 12


def test_horizons_that_come_to_the_same_steps_are_asked_once() -> None:
    """10 minutes and an hour are one step of hours."""
    spec = BacktestSpec(models=("last-value",), horizons_s=(86_400, 600, 3_600))
    plan = spec.plan(series_of(np.ones(240)))

    assert plan.targets == (Target(1), Target(24))
    assert [horizon.asked_s for horizon in plan.horizons] == [600, 86_400]


def test_a_horizon_that_a_series_is_too_short_for_is_left_out_and_told() -> None:
    """Two days of hours cannot judge what was said a day ahead, but an hour ahead they can."""
    spec = BacktestSpec(models=("last-value",), horizons_s=(3_600, 86_400))
    plan = spec.plan(series_of(np.ones(60)))

    assert plan.targets == (Target(1),)
    assert [bool(horizon.too_short) for horizon in plan.horizons] == [False, True]
    assert "86,400 s ahead" in plan.horizons[1].too_short


@pytest.mark.parametrize("count", [0, 1, 30])
def test_a_series_too_short_for_every_horizon_is_refused(count: int) -> None:
    """The complaint names the series and what to do."""
    with pytest.raises(InputError, match=r"series made: .* too short .*; give a longer series"):
        BacktestSpec(models=("last-value",)).plan(series_of(np.ones(count)))


@pytest.mark.parametrize("split", [0.0, 1.0, -0.1, float("nan")])
def test_a_split_outside_of_a_series_is_refused(split: float) -> None:
    """Something must be learned from, and something judged."""
    with pytest.raises(InputError, match="--split"):
        BacktestSpec(models=("last-value",), split=split)


@pytest.mark.parametrize("horizons_s", [(), (0,), (-1,), (10**9,)])
def test_a_horizon_that_cannot_be_is_refused(horizons_s: tuple[int, ...]) -> None:
    """None, the present, the past, or beyond a year."""
    with pytest.raises(InputError, match="--horizons"):
        BacktestSpec(models=("last-value",), horizons_s=horizons_s)
