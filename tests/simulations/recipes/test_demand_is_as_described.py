"""The bundled demand has what docs/explanation/bundled-workloads.md says, and nothing by chance."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest

from autoscaler.history.assembly import series_of
from autoscaler.history.settings import HistorySettings
from autoscaler.sources.csv_file import CsvFile
from gpu_fleet.clock import DAY_S
from gpu_fleet.errors import InputError
from gpu_fleet.series import MarkKind
from simulations.recipes.demand import DemandShape, demand, demand_csv

if TYPE_CHECKING:
    from pathlib import Path

    from gpu_fleet.series import Series

HOUR_S = 3_600
CALM = DemandShape(noise=0, bursts_a_day=0, growth_a_day=0, shift=1, gap_s=(0, 0))


def read_back(folder: Path, step_s: int | None = None) -> Series:
    """The series as a backtest sees it."""
    path = folder / "demand.csv"
    path.write_text(demand_csv(), encoding="utf-8")
    (samples,) = CsvFile(path).read()
    return series_of(samples, HistorySettings(step_s=step_s))


def test_a_backtest_reads_four_weeks_of_gpus(tmp_path: Path) -> None:
    """Every ten minutes, dated, with a unit, and nothing but the gap is repaired."""
    series = read_back(tmp_path)
    (gap,) = (mark for mark in series.marks if mark.kind is MarkKind.GAP)

    assert (len(series), series.step_s, series.unit) == (28 * 144, 600, "GPUs")
    assert series.time_s(0) % DAY_S == 0
    assert (gap.first * 600, (gap.last + 1) * 600) == DemandShape().gap_s
    assert int((~series.measured).sum()) == 36
    assert {MarkKind.STEP, MarkKind.GAP, MarkKind.LEVEL_SHIFT} >= {m.kind for m in series.marks}


def test_the_shift_is_noticed_within_a_day(tmp_path: Path) -> None:
    """The team that joins on the 21st day is what history calls a level shift."""
    series = read_back(tmp_path, step_s=HOUR_S)
    noticed_s = [
        mark.first * HOUR_S - DemandShape().shift_s
        for mark in series.marks
        if mark.kind is MarkKind.LEVEL_SHIFT
    ]

    assert [0 < late_s <= DAY_S for late_s in noticed_s if late_s > 0] == [True]


def test_the_same_arguments_make_the_same_file() -> None:
    """Chance comes from the seed alone."""
    assert demand_csv(5, 3) == demand_csv(5, 3)
    assert demand_csv(5, 3) != demand_csv(5, 4)


def test_causes_of_chance_do_not_disturb_each_other() -> None:
    """With bursts taken away, what is left wanders exactly as before."""
    with_bursts = demand(shape=replace(CALM, noise=0.03, bursts_a_day=1.5))[1]
    without = demand(shape=replace(CALM, noise=0.03))[1]
    bursts = demand(shape=replace(CALM, bursts_a_day=1.5))[1] - demand(shape=CALM)[1]

    assert np.abs(with_bursts - without - bursts).max() <= 1


def test_days_and_weekends_have_their_shape() -> None:
    """Busiest at the peak, quietest half a day from it, and less at the weekend."""
    hourly = demand(7, shape=CALM)[1].reshape(7, 24, 6).mean(axis=2)

    assert {14, 15} >= set(hourly.argmax(axis=1).tolist())
    assert hourly[0].max() / hourly[0].min() == pytest.approx(1.35 / 0.65, rel=0.03)
    assert hourly[5].mean() / hourly[4].mean() == pytest.approx(0.65, rel=0.01)


def test_demand_is_never_below_nothing() -> None:
    """Whatever the noise, nobody wants less than no GPU."""
    assert demand(shape=replace(CALM, noise=5.0))[1].min() == 0


@pytest.mark.parametrize("days", [0, -1, 100_000])
def test_impossible_spans_are_refused(days: int) -> None:
    """One line that says what is possible."""
    with pytest.raises(InputError, match="are not possible"):
        demand(days)
