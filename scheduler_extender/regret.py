"""What another policy's choice would have cost, in our own currency.

On a sample of the calls the published baselines are asked about the same pod and the same nodes;
the difference to our best node, by our own total, is what was gained by not asking them. It is
never negative, because ours is the lowest, so what it shows is how much the choice mattered.
This module must not be on the path of an answer.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from gpu_fleet.scores import INFEASIBLE, MICRO
from scheduler_extender.placement.choice import choose

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np
    from numpy.typing import NDArray

    from gpu_fleet.cluster_view import ClusterView
    from gpu_fleet.protocols import PlacementPolicy

__all__ = ["Regret", "regrets"]

_STRANDING = "stranding"


@dataclass(frozen=True, slots=True)
class Regret:
    """One other policy's choice, weighed."""

    policy: str
    node: str
    same_node: bool
    gpu_seconds: float
    """What its node would have lost beyond ours."""
    stranded_gpu_seconds: float
    """The part of that which is GPU that nothing could have used; below 0 where ours strands more
    and gains it back elsewhere."""


def regrets(
    view: ClusterView,
    shape_id: int,
    slots: NDArray[np.int64],
    ours: PlacementPolicy,
    others: Sequence[PlacementPolicy],
) -> tuple[Regret, ...]:
    """For each other policy; empty where no node can take the pod."""
    scores = ours.evaluate(view, shape_id, slots)
    best = choose(scores.total, view.order_key[slots], 0, 0)
    if best is None:
        return ()
    stranded = scores.terms[scores.names.index(_STRANDING)] if _STRANDING in scores.names else None
    found = []
    for other in others:
        totals = other.totals(view, shape_id, slots)
        at = choose(totals, view.order_key[slots], 0, 0)
        if at is None or scores.total[at] == INFEASIBLE:
            continue
        lost = 0 if stranded is None else int(stranded[at] - stranded[best])
        found.append(
            Regret(
                other.name,
                view.node(int(slots[at])).name,
                at == best,
                int(scores.total[at] - scores.total[best]) / MICRO,
                lost / MICRO,
            )
        )
    return tuple(found)
