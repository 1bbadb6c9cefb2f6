"""The judge bites: each bug that a ledger may have, planted, is found within a few interleavings.

A proof that never fails proves nothing. A bug that no interleaving finds is a hole in the proof.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import run_state_machine_as_test

from gpu_fleet.refusals import Refusal
from scheduler_extender.accounting.ledger import Ledger
from tests.scheduler_extender.safety.interleavings import Interleavings

if TYPE_CHECKING:
    from collections.abc import Iterable

    import numpy as np
    from numpy.typing import NDArray

    from gpu_fleet.pods import PodShape
    from scheduler_extender.accounting.assumption import Assumption
    from scheduler_extender.objects.observed import ObservedPod

UNTIL_FOUND = settings(
    max_examples=1_500,
    stateful_step_count=50,
    deadline=None,
    derandomize=True,
    database=None,
    print_blob=False,
    report_multiple_bugs=False,
    phases=[Phase.generate],
    suppress_health_check=list(HealthCheck),
)


class AssumesNothing(Ledger):
    """What was answered is forgotten at once."""

    def promise(self, uid: str, shape: PodShape, may_land: NDArray[np.bool_], now_ns: int) -> None:
        """Nothing."""

    def assume(self, uid: str, node: str) -> None:
        """Nothing."""


class TrustsTheBestNode(Ledger):
    """A pod can only land where it is counted."""

    def flights(self, uid: str) -> list[Assumption]:
        """As if nobody were ever bound elsewhere."""
        return [one for one in super().flights(uid) if one.seat is None]


class NeverExpires(Ledger):
    """Promises last for ever."""

    def expire(self, now_ns: int) -> int:  # noqa: ARG002 - that is the bug
        """Nothing."""
        return 0


class ExpiresTooSoon(Ledger):
    """Promises end while their pod may still be bound."""

    def expire(self, now_ns: int) -> int:
        """As if much time had passed."""
        return super().expire(now_ns + self.settings.assume_ns * 29 // 30)


class ForgetsToWithdraw(Ledger):
    """A pod that is asked about again is promised a second time, its old seat kept for nobody."""

    def withdraw(self, uid: str) -> None:
        """Forget the promise and leave the pod where it is counted."""
        flight = self._flights.pop(uid, None)
        if flight is not None and flight.seat is not None:
            seat = self.view.release(uid)
            self.view.seat(f"left of {uid}", seat.shape_id, seat.slot, seat.devices)


class CountsARelistTwice(Ledger):
    """A new list puts bound pods beside those that are there."""

    def replace_pods(self, pods: Iterable[ObservedPod], version: int, now_ns: int) -> None:
        """Count them under other names as well."""
        listed = list(pods)
        super().replace_pods(listed, version, now_ns)
        for uid in [pod.uid for pod in listed if pod.node is not None]:
            held = self.view.placement(uid)
            again = f"again {uid}"
            if held is not None and self.view.placement(again) is None:
                self.view.seat(again, held.shape_id, held.slot, held.devices)


class MixesDevicesUp(Ledger):
    """What is told of devices is taken for the opposite."""

    def _told(self, pod: ObservedPod, shape: PodShape, node: str) -> tuple[int, ...] | None:
        told = super()._told(pod, shape, node)
        there = len(self.view.node(self.view.slot(node)).devices)
        return told and tuple(sorted((there - 1 - device) % there for device in told))


class DeletesByName(Ledger):
    """The end of a pod ends whoever has its name now."""

    def pod_gone(self, uid: str, version: int = 0) -> None:  # noqa: ARG002 - so
        """By a name that may be another pod's by now."""
        known = self._names.get(uid)
        super().pod_gone(self._uids.get(known, uid) if known else uid, 0)

    def pod_seen(self, pod: ObservedPod, now_ns: int) -> None:
        """Remember its name for good."""
        self._names[pod.uid] = pod.name
        super().pod_seen(pod, now_ns)

    @property
    def _names(self) -> dict[str, str]:
        return NAMES.setdefault(id(self), {})


NAMES: dict[int, dict[str, str]] = {}


class TrustsAtOnceAfterATakeover(Ledger):
    """A new leader acts as if its predecessor had promised nothing."""

    def take_over(self, now_ns: int) -> None:
        """Nothing."""


class InheritsNothing(Ledger):
    """A new leader is silent for a while, and then forgets what may still be under way."""

    def _inherit(self, pod: ObservedPod, now_ns: int) -> None:
        """Nothing."""


class BelievesLateEvents(Ledger):
    """Whatever a watch shows is taken for the present."""

    def _is_news(self, pod: ObservedPod) -> bool:
        self._gone.pop(pod.uid, None)
        return self._pods.get(pod.uid) != pod


class LosesPodsWithTheirNode(Ledger):
    """A node that comes back is taken to be empty."""

    def node_gone(self, name: str, version: int = 0) -> None:
        """And so are its pods."""
        super().node_gone(name, version)
        if name not in self.view:
            self._bound.pop(name, None)
            for uid, pod in list(self._pods.items()):
                if pod.node == name:
                    self._pods[uid] = replace(pod, node=None)


class NeverSeesTooMuch(Ledger):
    """A node that has given out too much looks like any other."""

    def _doubt(self, node: str, slot: int) -> Refusal:  # noqa: ARG002 - that is the bug
        return Refusal.NONE


class KeepsFinishedPods(Ledger):
    """A pod that has succeeded goes on holding its devices."""

    def pod_seen(self, pod: ObservedPod, now_ns: int) -> None:
        """As if it ran."""
        super().pod_seen(replace(pod, finished=False), now_ns)


RARE = [pytest.param(bug, marks=pytest.mark.prove) for bug in (TrustsTheBestNode, ExpiresTooSoon)]
"""It takes hundreds of interleavings until one of these shows."""
BUGS = [
    *RARE,
    AssumesNothing,
    NeverExpires,
    ForgetsToWithdraw,
    CountsARelistTwice,
    MixesDevicesUp,
    DeletesByName,
    TrustsAtOnceAfterATakeover,
    InheritsNothing,
    BelievesLateEvents,
    LosesPodsWithTheirNode,
    NeverSeesTooMuch,
    KeepsFinishedPods,
]


@pytest.mark.parametrize("bug", BUGS, ids=lambda bug: bug.__name__)
def test_a_planted_bug_is_caught(bug: type[Ledger]) -> None:
    """Some interleaving breaks what the ledger promises."""
    machine = type(bug.__name__, (Interleavings,), {"ledger": bug})

    with pytest.raises(Exception):  # noqa: B017, PT011 - a bug shows as whatever it shows as
        run_state_machine_as_test(machine, settings=UNTIL_FOUND)
