"""Places one pod at a time: the same policy object, cache and choice that the extender uses.

Experiments differ in when pods come and go; this is the step that they share.
It must not know about time, and must not refuse a pod that fits.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from gpu_fleet.draws import draw, name_key
from gpu_fleet.protocols import AmongEquals
from scheduler_extender.placement.choice import TieBreak, choose
from scheduler_extender.placement.score_cache import ScoreCache

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from gpu_fleet.cluster_view import ClusterView
    from gpu_fleet.protocols import PlacementPolicy

__all__ = ["Decision", "Placer"]


@dataclass(frozen=True, slots=True)
class Decision:
    """Where a pod went, and the total that won."""

    slot: int
    devices: tuple[int, ...]
    score: int


class Placer:
    """One policy at work on one view."""

    def __init__(
        self,
        policy: PlacementPolicy,
        view: ClusterView,
        tie_break: TieBreak,
        seed: int,
        watch: Callable[[int, int], None] | None = None,
    ) -> None:
        """`watch` is told (shape, slot) of each placement just before it takes effect."""
        self._watch = watch
        self.policy = policy
        self.view = view
        self._cache = ScoreCache(policy, view)
        self._seed = seed
        self._by_name = policy.among_equals is AmongEquals.NAME
        self._order: NDArray[np.int64] | None = None
        if tie_break is TieBreak.FIXED and policy.among_equals is AmongEquals.HOST:
            self._order = _shuffled_order(view, seed)

    @property
    def name(self) -> str:
        """The policy's."""
        return self.policy.name

    def place(self, pod: str, shape_id: int, sequence: int) -> Decision | None:
        """Put a pod on the best node and say where, or None when no node can take it."""
        totals = self._cache.totals(shape_id)
        order = self.view.order_key if self._by_name else self._order
        slot = choose(totals, order, self._seed, sequence)
        if slot is None:
            return None
        score = int(totals[slot])
        key = draw(self._seed, sequence)
        devices = self.policy.devices(self.view, shape_id, slot, key)
        if self._watch is not None:
            self._watch(shape_id, slot)
        self.view.place(pod, shape_id, slot, devices)
        return Decision(slot, devices, score)

    def fits(self, shape_id: int) -> bool:
        """Whether any node could take such a pod now."""
        return bool(self._cache.totals(shape_id).min(initial=_NOWHERE) < _NOWHERE)


_NOWHERE = np.iinfo(np.int64).max


def _shuffled_order(view: ClusterView, seed: int) -> NDArray[np.int64]:
    """One random order of the nodes for a run, by name: the FGD study's patched tie-break."""
    return np.array(
        [name_key(view.node(slot).name, salt=seed + 1) for slot in range(view.slots)], np.int64
    )
