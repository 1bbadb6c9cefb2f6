"""Durations as people write them: `90s`, `10min`, `1h`, `24h`, `1d`, or several with commas.

Every option that takes one takes it in this way. This module must not judge what is too long.
"""

from __future__ import annotations

import re

from gpu_fleet.clock import DAY_S
from gpu_fleet.errors import InputError
from gpu_fleet.words import shown

__all__ = ["in_words", "parse_duration", "parse_durations"]

_UNITS_S = {
    "s": 1,
    "sec": 1,
    "m": 60,
    "min": 60,
    "h": 3_600,
    "d": DAY_S,
    "day": DAY_S,
    "days": DAY_S,
    "w": 7 * DAY_S,
}
_DURATION = re.compile(r"(\d{1,9})\s*([a-z]+)", re.ASCII)


def parse_duration(text: str, field: str) -> int:
    """The seconds that `text` stands for; 1 or more."""
    found = _DURATION.fullmatch(text.strip().lower())
    unit_s = _UNITS_S.get(found[2]) if found else None
    if found is None or unit_s is None or int(found[1]) == 0:
        raise InputError(
            f"{shown(text)} is no duration", remedy="write 90s, 10min, 1h or 1d", field=field
        )
    return int(found[1]) * unit_s


def parse_durations(text: str, field: str) -> tuple[int, ...]:
    """Several of them, separated by commas."""
    return tuple(parse_duration(part, field) for part in text.split(","))


def in_words(seconds: int) -> str:
    """The largest unit that says it in whole numbers: 10 min, 1 h, 24 h, 7 d."""
    if seconds > DAY_S and seconds % DAY_S == 0:
        return f"{seconds // DAY_S} d"
    for unit, unit_s in (("h", 3_600), ("min", 60)):
        if seconds >= unit_s and seconds % unit_s == 0:
            return f"{seconds // unit_s} {unit}"
    return f"{seconds} s"
