"""The same policy object behind HTTPS and in a simulation: the same bytes, state after state.

A request goes through certificates, the port, the handler and the wire, as kube-scheduler's would;
the other side is the simulator's Placer, which never sees a byte. A term that is replaced by a
constant changes both alike. Nothing here may compute a score of its own.
"""

from __future__ import annotations

import asyncio
import http.client
import json
import threading
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, given, settings

from gpu_fleet.admission import ANYWHERE
from gpu_fleet.cluster_view import ClusterView
from gpu_fleet.pods import Pod
from gpu_fleet.scores import INFEASIBLE
from scheduler_extender.calls import Calls
from scheduler_extender.extender import Extender
from scheduler_extender.objects.nodes import ObservedNode
from scheduler_extender.objects.observed import ObservedPod
from scheduler_extender.placement.choice import TieBreak, rank_encode
from scheduler_extender.service.answering import Answering
from service_runtime.serve import Reply, Request, Route
from service_runtime.timing import SystemTiming
from simulations.placer import Placer
from tests.fleets import fleets, node, pod_lists, shape
from tests.scheduler_extender.wire.test_bytes_say_what_a_simulation_decides import policy_of
from tests.service_runtime.serve.chassis import Chassis

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator
    from pathlib import Path

    from gpu_fleet.nodes import Node
    from gpu_fleet.pods import PodShape

LIMIT_S = 60.0


@dataclass(slots=True)
class Behind:
    """An HTTPS port whose extender is exchanged between requests."""

    connection: http.client.HTTPSConnection
    host: Callable[[Extender], None]
    age_headers: set[str] = field(default_factory=set)

    def ask(self, verb: str, body: bytes) -> bytes:
        """What the port answers."""
        self.connection.request("POST", f"/scorer/{verb}", body)
        response = self.connection.getresponse()
        answer = response.read()
        assert response.status == 200, answer
        self.age_headers.update(response.headers.keys())
        return answer


@pytest.fixture(scope="module")
def https(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Behind]:
    """A serving port in a thread with a loop of its own, and a client of it."""
    folder = tmp_path_factory.mktemp("https")
    handlers: dict[str, Callable[[Request], Reply | Awaitable[Reply]]] = {}

    def host(extender: Extender) -> None:
        timing = SystemTiming()
        answering = Answering(
            Calls(extender),
            timing,
            leads=lambda: True,
            vouch=lambda: extender.vouch(timing.now_ns()),
            after=lambda *_: None,
        )
        handlers.update({route.path: route.handler for route in answering.routes()})

    def ask(request: Request) -> Reply | Awaitable[Reply]:
        return handlers[request.path](request)

    routes = [Route("POST", f"/scorer/{verb}", ask) for verb in ("filter", "prioritize")]
    with _served(folder, routes) as chassis:
        issued = chassis.client_context(chassis.authority.issue("synthscale-scheduler"))
        connection = http.client.HTTPSConnection("127.0.0.1", chassis.port(), context=issued)
        try:
            yield Behind(connection, host)
        finally:
            connection.close()


class _served:  # noqa: N801 - it is used as a function
    """Runs a chassis in a thread, from ready to drained."""

    def __init__(self, folder: Path, routes: list[Route]) -> None:
        self._chassis = Chassis(folder, routes=routes)
        self._ready = threading.Event()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._over: asyncio.Event | None = None
        self._thread = threading.Thread(target=lambda: asyncio.run(self._run()))

    async def _run(self) -> None:
        self._loop, self._over = asyncio.get_running_loop(), asyncio.Event()
        async with self._chassis.running():
            self._ready.set()
            await self._over.wait()

    def __enter__(self) -> Chassis:
        self._thread.start()
        assert self._ready.wait(LIMIT_S)
        return self._chassis

    def __exit__(self, *_: object) -> None:
        assert self._loop is not None
        assert self._over is not None
        self._loop.call_soon_threadsafe(self._over.set)
        self._thread.join(LIMIT_S)


def request_of(name: str, shape_: PodShape, names: tuple[str, ...]) -> bytes:
    """kube-scheduler's request about such a pod."""
    amounts = {"cpu": f"{shape_.cpu_milli}m", "memory": f"{shape_.memory_mib}Mi"}
    if shape_.gpu_count:
        amounts["synthscale.io/gpu-milli"] = str(shape_.total_gpu_milli)
        amounts["synthscale.io/gpu-memory-mib"] = str(shape_.gpu_memory_mib)
    pod: dict[str, Any] = {
        "metadata": {"name": name, "namespace": "ml", "uid": name},
        "spec": {"containers": [{"name": "work", "resources": {"requests": amounts}}]},
    }
    return json.dumps({"Pod": pod, "Nodes": None, "NodeNames": list(names)}).encode()


def both_sides(
    https: Behind, nodes: tuple[Node, ...], pods: tuple[Pod, ...], *, replaced: bool
) -> list[tuple[bytes, bytes, str | None, str | None]]:
    """For each pod: bytes and best node of HTTPS, and of the simulation."""
    extender = Extender(policy_of("wire", replaced=replaced))
    for each in nodes:
        extender.ledger.node_seen(ObservedNode(each))
    https.host(extender)
    view = ClusterView.of(nodes)
    placer = Placer(policy_of("simulation", replaced=replaced), view, TieBreak.FIXED, seed=1)
    names = tuple(each.name for each in nodes)
    found = []
    for sequence, pod in enumerate(pods):
        shape_id = view.intern(pod.shape)
        totals = placer._cache.totals(shape_id)
        scores = rank_encode(totals, view.order_key[: view.slots]).tolist()
        somewhere = bool((totals != INFEASIBLE).any())
        decision = placer.place(pod.name, shape_id, sequence)
        taken = None if decision is None else view.node(decision.slot).name
        if not somewhere:
            continue
        ranked = [
            {"Host": name, "Score": score}
            for name, score in zip(names, scores, strict=True)
            if score
        ]
        theirs = json.dumps(ranked, separators=(",", ":")).encode()
        body = request_of(pod.name, pod.shape, names)
        https.ask("filter", body)
        ours = https.ask("prioritize", body)
        best = next(one["Host"] for one in json.loads(ours) if one["Score"] == 10)
        extender.pod_seen(ObservedPod(pod.name, f"ml/{pod.name}", 1, pod.shape, node=best), 0)
        found.append((ours, theirs, best, taken))
    return found


def compare(https: Behind, states: int) -> None:
    """Through so many drawn states both sides say the same."""

    @settings(max_examples=states, deadline=None, suppress_health_check=list(HealthCheck))
    @given(nodes=fleets(), pods=pod_lists(3))
    def alike(nodes: tuple[Node, ...], pods: tuple[Pod, ...]) -> None:
        anywhere = tuple(replace(pod, shape=replace(pod.shape, admission=ANYWHERE)) for pod in pods)
        for ours, theirs, best, taken in both_sides(https, nodes, anywhere, replaced=False):
            assert theirs == ours
            assert taken == best

    alike()


def test_a_hundred_states_score_byte_for_byte_alike(https: Behind) -> None:
    """The bytes over HTTPS are those of the simulation's totals, and the 10 is its choice."""
    compare(https, 100)

    assert "Synthscale-View-Age-Seconds" in https.age_headers


@pytest.mark.prove
def test_a_thousand_states_score_byte_for_byte_alike(https: Behind) -> None:
    """The same through a thousand states."""
    compare(https, 1_000)


def test_a_replaced_term_changes_https_and_simulation_alike(https: Behind) -> None:
    """A constant in the place of one term: other bytes than before, and the same on both sides."""
    nodes = tuple(node(f"node-{at}") for at in range(6))
    pods = (Pod("pod", shape(gpus=1, milli=300)),)
    before, after = (
        both_sides(https, nodes, pods, replaced=replaced)[0] for replaced in (False, True)
    )

    assert before[0] != after[0]
    assert before[1] == before[0]
    assert after[1] == after[0]
