"""Figures as a planner reads them: few digits, thousands apart, units beside, unknown said so.

It exists so that one number looks the same in a table, on an axis and in a sentence.
It must not change what a number means: rounding is for the eye, and unknown never becomes 0.
"""

from __future__ import annotations

from math import floor, isfinite, isnan, log10
from typing import TYPE_CHECKING, Final, TypeGuard

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["UNKNOWN", "decimals_for", "figure", "interval", "is_known", "known", "with_unit"]

UNKNOWN: Final = "n/a"
MINUS: Final = "\u2212"
"""As wide as a plus and never broken from its figure, which a hyphen is neither."""
NARROW: Final = "\u00a0"
"""Keeps a figure and its unit on one line."""
MOST_DECIMALS: Final = 6
FIGURES: Final = 3
"""What a reader can hold and what ten seeds can support."""


def is_known(value: float | None) -> TypeGuard[float]:
    """Whether there is a number that can be drawn: not None, not NaN, not infinite."""
    return value is not None and isfinite(value)


def known(values: Iterable[float | None]) -> list[float]:
    """The values that can be drawn, in their order."""
    return [float(value) for value in values if is_known(value)]


def decimals_for(values: Iterable[float | None]) -> int:
    """How many places tell these numbers apart: three figures of the largest, two of the spread.

    Whole numbers get none. 96.31 beside 95.40 keeps two places, 1234.5 beside 900.2 none.
    """
    seen = known(values)
    if all(value == floor(value) for value in seen):
        return 0
    largest = max(abs(value) for value in seen)
    spread = max(seen) - min(seen)
    places = _places(largest, FIGURES)
    if spread > 0:
        places = max(places, min(_places(spread, 2), places + 1))
    return places


def figure(value: float | None, decimals: int | None = None, *, signed: bool = False) -> str:
    """One number: 12,340 or 96.31 or +0.91; `decimals` None keeps three figures."""
    if value is None or isnan(value):
        return UNKNOWN
    if not isfinite(value):
        return f"{MINUS if value < 0 else ''}\u221e"
    places = decimals_for([value]) if decimals is None else decimals
    digits = f"{abs(value):,.{places}f}"
    if not digits.strip("0.,"):
        return digits  # what rounds to nothing has no sign
    return f"{MINUS if value < 0 else '+' if signed else ''}{digits}"


def interval(
    lo: float | None, hi: float | None, decimals: int | None = None, *, signed: bool = False
) -> str:
    """An interval in words, "96.24 to 96.38"; an unknown end makes all of it unknown."""
    if not is_known(lo) or not is_known(hi):
        return UNKNOWN
    places = decimals_for([lo, hi]) if decimals is None else decimals
    return f"{figure(lo, places, signed=signed)} to {figure(hi, places, signed=signed)}"


def with_unit(text: str, unit: str) -> str:
    """A figure and its unit, kept on one line; what is unknown has no unit."""
    return f"{text}{NARROW}{unit}" if unit and text != UNKNOWN else text


def _places(size: float, figures: int) -> int:
    """Decimals that show a number of this size with so many figures."""
    if size == 0:
        return 0
    return min(MOST_DECIMALS, max(0, figures - 1 - floor(log10(size))))
