"""A burst of pods of twelve shapes: each is bound to the node that was named best, to no other.

What was answered is kept by a tap on the wire, what was bound is read from the cluster, and both
are judged by an accountant that shares no code with the extender.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest

from tests.cluster.waiting import wait_until
from tests.figures import record
from tests.scheduler_extender.service.burst import nodes_of_four_models, pods_of_twelve_shapes
from tests.scheduler_extender.service.checker import plain_feasible, uncovered
from tests.scheduler_extender.service.explanations import explained, extender_events
from tests.scheduler_extender.service.harness import share_pod
from tests.scheduler_extender.service.tap import tapped

if TYPE_CHECKING:
    from tests.cluster.control_plane import ControlPlane
    from tests.cluster.fleet import Fleet
    from tests.scheduler_extender.service.harness import Extender, Installation


@pytest.mark.parametrize(
    "divisor", [pytest.param(1, marks=pytest.mark.prove, id="300"), pytest.param(5, id="60")]
)
def test_all_are_bound_to_their_unique_best(
    control_plane: ControlPlane,
    installation: Installation,
    extender: Extender,
    fleet: Fleet,
    divisor: int,
) -> None:
    """All bound as answered, lists of nodes as counted apart, no device given twice, all told."""
    made = fleet.add_nodes(nodes_of_four_models(fleet.namespace, divisor))
    extender.start().wait_leading()
    name = f"ours-{fleet.namespace}"
    with tapped(installation, extender.port) as tap:
        with installation.scheduler(name, tap.port):
            wanted = pods_of_twelve_shapes(name, divisor)
            begun_s = time.monotonic()
            fleet.add_pods(wanted)
            bound = fleet.wait_bound(len(wanted), limit_s=240)
            took_s = time.monotonic() - begun_s
            fleet.add_pods([share_pod("impossible", name, {"nvidia.com/gpumem": "900000"})])
            events = wait_until(
                "an event of every pod",
                lambda: extender_events(control_plane, fleet.namespace),
                lambda seen: len(seen) > len(wanted),
                limit_s=120,
            )
        explanation = explained(extender, control_plane, bound[0])
        best = tap.best()
        told = {pod["metadata"]["name"]: best[pod["metadata"]["uid"]] for pod in bound}
        placed = {pod["metadata"]["name"]: pod["spec"]["nodeName"] for pod in bound}
        nodes = {node["metadata"]["name"]: node for node in made}
        contradicted = plain_feasible(tap.calls, nodes)

    assert told == placed
    assert contradicted == []
    assert uncovered(nodes.values(), bound) == []
    assert events["impossible"]["type"] == "Warning"
    assert "no GPU with enough memory" in events["impossible"]["note"]
    assert explanation["winner"] == placed[bound[0]["metadata"]["name"]]
    if divisor == 1:
        record(
            "extender-on-a-real-scheduler",
            [
                {
                    "pods": len(wanted),
                    "shapes": 12,
                    "nodes": len(made),
                    "bound to their unique best": len(told),
                    "filter answers checked": sum(
                        call.path.endswith("filter") for call in tap.calls
                    ),
                    "contradicted": len(contradicted),
                    "nodes oversubscribed": 0,
                    "seconds from first pod to last binding": round(took_s, 1),
                }
            ],
        )
