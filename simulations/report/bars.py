"""A bar chart as shapes: one field of FIELD_WIDTH for each bar, lying down, names beside it.

It must not sort: the order of bars and parts is the document's, since a ranking is a finding.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from simulations.report.document import Bar, BarChart, Column, Table
from simulations.report.limits import shorten
from simulations.report.numbers import decimals_for, figure, is_known, known, with_unit
from simulations.report.palette import ACCENT, part_names
from simulations.report.tables import DrawnTable, draw_table

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["FIELD_WIDTH", "DrawnBar", "DrawnBars", "DrawnPart", "draw_bars"]

FIELD_WIDTH: Final = 10_000
THINNEST: Final = 20
"""About two pixels: what is there is seen, however small beside the longest bar."""


@dataclass(frozen=True, slots=True)
class DrawnPart:
    """A stretch of a bar."""

    name: str
    slot: int
    x: int
    width: int
    text: str
    """Its amount and unit."""


@dataclass(frozen=True, slots=True)
class DrawnBar:
    """One bar."""

    label: str
    total: str
    is_unknown: bool
    parts: tuple[DrawnPart, ...]
    description: str


@dataclass(frozen=True, slots=True)
class DrawnBars:
    """All the template needs."""

    title: str
    caption: str
    unit: str
    bars: tuple[DrawnBar, ...]
    legend: tuple[tuple[str, int], ...]
    """Names and slots; empty when there is one part and nothing to tell apart."""
    description: str
    numbers: DrawnTable | None
    """What the parts amount to; None when the totals say it all."""
    field_width: int = FIELD_WIDTH


def draw_bars(chart: BarChart, slots: Mapping[str, int]) -> DrawnBars:
    """Scales the bars to the longest one."""
    shown, caption = shorten(chart.bars, chart.caption)
    longest = max((_length(bar) for bar in shown), default=0.0)
    places = decimals_for([part.value for bar in shown for part in bar.parts])
    bars = tuple(_draw_bar(bar, chart.unit, slots, longest, places) for bar in shown)
    names = part_names(chart)
    has_parts = len(names) > 1
    return DrawnBars(
        chart.title,
        caption,
        chart.unit,
        bars,
        tuple((name, slots[name]) for name in names) if has_parts else (),
        f"Bars, in {chart.unit or 'numbers'}: " + "; ".join(bar.description for bar in bars) + ".",
        draw_table(_numbers(chart, names, places)) if has_parts else None,
    )


def _length(bar: Bar) -> float:
    return sum(known(part.value for part in bar.parts))


def _total(bar: Bar) -> float | None:
    """The bar's sum; a sum with an unknown part is unknown, however long the rest is drawn."""
    if not bar.parts or not all(is_known(part.value) for part in bar.parts):
        return None
    return _length(bar)


def _draw_bar(
    bar: Bar, unit: str, slots: Mapping[str, int], longest: float, places: int
) -> DrawnBar:
    parts: list[DrawnPart] = []
    start = 0.0
    for part in bar.parts:
        if not is_known(part.value):
            continue
        # Both ends are rounded, not the width, so that parts meet without a gap.
        left, right = _scaled(start, longest), _scaled(start + part.value, longest)
        text = with_unit(figure(part.value, places), unit)
        width = max(right - left, THINNEST if part.value else 0)
        parts.append(DrawnPart(part.name, slots.get(part.name, ACCENT), left, width, text))
        start += part.value
    total = figure(_total(bar), places)
    return DrawnBar(
        bar.label, total, _total(bar) is None, tuple(parts), f"{bar.label} {with_unit(total, unit)}"
    )


def _scaled(value: float, longest: float) -> int:
    return round(value / longest * FIELD_WIDTH) if longest > 0 else 0


def _numbers(chart: BarChart, names: list[str], places: int) -> Table:
    def amount(bar: Bar, name: str) -> float | str | None:
        mine = [part.value for part in bar.parts if part.name == name]
        if not mine:
            return ""  # a bar without this part: not unknown, just not there
        return sum(known(mine)) if all(is_known(value) for value in mine) else None

    return Table(
        title=chart.title,
        columns=(
            Column("", text=True),
            *(Column(name, unit=chart.unit, decimals=places, text=False) for name in names),
            Column("Total", unit=chart.unit, decimals=places, text=False),
        ),
        rows=tuple(
            (bar.label, *(amount(bar, name) for name in names), _total(bar)) for bar in chart.bars
        ),
    )
