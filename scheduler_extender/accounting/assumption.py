"""A promise under way: a pod that was answered about and is not seen bound yet.

kube-scheduler may bind it to any node that the filter answer named, most likely to the best one.
So it holds a seat on the best node, as if it were there, and on all others it may still land: a
share of a GPU is given only where it fits beside everything that may land there.
It ends when a watch shows the pod bound or gone, when the pod is asked about again, or by time.
This module must not know what watches are.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from gpu_fleet.nodes import WHOLE_GPU_MILLI

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import NDArray

    from gpu_fleet.cluster_view import ClusterView
    from gpu_fleet.pods import PodShape

__all__ = ["Assumption", "Landing", "room_beside"]


@dataclass(slots=True)
class Assumption:
    """One pod under way."""

    uid: str
    shape: PodShape
    made_ns: int
    may_land: NDArray[np.bool_] | None
    """By slot: the nodes that were named to the scheduler; None: any node (a former leader's)."""
    seat: str | None = None
    """The node on which it is counted."""

    def lands(self, columns: NDArray[np.int64]) -> NDArray[np.bool_]:
        """Which of these slots it may be bound to."""
        if self.may_land is None:
            return np.ones(len(columns), np.bool_)
        known = columns < len(self.may_land)
        return np.asarray(known & self.may_land[np.where(known, columns, 0)])

    def lands_on(self, slot: int) -> bool:
        """Whether it may be bound to this one."""
        return self.may_land is None or (slot < len(self.may_land) and bool(self.may_land[slot]))

    def land_on(self, slots: list[int]) -> None:
        """The same nodes have other slots from now on."""
        if self.may_land is not None:
            self.may_land = np.zeros(max(slots, default=-1) + 1, np.bool_)
            self.may_land[slots] = True


class Landing:
    """What may still land on each of some nodes, added up."""

    __slots__ = ("devices", "memory_most", "memory_sum", "milli_most", "milli_sum", "whole")

    def __init__(self, columns: int) -> None:
        self.devices = np.zeros(columns, np.int64)
        self.milli_sum = np.zeros(columns, np.int64)
        self.milli_most = np.zeros(columns, np.int64)
        self.memory_sum = np.zeros(columns, np.int64)
        self.memory_most = np.zeros(columns, np.int64)
        self.whole = np.zeros(columns, np.bool_)
        """Somebody among them wants more than one device, or a whole one."""

    def add(self, shape: PodShape, where: NDArray[np.bool_]) -> None:
        """One more pod that may land where `where` is true."""
        self.devices += where * shape.gpu_count
        self.milli_sum += where * shape.total_gpu_milli
        self.memory_sum += where * (shape.gpu_memory_mib * shape.gpu_count)
        np.maximum(self.milli_most, where * shape.gpu_milli, out=self.milli_most)
        np.maximum(self.memory_most, where * shape.gpu_memory_mib, out=self.memory_most)
        self.whole |= where & (shape.gpu_count > 1 or shape.gpu_milli >= WHOLE_GPU_MILLI)

    @classmethod
    def of(
        cls,
        view: ClusterView,
        assumptions: Iterable[Assumption],
        columns: NDArray[np.int64],
        *,
        shares_only: bool,
    ) -> Landing | None:
        """Those of these pods that are not counted on the node anyway; None if nothing may land."""
        landing = cls(len(columns))
        for one in assumptions:
            if shares_only and one.shape.gpu_milli >= WHOLE_GPU_MILLI:
                continue
            where = one.lands(columns)
            if one.seat is not None:
                where &= columns != view.slot(one.seat)
            landing.add(one.shape, where)
        return landing if landing.devices.any() else None


def room_beside(
    view: ClusterView, shape: PodShape, columns: NDArray[np.int64], landing: Landing
) -> NDArray[np.bool_]:
    """Whether the pod fits even if all that may land lands before it.

    Two proofs are tried, each enough by itself: all of them, being shares, together on one device;
    or each on devices of its own. More is refused than need be, and never less.
    """
    free = view.gpu_free_milli[columns][:, : view.device_width]
    memory = view.gpu_memory_free_mib[columns][:, : view.device_width]
    together = _enough(
        free,
        memory,
        landing.milli_sum + shape.total_gpu_milli,
        landing.memory_sum + shape.gpu_memory_mib * shape.gpu_count,
    ).any(axis=1)
    alone = shape.gpu_count > 1 or shape.gpu_milli >= WHOLE_GPU_MILLI
    apart = _enough(
        free,
        memory,
        np.maximum(landing.milli_most, shape.gpu_milli),
        np.maximum(landing.memory_most, shape.gpu_memory_mib),
    ).sum(axis=1)
    together &= ~landing.whole & (not alone)
    return np.asarray(
        together | (apart >= landing.devices + shape.gpu_count) | (landing.devices == 0)
    )


def _enough(
    free: NDArray[np.int64],
    memory: NDArray[np.int64],
    milli: NDArray[np.int64],
    memory_mib: NDArray[np.int64],
) -> NDArray[np.bool_]:
    wanted = memory_mib[:, np.newaxis]
    return np.asarray((free >= milli[:, np.newaxis]) & ((wanted == 0) | (memory >= wanted)))
