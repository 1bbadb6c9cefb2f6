"""Schedulers are nudged for pods that could go and are not asked about, seldom and not for ever.

Each nudge wakes every refused pod, so it has to be worth it. Time is stepped, the API server is a
list, and the extender is a real one. Nothing here may wait.
"""

from __future__ import annotations

import asyncio
import json
from itertools import pairwise
from typing import TYPE_CHECKING, Any, Self, cast

from gpu_fleet.errors import KubeForbidden
from scheduler_extender.answers import Entry
from scheduler_extender.service.nudging import ASK_AGAIN, Nudging
from scheduler_extender.service.settings import NudgeSettings
from service_runtime.telemetry import RecordedLog
from service_runtime.telemetry.metrics import Metrics
from tests.scheduler_extender.calls import args, extender_of, gpu_node, share_pod
from tests.service_runtime.stepped import SteppedTiming

if TYPE_CHECKING:
    from service_runtime.kube.api import KubeApi, Resource

OUTCOMES = "synthscale_extender_nudges_total"
PROMISED_S = 30
"""After this long a promise that nobody kept is over (the default of `accounting.assume_s`)."""


class Rung:
    """An API server that takes applies, or forbids them."""

    def __init__(self, timing: SteppedTiming) -> None:
        self.at_s: list[float] = []
        self.bodies: list[dict[str, Any]] = []
        self.forbidden = False
        self._timing = timing

    async def apply(self, resource: Resource, name: str, body: bytes, **_: object) -> bytes:
        """Keep it and when it came."""
        if self.forbidden:
            raise KubeForbidden(f"patch {resource.plural}/{name}: no")
        self.at_s.append(self._timing.now_ns() / 1e9)
        self.bodies.append(json.loads(body))
        return body


class Scene:
    """One node, its GPU promised to a pod that never comes, and a pod that is refused for it."""

    def __init__(self, **settings: float) -> None:
        self.timing, self.metrics = SteppedTiming(), Metrics()
        self.api = Rung(self.timing)
        self.calls = extender_of(gpu_node("n0"))
        self.may_answer = True
        self.nudging = Nudging(
            cast("KubeApi", self.api),
            self.calls.extender,
            NudgeSettings(**settings),  # type: ignore[arg-type]
            namespace="ours",
            may_answer=lambda: self.may_answer,
            timing=self.timing,
            log=RecordedLog(),
            metrics=self.metrics,
        )

    async def __aenter__(self) -> Self:
        self._task = asyncio.ensure_future(self.nudging.run(lambda: None))
        self.ask("promised", 700)
        self.ask("waits", 600)
        return self

    async def __aexit__(self, *_: object) -> None:
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)

    def ask(self, name: str, milli: int) -> None:
        """A scheduler asks about this pod."""
        body = args(share_pod(name, milli), ["n0"])
        self.calls.filter(Entry.GUARD, body, self.timing.now_ns())

    async def pass_s(self, seconds: int) -> None:
        """Second by second, with the upkeep of each."""
        for _ in range(seconds):
            await self.timing.pass_s(1)
            now_ns = self.timing.now_ns()
            self.calls.extender.vouch(now_ns)
            self.calls.extender.ledger.expire(now_ns)
            self.nudging.look()
        await self.timing.pass_s(0)


async def test_nobody_is_nudged_for_a_pod_that_fits_nowhere() -> None:
    """As long as the promise stands."""
    async with Scene() as scene:
        await scene.pass_s(PROMISED_S - 1)

    assert scene.api.at_s == []


async def test_each_time_the_scheduler_is_given_longer_and_in_the_end_it_is_left_alone() -> None:
    """Waits of 2, 4 (held back by `every_s`), 8, 16 and 32 s, then no more until it asks."""
    async with Scene() as scene:
        await scene.pass_s(PROMISED_S + 600)

    waits_s = [late - early for early, late in pairwise([PROMISED_S, *scene.api.at_s])]
    assert waits_s == [2, 5, 8, 16, 32]
    assert scene.metrics.value(OUTCOMES, outcome="told") == 5
    assert scene.api.bodies[0]["metadata"]["name"] == "synthscale-extender"
    assert scene.api.bodies[0]["metadata"]["namespace"] == "ours"
    assert scene.api.bodies[0]["metadata"]["annotations"][ASK_AGAIN].endswith(" for 1")


async def test_a_pod_that_is_asked_about_is_nobodys_case() -> None:
    """The scheduler asked by itself: nothing is changed."""
    async with Scene() as scene:
        await scene.pass_s(PROMISED_S + 1)
        scene.ask("waits", 600)
        await scene.pass_s(60)

    assert scene.api.at_s == []


async def test_many_pods_are_one_nudge() -> None:
    """Whoever is due meanwhile goes along, and the object is changed once in `every_s`."""
    async with Scene(every_s=60.0) as scene:
        for number in range(20):
            scene.ask(f"waits-{number}", 500)
            await scene.pass_s(1)
        await scene.pass_s(PROMISED_S + 40)

    assert scene.api.bodies[0]["metadata"]["annotations"][ASK_AGAIN].endswith(" for 21")
    assert len(scene.api.at_s) == 1


async def test_whoever_would_refuse_anyway_keeps_quiet() -> None:
    """A stale view, a standby, the silence after a takeover."""
    async with Scene() as scene:
        scene.may_answer = False
        await scene.pass_s(PROMISED_S + 60)

    assert scene.api.at_s == []


async def test_a_missing_right_is_counted_and_not_insisted_on() -> None:
    """As many tries as nudges, no more."""
    async with Scene() as scene:
        scene.api.forbidden = True
        await scene.pass_s(PROMISED_S + 600)

    assert scene.metrics.value(OUTCOMES, outcome="refused") == 5
