"""Heat maps as shapes: layers of strokes on a field of one unit a cell, group names beside it.

It must not let a big fleet make a big file: what does not fit is averaged (`cells`) and the
caption says how much.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from simulations.report.cells import (
    LEVELS,
    UNKNOWN_LEVEL,
    Layer,
    Shrunk,
    layers,
    levels_of,
    shrink,
)
from simulations.report.numbers import figure, with_unit
from simulations.report.scales import Axis, spread_apart, tight_axis

if TYPE_CHECKING:
    from collections.abc import Sequence

    from simulations.report.document import HeatMap, HeatMaps, RowGroup

__all__ = ["DrawnGroup", "DrawnHeat", "DrawnHeats", "draw_heat_maps"]

HEIGHT_PX: Final = 280
LABEL_PX: Final = 15


@dataclass(frozen=True, slots=True)
class DrawnGroup:
    """The name of neighbouring rows."""

    label: str
    rows: int
    middle: float
    """Where its rows are, as a share of the field from the top."""
    end: float
    """Where the next group begins."""
    label_at: float


@dataclass(frozen=True, slots=True)
class DrawnHeat:
    """One heat map."""

    title: str
    x_label: str
    x_axis: Axis
    rows: int
    columns: int
    layers: tuple[Layer, ...]
    groups: tuple[DrawnGroup, ...]
    """Empty when there is nothing to name, or no room for the names."""
    widest: str
    """The longest name: it holds the column of names open."""
    caption: str
    description: str


@dataclass(frozen=True, slots=True)
class DrawnHeats:
    """All the template needs."""

    title: str
    caption: str
    legend: str
    is_alarming: bool
    scale: tuple[str, str, str]
    """What the faintest, the middle and the strongest colour stand for."""
    maps: tuple[DrawnHeat, ...]
    has_unknown: bool
    note: str
    """What all the maps' captions say; empty when they differ and each says its own."""
    legend_levels: tuple[int, ...] = tuple(range(LEVELS))
    unknown_level: int = UNKNOWN_LEVEL
    height_px: int = HEIGHT_PX


def draw_heat_maps(section: HeatMaps, size: tuple[int, int]) -> DrawnHeats:
    """Makes each map fit into `size`, rows and columns, and paints it."""
    maps = tuple(_draw_map(heat, section, size) for heat in section.maps)
    captions = {drawn.caption for drawn in maps}
    has_unknown = any(layer.level == UNKNOWN_LEVEL for drawn in maps for layer in drawn.layers)
    return DrawnHeats(
        section.title,
        section.caption,
        section.legend,
        section.alarming,
        _scale(section.top),
        maps,
        has_unknown,
        captions.pop() if len(captions) == 1 else "",
    )


def _scale(top: float) -> tuple[str, str, str]:
    more = "" if top == 1 else " and more"
    return "0", figure(50 * top), f"{with_unit(figure(100 * top), '%')}{more}"


def _draw_map(heat: HeatMap, section: HeatMaps, size: tuple[int, int]) -> DrawnHeat:
    given = [group.rows for group in heat.row_groups] or [heat.matrix.shape[0]]
    shrunk = shrink(np.asarray(heat.matrix, dtype=np.float64), given, *size)
    groups = _groups(heat.row_groups, shrunk.group_rows)
    rows, columns = shrunk.matrix.shape
    return DrawnHeat(
        heat.title,
        heat.x_label,
        tight_axis(*heat.x_range, count=5),
        rows,
        columns,
        layers(levels_of(shrunk.matrix / section.top)),
        groups,
        max((group.label for group in groups), key=len, default=""),
        _caption(heat, shrunk),
        _description(heat, section.legend),
    )


def _groups(named: Sequence[RowGroup], rows: Sequence[int]) -> tuple[DrawnGroup, ...]:
    """Names beside their rows, moved apart where rows are few; none if they cannot all stand."""
    gap = LABEL_PX / HEIGHT_PX
    if len(named) != len(rows) or not named or (len(named) - 1) * gap > 1 or not sum(rows):
        return ()
    ends = np.cumsum(rows) / sum(rows)
    middles = ends - np.asarray(rows) / sum(rows) / 2
    labels = spread_apart([float(middle) for middle in middles], gap)
    return tuple(
        DrawnGroup(group.label, group.rows, float(middle), float(end), at)
        for group, middle, end, at in zip(named, middles, ends, labels, strict=True)
    )


def _caption(heat: HeatMap, shrunk: Shrunk) -> str:
    """How much was averaged; empty when each cell is what was given."""
    rows, columns = heat.matrix.shape
    told = f"{figure(rows)} {heat.rows_are}"
    if shrunk.most_rows > 1:
        told += f", each line the mean of up to {figure(shrunk.most_rows)}"
    if shrunk.most_columns > 1:
        told += f"; {figure(columns)} steps, each column the mean of up to {shrunk.most_columns}"
    return f"{told}."


def _description(heat: HeatMap, legend: str) -> str:
    """The map for someone who does not see it: the mean at the beginning, middle and end."""
    rows, columns = heat.matrix.shape
    if not heat.matrix.size:
        return f"Heat map of {legend}: there is nothing in it."
    steps = {"beginning": 0, "middle": columns // 2, "end": columns - 1}
    told = ", ".join(f"{_mean(heat.matrix[:, at])} at the {when}" for when, at in steps.items())
    return (
        f"Heat map of {legend}, {figure(rows)} {heat.rows_are} over {heat.x_label}. Mean: {told}."
    )


def _mean(column: np.ndarray[tuple[int], np.dtype[np.float64]]) -> str:
    seen = column[~np.isnan(column)]
    return figure(float(seen.mean()) if seen.size else None, 2)
