"""Counts of what was assumed and ignored, for the reader of a result.

An answer that leaves a constraint out is only honest if it says so and says how often.
This module must not decide what is ignored.
"""

from __future__ import annotations

from collections import Counter

from gpu_fleet.words import counted

__all__ = ["Tally"]


class Tally:
    """Notes with their counts, told in the order in which they first came up."""

    __slots__ = ("_counts", "_what")

    def __init__(self, what: str) -> None:
        self._what = what
        self._counts: Counter[tuple[str, str]] = Counter()

    def add(self, one: str, many: str, *, when: bool = True) -> None:
        """Count one thing that `one` is said of; `many` is the same sentence in the plural."""
        if when:
            self._counts[one, many] += 1

    def notes(self) -> tuple[str, ...]:
        """One sentence each: `3 pods ask for topology spread: ignored`."""
        return tuple(
            f"{counted(count, self._what)} {one if count == 1 else many}"
            for (one, many), count in self._counts.items()
        )
