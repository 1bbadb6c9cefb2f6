"""Which devices a pod is taken to hold on a node, and whether a node has given out too much.

A choice that was told is believed. Without one the policy's choice is a prediction, and a
prediction gives way: when told choices leave no room for it, the pods that nobody confirmed are
seated again around them. A pod that runs is seated in any case.
This module must not know why a pod is on a node.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from gpu_fleet.cluster_view import UNKNOWN_MIB
from gpu_fleet.nodes import MAX_DEVICES
from scheduler_extender.placement.feasibility import open_list

if TYPE_CHECKING:
    from collections.abc import Collection

    from gpu_fleet.cluster_view import ClusterView

__all__ = ["DeviceChooser", "gives_too_much", "predicted_devices", "seat_again"]


class DeviceChooser(Protocol):
    """The part of a placement policy that is asked here."""

    def devices(self, view: ClusterView, shape_id: int, slot: int, draw: int) -> tuple[int, ...]:
        """The devices that such a pod would be given on a node that has them."""
        ...


def predicted_devices(
    chooser: DeviceChooser, view: ClusterView, shape_id: int, slot: int
) -> tuple[int, ...]:
    """The devices such a pod is expected to get; where too few are free, those with most."""
    count = int(view.shapes.gpu_count[shape_id])
    if count == 0:
        return ()
    free = [device for _, device in sorted(open_list(view, shape_id, slot))]
    if len(free) < count:
        return _least_bad(view, slot, count, free)
    chosen = chooser.devices(view, shape_id, slot, 0)
    # A policy may look at CPU as well and then names no device in earnest.
    return chosen if len(chosen) == count and set(chosen) <= set(free) else tuple(free[:count])


def gives_too_much(view: ClusterView, slot: int) -> bool:
    """Whether a device of the node has given out more than it has.

    A sick device offers nothing and is not counted, one that is gone with pods on it is.
    """
    devices = view.node(slot).devices
    used = view.gpu_used_milli[slot].tolist()
    used_mib = view.gpu_memory_used_mib[slot].tolist()
    if not any(used):
        return False
    total = view.gpu_total_milli[slot].tolist()
    total_mib = view.gpu_memory_total_mib[slot].tolist()
    for device in range(MAX_DEVICES):
        if device < len(devices) and not devices[device].healthy:
            continue
        if used[device] > total[device]:
            return True
        if total_mib[device] != UNKNOWN_MIB and used_mib[device] > total_mib[device]:
            return True
    return False


def seat_again(
    chooser: DeviceChooser, view: ClusterView, slot: int, predicted: Collection[str]
) -> None:
    """Seat these pods of the node anew around the others, the largest first."""
    placed = [(pod, view.release(pod).shape_id) for pod in predicted]
    for pod, shape_id in sorted(placed, key=lambda one: (*_largest_first(view, one[1]), one[0])):
        view.seat(pod, shape_id, slot, predicted_devices(chooser, view, shape_id, slot))


def _largest_first(view: ClusterView, shape_id: int) -> tuple[int, int, int]:
    shape = view.shapes[shape_id]
    return -shape.gpu_count, -shape.gpu_milli, -shape.gpu_memory_mib


def _least_bad(view: ClusterView, slot: int, count: int, free: list[int]) -> tuple[int, ...]:
    """Free ones first, then those with the most free, then devices that are not there at all."""
    there = len(view.node(slot).devices)
    free_milli = view.gpu_free_milli[slot].tolist()
    rest = sorted(
        (device for device in range(MAX_DEVICES) if device not in free),
        key=lambda device: (device >= there, -free_milli[device], device),
    )
    return tuple(sorted([*free, *rest][:count]))
