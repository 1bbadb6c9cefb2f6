"""Estimates with their intervals as shapes: one field of FIELD_WIDTH for each, names beside it.

All share one axis, so that a reader sees which intervals keep clear of the reference.
It must not sort, and an estimate without an interval gets none.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from simulations.report.limits import shorten
from simulations.report.numbers import decimals_for, figure, interval, is_known, known
from simulations.report.scales import Axis, value_axis

if TYPE_CHECKING:
    from simulations.report.document import Estimated, IntervalChart

__all__ = ["FIELD_WIDTH", "DrawnDot", "DrawnDots", "draw_dots"]

FIELD_WIDTH: Final = 2000


@dataclass(frozen=True, slots=True)
class DrawnDot:
    """One estimate."""

    label: str
    text: str
    between: str
    """The interval in words; empty when there is none."""
    x: int | None
    whisker: tuple[int, int] | None
    is_spoken_of: bool


@dataclass(frozen=True, slots=True)
class DrawnDots:
    """All the template needs."""

    title: str
    caption: str
    x_label: str
    axis: Axis
    dots: tuple[DrawnDot, ...]
    reference: int | None
    description: str
    field_width: int = FIELD_WIDTH


def draw_dots(chart: IntervalChart) -> DrawnDots:
    """Scales the estimates to one axis that holds every interval and the reference."""
    shown, caption = shorten(chart.estimates, chart.caption)
    ends = [end for one in shown for end in (one.value, one.lo, one.hi)]
    axis = value_axis(known([*ends, chart.reference]))
    places = decimals_for(ends) if chart.decimals is None else chart.decimals
    dots = tuple(
        _draw_dot(one, axis, places, chart, is_spoken_of=index == chart.highlight)
        for index, one in enumerate(shown)
    )
    told = "; ".join(f"{dot.label} {dot.text} ({dot.between or 'no interval'})" for dot in dots)
    return DrawnDots(
        chart.title,
        caption,
        chart.x_label,
        axis,
        dots,
        None if chart.reference is None else _scaled(chart.reference, axis),
        f"{chart.x_label}: {told}.",
    )


def _draw_dot(
    one: Estimated, axis: Axis, places: int, chart: IntervalChart, *, is_spoken_of: bool
) -> DrawnDot:
    has_interval = is_known(one.lo) and is_known(one.hi)
    return DrawnDot(
        one.label,
        figure(one.value, places, signed=chart.signed),
        interval(one.lo, one.hi, places, signed=chart.signed) if has_interval else "",
        _scaled(one.value, axis) if is_known(one.value) else None,
        (_scaled(one.lo, axis), _scaled(one.hi, axis))
        if is_known(one.lo) and is_known(one.hi)
        else None,
        is_spoken_of,
    )


def _scaled(value: float, axis: Axis) -> int:
    return round(axis.at(value) * FIELD_WIDTH)
