"""Limits that hold however pods are packed into nodes: the inequalities behind the lower bound.

Adding up amounts alone bounds badly: ten pods of 0.6 GPU need ten GPUs, not six. A dual-feasible
function turns sizes into worths such that whatever fits into one bin is worth at most 1; so the
worth of all pods on an offering is at most the number of its bins, for any packing. Two kinds:

- `stepped`: u_k(x) = x where (k+1) x is whole, else floor((k+1) x) / k (Fekete, Schepers: New
  classes of fast lower bounds for bin packing problems, Mathematical Programming 91, 2001);
- `cutting_stock`: the duals of the cutting-stock linear program of a mix of GPU parts
  (`hole_value`): no way to cut one GPU is worth more than one GPU.

A bin is a node (its CPU, its memory, its GPUs together) or one device of it.
This module must not choose which limits are worth stating; `capacity_bound` does.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from gpu_fleet.nodes import WHOLE_GPU_MILLI
from gpu_fleet.readings import Missing
from scheduler_extender.placement.hole_value import effective_sizes

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from gpu_fleet.pods import PodShape
    from gpu_fleet.pools import Offering
    from scheduler_extender.placement.pod_mix import MixClass

__all__ = ["Bins", "bins_of", "cutting_stock", "plain", "stepped"]


@dataclass(frozen=True, slots=True, eq=False)
class Bins:
    """One thing that a node of an offering has, in one or several equal bins."""

    sizes: NDArray[np.int64]
    """What a pod of each class takes of every bin that it touches."""
    touched: NDArray[np.int64]
    """How many bins such a pod touches."""
    capacity: int
    """Of one bin."""
    count: int
    """In one node."""


def bins_of(offering: Offering, classes: Sequence[MixClass]) -> tuple[Bins, ...]:
    """Pods by number, CPU, memory, GPU by node and by device, device memory where it is known."""
    shapes = [entry.shape for entry in classes]
    once = np.ones(len(shapes), np.int64)
    cpu = np.array([shape.cpu_milli for shape in shapes], np.int64)
    memory = np.array([shape.memory_mib for shape in shapes], np.int64)
    found = [
        # A node holds at most all pods: so pods that ask for nothing still need a node.
        Bins(once, once, sum(entry.count for entry in classes), 1),
        Bins(cpu, once, offering.cpu_milli, 1),
        Bins(memory, once, offering.memory_mib, 1),
        *_device_bins(offering, shapes),
    ]
    return tuple(bins for bins in found if bins.capacity > 0)


def plain(bins: Bins) -> NDArray[np.float64]:
    """Share of a node that a pod of each class takes, by amount."""
    return np.asarray(bins.touched * bins.sizes / (bins.capacity * bins.count))


def stepped(bins: Bins, k: int) -> NDArray[np.float64]:
    """The same by u_k; in whole numbers up to the last division, so that no step is missed."""
    steps, rest = np.divmod(bins.sizes * (k + 1), bins.capacity)
    worth = np.where(rest == 0, bins.sizes / bins.capacity, steps / k)
    return np.asarray(bins.touched * worth / bins.count)


def cutting_stock(
    classes: Sequence[MixClass], frequencies: Mapping[int, int]
) -> NDArray[np.float64]:
    """GPUs that a pod of each class is worth, for a mix of GPU parts; devices must be whole GPUs.

    True for any pods, but tight only for pods of that mix.
    """
    worths = effective_sizes(frequencies)
    most = max(1, _most_worth(worths))
    shapes = [entry.shape for entry in classes]
    worth = np.array([_worth(shape, worths, most) for shape in shapes], np.int64)
    touched = np.array([shape.gpu_count for shape in shapes], np.int64)
    return np.asarray(worth * touched / most)


def _device_bins(offering: Offering, shapes: Sequence[PodShape]) -> list[Bins]:
    devices = offering.devices
    if not devices:
        return []
    touched = np.array([shape.gpu_count for shape in shapes], np.int64)
    milli = np.array([shape.gpu_milli if shape.gpu_count else 0 for shape in shapes], np.int64)
    wanted = np.array(
        [shape.gpu_memory_mib if shape.gpu_count else 0 for shape in shapes], np.int64
    )
    found = [
        Bins(milli * touched, np.ones_like(touched), sum(d.gpu_milli for d in devices), 1),
        Bins(milli, touched, max(d.gpu_milli for d in devices), len(devices)),
    ]
    known = [d.memory_mib for d in devices if not isinstance(d.memory_mib, Missing)]
    if len(known) == len(devices):
        found.append(Bins(wanted, touched, max(known), len(devices)))
    return found


def _worth(shape: PodShape, worths: Mapping[int, int], most: int) -> int:
    """A pod's worth on one device; a whole GPU leaves nothing, so it is worth all of it."""
    return most if shape.gpu_milli == WHOLE_GPU_MILLI else worths.get(shape.gpu_milli, 0)


def _most_worth(worths: Mapping[int, int]) -> int:
    """The dearest way to cut one GPU: looked for afresh, because the duals were rounded."""
    best = [0] * (WHOLE_GPU_MILLI + 1)
    for room in range(1, WHOLE_GPU_MILLI + 1):
        cuts = (best[room - size] + worth for size, worth in worths.items() if size <= room)
        best[room] = max(best[room - 1], *cuts, 0)
    return best[WHOLE_GPU_MILLI]
