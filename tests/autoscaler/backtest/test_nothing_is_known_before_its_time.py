"""No peeking: what comes after a moment changes nothing of what was said until then.

Everything after some step is replaced by noise; all that was forecast, corrected and shared out
up to that step must stay the same, byte for byte. The real traces are tried in `make prove`.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest

from autoscaler.backtest.follow import FollowSettings, follow
from autoscaler.backtest.walk import Walked, WalkPlan, together, walk
from autoscaler.forecasters.registry import FORECASTERS, NAIVE, forecaster
from gpu_fleet.forecasts import Target
from gpu_fleet.series import Level, Series

if TYPE_CHECKING:
    from autoscaler.backtest.follow import Followed

LEVELS = (0.05, 0.5, 0.95)
TARGETS = (Target(1), Target(3), Target(24), Target(3, peak=True))
DAYS = 24


def demand() -> Series:
    """Hourly: a day's wave, a week's dip, noise, two gaps."""
    draws = np.random.default_rng(5)
    steps = np.arange(24 * DAYS)
    wave = 100 + 40 * np.sin(steps * 2 * np.pi / 24) - 20 * (steps // 24 % 7 >= 5)
    values = np.maximum(wave + draws.normal(0, 5, len(steps)), 0)
    measured = np.ones(len(steps), dtype=np.bool_)
    measured[300:303] = measured[411] = False
    return Series("demand", "GPUs", Level.POOL, 0, 3_600, values, measured)


def said(series: Series) -> tuple[Walked, Followed]:
    """All that all forecasters say along a walk with six refits."""
    plan = WalkPlan.evenly(24 * 9, 24 * DAYS, 24, 6)
    told = [
        walk(series, forecaster(name), TARGETS, LEVELS, plan, lambda: 0.0) for name in FORECASTERS
    ]
    walked = together(told, NAIVE, TARGETS, LEVELS, plan)
    return walked, follow(series, walked, FollowSettings())


def changed_after(series: Series, step: int, seed: int) -> Series:
    """The same up to and including a step, noise after it."""
    draws = np.random.default_rng(seed)
    values, measured = series.values.copy(), series.measured.copy()
    later = len(values) - step - 1
    values[step + 1 :] = draws.normal(1_000, 900, later)
    measured[step + 1 :] = draws.random(later) < 0.8
    return replace(series, values=values, measured=measured)


@pytest.fixture(scope="module")
def truth() -> tuple[Series, Walked, Followed]:
    """What is said with the real future."""
    series = demand()
    return series, *said(series)


@pytest.mark.parametrize("step", [24 * 9 + 1, 310, 24 * 20])
def test_another_future_changes_nothing(step: int, truth: tuple[Series, Walked, Followed]) -> None:
    """Raw quantiles, corrected ones, the choice and the answer are byte-equal."""
    series, walked, followed = truth
    until = step - int(walked.origins[0]) + 1

    other, otherwise = said(changed_after(series, step, seed=step))

    assert walked.raw[:until].tobytes() == other.raw[:until].tobytes()
    for part in ("calibrated", "selected", "parts", "lost_its_way"):
        ours, theirs = getattr(followed, part), getattr(otherwise, part)
        assert ours[:until].tobytes() == theirs[:until].tobytes(), part


def test_a_shorter_past_says_the_same(truth: tuple[Series, Walked, Followed]) -> None:
    """A walk that ended earlier is the beginning of a longer one."""
    series, walked, followed = truth
    end = 24 * 15
    plan = WalkPlan(24 * 9, end, tuple(at for at in range(24 * 9, 24 * DAYS, 60) if at < end))
    cut = series.upto(end)
    told = [walk(cut, forecaster(name), TARGETS, LEVELS, plan, lambda: 0.0) for name in NAIVE]
    shorter = follow(cut, together(told, NAIVE, TARGETS, LEVELS, plan), FollowSettings())

    again = [walk(series, forecaster(name), TARGETS, LEVELS, plan, lambda: 0.0) for name in NAIVE]
    longer = follow(series, together(again, NAIVE, TARGETS, LEVELS, plan), FollowSettings())

    assert shorter.selected.tobytes() == longer.selected.tobytes()
    assert followed.selected.shape == (len(walked.origins), len(TARGETS), len(LEVELS))
