"""The contract of a forecaster, as checks that anybody's forecaster can be run through.

A check takes a forecaster and raises AssertionError with what it broke. Ours run in
`test_every_forecaster.py`; run your own the same way (docs/how-to/add-a-forecaster.md):

    @pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
    def test_mine_keeps_the_contract(check: Check) -> None:
        check(MyForecaster())

A check fits on four weeks of hours, so the whole suite costs about a dozen fits. It must not
ask for skill: a forecaster that always says "between zero and a million" may keep the contract.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np
import pytest

from gpu_fleet.errors import FleetError, InputError
from gpu_fleet.forecasts import Fitted, Forecaster, NotForecastable, Target
from tests.autoscaler.contract.demand import DAY, LEARNED, demand, series_of, with_values

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from gpu_fleet.series import Series

__all__ = ["CHECKS", "LEVELS", "TARGETS", "Check"]

Check = Callable[[Forecaster], None]

TARGETS = (Target(1), Target(6), Target(DAY), Target(6, peak=True), Target(DAY, peak=True))
LEVELS = (0.05, 0.5, 0.95)
WEEK = DAY * 7


def _fit(forecaster: Forecaster, series: Series) -> Fitted:
    return forecaster.fit(series.upto(LEARNED), TARGETS, LEVELS)


def _origins(series: Series) -> NDArray[np.int64]:
    return np.arange(LEARNED - 1, len(series), dtype=np.int64)


def answers_have_the_right_shape(forecaster: Forecaster) -> None:
    """One number for each origin, target and level, and none is absent on ordinary demand."""
    series = demand()
    answer = _fit(forecaster, series).quantiles(series, _origins(series))

    assert answer.dtype == np.float64
    assert answer.shape == (WEEK + 1, len(TARGETS), len(LEVELS))
    assert np.isfinite(answer).all()
    nothing = _fit(forecaster, series).quantiles(series, np.array([], dtype=np.int64))
    assert nothing.shape == (0, len(TARGETS), len(LEVELS))


def quantiles_do_not_fall(forecaster: Forecaster) -> None:
    """A higher level never has a lower quantile, however close the levels are."""
    series = demand()
    levels = (0.01, 0.05, 0.3, 0.5, 0.51, 0.9, 0.95, 0.99)
    fitted = forecaster.fit(series.upto(LEARNED), TARGETS, levels)

    assert (np.diff(fitted.quantiles(series, _origins(series)), axis=2) >= 0).all()


def the_same_past_gives_the_same_answer(forecaster: Forecaster) -> None:
    """Fitting twice, and asking twice, gives the same bytes."""
    series = demand()
    origins = _origins(series)
    fitted = _fit(forecaster, series)
    first = fitted.quantiles(series, origins)

    assert first.tobytes() == fitted.quantiles(series, origins).tobytes()
    assert first.tobytes() == _fit(forecaster, demand()).quantiles(series, origins).tobytes()


def many_origins_are_answered_as_one_is(forecaster: Forecaster) -> None:
    """Bulk, alone, backwards or twice: an origin's answer is the same bytes."""
    series = demand()
    origins = _origins(series)
    fitted = _fit(forecaster, series)
    bulk = fitted.quantiles(series, origins)

    for i in range(0, len(origins), 13):
        assert fitted.quantiles(series, origins[i : i + 1]).tobytes() == bulk[i].tobytes()
    mixed = np.concatenate([np.arange(len(origins))[::-1], [5, 5, 90]])
    assert fitted.quantiles(series, origins[mixed]).tobytes() == bulk[mixed].tobytes()


def what_comes_after_is_not_looked_at(forecaster: Forecaster) -> None:
    """Noise in place of everything after an origin leaves its answer the same bytes."""
    series = demand()
    fitted = _fit(forecaster, series)
    draws = np.random.default_rng(3)
    for now in draws.integers(LEARNED - 1, len(series) - 1, 12).tolist():
        values = series.values.copy()
        values[now + 1 :] = draws.normal(0, 1e6, len(values) - now - 1)
        origin = np.array([now], dtype=np.int64)
        known = fitted.quantiles(series, origin).tobytes()

        assert known == fitted.quantiles(with_values(series, values), origin).tobytes()
        assert known == fitted.quantiles(series.upto(now + 1), origin).tobytes()


def another_unit_gives_the_same_forecast(forecaster: Forecaster) -> None:
    """Demand times a power of two is forecast times that power, to nine digits."""
    series = demand()
    said = _fit(forecaster, series).quantiles(series, _origins(series))
    for power in (2.0**-12, 2.0**20):
        scaled = with_values(series, series.values * power)
        answer = _fit(forecaster, scaled).quantiles(scaled, _origins(series))

        np.testing.assert_allclose(answer / power, said, rtol=1e-9, atol=1e-9)


def another_base_load_gives_the_same_forecast(forecaster: Forecaster) -> None:
    """Demand that is higher or lower by a constant is forecast higher or lower by it."""
    series = demand()
    said = _fit(forecaster, series).quantiles(series, _origins(series))
    for base in (-512.0, 4096.0):
        moved = with_values(series, series.values + base)
        answer = _fit(forecaster, moved).quantiles(moved, _origins(series))

        np.testing.assert_allclose(answer - base, said, rtol=1e-9, atol=1e-6)


def a_stored_model_answers_as_before(forecaster: Forecaster) -> None:
    """Through JSON and back, the answer is the same bytes."""
    series = demand()
    fitted = _fit(forecaster, series)
    text = json.dumps(fitted.state(), allow_nan=False)
    revived = forecaster.revive(json.loads(text))
    origins = _origins(series)

    assert fitted.quantiles(series, origins).tobytes() == (
        revived.quantiles(series, origins).tobytes()
    )
    assert json.dumps(revived.state(), allow_nan=False) == text


def a_foreign_model_is_refused(forecaster: Forecaster) -> None:
    """Whatever part of a stored model is absent or nonsense, an input error names it."""
    text = json.dumps(_fit(forecaster, demand()).state(), allow_nan=False)
    with pytest.raises(InputError):
        forecaster.revive({})
    for field in json.loads(text):
        for nonsense in (None, "nonsense", -1, [None], {"kind": "foreign"}):
            with pytest.raises(InputError):
                forecaster.revive({**json.loads(text), field: nonsense})
        with pytest.raises(InputError):
            forecaster.revive({k: v for k, v in json.loads(text).items() if k != field})


def too_little_is_refused_by_name(forecaster: Forecaster) -> None:
    """An empty past, one value and nothing but stand-ins are refused with a reason."""
    refused = [
        series_of(np.array([])),
        series_of(np.array([5.0])),
        series_of(np.full(LEARNED, 5.0), np.zeros(LEARNED, dtype=np.bool_)),
    ]
    for past in refused:
        with pytest.raises(NotForecastable, match=r"demand.*; \w+"):
            forecaster.fit(past, TARGETS, LEVELS)


def a_question_that_makes_no_sense_is_refused(forecaster: Forecaster) -> None:
    """Levels that are none, an origin that is not there, another step: each is named."""
    series = demand()
    fitted = _fit(forecaster, series)
    for levels in ((), (0.5, 0.5), (0.9, 0.1), (0.0,), (0.5, 1.0)):
        with pytest.raises(FleetError):
            forecaster.fit(series.upto(LEARNED), TARGETS, levels)
    with pytest.raises(FleetError):
        forecaster.fit(series.upto(LEARNED), (), LEVELS)
    for origin in (-1, len(series)):
        with pytest.raises(FleetError):
            fitted.quantiles(series, np.array([origin], dtype=np.int64))
    with pytest.raises(FleetError):
        fitted.quantiles(demand(step_s=1_800), np.array([LEARNED], dtype=np.int64))


def stand_ins_teach_nothing(forecaster: Forecaster) -> None:
    """An outage of twelve days, filled with one value, does not make a forecast look certain."""
    whole = demand()
    now = np.array([LEARNED - 1], dtype=np.int64)
    values, measured = whole.values.copy(), np.ones(len(whole), dtype=np.bool_)
    outage = slice(LEARNED - 14 * DAY, LEARNED - 2 * DAY)
    values[outage] = values[outage.start - 1]
    measured[outage] = False
    broken = series_of(values, measured)

    widths = [
        np.subtract(*_fit(forecaster, series).quantiles(series, now)[0, 0, [2, 0]])
        for series in (whole, broken)
    ]

    assert widths[1] > 0.5 * widths[0]


def a_series_may_begin_later(forecaster: Forecaster) -> None:
    """A live series is cut to its last weeks; what was fitted goes on answering, and soundly."""
    series = demand()
    fitted = _fit(forecaster, series)
    long = fitted.quantiles(series, np.array([len(series) - 1], dtype=np.int64))
    for kept in (LEARNED, LEARNED - 5):
        recent = series.last(kept)
        short = fitted.quantiles(recent, np.array([kept - 1], dtype=np.int64))
        width = long[0, :, 2] - long[0, :, 0]

        assert (np.abs(short - long)[0].max(axis=1) <= 0.5 * width).all()


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
