"""What kube-scheduler is told, as values: who stays and who does not, and in which order.

A filter answer keeps every feasible node, for the preference is in the score, and names each
refused one with a phrase that never varies. What kube-scheduler counts itself (CPU, memory, taints,
selectors, whole GPUs) it has counted already, perhaps a moment newer than we: such a node is left
to it, at the lowest score. What only we count is refused.
This module must not promise anything: the host does, by the answer it gives.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING

import numpy as np

from gpu_fleet.nodes import WHOLE_GPU_MILLI
from gpu_fleet.refusals import Refusal
from gpu_fleet.scores import INFEASIBLE
from scheduler_extender.accounting.assumption import Landing, room_beside
from scheduler_extender.placement.choice import rank_encode
from scheduler_extender.placement.feasibility import open_devices, reasons

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from gpu_fleet.cluster_view import ClusterView
    from gpu_fleet.pods import PodShape
    from scheduler_extender.accounting.assumption import Assumption
    from scheduler_extender.accounting.ledger import Ledger

__all__ = [
    "UNKNOWN_SLOT",
    "Asked",
    "Entry",
    "FilterAnswer",
    "PrioritizeAnswer",
    "filter_refusals",
    "prioritize_scores",
    "refuse_all",
]

UNKNOWN_SLOT = -1
"""In the place of the slot of a node that the view does not have."""

_SHARE_TAG = 1
"""The tag column that counts shares (`gpu_fleet.shapes`)."""
_NONE = int(Refusal.NONE)


def _marked(*refusals: Refusal) -> NDArray[np.bool_]:
    marks = np.zeros(len(Refusal), np.bool_)
    marks[list(refusals)] = True
    return marks


_FOR_THE_SCHEDULER = _marked(
    Refusal.CORDONED, Refusal.TAINT, Refusal.NODE_SELECTOR, Refusal.CPU, Refusal.MEMORY
)
"""What in-tree plugins decide; by the time we are asked they have."""


class Entry(Enum):
    """Which entry of the scheduler's configuration asks."""

    GUARD = "guard"
    """For what only we count: in doubt it refuses."""
    SCORER = "scorer"
    """For whole GPUs, which the scheduler counts itself: in doubt it lets pass."""


@dataclass(frozen=True, slots=True, eq=False)
class Asked:
    """The nodes of a request, looked up in the view."""

    names: tuple[str, ...]
    slots: NDArray[np.int64]
    """`UNKNOWN_SLOT` where the view has no such node."""
    order: NDArray[np.int64]
    """What decides between equals: the stable keys of the names."""
    membership: int
    """The ledger's when it was looked up."""
    complete: bool
    """The view has all of them."""


@dataclass(frozen=True, slots=True, eq=False)
class FilterAnswer:
    """Who stays: for each name a `Refusal`, `NONE` for those that do."""

    asked: Asked
    why: NDArray[np.uint8]
    age_ns: int | None
    """How old the view is; None if it was never whole."""
    stale: bool = False
    passed: str = ""
    """Why the pod was passed through unlooked at; empty if it was looked at."""

    @property
    def kept(self) -> NDArray[np.bool_]:
        """Which of the names stay."""
        return np.asarray(self.why == _NONE)

    def why_not(self) -> tuple[tuple[Refusal, int], ...]:
        """How many nodes were refused for each reason, the most frequent first."""
        counts = np.bincount(self.why, minlength=len(Refusal)).tolist()
        found = [(Refusal(at), many) for at, many in enumerate(counts) if many and at != _NONE]
        return tuple(sorted(found, key=lambda one: (-one[1], one[0])))


@dataclass(frozen=True, slots=True, eq=False)
class PrioritizeAnswer:
    """In which order: for each name a whole score from 0 to 10, a single 10 among them."""

    asked: Asked
    scores: NDArray[np.int64]
    best: int | None
    """The place of the 10 in the list of names; None where nothing was compared."""
    age_ns: int | None
    stale: bool = False
    passed: str = ""
    totals: NDArray[np.int64] | None = None
    """What was compared; None where nothing was."""


def refuse_all(asked: Asked, refusal: Refusal) -> NDArray[np.uint8]:
    """The same for every node."""
    return np.full(len(asked.names), refusal, np.uint8)


def filter_refusals(
    ledger: Ledger,
    shape_id: int,
    asked: Asked,
    totals: NDArray[np.int64],
    entry: Entry,
    flights: Sequence[Assumption],
) -> NDArray[np.uint8]:
    """For each name whether the pod may go there, as far as we have to say.

    `totals` are the policy's for the names; `flights` are the other pods under way.
    """
    view = ledger.view
    shape = view.shapes[shape_id]
    strict = shape.gpu_count > 0 and (entry is Entry.GUARD or shape.gpu_milli < WHOLE_GPU_MILLI)
    why = np.zeros(len(totals), np.uint8)
    known = asked.slots != UNKNOWN_SLOT
    if strict and not asked.complete:
        why[~known] = Refusal.NODE_UNKNOWN
    doubted = known & (totals == INFEASIBLE)
    if doubted.any():
        why[doubted] = _ours(view, shape_id, asked.slots[doubted], strict=strict)
    _doubt(ledger, asked, why, strict=strict)
    if flights and shape.gpu_count:
        _keep_room(view, shape, asked, why, flights, shares_only=not strict)
    return why


def prioritize_scores(totals: NDArray[np.int64], asked: Asked) -> NDArray[np.int64]:
    """0..10 with a single 10; nodes that are left to the scheduler come last."""
    if len(totals) and (totals == INFEASIBLE).all():
        return rank_encode(np.zeros(len(totals), np.int64), asked.order)
    return rank_encode(totals, asked.order)


def _ours(
    view: ClusterView, shape_id: int, columns: NDArray[np.int64], *, strict: bool
) -> NDArray[np.uint8]:
    """Why the policy cannot use these nodes, less what is the scheduler's to say."""
    why = reasons(view, shape_id, columns)
    left = _FOR_THE_SCHEDULER[why]
    if left.any():
        why[left] = _gpu_alone(view, shape_id, columns[left])
    if strict:
        return why
    # It has counted whole GPUs; but shares, which it cannot see, may sit on them.
    shared = view.tag_count[columns, _SHARE_TAG] > 0
    why[(why == Refusal.GPU_COUNT) | ((why == Refusal.GPU_FREE) & ~shared)] = _NONE
    return why


def _gpu_alone(view: ClusterView, shape_id: int, columns: NDArray[np.int64]) -> NDArray[np.uint8]:
    """What stands in the way but for CPU, memory, taints and selectors."""
    shape = view.shapes[shape_id]
    why = np.zeros(len(columns), np.uint8)
    if not shape.gpu_count:
        return why
    enough = open_devices(view, shape_id, columns).sum(axis=1) >= shape.gpu_count
    why[~enough] = Refusal.GPU_FREE
    if models := shape.admission.gpu_models:
        allowed = [number for number, model in enumerate(view.models) if model in models]
        why[~np.isin(view.model_id[columns], allowed)] = Refusal.GPU_MODEL
    return why


def _doubt(ledger: Ledger, asked: Asked, why: NDArray[np.uint8], *, strict: bool) -> None:
    """Refuse nodes of which the ledger says that it does not know."""
    doubts = ledger.doubts(asked.slots)
    if not doubts.any():
        return
    stands = doubts == Refusal.NODE_UNREADABLE
    if strict:
        stands |= doubts == Refusal.OVERCOMMITTED
    if not asked.complete:
        stands &= asked.slots != UNKNOWN_SLOT
    why[stands] = doubts[stands]


def _keep_room(
    view: ClusterView,
    shape: PodShape,
    asked: Asked,
    why: NDArray[np.uint8],
    flights: Sequence[Assumption],
    *,
    shares_only: bool,
) -> None:
    """Refuse nodes on which somebody may land whose share would be taken."""
    kept = ((why == _NONE) & (asked.slots != UNKNOWN_SLOT)).nonzero()[0]
    columns = asked.slots[kept]
    landing = Landing.of(view, flights, columns, shares_only=shares_only)
    if landing is not None:
        why[kept[~room_beside(view, shape, columns, landing)]] = Refusal.IN_FLIGHT
