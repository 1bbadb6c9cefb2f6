"""Where a policy's pod mix comes from: given, or learned from the first arrivals of a run.

A planner has the whole file, a new cluster has nothing; `first:N` shows what the difference costs.
The policy starts without a mix and is told anew each time the number of arrivals has doubled, up to
N; after that it learns nothing more. This module must not look at pods that have not arrived.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol, runtime_checkable

from gpu_fleet.errors import InputError
from scheduler_extender.placement.pod_mix import MixClass, PodMix

if TYPE_CHECKING:
    from gpu_fleet.pods import PodShape
    from gpu_fleet.protocols import PlacementPolicy

__all__ = ["MixLessons", "MixSource"]

_FIRST_LESSON = 25


@runtime_checkable
class _Learns(Protocol):
    def learn(self, mix: PodMix) -> None:
        """Go on with another mix."""


@dataclass(frozen=True, slots=True)
class MixSource:
    """`arrivals` None: the mix is given. Otherwise it is learned from that many arrivals."""

    arrivals: int | None = None

    @classmethod
    def parse(cls, text: str) -> MixSource:
        """`given`, or `first:N`."""
        if text == "given":
            return cls()
        kind, _, count = text.partition(":")
        if kind == "first" and count.isdecimal() and int(count) > 0:
            return cls(int(count))
        raise InputError(
            f"'{text}' is no pod mix", remedy="say given, or first:N as in first:500", field="--mix"
        )

    def __str__(self) -> str:
        return "given" if self.arrivals is None else f"first:{self.arrivals}"

    def at_start(self, given: PodMix) -> PodMix:
        """The mix to build a policy with."""
        return given if self.arrivals is None else PodMix()


class MixLessons:
    """Counts the arrivals of one run and tells its policy what they are."""

    def __init__(self, source: MixSource) -> None:
        self._limit = source.arrivals or 0
        self._seen: Counter[PodShape] = Counter()
        self._next_lesson = min(_FIRST_LESSON, self._limit)

    def arrive(self, policy: PlacementPolicy, shape: PodShape) -> None:
        """A pod of this shape arrives: tell the policy if it is time."""
        seen = self._seen.total() if self._next_lesson else 0
        if seen >= self._limit:
            return
        self._seen[shape] += 1
        if seen + 1 < self._next_lesson:
            return
        self._next_lesson = min(self._next_lesson * 2, self._limit)
        if isinstance(policy, _Learns):
            policy.learn(PodMix(tuple(MixClass(s, n) for s, n in self._seen.most_common())))
