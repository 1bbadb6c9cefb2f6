"""An outcome is a measured value or peak; what is a stand-in or still to come is unknown."""

from __future__ import annotations

import numpy as np

from autoscaler.forecasters.outcomes import outcomes, rolling_max
from gpu_fleet.forecasts import Target
from tests.autoscaler.contract.demand import series_of

UNKNOWN = np.nan


def test_a_value_some_steps_later() -> None:
    """The value `ahead` steps later, unknown at the end and where a stand-in stands."""
    measured = np.array([True, True, True, False, True])
    series = series_of(np.array([1.0, 2, 3, 4, 5]), measured)

    expected = np.array([3, UNKNOWN, 5, UNKNOWN, UNKNOWN])
    assert np.array_equal(outcomes(series, Target(2)), expected, equal_nan=True)


def test_the_peak_leaves_out_the_moment_itself() -> None:
    """A peak is looked for from the next step on, and is unknown until the last one was seen."""
    series = series_of(np.array([9.0, 1, 5, 2, 7]))

    expected = np.array([5, 5, 7, UNKNOWN, UNKNOWN])
    assert np.array_equal(outcomes(series, Target(2, peak=True)), expected, equal_nan=True)


def test_a_peak_bears_a_few_stand_ins() -> None:
    """One stand-in among ten leaves the peak of the others; a second one makes it unknown."""
    values = np.arange(12.0)
    measured = np.ones(12, dtype=np.bool_)
    measured[10] = False

    assert outcomes(series_of(values, measured), Target(10, peak=True))[0] == 9
    measured[4] = False
    assert np.isnan(outcomes(series_of(values, measured), Target(10, peak=True))[0])


def test_further_than_the_series_everything_is_unknown() -> None:
    """A target beyond the end has no outcome, and that is no error."""
    assert np.isnan(outcomes(series_of(np.arange(3.0)), Target(3))).all()
    assert np.isnan(outcomes(series_of(np.arange(3.0)), Target(9, peak=True))).all()


def test_the_rolling_maximum_equals_the_plain_one() -> None:
    """Doubling windows finds what looking at each window finds, for every width."""
    values = np.random.default_rng(2).normal(size=40)
    for width in range(1, 41):
        plain = [values[i : i + width].max() for i in range(41 - width)]
        assert rolling_max(values, width).tolist() == plain
