"""What was repaired in a series, in words for the person who has to believe its forecast.

Marks are many and alike; a person wants to know how much of the history is a stand-in, and why.
This module must not repair or judge anything.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from gpu_fleet.series import MarkKind
from gpu_fleet.words import counted

if TYPE_CHECKING:
    from gpu_fleet.series import Mark, Series

__all__ = ["repairs"]

_WORDS = {
    MarkKind.GAP: "gap filled from the past",
    MarkKind.OUTAGE: "outage filled from the past",
    MarkKind.PARTIAL: "stretch of steps with samples missing, kept",
    MarkKind.RESET: "restart of the counter",
    MarkKind.DUPLICATE: "moment with several samples, the last one kept",
    MarkKind.UNORDERED: "sample out of order, sorted",
    MarkKind.LEVEL_SHIFT: "level shift, kept",
}
_MANY = {
    MarkKind.GAP: "gaps filled from the past",
    MarkKind.OUTAGE: "outages filled from the past",
    MarkKind.PARTIAL: "stretches of steps with samples missing, kept",
    MarkKind.RESET: "restarts of the counter",
    MarkKind.DUPLICATE: "moments with several samples, the last one kept",
    MarkKind.UNORDERED: "samples out of order, sorted",
    MarkKind.LEVEL_SHIFT: "level shifts, kept",
}


def repairs(series: Series) -> tuple[str, ...]:
    """A line for each kind of thing that was noticed, in the order of `MarkKind`."""
    by_kind = {kind: [mark for mark in series.marks if mark.kind is kind] for kind in MarkKind}
    return tuple(_line(kind, marks) for kind, marks in by_kind.items() if marks)


def _line(kind: MarkKind, marks: list[Mark]) -> str:
    if kind is MarkKind.STEP:
        return marks[0].detail
    steps = sum(mark.last - mark.first + 1 for mark in marks)
    words = counted(len(marks), _WORDS[kind], _MANY[kind])
    if kind is MarkKind.LEVEL_SHIFT:
        return f"{words}; the last one {marks[-1].detail}"
    return f"{words} ({counted(steps, 'step')})"
