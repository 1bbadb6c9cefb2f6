"""The scheduling queue: pods that are ready, that back off, and that wait for something to change.

Time is told by the caller with every call, in nanoseconds of a clock on which whole seconds are
whole numbers of 10**9; `advance` runs the flushes that were due meanwhile. Which events help which
pod is asked of a function, because that depends on the cluster.
This module must not decide where a pod goes.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import IntEnum
from heapq import heappop, heappush
from typing import TYPE_CHECKING, TypeAlias

from gpu_fleet.clock import NS_PER_S
from gpu_fleet.errors import DuplicateName, UnknownName
from simulations.kube.backoff import expiry_ns, is_backing_off, release_ns

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

__all__ = ["Event", "Hint", "Place", "SchedulingQueue", "helps_everyone"]

_LEFTOVER_EVERY_NS = 30 * NS_PER_S
_LEFTOVER_AFTER_NS = 300 * NS_PER_S
Event: TypeAlias = object
"""Whatever the hint understands."""
Hint: TypeAlias = "Callable[[str, str, Event], bool]"
"""(pod, plugin that refused it, event) -> may the event help?"""


_Order: TypeAlias = tuple[int, int, int]


class Place(IntEnum):
    """Where a pod is. Lower numbers are nearer to being tried."""

    IN_FLIGHT = 0
    ACTIVE = 1
    BACKOFF = 2
    ERROR_BACKOFF = 3
    """Backing off after an error: nothing but time ends it."""
    UNSCHEDULABLE = 4


def helps_everyone(_pod: str, _plugin: str, _event: Event) -> bool:
    """A hint that takes every event for good news."""
    return True


@dataclass(slots=True)
class _Queued:
    name: str
    priority: int
    at_ns: int
    """When it was added, or failed last."""
    number: int
    """Of its arrival: decides between equals."""
    place: Place = Place.ACTIVE
    refused_by: frozenset[str] = frozenset()
    pending: frozenset[str] = frozenset()
    """Plugins that wait for something of their own; their good news skips the back-off."""
    refusals: int = 0
    errors: int = 0
    expiry: int = 0
    flushed_ns: int = 0
    message: str | None = None
    missed: list[Event] = field(default_factory=list)
    """Events that came during its own cycle."""
    stamp: int = 0
    """Of its last move: what heaps hold of earlier ones is passed over."""

    @property
    def order(self) -> _Order:
        return (-self.priority, self.at_ns, self.number)


class SchedulingQueue:
    """The queue of one scheduler that was started at `started_ns`."""

    def __init__(self, hint: Hint = helps_everyone, started_ns: int = 0) -> None:
        self._hint = hint
        self._pods: dict[str, _Queued] = {}
        self._active: list[tuple[_Order, int, str]] = []
        self._backoff: list[tuple[int, _Order, int, str]] = []
        self._due: list[tuple[int, int, str]] = []
        self._started_ns = started_ns
        self._added = 0
        self._stamps = 0

    # -- what a scheduler does -----------------------------------------------------------------

    def add(self, name: str, now_ns: int, priority: int = 0) -> None:
        """A new pod is ready at once."""
        if name in self._pods:
            raise DuplicateName(f"pod {name} is queued already; remove it first")
        self.advance(now_ns)
        self._added += 1
        pod = self._pods[name] = _Queued(name, priority, now_ns, self._added)
        self._to_active(pod)

    def pop(self, now_ns: int) -> str | None:
        """The next pod to try: a ready one or, when there is none, whoever backs off longest."""
        self.advance(now_ns)
        pod = self._first_active() or self._first_backing_off()
        if pod is None:
            return None
        self._move(pod, Place.IN_FLIGHT)
        pod.missed.clear()
        return pod.name

    def fail(
        self,
        name: str,
        now_ns: int,
        refused_by: Iterable[str] = (),
        pending: Iterable[str] = (),
        message: str = "",
    ) -> bool:
        """The cycle of a pod failed; with no plugin that refused it, by an error.

        Returns whether the pod's condition is patched, which it is when the text is a new one, and
        which comes back as an event.
        """
        self.advance(now_ns)
        pod = self._pod(name)
        pod.refused_by, pod.pending = frozenset(refused_by), frozenset(pending)
        is_error = not pod.refused_by and not pod.pending
        pod.errors = pod.errors + 1 if is_error else 0
        pod.refusals += not is_error
        pod.at_ns, pod.flushed_ns = now_ns, 0
        pod.expiry = expiry_ns(now_ns, pod.errors or pod.refusals)
        patched, pod.message = pod.message != message, message
        missed = list(pod.missed)
        pod.missed.clear()
        if is_error:
            self._requeue(pod, now_ns, at_once=False)
            return patched
        self._move(pod, Place.UNSCHEDULABLE)
        heappush(self._due, (self._left_ns(pod), pod.stamp, name))
        self._after(pod, missed, now_ns)
        return patched

    def done(self, name: str) -> None:
        """A pod was bound or deleted."""
        self._pod(name)
        del self._pods[name]  # what heaps still hold of it is passed over

    def event(self, event: Event, now_ns: int, only: str | None = None) -> None:
        """Something changed in the cluster, or with one pod only."""
        self.advance(now_ns)
        for pod in list(self._pods.values()):
            if only is not None and pod.name != only:
                continue
            if pod.place is Place.IN_FLIGHT:
                pod.missed.append(event)
            elif pod.place is Place.UNSCHEDULABLE:
                self._after(pod, [event], now_ns)

    def advance(self, now_ns: int) -> None:
        """Run what was due until now: pods whose back-off is over, pods that were left too long."""
        while (due_ns := self.next_flush_ns()) is not None and due_ns <= now_ns:
            _, _, name = heappop(self._due)
            pod = self._pods[name]
            if pod.place is Place.UNSCHEDULABLE:
                pod.flushed_ns = due_ns
                self._requeue(pod, due_ns, at_once=False)
            else:
                self._to_active(pod)

    def next_flush_ns(self) -> int | None:
        """When a flush moves a pod next if nothing else happens; None while nobody waits."""
        while self._due and not self._holds(self._due[0][2], self._due[0][1]):
            heappop(self._due)
        return self._due[0][0] if self._due else None

    # -- for whoever looks ---------------------------------------------------------------------

    def place(self, name: str) -> Place:
        """Where a pod is."""
        return self._pod(name).place

    def expiry_ns(self, name: str) -> int:
        """The second in which the back-off of a pod ends."""
        return self._pod(name).expiry

    def __len__(self) -> int:
        return len(self._pods)

    # -- moves ---------------------------------------------------------------------------------

    def _pod(self, name: str) -> _Queued:
        try:
            return self._pods[name]
        except KeyError:
            raise UnknownName(f"pod {name} is not queued") from None

    def _after(self, pod: _Queued, events: Iterable[Event], now_ns: int) -> None:
        """Good news for a pending plugin skips the back-off; for another it does not."""
        helped = [
            plugin
            for event in events
            for plugin in sorted(pod.refused_by | pod.pending)
            if self._hint(pod.name, plugin, event)
        ]
        if helped:
            self._requeue(pod, now_ns, at_once=any(plugin in pod.pending for plugin in helped))

    def _requeue(self, pod: _Queued, now_ns: int, *, at_once: bool) -> None:
        if at_once or not is_backing_off(pod.expiry, now_ns):
            self._to_active(pod)
            return
        is_error = not pod.refused_by and not pod.pending
        self._move(pod, Place.ERROR_BACKOFF if is_error else Place.BACKOFF)
        heappush(self._due, (release_ns(pod.expiry), pod.stamp, pod.name))
        if not is_error:
            heappush(self._backoff, (pod.expiry, pod.order, pod.stamp, pod.name))

    def _to_active(self, pod: _Queued) -> None:
        self._move(pod, Place.ACTIVE)
        heappush(self._active, (pod.order, pod.stamp, pod.name))

    def _move(self, pod: _Queued, place: Place) -> None:
        self._stamps += 1
        pod.place, pod.stamp = place, self._stamps

    def _first_active(self) -> _Queued | None:
        while self._active:
            _, stamp, name = heappop(self._active)
            if self._holds(name, stamp):
                return self._pods[name]
        return None

    def _first_backing_off(self) -> _Queued | None:
        while self._backoff:
            _, _, stamp, name = heappop(self._backoff)
            if self._holds(name, stamp):
                return self._pods[name]
        return None

    def _holds(self, name: str, stamp: int) -> bool:
        """Whether what a heap says of a pod still stands."""
        pod = self._pods.get(name)
        return pod is not None and pod.stamp == stamp

    def _left_ns(self, pod: _Queued) -> int:
        """The first look, one every 30 s, that finds it more than five minutes old."""
        over_ns = max(pod.at_ns, pod.flushed_ns) + _LEFTOVER_AFTER_NS - self._started_ns
        looks = over_ns // _LEFTOVER_EVERY_NS + 1
        return self._started_ns + looks * _LEFTOVER_EVERY_NS
