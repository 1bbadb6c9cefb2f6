"""Why a task waits: everything is taken, or enough is free that nobody can use.

It exists so that a wait can be blamed on fragmentation only for as long as fragmentation was the
reason. This module must not place anything.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from gpu_fleet.refusals import Refusal

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gpu_fleet.cluster_view import ClusterView

__all__ = ["StrandedClock"]


class StrandedClock:
    """For each kind, how long enough GPU of its models was free, whether or not it could be used.

    It is only meant to be read as a difference between two moments of one task's wait.
    """

    def __init__(self, view: ClusterView, shape_ids: Sequence[int]) -> None:
        self._view = view
        rows = [int(view.shapes.admission_id[shape_id]) for shape_id in shape_ids]
        self._admitted = view.refusals[rows][:, : view.slots] == Refusal.NONE
        self._asked = np.array([view.shapes[shape_id].total_gpu_milli for shape_id in shape_ids])
        self._enough = np.zeros(len(shape_ids), np.bool_)
        self._stranded_ns = np.zeros(len(shape_ids), np.int64)
        self._since_ns = 0

    def read(self, kind: int) -> int:
        """The clock of a kind, in nanoseconds."""
        return int(self._stranded_ns[kind])

    def advance(self, now_ns: int) -> None:
        """Time went by with the fleet as it was looked at; call before anything changes."""
        self._stranded_ns += self._enough * (now_ns - self._since_ns)
        self._since_ns = now_ns

    def look(self) -> None:
        """The fleet changed: see anew for which kinds enough GPU is free, wherever it is."""
        free = self._view.gpu_free_milli[: self._view.slots].sum(axis=1)
        self._enough = (self._admitted * free).sum(axis=1) >= self._asked
