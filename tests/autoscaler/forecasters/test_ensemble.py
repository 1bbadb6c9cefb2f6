"""The ensemble says the middle of its members, without those that refuse."""

from __future__ import annotations

import json

import numpy as np
import pytest

from autoscaler.forecasters.ensemble import Ensemble, middle
from autoscaler.forecasters.ets import Ets
from autoscaler.forecasters.last_value import LastValue
from autoscaler.forecasters.seasonal_naive import SeasonalNaive
from gpu_fleet.errors import InputError
from gpu_fleet.forecasts import NotForecastable, Target
from tests.autoscaler.contract.demand import demand, series_of

LEVELS = (0.05, 0.5, 0.95)
HOURS = (Target(1), Target(6))
THREE = Ensemble((LastValue(), SeasonalNaive(), Ets()))
NAN = np.nan


def test_each_number_is_the_median_of_what_is_said() -> None:
    """The middle of three, the mean of two, what one says, nothing where nobody speaks."""
    answers = [
        np.array([1.0, 1, 1, NAN]),
        np.array([9.0, NAN, NAN, NAN]),
        np.array([5.0, 2, NAN, NAN]),
    ]

    assert np.array_equal(middle(answers), [5, 1.5, 1, NAN], equal_nan=True)
    assert np.array_equal(middle(answers[:1]), answers[0], equal_nan=True)


def test_it_is_the_middle_of_its_members() -> None:
    """What it says is the median of what its members say when fitted alone."""
    series = demand()
    origins = np.arange(700, 750, dtype=np.int64)
    said = [
        member.fit(series.upto(672), HOURS, LEVELS).quantiles(series, origins)
        for member in THREE.members
    ]

    fitted = THREE.fit(series.upto(672), HOURS, LEVELS)
    assert np.allclose(fitted.quantiles(series, origins), np.median(said, axis=0))


def test_a_member_that_refuses_is_left_out() -> None:
    """A day and a half are too little for seasons, and enough for the others."""
    fitted = THREE.fit(demand().upto(36), HOURS, LEVELS)

    assert list(fitted.members) == ["last-value", "ets"]


def test_it_refuses_where_all_do() -> None:
    """Five values are too little for anybody; the first member's reason is told."""
    with pytest.raises(NotForecastable, match="how wrong"):
        THREE.fit(demand().upto(5), HOURS, LEVELS)


def test_members_fitted_before_are_not_fitted_again() -> None:
    """Whoever has the members fitted gets the same ensemble from them."""
    past = demand().upto(672)
    fitted = {member.name: member.fit(past, HOURS, LEVELS) for member in THREE.members}
    origins = np.array([671], dtype=np.int64)

    again = THREE.fit(past, HOURS, LEVELS)
    gathered = THREE.of(past, HOURS, LEVELS, fitted)
    assert gathered.quantiles(past, origins).tobytes() == again.quantiles(past, origins).tobytes()
    with pytest.raises(NotForecastable, match="fit one of last-value"):
        THREE.of(past, HOURS, LEVELS, {})


def test_a_member_of_another_question_is_refused() -> None:
    """A stored ensemble whose member answers other targets, or another step, is no ensemble."""
    state = json.loads(json.dumps(THREE.fit(demand(), HOURS, LEVELS).state()))
    longer = json.loads(json.dumps(THREE.fit(demand(), (*HOURS, Target(9)), LEVELS).state()))
    two_hours = series_of(demand().values, step_s=7_200)
    slower = json.loads(json.dumps(THREE.fit(two_hours, HOURS, LEVELS).state()))

    for foreign, told in ((longer, "something else"), (slower, "another step")):
        members = {**state["members"], "ets": foreign["members"]["ets"]}
        with pytest.raises(InputError, match=told):
            THREE.revive({**state, "members": members})
    with pytest.raises(InputError, match="last-value, seasonal-naive, ets"):
        THREE.revive({**state, "members": {"prophet": {}}})
