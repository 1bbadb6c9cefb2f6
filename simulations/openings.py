"""Where pods in line could start now: which node would take which shape, followed node by node.

A full fleet refuses the same shapes again and again. Every node is asked once when a shape joins
the line; after that a node is asked when a pod comes or goes there, so that a retry knows without a
look at the fleet whether it is in vain.
This module must not choose a node, and its fleet must not gain or lose nodes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from scheduler_extender.placement.feasibility import AskedShapes, fits

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from gpu_fleet.cluster_view import ClusterView

__all__ = ["Openings"]


class Openings:
    """Node by shape in line: whether it fits there. Tell it of all that changes on the view."""

    def __init__(self, view: ClusterView) -> None:
        self._view = view
        self._open: NDArray[np.bool_] = np.zeros((len(view.shapes), view.slots), np.bool_)
        self._shape_ids: NDArray[np.int64] | None = None
        self._asked = AskedShapes.of(view.shapes, np.zeros(0, np.int64))

    def join(self, shape_id: int) -> None:
        """Pods of this shape wait from now on."""
        self._open[shape_id] = fits(self._view, shape_id, np.arange(self._view.slots))

    def leave(self, shape_id: int) -> None:
        """The last pod of this shape in line has started."""
        self._open[shape_id] = False

    def somewhere(self, shape_id: int) -> bool:
        """Whether a node would take a pod of this shape, which is in line."""
        return bool(np.count_nonzero(self._open[shape_id]))

    def at(self, slot: int, shape_ids: NDArray[np.int64]) -> NDArray[np.bool_]:
        """Which of these shapes, all that are in line, a node would take."""
        return np.asarray(self._open[shape_ids, slot])

    def freed(self, slot: int, shape_ids: NDArray[np.int64]) -> NDArray[np.bool_]:
        """A pod left a node; which of these shapes, all that are in line, it would take now."""
        if shape_ids is not self._shape_ids:  # a new array means that somebody joined or left
            self._shape_ids = shape_ids
            self._asked = AskedShapes.of(self._view.shapes, shape_ids)
        now = self._asked.that_fit(self._view, slot)
        self._open[shape_ids, slot] = now
        return now

    def filled(self, slot: int, shape_ids: NDArray[np.int64]) -> None:
        """A pod started on a node: what did not fit there before does not fit now either."""
        if np.count_nonzero(self._open[:, slot]):
            self.freed(slot, shape_ids)
