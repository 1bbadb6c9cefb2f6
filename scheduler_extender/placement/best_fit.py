"""`best-fit`: least CPU and GPU left after placing, as in the FGD study (USENIX ATC 2023).

Published score: int(100 * (1 - (cpu_left / 128 + gpu_left / 8) / 2)), then stretched to 0..100 over
the candidates; the stretching keeps the order, so it is left out here. Whole numbers throughout.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from scheduler_extender.placement.policy import Baseline

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from gpu_fleet.cluster_view import ClusterView

__all__ = ["CPU_CAP_MILLI", "GPU_CAP_MILLI", "BestFit"]

CPU_CAP_MILLI = 128_000
GPU_CAP_MILLI = 8_000
"""The study's caps: its largest node has 128 vCPU and 8 GPUs."""
_BOTH = 2 * CPU_CAP_MILLI
_CPU_PER_GPU = CPU_CAP_MILLI // GPU_CAP_MILLI
_PER_POINT = _BOTH // 100


class BestFit(Baseline):
    """Prefers the node on which the least is left over."""

    name = "best-fit"

    def points(
        self, view: ClusterView, shape_id: int, columns: NDArray[np.int64]
    ) -> NDArray[np.int64]:
        """100 * (1 - half the sum of both shares left), truncated to whole points."""
        shape = view.shapes[shape_id]
        asked = shape.cpu_milli + _CPU_PER_GPU * shape.total_gpu_milli
        free = view.gpu_free_sum_milli.take(columns) * _CPU_PER_GPU
        free += view.cpu_free_milli.take(columns)
        return np.asarray((_BOTH + asked - free) // _PER_POINT)
