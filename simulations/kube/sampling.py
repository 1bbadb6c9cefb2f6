"""How many nodes are looked at for a pod, in which order, and where the next pod starts.

A big cluster is not scored whole: the search stops once enough feasible nodes are found, and the
next search goes on where this one ended. This module must not know why a node is feasible.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from math import isqrt
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["Scan", "chunk_size", "enough_nodes", "scan"]

_ALWAYS_ALL = 100
"""Clusters below this many nodes are scored whole, and never are fewer than this looked for."""
_LEAST_PERCENT = 5


@dataclass(frozen=True, slots=True)
class Scan:
    """What one search found: places in the node list, in the order in which they were found."""

    found: NDArray[np.int64]
    processed: int
    """Nodes kept or refused; the one that showed that there were enough is not counted."""


def enough_nodes(nodes: int, percentage: int = 0) -> int:
    """Feasible nodes after which a search stops; a percentage of 0 adapts to the cluster."""
    if nodes < _ALWAYS_ALL:
        return nodes
    share = percentage or max(_LEAST_PERCENT, 50 - nodes // 125)
    return max(_ALWAYS_ALL, nodes * share // 100)


def chunk_size(nodes: int, parallelism: int) -> int:
    """Nodes that a worker takes at a time."""
    return max(1, min(isqrt(nodes), nodes // parallelism + 1))


def scan(feasible: NDArray[np.bool_], start: int, enough: int, parallelism: int = 1) -> Scan:
    """Search a node list, told for each place whether it is feasible.

    With one worker this is exactly what happens. With more, workers are taken to be equally fast,
    which is one of the orders that can happen; which one does is a race.
    """
    nodes = len(feasible)
    order = (_turns(nodes, parallelism) + start) % max(1, nodes)
    hits = np.flatnonzero(feasible[order])
    if len(hits) <= enough:
        return Scan(order[hits], nodes)
    return Scan(order[hits[:enough]], int(hits[enough]))


@lru_cache(maxsize=64)
def _turns(nodes: int, parallelism: int) -> NDArray[np.int64]:
    """Offsets from the start in the order in which equally fast workers look at them."""
    if parallelism == 1:
        return np.arange(nodes)
    chunk = chunk_size(nodes, parallelism)
    offset = np.arange(nodes)
    taken, within = np.divmod(offset, chunk)
    round_, worker = np.divmod(taken, parallelism)
    return np.lexsort((worker, within, round_))
