"""A small report with every kind of section, and eyes to read a page with.

Tests read a page as a browser does, through a parser, so that they hold for any markup.
It must not import the renderer's insides: what a page looks like may change under it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from html.parser import HTMLParser
from typing import TYPE_CHECKING

import numpy as np

from simulations.report.document import (
    Band,
    Bar,
    BarChart,
    Column,
    Estimated,
    Heading,
    HeatMap,
    HeatMaps,
    IntervalChart,
    LineChart,
    Part,
    Report,
    RowGroup,
    Series,
    Table,
)

if TYPE_CHECKING:
    from collections.abc import Iterable

    from simulations.report.document import Section

__all__ = ["Page", "a_heat_map", "every_section", "page_of", "report_of"]

VOID = frozenset({"meta", "link", "img", "br", "hr", "input", "base", "source", "embed"})
NAN = float("nan")


@dataclass
class Page(HTMLParser):
    """A page taken apart."""

    tags: list[tuple[str, dict[str, str]]] = field(default_factory=list)
    """Every element that was opened, with its attributes."""
    texts: list[str] = field(default_factory=list)
    """Every stretch of text outside of the style sheet."""
    styles: list[str] = field(default_factory=list)
    crossed: list[str] = field(default_factory=list)
    """Elements that were closed while another one was open, or never."""
    _open: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        super().__init__(convert_charrefs=True)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Notes an element and what it says of itself."""
        self.tags.append((tag, {name: value or "" for name, value in attrs}))
        if tag not in VOID:
            self._open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Notes an element that closes itself, as drawings have them."""
        self.tags.append((tag, {name: value or "" for name, value in attrs}))

    def handle_endtag(self, tag: str) -> None:
        """Sees to it that what closes is what was opened last."""
        if not self._open or self._open.pop() != tag:
            self.crossed.append(tag)

    def handle_data(self, data: str) -> None:
        """Keeps text apart from styles."""
        (self.styles if self._open and self._open[-1] == "style" else self.texts).append(data)

    @property
    def text(self) -> str:
        """All a reader sees, in order."""
        return "".join(self.texts)

    def attributes(self, name: str) -> list[str]:
        """The values of an attribute, over the page."""
        return [attributes[name] for _, attributes in self.tags if name in attributes]


def page_of(html: str) -> Page:
    """Reads a page to its end."""
    page = Page()
    page.feed(html)
    page.close()
    page.crossed += page._open
    return page


def report_of(*sections: Section, notes: Iterable[str] = (), spec_json: str = "{}") -> Report:
    """A report that holds these sections."""
    return Report(
        "Placement", "One is best.", (("Seeds", "1..3"),), sections, tuple(notes), spec_json
    )


def a_heat_map(rows: int, columns: int, *, seed: int = 1, title: str = "one") -> HeatMap:
    """A map as ragged as can be: no two neighbours are alike but by chance."""
    matrix = np.random.default_rng(seed).random((rows, columns))
    return HeatMap(title, matrix, "Load, %", (0, 130), (RowGroup("A", 1), RowGroup("B", rows - 1)))


def every_section(name: str = "name") -> tuple[Section, ...]:
    """One of each kind, `name` wherever a section takes a text, unknowns wherever it may."""
    return (
        Heading(name, f"{name}\n\n{name}"),
        Table(
            name,
            (Column(name), Column(name, unit=name, signed=True)),
            ((name, 1.5), (None, NAN)),
            name,
            highlight=0,
        ),
        LineChart(
            name,
            name,
            name,
            (
                Series(name, (0, 1, 2), (1.0, None, 3.0), Band((0.0, NAN, 2.0), (2.0, None, 4.0))),
                Series(f"{name} 2", (0, 1), (NAN, None)),
            ),
            name,
            highlight=name,
        ),
        BarChart(name, name, (Bar(name, (Part(name, 1.0), Part(f"{name} 2", None))),), name),
        IntervalChart(
            name, name, (Estimated(name, 1.0, 0.5, 1.5), Estimated(name, None)), name, 0.0, 0
        ),
        HeatMaps(
            name,
            name,
            (
                HeatMap(
                    name, np.array([[0.0, NAN], [0.5, 1.0]]), name, (0, 2), (RowGroup(name, 2),)
                ),
            ),
            name,
            alarming=True,
        ),
    )
