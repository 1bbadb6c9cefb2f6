"""Why a shape of pods fits nowhere: the reason that most nodes give.

In a full fleet pods are refused by the thousand, and each refusal asks every node. Few nodes change
between two refusals of one shape, so the others are taken at their last word.
This module must not decide whether a pod fits, and its fleet must not gain or lose nodes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from gpu_fleet.refusals import Refusal
from scheduler_extender.placement.feasibility import reasons

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from gpu_fleet.cluster_view import ClusterView

__all__ = ["MainReasons"]


class MainReasons:
    """The nodes' reasons by shape, each true as of some version of the view."""

    def __init__(self, view: ClusterView) -> None:
        self._view = view
        self._live = view.live_slots()
        self._told: dict[int, tuple[NDArray[np.uint8], int]] = {}

    def of(self, shape_id: int) -> str:
        """The phrase of the reason that most nodes give now; the lower number of equals."""
        counts = np.bincount(self._reasons(shape_id)[self._live])
        return Refusal(int(counts.argmax())).phrase

    def _reasons(self, shape_id: int) -> NDArray[np.uint8]:
        view = self._view
        told, change = self._told.get(shape_id, (None, 0))
        changed = None if told is None else view.changes_since(change)
        if told is None or changed is None or len(changed) > view.slots:
            told = reasons(view, shape_id, np.arange(view.slots))
        elif len(changed):
            told[changed] = reasons(view, shape_id, changed)
        self._told[shape_id] = told, view.changes
        return told
