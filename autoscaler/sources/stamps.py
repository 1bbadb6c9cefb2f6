"""Times as people and programs write them, as nanoseconds: ISO 8601, Unix numbers, plain seconds.

The first stamp of a file says how all are written, so that one stray cell is a complaint and not
another meaning. This module must not know time zones or files; places are passed in.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import numpy as np

from gpu_fleet.clock import NS_PER_S
from gpu_fleet.errors import InputError
from gpu_fleet.words import shown

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

__all__ = ["Stamps", "moments_as_stamps", "numbers_as_stamps", "text_as_stamps"]

_FIRST_UNIX_S = 700_000_000
"""March 1992. Fewer seconds than these are counted from the beginning of the series."""
_LAST_UNIX_S = 4_102_444_800
"""The year 2100: what is beyond is a mistake."""
_UNITS_A_S = (1, 1_000, 1_000_000, 1_000_000_000)
"""Unix seconds, milliseconds, microseconds and nanoseconds, told apart by how large they are."""
_NUMBER = re.compile(r"\s*[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?\s*", re.ASCII)
_COMPACT_DATE = re.compile(r"\s*(19|20)\d\d(0[1-9]|1[0-2])(0[1-9]|[12]\d|3[01])\s*", re.ASCII)
_US_AS_NS = 1_000
_US_A_S = 1_000_000
_REMEDY = "write 2026-01-31 23:55:00 (with Z or an offset where it is known) or Unix seconds"


@dataclass(frozen=True, slots=True, eq=False)
class Stamps:
    """All stamps of a file."""

    times_ns: NDArray[np.int64]
    is_wall: bool
    """Whether they are readings of a local clock, to be placed in a time zone."""
    is_dated: bool
    """Whether they say a date; if not, they count from day 0 of the series."""
    utc_offset_s: int = 0
    """The offset that the first stamp says."""


def text_as_stamps(cells: Sequence[str], column: str, places: Sequence[int]) -> Stamps:
    """Stamps out of the cells of a column; the complaint names the line of the first bad one."""
    first = cells[0]
    if _COMPACT_DATE.fullmatch(first):
        raise InputError(
            f"{shown(first)} may be a date or a number of seconds",
            remedy="write the date as 2026-01-31",
            line=places[0],
            field=column,
        )
    if _NUMBER.fullmatch(first):
        return numbers_as_stamps(_numbers(cells, column, places), column, places)
    return _dates(cells, column, places)


def numbers_as_stamps(
    numbers: NDArray[np.float64] | NDArray[np.int64], column: str, places: Sequence[int]
) -> Stamps:
    """Stamps out of numbers: Unix time in a unit told by its magnitude, or seconds from day 0."""
    bad = np.flatnonzero(~np.isfinite(numbers))
    if bad.size:
        raise _absurd(numbers[bad[0]], column, places[bad[0]])
    unit = _unit_of(float(numbers[0]))
    if unit is None:
        raise _absurd(numbers[0], column, places[0])
    low, high = (0, _LAST_UNIX_S * unit) if unit else (-_FIRST_UNIX_S, _FIRST_UNIX_S)
    bad = np.flatnonzero((numbers < low) | (numbers > high))
    if bad.size:
        raise _absurd(numbers[bad[0]], column, places[bad[0]])
    return Stamps(_scaled(numbers, NS_PER_S // (unit or 1)), is_wall=False, is_dated=unit > 0)


def moments_as_stamps(
    times_us: NDArray[np.int64],
    column: str,
    places: Sequence[int],
    *,
    is_wall: bool,
    utc_offset_s: int = 0,
) -> Stamps:
    """Stamps out of microseconds since 1970, which must lie between 1970 and 2100."""
    bad = np.flatnonzero((times_us < 0) | (times_us > _LAST_UNIX_S * _US_A_S))
    if bad.size:
        when = np.datetime64(int(times_us[bad[0]]), "us").astype("datetime64[s]")
        raise _absurd(when, column, places[bad[0]])
    return Stamps(times_us * _US_AS_NS, is_wall, is_dated=True, utc_offset_s=utc_offset_s)


def _unit_of(first: float) -> int | None:
    """How many of them make a second, 0 where they count from day 0; None where neither fits."""
    if abs(first) < _FIRST_UNIX_S:
        return 0
    fitting = (n for n in _UNITS_A_S if _FIRST_UNIX_S * n <= first <= _LAST_UNIX_S * n)
    return next(fitting, None)


def _scaled(numbers: NDArray[np.float64] | NDArray[np.int64], ns: int) -> NDArray[np.int64]:
    if numbers.dtype == np.int64:
        return numbers.astype(np.int64) * ns
    whole = np.floor(numbers)
    part = np.rint((numbers - whole) * ns)
    return whole.astype(np.int64) * ns + part.astype(np.int64)


def _numbers(
    cells: Sequence[str], column: str, places: Sequence[int]
) -> NDArray[np.float64] | NDArray[np.int64]:
    try:
        return np.array([int(cell) for cell in cells], dtype=np.int64)
    except (ValueError, OverflowError):
        pass
    for place, cell in zip(places, cells, strict=True):
        if not _NUMBER.fullmatch(cell):
            raise InputError(
                f"{shown(cell)} is not a time, where the first stamp is a number",
                remedy="write all stamps in one way",
                line=place,
                field=column,
            )
    return np.array([float(cell) for cell in cells], dtype=np.float64)


def _dates(cells: Sequence[str], column: str, places: Sequence[int]) -> Stamps:
    stamps = _parsed(cells, column, places)
    offset = stamps[0].utcoffset()
    aware = offset is not None
    for place, stamp in zip(places, stamps, strict=True):
        if (stamp.tzinfo is not None) is not aware:
            this, others = ("no", "one") if aware else ("an", "none")
            raise InputError(
                f"mixed zones: {shown(str(stamp))} has {this} offset, the first stamp has {others}",
                remedy="write all stamps with an offset, or none",
                line=place,
                field=column,
            )
    if aware:
        stamps = [stamp.astimezone(UTC).replace(tzinfo=None) for stamp in stamps]
    times_us = np.array(stamps, dtype="datetime64[us]").astype(np.int64)
    offset_s = 0 if offset is None else round(offset.total_seconds())
    return moments_as_stamps(times_us, column, places, is_wall=not aware, utc_offset_s=offset_s)


def _parsed(cells: Sequence[str], column: str, places: Sequence[int]) -> list[datetime]:
    try:
        return [datetime.fromisoformat(cell) for cell in cells]
    except ValueError:
        pass
    stamps: list[datetime] = []
    for place, cell in zip(places, cells, strict=True):
        try:
            stamps.append(datetime.fromisoformat(cell.strip()))
        except ValueError:
            raise InputError(
                f"{shown(cell)} is not a time" if cell.strip() else "is empty",
                remedy=_REMEDY,
                line=place,
                field=column,
            ) from None
    return stamps


def _absurd(stamp: object, column: str, place: int) -> InputError:
    return InputError(
        f"{shown(stamp)} is no time between 1970 and 2100",
        remedy="check the stamp",
        line=place,
        field=column,
    )
