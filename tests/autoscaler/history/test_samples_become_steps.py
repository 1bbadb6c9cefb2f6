"""Samples become even steps: means of gauges and rates, sums of counts.

The step is the one asked for, or the one the first samples have, and then that is said.
"""

from __future__ import annotations

import numpy as np
import pytest

from autoscaler.history.assembly import series_of
from autoscaler.history.settings import HistorySettings, Kind
from autoscaler.history.steps import FIRST_GAPS, pace_of
from gpu_fleet.clock import NS_PER_S
from gpu_fleet.errors import InputError
from gpu_fleet.series import Level, MarkKind
from tests.autoscaler.history.made import HOUR_S, MIDNIGHT_S, NAN, marks, sampled

MINUTES = [float(n) for n in range(1, 31)]


@pytest.mark.parametrize(
    ("kind", "steps"),
    [
        (Kind.GAUGE, [5.5, 15.5, 25.5]),
        (Kind.RATE, [5.5, 15.5, 25.5]),
        (Kind.COUNT, [55.0, 155.0, 255.0]),
    ],
)
def test_a_longer_step_is_a_mean_or_a_sum(kind: Kind, steps: list[float]) -> None:
    """As the kind of the samples asks."""
    series = series_of(sampled(MINUTES, step_s=60), HistorySettings(kind=kind, step_s=600))

    assert series.values.tolist() == steps
    assert (series.start_s, series.step_s) == (MIDNIGHT_S, 600)
    assert series.marks == ()


def test_without_a_step_it_is_the_one_the_samples_have() -> None:
    """The median gap, and a mark that says so."""
    series = series_of(sampled([1, 2, 4], at_s=[0, 57, 171], step_s=57), HistorySettings())

    assert series.step_s == 57
    assert series.values.tolist() == [1.0, 2.0, 2.0, 4.0]
    (said,) = (mark for mark in series.marks if mark.kind is MarkKind.STEP)
    assert (said.first, said.detail) == (0, "steps of 57 s: the median of the first 1,000 gaps")


def test_a_step_finer_than_the_samples_becomes_theirs() -> None:
    """Numbers between samples would be made up."""
    series = series_of(sampled([1, 2, 3]), HistorySettings(step_s=60))

    assert series.step_s == HOUR_S
    assert len(series) == 3
    assert series.marks[0].detail == "steps of 3600 s, not 60 s: samples are that far apart"


def test_late_and_early_scrapes_keep_their_step() -> None:
    """Jitter of a fifth of a step neither doubles nor empties one."""
    jitter = np.random.default_rng(9).uniform(-3.0, 3.0, 500)
    jitter[0] = 0.0
    series = series_of(
        sampled(range(500), at_s=15.0 * np.arange(500) + jitter), HistorySettings(step_s=15)
    )

    assert series.values.tolist() == list(range(500))
    assert series.measured.all()


def test_a_count_with_missing_samples_is_scaled_up_and_marked() -> None:
    """Two of ten minutes are absent: the other eight speak for them."""
    minutes = [6.0] * 10 + [6.0] * 4 + [NAN] * 2 + [6.0] * 4
    series = series_of(sampled(minutes, step_s=60), HistorySettings(kind=Kind.COUNT, step_s=600))

    assert series.values.tolist() == [60.0, 60.0]
    assert series.measured.tolist() == [True, True]
    assert marks(series, MarkKind.PARTIAL) == [(1, 1)]


def test_a_step_without_half_of_its_samples_is_a_gap() -> None:
    """Four of ten minutes are too few to speak for the rest."""
    minutes = [6.0] * 10 + [9.0] * 4 + [NAN] * 6 + [6.0] * 10
    series = series_of(sampled(minutes, step_s=60), HistorySettings(step_s=600))

    assert series.values.tolist() == [6.0, 6.0, 6.0]
    assert series.measured.tolist() == [True, False, True]
    assert marks(series, MarkKind.GAP) == [(1, 1)]


def test_a_step_that_has_not_ended_is_left_out() -> None:
    """Its count would be low for no reason of demand; so would one that began too late."""
    series = series_of(
        sampled([6.0] * 33, step_s=60, start_s=MIDNIGHT_S + 480),
        HistorySettings(kind=Kind.COUNT, step_s=600),
    )

    assert series.start_s == MIDNIGHT_S + 600
    assert series.values.tolist() == [60.0, 60.0, 60.0]


def test_long_steps_begin_at_round_local_times() -> None:
    """A day begins at midnight where the people live, not in Greenwich."""
    settings = HistorySettings(step_s=86_400, utc_offset_s=-4 * HOUR_S)
    series = series_of(sampled([1.0] * 72), settings)

    assert series.start_s == MIDNIGHT_S + 4 * HOUR_S
    assert series.utc_offset_s == -4 * HOUR_S


def test_a_week_of_absence_is_a_week_of_steps() -> None:
    """The width is right, whatever is missing in between or at the end."""
    values = [5.0] * 24 + [NAN] * 7 * 24
    series = series_of(sampled(values), HistorySettings(level=Level.CLUSTER))

    assert len(series) == 8 * 24
    assert series.level is Level.CLUSTER
    assert series.measured.sum() == 24


def test_the_pace_is_learned_from_the_first_samples_only() -> None:
    """A collector that slows down later does not change the steps of the past."""
    gaps = np.concatenate((np.full(FIRST_GAPS, 60), np.full(3 * FIRST_GAPS, 300)))
    pace = pace_of(np.concatenate(([0], np.cumsum(gaps))) * NS_PER_S)

    assert pace is not None
    assert (pace.native_ns, pace.is_steady) == (60 * NS_PER_S, True)


def test_counts_of_events_are_summed_as_they_are() -> None:
    """Where samples have no pace, none can be missing."""
    at_s = [0, 10, 500, 610, 1300, 1301, 1750]
    series = series_of(
        sampled([1, 1, 2, 4, 8, 8, 8], at_s=at_s), HistorySettings(kind=Kind.COUNT, step_s=600)
    )

    assert series.values.tolist() == [4.0, 4.0, 24.0]


def test_events_need_a_step() -> None:
    """A median of chance gaps would be an arbitrary step."""
    with pytest.raises(InputError) as caught:
        series_of(sampled([1, 1, 2, 4], at_s=[0, 10, 500, 1300]), HistorySettings())

    assert (
        str(caught.value)
        == "load.csv: samples are not evenly spaced; give the step, such as --step 10min"
    )
