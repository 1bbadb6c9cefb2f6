"""From moments at which something was noticed to marks on the steps of a series.

A mark's words are those of its first moment, so that a mark never says what came after it began.
This module must not notice anything itself.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from gpu_fleet.series import Mark, MarkKind

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from numpy.typing import NDArray

__all__ = ["Noticed", "in_order", "on_steps"]


@dataclass(frozen=True, slots=True, eq=False)
class Noticed:
    """What was noticed of some samples before there were steps."""

    kind: MarkKind
    times_ns: NDArray[np.int64]
    say: Callable[[int], str]
    """The words for one of those times, by its index."""


def on_steps(
    kind: MarkKind, steps: NDArray[np.int64], say: Callable[[int], str]
) -> tuple[Mark, ...]:
    """One mark for each stretch of adjoining steps; `steps` rise and may repeat."""
    if not steps.size:
        return ()
    begins = np.flatnonzero(np.diff(steps, prepend=steps[0] - 2) > 1)
    ends = np.append(begins[1:], len(steps)) - 1
    return tuple(
        Mark(kind, int(steps[begin]), int(steps[end]), say(begin))
        for begin, end in zip(begins.tolist(), ends.tolist(), strict=True)
    )


def in_order(marks: Iterable[Mark]) -> tuple[Mark, ...]:
    """By where they begin, then by kind."""
    return tuple(sorted(marks, key=lambda mark: (mark.first, mark.kind.value, mark.last)))
