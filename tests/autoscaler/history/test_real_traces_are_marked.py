"""Real demand, with what a person who looks at it would mark.

The known holes of the shared traces are found to the step, and busy, bursty or sparse demand is
left alone. The traces were looked at when the rules were written, so this shows that the rules do
what they were made for; that they hold for other demand is shown by the files beside this one.
"""

from __future__ import annotations

import numpy as np
import pytest

from autoscaler.history.assembly import series_of
from autoscaler.history.settings import HistorySettings, Kind
from autoscaler.sources.columns import Columns
from autoscaler.sources.files import read_series_file
from gpu_fleet.series import MarkKind, Series
from tests.autoscaler.history.made import marks
from tests.traces import trace_file

pytestmark = pytest.mark.traces


def trace(file: str, column: str, kind: Kind, step_s: int | None = None) -> Series:
    """One series of a trace; of Helios, the total over its virtual clusters."""
    is_long = file.startswith("helios")
    columns = Columns(values=(column,), series="vc" if is_long else "", only_total=is_long)
    (samples,) = read_series_file(trace_file(f"load/{file}.csv.gz"), columns)
    return series_of(samples, HistorySettings(kind=kind, step_s=step_s))


@pytest.mark.parametrize("column", ["rate_rps", "active_clients"])
def test_servegens_empty_windows_are_outages(column: str) -> None:
    """All seventeen zeros of m-small, and nothing else."""
    series = trace("servegen_m-small_10min", column, Kind.RATE)

    assert marks(series, MarkKind.OUTAGE) == [
        (1_032, 1_032),
        (1_332, 1_335),
        (1_350, 1_350),
        (1_458, 1_458),
        (1_476, 1_482),
        (1_494, 1_496),
    ]
    assert marks(series, MarkKind.LEVEL_SHIFT) == []
    assert series.values.min() > 0


def test_philly_was_not_watched_for_a_day() -> None:
    """Ten hours without a row, then eighteen hours of no node at all."""
    series = trace("philly_active_nodes_1min", "active_nodes", Kind.GAUGE)

    assert marks(series, MarkKind.GAP) == [(32_521, 33_119)]
    assert marks(series, MarkKind.OUTAGE) == [(33_120, 34_200)]
    assert series.values[32_521:34_201].min() > 100


def test_helios_was_not_watched_on_the_tenth_of_may() -> None:
    """From midnight to midnight, and two hours later on; the total is never zero otherwise."""
    series = trace("helios_earth_vc_5min", "running_gpu_num", Kind.GAUGE)

    assert marks(series, MarkKind.OUTAGE) == [(2_592, 2_879), (3_337, 3_359)]
    assert series.values.min() > 0


def test_the_world_cups_missing_minutes_are_found() -> None:
    """The publisher set them to zero, in the middle of thousands of requests a minute."""
    series = trace("worldcup98_1min", "requests", Kind.COUNT)
    (samples,) = read_series_file(trace_file("load/worldcup98_1min.csv.gz"))
    zeros = np.flatnonzero(samples.values == 0).tolist()
    found = [
        step for first, last in marks(series, MarkKind.OUTAGE) for step in range(first, last + 1)
    ]

    assert found == zeros


@pytest.mark.parametrize(
    ("file", "column", "kind"),
    [
        ("alibaba2018_cluster_5min", "cpu_util_percent", Kind.GAUGE),
        ("azure_vm_2019_5min", "cpu_usage", Kind.GAUGE),
        ("philly_submissions_hourly", "jobs", Kind.COUNT),
        ("servegen_m-large_10min", "rate_rps", Kind.RATE),
        ("servegen_deepseek-r1_10min", "rate_rps", Kind.RATE),
    ],
)
def test_whole_and_lively_demand_is_left_alone(file: str, column: str, kind: Kind) -> None:
    """Bursts, sparse jobs and idle hours are no faults."""
    series = trace(file, column, kind)

    assert series.measured.all()
    assert [mark.kind for mark in series.marks] == [MarkKind.STEP]
