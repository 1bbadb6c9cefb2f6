"""A limit on how long one term of a policy may take in one call.

A term of the user's own, or one that meets a fleet it was not made for, must not make a scheduler
wait: past its budget it is left out of that call, for all nodes alike, and counted.
The clock is passed in. This module must not know what any term computes, and terms that are part of
a compiled kernel are left alone, since they cost nothing worth measuring.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from gpu_fleet.cluster_view import ClusterView
    from scheduler_extender.placement.least_loss import LeastLoss
    from scheduler_extender.placement.terms.term import ScoreTerm

__all__ = ["TermBudget"]


class TermBudget:
    """Measures the terms of one policy and says which were over their budget."""

    def __init__(self, clock_ns: Callable[[], int], budget_ns: int) -> None:
        self._clock_ns = clock_ns
        self.budget_ns = budget_ns
        self.left_out: Counter[str] = Counter()
        """How often each term was left out of a call."""
        self.muted: frozenset[str] = frozenset()
        """Terms that say nothing now."""
        self._over: set[str] = set()

    def watch(self, policy: LeastLoss) -> None:
        """Measure this policy's terms from now on; before it is first asked."""
        in_kernel = (policy.stranding, policy.gang_room, policy.reserve)
        policy.terms = tuple(
            term if term in in_kernel else _Measured(term, self) for term in policy.terms
        )

    def take_over(self) -> frozenset[str]:
        """The terms that were over their budget since this was last asked."""
        over, self._over = frozenset(self._over), set()
        return over

    def losses(
        self, term: ScoreTerm, view: ClusterView, shape_id: int, columns: NDArray[np.int64]
    ) -> NDArray[np.int64]:
        """What the term says, unless it is muted."""
        if term.name in self.muted:
            return np.zeros(len(columns), np.int64)
        begun_ns = self._clock_ns()
        losses = term.losses(view, shape_id, columns)
        if self._clock_ns() - begun_ns > self.budget_ns:
            self._over.add(term.name)
        return losses


class _Measured:
    """A term that is timed."""

    __slots__ = ("_budget", "_term")

    def __init__(self, term: ScoreTerm, budget: TermBudget) -> None:
        self._term = term
        self._budget = budget

    @property
    def name(self) -> str:
        """See `ScoreTerm.name`."""
        return self._term.name

    def applies(self, view: ClusterView, shape_id: int) -> bool:
        """See `ScoreTerm.applies`."""
        return self._term.applies(view, shape_id)

    def losses(
        self, view: ClusterView, shape_id: int, columns: NDArray[np.int64]
    ) -> NDArray[np.int64]:
        """See `ScoreTerm.losses`."""
        return self._budget.losses(self._term, view, shape_id, columns)

    def why(self, view: ClusterView, shape_id: int, slot: int) -> str:
        """See `ScoreTerm.why`."""
        return self._term.why(view, shape_id, slot)
