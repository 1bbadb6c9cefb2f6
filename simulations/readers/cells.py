"""Numbers in CSV cells: whole, bounded, and with a complaint that names line and column.

The bounds are far above any machine that exists and far below what would overflow an array, so an
absurd figure (bytes in a MiB column, cores times a million) stops here and not in a result.
This module must not know which columns there are.
"""

from __future__ import annotations

import re

from gpu_fleet.errors import InputError
from gpu_fleet.words import shown

__all__ = ["MOST_TIME_S", "whole"]

MOST_TIME_S = 4_102_444_800
"""The year 2100 as seconds since 1970: anything beyond is in milliseconds."""

_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?", re.ASCII)
_SURE_DIGITS = 15


def whole(text: str, column: str, line: int, *, least: int = 0, most: int) -> int:
    """The whole number in a cell; `12000.0` counts as whole, `nan` and `1_000` do not."""
    if text.isdigit() and text.isascii() and len(text) <= _SURE_DIGITS:
        number = int(text)
    else:
        number = _parse(text.strip(), column, line, least, most)
    if not least <= number <= most:
        raise InputError(
            f"{shown(text)} is not possible",
            remedy=f"give {least} to {most}",
            line=line,
            field=column,
        )
    return number


def _parse(text: str, column: str, line: int, least: int, most: int) -> int:
    remedy = f"give a whole number from {least} to {most}"
    if not text:
        raise InputError("is empty", remedy=remedy, line=line, field=column)
    if not _NUMBER.fullmatch(text):
        raise InputError(f"{shown(text)} is not a number", remedy=remedy, line=line, field=column)
    number = float(text)
    if number in (float("inf"), float("-inf")):
        return most + 1
    if not number.is_integer():
        raise InputError(f"{shown(text)} is not whole", remedy=remedy, line=line, field=column)
    return int(number)
