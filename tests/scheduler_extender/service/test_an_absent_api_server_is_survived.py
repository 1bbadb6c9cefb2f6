"""The API server goes away for a minute: the view ages, says so, and heals by itself.

The guard must not promise what it can no longer see; the scorer's word is worth having at any age,
marked. Leadership ends with the Lease that cannot be renewed, and that alone would silence both, so
the Lease is long here. Nothing may need a restart.
"""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING

import pytest

from tests.cluster.fleet import gpu_nodes
from tests.cluster.waiting import wait_until
from tests.scheduler_extender.service.test_bad_input_harms_nobody import request

if TYPE_CHECKING:
    from tests.cluster.control_plane import ControlPlane
    from tests.cluster.fleet import Fleet
    from tests.scheduler_extender.service.harness import Answer, Extender

ABSENT_S = 60.0
LONG_LEASE = {"lease_duration_s": 200, "renew_deadline_s": 180.0}


@pytest.mark.prove
def test_the_guard_refuses_the_scorer_is_marked_and_both_recover(
    control_plane: ControlPlane, extender: Extender, fleet: Fleet
) -> None:
    """A minute without it: refused by a constant phrase, marked with the age, well again after."""
    prefix = f"{fleet.namespace}-l4"
    fleet.add_nodes(gpu_nodes(1, "L4", 1, prefix=prefix, gpu_memory_mib=24_576))
    name = f"{prefix}-0"
    extender.start(leadership=LONG_LEASE).wait_leading()
    wait_until("a good answer", lambda: _kept(extender, "guard", name) == [name])
    before = extender.ask("/guard/filter", request([name]))
    control_plane.kill("kube-apiserver")
    begun_s = time.monotonic()
    try:
        refused = wait_until(
            "a stale view",
            lambda: json.loads(extender.ask("/guard/filter", request([name])).body),
            lambda seen: seen["FailedAndUnresolvableNodes"],
            limit_s=ABSENT_S,
        )
        stale_s = time.monotonic() - begun_s
        whole = request([name], {"nvidia.com/gpu": "1"})
        marked: Answer = extender.ask("/scorer/filter", whole)
        ranked = extender.ask("/scorer/prioritize", whole)
        unready = extender.wait_ready(503)
        time.sleep(max(0.0, ABSENT_S - (time.monotonic() - begun_s)))
    finally:
        control_plane.start("kube-apiserver")
    back_s = time.monotonic()
    wait_until("a good answer", lambda: _kept(extender, "guard", name) == [name], limit_s=60)
    healed_s = time.monotonic() - back_s
    extender.wait_ready()

    assert before.headers.get("Synthscale-View-Stale") is None
    assert float(before.headers["Synthscale-View-Age-Seconds"]) < 25
    assert refused["FailedAndUnresolvableNodes"] == {name: "view is stale"}
    assert refused["Error"] == ""
    assert stale_s < ABSENT_S
    assert json.loads(marked.body)["NodeNames"] == [name]
    assert marked.headers["Synthscale-View-Stale"] == "true"
    assert float(marked.headers["Synthscale-View-Age-Seconds"]) > 30
    assert json.loads(ranked.body) == [{"Host": name, "Score": 10}]
    assert b"[-]view failed: last current" in unready.body
    assert healed_s < 30


def _kept(extender: Extender, entry: str, name: str) -> list[str] | None:
    answer = extender.ask(f"/{entry}/filter", request([name]))
    kept: list[str] | None = json.loads(answer.body)["NodeNames"]
    return kept
