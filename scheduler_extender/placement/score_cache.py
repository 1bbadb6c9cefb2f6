"""Totals by shape and node, kept true by refreshing only the columns that changed.

A placement changes one node, and pods come in few shapes, so almost every total is still right from
the last time. A row is brought up to date when its shape is asked for; rows of shapes that were not
asked for lately are dropped. Equal to scoring everything afresh: a property test compares them.
This module must not choose a node.
"""

from __future__ import annotations

from collections import OrderedDict
from typing import TYPE_CHECKING

import numpy as np

from gpu_fleet.scores import INFEASIBLE

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from gpu_fleet.cluster_view import ClusterView
    from gpu_fleet.protocols import PlacementPolicy

__all__ = ["ScoreCache"]

_MAX_SHAPES = 1_024
"""Rows kept: 1,024 x 5,000 nodes x 8 bytes = 41 MB. openb has 151 shapes."""


class _Row:
    __slots__ = ("change", "totals")

    def __init__(self, totals: NDArray[np.int64], change: int) -> None:
        self.totals = totals
        self.change = change


class ScoreCache:
    """The totals of one policy over one view."""

    def __init__(
        self, policy: PlacementPolicy, view: ClusterView, max_shapes: int = _MAX_SHAPES
    ) -> None:
        self._policy = policy
        self._view = view
        self._max_shapes = max_shapes
        self._rows: OrderedDict[int, _Row] = OrderedDict()
        self._version = policy.version(view)

    def totals(self, shape_id: int) -> NDArray[np.int64]:
        """The total of every slot, true now; do not keep or change it."""
        view = self._view
        version = self._policy.version(view)
        if version != self._version:
            self._rows.clear()
            self._version = version
        row = self._rows.get(shape_id)
        if row is None or len(row.totals) < view.slots:
            return self._fill(shape_id)
        self._rows.move_to_end(shape_id)
        if row.change != view.changes:
            changed = view.changes_since(row.change)
            if changed is None or len(changed) > view.slots:
                return self._fill(shape_id)
            row.totals[changed] = self._policy.totals(view, shape_id, changed)
            row.change = view.changes
        return row.totals[: view.slots]

    def _fill(self, shape_id: int) -> NDArray[np.int64]:
        view = self._view
        totals = np.full(view.capacity, INFEASIBLE, np.int64)
        change = view.changes
        totals[: view.slots] = self._policy.totals(view, shape_id, np.arange(view.slots))
        self._rows[shape_id] = _Row(totals, change)
        self._rows.move_to_end(shape_id)
        while len(self._rows) > self._max_shapes:
            self._rows.popitem(last=False)
        return totals[: view.slots]
