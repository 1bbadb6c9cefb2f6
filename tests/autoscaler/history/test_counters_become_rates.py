"""A counter becomes a rate, over restarts as Prometheus counts them.

A rate stands on the step at whose beginning its counter was read, since earlier it was not known.
"""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from autoscaler.history.assembly import series_of
from autoscaler.history.settings import HistorySettings, Kind
from gpu_fleet.series import MarkKind
from tests.autoscaler.history.made import MIDNIGHT_S, NAN, marks, sampled

COUNTER = HistorySettings(kind=Kind.COUNTER, step_s=60)


def test_what_was_counted_is_shared_out_over_the_seconds() -> None:
    """The series begins at the second sample, and its unit is per second."""
    series = series_of(sampled([100, 160, 280], step_s=60), COUNTER)

    assert series.values.tolist() == [1.0, 2.0]
    assert series.start_s == MIDNIGHT_S + 60
    assert series.unit == "GPUs/s"
    assert series.marks == ()


def test_a_restart_counts_from_zero_and_is_marked() -> None:
    """What a counter shows after it fell was counted since."""
    series = series_of(sampled([100, 160, 30, 90], step_s=60), COUNTER)

    assert series.values.tolist() == [1.0, 0.5, 1.0]
    assert marks(series, MarkKind.RESET) == [(1, 1)]
    assert series.marks[0].detail == "fell from 160 to 30; counted from 0"


def test_over_an_absent_sample_the_mean_rate_is_kept() -> None:
    """The gap is a gap; what was counted over it is not lost."""
    series = series_of(sampled([0, 60, NAN, 300, 360], step_s=60), COUNTER)

    assert series.values.tolist() == [1.0, 1.0, 2.0, 1.0]
    assert series.measured.tolist() == [True, False, True, True]
    assert marks(series, MarkKind.GAP) == [(1, 1)]


@given(
    st.lists(st.integers(0, 1_000), min_size=2, max_size=60),
    st.sets(st.integers(1, 59), max_size=5),
)
def test_restarts_lose_nothing_that_was_seen(counts: list[int], restarts: set[int]) -> None:
    """Rates times seconds are what was counted, whenever the counter began anew."""
    shown, now = [], 0
    for index, count in enumerate(counts):
        now = count if index in restarts else now + count
        shown.append(float(now))
    series = series_of(sampled(shown, step_s=60), COUNTER)
    seen = np.array(counts[1:], dtype=float)
    # A restart is only seen where the counter falls.
    hidden = [i for i in restarts if 0 < i < len(counts) and shown[i] >= shown[i - 1]]
    for index in hidden:
        seen[index - 1] = shown[index] - shown[index - 1]

    np.testing.assert_allclose(series.values * 60, seen, rtol=1e-12, atol=1e-9)
