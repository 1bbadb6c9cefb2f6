"""GPU-seconds that idle because a pod takes a whole GPU that is larger than it needs.

A pod that needs 14 GB and takes a whole 80 GB GPU leaves most of it unusable to anybody. Only whole
GPUs count: parts of a GPU leave the rest to others, which is what `stranding` prices.
Where the need or the device's memory is unknown nothing is claimed. Whether a pod fits at all is
`feasibility`'s answer. This module must not compare FLOPS: `specialisation` knows speeds.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from gpu_fleet.cluster_view import UNKNOWN_MIB
from gpu_fleet.nodes import WHOLE_GPU_MILLI

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from gpu_fleet.cluster_view import ClusterView
    from scheduler_extender.placement.terms.expectations import Expectations

__all__ = ["Capability"]


class Capability:
    """The term: the idle share of device memory, times the GPUs taken, times how long."""

    name = "capability"

    def __init__(self, expect: Expectations, idle_weight_permille: int = 250) -> None:
        self._expect = expect
        self._idle_weight_permille = idle_weight_permille

    def applies(self, view: ClusterView, shape_id: int) -> bool:
        """Whether the pod takes whole GPUs and says how much memory it needs."""
        shape = view.shapes[shape_id]
        whole = shape.gpu_count > 0 and shape.gpu_milli == WHOLE_GPU_MILLI
        return whole and shape.gpu_memory_mib > 0

    def losses(
        self, view: ClusterView, shape_id: int, columns: NDArray[np.int64]
    ) -> NDArray[np.int64]:
        """See `ScoreTerm.losses`."""
        shape = view.shapes[shape_id]
        memory = view.gpu_memory_total_mib[columns, : view.device_width].max(axis=1)
        idle_permille = 1_000 - shape.gpu_memory_mib * 1_000 // np.maximum(1, memory)
        idle_permille = np.where(memory == UNKNOWN_MIB, 0, np.maximum(0, idle_permille))
        idle = idle_permille * self._idle_weight_permille // 1_000
        return np.asarray(idle * (shape.total_gpu_milli * self._expect.lifetime_s(shape)))

    def why(self, view: ClusterView, shape_id: int, slot: int) -> str:
        """See `ScoreTerm.why`."""
        needs = view.shapes[shape_id].gpu_memory_mib
        return f"idle: needs {needs / 1024:.0f} GiB of a {view.node(slot).gpu_model}"
