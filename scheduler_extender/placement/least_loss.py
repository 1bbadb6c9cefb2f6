"""`least-loss`, our policy: place a pod where the fewest GPU-seconds are lost.

It adds up what its terms say, each in micro-GPU-seconds, and nothing else: no weights, no
normalising, no drawing. The fill order of `reserve` makes almost every total different and the
node's name decides what is left, so the best node is unique whatever the host does with equals.
docs/design/002-least-loss.md explains it to an operator.
This module must not contain a loss of its own.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from gpu_fleet import compiled
from gpu_fleet.protocols import AmongEquals
from gpu_fleet.refusals import Refusal
from gpu_fleet.scores import INFEASIBLE, Score, Scores, TermLoss
from scheduler_extender.placement.device_choice import DeviceChoice
from scheduler_extender.placement.feasibility import fits, reasons
from scheduler_extender.placement.kernels import least_loss_totals
from scheduler_extender.placement.terms.capability import Capability
from scheduler_extender.placement.terms.expectations import Expectations
from scheduler_extender.placement.terms.gang_room import GangRoom, GangRoomSettings
from scheduler_extender.placement.terms.locality import Locality
from scheduler_extender.placement.terms.reserve import Reserve
from scheduler_extender.placement.terms.specialisation import Specialisation
from scheduler_extender.placement.terms.stranding import RoomTable, Stranding, StrandingSettings

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from gpu_fleet.cluster_view import ClusterView
    from scheduler_extender.placement.pod_mix import PodMix
    from scheduler_extender.placement.terms.term import ScoreTerm

__all__ = ["LeastLoss", "LeastLossSettings"]


@dataclass(frozen=True, slots=True)
class LeastLossSettings:
    """The few numbers that are not facts; reasons and data: docs/design/002-least-loss.md."""

    stranding: StrandingSettings = StrandingSettings()
    gang_room: GangRoomSettings = GangRoomSettings()
    reserve_milli: int = 500
    """Thousandths of a GPU by which the last node of the fill order is dearer than the first."""


class LeastLoss:
    """The sum of the terms; the lowest total wins."""

    name = "least-loss"
    among_equals = AmongEquals.NAME

    def __init__(
        self,
        mix: PodMix,
        expect: Expectations | None = None,
        settings: LeastLossSettings | None = None,
        *,
        kernels: bool | None = None,
    ) -> None:
        self.settings = settings or LeastLossSettings()
        self._lessons = 0
        self._price = 0
        self._seat_prices: tuple[int, ...] = ()
        self._node_changes = -1
        self._expect = expect or Expectations(lifetimes_s=mix.lifetimes_s())
        self._compiled = compiled.is_available() if kernels is None else kernels
        table = RoomTable.of(mix, self.settings.stranding)
        self.choice = DeviceChoice(table.hole)
        self.stranding = Stranding(table, self.choice, self._expect)
        self.gang_room = GangRoom(mix, self.choice, self.settings.gang_room, self._expect)
        self.reserve = Reserve(self.settings.reserve_milli, self._expect)
        self.capability = Capability(mix, self._expect)
        self._asked: dict[int, tuple[ScoreTerm, ...]] = {}
        self._requests: dict[int, NDArray[np.int64]] = {}
        self._bound: ClusterView | None = None
        self.terms: tuple[ScoreTerm, ...] = (
            self.stranding,
            self.gang_room,
            self.reserve,
            Locality(self._expect),
            Specialisation(self._expect),
            self.capability,
        )

    def learn(self, mix: PodMix) -> None:
        """Go on with another pod mix; caches notice by the version."""
        self.stranding.table = RoomTable.of(mix, self.settings.stranding)
        self.choice.hole = self.stranding.table.hole
        self.gang_room.learn(mix)
        self.capability.learn(mix)
        self._forget()

    def replace_term(self, term: ScoreTerm) -> None:
        """Put another term in the place of the one with its name: a constant, or a user's own."""
        self.terms = tuple(term if old.name == term.name else old for old in self.terms)
        self._compiled = False
        self._forget()

    def version(self, view: ClusterView) -> int:
        """See `PlacementPolicy.version`: what was learned, and the prices of now."""
        price = self.gang_room.price(view)
        same_fleet = self._bound is view and self._node_changes == view.node_changes
        if price != self._price or not same_fleet:
            self._look(view, price)
        return self._lessons

    def totals(
        self, view: ClusterView, shape_id: int, columns: NDArray[np.int64]
    ) -> NDArray[np.int64]:
        """See `PlacementPolicy.totals`."""
        asked = self._asked_terms(view, shape_id)
        if self._compiled:
            total = self._compiled_totals(view, shape_id, columns)
            if not asked:
                return total
            can = total != INFEASIBLE
        else:
            can = fits(view, shape_id, columns)
            total = np.where(can, 0, INFEASIBLE)
        total[can] += sum(term.losses(view, shape_id, columns[can]) for term in asked)
        return total

    def evaluate(self, view: ClusterView, shape_id: int, columns: NDArray[np.int64]) -> Scores:
        """See `PlacementPolicy.evaluate`."""
        why = reasons(view, shape_id, columns)
        can = why == Refusal.NONE
        terms = np.zeros((len(self.terms), len(columns)), np.int64)
        for row, term in enumerate(self.terms):
            if term.applies(view, shape_id):
                terms[row, can] = term.losses(view, shape_id, columns[can])
        total = np.where(can, terms.sum(axis=0), INFEASIBLE)
        return Scores(columns, why, tuple(term.name for term in self.terms), terms, total)

    def explain(
        self, view: ClusterView, shape_id: int, columns: NDArray[np.int64]
    ) -> tuple[Score, ...]:
        """See `PlacementPolicy.explain`."""
        scores = self.evaluate(view, shape_id, columns)
        told = []
        for at, slot in enumerate(columns.tolist()):
            terms = tuple(
                TermLoss(term.name, loss, term.why(view, shape_id, slot))
                for term, loss in zip(self.terms, scores.terms[:, at].tolist(), strict=True)
            )
            why, total = Refusal(int(scores.reasons[at])), int(scores.total[at])
            told.append(Score(view.node(slot).name, why, total, terms))
        return tuple(told)

    def devices(
        self,
        view: ClusterView,
        shape_id: int,
        slot: int,
        draw: int,  # noqa: ARG002 - nothing is drawn here
    ) -> tuple[int, ...]:
        """See `PlacementPolicy.devices` and `DeviceChoice`."""
        return self.choice.devices(view, shape_id, slot)

    def _look(self, view: ClusterView, price: int) -> None:
        """Forget what was worked out if the view or a price is another one."""
        seats = self.capability.prices(view)
        if (view, price, seats) != (self._bound, self._price, self._seat_prices):
            self._bound, self._price, self._seat_prices = view, price, seats
            self._forget()
        self._node_changes = view.node_changes

    def _forget(self) -> None:
        """What was worked out for a shape may be wrong now; caches see the new version."""
        self._asked.clear()
        self._requests.clear()
        self._lessons += 1

    def _asked_terms(self, view: ClusterView, shape_id: int) -> tuple[ScoreTerm, ...]:
        """The terms that have something to say about a shape and are not in the kernel."""
        self.version(view)  # what is remembered must belong to this view and to the price now
        asked = self._asked.get(shape_id)
        if asked is None:
            in_kernel = (self.stranding, self.gang_room, self.reserve) if self._compiled else ()
            asked = tuple(
                term
                for term in self.terms
                if term not in in_kernel and term.applies(view, shape_id)
            )
            self._asked[shape_id] = asked
        return asked

    def _request(self, view: ClusterView, shape_id: int) -> NDArray[np.int64]:
        """What the kernel must know about a shape, worked out once."""
        request = self._requests.get(shape_id)
        if request is None or request[5] != view.device_width:
            shape, table = view.shapes[shape_id], self.stranding.table
            request = np.array(
                (
                    shape.cpu_milli,
                    shape.memory_mib,
                    shape.gpu_count,
                    shape.gpu_milli,
                    shape.gpu_memory_mib,
                    view.device_width,
                    self._expect.lifetime_s(shape),
                    self.reserve.weight_micro,
                    table.per_memory_mib,
                    self._price if shape.gpu_count and self.gang_room.gang else 0,
                    self.gang_room.gang.gpus if self.gang_room.gang else 1,
                ),
                np.int64,
            )
            self._requests[shape_id] = request
        return request

    def _compiled_totals(
        self, view: ClusterView, shape_id: int, columns: NDArray[np.int64]
    ) -> NDArray[np.int64]:
        out = np.empty(len(columns), np.int64)
        least_loss_totals.compiled(
            columns,
            self._request(view, shape_id),
            view.refusals[view.shapes.admission_id[shape_id]],
            self.stranding.table.hole,
            view.cpu_total_milli,
            view.device_count,
            view.cpu_free_milli,
            view.memory_free_mib,
            view.gpu_free_milli,
            view.gpu_memory_free_mib,
            view.order_key,
            self.gang_room.could_be_hosts(view),
            self.stranding.table.per_cpu_milli,
            out,
        )
        return out
