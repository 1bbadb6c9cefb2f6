"""A Karpenter ends with its test: its process, its machines and every object it had a hold on.

Its finalizers keep what it made until it lets go, so a careless end would leave nodes for ever.
What it buys is decided by the market it was started with, which is this test's own.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from service_runtime.kube.api import NODES
from tests.cluster.fleet import PodShape, pods
from tests.cluster.karpenter.instance_types import INSTANCE_TYPE_LABEL, InstanceType
from tests.cluster.karpenter.objects import NODE_CLAIMS, NODE_CLASSES, NODE_POOLS, node_pool
from tests.cluster.karpenter.peer import Settings, start_karpenter
from tests.cluster.waiting import wait_until

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.cluster.control_plane import ControlPlane
    from tests.cluster.fleet import Fleet

pytestmark = pytest.mark.prove


def test_what_it_bought_goes_with_it(
    control_plane: ControlPlane, fleet: Fleet, cluster_tell: Callable[[str], None]
) -> None:
    """A node in use is gone after the context, and so are the pool, its class and the claim."""
    wire = control_plane.wire
    market = Settings(for_rent=(InstanceType("tiny.2", 2, 8),))
    with start_karpenter(control_plane, market, tell=cluster_tell) as karpenter:
        karpenter.add_pool(node_pool("tiny", node_class="tiny"))
        fleet.add_pods(pods(PodShape(), 1))
        (node,) = wait_until("a node that was bought", karpenter.nodes, limit_s=90)

    assert node["metadata"]["labels"][INSTANCE_TYPE_LABEL] == "tiny.2"
    assert karpenter.running.ended_with is not None
    for resource in (NODE_POOLS, NODE_CLASSES, NODE_CLAIMS):
        assert wire.items(resource) == []
    assert node["metadata"]["name"] not in {each["metadata"]["name"] for each in wire.items(NODES)}
