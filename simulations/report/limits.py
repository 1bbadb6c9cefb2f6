"""What a page has room for, so that no fleet and no sweep makes a file that nobody can open.

Room is shared: the more maps or lines a page has, the coarser each becomes. What is cut from a
list is counted in the caption, and whole in the JSON beside the report.
It must not cut silently.
"""

from __future__ import annotations

from math import sqrt
from typing import TYPE_CHECKING, Final, TypeVar

from simulations.report.numbers import figure

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["MOST_BYTES", "MOST_ROWS", "columns_for", "map_size_for", "shorten"]

MOST_BYTES: Final = 3_000_000
"""What can be mailed and opens at once."""
MOST_ROWS: Final = 300
"""Rows of a table, or bars of a chart: nobody reads further on a page."""
MAP_ROWS: Final = 150
MAP_COLUMNS: Final = 160
WHOLE_MAPS: Final = 12
"""So many maps at full size, each as ragged as can be, take half of MOST_BYTES."""
LINE_COLUMNS: Final = 700
"""About a chart's width in pixels: of the points within one, only the extremes can be seen."""
WHOLE_LINES: Final = 12
"""So many lines at full size, each with a band and as ragged as can be, take a third."""

T = TypeVar("T")


def map_size_for(maps: int) -> tuple[int, int]:
    """The rows and columns that each of so many heat maps on a page may have."""
    shrinking = min(1.0, sqrt(WHOLE_MAPS / maps)) if maps else 1.0
    return max(1, int(MAP_ROWS * shrinking)), max(1, int(MAP_COLUMNS * shrinking))


def columns_for(lines: int) -> int:
    """The columns of pixels that each of so many lines on a page is drawn in."""
    return max(1, min(LINE_COLUMNS, LINE_COLUMNS * WHOLE_LINES // max(1, lines)))


def shorten(rows: Sequence[T], caption: str) -> tuple[Sequence[T], str]:
    """The rows that a page has room for, and a caption that says what is missing."""
    left = len(rows) - MOST_ROWS
    if left <= 0:
        return rows, caption
    cut = f"The first {figure(MOST_ROWS)} of {figure(len(rows))}; the JSON has them all."
    return rows[:MOST_ROWS], f"{caption} {cut}".strip()
