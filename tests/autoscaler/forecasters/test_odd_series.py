"""Whatever a series looks like: an answer of the right width, or a refusal that says why.

Nothing may warn (pytest makes that an error), and not-a-number stands only for a whole target of
which nothing can be said.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from autoscaler.forecasters.registry import FORECASTERS, forecaster
from gpu_fleet.forecasts import NotForecastable, Target
from tests.autoscaler.contract.demand import demand, series_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from gpu_fleet.series import Series

TARGETS = (Target(1), Target(5), Target(30), Target(5, peak=True), Target(30, peak=True))
LEVELS = (0.05, 0.5, 0.95)
STEPS_S = (60, 600, 1_800, 3_600, 21_600, 86_400, 172_800)


def answer(name: str, series: Series, learned: int) -> NDArray[np.float64] | None:
    """What a forecaster says from the fit to the end; None where it refuses, with a reason."""
    refusal, fitted = "", None
    try:
        fitted = forecaster(name).fit(series.upto(learned), TARGETS, LEVELS)
    except NotForecastable as error:
        refusal = str(error)
    if fitted is None:
        assert refusal.startswith(f"series {series.name}")
        assert "; " in refusal
        return None
    said = fitted.quantiles(series, np.arange(learned - 1, len(series), dtype=np.int64))
    silent = np.isnan(said)
    assert said.shape == (len(series) - learned + 1, len(TARGETS), len(LEVELS))
    assert (silent.all(axis=2) == silent.any(axis=2)).all()
    assert not silent.all()
    assert (np.diff(said, axis=2)[~silent.any(axis=2)] >= 0).all()
    assert not np.isinf(said).any()
    return said


@st.composite
def odd_series(draw: st.DrawFn) -> tuple[Series, int]:
    """A series of a strange kind and size with gaps, and how much of it is learned from."""
    draws = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    count = draw(st.integers(1, 900))
    kind = draw(
        st.sampled_from(["flat", "zero", "noise", "walk", "rare", "spike", "steps", "days"])
    )
    values = {
        "flat": np.full(count, draw(st.floats(-1e9, 1e9))),
        "zero": np.zeros(count),
        "noise": draws.normal(0, 1, count),
        "walk": np.cumsum(draws.integers(-2, 3, count)).astype(float),
        "rare": (draws.random(count) < 0.02).astype(float),
        "spike": np.where(np.arange(count) == count // 2, 1e12, draws.random(count)),
        "steps": np.repeat(draws.normal(0, 100, count), 50)[:count],
        "days": demand(days=38).values[:count] - 60,
    }[kind]
    values = values * 10.0 ** draw(st.integers(-100, 100))
    measured = draws.random(count) >= draw(st.sampled_from([0.0, 0.02, 0.5]))
    if draw(st.booleans()):
        gap = draw(st.integers(0, count))
        measured[gap : gap + count // 3] = False
    step_s = draw(st.sampled_from(STEPS_S))
    return series_of(values, measured, step_s=step_s), draw(st.integers(1, count))


@pytest.mark.parametrize("name", FORECASTERS)
@settings(max_examples=15, deadline=None)
@given(case=odd_series())
def test_an_odd_series_is_answered_or_refused(name: str, case: tuple[Series, int]) -> None:
    """No kind, size, magnitude, step or gap makes a forecaster fail, warn or fall."""
    answer(name, *case)


@pytest.mark.prove
@pytest.mark.parametrize("name", FORECASTERS)
@settings(max_examples=1_000, deadline=None)
@given(case=odd_series())
def test_a_thousand_odd_series_are_answered_or_refused(name: str, case: tuple[Series, int]) -> None:
    """The same in full count."""
    answer(name, *case)


@pytest.mark.parametrize("name", FORECASTERS)
@pytest.mark.parametrize("level", [0.0, 7.0, -3.5, 1e100])
def test_a_constant_is_forecast_without_width_or_refused(name: str, level: float) -> None:
    """Where nothing ever changed, an answer is that value at every level."""
    said = answer(name, series_of(np.full(900, level)), 800)

    assert said is None or (said == level).all()


@pytest.mark.parametrize("name", FORECASTERS)
def test_ten_years_of_hours_are_answered(name: str) -> None:
    """A long history costs time in proportion and nothing else."""
    hours = np.arange(3_653 * 24)
    draws = np.random.default_rng(4).normal(0, 5, len(hours))
    series = series_of(100 + 30 * np.sin(hours * 2 * np.pi / 24) + draws)
    said = answer(name, series, len(series) - 48)

    assert said is not None
    assert np.isfinite(said).all()


@pytest.mark.parametrize("name", FORECASTERS)
def test_missing_weeks_are_answered(name: str) -> None:
    """Two weeks without a sample in six leave an answer of about the usual width."""
    series = demand(days=42)
    measured = np.ones(len(series), dtype=np.bool_)
    values = series.values.copy()
    for first in (10 * 24, 25 * 24):
        gap = slice(first, first + 7 * 24)
        measured[gap] = False
        values[gap] = values[first - 1]
    whole, broken = (
        answer(name, one, len(series) - 24) for one in (series, series_of(values, measured))
    )

    assert whole is not None
    assert broken is not None
    assert 0.4 < np.ptp(broken[0, 0]) / np.ptp(whole[0, 0]) < 2.5


@pytest.mark.parametrize("name", FORECASTERS)
@pytest.mark.parametrize("factor", [1e-100, 1e100])
def test_any_magnitude_is_answered_alike(name: str, factor: float) -> None:
    """Tiny and huge numbers have the same forecast, but for their size."""
    series = demand()
    plain, scaled = (answer(name, one, 800) for one in (series, series_of(series.values * factor)))

    assert plain is not None
    assert scaled is not None
    np.testing.assert_allclose(scaled / factor, plain, rtol=0.05)


@pytest.mark.parametrize("name", FORECASTERS)
def test_numbers_beyond_measure_are_refused(name: str) -> None:
    """What cannot be squared is refused, and the text says to change the unit."""
    with pytest.raises(NotForecastable, match="larger unit"):
        forecaster(name).fit(series_of(demand().values * 1e200), TARGETS, LEVELS)


@pytest.mark.parametrize("name", FORECASTERS)
def test_a_number_beyond_measure_after_the_fit_is_survived(name: str) -> None:
    """One broken sample of the live series does not stop the answers, then or later."""
    series = demand()
    values = series.values.copy()
    values[750] = 1e300
    said = answer(name, series_of(values), 700)

    assert said is not None
    assert np.isfinite(said).all()


@pytest.mark.parametrize("size", [1e3, 1e6, 1e9, 1e12])
@pytest.mark.parametrize("name", FORECASTERS)
def test_a_spike_of_any_size_is_lived_through(name: str, size: float) -> None:
    """Beside it all else is rounding: clues that vary by no more than that must say nothing."""
    values = np.random.default_rng(143).random(202)
    values[101] = size

    answer(name, series_of(values, step_s=60), 202)
