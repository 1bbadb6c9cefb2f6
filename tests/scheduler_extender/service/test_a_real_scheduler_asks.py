"""A real kube-scheduler with the shipped configuration asks the extender, and does as it says.

It is the shortest way through everything: watches, mTLS, both entries, events, explanations. It
must not look at how the extender came to its decision.
"""

from __future__ import annotations

import json
import signal
from typing import TYPE_CHECKING

from tests.cluster.fleet import PodShape, gpu_nodes, pods
from tests.cluster.waiting import wait_until
from tests.scheduler_extender.service.harness import EVENTS_V1, share_pod

if TYPE_CHECKING:
    from tests.cluster.control_plane import ControlPlane
    from tests.cluster.fleet import Fleet
    from tests.scheduler_extender.service.harness import Extender, Installation


def test_pods_are_placed_explained_or_refused_with_a_reason(
    control_plane: ControlPlane, installation: Installation, extender: Extender, fleet: Fleet
) -> None:
    """Whole GPUs and shares land on the best node, an impossible pod's event names the reason."""
    fleet.add_nodes(gpu_nodes(4, "NVIDIA-A100-SXM4-80GB", 4, prefix=f"{fleet.namespace}-a"))
    extender.start()
    extender.wait_leading().wait_ready()
    name = f"ours-{fleet.namespace}"
    configuration = installation.configuration(name, extender.port())
    with control_plane.second_scheduler(name, configuration):
        fleet.add_pods(pods(PodShape(gpus=2, scheduler=name), 3, prefix="whole"))
        fleet.add_pods(
            share_pod(f"share-{n}", name, {"nvidia.com/gpucores": "40"}) for n in range(4)
        )
        fleet.add_pods(pods(PodShape(gpus=8, scheduler=name), 1, prefix="giant"))
        fleet.add_pods([share_pod("huge", name, {"nvidia.com/gpumem": "900000"})])
        bound = fleet.wait_bound(7)
        events = wait_until(
            "events of every pod",
            lambda: _events(control_plane, fleet.namespace),
            lambda seen: len(seen) >= 8,
        )
        records = {
            pod["metadata"]["name"]: _explained(extender, control_plane, pod) for pod in bound
        }

    nodes = {pod["metadata"]["name"]: pod["spec"]["nodeName"] for pod in bound}
    assert nodes == {name: record["winner"] for name, record in records.items()}
    assert "huge" in events
    assert "no GPU with enough memory" in events["huge"]["note"]
    assert all(name in events for name in nodes)
    assert extender.end(signal.SIGTERM) == 0


def _events(plane: ControlPlane, namespace: str) -> dict[str, dict[str, str]]:
    ours = [
        one
        for one in plane.wire.items(EVENTS_V1, namespace)
        if one["reportingController"] == "synthscale.io/extender"
    ]
    return {one["regarding"]["name"]: one for one in ours}


def _explained(
    extender: Extender, plane: ControlPlane, pod: dict[str, dict[str, str]]
) -> dict[str, str]:
    uid = pod["metadata"]["uid"]
    answer = extender.ask(f"/explain/{uid}", port="observation", token=reader(plane, pod))
    assert answer.status == 200, answer.body
    record: dict[str, str] = json.loads(answer.body)
    return record


def reader(plane: ControlPlane, pod: dict[str, dict[str, str]]) -> str:
    """A token that may read explanations."""
    namespace = pod["metadata"]["namespace"]
    name = f"observer-{namespace}"
    group = "rbac.authorization.k8s.io"
    binding = {
        "apiVersion": f"{group}/v1",
        "kind": "ClusterRoleBinding",
        "metadata": {"name": name},
        "roleRef": {"kind": "ClusterRole", "name": "synthscale-observer", "apiGroup": group},
        "subjects": [{"kind": "ServiceAccount", "name": "default", "namespace": namespace}],
    }
    plane.kubectl("apply", "-f", "-", stdin=json.dumps(binding))
    return plane.token(namespace, "default")
