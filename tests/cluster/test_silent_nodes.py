"""A node whose heartbeat stops is lost to Kubernetes, and found again when it is heard.

The control plane here waits seconds for a silent node instead of Kubernetes' fifty. What our own
services make of a lost node is told by their tests.
"""

from __future__ import annotations

import pytest

from service_runtime.kube.api import NODES
from tests.cluster.components import Settings
from tests.cluster.control_plane import start_control_plane
from tests.cluster.fleet import Fleet, gpu_nodes, is_ready

pytestmark = pytest.mark.xdist_group("control_planes_of_their_own")


def test_a_silent_node_is_lost_and_comes_back() -> None:
    """Without renewals of its lease a node is not ready, its neighbour is; heard again, both are.

    The grace is four renewals, so that a busy machine does not lose the neighbour.
    """
    with start_control_plane(Settings(node_lease_s=8, node_grace_s=8)) as plane:
        fleet = Fleet(plane.wire, "default")
        fleet.add_nodes(gpu_nodes(2, "NVIDIA-L40S", 1))
        fleet.stop_heartbeat("gpu-0")
        lost = fleet.wait_ready("gpu-0", ready=False)
        neighbour = fleet.wire.get(NODES, "gpu-1")
        fleet.resume_heartbeat("gpu-0")
        fleet.wait_ready("gpu-0", ready=True)

    assert "NodeStatusUnknown" in {each["reason"] for each in lost["status"]["conditions"]}
    assert is_ready(neighbour)
