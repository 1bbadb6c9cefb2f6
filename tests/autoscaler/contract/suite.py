"""The contract of a forecaster, as checks that anybody's forecaster can be run through.

A check takes a trial of a forecaster and raises AssertionError with what it broke. Ours run in
`test_every_forecaster.py`; run your own the same way (docs/how-to/add-a-forecaster.md):

    MINE = Trial(MyForecaster())


    @pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
    def test_mine_keeps_the_contract(check: Check) -> None:
        check(MINE)

The whole suite costs about nine fits on four weeks of hours. It must not ask for skill: a
forecaster that always says "between zero and a million" may keep the contract.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
import pytest

from gpu_fleet.errors import FleetError, InputError
from gpu_fleet.forecasts import Fitted, Forecaster, NotForecastable, Target
from tests.autoscaler.contract.demand import DAY, LEARNED, demand, series_of, with_values

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from gpu_fleet.series import Series

__all__ = ["CHECKS", "LEVELS", "TARGETS", "Check", "Trial"]


TARGETS = (Target(1), Target(6), Target(DAY), Target(6, peak=True), Target(DAY, peak=True))
LEVELS = (0.05, 0.5, 0.95)
WEEK = DAY * 7


class Trial:
    """A forecaster, with what it learned from four ordinary weeks: once for all checks."""

    def __init__(self, forecaster: Forecaster) -> None:
        self.forecaster = forecaster
        self.series = demand()
        self.origins = np.arange(LEARNED - 1, len(self.series), dtype=np.int64)

    def learned_from(self, series: Series) -> Fitted:
        """What it learns from the first four weeks of a series."""
        return self.forecaster.fit(series.upto(LEARNED), TARGETS, LEVELS)

    @cached_property
    def fitted(self) -> Fitted:
        """What it learned from the ordinary weeks."""
        return self.learned_from(self.series)

    @cached_property
    def said(self) -> NDArray[np.float64]:
        """What it says from each origin of the week after."""
        return self.fitted.quantiles(self.series, self.origins)


Check = Callable[[Trial], None]


def answers_have_the_right_shape(trial: Trial) -> None:
    """One number for each origin, target and level, and none is absent on ordinary demand."""
    assert trial.said.dtype == np.float64
    assert trial.said.shape == (WEEK + 1, len(TARGETS), len(LEVELS))
    assert np.isfinite(trial.said).all()
    nothing = trial.fitted.quantiles(trial.series, np.array([], dtype=np.int64))
    assert nothing.shape == (0, len(TARGETS), len(LEVELS))


def quantiles_do_not_fall(trial: Trial) -> None:
    """A higher level never has a lower quantile, however close the levels are."""
    levels = (0.01, 0.05, 0.3, 0.5, 0.51, 0.9, 0.95, 0.99)
    targets = (Target(6), Target(DAY, peak=True))
    fitted = trial.forecaster.fit(trial.series.upto(LEARNED), targets, levels)

    assert (np.diff(trial.said, axis=2) >= 0).all()
    assert (np.diff(fitted.quantiles(trial.series, trial.origins), axis=2) >= 0).all()


def the_same_past_gives_the_same_answer(trial: Trial) -> None:
    """Fitting twice, and asking twice, gives the same bytes."""
    again = trial.learned_from(demand())

    assert _bytes(trial.fitted, trial.series, trial.origins) == trial.said.tobytes()
    assert _bytes(again, trial.series, trial.origins) == trial.said.tobytes()


def many_origins_are_answered_as_one_is(trial: Trial) -> None:
    """Bulk, alone, backwards or twice: an origin's answer is the same bytes."""
    fitted, series, origins = trial.fitted, trial.series, trial.origins

    for i in range(0, len(origins), 13):
        assert _bytes(fitted, series, origins[i : i + 1]) == trial.said[i].tobytes()
    mixed = np.concatenate([np.arange(len(origins))[::-1], [5, 5, 90]])
    assert _bytes(fitted, series, origins[mixed]) == trial.said[mixed].tobytes()


def what_comes_after_is_not_looked_at(trial: Trial) -> None:
    """Noise in place of everything after an origin leaves its answer the same bytes."""
    series, draws = trial.series, np.random.default_rng(3)
    for i in draws.integers(0, len(trial.origins) - 1, 12).tolist():
        origin = trial.origins[i : i + 1]
        now = int(origin[0])
        values = series.values.copy()
        values[now + 1 :] = draws.normal(0, 1e6, len(values) - now - 1)
        known = trial.said[i].tobytes()

        assert _bytes(trial.fitted, with_values(series, values), origin) == known
        assert _bytes(trial.fitted, series.upto(now + 1), origin) == known


def another_unit_gives_the_same_forecast(trial: Trial) -> None:
    """Demand times a power of two is forecast times that power, to nine digits."""
    for power in (2.0**-12, 2.0**20):
        scaled = with_values(trial.series, trial.series.values * power)
        answer = trial.learned_from(scaled).quantiles(scaled, trial.origins)

        np.testing.assert_allclose(answer / power, trial.said, rtol=1e-9, atol=1e-9)


def another_base_load_gives_the_same_forecast(trial: Trial) -> None:
    """Demand that is higher or lower by a constant is forecast higher or lower by it."""
    for base in (-512.0, 4096.0):
        moved = with_values(trial.series, trial.series.values + base)
        answer = trial.learned_from(moved).quantiles(moved, trial.origins)

        np.testing.assert_allclose(answer - base, trial.said, rtol=1e-9, atol=1e-6)


def a_stored_model_answers_as_before(trial: Trial) -> None:
    """Through JSON and back, the answer is the same bytes."""
    text = json.dumps(trial.fitted.state(), allow_nan=False, sort_keys=True)
    revived = trial.forecaster.revive(json.loads(text))

    assert _bytes(revived, trial.series, trial.origins) == trial.said.tobytes()
    assert json.dumps(revived.state(), allow_nan=False, sort_keys=True) == text


def a_foreign_model_is_refused(trial: Trial) -> None:
    """Whatever part of a stored model is absent or nonsense, an input error names it."""
    text = json.dumps(trial.fitted.state(), allow_nan=False)
    with pytest.raises(InputError):
        trial.forecaster.revive({})
    for field in json.loads(text):
        for nonsense in (None, "nonsense", -1, [None], {"kind": "foreign"}):
            with pytest.raises(InputError):
                trial.forecaster.revive({**json.loads(text), field: nonsense})
        with pytest.raises(InputError):
            trial.forecaster.revive({k: v for k, v in json.loads(text).items() if k != field})


def too_little_is_refused_by_name(trial: Trial) -> None:
    """An empty past, one value and nothing but stand-ins are refused with a reason."""
    refused = [
        series_of(np.array([])),
        series_of(np.array([5.0])),
        series_of(np.full(LEARNED, 5.0), np.zeros(LEARNED, dtype=np.bool_)),
    ]
    for past in refused:
        with pytest.raises(NotForecastable, match=r"demand.*; \w+"):
            trial.forecaster.fit(past, TARGETS, LEVELS)


def a_question_that_makes_no_sense_is_refused(trial: Trial) -> None:
    """Levels that are none, an origin that is not there, another step: each is named."""
    past = trial.series.upto(LEARNED)
    for levels in ((), (0.5, 0.5), (0.9, 0.1), (0.0,), (0.5, 1.0)):
        with pytest.raises(FleetError):
            trial.forecaster.fit(past, TARGETS, levels)
    with pytest.raises(FleetError):
        trial.forecaster.fit(past, (), LEVELS)
    for origin in (-1, len(trial.series)):
        with pytest.raises(FleetError):
            trial.fitted.quantiles(trial.series, np.array([origin], dtype=np.int64))
    with pytest.raises(FleetError):
        trial.fitted.quantiles(demand(step_s=1_800), np.array([LEARNED], dtype=np.int64))


def stand_ins_teach_nothing(trial: Trial) -> None:
    """An outage of twelve days, filled with one value, does not make a forecast look certain."""
    values, measured = trial.series.values.copy(), np.ones(len(trial.series), dtype=np.bool_)
    outage = slice(LEARNED - 14 * DAY, LEARNED - 2 * DAY)
    values[outage] = values[outage.start - 1]
    measured[outage] = False
    broken = series_of(values, measured)
    answer = trial.learned_from(broken).quantiles(broken, trial.origins[:1])

    assert np.ptp(answer[0, 0]) > 0.5 * np.ptp(trial.said[0, 0])


def a_series_may_begin_later(trial: Trial) -> None:
    """A live series is cut to its last weeks; what was fitted goes on answering, and soundly."""
    width = np.ptp(trial.said[-1], axis=1)
    for kept in (LEARNED, LEARNED - 5):
        recent = trial.series.last(kept)
        answer = trial.fitted.quantiles(recent, np.array([kept - 1], dtype=np.int64))

        assert (np.abs(answer[0] - trial.said[-1]).max(axis=1) <= 0.5 * width).all()


def _bytes(fitted: Fitted, series: Series, origins: NDArray[np.int64]) -> bytes:
    return fitted.quantiles(series, origins).tobytes()


CHECKS: tuple[Check, ...] = (
    answers_have_the_right_shape,
    quantiles_do_not_fall,
    the_same_past_gives_the_same_answer,
    many_origins_are_answered_as_one_is,
    what_comes_after_is_not_looked_at,
    another_unit_gives_the_same_forecast,
    another_base_load_gives_the_same_forecast,
    a_stored_model_answers_as_before,
    a_foreign_model_is_refused,
    too_little_is_refused_by_name,
    a_question_that_makes_no_sense_is_refused,
    stand_ins_teach_nothing,
    a_series_may_begin_later,
)
