"""Node pools and the offerings they can be filled from.

An offering is a thing with a price that a cloud, or a purchasing department, can deliver.
This module must not decide how many to take.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from gpu_fleet.nodes import Device, Node

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["Offering", "Pool"]


@dataclass(frozen=True, slots=True)
class Offering:
    """One kind of node at one price. Amounts are allocatable ones."""

    name: str
    cpu_milli: int
    memory_mib: int
    devices: tuple[Device, ...]
    gpu_model: str | None
    cost_per_hour: float
    """In the currency of the offerings file; only ratios and sums are ever used."""
    limit: int | None = None
    """How many can be had at most; None means as many as wanted."""

    def node(self, name: str) -> Node:
        """A node of this kind."""
        return Node(
            name=name,
            cpu_milli=self.cpu_milli,
            memory_mib=self.memory_mib,
            devices=self.devices,
            gpu_model=self.gpu_model,
        )


@dataclass(frozen=True, slots=True)
class Pool:
    """Nodes that are scaled together: who belongs to it, and what it may grow with."""

    name: str
    selector: Mapping[str, str] = field(default_factory=dict)
    offerings: tuple[Offering, ...] = ()
    min_nodes: int = 0
    max_nodes: int | None = None
