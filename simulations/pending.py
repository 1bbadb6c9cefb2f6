"""Pods that fit nowhere, and when each is tried again: kube-scheduler's queues, by shape.

A pod that failed backs off, 1 s doubling to 10 s (pkg/scheduler/backend/queue, 1.37), and is tried
again when a departure comes after that; a departure within the back-off is remembered until it
ends. Pods of one shape are interchangeable, so they share one back-off and stand in one line, the
earliest first; a departure is an attempt for every shape that is not backing off, as it is in
kube-scheduler, whose hints do not ask whether the freed node is large enough.
This module must not choose a node.
"""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

import numpy as np

from gpu_fleet.clock import NS_PER_S

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["FIRST_BACKOFF_NS", "LONGEST_BACKOFF_NS", "Pending"]

FIRST_BACKOFF_NS = NS_PER_S
LONGEST_BACKOFF_NS = 10 * NS_PER_S
_BACKOFFS_NS = np.minimum(FIRST_BACKOFF_NS << np.arange(5), LONGEST_BACKOFF_NS)
"""By attempts in vain since the first: 1, 2, 4, 8, then 10 s."""
_LONGEST = len(_BACKOFFS_NS) - 1


class Pending:
    """Waiting pods, by the id of their shape. A pod is a number that the host understands."""

    def __init__(self, shapes: int) -> None:
        self._lines: list[deque[tuple[int, int]]] = [deque() for _ in range(shapes)]
        self._in_vain: NDArray[np.int64] = np.zeros(shapes, np.int64)
        """Attempts since the first, as far as they lengthen the back-off."""
        self._open_ns: NDArray[np.int64] = np.zeros(shapes, np.int64)
        self.waiting: NDArray[np.bool_] = np.zeros(shapes, np.bool_)
        """Which shapes have a pod in line."""
        self.count = 0
        self._shapes: NDArray[np.int64] | None = None

    def __len__(self) -> int:
        return self.count

    def add(self, shape_id: int, pod: int, now_ns: int) -> None:
        """A pod was tried for the first time and fits nowhere."""
        if not self.waiting[shape_id]:
            self.waiting[shape_id] = True
            self._shapes = None
            self._in_vain[shape_id] = 0
            self._open_ns[shape_id] = now_ns + FIRST_BACKOFF_NS
        self._lines[shape_id].append((now_ns, pod))
        self.count += 1

    def head(self, shape_id: int) -> int:
        """The pod of this shape that has waited longest."""
        return self._lines[shape_id][0][1]

    def take(self, shape_id: int) -> int:
        """Its turn has come: remove the pod that has waited longest."""
        _, pod = self._lines[shape_id].popleft()
        self.count -= 1
        if not self._lines[shape_id]:
            self.waiting[shape_id] = False
            self._shapes = None
        return pod

    def shapes(self) -> NDArray[np.int64]:
        """The shapes that have a pod in line, by id."""
        if self._shapes is None:
            self._shapes = self.waiting.nonzero()[0]
        return self._shapes

    def departure(self, fits: NDArray[np.bool_], now_ns: int) -> list[tuple[int, int]]:
        """A pod left a node that now takes those of `shapes()` for which `fits` is true.

        Shapes that are tried in vain back off anew. Returns (shape, time) of those that would fit
        but back off until then.
        """
        shapes = self.shapes()
        ready = self._open_ns[shapes] <= now_ns
        vain = shapes[ready & ~fits]
        if len(vain):
            in_vain = np.minimum(self._in_vain[vain] + 1, _LONGEST)
            self._in_vain[vain] = in_vain
            self._open_ns[vain] = now_ns + _BACKOFFS_NS[in_vain]
        later = shapes[fits & ~ready]
        return list(zip(later.tolist(), self._open_ns[later].tolist(), strict=True))

    def in_turn(self, fits: NDArray[np.bool_], now_ns: int) -> int | None:
        """The shape to try next of those that fit and do not back off: the longest wait first."""
        shapes = self.shapes()
        ready = shapes[fits & (self._open_ns[shapes] <= now_ns)]
        if len(ready) == 0:
            return None
        candidates: list[int] = ready.tolist()
        return min(candidates, key=lambda shape: self._lines[shape][0])

    def failed(self, shape_id: int, now_ns: int) -> None:
        """A pod of this shape was tried again and fits nowhere."""
        in_vain = min(int(self._in_vain[shape_id]) + 1, _LONGEST)
        self._in_vain[shape_id] = in_vain
        self._open_ns[shape_id] = now_ns + _BACKOFFS_NS[in_vain]

    def pods(self) -> list[tuple[int, int]]:
        """All that wait: (since, pod), by shape."""
        return [entry for line in self._lines for entry in line]
