"""What turns GPUs into GPU-seconds: how long pods stay, and how fast bytes come.

Inputs, not decisions: they come from the pod mix, from profiles, from measured throughput.
This module must not estimate any of them.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from scheduler_extender.placement.pod_mix import DEFAULT_LIFETIME_S

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from gpu_fleet.agents import AgentProfile
    from gpu_fleet.pods import PodShape

__all__ = ["Expectations"]


@dataclass(frozen=True)
class Expectations:
    """Expected lifetimes by shape, agent profiles by name, and fetch throughput."""

    lifetimes_s: Mapping[PodShape, int] = field(default_factory=dict)
    default_lifetime_s: int = DEFAULT_LIFETIME_S
    agents: Mapping[str, AgentProfile] = field(default_factory=dict)
    fetch_bytes_per_s: int = 1_250_000_000
    """How fast a node gets bytes that it lacks: 10 Gbit/s unless somebody measured."""

    def lifetime_s(self, shape: PodShape) -> int:
        """How long a pod of this shape is expected to stay; at least a second."""
        return max(1, self.lifetimes_s.get(shape, self.default_lifetime_s))

    def speeds(self, shape: PodShape) -> Mapping[str, int]:
        """What its agent's profile states of speed by GPU model; empty where nobody said."""
        profile = None if shape.agent is None else self.agents.get(shape.agent)
        return {} if profile is None else profile.speed_permille

    def slowdown_permille(self, shape: PodShape, models: Sequence[str | None]) -> list[int]:
        """By model: thousandths of the time such a pod takes on the best of these models.

        1000 for models without a stated speed: nothing is known against them.
        """
        speeds = self.speeds(shape)
        stated = [0 if model is None else speeds.get(model, 0) for model in models]
        best = max(stated, default=0)
        return [best * 1_000 // speed if speed else 1_000 for speed in stated]
