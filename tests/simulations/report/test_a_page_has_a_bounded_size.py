"""Whatever the fleet, the page can be mailed: it is at most 3 MB."""

from __future__ import annotations

import numpy as np
import pytest

from simulations.report.cells import layers, levels_of
from simulations.report.document import (
    Band,
    Bar,
    BarChart,
    Column,
    Estimated,
    HeatMap,
    HeatMaps,
    IntervalChart,
    LineChart,
    Part,
    Series,
    Table,
)
from simulations.report.limits import MOST_BYTES
from simulations.report.render import render
from tests.simulations.report.pages import a_heat_map, page_of, report_of


def noisy_series(name: str, points: int) -> Series:
    """A line that no thinning can make smooth, with a band around it."""
    ys = np.random.default_rng(len(name)).random(points)
    return Series(
        name,
        tuple(float(x) for x in range(points)),
        tuple(ys.tolist()),
        Band(tuple((ys - 0.1).tolist()), tuple((ys + 0.1).tolist())),
    )


def test_fifteen_hundred_nodes_by_five_hundred_steps_fit_many_times() -> None:
    """Eight maps of a big fleet, as ragged as can be, beside a chart of eight ragged lines."""
    maps = tuple(a_heat_map(1500, 500, seed=index) for index in range(8))
    lines = tuple(noisy_series(f"policy {index}", 20_000) for index in range(8))
    page = render(report_of(HeatMaps("h", "l", maps), LineChart("c", "x", "y", lines)))

    assert len(page.encode()) <= MOST_BYTES
    assert "1,500 nodes, each line the mean of up to 11; 500 steps, each column the mean of" in page


@pytest.mark.parametrize("many", [1, 30, 100])
def test_more_maps_are_coarser_maps(many: int) -> None:
    """A sweep with a map for each run still makes one page."""
    maps = tuple(a_heat_map(300, 300, seed=index) for index in range(many))

    assert len(render(report_of(HeatMaps("h", "l", maps))).encode()) <= MOST_BYTES


def test_more_lines_are_coarser_lines() -> None:
    """A line for each of 120 runs still makes one page."""
    lines = tuple(noisy_series("x" * index, 3_000) for index in range(1, 121))

    assert len(render(report_of(LineChart("c", "x", "y", lines))).encode()) <= MOST_BYTES


def test_one_map_at_full_size_is_a_tenth_of_a_megabyte() -> None:
    """150 rows by 160 columns of pure noise: the most that a map can cost."""
    levels = levels_of(np.random.default_rng(3).random((150, 160)))
    size = sum(len(layer.path) for layer in layers(levels))

    assert size < 150_000


def test_what_is_cut_from_a_list_is_counted() -> None:
    """Ten thousand rows, bars and estimates are cut, and each caption says so."""
    many = range(10_000)
    page = render(
        report_of(
            Table("t", (Column("a"),), tuple((f"row {i}",) for i in many), "Sorted."),
            BarChart("b", "pods", tuple(Bar(f"bar {i}", (Part("p", i),)) for i in many)),
            IntervalChart("d", "x", tuple(Estimated(f"dot {i}", i) for i in many)),
        )
    )

    assert len(page.encode()) <= MOST_BYTES
    assert page.count("The first 300 of 10,000; the JSON has them all.") == 3
    assert "row 299" in page
    assert "row 300" not in page


@pytest.mark.parametrize("shape", [(0, 0), (0, 5), (5, 0), (1, 1)])
def test_an_empty_map_is_a_page_too(shape: tuple[int, int]) -> None:
    """Nothing placed, or no node: the report says so by itself."""
    heat = HeatMap("m", np.zeros(shape), "x", (0, 0))

    assert page_of(render(report_of(HeatMaps("h", "l", (heat,))))).crossed == []
