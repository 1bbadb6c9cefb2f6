"""`least-allocated` and `most-allocated`: kube-scheduler's NodeResourcesFit score.

Integer arithmetic as in pkg/scheduler/framework/plugins/noderesources: for each resource
(allocatable - requested) * 100 / allocatable, or requested * 100 / allocatable, then the average.
Requested includes the pod. least-allocated is the Kubernetes default, over CPU and memory;
most-allocated is what its documentation sets for bin packing, with GPUs as a third resource.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from scheduler_extender.placement.policy import Baseline

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from gpu_fleet.cluster_view import ClusterView

__all__ = ["LeastAllocated", "MostAllocated"]

_MAX_SCORE = 100


class LeastAllocated(Baseline):
    """Spreads pods: the emptiest node by CPU and memory wins."""

    name = "least-allocated"

    def points(
        self, view: ClusterView, shape_id: int, columns: NDArray[np.int64]
    ) -> NDArray[np.int64]:
        """The mean of the free percentages of CPU and memory after placing."""
        shape = view.shapes[shape_id]
        cpu = _percent(
            view.cpu_free_milli.take(columns) - shape.cpu_milli, view.cpu_total_milli.take(columns)
        )
        memory_left = view.memory_free_mib.take(columns) - shape.memory_mib
        memory = _percent(memory_left, view.memory_total_mib.take(columns))
        return np.asarray((cpu + memory) // 2)


class MostAllocated(Baseline):
    """Packs pods: the fullest node by CPU, memory and GPU wins."""

    name = "most-allocated"

    def points(
        self, view: ClusterView, shape_id: int, columns: NDArray[np.int64]
    ) -> NDArray[np.int64]:
        """The mean of the used percentages after placing; GPU counts for pods that ask for it."""
        shape = view.shapes[shape_id]
        cpu_total = view.cpu_total_milli.take(columns)
        memory_total = view.memory_total_mib.take(columns)
        cpu = _percent(cpu_total - view.cpu_free_milli.take(columns) + shape.cpu_milli, cpu_total)
        memory = _percent(
            memory_total - view.memory_free_mib.take(columns) + shape.memory_mib, memory_total
        )
        if shape.gpu_count == 0:
            return np.asarray((cpu + memory) // 2)
        gpu_total = view.gpu_total_milli[columns].sum(axis=1)
        gpu_used = gpu_total - view.gpu_free_sum_milli.take(columns)
        gpu = _percent(gpu_used + shape.total_gpu_milli, gpu_total)
        return np.asarray((cpu + memory + gpu) // 3)


def _percent(part: NDArray[np.int64], whole: NDArray[np.int64]) -> NDArray[np.int64]:
    return np.asarray(np.maximum(0, part) * _MAX_SCORE // np.maximum(1, whole))
