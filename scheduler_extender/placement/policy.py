"""What baselines share: one published score, negated into a total that the lowest node wins.

A baseline only writes its score down; feasibility, reasons and explanations are the same for all.
This module must not know any particular policy.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING

import numpy as np

from gpu_fleet.protocols import AmongEquals
from gpu_fleet.refusals import Refusal
from gpu_fleet.scores import INFEASIBLE, Score, Scores, TermLoss
from scheduler_extender.placement.feasibility import fits, open_list, reasons

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from gpu_fleet.cluster_view import ClusterView

__all__ = ["Baseline", "first_free_devices", "tightest_device"]


class Baseline(ABC):
    """A policy with a single integer score, the highest of which was meant to win."""

    name: str
    among_equals = AmongEquals.HOST

    def version(self, view: ClusterView) -> int:  # noqa: ARG002 - a baseline looks at columns only
        """See `PlacementPolicy.version`."""
        return 0

    @abstractmethod
    def points(
        self, view: ClusterView, shape_id: int, columns: NDArray[np.int64]
    ) -> NDArray[np.int64]:
        """The published score of each column, the highest is best; any number where none fits."""

    def totals(
        self, view: ClusterView, shape_id: int, columns: NDArray[np.int64]
    ) -> NDArray[np.int64]:
        """See `PlacementPolicy.totals`."""
        can = fits(view, shape_id, columns)
        return np.where(can, -self.points(view, shape_id, columns), INFEASIBLE)

    def evaluate(self, view: ClusterView, shape_id: int, columns: NDArray[np.int64]) -> Scores:
        """See `PlacementPolicy.evaluate`."""
        why = reasons(view, shape_id, columns)
        total = self.totals(view, shape_id, columns)
        terms = np.where(why == Refusal.NONE, total, 0)[np.newaxis]
        return Scores(columns, why, (self.name,), terms, total)

    def explain(
        self, view: ClusterView, shape_id: int, columns: NDArray[np.int64]
    ) -> tuple[Score, ...]:
        """See `PlacementPolicy.explain`."""
        scores = self.evaluate(view, shape_id, columns)
        return tuple(
            Score(
                view.node(slot).name,
                Refusal(why),
                total,
                (TermLoss(self.name, loss, f"{-loss} points"),),
            )
            for slot, why, total, loss in zip(
                columns.tolist(),
                scores.reasons.tolist(),
                scores.total.tolist(),
                scores.terms[0].tolist(),
                strict=True,
            )
        )

    def devices(
        self,
        view: ClusterView,
        shape_id: int,
        slot: int,
        draw: int,  # noqa: ARG002 - only policies that choose at random need it
    ) -> tuple[int, ...]:
        """The tightest fit for a part of a GPU, the first free for whole ones."""
        shape = view.shapes[shape_id]
        if shape.gpu_count == 0:
            return ()
        if shape.gpu_count == 1:
            return (tightest_device(view, shape_id, slot),)
        return first_free_devices(view, shape_id, slot)


def tightest_device(view: ClusterView, shape_id: int, slot: int) -> int:
    """Of the devices with enough free, the one with the least; the first of equals."""
    return min(open_list(view, shape_id, slot))[1]


def first_free_devices(view: ClusterView, shape_id: int, slot: int) -> tuple[int, ...]:
    """As many devices as the pod asks for, the first that have enough free."""
    count = int(view.shapes.gpu_count[shape_id])
    return tuple(device for _, device in open_list(view, shape_id, slot)[:count])
