"""Inside a node: which devices a pod takes.

A pod for part of a GPU goes where it destroys the least worth for the mix, the tightest of equals;
pods for whole GPUs take the first free ones, since whole GPUs are all worth the same.
This module must not compare nodes.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from gpu_fleet.nodes import WHOLE_GPU_MILLI
from scheduler_extender.placement.feasibility import open_devices, open_list
from scheduler_extender.placement.policy import first_free_devices

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from gpu_fleet.cluster_view import ClusterView

__all__ = ["DeviceChoice"]

_NEVER = -(1 << 40)


@dataclass(slots=True, eq=False)
class DeviceChoice:
    """The choice for one pod mix."""

    hole: NDArray[np.int64]
    """Worth of each free part in micro-GPU, by thousandths (`hole_value.hole_values`)."""

    def devices(self, view: ClusterView, shape_id: int, slot: int) -> tuple[int, ...]:
        """The devices of one node, in order."""
        shape = view.shapes[shape_id]
        if shape.gpu_count == 0:
            return ()
        if not shape.is_share:
            return first_free_devices(view, shape_id, slot)
        hole, milli = self.hole, shape.gpu_milli
        return (
            min(
                (int(hole[free] - hole[free - milli]), free, device)
                for free, device in open_list(view, shape_id, slot)
            )[2],
        )

    def worth_change(
        self, view: ClusterView, shape_id: int, columns: NDArray[np.int64]
    ) -> NDArray[np.int64]:
        """How the summed worth of each node's free parts would change, in micro-GPU: 0 or less."""
        count = int(view.shapes.gpu_count[shape_id])
        if count == 0:
            return np.zeros(len(columns), np.int64)
        change = self._by_device(view, shape_id, columns)[1]
        if count == 1:
            return np.asarray(change.max(axis=1))
        change.sort(axis=1)
        return np.asarray(change[:, -count:].sum(axis=1))

    def opened(
        self, view: ClusterView, shape_id: int, columns: NDArray[np.int64]
    ) -> NDArray[np.int64]:
        """How many wholly free GPUs of each node it would begin to use."""
        shape = view.shapes[shape_id]
        if shape.gpu_count == 0 or not shape.is_share:
            return np.full(len(columns), shape.gpu_count, np.int64)
        free, change = self._by_device(view, shape_id, columns)
        begun = np.where(free < WHOLE_GPU_MILLI, change, _NEVER).max(axis=1)
        return np.asarray(begun < change.max(axis=1), np.int64)

    def _by_device(
        self, view: ClusterView, shape_id: int, columns: NDArray[np.int64]
    ) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Free thousandths, and the change of worth, of each device; far below 0 where closed."""
        milli = int(view.shapes.gpu_milli[shape_id])
        free = view.gpu_free_milli.take(columns, axis=0)[:, : view.device_width]
        change = self.hole[np.maximum(0, free - milli)] - self.hole[free]
        change[~open_devices(view, shape_id, columns)] = _NEVER
        return free, change
