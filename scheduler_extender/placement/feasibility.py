"""Whether a node can take a pod now, and if not, what is the first thing in the way.

Every policy shares this answer, so that no policy can win by refusing pods that fit.
Two forms of one rule: `reasons` over numpy columns, and `fits` for kernels; a test compares them.
This module must not prefer any node.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from gpu_fleet.refusals import Refusal

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from gpu_fleet.cluster_view import ClusterView
    from gpu_fleet.shapes import ShapeTable

__all__ = [
    "AskedShapes",
    "first_refusal_by_amount",
    "fits",
    "open_devices",
    "open_list",
    "reasons",
    "shapes_that_fit",
]


_NONE = int(Refusal.NONE)
"""A plain number: numpy takes three times as long to compare with a member of an enumeration."""


def fits(view: ClusterView, shape_id: int, columns: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Which of these columns can take the pod: `reasons` without the why, for the hot path."""
    shapes = view.shapes
    result = view.refusals[shapes.admission_id[shape_id]].take(columns) == _NONE
    result &= view.cpu_free_milli.take(columns) >= shapes.cpu_milli[shape_id]
    result &= view.memory_free_mib.take(columns) >= shapes.memory_mib[shape_id]
    count = int(shapes.gpu_count[shape_id])
    if count:
        bits = _open_bits(view, shape_id, columns)
        result &= bits != 0 if count == 1 else np.bitwise_count(bits) >= count
    return np.asarray(result)


def reasons(view: ClusterView, shape_id: int, columns: NDArray[np.int64]) -> NDArray[np.uint8]:
    """A `Refusal` for each of these columns."""
    shapes = view.shapes
    result = view.refusals[shapes.admission_id[shape_id]][columns]
    count = int(shapes.gpu_count[shape_id])
    blocked = first_refusal_by_amount(
        view.cpu_free_milli[columns] >= shapes.cpu_milli[shape_id],
        view.memory_free_mib[columns] >= shapes.memory_mib[shape_id],
        np.bitwise_count(_open_bits(view, shape_id, columns)) >= count if count else None,
    )
    short = blocked == int(Refusal.GPU_FREE)
    if count and short.any():
        blocked[short] = _why_no_gpu(view, shape_id, columns[short])
    return np.where(result == _NONE, blocked, result)


def first_refusal_by_amount(
    cpu: NDArray[np.bool_], memory: NDArray[np.bool_], gpu: NDArray[np.bool_] | None
) -> NDArray[np.uint8]:
    """CPU before memory before GPU, as kube-scheduler's NodeResourcesFit lists them."""
    result = np.full(len(cpu), Refusal.NONE, np.uint8)
    if gpu is not None:
        result[~gpu] = Refusal.GPU_FREE
    result[~memory] = Refusal.MEMORY
    result[~cpu] = Refusal.CPU
    return result


def open_devices(view: ClusterView, shape_id: int, columns: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Which devices of these nodes have enough free for one of the pod's GPUs."""
    shapes, width = view.shapes, view.device_width
    # take() copies whole rows at once and is twice as fast as indexing with rows and a slice.
    free = view.gpu_free_milli.take(columns, axis=0)[:, :width]
    enough = free >= shapes.gpu_milli[shape_id]
    wanted_mib = int(shapes.gpu_memory_mib[shape_id])
    if wanted_mib:
        enough &= view.gpu_memory_free_mib[columns, :width] >= wanted_mib
    return np.asarray(enough)


def _open_bits(view: ClusterView, shape_id: int, columns: NDArray[np.int64]) -> NDArray[np.uint16]:
    """The same as a word for each node and a bit for each device, which is quick to count."""
    shapes = view.shapes
    enough = view.gpu_free_milli.take(columns, axis=0) >= shapes.gpu_milli[shape_id]
    wanted_mib = int(shapes.gpu_memory_mib[shape_id])
    if wanted_mib:
        enough &= view.gpu_memory_free_mib.take(columns, axis=0) >= wanted_mib
    return _bits(enough)


def _bits(devices: NDArray[np.bool_]) -> NDArray[np.uint16]:
    """Rows of `MAX_DEVICES` truths as 16-bit words. An axis of eight is slow to sum in numpy."""
    return np.packbits(devices).view(np.uint16)


def open_list(view: ClusterView, shape_id: int, slot: int) -> list[tuple[int, int]]:
    """(free thousandths, device) of one node's devices with enough free, in device order.

    One node's few devices are quicker in plain Python than in numpy.
    """
    milli = int(view.shapes.gpu_milli[shape_id])
    wanted_mib = int(view.shapes.gpu_memory_mib[shape_id])
    found = [(f, d) for d, f in enumerate(view.gpu_free_milli[slot].tolist()) if f >= milli]
    if wanted_mib:
        memory = view.gpu_memory_free_mib[slot].tolist()
        found = [(f, d) for f, d in found if memory[d] >= wanted_mib]
    return found


def _why_no_gpu(view: ClusterView, shape_id: int, columns: NDArray[np.int64]) -> NDArray[np.uint8]:
    """Would the node hold the pod if it were empty? Then GPUs are taken, else they are too few."""
    shapes = view.shapes
    count, wanted_mib = int(shapes.gpu_count[shape_id]), int(shapes.gpu_memory_mib[shape_id])
    offered = view.gpu_total_milli.take(columns, axis=0) >= shapes.gpu_milli[shape_id]
    result = np.full(len(columns), Refusal.GPU_FREE, np.uint8)
    if wanted_mib:
        roomy = offered & (view.gpu_memory_total_mib.take(columns, axis=0) >= wanted_mib)
        result[np.bitwise_count(_bits(roomy)) < count] = Refusal.GPU_MEMORY
    result[np.bitwise_count(_bits(offered)) < count] = Refusal.GPU_COUNT
    return result


def shapes_that_fit(
    view: ClusterView, slot: int, shape_ids: NDArray[np.int64]
) -> NDArray[np.bool_]:
    """Which of these shapes one node can take now: the question a departure raises."""
    return AskedShapes.of(view.shapes, shape_ids).that_fit(view, slot)


@dataclass(frozen=True, slots=True, eq=False)
class AskedShapes:
    """What some shapes ask for, as columns: gathered once where many nodes are asked of them."""

    admission_id: NDArray[np.int64]
    cpu_milli: NDArray[np.int64]
    memory_mib: NDArray[np.int64]
    gpu_count: NDArray[np.int64]
    gpu_milli: NDArray[np.int64]
    """One row for each shape, to compare with a row of devices; so is `gpu_memory_mib`."""
    gpu_memory_mib: NDArray[np.int64] | None
    """None where no shape asks for any."""

    @classmethod
    def of(cls, shapes: ShapeTable, shape_ids: NDArray[np.int64]) -> AskedShapes:
        """The columns of these shapes, in this order."""
        wanted_mib = shapes.gpu_memory_mib.take(shape_ids)
        return cls(
            admission_id=shapes.admission_id.take(shape_ids),
            cpu_milli=shapes.cpu_milli.take(shape_ids),
            memory_mib=shapes.memory_mib.take(shape_ids),
            gpu_count=shapes.gpu_count.take(shape_ids),
            gpu_milli=shapes.gpu_milli.take(shape_ids)[:, np.newaxis],
            gpu_memory_mib=wanted_mib[:, np.newaxis] if wanted_mib.any() else None,
        )

    def that_fit(self, view: ClusterView, slot: int) -> NDArray[np.bool_]:
        """Which of them one node can take now."""
        result = view.refusals[:, slot].take(self.admission_id) == _NONE
        result &= self.cpu_milli <= view.cpu_free_milli[slot]
        result &= self.memory_mib <= view.memory_free_mib[slot]
        enough = view.gpu_free_milli[slot] >= self.gpu_milli
        wanted_mib = self.gpu_memory_mib
        if wanted_mib is not None:
            enough &= (view.gpu_memory_free_mib[slot] >= wanted_mib) | (wanted_mib == 0)
        result &= np.bitwise_count(_bits(enough)) >= self.gpu_count
        return np.asarray(result)
