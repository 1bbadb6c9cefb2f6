"""Rows out of order are sorted, doubled moments settled, and both are marked.

Neither changes a value that was in its place.
"""

from __future__ import annotations

import dataclasses

import numpy as np

from autoscaler.history.assembly import series_of
from autoscaler.history.settings import HistorySettings
from gpu_fleet.series import MarkKind
from tests.autoscaler.history.made import HOUR_S, NAN, marks, sampled

HOURLY = HistorySettings(step_s=HOUR_S)


def test_a_late_row_is_put_in_its_place_and_named() -> None:
    """The mark stands where the order of the file breaks, and names both lines."""
    series = series_of(
        sampled([1, 2, 4, 5, 3], at_s=[0, HOUR_S, 3 * HOUR_S, 4 * HOUR_S, 2 * HOUR_S]), HOURLY
    )

    assert series.values.tolist() == [1.0, 2.0, 3.0, 4.0, 5.0]
    assert series.measured.all()
    (mark,) = series.marks
    assert (mark.kind, mark.first, mark.last) == (MarkKind.UNORDERED, 3, 3)
    assert mark.detail == "sorted: line 4 is later than 6 below it"


def test_newest_first_is_one_mark() -> None:
    """A file in reverse is sorted as a whole."""
    series = series_of(sampled([3, 2, 1], at_s=[2 * HOUR_S, HOUR_S, 0]), HOURLY)

    assert series.values.tolist() == [1.0, 2.0, 3.0]
    assert marks(series, MarkKind.UNORDERED) == [(1, 2)]


def test_any_order_gives_the_same_numbers() -> None:
    """Values, flags and all marks but those of the order itself."""
    plain = sampled([1, 2, NAN, 4, 0, 0, 7, 8])
    order = np.random.default_rng(3).permutation(len(plain))
    mixed = dataclasses.replace(plain, times_ns=plain.times_ns[order], values=plain.values[order])
    one, other = series_of(plain, HOURLY), series_of(mixed, HOURLY)

    assert one.values.tobytes() == other.values.tobytes()
    assert one.measured.tobytes() == other.measured.tobytes()
    assert one.marks == tuple(m for m in other.marks if m.kind is not MarkKind.UNORDERED)


def test_the_last_of_a_moment_counts() -> None:
    """Corrections are appended, so the last row is the best known."""
    series = series_of(sampled([1, 2, 9, 3], at_s=[0, HOUR_S, HOUR_S, 2 * HOUR_S]), HOURLY)

    assert series.values.tolist() == [1.0, 9.0, 3.0]
    (mark,) = series.marks
    assert (mark.kind, mark.first, mark.last) == (MarkKind.DUPLICATE, 1, 1)
    assert mark.detail == "2 samples of one moment; the last one counts"


def test_an_empty_double_does_not_hide_a_value() -> None:
    """Absent gives way to known, wherever it stands."""
    series = series_of(sampled([1, 2, NAN, 3], at_s=[0, HOUR_S, HOUR_S, 2 * HOUR_S]), HOURLY)

    assert series.values.tolist() == [1.0, 2.0, 3.0]
    assert series.measured.all()
    assert marks(series, MarkKind.DUPLICATE) == [(1, 1)]
