"""`random`: any node that fits, each as likely as another: the floor for every other policy.

It must not look at anything but feasibility.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from gpu_fleet.protocols import AmongEquals
from scheduler_extender.placement.feasibility import open_list
from scheduler_extender.placement.policy import Baseline

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from gpu_fleet.cluster_view import ClusterView

__all__ = ["RandomChoice"]


class RandomChoice(Baseline):
    """All nodes are equal, and equals are always drawn, also under a fixed tie-break."""

    name = "random"
    among_equals = AmongEquals.DRAW

    def points(
        self,
        view: ClusterView,  # noqa: ARG002 - it looks at nothing
        shape_id: int,  # noqa: ARG002
        columns: NDArray[np.int64],
    ) -> NDArray[np.int64]:
        """No preference."""
        return np.zeros(len(columns), np.int64)

    def devices(self, view: ClusterView, shape_id: int, slot: int, draw: int) -> tuple[int, ...]:
        """A part of a GPU goes to any device that has it; whole GPUs as everywhere."""
        if not view.shapes[shape_id].is_share:
            return super().devices(view, shape_id, slot, draw)
        fits = open_list(view, shape_id, slot)
        return (fits[draw % len(fits)][1],)
