"""Pods that fit nowhere become machines: Karpenter picks them, KWOK plays them, the pods run.

The decisions are Karpenter's own; what is tested here is that our market, labels and control plane
let it make them. Nothing of ours decides anything.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from gpu_fleet.names import GPU_MEMORY_LABEL, GPU_MODEL_LABELS, GPU_RESOURCES
from tests.cluster.fleet import PodShape, pods
from tests.cluster.karpenter.instance_types import (
    CAPACITY_TYPE_LABEL,
    INSTANCE_TYPE_LABEL,
    ON_DEMAND,
    SPOT,
    ZONE_LABEL,
)
from tests.cluster.karpenter.objects import condition, node_pool
from tests.cluster.waiting import wait_until

if TYPE_CHECKING:
    from tests.cluster.fleet import Fleet
    from tests.cluster.karpenter.peer import Karpenter
    from tests.cluster.wire import Object

pytestmark = pytest.mark.prove

MODEL_LABEL = GPU_MODEL_LABELS[0]
BUY_LIMIT_S = 90.0
"""A batch window of a second and a launch; the rest is for a busy machine."""


def running(fleet: Fleet, n: int) -> list[Object]:
    """The test's pods, once so many of them run."""
    return wait_until(
        f"{n} running pods",
        lambda: [pod for pod in fleet.pods() if pod["status"]["phase"] == "Running"],
        lambda seen: len(seen) == n,
        limit_s=BUY_LIMIT_S,
    )


def test_a_model_that_nobody_has_is_bought(karpenter: Karpenter, fleet: Fleet) -> None:
    """Twelve pods of one H100 each become the cheapest machines with H100s that hold them."""
    karpenter.add_pool(
        node_pool("gpus", node_class="gpus", allowed={CAPACITY_TYPE_LABEL: [ON_DEMAND]})
    )
    h100 = PodShape(gpus=1, node_selector={MODEL_LABEL: "NVIDIA-H100-80GB-HBM3"})
    fleet.add_pods(pods(h100, 12))
    bound = {pod["spec"]["nodeName"] for pod in running(fleet, 12)}
    nodes = [node for node in karpenter.nodes() if node["metadata"]["name"] in bound]
    labels = [node["metadata"]["labels"] for node in nodes]
    devices = sum(int(node["status"]["allocatable"][GPU_RESOURCES[0]]) for node in nodes)

    assert {"h100.8", "h100.4"} == {label[INSTANCE_TYPE_LABEL] for label in labels}
    assert devices == 12
    assert all(label[GPU_MEMORY_LABEL] == "81559" for label in labels)
    assert all(
        (label[CAPACITY_TYPE_LABEL], label[ZONE_LABEL]) == (ON_DEMAND, "zone-a") for label in labels
    )
    assert len(karpenter.claims()) == len(nodes)


def test_spot_is_taken_where_a_pool_allows_it(karpenter: Karpenter, fleet: Fleet) -> None:
    """A pool that may buy either way buys the cheaper one, and says so on the node."""
    karpenter.add_pool(node_pool("any", node_class="any"))
    fleet.add_pods(pods(PodShape(cpu_milli=2_000, memory_mib=2_048), 1))
    running(fleet, 1)
    (node,) = karpenter.nodes()

    assert node["metadata"]["labels"][CAPACITY_TYPE_LABEL] == SPOT
    assert node["metadata"]["labels"][INSTANCE_TYPE_LABEL] == "plain.4"


def test_a_machine_that_boots_slowly_is_a_claim_first(karpenter: Karpenter, fleet: Fleet) -> None:
    """Launched at once, registered when the node appears after the pool's boot time."""
    karpenter.add_pool(node_pool("slow", node_class="slow"), boot_s=10)
    fleet.add_pods(pods(PodShape(), 1))
    (claim,) = wait_until(
        "a claim that is launched",
        karpenter.claims,
        lambda seen: seen and condition(seen[0], "Launched").get("status") == "True",
        limit_s=BUY_LIMIT_S,
    )

    assert condition(claim, "Registered").get("status") != "True"
    assert not karpenter.nodes()

    running(fleet, 1)

    assert "karpenter_nodeclaims_created_total" in karpenter.metrics()
