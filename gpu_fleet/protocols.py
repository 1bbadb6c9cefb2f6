"""The seams between rooms: what a policy promises, whoever wrote it and wherever it runs.

The extender, the simulator and a what-if host the same object. This module must not implement any.
"""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from gpu_fleet.cluster_view import ClusterView
    from gpu_fleet.scores import Score, Scores

__all__ = ["AmongEquals", "PlacementPolicy"]


class AmongEquals(Enum):
    """Who decides between nodes with equal totals."""

    HOST = "host"
    """The host's own rule: kube-scheduler's draw, or an order."""
    DRAW = "draw"
    """A draw, whatever the host's rule is: `random` is nothing else."""
    NAME = "name"
    """The stable key of the node's name: the policy promises one best node."""


class PlacementPolicy(Protocol):
    """Says what each node would lose by taking a pod of a shape."""

    @property
    def name(self) -> str:
        """The name in the registry, on the command line and in reports."""
        ...

    @property
    def among_equals(self) -> AmongEquals:
        """What decides between nodes with equal totals."""
        ...

    def version(self, view: ClusterView) -> int:
        """Changes whenever totals may change though no column did; caches start afresh then."""
        ...

    def totals(
        self, view: ClusterView, shape_id: int, columns: NDArray[np.int64]
    ) -> NDArray[np.int64]:
        """The total of each column, `INFEASIBLE` where the shape does not fit. Lowest wins."""
        ...

    def evaluate(self, view: ClusterView, shape_id: int, columns: NDArray[np.int64]) -> Scores:
        """The same totals with their terms and reasons; for explaining, not for the hot path."""
        ...

    def explain(
        self, view: ClusterView, shape_id: int, columns: NDArray[np.int64]
    ) -> tuple[Score, ...]:
        """Each column's score as a value that explains itself."""
        ...

    def devices(self, view: ClusterView, shape_id: int, slot: int, draw: int) -> tuple[int, ...]:
        """The devices inside the node that this policy would give such a pod.

        `draw` is a 64-bit keyed draw for policies that choose at random.
        """
        ...
