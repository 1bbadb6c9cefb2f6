"""Two scripts of the queue against a real scheduler: what a refusal's text costs (Q8).

An extender refuses every node of an idle scheduler and counts how often it is asked.
"""

from __future__ import annotations

import time
from collections import Counter
from typing import TYPE_CHECKING, Any

from service_runtime.kube.api import PODS
from tests.cluster.waiting import NotInTime, wait_until
from tests.simulations.kube.answering import recording_extender
from tests.simulations.kube.recorder import add_nodes, loud_scheduler
from tests.simulations.kube.workload import mixed_nodes

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from tests.cluster.control_plane import ControlPlane
    from tests.cluster.fleet import Fleet

QUIET_S = 3.0
"""Twice the longest wait that a first back-off can be."""
TEXTS_BEFORE_PATIENCE = 10


class Refusing:
    """Keeps no node, and says why in a text that is constant or tells the number of the call."""

    def __init__(self, *, varies: bool) -> None:
        self._varies = varies
        self.asked: Counter[str] = Counter()

    def keep(self, pod: dict[str, Any], _names: Sequence[str]) -> list[str]:
        """None."""
        self.asked[pod["metadata"]["name"]] += 1
        return []

    def scores(self, _pod: dict[str, Any], _names: Sequence[str]) -> Mapping[str, int]:
        """Never asked."""
        return {}

    def refusal(self, pod: dict[str, Any]) -> str:
        """Constant, or another one each time."""
        calls = self.asked[pod["metadata"]["name"]]
        return f"{calls} GiB are free" if self._varies else "no node can hold it"


def asked_about_one_pod(plane: ControlPlane, fleet: Fleet, name: str, refusing: Refusing) -> int:
    """How often a scheduler asks about a pod until it has been quiet, or asked ten times."""
    add_nodes(fleet, mixed_nodes(5, seed=1, prefix=name))
    with recording_extender(refusing) as extender:
        configuration = {
            "profiles": [{"schedulerName": name}],
            "extenders": extender.entries(1),
        }
        pod = {
            "metadata": {"name": name},
            "spec": {
                "schedulerName": name,
                "containers": [{"name": "c", "image": "img.invalid/a"}],
                "tolerations": [{"operator": "Exists"}],
            },
        }
        with loud_scheduler(plane, name, configuration):
            plane.wire.create(PODS, pod, fleet.namespace)
            wait_until(f"a call about {name}", lambda: refusing.asked[name])
            _settle(refusing, name)
    return refusing.asked[name]


def _settle(refusing: Refusing, name: str) -> None:
    """Return once nobody has asked for a while, or too often for it to be over."""
    seen, since_s = 0, time.monotonic()

    def is_over() -> bool:
        nonlocal seen, since_s
        if refusing.asked[name] != seen:
            seen, since_s = refusing.asked[name], time.monotonic()
        return seen >= TEXTS_BEFORE_PATIENCE or time.monotonic() - since_s > QUIET_S

    try:
        wait_until("quiet", is_over, limit_s=60.0)
    except NotInTime as problem:
        raise AssertionError(f"asked {seen} times, and still not quiet") from problem


def test_a_constant_text_costs_two_attempts(control_plane: ControlPlane, fleet: Fleet) -> None:
    """The first refusal patches the condition, which wakes the pod once; then it is quiet."""
    refusing = Refusing(varies=False)

    assert asked_about_one_pod(control_plane, fleet, "constant", refusing) == 2


def test_a_varying_text_never_ends(control_plane: ControlPlane, fleet: Fleet) -> None:
    """A text that tells an amount makes the scheduler ask again and again, back-off or not."""
    refusing = Refusing(varies=True)

    calls = asked_about_one_pod(control_plane, fleet, "varying", refusing)

    assert calls >= TEXTS_BEFORE_PATIENCE
