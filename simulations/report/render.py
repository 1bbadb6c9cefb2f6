"""A report as one HTML page: the only module here that knows the template engine.

The page is a function of the document: same document, same bytes. It is complete in itself, needs
no script, fetches nothing (its own policy forbids it), and its size is bounded (`limits`).
It must not write files, and no text of a document may reach the page unescaped: names come from
other people's clusters. So autoescape is on, and no template uses `safe`.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Final, TypeAlias

from jinja2 import Environment, PackageLoader, StrictUndefined

from simulations.report.bars import DrawnBars, draw_bars
from simulations.report.document import (
    BarChart,
    Heading,
    HeatMaps,
    IntervalChart,
    LineChart,
    Table,
)
from simulations.report.dots import DrawnDots, draw_dots
from simulations.report.heat import DrawnHeats, draw_heat_maps
from simulations.report.limits import columns_for, map_size_for
from simulations.report.lines import DrawnLines, draw_lines
from simulations.report.palette import line_slots, part_slots
from simulations.report.tables import DrawnTable, draw_table

if TYPE_CHECKING:
    from collections.abc import Mapping

    from simulations.report.document import Report, Section

__all__ = ["render"]

ENOUGH_HEADINGS: Final = 3
"""A page with fewer parts is found through by scrolling."""

Drawing: TypeAlias = DrawnTable | DrawnLines | DrawnBars | DrawnDots | DrawnHeats


@dataclass(frozen=True, slots=True)
class DrawnHeading:
    """A part's opening, with the anchor that the table of contents points to."""

    anchor: str
    title: str
    paragraphs: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Drawn:
    """A section that is ready for the template of its kind."""

    kind: str
    it: Drawing | DrawnHeading


def render(report: Report) -> str:
    """The page as text, to be written as UTF-8."""
    sections = _draw(report.sections)
    headings = [section.it for section in sections if isinstance(section.it, DrawnHeading)]
    return (
        _environment()
        .get_template("report.html")
        .render(
            report=report,
            sections=sections,
            contents=headings if len(headings) >= ENOUGH_HEADINGS else [],
        )
    )


@cache
def _environment() -> Environment:
    return Environment(
        loader=PackageLoader("simulations.report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )


def _draw(sections: tuple[Section, ...]) -> list[Drawn]:
    lines, parts = line_slots(sections), part_slots(sections)
    columns = columns_for(
        sum(len(section.series) for section in sections if isinstance(section, LineChart))
    )
    maps = sum(len(section.maps) for section in sections if isinstance(section, HeatMaps))
    return [
        _draw_section(section, f"part-{index}", lines, parts, columns, map_size_for(maps))
        for index, section in enumerate(sections, start=1)
    ]


def _draw_section(
    section: Section,
    anchor: str,
    lines: Mapping[str, int],
    parts: Mapping[str, int],
    columns: int,
    map_size: tuple[int, int],
) -> Drawn:
    match section:
        case Heading():
            paragraphs = tuple(text.strip() for text in section.text.split("\n\n") if text.strip())
            return Drawn("heading", DrawnHeading(anchor, section.title, paragraphs))
        case Table():
            return Drawn("table", draw_table(section))
        case LineChart():
            return Drawn("lines", draw_lines(section, lines, columns))
        case BarChart():
            return Drawn("bars", draw_bars(section, parts))
        case IntervalChart():
            return Drawn("dots", draw_dots(section))
        case HeatMaps():
            return Drawn("heat", draw_heat_maps(section, map_size))
