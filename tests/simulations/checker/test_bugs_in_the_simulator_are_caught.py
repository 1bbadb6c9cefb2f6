"""Bugs planted into the simulator itself, not into its log: the checker bites all the same.

Each bug is one that a careless change could bring back. These tests must not edit a log.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from gpu_fleet.cluster_view import ClusterView
from gpu_fleet.errors import InvariantBroken
from gpu_fleet.pods import Pod
from gpu_fleet.scores import INFEASIBLE
from scheduler_extender.placement.best_fit import BestFit
from simulations import replay as replay_module
from simulations.arrivals import TraceArrivals
from simulations.checker import check_run
from simulations.inflation import Inflation, inflate
from simulations.replay import Replay, replay
from simulations.workload import TracedPod, Workload
from tests.fleets import inventory, node, shape

if TYPE_CHECKING:
    from numpy.typing import NDArray

FLEET = inventory(node("one", gpus=2), node("two", gpus=2))
PODS = Workload(
    "tests",
    tuple(
        TracedPod(Pod(f"pod-{at}", shape(gpus=1, milli=(1_000, 500, 300)[at % 3])), at, at + 9)
        for at in range(24)
    ),
)


def replayed() -> str:
    """The log of a replay in which pods wait and depart."""
    spec = Replay(FLEET, PODS, "best-fit", 1, TraceArrivals(), kernels=False, keep_log=True)
    return replay(spec).log


def inflated() -> str:
    """The log of a fleet that is filled beyond its size."""
    return inflate(Inflation(FLEET, PODS, "best-fit", 1, kernels=False, keep_log=True)).log


def test_without_a_bug_both_logs_hold() -> None:
    """The setting itself is honest, and busy enough to show each bug."""
    held = check_run(FLEET, PODS, replayed())

    assert held.departed > 5
    assert held.refusals_proved > 0
    assert check_run(FLEET, PODS, inflated()).rejected > 0


def test_a_view_that_forgets_to_take_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    """Double placement: devices are handed out again while they are in use."""
    monkeypatch.setattr(ClusterView, "_take", lambda *_: None)

    with pytest.raises(InvariantBroken, match="oversubscribed"):
        check_run(FLEET, PODS, inflated())


def test_a_departure_that_never_happens_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    """Lost departure: an event is swallowed, the pod keeps its place for ever."""
    honest = replay_module._World._depart

    def forgetful(world: replay_module._World, now_ns: int, number: int, b: int) -> None:
        if number != 3:
            honest(world, now_ns, number, b)

    monkeypatch.setattr(replay_module._World, "_depart", forgetful)

    with pytest.raises(InvariantBroken, match=r"pod pod-3#3 .* is lost"):
        check_run(FLEET, PODS, replayed())


def test_a_policy_that_wins_by_refusing_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    """A node left out of the totals: pods are refused that fit there."""
    honest = BestFit.totals

    def shy(
        policy: BestFit, view: ClusterView, shape_id: int, columns: NDArray[np.int64]
    ) -> NDArray[np.int64]:
        return np.where(columns == 1, INFEASIBLE, honest(policy, view, shape_id, columns))

    monkeypatch.setattr(BestFit, "totals", shy)

    with pytest.raises(InvariantBroken, match="refused although it fits on node two"):
        check_run(FLEET, PODS, inflated())


def test_a_log_of_other_nodes_is_caught() -> None:
    """A run that used another inventory does not vouch for this one."""
    other = inventory(node("one", gpus=2), node("three", gpus=2))

    with pytest.raises(InvariantBroken, match="not in the inventory"):
        check_run(other, PODS, replayed())
