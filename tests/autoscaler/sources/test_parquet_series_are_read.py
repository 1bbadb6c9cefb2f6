"""A Parquet file gives the series that the same table gives as CSV, whatever types it was saved in.

Complaints name the row instead of the line.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa  # type: ignore[import-untyped]
import pyarrow.parquet as pq  # type: ignore[import-untyped]
import pytest

from autoscaler.sources.columns import Columns
from autoscaler.sources.files import read_series_file
from tests.autoscaler.sources.tables import complaint, csv_lines, write

if TYPE_CHECKING:
    from pathlib import Path

HOURS = [datetime(2026, 3, 1, hour) for hour in range(3)]  # noqa: DTZ001  # a local clock


def parquet(folder: Path, columns: dict[str, Any], name: str = "load.parquet") -> Path:
    """A Parquet file of these columns."""
    pq.write_table(pa.table(columns), folder / name)
    return folder / name


def test_the_same_table_gives_the_same_samples(tmp_path: Path) -> None:
    """Times, values, places and notes; only the word for a place differs."""
    text = csv_lines("time,gpus", *(f"{hour},{n}" for n, hour in enumerate(HOURS)))
    (table,) = read_series_file(parquet(tmp_path, {"time": HOURS, "gpus": [0, 1, 2]}))
    (plain,) = read_series_file(write(tmp_path, text))

    assert (table.name, table.unit, table.notes) == (plain.name, plain.unit, plain.notes)
    assert table.times_ns.tolist() == plain.times_ns.tolist()
    assert table.values.tolist() == plain.values.tolist()
    assert table.places is not None
    assert (table.places.tolist(), table.place_word) == ([1, 2, 3], "row")


@pytest.mark.parametrize(
    "times",
    [
        pa.array(HOURS, pa.timestamp("s")),
        pa.array(HOURS, pa.timestamp("ns")),
        pa.array([hour.replace(tzinfo=UTC) for hour in HOURS], pa.timestamp("us", "UTC")),
        pa.array([hour.replace(tzinfo=UTC) for hour in HOURS], pa.timestamp("ms", "Asia/Tokyo")),
        pa.array([str(hour) for hour in HOURS]),
        pa.array([str(hour) for hour in HOURS]).dictionary_encode(),
        pa.array([1_772_323_200 + 3_600 * n for n in range(3)]),
        pa.array([1_772_323_200_000.0 + 3_600_000 * n for n in range(3)]),
    ],
    ids=str,
)
def test_every_type_of_time_is_the_same_moment(tmp_path: Path, times: object) -> None:
    """Timestamps of any unit and zone, text, categories and Unix numbers."""
    (samples,) = read_series_file(parquet(tmp_path, {"time": times, "gpus": [0, 1, 2]}))

    assert samples.times_ns.tolist() == [(1_772_323_200 + 3_600 * n) * 10**9 for n in range(3)]


@pytest.mark.parametrize(
    "values",
    [
        pa.array([1, None, 3], pa.uint16()),
        pa.array([1.0, None, 3.0], pa.float32()),
        pa.array([1.0, float("nan"), 3.0]),
        pa.array([Decimal("1.0"), None, Decimal("3.0")]),
        pa.array(["1", None, "3"]),
    ],
    ids=lambda array: str(array.type),
)
def test_every_type_of_value_is_a_number_or_absent(tmp_path: Path, values: object) -> None:
    """A null is no zero."""
    path = parquet(tmp_path, {"time": HOURS, "gpus": values})
    (samples,) = read_series_file(path, Columns(values=("gpus",)))

    assert samples.values[[0, 2]].tolist() == [1.0, 3.0]
    assert np.isnan(samples.values[1])


def test_dates_are_midnights(tmp_path: Path) -> None:
    """A column of days, in the zone that is named."""
    days = [date(2026, 3, 1) + timedelta(days=n) for n in range(2)]
    path = parquet(tmp_path, {"day": days, "gpus": [1, 2]})
    (samples,) = read_series_file(path, Columns(zone="Europe/Berlin"))

    assert samples.times_ns[0] == (1_772_323_200 - 3_600) * 10**9


def test_what_pandas_writes_is_found(tmp_path: Path) -> None:
    """Its index comes last and without a name; it is the only column of times."""
    pd = pytest.importorskip("pandas")
    frame = pd.DataFrame({"gpus": [1.0, 2.0, 3.0]}, index=pd.DatetimeIndex(HOURS, tz="UTC"))
    frame.to_parquet(tmp_path / "load.parquet")
    (samples,) = read_series_file(tmp_path / "load.parquet")

    assert samples.values.tolist() == [1.0, 2.0, 3.0]
    assert samples.notes == ("time column __index_level_0__", "value column gpus")


def test_a_long_file_is_one_series_for_each_value(tmp_path: Path) -> None:
    """With their total."""
    table = {"t": [0, 0, 60, 60], "gpus": [1, 10, 2, 20], "pool": ["b", "a", "b", "a"]}
    found = read_series_file(parquet(tmp_path, table), Columns(series="pool", total=True))

    assert [(samples.name, samples.values.tolist()) for samples in found] == [
        ("load:b", [1.0, 2.0]),
        ("load:a", [10.0, 20.0]),
        ("load:total", [11.0, 22.0]),
    ]


NAMED = Columns(time="time", values=("gpus",))


@pytest.mark.parametrize(
    ("table", "columns", "said"),
    [
        (
            {"time": HOURS, "gpus": ["1", "two", "3"]},
            NAMED,
            (
                "load.parquet:2: gpus: 'two' is not a number;"
                " write a decimal number, or leave the cell empty where there is no value"
            ),
        ),
        (
            {"time": [HOURS[0], None, HOURS[2]], "gpus": [1, 2, 3]},
            NAMED,
            "load.parquet:2: time: is empty; give every row a time",
        ),
        (
            {"time": [HOURS[0], datetime(9999, 1, 1), HOURS[2]], "gpus": [1, 2, 3]},  # noqa: DTZ001
            NAMED,
            (
                "load.parquet:2: time: '9999-01-01T00:00:00' is no time between 1970 and 2100;"
                " check the stamp"
            ),
        ),
        (
            {"time": HOURS, "gpus": [[1], [2], [3]]},
            NAMED,
            "load.parquet: gpus: holds list<element: int64>, no numbers; name a column of numbers",
        ),
        (
            {"time": HOURS, "gpus": HOURS},
            NAMED,
            "load.parquet: gpus: holds dates, no numbers; name another --value-column",
        ),
        (
            {"time": HOURS, "gpus": [1, 2, 3], "jobs": [1, 2, 3]},
            Columns(),
            (
                "load.parquet: header: 2 columns hold numbers (gpus, jobs);"
                " name one or more with --value-column"
            ),
        ),
        (
            {"time": HOURS, "gpus": [1, 2, 3]},
            Columns(values=("gpu",)),
            (
                "load.parquet: gpu: there is no such column (did you mean gpus?);"
                " the file has gpus, time"
            ),
        ),
        (
            {"time": HOURS[:0], "gpus": pa.array([], pa.int64())},
            Columns(),
            "load.parquet: there is no row in it; give a file with samples",
        ),
    ],
    ids=range(8),
)
def test_what_is_wrong_is_said_with_its_row(
    tmp_path: Path, table: dict[str, Any], columns: Columns, said: str
) -> None:
    """To the letter."""
    assert complaint(parquet(tmp_path, table), columns) == said


def test_a_cut_file_is_named(tmp_path: Path) -> None:
    """A download that stopped half way has lost its footer."""
    whole = parquet(tmp_path, {"time": HOURS, "gpus": [1, 2, 3]}).read_bytes()
    said = complaint(write(tmp_path, whole[:-50], "load.parquet"))

    assert said.startswith("load.parquet: cannot be read as Parquet (")
    assert said.endswith("); copy or download it again")


def test_several_series_are_not_read_as_one(tmp_path: Path) -> None:
    """Text that differs under the same stamps names series."""
    table = {"t": [0, 0, 60, 60], "gpus": [1, 10, 2, 20], "pool": ["b", "a", "b", "a"]}

    assert complaint(parquet(tmp_path, table)) == (
        "load.parquet: pool: 2 values under the same stamps;"
        " name the column that tells series apart, as in --series-column pool"
    )
