"""How full a fleet is: pods that are there from the start, and maps of nodes over time.

This module must not place anything new: pods that a file says are bound keep their nodes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from gpu_fleet.errors import InputError, Oversubscribed
from gpu_fleet.nodes import WHOLE_GPU_MILLI
from scheduler_extender.placement.policy import first_free_devices, tightest_device
from scheduler_extender.placement.terms.stranding import (
    RoomTable,
    StrandingSettings,
    own_cpu_rates,
    useful_room,
)

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import NDArray

    from gpu_fleet.cluster_view import ClusterView
    from scheduler_extender.placement.pod_mix import PodMix
    from simulations.workload import BoundPod

__all__ = ["NodeBins", "occupy"]

_MOST_BINS = 120
"""Rows of a heat map that a person can still tell apart on a screen."""


def occupy(view: ClusterView, bound: Iterable[BoundPod]) -> None:
    """Place pods where they run already; devices that nobody named are the tightest that fit."""
    for pod in bound:
        shape_id, slot = view.intern(pod.pod.shape), view.slot(pod.node_name)
        try:
            devices = pod.device_indices
            if devices is None:
                devices = _devices(view, shape_id, slot)
            view.place(pod.pod.name, shape_id, slot, devices)
        except (Oversubscribed, ValueError) as error:
            raise InputError(
                f"pod {pod.pod.name} is bound to {pod.node_name}, which does not hold it",
                remedy="export nodes and pods at the same moment",
            ) from error


def _devices(view: ClusterView, shape_id: int, slot: int) -> tuple[int, ...]:
    if view.shapes[shape_id].gpu_count == 1:
        return (tightest_device(view, shape_id, slot),)
    return first_free_devices(view, shape_id, slot)


class NodeBins:
    """Nodes with GPUs in a fixed order (model, size, name), joined into at most 120 rows."""

    def __init__(self, view: ClusterView, mix: PodMix) -> None:
        self._view = view
        self._table = RoomTable.of(mix, StrandingSettings())
        slots = [int(slot) for slot in view.live_slots() if view.gpu_total_milli[slot].any()]
        slots.sort(key=self._sort_key)
        self.slots = np.array(slots, np.int64)
        self.count = min(len(slots), _MOST_BINS)
        self._bin = np.arange(len(slots)) * self.count // max(1, len(slots))
        self._total = self._sum(view.gpu_total_milli[self.slots].sum(axis=1))

    def _sort_key(self, slot: int) -> tuple[str, int, str]:
        node = self._view.node(slot)
        return node.gpu_model or "", -len(node.devices), node.name

    def labels(self) -> tuple[str, ...]:
        """The GPU model of each row's first node."""
        first = np.searchsorted(self._bin, np.arange(self.count))
        return tuple(self._view.node(int(self.slots[i])).gpu_model or "" for i in first)

    def gpus(self) -> tuple[float, ...]:
        """How many GPUs each row stands for."""
        return tuple((self._total / WHOLE_GPU_MILLI).tolist())

    def shares(self) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Each row's GPU that is taken, and that is free but of no use to the mix, as shares."""
        view, slots = self._view, self.slots
        free = view.gpu_free_milli[slots]
        free_milli = free.sum(axis=1)
        room = useful_room(
            self._table,
            own_cpu_rates(view, slots),
            self._table.hole[free].sum(axis=1),
            free_milli,
            view.cpu_free_milli[slots],
            view.memory_free_mib[slots],
        )
        stranded = np.clip(free_milli * 1_000 - room, 0, free_milli * 1_000) / 1_000
        used = view.gpu_total_milli[slots].sum(axis=1) - free_milli
        return (
            (self._sum(used) / self._total).astype(np.float32),
            (self._sum(stranded) / self._total).astype(np.float32),
        )

    def _sum(self, per_node: NDArray[np.int64] | NDArray[np.float64]) -> NDArray[np.float64]:
        weights = per_node.astype(np.float64)
        return np.asarray(np.bincount(self._bin, weights, self.count), np.float64)
