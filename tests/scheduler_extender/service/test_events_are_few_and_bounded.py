"""Events tell each thing once, keep to their budget, and lose the oldest rather than wait.

Time is stepped and the API server is a list. Nothing here may wait.
"""

from __future__ import annotations

import asyncio
import json
from dataclasses import replace
from typing import TYPE_CHECKING, Self

from gpu_fleet.errors import KubeUnreachable
from gpu_fleet.refusals import Refusal
from scheduler_extender.explain import DecisionRecord
from scheduler_extender.service.events import DECISION_ANNOTATION, EventWriter
from scheduler_extender.service.settings import EventSettings
from service_runtime.telemetry import RecordedLog
from service_runtime.telemetry.metrics import Metrics
from tests.service_runtime.stepped import SteppedTiming

if TYPE_CHECKING:
    from collections.abc import Mapping

    from service_runtime.kube.api import Resource

OUTCOMES = "synthscale_extender_events_total"


class Written:
    """An API server that takes events, or is away."""

    def __init__(self) -> None:
        self.events: list[Mapping[str, object]] = []
        self.away = False

    async def create(
        self,
        resource: Resource,  # noqa: ARG002 - part of the seam
        body: bytes,
        namespace: str | None = None,  # noqa: ARG002 - as above
    ) -> bytes:
        """Keep it."""
        if self.away:
            raise KubeUnreachable("nobody there")
        self.events.append(json.loads(body))
        return body


def refused(uid: str, nodes: int = 3) -> DecisionRecord:
    """A pod that no node can take."""
    return DecisionRecord(
        pod=f"ml/{uid}",
        uid=uid,
        entry="guard",
        at_ns=0,
        shape="1 x 0.5 GPU",
        policy="least-loss",
        mix="",
        view_version=1,
        view_age_ns=0,
        asked=nodes,
        kept=0,
        why_not=((Refusal.GPU_FREE, nodes),),
    )


class Scene:
    """A writer with its surroundings, started and ended by `async with`."""

    def __init__(self, **settings: float) -> None:
        self.api, self.timing, self.metrics = Written(), SteppedTiming(), Metrics()
        self.hurry = False
        self.writer = EventWriter(
            self.api,
            EventSettings(**settings),  # type: ignore[arg-type]
            "extender-0",
            in_a_hurry=lambda: self.hurry,
            timing=self.timing,
            log=RecordedLog(),
            metrics=self.metrics,
        )

    async def __aenter__(self) -> Self:
        self._task = asyncio.ensure_future(self.writer.run(lambda: None))
        return self

    async def __aexit__(self, *_: object) -> None:
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)

    def counted(self, outcome: str) -> float | None:
        """How many events had this outcome."""
        return self.metrics.value(OUTCOMES, outcome=outcome)


async def test_a_refusal_is_told_once_in_a_long_while() -> None:
    """The same words are not repeated until the API server has forgotten; other words are told."""
    async with Scene() as scene:
        for _ in range(50):
            scene.writer.offer(refused("a"))
        await scene.timing.pass_s(1)
        first = len(scene.api.events)
        scene.writer.offer(refused("a", nodes=4))
        await scene.timing.pass_s(1_801)
        scene.writer.offer(refused("a", nodes=4))
        await scene.timing.pass_s(1)

    event = scene.api.events[0]

    assert first == 1
    assert len(scene.api.events) == 3
    assert scene.counted("repeated") == 49
    assert event["note"] == "0 of 3 nodes can take it: 3 not enough free GPU"
    assert (event["reason"], event["type"]) == ("NoNodeFits", "Warning")
    kept = json.loads(event["metadata"]["annotations"][DECISION_ANNOTATION])  # type: ignore[index]
    assert kept["whyNot"] == {"not enough free GPU": 3}


async def test_the_rate_has_a_budget() -> None:
    """After a burst there are so many a second and no more."""
    async with Scene(per_s=2, burst=5) as scene:
        for n in range(30):
            scene.writer.offer(refused(f"pod-{n}"))
        await scene.timing.pass_s(0)
        burst = len(scene.api.events)
        await scene.timing.pass_s(5)
        later = len(scene.api.events)

    assert burst == 5
    assert later == 15


async def test_placed_pods_wait_while_a_scheduler_is_in_a_hurry() -> None:
    """They cost ten times as much then; refusals do not, and go first."""
    async with Scene(per_s=10, burst=20) as scene:
        scene.hurry = True
        for n in range(30):
            scene.writer.offer(replace(refused(f"placed-{n}"), kept=3))
        await scene.timing.pass_s(0)
        at_once = len(scene.api.events)
        await scene.timing.pass_s(3)
        in_a_hurry = len(scene.api.events)
        scene.writer.offer(refused("nowhere"))
        await scene.timing.pass_s(1)
        next_told = scene.api.events[in_a_hurry]["reason"]
        scene.hurry = False
        await scene.timing.pass_s(3)

    assert (at_once, in_a_hurry) == (2, 5)
    assert next_told == "NoNodeFits"
    assert len(scene.api.events) == 31


async def test_the_oldest_is_dropped_and_may_be_told_again() -> None:
    """A full queue loses what came first, counted; the newest about a pod replaces the older."""
    async with Scene(per_s=1, burst=1, queue_max=10) as scene:
        for n in range(15):
            scene.writer.offer(refused(f"pod-{n}"))
        scene.writer.offer(refused("pod-14", nodes=9))
        await scene.timing.pass_s(20)
        scene.writer.offer(refused("pod-0"))
        await scene.timing.pass_s(5)

    told = [event["regarding"]["name"] for event in scene.api.events]  # type: ignore[index]

    assert scene.counted("dropped") == 5
    assert told == [*(f"pod-{n}" for n in range(5, 15)), "pod-0"]
    assert "9 nodes" in str(scene.api.events[9]["note"])


async def test_an_api_server_that_is_away_costs_the_event_alone() -> None:
    """What was not taken is counted, told in the log, and may be told the next time."""
    async with Scene() as scene:
        scene.api.away = True
        scene.writer.offer(refused("a"))
        await scene.timing.pass_s(1)
        scene.api.away = False
        scene.writer.offer(refused("a"))
        await scene.timing.pass_s(1)

    assert scene.counted("refused") == 1
    assert scene.counted("written") == 1
