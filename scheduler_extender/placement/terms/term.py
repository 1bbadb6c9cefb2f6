"""What a score term promises, so that terms can be added up and swapped.

Every term, also a user's own, runs through one contract suite in the tests.
This module must not hold a term.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from gpu_fleet.cluster_view import ClusterView

__all__ = ["ScoreTerm"]


class ScoreTerm(Protocol):
    """One kind of loss."""

    @property
    def name(self) -> str:
        """Its name in explanations, JSON and reports."""
        ...

    def applies(self, view: ClusterView, shape_id: int) -> bool:
        """Whether this term can tell nodes apart for such a pod; if not it is not asked."""
        ...

    def losses(
        self, view: ClusterView, shape_id: int, columns: NDArray[np.int64]
    ) -> NDArray[np.int64]:
        """Micro-GPU-seconds lost on each of these nodes, all of which can take the pod.

        A function of the column and the shape alone: the same for any order or subset of columns.
        """
        ...

    def why(self, view: ClusterView, shape_id: int, slot: int) -> str:
        """What the seconds are lost for, in words that follow a number."""
        ...
