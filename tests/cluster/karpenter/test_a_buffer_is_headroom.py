"""A CapacityBuffer buys a machine before any pod asks, and its status says how far that is.

This is the seam by which a forecast becomes capacity, so its words are tested on the real thing.
Cluster Autoscaler reads the same kind and means another thing by the condition: not tested here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from gpu_fleet.names import GPU_RESOURCES
from tests.cluster.fleet import PodShape, pods, takes_pods
from tests.cluster.karpenter.objects import (
    CAPACITY_BUFFERS,
    POD_TEMPLATES,
    buffer,
    condition,
    node_pool,
    pod_template,
)
from tests.cluster.waiting import wait_until

if TYPE_CHECKING:
    from tests.cluster.control_plane import ControlPlane
    from tests.cluster.fleet import Fleet
    from tests.cluster.karpenter.peer import Karpenter
    from tests.cluster.wire import Object

pytestmark = pytest.mark.prove

BUY_LIMIT_S = 90.0
"""A buffer is looked at every 30 s at the latest."""


def test_a_node_is_there_before_the_pods(
    control_plane: ControlPlane, karpenter: Karpenter, fleet: Fleet, namespace: str
) -> None:
    """Headroom for four pods is bought while there are none, and the four then take no new node."""
    wire = control_plane.wire
    karpenter.add_pool(node_pool("gpus", node_class="gpus"))
    (model,) = pods(PodShape(gpus=1), 1)
    wire.create(POD_TEMPLATES, pod_template("agent", model), namespace)
    wire.create(CAPACITY_BUFFERS, buffer("agents", template="agent", replicas=4), namespace)

    def provisioning() -> Object:
        return dict(condition(wire.get(CAPACITY_BUFFERS, "agents", namespace), "Provisioning"))

    told = wait_until(
        "buffer that is provisioned",
        provisioning,
        lambda seen: seen.get("status") == "True",
        limit_s=BUY_LIMIT_S,
    )
    (node,) = wait_until(
        "a node that takes pods",
        karpenter.nodes,
        lambda seen: len(seen) == 1 and takes_pods(seen[0]),
        limit_s=BUY_LIMIT_S,
    )

    assert told["reason"] == "FitsExistingCapacity"
    assert told["message"] == "All 4 virtual pods fit on existing capacity"
    assert node["status"]["allocatable"][GPU_RESOURCES[0]] == "4"
    assert not fleet.pods()

    fleet.add_pods(pods(PodShape(gpus=1), 4))
    bound = fleet.wait_bound(4)

    assert {node["metadata"]["name"]} == {pod["spec"]["nodeName"] for pod in bound}
