"""Events beside pods: in one line why a pod is where it is, or nowhere; written off the hot path.

They are what an explanation survives a restart by: the whole record goes along as an annotation.
The same words about the same pod are written once in a long while, the rate has a budget, and what
waits has a bound; beyond it the oldest is dropped and counted.
This module must not hold up an answer, and must not retry what the API server refused.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from typing import TYPE_CHECKING, Final, Protocol

from gpu_fleet.errors import KubeError
from gpu_fleet.names import GROUP
from scheduler_extender.wire import encode_record
from service_runtime.kube.api import EVENTS
from service_runtime.kube.objects import body_of
from service_runtime.kube.wire import Event, ObjectMeta, ObjectReference, micro_time

if TYPE_CHECKING:
    from collections.abc import Callable

    from scheduler_extender.explain import DecisionRecord
    from scheduler_extender.service.settings import EventSettings
    from service_runtime.kube.api import Resource
    from service_runtime.telemetry import Log
    from service_runtime.telemetry.metrics import Counter, Gauge, Metrics
    from service_runtime.timing import Timing

__all__ = ["DECISION_ANNOTATION", "REPORTER", "EventApi", "EventWriter", "event_of"]

REPORTER: Final = f"{GROUP}/extender"
DECISION_ANNOTATION: Final = f"{GROUP}/decision"
"""On an event: the record as JSON, for `synthscale explain`."""
_LONGEST_RECORD: Final = 16_384
_LONGEST_PREFIX: Final = 200
_MOST_REMEMBERED: Final = 20_000
_NS_PER_S: Final = 1_000_000_000
_IDLE_S: Final = 3_600.0


def event_of(record: DecisionRecord, instance: str, at: str) -> tuple[str, Event]:
    """The event about a decision, and the namespace it belongs to; `at` is a MicroTime."""
    namespace, _, name = record.pod.partition("/")
    told = encode_record(record)
    notes = {DECISION_ANNOTATION: told.decode()} if len(told) <= _LONGEST_RECORD else {}
    return namespace, Event(
        metadata=ObjectMeta(
            generate_name=f"{name[:_LONGEST_PREFIX]}-", namespace=namespace, annotations=notes
        ),
        event_time=at,
        reporting_controller=REPORTER,
        reporting_instance=instance[:128],
        action="Filter" if record.refused else "Prioritize",
        reason="NoNodeFits" if record.refused else "NodesRanked",
        regarding=ObjectReference(
            api_version="v1", kind="Pod", name=name, namespace=namespace, uid=record.uid
        ),
        note=record.line(),
        type="Warning" if record.refused else "Normal",
    )


class EventApi(Protocol):
    """What is needed of a `KubeApi` here."""

    async def create(self, resource: Resource, body: bytes, namespace: str | None = None) -> bytes:
        """See `KubeApi.create`."""
        ...


class EventWriter:
    """A part with a queue of what is still to be told."""

    name = "events"

    def __init__(
        self,
        api: EventApi,
        settings: EventSettings,
        instance: str,
        *,
        timing: Timing,
        log: Log,
        metrics: Metrics,
    ) -> None:
        self._api = api
        self._settings = settings
        self._instance = instance
        self._timing = timing
        self._log = log.component(self.name)
        self._queue: OrderedDict[str, DecisionRecord] = OrderedDict()
        self._said: OrderedDict[str, tuple[str, int]] = OrderedDict()
        self._arrived = asyncio.Event()
        self._tokens = float(settings.burst)
        self._filled_ns = timing.now_ns()
        self._written: Counter = metrics.counter(
            "synthscale_extender_events_total",
            "Events about pods, by what became of them.",
            {"outcome": ("written", "refused", "dropped", "repeated")},
        )
        waiting: Gauge = metrics.gauge(
            "synthscale_extender_waiting_events", "Events that are not written yet."
        )
        waiting.read(lambda: len(self._queue))

    def offer(self, record: DecisionRecord) -> None:
        """Something to tell; costs the caller nothing but a look at what was told before."""
        if record.passed or not (record.refused or self._settings.placed):
            return
        line, now_ns = record.line(), self._timing.now_ns()
        said = self._said.get(record.uid)
        again_ns = round(self._settings.repeat_after_s * _NS_PER_S)
        if said is not None and said[0] == line and now_ns - said[1] < again_ns:
            self._written.add(outcome="repeated")
            return
        self._said[record.uid] = (line, now_ns)
        self._said.move_to_end(record.uid)
        while len(self._said) > _MOST_REMEMBERED:
            self._said.popitem(last=False)
        self._queue.pop(record.uid, None)  # only the latest about a pod is worth telling
        self._queue[record.uid] = record
        while len(self._queue) > self._settings.queue_max:
            dropped, _ = self._queue.popitem(last=False)
            self._said.pop(dropped, None)
            self._written.add(outcome="dropped")
        self._arrived.set()

    async def run(self, ready: Callable[[], None]) -> None:
        """Write what was offered, within the budget, until cancelled."""
        ready()
        while True:
            await self._arrived.wait()
            while self._queue:
                await self._afford()
                _, record = self._queue.popitem(last=False)
                await self._write(record)
            self._arrived.clear()

    async def _afford(self) -> None:
        """Wait until the budget allows one more."""
        while True:
            now_ns = self._timing.now_ns()
            gained = (now_ns - self._filled_ns) / _NS_PER_S * self._settings.per_s
            self._tokens = min(float(self._settings.burst), self._tokens + gained)
            self._filled_ns = now_ns
            if self._tokens >= 1.0:
                self._tokens -= 1.0
                return
            await self._timing.sleep((1.0 - self._tokens) / self._settings.per_s)

    async def _write(self, record: DecisionRecord) -> None:
        namespace, event = event_of(record, self._instance, micro_time(self._timing.wall()))
        try:
            await self._api.create(EVENTS, body_of(EVENTS, event), namespace)
        except KubeError as error:
            self._said.pop(record.uid, None)
            self._written.add(outcome="refused")
            self._log.warn("event_not_written", pod=record.pod, error=error)
            return
        self._written.add(outcome="written")
