"""Which of the best nodes wins.

kube-scheduler builds a binary heap of the candidates and takes its root. A node that an extender
named carries a random number beside its score, all others carry zero, so a tie is a draw among
named nodes and otherwise follows from the order in which the candidates were found.
This module must not know how scores came about.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["best", "heap_root"]


def best(totals: NDArray[np.int64]) -> NDArray[np.int64]:
    """The places of the highest total."""
    return np.flatnonzero(totals == totals.max())


def heap_root(places: NDArray[np.int64], candidates: int) -> int:
    """Of equally good places among so many candidates, the one that the heap's root comes from.

    A sift-down keeps a parent unless a child is better, and a left child unless the right one is,
    so the root is the first of them in pre-order (node, left subtree, right subtree).
    """
    return int(places[_pre_order_rank(candidates)[places].argmin()])


@lru_cache(maxsize=64)
def _pre_order_rank(candidates: int) -> NDArray[np.int64]:
    rank = np.empty(candidates, np.int64)
    stack, visited = [0], 0
    while stack:
        place = stack.pop()
        if place >= candidates:
            continue
        rank[place] = visited
        visited += 1
        stack += (2 * place + 2, 2 * place + 1)
    return rank
