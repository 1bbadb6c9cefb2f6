"""Best-fit as one writes it first: look at every node for every pod, in plain Python.

It exists to be the named baseline of `placement_speed`. It is straightforward, not slow on purpose:
slotted objects and lists, no call within the scan, and a node that lacks CPU is left at once.
It must not remember anything from one pod to the next, for that is what it is compared with, and
it must place bit for bit where our policy places.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gpu_fleet.nodes import Node
    from gpu_fleet.pods import PodShape

__all__ = ["NaiveBestFit", "NaiveNode"]


@dataclass(slots=True)
class NaiveNode:
    """What is left on a node."""

    model: str | None
    order: int
    """Decides between equals: the lowest wins."""
    cpu_milli: int
    memory_mib: int
    gpus: list[int]

    @classmethod
    def of(cls, node: Node, order: int) -> NaiveNode:
        """An empty node."""
        gpus = [device.gpu_milli for device in node.devices]
        return cls(node.gpu_model, order, node.cpu_milli, node.memory_mib, gpus)


class NaiveBestFit:
    """A list of nodes and two loops."""

    def __init__(self, nodes: Sequence[NaiveNode]) -> None:
        self.nodes = nodes

    def place(self, shape: PodShape) -> tuple[int, tuple[int, ...]] | None:
        """The best node and its devices, taken; None when no node has room."""
        best = self.best(shape)
        if best is None:
            return None
        devices = self.devices(best, shape)
        self.take(best, shape, devices)
        return best, devices

    def best(self, shape: PodShape) -> int | None:
        """The node with the least CPU and GPU left after placing, in whole points."""
        cpu, memory, models = shape.cpu_milli, shape.memory_mib, shape.admission.gpu_models
        count, milli = shape.gpu_count, shape.gpu_milli
        best, best_points, best_order = None, 0, 0
        for at, node in enumerate(self.nodes):
            if node.cpu_milli < cpu or node.memory_mib < memory:
                continue
            if models and node.model not in models:
                continue
            if len([free for free in node.gpus if free >= milli]) < count:
                continue
            left = node.cpu_milli - cpu + 16 * (sum(node.gpus) - count * milli)
            points = (256_000 - left) // 2_560
            better = best is None or points > best_points
            if better or (points == best_points and node.order < best_order):
                best, best_points, best_order = at, points, node.order
        return best

    def devices(self, at: int, shape: PodShape) -> tuple[int, ...]:
        """The tightest device for one, the first with room for more."""
        room = [
            (free, index)
            for index, free in enumerate(self.nodes[at].gpus)
            if free >= shape.gpu_milli
        ]
        if shape.gpu_count == 1:
            return (min(room)[1],)
        return tuple(index for _, index in room[: shape.gpu_count])

    def take(self, at: int, shape: PodShape, devices: tuple[int, ...], sign: int = 1) -> None:
        """Book a pod; with sign -1 it leaves."""
        node = self.nodes[at]
        node.cpu_milli -= sign * shape.cpu_milli
        node.memory_mib -= sign * shape.memory_mib
        for device in devices:
            node.gpus[device] -= sign * shape.gpu_milli
