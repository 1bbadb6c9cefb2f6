"""Ticks are round and in place, axes do not exaggerate, labels do not touch."""

from __future__ import annotations

import itertools
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulations.report.document import Band, Bar, BarChart, LineChart, Part, Series
from simulations.report.lines import DrawnLines, draw_lines
from simulations.report.palette import DASHES, MARKS, SLOTS, line_slots, part_slots
from simulations.report.scales import spread_apart, tight_axis, value_axis

FINITE = st.floats(-1e9, 1e9).map(lambda value: round(value, 3))


def drawn(*series: Series) -> DrawnLines:
    """A chart's shapes."""
    slots = {one.name: index % SLOTS for index, one in enumerate(series)}
    return draw_lines(LineChart("c", "x", "y", series), slots, columns=700)


@given(values=st.lists(FINITE, min_size=1))
def test_an_axis_holds_its_values_between_round_ends(values: list[float]) -> None:
    """No value passes an end, the ends have ticks, and there are neither too few nor too many."""
    axis = value_axis(values)

    assert axis.lo <= min(values) + 1e-6 * (axis.hi - axis.lo)
    assert axis.hi >= max(values) - 1e-6 * (axis.hi - axis.lo)
    assert axis.ticks[0].at == pytest.approx(0)
    assert axis.ticks[-1].at == pytest.approx(1)
    assert 2 <= len(axis.ticks) <= 8


@given(lo=FINITE, span=st.floats(0.001, 1e9))
def test_labels_say_where_their_ticks_are(lo: float, span: float) -> None:
    """Read back, a label is the value at the tick's place."""
    axis = tight_axis(lo, lo + span)
    for tick in axis.ticks:
        read = re.sub("[^0-9.e]", "", tick.label.replace("\u2212", ""))
        millions = 1e6 if "M" in tick.label else 1.0
        value = float(read) * millions * (-1 if tick.label[0] == "\u2212" else 1)
        assert axis.lo + tick.at * (axis.hi - axis.lo) == pytest.approx(value, abs=span * 1e-3)


@pytest.mark.parametrize(
    ("values", "ends", "labels"),
    [
        ((0, 96.4), (0, 100), ["0", "20", "40", "60", "80", "100"]),
        ((90.4, 96.4), (90, 98), ["90", "92", "94", "96", "98"]),
        ((40.0, 96.4), (0, 100), ["0", "20", "40", "60", "80", "100"]),
        ((5.0,), (0, 5), ["0", "1", "2", "3", "4", "5"]),
        ((0.0,), (0, 1), ["0.0", "0.2", "0.4", "0.6", "0.8", "1.0"]),
        ((), (0, 1), ["0.0", "0.2", "0.4", "0.6", "0.8", "1.0"]),
        ((-1.0, 1.0), (-1, 1), ["\u22121.0", "\u22120.5", "0.0", "0.5", "1.0"]),
        ((0, 4e6), (0, 4e6), ["0", "1\u00a0M", "2\u00a0M", "3\u00a0M", "4\u00a0M"]),
    ],
)
def test_an_axis_begins_at_zero_unless_all_values_are_alike(
    values: tuple[float, ...], ends: tuple[float, float], labels: list[str]
) -> None:
    """A cut axis makes a small difference look large."""
    axis = value_axis(values)

    assert (axis.lo, axis.hi) == pytest.approx(ends)
    assert [tick.label for tick in axis.ticks] == labels


@given(wanted=st.lists(st.floats(0, 1), min_size=1, max_size=12))
def test_labels_keep_apart_and_keep_their_order(wanted: list[float]) -> None:
    """Each stays on the chart and in the order of the lines' ends."""
    gap = 1 / 12
    placed = spread_apart(wanted, gap)
    in_order = [placed[i] for i in sorted(range(len(wanted)), key=lambda i: (wanted[i], i))]

    assert all(-1e-9 <= at <= 1 + 1e-9 for at in placed)
    assert all(b - a >= gap - 1e-9 for a, b in itertools.pairwise(in_order))


def test_labels_that_have_room_stay_where_they_belong() -> None:
    """Nothing moves without need."""
    assert spread_apart([0.9, 0.1, 0.5], 0.1) == pytest.approx([0.9, 0.1, 0.5])


def test_too_many_lines_are_named_in_a_legend() -> None:
    """Where labels cannot all stand beside their lines, none does."""
    few = drawn(*(Series(f"s{i}", (0, 1), (0, i)) for i in range(7)))
    many = drawn(*(Series(f"s{i}", (0, 1), (0, i)) for i in range(40)))

    assert few.has_direct_labels
    assert not many.has_direct_labels


def test_an_interval_does_not_stretch_a_percentage_past_its_end() -> None:
    """An end at 100.4 % would else be drawn on an axis to 120 %; one at 119 % really is there."""
    ys = (0.0, 99.5)
    slightly = drawn(Series("s", (0, 1), ys, Band((-0.5, 99.0), (0.5, 100.4))))
    widely = drawn(Series("s", (0, 1), ys, Band((-20.0, 80.0), (20.0, 119.0))))

    assert (slightly.y_axis.lo, slightly.y_axis.hi) == (0, 100)
    assert (widely.y_axis.lo, widely.y_axis.hi) == (-50, 150)


def test_a_thinned_line_keeps_its_extremes() -> None:
    """One spike in a hundred thousand points is what the reader must see."""
    ys = [0.5] * 100_000
    ys[54_321], ys[77_777] = 1.0, 0.0
    (line,) = drawn(Series("s", tuple(range(100_000)), tuple(ys))).lines

    assert " 0L" in line.path
    assert " 1000L" in line.path
    assert len(line.path) < 30_000


def test_no_two_lines_look_alike_without_their_colours() -> None:
    """Each slot has a dash and a mark of its own, for print and for the colour-blind."""
    looks = {(DASHES[slot], MARKS[slot % len(MARKS)]) for slot in range(SLOTS)}

    assert len(looks) == SLOTS


def test_a_name_has_one_colour_on_the_whole_page() -> None:
    """Whatever the order in which charts name it; the one that is spoken of has the accent."""
    a, b = Series("a", (0, 1), (0, 1)), Series("b", (0, 1), (0, 1))
    charts = (LineChart("1", "x", "y", (a, b), highlight="b"), LineChart("2", "x", "y", (b, a)))

    assert line_slots(charts) == {"b": 0, "a": 1}


def test_plain_bars_take_the_accent() -> None:
    """There is nothing to tell apart, so that no slot is spent on them."""
    plain = BarChart("p", "pods", (Bar("x", (Part("pods", 1),)),))
    stacked = BarChart("s", "s", (Bar("x", (Part("wait", 1), Part("fetch", 1))),))

    assert part_slots((plain, stacked)) == {"wait": 0, "fetch": 1}
