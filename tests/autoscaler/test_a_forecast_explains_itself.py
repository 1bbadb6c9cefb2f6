"""What comes next, who says so and why, the naive one beside it, and what it rests on."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest

from autoscaler.forecast import ForecastSettings, forecast, recent_walk
from autoscaler.forecasters.registry import NAIVE, forecaster
from autoscaler.forecasters.seasonal_naive import SeasonalNaive
from gpu_fleet.errors import FleetError
from gpu_fleet.forecasts import Forecast, Target
from gpu_fleet.series import Mark, MarkKind
from tests.autoscaler.contract.demand import demand, series_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gpu_fleet.series import Series

HOUR, DAY = Target(1), Target(24)


def made(
    series: Series, targets: Sequence[Target] = (HOUR, DAY, Target(24, peak=True))
) -> Forecast:
    """A forecast by the naive ones."""
    return forecast(series, [forecaster(name) for name in NAIVE], NAIVE, targets)


def test_each_target_is_answered_in_order() -> None:
    """Quantiles do not fall, the naive one is beside them, and coverage has been counted."""
    series = demand(20)
    found = made(series)

    assert [answer.target for answer in found.answers] == [HOUR, DAY, Target(24, peak=True)]
    assert [answer.horizon_s for answer in found.answers] == [3_600, 86_400, 86_400]
    assert found.unanswered == ()
    for answer in found.answers:
        assert list(answer.quantiles) == sorted(answer.quantiles)
        assert len(answer.naive_quantiles) == len(found.levels)
        assert answer.naive in NAIVE
        assert answer.held is not None
        assert answer.held > 0.7
        assert answer.model_age_s == 0
    assert found.origin_s == series.start_s + 20 * 86_400


def test_the_most_until_then_is_at_least_what_is_then() -> None:
    """A day with a peak in the afternoon, seen from midnight."""
    _, day, peak = made(demand(20)).answers

    assert peak.quantiles[1] > day.quantiles[1]


def test_the_naive_one_is_believed_until_somebody_earned_it() -> None:
    """And the reason says so."""
    early = made(series_of(demand(20).values[:26]), (HOUR,))
    late = made(demand(20), (HOUR,))

    assert early.answers[0].parts[-1][0][0] in NAIVE
    assert early.answers[0].reason == "is naive, and used until it is known who loses least"
    assert late.answers[0].reason == "is naive, and nobody else has been judged"


def test_a_challenger_that_loses_less_is_believed_and_said_why() -> None:
    """Yesterday's value is no naive one here, and beats the last value a day ahead by far."""
    series = demand(28)
    both = [forecaster("last-value"), SeasonalNaive("challenger", 7)]
    (answer,) = forecast(series, both, ("last-value",), (Target(12),)).answers

    assert answer.by == "challenger"
    assert answer.naive == "last-value"
    assert answer.reason.startswith("has lost ")
    assert answer.reason.endswith("% less lately than last-value, the best naive one")
    assert answer.quantiles[-1] - answer.quantiles[0] < (
        answer.naive_quantiles[-1] - answer.naive_quantiles[0]
    )


def test_a_challenger_that_does_not_earn_its_use_is_said_to() -> None:
    """The last value pretends to be new; it loses exactly as much."""
    series = demand(20)
    same = replace(forecaster("last-value"), name="challenger")  # type: ignore[type-var]
    (answer,) = forecast(series, [forecaster("last-value"), same], ("last-value",), (HOUR,)).answers

    assert answer.by == "last-value"
    assert "the best of the others, challenger, has lost 0.0% less lately" in answer.reason
    assert "(less is asked for)" in answer.reason


def test_what_nobody_can_answer_is_told_with_what_it_lacks() -> None:
    """Eight hours tell nothing; it is no zero and no crash."""
    found = made(series_of(np.arange(8.0)))

    assert found.answers == ()
    assert [one.target for one in found.unanswered] == [HOUR, DAY, Target(24, peak=True)]
    assert all("wait for more history" in one.why for one in found.unanswered)


def test_it_says_all_of_it_in_words() -> None:
    """What is printed names the series, each target, the reason and what was repaired."""
    series = replace(demand(20), marks=(Mark(MarkKind.GAP, 5, 9, "no sample"),))
    told = str(made(series, (HOUR, Target(480))))

    assert told.startswith(f"demand from {series.time_s(480)}, GPUs:")
    assert "in 3,600 s, then: " in told
    assert "the bound has held: " in told
    assert "in 1,728,000 s, then: unknown (" in told
    assert "history: 1 gap filled from the past (5 steps)" in told


def test_the_same_past_gives_the_same_forecast() -> None:
    """Nothing is drawn, and no clock is read."""
    assert made(demand(20)) == made(demand(20))


@pytest.mark.parametrize("days", [1, 5, 30, 60])
def test_a_walk_ends_at_the_last_step_and_is_fitted_there(days: int) -> None:
    """Half of the series at most, two weeks at most, unless a target looks farther."""
    series = demand(days)
    plan = recent_walk(series, (HOUR,), ForecastSettings())
    far = recent_walk(series, (Target(40),), ForecastSettings())

    assert plan.end == len(series)
    assert plan.refits[-1] == len(series) - 1
    assert plan.first == max(len(series) // 2, len(series) - 14 * 24)
    assert far.first == max(len(series) // 2, len(series) - 21 * 40)


def test_a_single_step_is_walked() -> None:
    """One value is answered with what it lacks."""
    assert made(series_of(np.ones(1))).answers == ()


def test_nothing_is_forecast_of_nothing() -> None:
    """No step, no target or no naive one: each is named."""
    series = demand(5)

    with pytest.raises(FleetError, match="a step and a target"):
        made(series.upto(0))
    with pytest.raises(FleetError, match="a step and a target"):
        made(series, ())
    with pytest.raises(FleetError, match="without a naive one"):
        forecast(series, [forecaster("last-value")], (), (HOUR,))
