"""`gpu-packing`: use GPUs that are in use, then open GPUs of nodes in use, then open nodes.

From MLaaS in the wild (NSDI 2022), as scored in the FGD study: a pod that fits into used GPUs gets
100 less a tenth of the free percentages, at least 50; one that must open free GPUs of a used node
50 less the number opened, at least 33; an idle node 33 less its GPUs. Without GPUs: no preference.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from gpu_fleet.nodes import WHOLE_GPU_MILLI
from scheduler_extender.placement.policy import Baseline

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from gpu_fleet.cluster_view import ClusterView

__all__ = ["GpuPacking"]

_USED, _OPENED, _IDLE = 100, 50, 33


class GpuPacking(Baseline):
    """Prefers what is already in use."""

    name = "gpu-packing"

    def points(
        self, view: ClusterView, shape_id: int, columns: NDArray[np.int64]
    ) -> NDArray[np.int64]:
        """The points above."""
        shape = view.shapes[shape_id]
        if shape.gpu_count == 0:
            return np.zeros(len(columns), np.int64)
        width = view.device_width
        free = view.gpu_free_milli.take(columns, axis=0)[:, :width]
        present = view.gpu_total_milli.take(columns, axis=0)[:, :width] > 0
        gpus = np.add.reduce(present, axis=1, dtype=np.int64)
        whole = np.add.reduce(free == WHOLE_GPU_MILLI, axis=1, dtype=np.int64)
        in_use = np.where(present & (free < WHOLE_GPU_MILLI), free, 0)
        fits_used = np.add.reduce(in_use >= shape.gpu_milli, axis=1, dtype=np.int64)
        free_percent = np.add.reduce(in_use, axis=1) // 10
        opened = np.maximum(0, shape.gpu_count - fits_used)
        used = np.maximum(_USED - free_percent // 10, _OPENED)
        points = np.where(opened > 0, np.maximum(_OPENED - opened, _IDLE), used)
        return np.asarray(np.where(whole == gpus, _IDLE - gpus, points))
