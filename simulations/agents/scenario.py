"""What agents a fleet serves, in which proportions, and what they have to fetch.

A recipe or a reader fills these values, the world only reads them.
This module must not hold figures of its own.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from gpu_fleet.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gpu_fleet.agents import AgentProfile
    from gpu_fleet.pods import PodShape
    from simulations.durations import Duration
    from simulations.workload import Inventory

__all__ = ["RequestKind", "Scenario"]


@dataclass(frozen=True, slots=True)
class RequestKind:
    """Tasks that one agent does in one domain: they read the same data and are of one shape."""

    agent: AgentProfile
    domain: str
    shape: PodShape
    """Bound to the agent: its models, its memory, its datasets and the domain's."""
    weight: int
    """How many tasks are of this kind, relative to the others."""
    work: Duration
    """How long the work itself takes on the agent's best GPU model of the fleet."""

    @property
    def name(self) -> str:
        """What logs and messages call it."""
        return f"{self.agent.name}.{self.domain}" if self.domain else self.agent.name


@dataclass(frozen=True, slots=True)
class Scenario:
    """Everything that a run of agents depends on, but for the policy, the load and the seed."""

    name: str
    inventory: Inventory
    kinds: tuple[RequestKind, ...]
    dataset_bytes: Mapping[str, int]
    """Data, weights and image layers by name; what is not in it costs nothing to fetch."""
    fetch_bytes_per_s: int
    """What a node's link brings; fetches of one node come one after the other."""
    disk_bytes: int
    """What a node can keep; the least recently used goes first."""
    notes: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        for what, amount in (
            ("kinds of requests", len(self.kinds)),
            ("weight of the requests", sum(kind.weight for kind in self.kinds)),
            ("bytes fetched in a second", self.fetch_bytes_per_s),
        ):
            if amount <= 0:
                raise InputError(f"{self.name} has {amount} {what}", remedy="give some")

    def agents(self) -> dict[str, AgentProfile]:
        """Profiles by name, as a policy expects them."""
        return {kind.agent.name: kind.agent for kind in self.kinds}
