"""What is not known reads "n/a", or is a gap; 0 is shown only where there is nothing."""

from __future__ import annotations

import re

import numpy as np
import pytest

from simulations.report.document import (
    Bar,
    BarChart,
    Cell,
    Column,
    Estimated,
    HeatMap,
    HeatMaps,
    IntervalChart,
    LineChart,
    Part,
    Section,
    Series,
    Table,
)
from simulations.report.render import render
from tests.simulations.report.pages import page_of, report_of

NAN = float("nan")


def shown(section: Section) -> str:
    """All that a reader sees of one section, on one line."""
    return " ".join(page_of(render(report_of(section))).text.split())


@pytest.mark.parametrize("cell", [None, NAN, "nan", "None", "NaN"])
def test_an_unknown_cell_reads_na(cell: Cell) -> None:
    """Also where a caller has made a text of it already."""
    text = shown(Table("t", (Column("Wait", unit="s"),), ((cell,), (12.5,))))

    assert "Wait s n/a 12.5" in text


def test_a_zero_reads_zero() -> None:
    """Nothing is a finding too."""
    assert "Wait 0.0 12.5" in shown(Table("t", (Column("Wait"),), ((0.0,), (12.5,))))


@pytest.mark.parametrize("value", [None, NAN])
def test_a_bar_with_an_unknown_part_has_no_total(value: float | None) -> None:
    """The known part is drawn, the sum is not claimed."""
    text = shown(BarChart("b", "s", (Bar("pool", (Part("wait", 3.0), Part("fetch", value))),)))

    assert "pool wait: 3 s n/a" in text


def test_an_unknown_estimate_is_not_drawn() -> None:
    """Its name stands there with n/a and no dot, and no interval is invented for another."""
    chart = IntervalChart("d", "x", (Estimated("lost", NAN, 1, 2), Estimated("bare", 2.0)), "")
    html = render(report_of(chart))

    assert "lost n/a" in shown(chart)
    assert html.count('class="point"') == 1
    assert "bare 2 (no interval)" in html


def test_a_line_stops_where_it_is_unknown() -> None:
    """Two stretches, and a lone known point is a dot of its own."""
    chart = LineChart("c", "x", "y", (Series("s", (0, 1, 2, 3, 4), (1, 2, None, NAN, 2)),))
    paths = re.findall(r'<path class="line" d="([^"]*)"', render(report_of(chart)))

    assert paths[0] == "M0 500L500 0M2000 0h0"


def test_a_line_that_is_unknown_throughout_has_only_its_name() -> None:
    """The legend says n/a, and the other line keeps its scale."""
    known, unknown = Series("s", (0, 1), (1, 2)), Series("u", (0, 1), (None, NAN))

    assert "u n/a" in shown(LineChart("c", "x", "y", (known, unknown)))


def test_an_unknown_cell_of_a_map_has_a_colour_and_an_entry_of_its_own() -> None:
    """It is neither the palest nor the darkest."""
    heat = HeatMap("m", np.array([[0.0, NAN, 1.0]]), "x", (0, 3))
    html = render(report_of(HeatMaps("h", "l", (heat,))))

    assert '<path class="level-10" d="M1 0h1"/>' in html
    assert "n/a" in shown(HeatMaps("h", "l", (heat,)))


def test_a_map_without_unknown_cells_does_not_speak_of_them() -> None:
    """The legend lists what can be found."""
    heat = HeatMap("m", np.array([[0.0, 1.0]]), "x", (0, 2))

    assert "n/a" not in shown(HeatMaps("h", "l", (heat,)))
