"""Events beside pods: in one line why a pod is where it is, or nowhere; written off the hot path.

They are what an explanation survives a restart by: the whole record goes along as an annotation.
The same words about the same pod are written once in a long while, the rate has a budget, and what
waits has a bound; beyond it the oldest is dropped and counted. Refusals go first, and a pod that is
placed waits for a pause between calls: the API server takes as long for an event as for a binding.
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
_DEAR: Final = 10.0
"""What an event about a placed pod costs of the budget while a scheduler is in a hurry."""
_LONGEST_SLEEP_S: Final = 1.0


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
        in_a_hurry: Callable[[], bool],
        timing: Timing,
        log: Log,
        metrics: Metrics,
    ) -> None:
        self._api = api
        self._in_a_hurry = in_a_hurry
        self._settings = settings
        self._instance = instance
        self._timing = timing
        self._log = log.component(self.name)
        self._refused: OrderedDict[str, DecisionRecord] = OrderedDict()
        self._placed: OrderedDict[str, DecisionRecord] = OrderedDict()
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
        waiting.read(lambda: self._waiting)

    @property
    def _waiting(self) -> int:
        return len(self._refused) + len(self._placed)

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
        self._refused.pop(record.uid, None)  # only the latest about a pod is worth telling
        self._placed.pop(record.uid, None)
        (self._refused if record.refused else self._placed)[record.uid] = record
        while self._waiting > self._settings.queue_max:
            dropped, _ = (self._placed or self._refused).popitem(last=False)
            self._said.pop(dropped, None)
            self._written.add(outcome="dropped")
        self._arrived.set()

    async def run(self, ready: Callable[[], None]) -> None:
        """Write what was offered, within the budget, until cancelled."""
        ready()
        while True:
            await self._arrived.wait()
            while self._waiting:
                await self._afford()
                _, record = (self._refused or self._placed).popitem(last=False)
                await self._write(record)
            self._arrived.clear()

    async def _afford(self) -> None:
        """Wait until the budget allows the next one."""
        while True:
            now_ns = self._timing.now_ns()
            gained = (now_ns - self._filled_ns) / _NS_PER_S * self._settings.per_s
            self._tokens = min(float(self._settings.burst), self._tokens + gained)
            self._filled_ns = now_ns
            price = self._price()
            if self._tokens >= price:
                self._tokens -= price
                return
            await self._timing.sleep(
                min(_LONGEST_SLEEP_S, (price - self._tokens) / self._settings.per_s)
            )

    def _price(self) -> float:
        if self._refused or not self._in_a_hurry():
            return 1.0
        return min(_DEAR, float(self._settings.burst))

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
