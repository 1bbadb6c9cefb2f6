"""Where the GPU-seconds of tasks went, counted after the fact.

A task that starts at once, on its best model, with all its data there, loses nothing. Whatever it
takes beyond that, times its GPUs, is lost to exactly one of four terms:

    waiting         all GPU it may use was taken
    stranding       enough GPU it may use was free, but in pieces, or without CPU or memory beside,
                    or its shape was backing off
    locality        it held its GPUs and waited for data or weights
    specialisation  it ran on a model that is slower for its agent than the fleet's best

These are what happened; a policy's score terms of the same names are what it expected.
Amounts are whole milli-GPU-nanoseconds, so that the terms add up to the total exactly.
This module must not estimate anything.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from gpu_fleet.clock import NS_PER_S
from gpu_fleet.nodes import WHOLE_GPU_MILLI

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["TERMS", "Losses", "Passage"]

TERMS = ("waiting", "stranding", "locality", "specialisation")
_PER_GPU_SECOND = NS_PER_S * WHOLE_GPU_MILLI


@dataclass(frozen=True, slots=True)
class Passage:
    """One task from its arrival to its end, in nanoseconds of the simulation."""

    gpu_milli: int
    arrived_ns: int
    started_ns: int
    """It got a node."""
    ready_ns: int
    """All its data was there."""
    ended_ns: int
    work_ns: int
    """What the work itself takes on the fleet's best model for it."""
    stranded_ns: int
    """Part of the wait during which enough GPU was free that could not be used."""
    moved_bytes: int

    @property
    def completion_ns(self) -> int:
        """From asking to being done."""
        return self.ended_ns - self.arrived_ns

    @property
    def waited_ns(self) -> int:
        """Before it got a node."""
        return self.started_ns - self.arrived_ns


@dataclass(slots=True)
class Losses:
    """Sums over tasks."""

    by_term: dict[str, int] = field(default_factory=lambda: dict.fromkeys(TERMS, 0))
    total: int = 0
    """Completion less work, times GPUs: counted from the two ends of each task, not from terms."""

    def add(self, passage: Passage) -> None:
        """Count a task that is done."""
        gpu = passage.gpu_milli
        extra_ns = passage.ended_ns - passage.ready_ns - passage.work_ns
        self.by_term["waiting"] += gpu * (passage.waited_ns - passage.stranded_ns)
        self.by_term["stranding"] += gpu * passage.stranded_ns
        self.by_term["locality"] += gpu * (passage.ready_ns - passage.started_ns)
        self.by_term["specialisation"] += gpu * extra_ns
        self.total += gpu * (passage.completion_ns - passage.work_ns)

    def gpu_seconds(self) -> Mapping[str, float]:
        """GPU-seconds by term."""
        return {term: amount / _PER_GPU_SECOND for term, amount in self.by_term.items()}

    @property
    def total_gpu_seconds(self) -> float:
        """All GPU-seconds lost."""
        return self.total / _PER_GPU_SECOND
