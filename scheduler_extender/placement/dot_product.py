"""`dot-prod`: the node whose free amounts point least the way the request does (FGD study).

Published score: int(100 * (1 - (cpu_free * cpu_asked / 128**2 + gpu_free * gpu_asked / 8**2) / 2)).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from scheduler_extender.placement.best_fit import CPU_CAP_MILLI, GPU_CAP_MILLI
from scheduler_extender.placement.policy import Baseline

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from gpu_fleet.cluster_view import ClusterView

__all__ = ["DotProduct"]

_GPU_SCALE = (CPU_CAP_MILLI // GPU_CAP_MILLI) ** 2
_WHOLE = 2 * CPU_CAP_MILLI**2


class DotProduct(Baseline):
    """Prefers the lowest dot product of free and requested amounts."""

    name = "dot-prod"

    def points(
        self, view: ClusterView, shape_id: int, columns: NDArray[np.int64]
    ) -> NDArray[np.int64]:
        """100 * (1 - half the dot product of shares), truncated to whole points."""
        shape = view.shapes[shape_id]
        gpu_free = view.gpu_free_sum_milli.take(columns)
        product = (
            view.cpu_free_milli.take(columns) * shape.cpu_milli
            + gpu_free * shape.total_gpu_milli * _GPU_SCALE
        )
        return np.asarray((_WHOLE - product) * 100 // _WHOLE)
