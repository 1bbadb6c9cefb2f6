"""Decimal numbers in CSV cells, bounded, with a complaint that names line and column.

Amounts that are requested or allocated are whole (`cells`); measured rates and times are not.
This module must not know which columns there are.
"""

from __future__ import annotations

import re

from gpu_fleet.errors import InputError
from gpu_fleet.words import shown

__all__ = ["decimal"]

_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?", re.ASCII)


def decimal(text: str, column: str, line: int, *, most: float) -> float:
    """The number in a cell, from 0 to `most`; `nan`, `inf` and `1_000` are none."""
    cell = text.strip()
    if not _NUMBER.fullmatch(cell):
        raise InputError(
            f"{shown(text)} is not a number" if cell else "is empty",
            remedy=f"give a number from 0 to {most:g}",
            line=line,
            field=column,
        )
    number = float(cell)
    if not 0 <= number <= most:
        raise InputError(
            f"{shown(text)} is not possible",
            remedy=f"give 0 to {most:g}",
            line=line,
            field=column,
        )
    return number
