"""What Hypothesis may let happen to electors: the space that the safety claim is made over.

Rates of clocks stay inside the drift bound of the default settings (20 %); everything else is as
bad as it likes until the faults end. Nothing here may judge what came of it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from hypothesis import strategies as st

from tests.service_runtime.leadership.world import Fault, Plan, World

if TYPE_CHECKING:
    from tests.service_runtime.leadership.world import History

__all__ = ["FAULTS_END_S", "SLOWEST", "WORST_DELAY_S", "Story", "stories"]

FAULTS_END_S = 90.0
WORST_DELAY_S = 30.0
"""Twice a lease: a message may come when everybody has long forgotten it."""
SLOWEST, FASTEST = 0.81, 1.19
_AFTER_S = 80.0


@dataclass(frozen=True, slots=True)
class Story:
    """One world, told so that it can be printed and run again."""

    plans: tuple[Plan, ...]
    seed: int
    losses: float
    deleted_s: float | None

    def run(self) -> tuple[World, History]:
        """What comes of it, with a quiet time at the end."""
        world = World(
            self.plans,
            seed=self.seed,
            worst_delay_s=WORST_DELAY_S,
            losses=self.losses,
            faults_end_s=FAULTS_END_S,
        )
        happenings = [] if self.deleted_s is None else [(self.deleted_s, world.delete_if_known)]
        return world, world.run(FAULTS_END_S + _AFTER_S, *happenings)


_MOMENTS = st.floats(0, FAULTS_END_S - 1)


@st.composite
def _faults(drawn: st.DrawFn, longest_s: float) -> Fault:
    at_s = drawn(_MOMENTS)
    return Fault(at_s, drawn(st.floats(0.001, min(longest_s, FAULTS_END_S - at_s))))


@st.composite
def _plans(drawn: st.DrawFn, name: str, *, mortal: bool) -> Plan:
    end = drawn(st.sampled_from(["stays", "leaves", "is killed"])) if mortal else "stays"
    starts_s = drawn(st.floats(0, 40)) if mortal else 0.0
    ends_s = starts_s + drawn(st.floats(1, 60))
    return Plan(
        name,
        rate=drawn(st.floats(SLOWEST, FASTEST)),
        wall_rate=drawn(st.sampled_from([1.0, 1.0, 0.0, -1.0])),
        wall_steps=tuple(drawn(st.lists(st.tuples(_MOMENTS, st.floats(-3600, 3600)), max_size=2))),
        starts_s=starts_s,
        leaves_s=ends_s if end == "leaves" else None,
        killed_s=ends_s if end == "is killed" else None,
        pauses=tuple(drawn(st.lists(_faults(40.0), max_size=3))),
        outages=tuple(drawn(st.lists(_faults(40.0), max_size=2))),
    )


@st.composite
def stories(drawn: st.DrawFn, *, deletion: bool = False) -> Story:
    """Two that stay to the end, and up to two that come late, leave or are killed.

    With a deletion, everybody is there from the start and has seen the Lease when it vanishes.
    """
    plans = [drawn(_plans(name, mortal=False)) for name in ("ann", "bob")]
    if deletion:
        plans.append(drawn(_plans("cem", mortal=False)))
    else:
        plans += [
            drawn(_plans(name, mortal=True)) for name in drawn(st.sampled_from(["", "c", "cd"]))
        ]
    return Story(
        tuple(plans),
        seed=drawn(st.integers(0, 2**32)),
        losses=drawn(st.sampled_from([0.0, 0.05, 0.3])),
        deleted_s=drawn(st.floats(20, FAULTS_END_S)) if deletion else None,
    )
