"""Nodes that are kept whole for the mix's largest pods, when such nodes run short.

A pod for eight GPUs waits for a whole free node, and where pods come and go every node is a little
broken unless somebody minds. So beginning a GPU of a node that is nearly empty is dearer than of
one that is nearly full: by `(free**2 - left**2) / k` GPUs, counting wholly free GPUs, for the
largest pods' `k`, since a node's chance to become a host grows with what is whole on it.
Only nodes that such a pod may use and would nearly fill are hosts: one with room for two of them is
seldom broken beyond use, and one with too few GPUs holds none.
That price is charged only as far as hosts are wanted: nothing while there are more of them than
gangs could come, all of it when a third is missing. Filling an empty fleet therefore costs
nothing, and a busy one keeps room by itself. What was tried instead: docs/design/002-least-loss.md.
This module must not look at the queue: what waits is not a fact of the fleet.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from gpu_fleet.admission import ANYWHERE
from gpu_fleet.nodes import WHOLE_GPU_MILLI
from gpu_fleet.refusals import Refusal

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from gpu_fleet.admission import Admission
    from gpu_fleet.cluster_view import ClusterView
    from scheduler_extender.placement.device_choice import DeviceChoice
    from scheduler_extender.placement.pod_mix import PodMix
    from scheduler_extender.placement.terms.expectations import Expectations

__all__ = ["Gang", "GangRoom", "GangRoomSettings", "price_permille"]

_STEP_PERMILLE = 250
"""The price moves in such steps, so that a change of it, which rescores every node, is rare."""
_SMALLEST_GANG = 2


@dataclass(frozen=True, slots=True)
class GangRoomSettings:
    """How many hosts are wanted. Chosen on openb default with seeds 52..61 (docs/design/002)."""

    full_price_permille: int = 2_000
    """Times `(free**2 - left**2) / k` GPUs, when hosts are as short as can be."""
    spread: int = 8
    """Hosts wanted beyond the mean number of gangs, in standard deviations of a Poisson count."""
    steepness: int = 3
    """The full price is reached when one in this many wanted hosts is missing."""


@dataclass(frozen=True, slots=True)
class Gang:
    """The largest pods of a mix: their GPUs, and their share of all GPU-time that it asks for."""

    gpus: int
    share_ppm: int
    admissions: tuple[Admission, ...] = (ANYWHERE,)
    """Where they may go; a host takes one of them."""

    def could_be_host(self, view: ClusterView, slot: int) -> bool:
        """Whether a gang would nearly fill this node if it were empty, and may use it."""
        if not self.gpus <= view.device_count[slot] < 2 * self.gpus:
            return False
        rows = (view.admission_row(admission) for admission in self.admissions)
        return any(view.refusals[row, slot] == Refusal.NONE for row in rows)

    @classmethod
    def of(cls, mix: PodMix) -> Gang | None:
        """The mix's pods with the most whole GPUs, or None if none takes two or more.

        None too where nobody knows how long pods stay: then nothing says how much of the fleet's
        time gangs take, or whether anything will ever depart and make room.
        """
        if any(entry.lifetime_s is None for entry in mix.classes):
            return None
        work: dict[int, int] = {0: 0}
        for entry in mix.classes:
            shape = entry.shape
            gpus = shape.gpu_count if shape.gpu_milli == WHOLE_GPU_MILLI else 0
            work[gpus] = work.get(gpus, 0) + entry.gpu_milli_seconds
        largest = max(work)
        if largest < _SMALLEST_GANG:
            return None
        admissions = dict.fromkeys(
            entry.shape.admission for entry in mix.classes if entry.shape.gpu_count == largest
        )
        share_ppm = work[largest] * 1_000_000 // sum(work.values())
        return cls(largest, share_ppm, tuple(admissions))


def price_permille(
    gang: Gang, settings: GangRoomSettings, fleet_gpus: int, hosts: int, running: int
) -> int:
    """How much of `(free**2 - left**2) / k` is charged, in thousandths.

    `hosts` are the nodes that could take a gang now, `running` the gangs that run. Wanted are hosts
    for all gangs that a full fleet would run, and for a spread above it, less those that run.
    """
    full_fleet = fleet_gpus * gang.share_ppm // (1_000_000 * gang.gpus)
    wanted = full_fleet + settings.spread * math.isqrt(full_fleet) - running
    if wanted <= hosts:
        return 0
    full = settings.full_price_permille
    charged = min(full, settings.steepness * full * (wanted - hosts) // wanted)
    return (charged + _STEP_PERMILLE // 2) // _STEP_PERMILLE * _STEP_PERMILLE


class GangRoom:
    """The term: `(free**2 - left**2) / k` GPUs, times the price, for as long as the pod stays."""

    name = "gang-room"

    def __init__(
        self,
        mix: PodMix,
        choice: DeviceChoice,
        settings: GangRoomSettings,
        expect: Expectations,
    ) -> None:
        self.choice = choice
        self._settings = settings
        self._expect = expect
        self._watch: _Watch | None = None
        self.gang = Gang.of(mix)

    def learn(self, mix: PodMix) -> None:
        """Go on with another mix."""
        self.gang = Gang.of(mix)
        self._watch = None

    def price(self, view: ClusterView) -> int:
        """The price now, in permille: a function of the view, followed change by change."""
        gang = self.gang
        if gang is None:
            return 0
        if self._watch is None or self._watch.view is not view:
            self._watch = _Watch(view, gang)
        watch = self._watch
        if watch.follow():
            watch.price = price_permille(
                gang, self._settings, watch.fleet_gpus, watch.hosts, watch.running
            )
        return watch.price

    def could_be_hosts(self, view: ClusterView) -> NDArray[np.bool_]:
        """By slot: whether a gang would nearly fill the node. Empty where nothing is charged."""
        if self.price(view) == 0 or self._watch is None:
            return np.zeros(0, np.bool_)
        return self._watch.could_be_host

    def applies(self, view: ClusterView, shape_id: int) -> bool:
        """Whether anything is charged now, and the pod takes GPU."""
        return bool(view.shapes.gpu_count[shape_id]) and self.price(view) > 0

    def losses(
        self, view: ClusterView, shape_id: int, columns: NDArray[np.int64]
    ) -> NDArray[np.int64]:
        """See `ScoreTerm.losses`."""
        shape, gang, price = view.shapes[shape_id], self.gang, self.price(view)
        if gang is None or price == 0:
            return np.zeros(len(columns), np.int64)
        devices = view.gpu_free_milli.take(columns, axis=0)[:, : view.device_width]
        free = (devices == WHOLE_GPU_MILLI).sum(axis=1)
        left = free - self.choice.opened(view, shape_id, columns)
        broken = (free * free - left * left) * (price * 1_000) // gang.gpus
        hosts = self.could_be_hosts(view)[columns]
        return np.where(hosts, broken * self._expect.lifetime_s(shape), 0)

    def why(self, view: ClusterView, shape_id: int, slot: int) -> str:  # noqa: ARG002
        """See `ScoreTerm.why`."""
        gpus = 0 if self.gang is None else self.gang.gpus
        return f"for room that pods with {gpus} GPUs need"


class _Watch:
    """Counts hosts and running gangs of one view, node by node as nodes change."""

    def __init__(self, view: ClusterView, gang: Gang) -> None:
        self.view = view
        self.price = 0
        self.hosts = self.running = self.fleet_gpus = 0
        self.could_be_host: NDArray[np.bool_] = np.zeros(0, np.bool_)
        self._gang = gang
        self._change = self._node_changes = -1
        self._is_host: NDArray[np.bool_] = np.zeros(0, np.bool_)
        self._gangs: NDArray[np.int64] = np.zeros(0, np.int64)
        self._gpus_of: NDArray[np.int64] = np.zeros(0, np.int64)

    def follow(self) -> bool:
        """Take in what changed since the last time; whether anything did."""
        view = self.view
        if self._change == view.changes:
            return False
        changed = view.changes_since(self._change) if self._change >= 0 else None
        if changed is None or len(changed) > view.slots or len(self._gangs) < view.slots:
            self.could_be_host = np.zeros(view.capacity, np.bool_)
            self._is_host = np.zeros(view.capacity, np.bool_)
            self._gangs = np.zeros(view.capacity, np.int64)
            self._gpus_of = np.zeros(view.capacity, np.int64)
            self.hosts = self.running = self.fleet_gpus = 0
            self._node_changes = -1
            changed = np.arange(view.slots)
        nodes_too = self._node_changes != view.node_changes
        for slot in changed.tolist():
            if nodes_too:
                self._take_in_node(slot)
            self._take_in_pods(slot)
        self._change, self._node_changes = view.changes, view.node_changes
        return True

    def _take_in_node(self, slot: int) -> None:
        gpus = int(self.view.device_count[slot])
        self.fleet_gpus += gpus - int(self._gpus_of[slot])
        self._gpus_of[slot] = gpus
        self.could_be_host[slot] = self._gang.could_be_host(self.view, slot)

    def _take_in_pods(self, slot: int) -> None:
        view, wanted = self.view, self._gang.gpus
        is_host = bool(self.could_be_host[slot]) and (
            view.gpu_free_milli[slot].tolist().count(WHOLE_GPU_MILLI) >= wanted
        )
        gangs = int(view.tag_count[slot, 1 + wanted])
        self.hosts += is_host - int(self._is_host[slot])
        self.running += gangs - int(self._gangs[slot])
        self._is_host[slot], self._gangs[slot] = is_host, gangs
