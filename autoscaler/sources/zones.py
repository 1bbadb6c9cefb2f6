"""Readings of local clocks as UTC, with the hours that clocks repeat or skip.

Where clocks go back, a reading names two moments: the first, unless the row before it was already
there. Where clocks go forward, a reading that never was shows that the zone is wrong, and is
refused. This module must not parse or repair anything.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import numpy as np

from gpu_fleet.clock import DAY_S, NS_PER_S
from gpu_fleet.errors import InputError
from gpu_fleet.words import shown

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["named_zone", "utc_of", "zone_offset_s"]

_DAY_NS = DAY_S * NS_PER_S
_EPOCH = datetime(1970, 1, 1)  # noqa: DTZ001  # a reading of a local clock has no zone


def named_zone(name: str) -> ZoneInfo:
    """The zone of an IANA name."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise InputError(
            f"{shown(name)} is not a time zone",
            remedy="give an IANA name such as UTC, Europe/Berlin or America/New_York",
            field="--time-zone",
        ) from None


def zone_offset_s(zone: ZoneInfo, utc_ns: int) -> int:
    """Local time less UTC at a moment."""
    offset = datetime.fromtimestamp(utc_ns // NS_PER_S, UTC).astimezone(zone).utcoffset()
    return 0 if offset is None else round(offset.total_seconds())


def utc_of(
    wall_ns: NDArray[np.int64], zone: ZoneInfo, column: str, places: NDArray[np.int64]
) -> NDArray[np.int64]:
    """The moments at which local clocks showed this, for one series in the order of its file."""
    days, day_of_row = np.unique(wall_ns // _DAY_NS, return_inverse=True)
    begin = _offsets_ns(zone, days)
    changes = begin != _offsets_ns(zone, days + 1)
    utc_ns = wall_ns - begin[day_of_row]
    for row in np.flatnonzero(changes[day_of_row]).tolist():
        first, second = _moments(zone, int(wall_ns[row]))
        if first > second:
            raise _skipped(int(wall_ns[row]), zone, column, int(places[row]))
        is_past = row > 0 and utc_ns[row - 1] >= first
        utc_ns[row] = second if is_past else first
    return utc_ns


def _skipped(wall_ns: int, zone: ZoneInfo, column: str, place: int) -> InputError:
    wall = np.datetime64(wall_ns, "ns").astype("datetime64[s]")
    return InputError(
        f"{shown(str(wall))} never was: clocks in {zone.key} skipped it",
        remedy="name the zone that the file was written in with --time-zone",
        line=place,
        field=column,
    )


def _offsets_ns(zone: ZoneInfo, days: NDArray[np.int64]) -> NDArray[np.int64]:
    """Local time less UTC as each day begins."""
    return np.array([_offset_ns(zone, day * _DAY_NS) for day in days.tolist()], dtype=np.int64)


def _moments(zone: ZoneInfo, wall_ns: int) -> tuple[int, int]:
    """The first and the second moment of a reading; the first is later where it never was."""
    return wall_ns - _offset_ns(zone, wall_ns), wall_ns - _offset_ns(zone, wall_ns, fold=1)


def _offset_ns(zone: ZoneInfo, wall_ns: int, *, fold: int = 0) -> int:
    wall = _EPOCH + timedelta(microseconds=wall_ns // 1_000)
    offset = wall.replace(tzinfo=zone, fold=fold).utcoffset()
    return 0 if offset is None else round(offset.total_seconds()) * NS_PER_S
