"""The leader ends in the middle of a burst, by violence and in order; the standby goes on.

The scheduler finds whoever leads by the EndpointSlice behind our Service, as in a cluster. While
nobody leads, pods of whole GPUs go on without us, which is what `ignorable` says, and shares wait.
"""

from __future__ import annotations

import signal
import time
from datetime import datetime
from typing import TYPE_CHECKING

import pytest

from scheduler_extender.service.leading import ENDPOINT_SLICES
from tests.cluster.fleet import is_bound
from tests.cluster.waiting import wait_until
from tests.figures import record
from tests.scheduler_extender.service.burst import nodes_of_four_models, pods_of_twelve_shapes
from tests.scheduler_extender.service.checker import uncovered, wanted
from tests.scheduler_extender.service.tap import tapped

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.cluster.control_plane import ControlPlane
    from tests.cluster.fleet import Fleet
    from tests.scheduler_extender.service.harness import Extender, Installation


@pytest.fixture
def pair(installation: Installation) -> Iterator[list[Extender]]:
    """Two replicas that are not started yet."""
    made = [installation.extender(f"extender-{n}", f"10.9.0.{n + 1}") for n in range(2)]
    try:
        yield made
    finally:
        for one in made:
            one.kill()


@pytest.mark.prove
@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM], ids=["killed", "ended"])
def test_a_burst_survives_its_leader(
    control_plane: ControlPlane,
    installation: Installation,
    pair: list[Extender],
    fleet: Fleet,
    how: signal.Signals,
) -> None:
    """Every answered pod is on its best node, every share on a node left to it, none given twice.

    The one pod that was between its two calls when the leader died has been filtered and not
    ordered: kube-scheduler then orders by itself, among the nodes that the filter left.
    """
    made = fleet.add_nodes(nodes_of_four_models(fleet.namespace, 2))
    first, second = pair
    first.start().wait_leading()
    second.start().wait_ready()
    name = f"ours-{fleet.namespace}"
    with tapped(installation, lambda: _leader(control_plane, installation, pair)) as tap:
        with installation.scheduler(name, tap.port):
            pods = pods_of_twelve_shapes(name, 2)
            fleet.add_pods(pods)
            fleet.wait_bound(len(pods) // 5)
            ended_s = time.time()
            first.end(how)
            bound = fleet.wait_bound(len(pods), limit_s=240)
        best, left = tap.best(), tap.left()
    takeover_s = _at(second.wait_event("books_taken_over")) - ended_s
    published_s = _at(second.wait_event("leader_published")) - ended_s
    alone = [pod for pod in bound if pod["metadata"]["uid"] not in best]
    astray = [
        pod["metadata"]["name"]
        for pod in bound
        if best.get(pod["metadata"]["uid"], pod["spec"]["nodeName"]) != pod["spec"]["nodeName"]
    ]

    assert astray == []
    cut_short = [pod for pod in alone if wanted(pod).shares]
    assert len(cut_short) <= 1
    for pod in cut_short:
        assert pod["spec"]["nodeName"] in left[pod["metadata"]["uid"]]
    assert uncovered(made, bound) == []
    record(
        f"extender-takeover-{how.name.lower()}",
        [
            {
                "pods": len(bound),
                "on the best node of their answer": len(bound) - len(alone),
                "whole-GPU pods that went on without an answer": len(alone) - len(cut_short),
                "shares filtered and not ordered": len(cut_short),
                "nodes oversubscribed": 0,
                "seconds until the standby leads": round(takeover_s, 2),
                "seconds until the Service points at it": round(published_s, 2),
            }
        ],
    )


@pytest.mark.prove
def test_whole_gpus_go_on_and_shares_wait(
    installation: Installation, extender: Extender, fleet: Fleet
) -> None:
    """Nobody answers: whole-GPU pods are bound, shares wait; a restart places them, none twice."""
    made = fleet.add_nodes(nodes_of_four_models(fleet.namespace, 10))
    extender.start().wait_leading()
    name = f"ours-{fleet.namespace}"
    with tapped(installation, extender.port) as tap, installation.scheduler(name, tap.port):
        pods = pods_of_twelve_shapes(name, 20)
        early, late = pods[::2], pods[1::2]
        fleet.add_pods(early)
        fleet.wait_bound(len(early))
        extender.end(signal.SIGKILL)
        fleet.add_pods(late)
        whole = [pod for pod in late if not wanted(pod).shares]
        fleet.wait_bound(len(early) + len(whole), limit_s=120)
        waiting = [pod for pod in fleet.pods() if not is_bound(pod)]
        extender.start().wait_event("leader_published", 2)
        bound = fleet.wait_bound(len(pods), limit_s=120)

    assert [pod["metadata"]["name"] for pod in waiting if not wanted(pod).shares] == []
    assert len(waiting) == len(late) - len(whole)
    assert uncovered(made, bound) == []


def _leader(plane: ControlPlane, installation: Installation, pair: list[Extender]) -> int:
    """The port of the replica whose address is behind the Service, as kube-proxy would find it."""
    slice_ = plane.wire.get(ENDPOINT_SLICES, "synthscale-extender", installation.namespace)
    address = slice_["endpoints"][0]["addresses"][0]
    (leader,) = (one for one in pair if one.settings["pod"]["address"] == address)
    return leader.last_port()


def _at(event: dict[str, str]) -> float:
    return datetime.fromisoformat(event["time"]).timestamp()


def test_readiness_is_warmth_and_not_leadership(pair: list[Extender]) -> None:
    """The standby is ready, says to a scheduler that it does not lead, and lets it connect anew."""
    first, second = pair
    first.start()
    second.start()
    first.wait_ready()
    second.wait_ready()
    leads = wait_until(
        "one leader", lambda: [one for one in pair if one.events("books_taken_over")]
    )
    (standby,) = (one for one in pair if one not in leads)
    answer = standby.ask("/guard/filter", b"{}")

    assert len(leads) == 1
    assert answer.status == 503
    assert b"does not lead" in answer.body
    assert answer.headers["Connection"] == "close"
