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
GROWING_S = 25.0


PATIENCE = pytest.mark.parametrize("patient", [False, True], ids=["as-shipped", "patient"])


@pytest.mark.prove
@PATIENCE
def test_a_burst_is_placed_and_freed_gpus_are_found(
    control_plane: ControlPlane,
    installation: Installation,
    extender: Extender,
    fleet: Fleet,
    patient: bool,
) -> None:
    """40 shares at once are bound within 10 s; each that waits follows when a GPU is free.

    A patient scheduler lets a pod that was just refused wait out its back-off, of up to 11 s.
    """
    followers = 6 if patient else 20
    prefix = f"{fleet.namespace}-l4"
    fleet.add_nodes(gpu_nodes(5, "L4", 4, prefix=prefix, gpu_memory_mib=24_576))
    extender.start().wait_leading()
    name = f"ours-{fleet.namespace}"
    half = {"nvidia.com/gpucores": "50"}
    with installation.scheduler(name, extender.port(), patient=patient):
        begun_s = time.monotonic()
        fleet.add_pods(share_pod(f"burst-{n}", name, half) for n in range(40))
        fleet.wait_bound(40, limit_s=60)
        burst_s = time.monotonic() - begun_s
        fleet.add_pods(share_pod(f"late-{n}", name, half) for n in range(followers))
        waits_s = []
        for n in range(followers):
            wait_until("a refusal", lambda: _refused(fleet) == followers - n, limit_s=60)  # noqa: B023
            freed_s = time.monotonic()
            control_plane.wire.delete(PODS, f"burst-{n}", fleet.namespace)
            wait_until("a follower", lambda: _waiting(fleet) < followers - n, limit_s=60)  # noqa: B023
            waits_s.append(time.monotonic() - freed_s)
        stuck = _waiting(fleet)

    assert stuck == 0
    assert burst_s <= 10.0
    record(
        f"extender-burst{'-patient' * patient}",
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
@PATIENCE
def test_what_nothing_can_hold_costs_next_to_nothing(
    control_plane: ControlPlane,
    installation: Installation,
    extender: Extender,
    fleet: Fleet,
    patient: bool,
) -> None:
    """50 impossible pods cost less than 5 % of a core, and hardly a call in a quiet cluster.

    A constant refusal gives kube-scheduler no reason to ask again. In a cluster where something
    happens it asks about every refused pod after each event; while it has nothing else to do it
    passes over its own back-off (1.33 and later), which is its own rate. A patient one keeps to its
    back-off, which grows to 10 s with each attempt: less than N/10 calls a second, once grown.
    """
    prefix = f"{fleet.namespace}-l4"
    fleet.add_nodes(gpu_nodes(100, "L4", 4, prefix=prefix, gpu_memory_mib=24_576))
    extender.start().wait_leading()
    name = f"ours-{fleet.namespace}"
    with (
        tapped(installation, extender.port) as tap,
        installation.scheduler(name, tap.port, patient=patient),
    ):
        fleet.add_pods(
            share_pod(f"giant-{n}", name, {"nvidia.com/gpumem": "90001"}) for n in range(50)
        )
        wait_until("refusals", lambda: _refused(fleet) == 50, limit_s=60)
        time.sleep(5.0)  # what follows is measured, not waited for
        quiet = _Watched(tap, extender)
        time.sleep(QUIET_S)
        quiet_rate, quiet_cores = quiet.rates()
        growing = _Watched(tap, extender)
        _keep_busy(control_plane, fleet, name, GROWING_S)
        growing_rate, _ = growing.rates()
        moving = _Watched(tap, extender)
        _keep_busy(control_plane, fleet, name, WATCHED_S)
        rate, cores = moving.rates()

    record(
        f"extender-impossible-pods{'-patient' * patient}",
        [
            {
                "impossible pods": 50,
                "nodes": 100,
                "quiet: filter calls a second about them": round(quiet_rate, 2),
                "quiet: cores used by the extender": round(quiet_cores, 4),
                "while back-offs grow: filter calls a second about them": round(growing_rate, 2),
                "a pod comes and one goes every 2 s: filter calls a second about them": round(
                    rate, 2
                ),
                "a pod comes and one goes every 2 s: cores used by the extender": round(cores, 4),
            }
        ],
    )

    assert quiet_rate < 50 / 10
    assert quiet_cores < 0.05
    assert cores < 0.05
    if not patient and rate >= 50 / 10:
        pytest.xfail(f"as shipped the scheduler's own rate is not met: {rate:.1f} calls a second")
    assert rate < 50 / 10


def _keep_busy(control_plane: ControlPlane, fleet: Fleet, scheduler: str, for_s: float) -> None:
    """Every 2 s a small pod comes and the one before it goes."""
    begun_s = time.monotonic()
    before = ""
    while time.monotonic() - begun_s < for_s:
        made = f"small-{time.monotonic_ns()}"
        fleet.add_pods([share_pod(made, scheduler, {"nvidia.com/gpucores": "1"})])
        if before:
            control_plane.wire.delete(PODS, before, fleet.namespace)
        before = made
        time.sleep(2.0)


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
