"""Moments are said on the clock of those who make the demand, spans in round units."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from gpu_fleet.clock import DAY_S
from simulations.report.forecast_times import Calendar, span_words
from tests.simulations.forecasts.made import days, series_of

MONDAY_S = 1_772_409_600


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(1, "1 s"), (90, "90 s"), (600, "10 min"), (3_600, "1 h"), (86_400, "24 h"), (604_800, "7 d")],
)
def test_spans_are_said_in_round_units(seconds: int, words: str) -> None:
    """And never broken over two lines."""
    assert span_words(seconds) == words.replace(" ", "\u00a0")


@pytest.mark.parametrize(
    ("start_s", "offset_s", "moment", "clock"),
    [
        pytest.param(MONDAY_S, 0, "Mon 2026-03-02 01:00", "UTC", id="UTC"),
        pytest.param(MONDAY_S, 8 * 3_600, "Mon 2026-03-02 09:00", "UTC+8", id="east"),
        pytest.param(MONDAY_S, -12_600, "Sun 2026-03-01 21:30", "UTC-3:30", id="west, half hours"),
        pytest.param(2 * DAY_S, 0, "day\u00a02 01:00", "UTC", id="without dates"),
    ],
)
def test_moments_are_local(start_s: int, offset_s: int, moment: str, clock: str) -> None:
    """An hour after the beginning."""
    series = replace(series_of(days(2)), start_s=start_s, utc_offset_s=offset_s)
    calendar = Calendar.of(series)

    assert (calendar.moment(1), calendar.clock_name) == (moment, clock)


def test_whole_numbers_of_an_axis_are_nights() -> None:
    """Local midnights, whatever the zone."""
    series = replace(series_of(days(3)), start_s=MONDAY_S, utc_offset_s=8 * 3_600)
    calendar = Calendar.of(series)
    night_s = calendar.night_before(20)
    at = calendar.days(np.array([16, 40]), night_s)

    assert at.tolist() == [0.0, 1.0]
    assert calendar.axis_label(night_s) == "Days since Tue 2026-03-03 00:00, UTC+8"


@pytest.mark.parametrize("start_s", [-(2**40), 2**40])
def test_years_that_no_calendar_has_are_counted(start_s: int) -> None:
    """Days are counted instead, and nothing fails."""
    calendar = Calendar.of(replace(series_of(days(2)), start_s=start_s))

    assert calendar.moment(0).startswith("day")
