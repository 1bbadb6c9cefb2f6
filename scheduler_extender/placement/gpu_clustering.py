"""`gpu-clustering`: keep pods of one kind together (Gandiva, OSDI 2018, by the FGD study).

A node that holds only this kind scores 75, one that holds it among others 50, an empty one 25, all
others 0; fuller nodes get up to 25 more. Pods without GPUs have no preference.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from scheduler_extender.placement.best_fit import GPU_CAP_MILLI
from scheduler_extender.placement.policy import Baseline

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from gpu_fleet.cluster_view import ClusterView

__all__ = ["GpuClustering"]

_ONLY_THIS, _AMONG_OTHERS, _EMPTY = 75, 50, 25


class GpuClustering(Baseline):
    """Prefers nodes that run the same kind of GPU pod."""

    name = "gpu-clustering"

    def points(
        self, view: ClusterView, shape_id: int, columns: NDArray[np.int64]
    ) -> NDArray[np.int64]:
        """The points above."""
        tag = int(view.shapes.tag[shape_id])
        if tag == 0:
            return np.zeros(len(columns), np.int64)
        pods = view.tag_count.take(columns, axis=0)
        same = pods[:, tag]
        others = np.add.reduce(pods, axis=1) - pods[:, 0] > same
        alone = np.where(same > 0, _ONLY_THIS, _EMPTY)
        kind = np.where(others, np.where(same > 0, _AMONG_OTHERS, 0), alone)
        gpu_free = view.gpu_free_sum_milli.take(columns)
        return np.asarray(kind + 25 * (GPU_CAP_MILLI - gpu_free) // GPU_CAP_MILLI)
