"""Everything that may happen to an extender, in any order, as a Hypothesis state machine.

Two schedulers ask and bind to our best node or to another that we named; pods and nodes come and
go; watches are late, repeat themselves or are lost and listed again; replicas restart and take over
from each other; time passes. After each binding an independent reality is asked whether the node's
devices can hold what is on them, and at the end whether anything was forgotten or counted twice.
What is taken for granted: a scheduler binds within `BINDS_WITHIN_NS` of the answer, and a watch
shows a change within `SHOWS_WITHIN_NS`. What no watch has shown yet, be it a binding by hand or
the devices that a plugin chose, is not held against an answer about that node.
This module must not mend what the extender believes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, TypeVar

import numpy as np
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule

from gpu_fleet.nodes import Device, Node
from gpu_fleet.pods import PodShape
from scheduler_extender.accounting.ledger import Ledger, LedgerSettings
from scheduler_extender.answers import Entry
from scheduler_extender.extender import Extender, ExtenderSettings
from scheduler_extender.objects.nodes import ObservedNode
from scheduler_extender.objects.observed import ObservedPod
from scheduler_extender.placement.best_fit import BestFit
from tests.scheduler_extender.safety.reality import Flight, LogEntry, Reality, RealNode, RealPod

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from gpu_fleet.cluster_view import ClusterView

__all__ = ["Interleavings"]

T = TypeVar("T")
S = 1_000_000_000
SETTINGS = ExtenderSettings(ledger=LedgerSettings(assume_ns=30 * S, takeover_ns=3 * S))
BINDS_WITHIN_NS = 25 * S
SHOWS_WITHIN_NS = 2 * S
NODES = ("n0", "n1", "n2")
MACHINES = ((16_000,), (16_000, 16_000), (16_000, 8_000), (8_000, 8_000, 8_000))
REQUESTS = (
    (1, 300, 0), (1, 600, 0), (1, 700, 0), (1, 500, 4_000), (1, 1, 9_000), (1, 200, 8_000),
    (1, 1_000, 0), (2, 1_000, 0),
)  # fmt: skip
any_of = st.integers(0, 1_000)


def observed_node(node: RealNode) -> ObservedNode:
    """The node as the reader would give it."""
    devices = tuple(Device(memory_mib=memory) for memory in node.memories)
    return ObservedNode(Node(node.name, 64_000, 262_144, devices, "A"))


def observed_pod(pod: RealPod) -> ObservedPod:
    """The pod as the reader would give it."""
    return ObservedPod(
        uid=pod.uid,
        name=pod.name,
        version=pod.version,
        shape=PodShape(1_000, 1_024, pod.count, pod.milli, pod.memory),
        node=pod.node,
        finished=pod.finished,
        told=pod.told or (),
    )


class Replica:
    """One process: an extender, and how far its watches have come."""

    def __init__(self, ledger: type[Ledger]) -> None:
        policy = BestFit()
        self.extender = Extender(policy, SETTINGS)
        self.extender.ledger = ledger(policy, SETTINGS.ledger, view=self.extender.ledger.view)
        self.seen = 0

    def show(self, entry: LogEntry, now_ns: int) -> None:
        """A watch brings one event."""
        ledger = self.extender.ledger
        if entry.pod is not None and entry.gone is not None:
            self.extender.pod_gone(entry.gone, entry.pod.version)
        elif entry.pod is not None:
            self.extender.pod_seen(observed_pod(entry.pod), now_ns)
        elif entry.node is not None and entry.gone is not None:
            ledger.node_gone(entry.gone, entry.node.version)
        elif entry.node is not None:
            ledger.node_seen(observed_node(entry.node), entry.node.version)

    def list_again(self, reality: Reality) -> None:
        """Watches were lost: everything is listed as it is now."""
        ledger = self.extender.ledger
        nodes = [(observed_node(node), "", node.version) for node in reality.nodes.values()]
        ledger.replace_nodes(nodes, reality.version)
        pods = [observed_pod(pod) for pod in reality.pods.values()]
        ledger.replace_pods(pods, reality.version, reality.now_ns)
        self.seen = len(reality.log)

    def take_over(self, now_ns: int) -> None:
        """It answers from now on."""
        self.extender.ledger.take_over(now_ns)


class Interleavings(RuleBasedStateMachine):
    """The rules; `ledger` and `replica` are what is under test, which planted bugs replace."""

    ledger: ClassVar[type[Ledger]] = Ledger
    replica: ClassVar[Callable[[type[Ledger]], Replica]] = Replica

    def __init__(self) -> None:
        super().__init__()
        self.reality = Reality()
        self.active = self._new()
        self.standby = self._new()

    def _new(self) -> Replica:
        return type(self).replica(type(self).ledger)

    @initialize(machines=st.lists(st.sampled_from(MACHINES), min_size=1, max_size=3))
    def begin(self, machines: list[tuple[int, ...]]) -> None:
        """A cluster stands, both replicas have listed it, one leads."""
        for name, memories in zip(NODES, machines, strict=False):
            self.reality.add_node(name, memories)
        for replica in (self.active, self.standby):
            replica.list_again(self.reality)
            replica.extender.vouch(self.reality.now_ns)

    # -- people and machines -------------------------------------------------------------------

    @rule(request=st.sampled_from(REQUESTS), reuse=st.booleans())
    def a_pod_is_created(self, request: tuple[int, int, int], reuse: bool) -> None:
        """Sometimes under the name that a deleted pod had."""
        if len(self.reality.pods) > 12:
            return
        self._create(request, reuse=reuse)

    @precondition(lambda self: self.reality.pods)
    @rule(which=any_of, finishes=st.booleans())
    def a_pod_ends(self, which: int, finishes: bool) -> None:
        """It succeeds, or its object is deleted, bound or not."""
        pod = self._pick(list(self.reality.pods.values()), which)
        if finishes and pod.node is not None and not pod.finished:
            self.reality.finish(pod.uid)
        else:
            self.reality.delete(pod.uid)

    @precondition(lambda self: self._waiting() and self.reality.nodes)
    @rule(which=any_of, where=any_of)
    def a_pod_is_bound_by_hand(self, which: int, where: int) -> None:
        """Somebody sets nodeName."""
        pod = self._pick(self._waiting(), which)
        node = self._pick(sorted(self.reality.nodes), where)
        self._drop(pod.uid)
        self.reality.bind(pod.uid, node, external=True)

    @rule(where=st.sampled_from(NODES), machine=st.sampled_from(MACHINES), goes=st.booleans())
    def a_node_changes(self, where: str, machine: tuple[int, ...], goes: bool) -> None:
        """It comes, goes or is replaced by another machine."""
        if goes and where in self.reality.nodes:
            self.reality.remove_node(where)
        else:
            self.reality.add_node(where, machine)

    @precondition(lambda self: any(pod.node for pod in self.reality.pods.values()))
    @rule(which=any_of, way=any_of)
    def devices_are_told(self, which: int, way: int) -> None:
        """A device plugin that leaves room for whatever was allowed tells what it chose."""
        pod = self._pick([one for one in self.reality.pods.values() if one.node], which)
        node = self.reality.nodes.get(str(pod.node))
        if node is None or pod.told is not None or pod.finished or pod.count > len(node.memories):
            return
        devices = tuple(sorted((way + at) % len(node.memories) for at in range(pod.count)))
        landing = [
            self.reality.pods[flight.uid]
            for flight in self.reality.flights
            if node.name in flight.allowed
        ]
        before, self.reality.pods[pod.uid] = pod, RealPod(**{**vars(pod), "told": devices})
        fits = self.reality.is_well(node.name, *landing)
        self.reality.pods[pod.uid] = before
        if fits:
            self.reality.tell_devices(pod.uid, devices)

    # -- schedulers ----------------------------------------------------------------------------

    @precondition(lambda self: self._waiting() and self.reality.nodes)
    @rule(which=any_of, some=any_of, orders=st.booleans(), again=st.booleans())
    def a_scheduler_asks(self, which: int, some: int, orders: bool, again: bool) -> None:
        """About a pod that waits, over some nodes; perhaps it sends the same call twice."""
        names = sorted(self.reality.nodes)
        names = names if some % 3 else names[: 1 + some % len(names)]
        self._ask(self._pick(self._waiting(), which), names, orders=orders, again=again)

    @precondition(lambda self: self.reality.nodes and len(self.reality.pods) < 10)
    @rule(requests=st.lists(st.sampled_from(REQUESTS), min_size=2, max_size=4), reuse=st.booleans())
    def a_burst_comes(self, requests: list[tuple[int, int, int]], reuse: bool) -> None:
        """Pods are created and asked about one after the other, before anything is bound."""
        names = sorted(self.reality.nodes)
        for request in requests:
            self._ask(self._create(request, reuse=reuse), names, orders=True, again=False)

    def _create(self, request: tuple[int, int, int], *, reuse: bool) -> RealPod:
        free = {entry.pod.name for entry in self.reality.log if entry.pod and entry.gone}
        free -= {pod.name for pod in self.reality.pods.values()}
        return self.reality.create(*request, name=min(free) if reuse and free else None)

    def _ask(self, pod: RealPod, names: list[str], *, orders: bool, again: bool) -> None:
        reality, extender = self.reality, self.active.extender
        self._drop(pod.uid)
        seen = observed_pod(pod)
        asked = extender.look_up(tuple(names))
        for _ in range(1 + again):
            answer = extender.filter(Entry.GUARD, seen, asked, reality.now_ns)
        kept = tuple(name for name, stays in zip(names, answer.kept, strict=True) if stays)
        if not kept:
            return
        best = kept[0] if len(kept) == 1 else None
        if orders and len(kept) > 1:
            best = self._ordered(seen, kept, again=again)
        behind = self.reality.log[self.active.seen :]
        unseen = {entry.external for entry in behind} | {entry.handed_out for entry in behind}
        excused = {node for node in unseen if node is not None}
        reality.flights.append(Flight(pod.uid, kept, best, reality.now_ns, excused))

    def _ordered(self, seen: ObservedPod, kept: tuple[str, ...], *, again: bool) -> str:
        extender = self.active.extender
        for _ in range(1 + again):
            answer = extender.prioritize(
                Entry.GUARD, seen, extender.look_up(kept), self.reality.now_ns
            )
        assert np.count_nonzero(answer.scores == 10) == 1
        assert answer.scores.min() >= 0
        return kept[int(answer.scores.argmax())]

    @precondition(lambda self: self.reality.flights)
    @rule(choices=st.lists(st.tuples(st.integers(0, 3), st.integers(0, 3)), min_size=1, max_size=4))
    def schedulers_bind(self, choices: list[tuple[int, int]]) -> None:
        """Some of what was answered, each to our best node or to another that we named."""
        for which, where in choices:
            if self.reality.flights:
                self._bind(self._pick(self.reality.flights, which), where)

    def _bind(self, flight: Flight, where: int) -> None:
        reality = self.reality
        pod = reality.pods[flight.uid]
        is_best = where == 0 and flight.best is not None
        node = flight.best if is_best else self._pick(flight.allowed, where)
        reality.flights.remove(flight)
        if node is None or node not in reality.nodes:
            return
        guilty = node not in flight.excused
        assert reality.is_well(node, pod) or not guilty, f"{pod.uid} had no room on {node}"
        reality.bind(pod.uid, node, external=not guilty)

    @precondition(lambda self: self.reality.flights)
    @rule(which=any_of)
    def a_scheduler_gives_up(self, which: int) -> None:
        """Another plugin says no after we said yes."""
        self.reality.flights.remove(self._pick(self.reality.flights, which))

    # -- watches, time and processes -----------------------------------------------------------

    @rule(events=st.integers(1, 6), standby=st.booleans())
    def a_watch_shows(self, events: int, standby: bool) -> None:
        """The next events, in order."""
        self._show(self.standby if standby else self.active, events)

    @precondition(lambda self: self.active.seen)
    @rule(which=any_of, events=st.integers(1, 8))
    def a_watch_repeats_itself(self, which: int, events: int) -> None:
        """Events that were shown before, perhaps long ago."""
        begin = which % self.active.seen
        for entry in self.reality.log[begin : min(begin + events, self.active.seen)]:
            self.active.show(entry, self.reality.now_ns)

    @rule(standby=st.booleans())
    def a_watch_is_lost(self, standby: bool) -> None:
        """What it would have shown is never shown; there is a new list."""
        (self.standby if standby else self.active).list_again(self.reality)

    @rule(seconds=st.sampled_from((0.1, 1, 3, 31)))
    def time_passes(self, seconds: float) -> None:
        """Watches show what is due when it is due, and schedulers give up what takes too long."""
        reality = self.reality
        begun_ns = reality.now_ns
        reality.now_ns += int(seconds * S)
        for replica in (self.active, self.standby):
            self._show_what_is_due(replica, begun_ns)
            replica.extender.vouch(reality.now_ns)
            replica.extender.ledger.expire(reality.now_ns)
        reality.flights = [
            flight for flight in reality.flights if reality.now_ns - flight.at_ns < BINDS_WITHIN_NS
        ]

    def _show_what_is_due(self, replica: Replica, begun_ns: int) -> None:
        """Each event at its own time, which is not that of the end of a long sleep."""
        for entry in self.reality.log[replica.seen :]:
            due_ns = max(begun_ns, entry.at_ns + SHOWS_WITHIN_NS)
            if due_ns > self.reality.now_ns:
                return
            replica.show(entry, due_ns)
            replica.seen += 1

    @rule(restarts=st.booleans(), waits=st.booleans())
    def another_process_answers(self, restarts: bool, waits: bool) -> None:
        """A new one that lists everything, or the standby, which has watched all the time.

        Neither knows of a promise; often nobody asks before its time of silence is over.
        """
        if restarts:
            self.active = self._new()
            self.active.list_again(self.reality)
        else:
            self.active.extender.ledger.step_down()
            self.active, self.standby = self.standby, self.active
        self.active.extender.vouch(self.reality.now_ns)
        self.active.take_over(self.reality.now_ns)
        if waits:
            self.time_passes(3)

    @precondition(lambda self: self.reality.nodes and len(self.reality.pods) < 8)
    @rule(
        before=st.lists(st.sampled_from(REQUESTS), min_size=1, max_size=3),
        after=st.lists(st.sampled_from(REQUESTS), min_size=1, max_size=3),
        restarts=st.booleans(),
    )
    def a_leader_goes_in_mid_burst(
        self,
        before: list[tuple[int, int, int]],
        after: list[tuple[int, int, int]],
        restarts: bool,
    ) -> None:
        """What was answered before may be bound after the next leader has begun to answer."""
        self.a_burst_comes(before, reuse=False)
        self.another_process_answers(restarts, waits=True)
        self.a_burst_comes(after, reuse=False)

    # -- the end -------------------------------------------------------------------------------

    def teardown(self) -> None:
        """When all is shown and all promises are over, what is counted is what is there."""
        self.reality.flights = []
        self.time_passes(SHOWS_WITHIN_NS / S + 31)  # what is seen last may be promised until then
        for replica in (self.active, self.standby):
            self._show(replica, len(self.reality.log))
            ledger = replica.extender.ledger
            ledger.expire(self.reality.now_ns)
            assert ledger.flights("") == []
            assert self._held() == held_by(ledger.view)
            assert self._told() == devices_of(ledger.view, self._told())
            assert self._is_ill() <= set(ledger.overcommitted())

    def _held(self) -> dict[str, tuple[int, int]]:
        return {
            name: (
                sum(pod.count * pod.milli for pod in self.reality.on(name)),
                sum(pod.count * pod.memory for pod in self.reality.on(name)),
            )
            for name in self.reality.nodes
        }

    def _told(self) -> dict[str, tuple[int, ...]]:
        """The devices that a plugin chose, where the node still has them."""
        return {
            pod.uid: pod.told
            for node in self.reality.nodes.values()
            for pod in self.reality.on(node.name)
            if pod.told is not None and max(pod.told) < len(node.memories)
        }

    def _is_ill(self) -> set[str]:
        return {name for name in self.reality.nodes if not self.reality.is_well(name)}

    # -- helpers -------------------------------------------------------------------------------

    def _show(self, replica: Replica, events: int) -> None:
        for entry in self.reality.log[replica.seen : replica.seen + events]:
            replica.show(entry, self.reality.now_ns)
            replica.seen += 1

    def _waiting(self) -> list[RealPod]:
        return [pod for pod in self.reality.pods.values() if pod.node is None]

    def _drop(self, uid: str) -> None:
        flights = self.reality.flights
        self.reality.flights = [flight for flight in flights if flight.uid != uid]

    @staticmethod
    def _pick(many: Sequence[T], which: int) -> T:
        return many[which % len(many)]


def held_by(view: ClusterView) -> dict[str, tuple[int, int]]:
    """By node: thousandths and MiB that the view counts as given out."""
    return {
        node.name: (
            int(view.gpu_used_milli[view.slot(node.name)].sum()),
            int(view.gpu_memory_used_mib[view.slot(node.name)].sum()),
        )
        for node in view.nodes()
    }


def devices_of(view: ClusterView, uids: Iterable[str]) -> dict[str, tuple[int, ...]]:
    """By pod: the devices on which the view counts it."""
    seats = {uid: view.placement(uid) for uid in uids}
    return {uid: seat.devices for uid, seat in seats.items() if seat is not None}
