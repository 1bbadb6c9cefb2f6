"""Numbers are rounded for an eye, kept apart by thousands, and never change what they say."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulations.report.document import Column, Table
from simulations.report.numbers import decimals_for, figure, interval, with_unit
from simulations.report.tables import draw_table

FINITE = st.floats(-1e12, 1e12)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (12340, "12,340"),
        (1234.5, "1,234"),
        (96.3149, "96.3"),
        (3.14159, "3.14"),
        (0.012345, "0.0123"),
        (-0.5, "\u22120.500"),
        (0, "0"),
        (math.inf, "\u221e"),
        (-math.inf, "\u2212\u221e"),
        (math.nan, "n/a"),
        (None, "n/a"),
    ],
)
def test_a_figure_keeps_three_places_that_count(value: float | None, text: str) -> None:
    """Three figures are what ten seeds can support."""
    assert figure(value) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [(0.91, "+0.91"), (-0.91, "\u22120.91"), (0.001, "0.00"), (-0.001, "0.00"), (None, "n/a")],
)
def test_a_difference_has_a_sign_unless_it_rounds_to_nothing(
    value: float | None, text: str
) -> None:
    """A sign before 0.00 would claim what the digits do not show."""
    assert figure(value, 2, signed=True) == text


@pytest.mark.parametrize(
    ("values", "places"),
    [
        ((96.31, 95.4), 2),
        ((1234.5, 900.2), 0),
        ((612, 752), 0),
        ((0.5, 3.5), 2),
        ((2.1, 0.5, None, math.nan), 2),
        ((), 0),
        ((0.0,), 0),
    ],
)
def test_a_column_keeps_the_places_that_tell_its_numbers_apart(
    values: tuple[float | None, ...], places: int
) -> None:
    """Close values get one place more than far ones."""
    assert decimals_for(values) == places


@given(values=st.lists(FINITE, min_size=1), signed=st.booleans())
def test_a_figure_says_its_number(values: list[float], *, signed: bool) -> None:
    """Read back, it is the number, to half of its last place."""
    places = decimals_for(values)
    for value in values:
        text = figure(value, places, signed=signed)
        read = float(text.replace(",", "").replace("\u2212", "-"))
        assert abs(read - value) <= 0.5 * 10.0**-places + abs(value) * 1e-12


def test_an_interval_is_said_in_words() -> None:
    """A dash between negative numbers would be read as a minus."""
    assert interval(-1.08, -0.87, 2) == "\u22121.08 to \u22120.87"
    assert interval(None, 1.0) == "n/a"
    assert interval(1.0, math.nan) == "n/a"


def test_a_unit_stays_with_its_figure() -> None:
    """No line break between them, and none where there is no figure."""
    assert with_unit("96.3", "%") == "96.3\u00a0%"
    assert with_unit("n/a", "%") == "n/a"
    assert with_unit("7", "") == "7"


def test_words_lean_left_and_figures_right() -> None:
    """Unless the document says otherwise."""
    columns = (Column("Policy"), Column("Share"), Column("Interval", text=False), Column("Empty"))
    table = draw_table(Table("t", columns, (("fgd", 95.4, "95 to 96", None),)))

    assert [column.is_text for column in table.columns] == [True, False, False, False]
