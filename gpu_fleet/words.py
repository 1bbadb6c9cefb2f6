"""How messages quote what they were given: short, and always on one line.

A complaint about a megabyte of noise must not print a megabyte of noise, nor a line feed in it.
This module must hold wording only.
"""

from __future__ import annotations

from difflib import get_close_matches
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection

__all__ = ["counted", "did_you_mean", "listed", "shown"]

_MOST_CHARACTERS = 40


def shown(value: object) -> str:
    """A value in quotes, cut to a readable length and with control characters escaped."""
    text = str(value)
    if len(text) > _MOST_CHARACTERS:
        text = f"{text[:_MOST_CHARACTERS]}..."
    return repr(text)


def counted(count: int, one: str, many: str | None = None) -> str:
    """`1 pod`, `3 pods`."""
    return f"{count:,} {one if count == 1 else many or f'{one}s'}"


def listed(names: Collection[str], most: int = 12) -> str:
    """The first names in order, and how many were left out."""
    ordered = sorted(names)
    rest = len(ordered) - most
    head = ", ".join(_plain(name) for name in ordered[:most])
    return f"{head} and {rest} more" if rest > 0 else head


def did_you_mean(name: str, known: Collection[str]) -> str:
    """` (did you mean X?)`, or nothing when no known name is near."""
    lower = {candidate.lower(): candidate for candidate in known}
    near = get_close_matches(name.lower()[:_MOST_CHARACTERS], lower, n=1, cutoff=0.5)
    return f" (did you mean {_plain(lower[near[0]])}?)" if near else ""


def _plain(name: str) -> str:
    return name if name.isprintable() and len(name) <= _MOST_CHARACTERS else shown(name)
