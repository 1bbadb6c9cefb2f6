"""A table as it is printed: every cell a text, every column leaning one way.

It exists so that rounding is decided once for a column and not cell by cell.
It must not reorder or drop what the document says, except to keep a page within its size, which
it then says.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from simulations.report.limits import shorten
from simulations.report.numbers import UNKNOWN, decimals_for, figure

if TYPE_CHECKING:
    from simulations.report.document import Cell, Column, Table

__all__ = ["DrawnCell", "DrawnColumn", "DrawnTable", "draw_table"]


@dataclass(frozen=True, slots=True)
class DrawnColumn:
    """A column's head."""

    name: str
    unit: str
    is_text: bool


@dataclass(frozen=True, slots=True)
class DrawnCell:
    """A cell's text and how it looks."""

    text: str
    is_text: bool
    is_unknown: bool


@dataclass(frozen=True, slots=True)
class DrawnTable:
    """All the template needs."""

    title: str
    caption: str
    columns: tuple[DrawnColumn, ...]
    rows: tuple[tuple[DrawnCell, ...], ...]
    highlight: int | None


def draw_table(table: Table) -> DrawnTable:
    """Rounds each column as its numbers ask for, and cuts what is too long for a page."""
    shown, caption = shorten(table.rows, table.caption)
    drawn = [
        _draw_column(column, tuple(row[index] for row in shown))
        for index, column in enumerate(table.columns)
    ]
    cells = tuple(zip(*(column_cells for _, column_cells in drawn), strict=True))
    return DrawnTable(
        table.title,
        caption,
        tuple(column for column, _ in drawn),
        cells,
        table.highlight,
    )


def _draw_column(
    column: Column, cells: tuple[Cell, ...]
) -> tuple[DrawnColumn, tuple[DrawnCell, ...]]:
    numbers = [cell for cell in cells if cell is not None and not isinstance(cell, str)]
    is_text = column.text if column.text is not None else not numbers and any(cells)
    places = column.decimals if column.decimals is not None else decimals_for(numbers)
    texts = (_text(cell, places, signed=column.signed) for cell in cells)
    drawn = tuple(DrawnCell(text, is_text, text == UNKNOWN) for text in texts)
    return DrawnColumn(column.name, column.unit, is_text), drawn


def _text(cell: Cell, places: int, *, signed: bool) -> str:
    if not isinstance(cell, str):
        return figure(cell, places, signed=signed)
    # A caller that formatted a NaN itself must not get it past the reader as a word.
    return UNKNOWN if cell.strip().lower() in {"nan", "none"} else cell
