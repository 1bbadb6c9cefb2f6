"""Where the GPU-seconds go that placements lose, by term, for any policy in one currency.

A baseline has one score without a unit, so its own terms say nothing. Every policy's choices are
therefore valued by the terms of `least-loss` on the same mix. That tells where losses come from;
it is no contest, since the judge is a competitor: what counts is what was allocated, and who
waited. Of a node's devices the judge assumes the one that it would take itself.
This module must not choose anything.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from gpu_fleet.scores import MICRO
from scheduler_extender.placement.least_loss import LeastLoss

if TYPE_CHECKING:
    from gpu_fleet.cluster_view import ClusterView
    from scheduler_extender.placement.pod_mix import PodMix

__all__ = ["LossLedger"]


class LossLedger:
    """Adds up the losses of placements, told one by one before they take effect."""

    def __init__(self, view: ClusterView, mix: PodMix) -> None:
        self._view = view
        self._judge = LeastLoss(mix)
        self._totals = [0] * len(self._judge.terms)
        self._placed = 0

    def note(self, shape_id: int, slot: int) -> None:
        """A pod of this shape is about to take room on this node."""
        scores = self._judge.evaluate(self._view, shape_id, np.array([slot]))
        self._placed += 1
        for row, loss in enumerate(scores.terms[:, 0].tolist()):
            self._totals[row] += loss

    def restart(self) -> None:
        """Forget what was noted: the end of a warm-up."""
        self._totals = [0] * len(self._totals)
        self._placed = 0

    def by_term(self) -> tuple[tuple[str, float], ...]:
        """GPU-seconds lost for each placed pod, on average, by term; empty if none was placed."""
        if self._placed == 0:
            return ()
        return tuple(
            (term.name, total / MICRO / self._placed)
            for term, total in zip(self._judge.terms, self._totals, strict=True)
        )
