"""A refused pod that fits by now is asked about again, though nothing happened in the cluster.

A promise that ends by time is no event: kube-scheduler would look at the pod again after five
minutes. Who promised here is this test, in the place of a scheduler that asked and never bound.
"""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING

import pytest

from service_runtime.kube.api import PODS
from tests.cluster.fleet import gpu_nodes
from tests.cluster.waiting import wait_until
from tests.scheduler_extender.service.harness import share_pod
from tests.scheduler_extender.service.test_bad_input_harms_nobody import request

if TYPE_CHECKING:
    from tests.cluster.control_plane import ControlPlane
    from tests.cluster.fleet import Fleet
    from tests.scheduler_extender.service.harness import Extender, Installation

ASSUME_S = 6.0
FLUSH_S = 300.0
"""After this long kube-scheduler looks at every refused pod by itself."""


@pytest.mark.prove
def test_it_is_bound_soon_after_the_promise_has_ended(
    control_plane: ControlPlane, installation: Installation, extender: Extender, fleet: Fleet
) -> None:
    """Refused because of a pod under way that never comes; bound within seconds of its time."""
    prefix = f"{fleet.namespace}-l4"
    fleet.add_nodes(gpu_nodes(1, "L4", 1, prefix=prefix, gpu_memory_mib=24_576))
    extender.start(accounting={"assume_s": ASSUME_S}).wait_leading()
    name = f"ours-{fleet.namespace}"
    with installation.scheduler(name, extender.port()):
        wait_until("a promise", lambda: _kept(extender, f"{prefix}-0"))
        fleet.add_pods([share_pod("next", name, {"nvidia.com/gpucores": "60"})])
        refused = wait_until(
            "a refusal",
            lambda: control_plane.wire.get(PODS, "next", fleet.namespace)["status"],
            lambda status: any(
                one["type"] == "PodScheduled" for one in status.get("conditions", ())
            ),
        )
        begun_s = time.monotonic()
        fleet.wait_bound(1, limit_s=FLUSH_S / 2)
        waited_s = time.monotonic() - begun_s

    assert "not enough free GPU" in json.dumps(refused)
    assert waited_s < FLUSH_S / 4
    assert extender.events("schedulers_nudged")


def _kept(extender: Extender, node: str) -> bool:
    asked = request([node], {"nvidia.com/gpucores": "70"})
    kept: list[str] = json.loads(extender.ask("/guard/filter", asked).body)["NodeNames"]
    return kept == [node]
