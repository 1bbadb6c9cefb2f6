"""A small GPU fleet with the node mix of a large shared one.

The mix is that of the 1,213 GPU nodes of the cluster in Weng et al., Beware of Fragmentation
(USENIX ATC 2023): sizes, and CPU and memory beside each GPU. Two models of that cluster are
undisclosed; products of today stand in for them, so that every device has a known memory.
This module must not draw anything: a fleet is bought, not rolled.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from gpu_fleet.accelerators import allocatable_memory_mib
from gpu_fleet.errors import InputError
from gpu_fleet.nodes import Device, Node
from simulations.workload import Inventory

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["NODE_KINDS", "NodeKind", "fleet", "machines"]

_MIB_PER_GIB = 1_024
_MOST_NODES = 100_000


@dataclass(frozen=True, slots=True)
class NodeKind:
    """One kind of machine, and how many of a thousand published nodes are of it."""

    model: str
    gpus: int
    cpus: int
    memory_gib: int
    permille: int = 0


NODE_KINDS = (
    NodeKind("A10", gpus=8, cpus=96, memory_gib=384, permille=453),  # undisclosed there ("G2")
    NodeKind("T4", gpus=2, cpus=104, memory_gib=512, permille=319),
    NodeKind("P100", gpus=2, cpus=16, memory_gib=120, permille=90),
    NodeKind("A100-80GB", gpus=8, cpus=128, memory_gib=768, permille=32),  # undisclosed ("G3")
    NodeKind("V100M16", gpus=4, cpus=32, memory_gib=128, permille=23),
    NodeKind("V100M32", gpus=8, cpus=96, memory_gib=768, permille=17),
    NodeKind("P100", gpus=2, cpus=64, memory_gib=256, permille=18),
    NodeKind("V100M16", gpus=1, cpus=8, memory_gib=32, permille=20),
    NodeKind("T4", gpus=4, cpus=96, memory_gib=384, permille=14),
    NodeKind("V100M32", gpus=4, cpus=48, memory_gib=368, permille=14),
)
"""Counts there, rounded to thousandths; kinds under 0.7 % are joined with their nearest."""


def fleet(nodes: int = 64) -> Inventory:
    """A fleet of this many nodes, in the published proportions as nearly as whole nodes allow."""
    if not 1 <= nodes <= _MOST_NODES:
        raise InputError(f"{nodes} nodes are not possible", remedy=f"give 1 to {_MOST_NODES}")
    counts = _apportioned(nodes, [kind.permille for kind in NODE_KINDS])
    return Inventory(
        name=f"bundled-fleet-{nodes}",
        nodes=machines(tuple(zip(NODE_KINDS, counts, strict=True))),
        notes=("the fleet is generated: the node mix of a published cluster, scaled down",),
    )


def machines(counts: Iterable[tuple[NodeKind, int]]) -> tuple[Node, ...]:
    """So many machines of each kind, numbered through."""
    kinds = [kind for kind, count in counts for _ in range(count)]
    return tuple(_node(kind, number) for number, kind in enumerate(kinds))


def _node(kind: NodeKind, number: int) -> Node:
    device = Device(memory_mib=allocatable_memory_mib(kind.model))
    return Node(
        name=f"{kind.model.lower()}-{kind.gpus}x-{number:03d}",
        cpu_milli=kind.cpus * 1_000,
        memory_mib=kind.memory_gib * _MIB_PER_GIB,
        devices=(device,) * kind.gpus,
        gpu_model=kind.model,
    )


def _apportioned(total: int, weights: list[int]) -> list[int]:
    """Whole counts nearest to the weights (largest remainders; the earlier of equals wins)."""
    whole = sum(weights)
    counts = [total * weight // whole for weight in weights]
    by_rest = sorted(range(len(weights)), key=lambda at: -(total * weights[at] % whole))
    for at in by_rest[: total - sum(counts)]:
        counts[at] += 1
    return counts
