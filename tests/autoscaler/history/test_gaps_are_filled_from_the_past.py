"""A missing step gets a stand-in from what came before it, and is marked and not measured.

No line is drawn to the next value: at that time it was not known.
"""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from autoscaler.history.assembly import series_of
from autoscaler.history.settings import HistorySettings
from gpu_fleet.series import MarkKind, Series
from tests.autoscaler.history.made import NAN, marks, sampled


def filled(values: list[float]) -> Series:
    """A series of hours."""
    return series_of(sampled(values), HistorySettings(step_s=3_600))


def test_on_the_first_day_the_last_value_stays() -> None:
    """There is nothing better yet."""
    series = filled([3.0, 4.0, NAN, NAN, 9.0])

    assert series.values.tolist() == [3.0, 4.0, 4.0, 4.0, 9.0]
    assert series.measured.tolist() == [True, True, False, False, True]
    assert marks(series, MarkKind.GAP) == [(2, 3)]


def test_later_the_day_before_is_followed_at_todays_level() -> None:
    """Twice as much in the hours before the gap: about twice as much as yesterday in it."""
    day = [10.0 + hour for hour in range(24)]
    today = [2 * value for value in day]
    series = filled([*day, *today[:12], NAN, NAN, NAN, *today[15:]])

    np.testing.assert_allclose(series.values[36:39], today[12:15], rtol=0.05)
    assert marks(series, MarkKind.GAP) == [(36, 38)]


def test_what_is_followed_is_scaled_less_the_nearer_to_now_it_was() -> None:
    """After half a day the half of the change is over, and after a day it is all in the data."""
    series = filled([10.0] * 24 + [20.0] * 12 + [NAN] * 24 + [20.0])

    np.testing.assert_allclose(series.values[36], 20.0)
    np.testing.assert_allclose(series.values[47], 10.0 * (1 + 13 / 24))
    np.testing.assert_allclose(series.values[59], 20.0 * (1 + 1 / 24))


def test_a_long_gap_repeats_its_first_day() -> None:
    """Today's level is applied once, and does not grow by itself from day to day."""
    day = [10.0 + hour for hour in range(24)]
    series = filled([*day, *[2 * value for value in day], *[NAN] * 72, 20.0])
    one, two, three = (series.values[48 + 24 * n : 72 + 24 * n] for n in range(3))

    np.testing.assert_array_equal(one, two)
    np.testing.assert_array_equal(two, three)


@given(st.lists(st.one_of(st.just(NAN), st.floats(-1e6, 1e6)), min_size=30, max_size=300))
def test_stand_ins_never_run_away(values: list[float]) -> None:
    """Whatever is missing, they stay within four times of what was measured before them."""
    values[0] = 1.0
    series = filled(values)
    most = np.fmax.accumulate(np.abs(values[: len(series)]))

    assert (np.abs(series.values) <= 4 * most).all()


def test_a_series_begins_with_its_first_value() -> None:
    """Nothing stands in for what came before anything was known."""
    series = filled([NAN, NAN, 5.0, NAN, 6.0])

    assert series.values.tolist() == [5.0, 5.0, 6.0]
    assert series.start_s == sampled([0.0]).times_ns[0] // 10**9 + 7_200


def test_negative_gauges_keep_their_sign() -> None:
    """A level below zero is not scaled."""
    day = [-10.0 - hour for hour in range(24)]
    series = filled([*day, *day[:12], NAN, *day[13:]])

    assert series.values[36] == day[12]
