"""Where there is something to learn, learning pays: pinball loss against the best naive guess.

The demand is drawn by a recipe with fixed seeds, none of which any setting was chosen on.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from autoscaler.forecasters.outcomes import outcomes
from autoscaler.forecasters.registry import NAIVE, forecaster
from gpu_fleet.forecasts import Target
from tests.autoscaler.contract.demand import demand

if TYPE_CHECKING:
    from gpu_fleet.series import Series

LEVELS = (0.05, 0.5, 0.95)
HOUR = Target(2)
"""In steps of half an hour."""
DAYS, LEARNED_DAYS = 35, 28


def losses(name: str, series: Series) -> tuple[float, float]:
    """The mean pinball loss of the 95 % bound over the last week, and how often it held."""
    learned = LEARNED_DAYS * series.steps_a_day
    fitted = forecaster(name).fit(series.upto(learned), [HOUR], LEVELS)
    origins = np.arange(learned, len(series) - HOUR.ahead, dtype=np.int64)
    bound = fitted.quantiles(series, origins)[:, 0, 2]
    came = outcomes(series, HOUR)[origins]
    error = came - bound
    return float(np.maximum(0.95 * error, -0.05 * error).mean()), float((came <= bound).mean())


@pytest.mark.parametrize(("name", "gain"), [("lightgbm", 0.2), ("mstl", 0.1), ("ensemble", 0.15)])
def test_days_and_weeks_are_worth_learning(name: str, gain: float) -> None:
    """An hour ahead on days with weekends the loss is well below that of the best naive guess.

    Nobody could be more than about 39 % below it: that is what the noise alone costs.
    """
    shares = []
    for seed in (101, 102, 103):
        series = demand(DAYS, seed, step_s=1_800)
        naive = min(losses(rival, series)[0] for rival in NAIVE)
        loss, held = losses(name, series)
        shares.append(loss / naive)

        assert 0.9 <= held <= 0.99

    assert np.mean(shares) < 1 - gain
