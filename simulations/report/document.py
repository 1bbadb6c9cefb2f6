"""The values a report is made of, with no word about how they look.

An experiment fills them, `simulations.report.render` turns them into one HTML page, and a test
can look at them without parsing markup.
This module must not format, scale or draw, and it reads nothing: the page is a function of it.

What is not known stays unknown: None or NaN, in a cell, a line, a bar or a heat map, is shown as
"n/a" or as a gap, never as 0.

    >>> Report(
    ...     title="Placement on small",
    ...     verdict="least-loss allocates 96.3 % of the GPUs, 0.9 points more than fgd.",
    ...     facts=(("Command", "synthscale simulate placement"), ("Seeds", "42..51")),
    ...     sections=(
    ...         Table(
    ...             title="Policies at 130 % arrived load",
    ...             columns=(Column("Policy"), Column("Allocated", unit="%", decimals=2)),
    ...             rows=(("least-loss", 96.31), ("fgd", 95.4)),
    ...             highlight=0,
    ...         ),
    ...     ),
    ... ).sections[0].title
    'Policies at 130 % arrived load'
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

from gpu_fleet.errors import SimulationError

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

__all__ = [
    "Band",
    "Bar",
    "BarChart",
    "Cell",
    "Column",
    "Estimated",
    "Heading",
    "HeatMap",
    "HeatMaps",
    "IntervalChart",
    "LineChart",
    "Part",
    "Report",
    "RowGroup",
    "Section",
    "Series",
    "Table",
]

Cell: TypeAlias = str | float | None
"""Text stands as it is; a number is rounded as its column says; None and NaN read "n/a"."""


@dataclass(frozen=True, slots=True)
class Heading:
    """Opens a part of the report; in a report with several, they become its table of contents."""

    title: str
    text: str = ""
    """A sentence or two that say what this part found. Blank lines part paragraphs."""


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a table."""

    name: str
    unit: str = ""
    """Printed once, under the name, so that cells are bare figures."""
    decimals: int | None = None
    """For numbers in it: this many places; None chooses, for the column, as many as tell its
    numbers apart to three figures."""
    signed: bool = False
    """For numbers in it: a difference, so that more is written +0.4."""
    text: bool | None = None
    """True aligns left (words), False right (figures); None: right, if it holds any number."""


@dataclass(frozen=True, slots=True)
class Table:
    """Rows to be looked up or compared."""

    title: str
    columns: tuple[Column, ...]
    rows: tuple[tuple[Cell, ...], ...]
    caption: str = ""
    highlight: int | None = None
    """The row, from 0, that the verdict speaks of."""

    def __post_init__(self) -> None:
        for index, row in enumerate(self.rows):
            if len(row) != len(self.columns):
                raise SimulationError(
                    f"table '{self.title}': row {index} has {len(row)} cells for "
                    f"{len(self.columns)} columns; give one for each, None for an unknown"
                )


@dataclass(frozen=True, slots=True)
class Band:
    """How sure a line is: the low and high end at each of its points."""

    lows: tuple[float | None, ...]
    highs: tuple[float | None, ...]


@dataclass(frozen=True, slots=True)
class Series:
    """One line of a chart."""

    name: str
    xs: tuple[float, ...]
    """In ascending order."""
    ys: tuple[float | None, ...]
    """None or NaN leaves a gap."""
    band: Band | None = None

    def __post_init__(self) -> None:
        lengths = {len(self.xs), len(self.ys)}
        if self.band is not None:
            lengths |= {len(self.band.lows), len(self.band.highs)}
        if len(lengths) > 1:
            raise SimulationError(
                f"series '{self.name}': xs, ys and band have {sorted(lengths)} points; "
                "give as many of each"
            )


@dataclass(frozen=True, slots=True)
class LineChart:
    """How something goes with load or with time."""

    title: str
    x_label: str
    """With its unit: "Arrived load, % of the GPUs"."""
    y_label: str
    series: tuple[Series, ...]
    caption: str = ""
    highlight: str | None = None
    """The series the verdict speaks of: drawn stronger, on top."""


@dataclass(frozen=True, slots=True)
class Part:
    """A stretch of a bar; parts of one name have one colour in all bars of a chart."""

    name: str
    value: float | None
    """Not negative. None or NaN is told in the bar's total as n/a."""

    def __post_init__(self) -> None:
        if self.value is not None and self.value < 0:
            raise SimulationError(
                f"part '{self.name}' is {self.value}; a stacked bar takes no negative value"
            )


@dataclass(frozen=True, slots=True)
class Bar:
    """A bar and what it adds up from; one part for a plain bar."""

    label: str
    parts: tuple[Part, ...]


@dataclass(frozen=True, slots=True)
class BarChart:
    """Amounts side by side, drawn lying down so that names stay readable; kept in this order."""

    title: str
    unit: str
    bars: tuple[Bar, ...]
    caption: str = ""


@dataclass(frozen=True, slots=True)
class Estimated:
    """A value and the interval it is known within."""

    label: str
    value: float | None
    lo: float | None = None
    hi: float | None = None
    """Without both ends it is drawn as a bare dot: no interval is invented."""


@dataclass(frozen=True, slots=True)
class IntervalChart:
    """Values with their intervals on one scale, such as paired differences to a baseline."""

    title: str
    x_label: str
    """With unit and confidence: "Points of allocation more than fgd, mean and 95 % interval"."""
    estimates: tuple[Estimated, ...]
    caption: str = ""
    reference: float | None = None
    """A value to compare with, drawn as an upright line: 0 for differences."""
    highlight: int | None = None
    """The estimate, from 0, that the verdict speaks of."""
    decimals: int | None = None
    """None chooses as a table's column does."""
    signed: bool = False


@dataclass(frozen=True, slots=True)
class RowGroup:
    """Neighbouring rows of a heat map that share a name, such as the nodes of one GPU model."""

    label: str
    rows: int


@dataclass(frozen=True, slots=True, eq=False)
class HeatMap:
    """Shares, 0 to 1, by row (a node) and by column (a step of load or time)."""

    title: str
    matrix: npt.NDArray[np.float64]
    """Rows x columns. NaN is drawn as its own colour; what lies outside 0..1 is drawn as the end
    it passed. Any size: what paper cannot show is averaged, within groups, and said so."""
    x_label: str
    x_range: tuple[float, float]
    """Where the first column begins and the last one ends."""
    row_groups: tuple[RowGroup, ...] = ()
    """From the top. Empty: one group without a name."""
    rows_are: str = "nodes"
    """What a row is, in the plural, for the caption."""

    def __post_init__(self) -> None:
        if self.matrix.ndim != 2:  # noqa: PLR2004 - rows and columns
            raise SimulationError(f"heat map '{self.title}': the matrix is not rows x columns")
        named = sum(group.rows for group in self.row_groups)
        if self.row_groups and named != self.matrix.shape[0]:
            raise SimulationError(
                f"heat map '{self.title}': groups name {named} of {self.matrix.shape[0]} rows; "
                "name each row once"
            )


@dataclass(frozen=True, slots=True)
class HeatMaps:
    """Heat maps of one size and one scale, side by side where there is room."""

    title: str
    legend: str
    """What the colour means: "Share of the node's GPUs that is allocated"."""
    maps: tuple[HeatMap, ...]
    caption: str = ""
    alarming: bool = False
    """Whether a high share is bad (stranded) and not good (allocated): another colour."""
    top: float = 1.0
    """The share that the strongest colour begins at, in all maps alike: 0.5 for what is rarely
    above a half. Captions should speak of strong and faint: on a dark page, strong is bright."""

    def __post_init__(self) -> None:
        if not 0 < self.top <= 1:
            raise SimulationError(
                f"heat maps '{self.title}': top is {self.top}; it is a share, above 0, 1 at most"
            )


Section: TypeAlias = Heading | Table | LineChart | BarChart | IntervalChart | HeatMaps


@dataclass(frozen=True, slots=True)
class Report:
    """One page."""

    title: str
    verdict: str
    """The answer in a sentence; all else on the page is its evidence."""
    facts: tuple[tuple[str, str], ...]
    """What ran: command, version, seeds, machine, inputs and their hashes."""
    sections: tuple[Section, ...]
    notes: tuple[str, ...] = ()
    """Every assumption that was made and every constraint that was ignored, with its count."""
    spec_json: str = "{}"
    """The spec that repeats the run, printed as it is."""
