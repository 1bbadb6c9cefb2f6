"""Bursts are placed in seconds, freed GPUs are found, and the impossible costs next to nothing.

These are the complaints that people have of GPU schedulers: half an hour for forty pods, pods that
stay pending beside a free GPU, and a scheduler busy with pods that nothing can hold.
"""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from service_runtime.kube.api import PODS
from tests.cluster.fleet import gpu_nodes, is_bound
from tests.cluster.waiting import wait_until
from tests.figures import record
from tests.scheduler_extender.service.harness import share_pod
from tests.scheduler_extender.service.tap import tapped

if TYPE_CHECKING:
    from tests.cluster.control_plane import ControlPlane
    from tests.cluster.fleet import Fleet
    from tests.scheduler_extender.service.harness import Extender, Installation
    from tests.scheduler_extender.service.tap import Tap

TICKS_PER_S = 100
WATCHED_S = 40.0
QUIET_S = 20.0


@pytest.mark.prove
def test_a_burst_is_placed_and_freed_gpus_are_found(
    control_plane: ControlPlane, installation: Installation, extender: Extender, fleet: Fleet
) -> None:
    """40 shares at once are bound within 10 s; each that waits follows when a GPU is free."""
    prefix = f"{fleet.namespace}-l4"
    fleet.add_nodes(gpu_nodes(5, "L4", 4, prefix=prefix, gpu_memory_mib=24_576))
    extender.start().wait_leading()
    name = f"ours-{fleet.namespace}"
    configuration = installation.configuration(name, extender.port())
    half = {"nvidia.com/gpucores": "50"}
    with control_plane.second_scheduler(name, configuration):
        begun_s = time.monotonic()
        fleet.add_pods(share_pod(f"burst-{n}", name, half) for n in range(40))
        fleet.wait_bound(40, limit_s=60)
        burst_s = time.monotonic() - begun_s
        fleet.add_pods(share_pod(f"late-{n}", name, half) for n in range(20))
        waits_s = []
        for n in range(20):
            wait_until("a refusal", lambda: _refused(fleet) == 20 - n, limit_s=60)  # noqa: B023
            freed_s = time.monotonic()
            control_plane.wire.delete(PODS, f"burst-{n}", fleet.namespace)
            wait_until("a follower", lambda: _waiting(fleet) == 19 - n, limit_s=60)  # noqa: B023
            waits_s.append(time.monotonic() - freed_s)
        stuck = _waiting(fleet)

    assert stuck == 0
    assert burst_s <= 10.0
    record(
        "extender-burst",
        [
            {
                "pods": 40,
                "seconds until all are bound": round(burst_s, 2),
                "followers": len(waits_s),
                "stuck": stuck,
                "seconds from a free GPU to its follower, median": round(
                    sorted(waits_s)[len(waits_s) // 2], 2
                ),
                "seconds, worst": round(max(waits_s), 2),
            }
        ],
    )


@pytest.mark.prove
def test_what_nothing_can_hold_costs_next_to_nothing(
    control_plane: ControlPlane, installation: Installation, extender: Extender, fleet: Fleet
) -> None:
    """50 impossible pods in a quiet cluster: hardly a call, and less than 5 % of a core.

    A constant refusal gives kube-scheduler no reason to ask again. In a cluster where something
    happens it asks about every refused pod after each event, and while it has nothing else to do it
    passes over its own back-off (1.37); that rate is its own, and what it costs is recorded.
    """
    prefix = f"{fleet.namespace}-l4"
    fleet.add_nodes(gpu_nodes(100, "L4", 4, prefix=prefix, gpu_memory_mib=24_576))
    extender.start(nudge={"enabled": True}).wait_leading()
    name = f"ours-{fleet.namespace}"
    with tapped(installation, extender.port) as tap:
        configuration = installation.configuration(name, tap.port)
        with control_plane.second_scheduler(name, configuration):
            fleet.add_pods(
                share_pod(f"giant-{n}", name, {"nvidia.com/gpumem": "90001"}) for n in range(50)
            )
            wait_until("refusals", lambda: _refused(fleet) == 50, limit_s=60)
            time.sleep(5.0)  # back-off settles; what follows is measured, not waited for
            quiet = _Watched(tap, extender)
            time.sleep(QUIET_S)
            quiet_rate, quiet_cores = quiet.rates()
            moving = _Watched(tap, extender)
            begun_s = time.monotonic()
            n = 0
            while time.monotonic() - begun_s < WATCHED_S:
                fleet.add_pods([share_pod(f"small-{n}", name, {"nvidia.com/gpucores": "1"})])
                n += 1
                time.sleep(2.0)
            rate, cores = moving.rates()

    record(
        "extender-impossible-pods",
        [
            {
                "impossible pods": 50,
                "nodes": 100,
                "quiet: filter calls a second about them": round(quiet_rate, 2),
                "quiet: cores used by the extender": round(quiet_cores, 4),
                "a pod every 2 s: filter calls a second about them": round(rate, 2),
                "a pod every 2 s: cores used by the extender": round(cores, 4),
            }
        ],
    )

    assert quiet_rate < 50 / 10
    assert quiet_cores < 0.05
    if rate >= 50 / 10 or cores >= 0.05:
        pytest.xfail(f"not met while pods come: {rate:.1f} calls a second, {cores:.1%} of a core")


class _Watched:
    """What happens from now on."""

    def __init__(self, tap: Tap, extender: Extender) -> None:
        self._tap, self._extender = tap, extender
        self._calls, self._cpu_s = len(tap.calls), _cpu_s(extender)
        self._begun_s = time.monotonic()

    def rates(self) -> tuple[float, float]:
        """Calls about impossible pods a second, and cores used."""
        spent_s = time.monotonic() - self._begun_s
        new = self._tap.calls[self._calls :]
        about = sum(call.asked["Pod"]["metadata"]["name"].startswith("giant") for call in new)
        return about / spent_s, (_cpu_s(self._extender) - self._cpu_s) / spent_s


def _waiting(fleet: Fleet) -> int:
    return sum(not is_bound(pod) for pod in fleet.pods())


def _refused(fleet: Fleet) -> int:
    return sum(
        any(
            one["type"] == "PodScheduled" and one["status"] == "False"
            for one in pod["status"].get("conditions", ())
        )
        for pod in fleet.pods()
    )


def _cpu_s(extender: Extender) -> float:
    assert extender.process is not None
    fields = Path(f"/proc/{extender.process.pid}/stat").read_text(encoding="ascii").split()
    return (int(fields[13]) + int(fields[14])) / TICKS_PER_S
