"""Nodes that are better left for later: one fixed order in which the fleet fills up.

Of two nodes that lose about the same, the one that comes earlier in the order is taken, so that
whole nodes and every GPU model stay available at the end of the order. The order is a hash of the
node's name: no renaming, adding or removing of other nodes changes it, and no two nodes are equal,
so kube-scheduler's random choice among equals never happens. Without it the same policy loses up to
2.8 points where pods name GPU models (docs/design/002). This module must not look at what is free.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from gpu_fleet.nodes import WHOLE_GPU_MILLI
from gpu_fleet.scores import MICRO

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from gpu_fleet.cluster_view import ClusterView
    from scheduler_extender.placement.terms.expectations import Expectations

__all__ = ["ORDER_BITS", "Reserve"]

ORDER_BITS = 20
"""The order key's upper bits that are used: finer than a micro-GPU of difference between nodes."""
_SHIFT = 63 - ORDER_BITS


class Reserve:
    """The term: up to `weight_milli` thousandths of a GPU for the last node of the order."""

    name = "reserve"

    def __init__(self, weight_milli: int, expect: Expectations) -> None:
        self.weight_micro = weight_milli * MICRO // WHOLE_GPU_MILLI
        self._expect = expect

    def applies(self, view: ClusterView, shape_id: int) -> bool:  # noqa: ARG002 - part of the seam
        """Whether there is any weight on the order."""
        return self.weight_micro > 0

    def losses(
        self, view: ClusterView, shape_id: int, columns: NDArray[np.int64]
    ) -> NDArray[np.int64]:
        """See `ScoreTerm.losses`."""
        place = view.order_key[columns] >> _SHIFT
        lifetime_s = self._expect.lifetime_s(view.shapes[shape_id])
        return np.asarray((place * self.weight_micro >> ORDER_BITS) * lifetime_s)

    def why(self, view: ClusterView, shape_id: int, slot: int) -> str:  # noqa: ARG002
        """See `ScoreTerm.why`."""
        place = int(view.order_key[slot] >> _SHIFT) * 100 >> ORDER_BITS
        return f"taken from the reserve ({place} % along the fill order)"
