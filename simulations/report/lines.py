"""A line chart as shapes: paths on a field of FIELD_WIDTH x FIELD_HEIGHT, words beside it.

The field stretches to any width while words keep their size, so words are never inside it: they
are placed at shares of it, by the template.
It must not smooth: a line passes through the points it was given, and stops at an unknown one.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from simulations.report.document import Column, LineChart, Series, Table
from simulations.report.numbers import decimals_for, figure, is_known, known
from simulations.report.palette import DASHES, MARKS
from simulations.report.scales import Axis, spread_apart, tight_axis, value_axis
from simulations.report.tables import DrawnTable, draw_table

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

__all__ = ["FIELD_HEIGHT", "FIELD_WIDTH", "DrawnLine", "DrawnLines", "draw_lines"]

FIELD_WIDTH: Final = 2000
FIELD_HEIGHT: Final = 1000
HEIGHT_PX: Final = 340
LABEL_PX: Final = 18
"""A line of small text; labels closer than this would touch."""
MARKS_ON_LINE: Final = 7
BAND_MAY_PASS: Final = 0.03
"""An interval that passes 0 % or 100 % by less than this share of the axis is cut there, rather
than that the axis shows percentages that cannot be."""
NUMBERS_SHOWN: Final = 9

Point = tuple[float, float]


@dataclass(frozen=True, slots=True)
class DrawnLine:
    """One series."""

    name: str
    slot: int
    path: str
    band: str
    """A closed path, or empty."""
    marks: str
    """A path of points; the mark's shape is a matter of how its stroke ends."""
    mark: str
    dash: str
    is_spoken_of: bool
    end: str
    """The last known value."""
    end_at: float | None
    """Where the line ends, as a share of the field from its top; None if it has no known point."""
    label_at: float | None
    """Where its label stands; None when labels go into a legend."""


@dataclass(frozen=True, slots=True)
class DrawnLines:
    """All the template needs."""

    title: str
    caption: str
    x_label: str
    y_label: str
    x_axis: Axis
    y_axis: Axis
    widest: str
    """The y axis' longest label: it holds the axis' column open."""
    lines: tuple[DrawnLine, ...]
    """The one that is spoken of comes last, so that it is on top."""
    legend: tuple[DrawnLine, ...]
    has_direct_labels: bool
    has_bands: bool
    description: str
    numbers: DrawnTable
    height_px: int
    field_width: int = FIELD_WIDTH
    field_height: int = FIELD_HEIGHT


def draw_lines(chart: LineChart, slots: Mapping[str, int], columns: int) -> DrawnLines:
    """Scales a chart's series to its field, in so many columns, and finds room for their names."""
    x_axis, y_axis = _axes(chart)
    ends = [_last(series) for series in chart.series]
    tops = [None if end is None else 1 - y_axis.at(end[1]) for end in ends]
    places = decimals_for([end[1] for end in ends if end is not None])
    labels = _labels(tops)
    drawn = tuple(
        DrawnLine(
            series.name,
            slots[series.name],
            "".join(_stroke(run, x_axis, y_axis, columns) for run in _runs(series.xs, series.ys)),
            _band(series, x_axis, y_axis, columns),
            _marks(series, slots[series.name], x_axis, y_axis),
            MARKS[slots[series.name] % len(MARKS)],
            DASHES[slots[series.name]],
            series.name == chart.highlight,
            figure(None if end is None else end[1], places),
            top,
            label,
        )
        for series, end, top, label in zip(chart.series, ends, tops, labels, strict=True)
    )
    return DrawnLines(
        chart.title,
        chart.caption,
        chart.x_label,
        chart.y_label,
        x_axis,
        y_axis,
        max((tick.label for tick in y_axis.ticks), key=len, default=""),
        tuple(sorted(drawn, key=lambda line: line.is_spoken_of)),
        drawn,
        any(label is not None for label in labels),
        any(line.band for line in drawn),
        _description(chart, drawn),
        draw_table(_numbers(chart)),
        HEIGHT_PX,
    )


def _axes(chart: LineChart) -> tuple[Axis, Axis]:
    xs = [x for series in chart.series for x in known(series.xs)]
    ys = [y for series in chart.series for y in known(series.ys)]
    y_axis = value_axis(ys)
    reach = BAND_MAY_PASS * (y_axis.hi - y_axis.lo)
    bands = [end for series in chart.series for edge in _band_ends(series) for end in known(edge)]
    if any(not y_axis.lo - reach <= end <= y_axis.hi + reach for end in bands):
        y_axis = value_axis([*ys, *bands])
    return tight_axis(min(xs, default=0.0), max(xs, default=1.0)), y_axis


def _last(series: Series) -> Point | None:
    points = [point for run in _runs(series.xs, series.ys) for point in run]
    return points[-1] if points else None


def _labels(tops: Sequence[float | None]) -> list[float | None]:
    """A place for each name at its line's end, or none at all if they do not fit in a column."""
    gap = LABEL_PX / HEIGHT_PX
    wanted = [top for top in tops if top is not None]
    if not wanted or (len(wanted) - 1) * gap > 1:
        return [None] * len(tops)
    placed = iter(spread_apart(wanted, gap))
    return [None if top is None else next(placed) for top in tops]


def _runs(xs: Sequence[float], ys: Sequence[float | None]) -> Iterator[list[Point]]:
    """The stretches of known points; an unknown one parts two stretches."""
    run: list[Point] = []
    for x, y in zip(xs, ys, strict=True):
        if is_known(x) and is_known(y):
            run.append((x, y))
            continue
        if run:
            yield run
        run = []
    if run:
        yield run


def _stroke(run: Sequence[Point], x_axis: Axis, y_axis: Axis, columns: int) -> str:
    points = [_place(point, x_axis, y_axis) for point in _thinned(run, x_axis, columns)]
    if len(points) == 1:
        return f"M{points[0]}h0"  # a lone point is a dot, not nothing
    return "M" + "L".join(points)


def _thinned(run: Sequence[Point], x_axis: Axis, columns: int) -> list[Point]:
    """First, lowest, highest and last point of each column of pixels: what the eye would see."""
    if len(run) <= 2 * columns:
        return list(run)
    column_of = np.array([x_axis.at(x) for x, _ in run]) * columns // 1
    heights = np.array([y for _, y in run])
    keep: set[int] = set()
    for indices in np.split(np.arange(len(run)), np.flatnonzero(np.diff(column_of)) + 1):
        inside = heights[indices]
        keep |= {int(indices[0]), int(indices[-1])}
        keep |= {int(indices[np.argmin(inside)]), int(indices[np.argmax(inside)])}
    return [run[index] for index in sorted(keep)]


def _band(series: Series, x_axis: Axis, y_axis: Axis, columns: int) -> str:
    if series.band is None:
        return ""
    # A band is known where both ends are; the same gaps part its two edges.
    both = [is_known(a) and is_known(b) for a, b in zip(*_band_ends(series), strict=True)]
    edges = [
        [value if ok else None for value, ok in zip(edge, both, strict=True)]
        for edge in _band_ends(series)
    ]
    return "".join(
        "M"
        + "L".join(
            _place(point, x_axis, y_axis)
            for point in [
                *_thinned(low, x_axis, columns),
                *reversed(_thinned(high, x_axis, columns)),
            ]
        )
        + "z"
        for low, high in zip(*(_runs(series.xs, edge) for edge in edges), strict=True)
    )


def _band_ends(
    series: Series,
) -> tuple[tuple[float | None, ...], tuple[float | None, ...]]:
    return ((), ()) if series.band is None else (series.band.lows, series.band.highs)


def _marks(series: Series, slot: int, x_axis: Axis, y_axis: Axis) -> str:
    """A few points of the line, at other places for each slot so that marks do not pile up."""
    points = [point for run in _runs(series.xs, series.ys) for point in run]
    if not points:
        return ""
    shift = (slot % MARKS_ON_LINE) / MARKS_ON_LINE
    shares = [(index + shift) / MARKS_ON_LINE for index in range(MARKS_ON_LINE)]
    ats = np.array([x_axis.at(x) for x, _ in points])
    chosen = sorted({int(np.argmin(np.abs(ats - share))) for share in shares})
    return "".join(f"M{_place(points[index], x_axis, y_axis)}h0" for index in chosen)


def _place(point: Point, x_axis: Axis, y_axis: Axis) -> str:
    x = round(x_axis.at(point[0]) * FIELD_WIDTH)
    y = round((1 - y_axis.at(point[1])) * FIELD_HEIGHT)
    return f"{x} {y}"


def _description(chart: LineChart, lines: Sequence[DrawnLine]) -> str:
    """The chart for someone who does not see it."""
    ends = "; ".join(f"{line.name} ends at {line.end}" for line in lines)
    return f"Lines of {chart.y_label} over {chart.x_label}: {ends}."


def _numbers(chart: LineChart) -> Table:
    """Points of the lines as a table: those nearest to evenly spaced places."""
    xs = _sampled(sorted({x for series in chart.series for x in known(series.xs)}))
    lines = [list(_runs(series.xs, series.ys)) for series in chart.series]
    return Table(
        title=chart.title,
        columns=(Column(chart.x_label), *(Column(series.name) for series in chart.series)),
        rows=tuple((x, *(_read_off(runs, x) for runs in lines)) for x in xs),
        caption=f"{chart.y_label}, read off the lines.",
    )


def _sampled(xs: Sequence[float]) -> list[float]:
    if len(xs) <= NUMBERS_SHOWN:
        return list(xs)
    wanted = np.linspace(xs[0], xs[-1], NUMBERS_SHOWN)
    nearest = {int(np.argmin(np.abs(np.asarray(xs) - x))) for x in wanted}
    return [xs[index] for index in sorted(nearest)]


def _read_off(runs: Sequence[Sequence[Point]], x: float) -> float | None:
    """The line's height at x; between two known points, on the straight line that is drawn."""
    for run in runs:
        if run[0][0] <= x <= run[-1][0]:
            return float(np.interp(x, [a for a, _ in run], [b for _, b in run]))
    return None
