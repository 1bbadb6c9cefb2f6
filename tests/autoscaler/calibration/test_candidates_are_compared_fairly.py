"""Whoever was mute while demand was wild is not thought better than one who spoke then.

Two candidates say the same; the second is silent at times. No forecaster is needed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from autoscaler.calibration.settings import CalibrationSettings
from autoscaler.calibration.tracking import Tracking
from gpu_fleet.forecasts import Target

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Flags = NDArray[np.bool_]

DAY = 144
LEVELS = (0.5, 0.95)
NO_RATES = (0.0,)
"""Nothing is corrected, so that both go on saying the same."""
SETTINGS = CalibrationSettings()


def losses(demand: Floats, said: Floats, speaks: Flags) -> Floats:
    """What both lost lately, [candidate, level]; each of `said` is what both say, in that order."""
    tracking = Tracking(2, [Target(1)], LEVELS, DAY, NO_RATES, SETTINGS)
    for value, quantiles, second in zip(demand, said, speaks, strict=True):
        raw = np.stack([quantiles, quantiles if second else np.full(2, np.nan)])
        tracking.step(raw[:, np.newaxis], np.array([value]))
    return np.asarray(tracking.losses[:, 0])


@pytest.mark.parametrize(
    ("before", "after"),
    [pytest.param(50.0, 1.0, id="it missed a storm"), pytest.param(1.0, 50.0, id="a calm")],
)
def test_who_was_mute_is_thought_neither_better_nor_worse(before: float, after: float) -> None:
    """Two days of one kind, then two of the other, in which alone the second speaks."""
    draws = np.random.default_rng(1)
    demand = draws.normal(100, np.repeat([before, after], 2 * DAY))
    said = np.tile([100.0, 102.0], (4 * DAY, 1))

    first, second = losses(demand, said, np.arange(4 * DAY) >= 2 * DAY)

    assert second == pytest.approx(first)


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), share=st.floats(0.3, 1.0))
def test_silence_neither_helps_nor_harms(seed: int, share: float) -> None:
    """Silent now and then, in demand that calms down and flares up."""
    draws = np.random.default_rng(seed)
    wildness = np.exp(np.cumsum(draws.normal(0, 0.1, DAY)))
    demand = 100 + wildness * draws.normal(size=DAY)
    said = 100 + wildness[:, np.newaxis] * np.array([0.0, 1.6])

    first, second = losses(demand, said, draws.random(DAY) < share)

    assert second == pytest.approx(first)
