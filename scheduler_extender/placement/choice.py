"""From totals to one node: the rules for equals, and the order that an extender may answer with.

kube-scheduler draws among equal scores, which costs FGD five points of GPU allocation (see
docs/design/002-least-loss.md), so an extender must answer with one best node. `rank_encode` does
that within the 0..10 of the wire. This module must not score.
"""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING

import numpy as np

from gpu_fleet.draws import draw_below
from gpu_fleet.scores import INFEASIBLE

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["MAX_EXTENDER_PRIORITY", "TieBreak", "best_first", "choose", "rank_encode"]

MAX_EXTENDER_PRIORITY = 10
"""k8s.io/kube-scheduler/extender/v1 MaxExtenderPriority."""


class TieBreak(Enum):
    """What decides between nodes with equal totals."""

    RANDOM = "random"
    """A fresh draw for each decision, as kube-scheduler's selectHost does."""
    FIXED = "fixed"
    """One order of all nodes for a whole run, as the FGD study patched it."""


def choose(
    totals: NDArray[np.int64], order: NDArray[np.int64] | None, seed: int, sequence: int
) -> int | None:
    """The slot with the lowest total, or None if no node can take the pod.

    Equals are decided by the lowest `order`, or, without an order, by a draw keyed by
    (seed, sequence).
    """
    if len(totals) == 0:
        return None
    best = int(totals.argmin())
    lowest = totals[best]
    if lowest == INFEASIBLE:
        return None
    ties = (totals == lowest).nonzero()[0]
    if len(ties) == 1:
        return best
    if order is not None:
        return int(ties[order[ties].argmin()])
    return int(ties[draw_below(seed, sequence, len(ties))])


def best_first(totals: NDArray[np.int64], order: NDArray[np.int64], most: int) -> NDArray[np.int64]:
    """The places of the `most` lowest totals, the lowest first; `order` decides between equals.

    Nodes that cannot take the pod are never among them.
    """
    near = np.arange(len(totals))
    if len(totals) > most:
        near = (totals <= np.partition(totals, most - 1)[most - 1]).nonzero()[0]
    ranked = near[np.lexsort((order[near], totals[near]))][:most]
    return np.asarray(ranked[totals[ranked] != INFEASIBLE])


def rank_encode(totals: NDArray[np.int64], order: NDArray[np.int64]) -> NDArray[np.int64]:
    """Scores 10, 9, .. 1 for the ten best nodes and 0 for all others: what an extender answers.

    There is a single 10, and the order is exact as far as it can matter: where one rank outweighs
    what else is scored, as in the shipped configurations, no node beyond the tenth can win.
    """
    scores = np.zeros(len(totals), np.int64)
    ranked = best_first(totals, order, MAX_EXTENDER_PRIORITY)
    scores[ranked] = MAX_EXTENDER_PRIORITY - np.arange(len(ranked))
    return scores
