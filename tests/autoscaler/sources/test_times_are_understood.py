"""Times as people and programs write them, with and without zones, all become the same moments.

What could be meant in two ways is refused or follows a rule that stands in the reference.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from autoscaler.sources.columns import Columns
from autoscaler.sources.files import read_series_file
from autoscaler.sources.zones import utc_of
from tests.autoscaler.sources.tables import complaint, csv_lines, write

if TYPE_CHECKING:
    from pathlib import Path

MARCH_S = 1_772_323_200
"""2026-03-01 00:00:00 UTC."""
BERLIN = Columns(zone="Europe/Berlin")


def read_s(folder: Path, stamps: list[str], columns: Columns | None = None) -> list[float]:
    """The seconds that a file's stamps become."""
    text = csv_lines("time,gpus", *(f"{stamp},{n}" for n, stamp in enumerate(stamps)))
    (samples,) = read_series_file(write(folder, text), columns)
    return [time // 1_000 / 1e6 for time in samples.times_ns.tolist()]


@pytest.mark.parametrize(
    "stamp",
    [
        "2026-03-01 00:00:00",
        "2026-03-01T00:00:00",
        "2026-03-01T00:00:00Z",
        "2026-03-01 01:00:00+01:00",
        "2026-02-28T19:00:00-05:00",
        "2026-03-01",
        "2026-03-01 00:00",
        "20260301T000000Z",
        "2026-03-01T00:00:00.000",
        str(MARCH_S),
        f"{MARCH_S}.0",
        "1.7723232e9",
        str(MARCH_S * 1_000),
        str(MARCH_S * 1_000_000),
        str(MARCH_S * 1_000_000_000),
    ],
)
def test_one_moment_in_many_ways(tmp_path: Path, stamp: str) -> None:
    """ISO 8601, spreadsheets, Unix time in every unit."""
    assert read_s(tmp_path, [stamp]) == [MARCH_S]


def test_parts_of_seconds_are_kept(tmp_path: Path) -> None:
    """In text and in numbers."""
    assert read_s(tmp_path, ["2026-03-01T00:00:00.25Z"]) == [MARCH_S + 0.25]
    assert read_s(tmp_path, [f"{MARCH_S}.25"]) == [MARCH_S + 0.25]
    assert read_s(tmp_path, ["0", "57.5"]) == [0.0, 57.5]


def test_small_numbers_count_from_the_beginning(tmp_path: Path) -> None:
    """They are no dates, and may begin before zero; that is told."""
    assert read_s(tmp_path, ["-600", "0", "600"]) == [-600.0, 0.0, 600.0]
    (samples,) = read_series_file(write(tmp_path, csv_lines("t_s,gpus", "0,1")))

    assert samples.notes[-1] == "times are seconds since the series began"


def test_a_zone_places_stamps_without_an_offset(tmp_path: Path) -> None:
    """Winter and summer each with their own; the first is where the people live."""
    assert read_s(tmp_path, ["2026-01-01 01:00:00"], BERLIN) == [1_767_225_600]
    assert read_s(tmp_path, ["2026-07-01 02:00:00"], BERLIN) == [1_782_864_000]
    text = csv_lines("time,gpus", "2026-07-01 02:00:00,1", "2026-12-01 02:00:00,1")
    (samples,) = read_series_file(write(tmp_path, text), BERLIN)

    assert samples.utc_offset_s == 7_200
    assert "times without an offset are taken as UTC" not in samples.notes


def test_an_offset_in_the_stamps_says_where_people_live(tmp_path: Path) -> None:
    """Unless a zone was named, which then says it."""
    path = write(tmp_path, csv_lines("time,gpus", "2026-03-01T00:00:00-04:00,1"))
    (said,) = read_series_file(path)
    (named,) = read_series_file(path, BERLIN)

    assert (said.utc_offset_s, named.utc_offset_s) == (-4 * 3_600, 3_600)
    assert said.times_ns.tolist() == named.times_ns.tolist()


def test_a_repeated_hour_is_read_in_the_order_of_the_file(tmp_path: Path) -> None:
    """Clocks in Berlin went back at three: half past two comes twice, and is an hour apart."""
    stamps = [f"2026-10-25 {clock}:00" for clock in ("01:30", "02:00", "02:30", "02:00", "02:30")]
    times = read_s(tmp_path, [*stamps, "2026-10-25 03:00:00"], BERLIN)

    assert np.diff(times).tolist() == [1_800.0] * 5


def test_each_series_of_a_long_file_has_its_own_repeated_hour(tmp_path: Path) -> None:
    """Rows of other series between do not pass for the first time round."""
    clocks = ("01:00", "02:00", "02:00", "03:00")
    rows = (f"{pool},2026-10-25 {clock},1" for clock in clocks for pool in "ab")
    path = write(tmp_path, csv_lines("pool,time,gpus", *rows))
    a, b = read_series_file(path, Columns(series="pool", zone="Europe/Berlin"))

    assert np.diff(a.times_ns).tolist() == [3_600 * 10**9] * 3
    assert a.times_ns.tolist() == b.times_ns.tolist()


def test_a_skipped_hour_shows_a_wrong_zone(tmp_path: Path) -> None:
    """Nobody in Berlin measured at half past two when clocks went from two to three."""
    text = csv_lines("time,gpus", "2026-03-29 01:30:00,1", "2026-03-29 02:30:00,2")

    assert complaint(write(tmp_path, text), BERLIN) == (
        "load.csv:3: time: '2026-03-29T02:30:00' never was: clocks in Europe/Berlin skipped it;"
        " name the zone that the file was written in with --time-zone"
    )


@given(
    st.sampled_from(["Europe/Berlin", "America/New_York", "Asia/Kolkata", "Australia/Lord_Howe"]),
    st.integers(0, 4_000_000_000),
    st.lists(st.integers(60, 90_000), max_size=60),
)
def test_local_clocks_in_order_lead_back_to_the_moments(
    zone: str, start_s: int, gaps: list[int]
) -> None:
    """For any moments less than an hour apart around a change, and any at all elsewhere."""
    gaps = [min(gap, 1_800) for gap in gaps]
    moments_s = np.cumsum([start_s, *gaps])
    local = [datetime.fromtimestamp(moment, UTC).astimezone(ZoneInfo(zone)) for moment in moments_s]
    wall_ns = np.array([clock.replace(tzinfo=None) for clock in local], "datetime64[ns]")
    if local[0].fold:
        return
    found = utc_of(wall_ns.astype(np.int64), ZoneInfo(zone), "time", np.arange(len(local)))

    assert (found // 10**9).tolist() == moments_s.tolist()
