"""Cells as numbers: what a measurement may look like in text, and what is no value at all.

An empty cell is an absent value and never a zero. This module must not know what is measured.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from gpu_fleet.errors import InputError
from gpu_fleet.words import shown

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

__all__ = ["ABSENT", "as_numbers", "looks_numeric"]

ABSENT = frozenset({"", "nan", "na", "n/a", "null", "none"})
"""How files say that there is no value, in any case."""


def looks_numeric(cell: str) -> bool:
    """Whether a cell holds a number, in the way `as_numbers` takes it."""
    try:
        return bool(np.isfinite(float(cell))) and "_" not in cell
    except ValueError:
        return False


def as_numbers(cells: Sequence[str], column: str, places: Sequence[int]) -> NDArray[np.float64]:
    """A value for each cell, not-a-number for absent ones."""
    try:
        numbers = np.array([float(cell) for cell in cells], dtype=np.float64)
    except ValueError:
        pass
    else:
        if not np.isinf(numbers).any() and "_" not in "".join(cells):
            return numbers
    return np.array(
        [_number(cell, column, place) for cell, place in zip(cells, places, strict=True)],
        dtype=np.float64,
    )


def _number(cell: str, column: str, place: int) -> float:
    if cell.strip().lower() in ABSENT:
        return float("nan")
    if looks_numeric(cell):
        return float(cell)
    raise InputError(
        f"{shown(cell)} is not a number",
        remedy="write a decimal number, or leave the cell empty where there is no value",
        line=place,
        field=column,
    )
