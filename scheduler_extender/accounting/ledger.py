"""What every node has given out, and who is believed about it: the one owner of the ClusterView.

Watches tell what is; our own answers add what is under way (`Assumption`). A pod that is seen bound
is never dropped, whatever else was believed: a node that has given out too much is marked and gives
no more shares until it is well again. Watch events may come late, twice or after a new list, and a
name may pass to another pod: versions and uids decide, and what is gone stays gone.
Time comes in as nanoseconds. This module must not answer a scheduler, and must not ask a cluster.
"""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from gpu_fleet.cluster_view import ClusterView
from gpu_fleet.nodes import MAX_DEVICES, Node
from gpu_fleet.pods import PodShape
from gpu_fleet.refusals import Refusal
from scheduler_extender.accounting.assumption import Assumption
from scheduler_extender.accounting.seating import gives_too_much, predicted_devices, seat_again
from scheduler_extender.objects.devices import resolve
from scheduler_extender.objects.observed import Unclear

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import NDArray

    from scheduler_extender.accounting.seating import DeviceChooser
    from scheduler_extender.objects.nodes import ObservedNode
    from scheduler_extender.objects.observed import ObservedPod

__all__ = ["Ledger", "LedgerCounts", "LedgerSettings"]

_S = 1_000_000_000
_REMEMBERED_DELETIONS = 16_384
"""Uids of pods that are gone, against late events: minutes of a busy cluster's deletions."""


@dataclass(frozen=True, slots=True)
class LedgerSettings:
    """How long to believe what nobody has confirmed."""

    assume_ns: int = 30 * _S
    """How long after an answer its pod may still be bound. Longer than kube-scheduler's binding
    cycle takes, which is seconds, unless a Permit plugin holds pods back: then set it to that
    plugin's timeout, for what is bound later may find its share given away."""
    takeover_ns: int = 2 * _S
    """How long a new leader gives no shares at all: pods that its watches have not shown yet may
    be under way by its predecessor's answers. Longer than watches lag."""


@dataclass(slots=True)
class LedgerCounts:
    """What happened, as totals that only grow; for metrics."""

    assumed: int = 0
    landed: int = 0
    """Assumed pods seen bound to the node that they were counted on."""
    elsewhere: int = 0
    """Assumed pods seen bound to another node."""
    expired: int = 0
    withdrawn: int = 0
    inherited: int = 0
    """Pods that may be under way by a former leader's answers."""
    confirmed: int = 0
    """Pods whose devices were told."""
    mispredicted: int = 0
    """Of those, pods that were predicted on other devices."""
    overcommitted: int = 0
    """Nodes that began to give out too much."""
    late: int = 0
    """Events that were older than what is known."""
    homeless: int = 0
    """Pods seen bound to a node that is not in the view (yet)."""


@dataclass(slots=True)
class _Machine:
    """What is known of a node besides its column."""

    version: int
    observed: ObservedNode | None
    problem: str = ""
    replicas_used: int = 0
    """Whole GPUs given out, where kube-scheduler counts more than the view has columns for."""

    @property
    def counted(self) -> int | None:
        """How many kube-scheduler counts, where that is more than the view has columns for."""
        return None if self.observed is None else self.observed.counted


@dataclass(slots=True)
class Ledger:
    """Facts in, a view and its doubts out."""

    chooser: DeviceChooser
    settings: LedgerSettings = field(default_factory=LedgerSettings)
    view: ClusterView = field(default_factory=ClusterView)
    counts: LedgerCounts = field(default_factory=LedgerCounts)
    membership: int = 0
    """Changes when a node comes or goes: slots of names are to be looked up again."""
    _doubts: NDArray[np.uint8] = field(default_factory=lambda: np.zeros(64, np.uint8))
    _epoch: int = 0
    _machines: dict[str, _Machine] = field(default_factory=dict)
    _pods: dict[str, ObservedPod] = field(default_factory=dict)
    _uids: dict[str, str] = field(default_factory=dict)
    _bound: dict[str, dict[str, None]] = field(default_factory=dict)
    """Uids by the node they are bound to, also where that node is not in the view."""
    _confirmed: set[str] = field(default_factory=set)
    _flights: dict[str, Assumption] = field(default_factory=dict)
    _gone: OrderedDict[str, int] = field(default_factory=OrderedDict)
    _gone_nodes: OrderedDict[str, int] = field(default_factory=OrderedDict)
    _pods_listed: int = 0
    """The version of the latest list: what it lacked and is no newer is gone."""
    _nodes_listed: int = 0
    _silent_until_ns: int | None = None

    # -- what an answer asks -------------------------------------------------------------------

    @property
    def version(self) -> int:
        """Changes with anything that an answer depends on, but for time passing."""
        return self.view.changes + self._epoch

    def doubts(self, slots: NDArray[np.int64]) -> NDArray[np.uint8]:
        """For each slot the `Refusal` that stands against shares there, whatever their size."""
        return self._doubts[slots]

    def flights(self, uid: str) -> list[Assumption]:
        """All that is under way but this pod."""
        return [flight for other, flight in self._flights.items() if other != uid]

    def assumption(self, uid: str) -> Assumption | None:
        """What is under way for this pod."""
        return self._flights.get(uid)

    def pod(self, uid: str) -> ObservedPod | None:
        """The pod as the watches show it; None if they do not."""
        return self._pods.get(uid)

    def pods(self) -> list[ObservedPod]:
        """All pods that the watches show and that have not ended."""
        return list(self._pods.values())

    def pending(self) -> list[ObservedPod]:
        """Pods that wait for a node."""
        return [pod for pod in self._pods.values() if pod.node is None]

    def problem(self, node: str) -> str:
        """Why a node cannot be read, for a person; empty where it can."""
        machine = self._machines.get(node)
        return "" if machine is None else machine.problem

    def is_silent(self, now_ns: int) -> bool:
        """Whether this is the time just after a takeover, in which no shares are given."""
        return self._silent_until_ns is not None and now_ns < self._silent_until_ns

    def overcommitted(self) -> list[str]:
        """Nodes that give out more than they have."""
        slots = np.flatnonzero(self._doubts[: self.view.slots] == Refusal.OVERCOMMITTED)
        return [self.view.node(int(slot)).name for slot in slots]

    # -- what is under way ---------------------------------------------------------------------

    def promise(self, uid: str, shape: PodShape, may_land: NDArray[np.bool_], now_ns: int) -> None:
        """The pod may from now on be bound to any of these slots."""
        known = self._pods.get(uid)
        if uid in self._gone or (known is not None and known.node is not None):
            return
        self.withdraw(uid)
        self._flights[uid] = Assumption(uid, shape, now_ns, may_land)
        self.counts.assumed += 1
        self._epoch += 1

    def assume(self, uid: str, node: str) -> None:
        """Count a promised pod on the node where it will most likely go."""
        flight = self._flights.get(uid)
        if flight is None or flight.seat == node:
            return
        self._unseat(uid)
        flight.seat = node
        self._seat(uid, flight.shape, node)
        self._judge(node)
        self._epoch += 1

    def lift(self, uid: str) -> None:
        """Count an assumed pod nowhere for now; it may still land where it was promised."""
        flight = self._flights.get(uid)
        if flight is None or flight.seat is None:
            return
        node, flight.seat = flight.seat, None
        self._unseat(uid)
        self._judge(node)
        self._epoch += 1

    def withdraw(self, uid: str) -> None:
        """The pod is asked about again: what was promised for it before is void."""
        if self._end_flight(uid):
            self.counts.withdrawn += 1

    def expire(self, now_ns: int) -> int:
        """End what was promised too long ago; returns how many that were."""
        over = []
        for uid, flight in self._flights.items():  # in the order in which they were made
            if now_ns - flight.made_ns < self.settings.assume_ns:
                break
            over.append(uid)
        for uid in over:
            self._end_flight(uid)
        self.counts.expired += len(over)
        return len(over)

    def take_over(self, now_ns: int) -> None:
        """Begin to answer in the place of somebody whose promises nobody told.

        Every pod that waits may be under way to any node; it is until it is asked about again, is
        seen bound or its time is over.
        """
        self._silent_until_ns = now_ns + self.settings.takeover_ns
        for pod in self.pending():
            self._inherit(pod, now_ns)

    def step_down(self) -> None:
        """Answer no more: what was promised is for the next leader to find out."""
        for uid in list(self._flights):
            self._end_flight(uid)
        self._silent_until_ns = None

    def _inherit(self, pod: ObservedPod, now_ns: int) -> None:
        if isinstance(pod.shape, Unclear) or not pod.shape.gpu_count or pod.uid in self._flights:
            return
        self._flights[pod.uid] = Assumption(pod.uid, pod.shape, now_ns, None)
        self.counts.inherited += 1
        self._epoch += 1

    def _end_flight(self, uid: str) -> bool:
        flight = self._flights.get(uid)
        if flight is None:
            return False
        self._unseat(uid)
        del self._flights[uid]
        self._epoch += 1
        if flight.seat is not None:
            self._judge(flight.seat)
        return True

    # -- pods ----------------------------------------------------------------------------------

    def pod_seen(self, pod: ObservedPod, now_ns: int) -> None:
        """A watch or a list shows this version of a pod."""
        if not self._is_news(pod):
            return
        if pod.finished:
            self._forget(pod.uid, pod.version)
            return
        before = self._pods.get(pod.uid)
        self._pods[pod.uid] = pod
        self._uids[pod.name] = pod.uid
        if pod.node is not None:
            self._bind(pod, before)
        elif self.is_silent(now_ns) and before is None:
            self._inherit(pod, now_ns)

    def pod_gone(self, uid: str, version: int = 0) -> None:
        """A watch shows that the pod was deleted."""
        known = self._pods.get(uid)
        if known is not None and 0 < version < known.version:
            self.counts.late += 1
            return
        self._forget(uid, version)

    def replace_pods(self, pods: Iterable[ObservedPod], version: int, now_ns: int) -> None:
        """A new list: what it lacks is gone, unless it was seen in a later version."""
        listed = list(pods)
        self._pods_listed = 0
        there = {pod.uid for pod in listed}
        for uid, known in list(self._pods.items()):
            if uid not in there and (known.version <= version or not version):
                self._forget(uid, version)
        for pod in listed:
            self.pod_seen(pod, now_ns)
        self._pods_listed = version

    def _is_news(self, pod: ObservedPod) -> bool:
        if pod.finished and pod.uid in self._gone:
            return False  # it ended before; now its object changes or is seen again
        known = self._pods.get(pod.uid)
        holder = self._pods.get(self._uids.get(pod.name, ""))
        is_late = (
            pod.uid in self._gone
            or (known is None and 0 < pod.version <= self._pods_listed)
            or (known is not None and 0 < pod.version < known.version)
            or (holder is not None and holder.uid != pod.uid and 0 < pod.version < holder.version)
        )
        if is_late:
            self.counts.late += 1
            return False
        if holder is not None and holder.uid != pod.uid:
            self._forget(holder.uid, holder.version)  # its name is taken, so its end was missed
        return known != pod

    def _bind(self, pod: ObservedPod, before: ObservedPod | None) -> None:
        node = str(pod.node)
        if before is not None and before.node is not None:
            if (before.node, before.shape, before.told) == (pod.node, pod.shape, pod.told):
                return
            self._bound[before.node].pop(pod.uid, None)
        flight = self._flights.pop(pod.uid, None)
        if flight is not None:
            self._epoch += 1
            landed = flight.seat == node
            self.counts.landed += landed
            self.counts.elsewhere += not landed
        self._bound.setdefault(node, {})[pod.uid] = None
        left = self._left(before, flight)
        if node in self.view:
            self._seat_bound(pod)
        else:
            self.counts.homeless += 1
            self._unseat(pod.uid)
        for name in left - {node}:
            self._judge(name)

    @staticmethod
    def _left(before: ObservedPod | None, flight: Assumption | None) -> set[str]:
        """Nodes on which the pod was counted until now."""
        names = {flight.seat if flight else None, before.node if before else None}
        return {name for name in names if name is not None}

    def _seat_bound(self, pod: ObservedPod) -> None:
        """Count a bound pod on its node, on the devices that are told or else expected."""
        node = str(pod.node)
        if isinstance(pod.shape, Unclear):
            self._unseat(pod.uid)
            self._judge(node)
            return
        told = self._told(pod, pod.shape, node)
        held = self.view.placement(pod.uid)
        kept = held.devices if held is not None and held.slot == self.view.slot(node) else None
        if kept is not None and len(kept) != pod.shape.gpu_count:
            kept = None
        if told is not None and pod.uid not in self._confirmed:
            self._confirmed.add(pod.uid)
            self.counts.confirmed += 1
            self.counts.mispredicted += kept is not None and kept != told
        self._unseat(pod.uid)
        self._seat(pod.uid, pod.shape, node, told or kept)
        self._judge(node)

    def _told(self, pod: ObservedPod, shape: PodShape, node: str) -> tuple[int, ...] | None:
        machine = self._machines[node]
        if not pod.told or machine.observed is None or machine.counted is not None:
            return None
        return resolve(pod.told, shape.gpu_count, machine.observed.device_ids)

    def _forget(self, uid: str, version: int) -> None:
        known = self._pods.pop(uid, None)
        flight = self._flights.pop(uid, None)
        self._unseat(uid)
        self._confirmed.discard(uid)
        self._epoch += flight is not None
        self._gone[uid] = version
        self._gone.move_to_end(uid)
        while len(self._gone) > _REMEMBERED_DELETIONS:
            self._gone.popitem(last=False)
        if known is not None and self._uids.get(known.name) == uid:
            del self._uids[known.name]
        if known is not None and known.node is not None:
            self._bound[known.node].pop(uid, None)
        for name in self._left(known, flight):
            self._judge(name)

    # -- nodes ---------------------------------------------------------------------------------

    def node_seen(self, observed: ObservedNode, version: int = 0) -> None:
        """A watch or a list shows this version of a node; its pods stay."""
        node = observed.node
        machine = self._machines.get(node.name)
        if machine is not None and 0 < version < machine.version:
            self.counts.late += 1
            return
        if machine is None and self._was_gone(node.name, version):
            return
        if machine is None:
            self._machines[node.name] = _Machine(version, observed)
            self._add(node)
            return
        machine.version = max(version, machine.version)
        if machine.observed == observed:
            return  # a heartbeat
        machine.observed, machine.problem = observed, ""
        self.view.update_node(node)
        self._count_again(node.name)

    def node_unreadable(self, name: str, problem: str, version: int = 0) -> None:
        """The node is there and nobody can tell what it offers: it gives nothing more."""
        machine = self._machines.get(name)
        if machine is not None and 0 < version < machine.version:
            self.counts.late += 1
            return
        if machine is None and self._was_gone(name, version):
            return
        if machine is None:
            self._machines[name] = _Machine(version, None, problem)
            self._add(Node(name, cpu_milli=0, memory_mib=0))
            return
        machine.version = max(version, machine.version)
        machine.observed, machine.problem = None, problem
        self._judge(name)

    def node_gone(self, name: str, version: int = 0) -> None:
        """A watch shows that the node was deleted. Its pods are kept for when it comes back."""
        machine = self._machines.get(name)
        if machine is None or 0 < version < machine.version:
            self.counts.late += 1
            return
        self._doubts[self.view.slot(name)] = Refusal.NONE
        for flight in self._flights.values():
            if flight.seat == name:
                flight.seat = None
        self.view.remove_node(name)
        del self._machines[name]
        self._gone_nodes[name] = max(version, machine.version)
        while len(self._gone_nodes) > _REMEMBERED_DELETIONS:
            self._gone_nodes.popitem(last=False)
        if not self._bound.get(name):
            self._bound.pop(name, None)
        self.membership += 1
        self._epoch += 1

    def replace_nodes(
        self, nodes: Iterable[tuple[ObservedNode | str, str, int]], version: int
    ) -> None:
        """A new list of (node or its name, what is wrong with it, version); the rest is gone."""
        listed = list(nodes)
        self._nodes_listed = 0
        there = {one if isinstance(one, str) else one.node.name for one, _, _ in listed}
        for name, machine in list(self._machines.items()):
            if name not in there and (machine.version <= version or not version):
                self.node_gone(name)
        for one, problem, seen in listed:
            if isinstance(one, str):
                self.node_unreadable(one, problem, seen)
            else:
                self.node_seen(one, seen)
        self._nodes_listed = version

    def _was_gone(self, name: str, version: int) -> bool:
        """Whether this is an old version of a node that has gone since."""
        is_late = 0 < version <= max(self._nodes_listed, self._gone_nodes.get(name, 0))
        self.counts.late += is_late
        return is_late

    def _add(self, node: Node) -> None:
        slot = self.view.add_node(node)
        if slot >= len(self._doubts):
            more = np.zeros(self.view.capacity - len(self._doubts), np.uint8)
            self._doubts = np.concatenate((self._doubts, more))
        self._doubts[slot] = Refusal.NONE
        self.membership += 1
        self._epoch += 1
        self._count_again(node.name)

    def _count_again(self, node: str) -> None:
        """Seat all that is bound to a node, or assumed there, anew: its devices have changed."""
        assumed = [flight for flight in self._flights.values() if flight.seat == node]
        bound = [self._pods[uid] for uid in self._bound.get(node, ())]
        there = len(self.view.node(self.view.slot(node)).devices)
        for uid in [pod.uid for pod in bound] + [flight.uid for flight in assumed]:
            held = self.view.placement(uid)
            if held is not None and any(device >= there for device in held.devices):
                self._unseat(uid)  # the device it was predicted on is gone: predict again
        for pod in bound:
            self._seat_bound(pod)
        for flight in assumed:
            self._unseat(flight.uid)
            self._seat(flight.uid, flight.shape, node)
        self._judge(node)

    def renew(self) -> None:
        """Build the view anew, with none of the shapes that nobody asks for any more.

        Shapes are never forgotten by a view, and each rule of where to go costs a row of it.
        """
        old, seats = self.view, dict(self.view.placements())
        lands = {
            uid: [old.node(int(slot)).name for slot in old.live_slots() if flight.lands_on(slot)]
            for uid, flight in self._flights.items()
        }
        self.view = ClusterView.of(old.nodes())
        self._doubts = np.zeros(self.view.capacity, np.uint8)
        for uid, seat in seats.items():
            shape, node = old.shapes[seat.shape_id], old.node(seat.slot).name
            self.view.seat(uid, self.view.intern(shape), self.view.slot(node), seat.devices)
        for uid, names in lands.items():
            self._flights[uid].land_on([self.view.slot(name) for name in names])
        for node in self._machines:
            self._judge(node)
        self.membership += 1
        self._epoch += old.changes + 1

    # -- seats ---------------------------------------------------------------------------------

    def _seat(
        self, uid: str, shape: PodShape, node: str, devices: tuple[int, ...] | None = None
    ) -> None:
        slot = self.view.slot(node)
        if self._machines[node].counted is not None:
            self.view.seat(uid, self.view.intern(_without_gpu(shape)), slot, ())
            return
        shape_id = self.view.intern(shape)
        if devices is None:
            devices = predicted_devices(self.chooser, self.view, shape_id, slot)
        self.view.seat(uid, shape_id, slot, devices)

    def _unseat(self, uid: str) -> None:
        if self.view.placement(uid) is not None:
            self.view.release(uid)

    def _show_replicas(self, node: str, slot: int) -> None:
        """Let a stand-in hold as many devices of the view as there are replicas given out.

        The view has fewer columns than such a node has replicas, so the columns are its last ones.
        """
        machine = self._machines[node]
        counted = machine.counted
        used = shown = 0
        if counted is not None:
            used = sum(self._gpus_of(uid) for uid in self.view.pods_on(node))
            shown = min(MAX_DEVICES, max(0, used - counted + MAX_DEVICES))
        machine.replicas_used = used
        stand_in = f"replicas of {node}"
        held = self.view.placement(stand_in)
        if len(held.devices if held else ()) == shown:
            return
        self._unseat(stand_in)
        if shown:
            shape_id = self.view.intern(PodShape(cpu_milli=0, memory_mib=0, gpu_count=shown))
            self.view.seat(stand_in, shape_id, slot, tuple(range(shown)))

    def _gpus_of(self, uid: str) -> int:
        flight, pod = self._flights.get(uid), self._pods.get(uid)
        if flight is not None:
            return flight.shape.gpu_count
        return 0 if pod is None or isinstance(pod.shape, Unclear) else pod.shape.gpu_count

    def _judge(self, node: str) -> None:
        """Mark the node if it gives out too much, after giving predictions a chance to give way."""
        if node not in self.view:
            return
        slot = self.view.slot(node)
        self._show_replicas(node, slot)
        if gives_too_much(self.view, slot):
            loose = [
                uid
                for uid in self.view.pods_on(node)
                if uid not in self._confirmed and self.view.placements()[uid].devices
            ]
            if loose:
                seat_again(self.chooser, self.view, slot, loose)
        doubt = self._doubt(node, slot)
        if doubt == self._doubts[slot]:
            return
        self.counts.overcommitted += doubt is Refusal.OVERCOMMITTED
        self._doubts[slot] = doubt
        self._epoch += 1

    def _doubt(self, node: str, slot: int) -> Refusal:
        if self._machines[node].observed is None:
            return Refusal.NODE_UNREADABLE
        if any(self._pods[uid].shape is Unclear.UNREADABLE for uid in self._bound.get(node, ())):
            return Refusal.NODE_UNREADABLE
        machine = self._machines[node]
        too_many = machine.counted is not None and machine.replicas_used > machine.counted
        if too_many or gives_too_much(self.view, slot):
            return Refusal.OVERCOMMITTED
        return Refusal.NONE


def _without_gpu(shape: PodShape) -> PodShape:
    return PodShape(cpu_milli=shape.cpu_milli, memory_mib=shape.memory_mib, agent=shape.agent)
