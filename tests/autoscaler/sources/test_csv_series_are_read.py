"""A CSV file becomes samples: as they stand there, with where they stand.

Columns that nobody named are found, and the find is told.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from autoscaler.sources.columns import Columns
from autoscaler.sources.files import read_series_file
from tests.autoscaler.sources.tables import csv_lines, hourly, write

if TYPE_CHECKING:
    from pathlib import Path


def test_a_plain_file_needs_no_options(tmp_path: Path) -> None:
    """A time and a value column are found by name and by what they hold, and that is told."""
    (samples,) = read_series_file(write(tmp_path, hourly([3, 4.5, 6])))

    assert (samples.name, samples.unit, samples.column) == ("load", "gpus", "gpus")
    assert samples.values.tolist() == [3.0, 4.5, 6.0]
    assert samples.times_ns.tolist() == [(1_772_323_200 + 3_600 * n) * 10**9 for n in range(3)]
    assert samples.places is not None
    assert samples.places.tolist() == [2, 3, 4]
    assert samples.notes == (
        "time column time",
        "value column gpus",
        "times without an offset are taken as UTC",
    )


def test_a_gzipped_file_is_the_same(tmp_path: Path) -> None:
    """Compression changes nothing, not even the name of the series."""
    (plain,) = read_series_file(write(tmp_path, hourly([3, 4])))
    (zipped,) = read_series_file(write(tmp_path, hourly([3, 4]), "load.csv.gz"))

    assert plain.name == zipped.name
    assert plain.values.tobytes() == zipped.values.tobytes()
    assert plain.times_ns.tobytes() == zipped.times_ns.tobytes()


def test_what_spreadsheets_do_is_fine(tmp_path: Path) -> None:
    """A byte order mark, CRLF, quotes, spaces in the header and blank lines."""
    text = '\ufeff"time", gpus\r\n\r\n"2026-03-01 00:00:00",3\r\n2026-03-01T01:00,4\r\n'
    (samples,) = read_series_file(write(tmp_path, text))

    assert samples.values.tolist() == [3.0, 4.0]
    assert samples.places is not None
    assert samples.places.tolist() == [3, 4]


@pytest.mark.parametrize("cell", ["", "nan", "NaN", "NA", "null", " "])
def test_an_empty_cell_is_absent_and_no_zero(tmp_path: Path, cell: str) -> None:
    """All the ways in which tools write that there is no value."""
    (samples,) = read_series_file(write(tmp_path, hourly([3, cell, 5])))

    assert np.isnan(samples.values).tolist() == [False, True, False]


def test_rows_keep_the_order_of_the_file(tmp_path: Path) -> None:
    """Sorting is a repair, and a reader repairs nothing."""
    text = csv_lines("t_s,gpus", "3600,2", "0,1", "3600,3")
    (samples,) = read_series_file(write(tmp_path, text))

    assert samples.times_ns.tolist() == [3_600 * 10**9, 0, 3_600 * 10**9]
    assert samples.values.tolist() == [2.0, 1.0, 3.0]


@pytest.mark.parametrize("name", ["time", "Timestamp", "date", "ds", "t_s", "t"])
def test_the_time_column_is_found_by_its_name(tmp_path: Path, name: str) -> None:
    """Also where it is not the first."""
    text = csv_lines(f"gpus,{name}", "1,2026-03-01T00:00:00Z", "2,2026-03-01T01:00:00Z")
    (samples,) = read_series_file(write(tmp_path, text))

    assert samples.values.tolist() == [1.0, 2.0]


def test_without_a_known_name_the_first_column_is_the_time(tmp_path: Path) -> None:
    """As in most exports."""
    text = csv_lines("when,gpus", "2026-03-01T00:00:00Z,1", "2026-03-01T01:00:00Z,2")
    (samples,) = read_series_file(write(tmp_path, text))

    assert samples.notes == ("time column when", "value column gpus")


def test_several_value_columns_are_several_series(tmp_path: Path) -> None:
    """In the order asked for, named by their column."""
    text = csv_lines("t,jobs,gpus", "0,1,8", "60,2,16")
    jobs, gpus = read_series_file(write(tmp_path, text), Columns(values=("jobs", "gpus")))

    assert [jobs.name, gpus.name] == ["load:jobs", "load:gpus"]
    assert jobs.values.tolist() == [1.0, 2.0]
    assert gpus.values.tolist() == [8.0, 16.0]
    assert [jobs.unit, gpus.unit] == ["jobs", "gpus"]


def test_a_long_file_is_one_series_for_each_value(tmp_path: Path) -> None:
    """In the order in which the file names them, each with its own lines."""
    text = csv_lines("pool,t,gpus", "b,0,1", "a,0,10", "b,60,2", "a,60,20")
    b, a = read_series_file(write(tmp_path, text), Columns(series="pool"))

    assert [b.name, a.name] == ["load:b", "load:a"]
    assert (b.values.tolist(), a.values.tolist()) == ([1.0, 2.0], [10.0, 20.0])
    assert a.places is not None
    assert a.places.tolist() == [3, 5]


def test_a_total_is_added_up_moment_by_moment(tmp_path: Path) -> None:
    """A doubled row counts once, and an empty cell makes that moment's total absent."""
    text = csv_lines(
        "pool,t,gpus", "b,0,1", "a,0,10", "b,60,2", "b,60,3", "a,60,20", "a,120,", "b,120,4"
    )
    path = write(tmp_path, text)
    *parts, total = read_series_file(path, Columns(series="pool", total=True))
    (alone,) = read_series_file(path, Columns(series="pool", only_total=True))

    assert len(parts) == 2
    assert total.name == alone.name == "load:total"
    assert total.times_ns.tolist() == [0, 60 * 10**9, 120 * 10**9]
    assert total.values.tolist()[:2] == alone.values.tolist()[:2] == [11.0, 23.0]
    assert np.isnan(total.values[2])


def test_a_unit_can_be_said(tmp_path: Path) -> None:
    """Otherwise it is the name of the column."""
    (samples,) = read_series_file(write(tmp_path, hourly([1])), Columns(unit="GPUs"))

    assert samples.unit == "GPUs"
