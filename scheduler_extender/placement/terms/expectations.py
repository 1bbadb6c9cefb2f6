"""What turns GPUs into GPU-seconds: how long pods stay, and how fast bytes come.

Inputs, not decisions: they come from the pod mix, from profiles, from measured throughput.
This module must not estimate any of them.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from scheduler_extender.placement.pod_mix import DEFAULT_LIFETIME_S

if TYPE_CHECKING:
    from collections.abc import Mapping

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
