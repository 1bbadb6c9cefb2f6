"""Whatever the fleet, the pods, the policy and the tie-break: what the simulator does holds.

The fleets are small and ugly on purpose (tests/fleets.py). This is the property that every other
number rests on; it must not be weakened by avoiding an input.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gpu_fleet.pods import Pod
from scheduler_extender.placement.choice import TieBreak
from scheduler_extender.placement.registry import POLICIES
from simulations.arrivals import PoissonArrivals, TraceArrivals
from simulations.checker import check_run
from simulations.inflation import Inflation, inflate
from simulations.replay import Replay, replay
from simulations.workload import Inventory, TracedPod, Workload
from tests.fleets import fleets, inventory, node, shape, timed_workloads, workloads

if TYPE_CHECKING:
    from gpu_fleet.nodes import Node

EACH = settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
TIE_BREAKS = st.sampled_from(TieBreak)
SEEDS = st.integers(0, 1_000)


@EACH
@given(nodes=fleets(), pods=workloads(), tie_break=TIE_BREAKS, seed=SEEDS)
def test_a_filled_fleet_holds(
    nodes: tuple[Node, ...], pods: Workload, tie_break: TieBreak, seed: int
) -> None:
    """Inflation: nothing is oversubscribed, and every pod that fits is placed."""
    fleet = Inventory("tests", nodes)
    for policy in POLICIES:
        spec = Inflation(
            fleet, pods, policy, seed, tie_break=tie_break, kernels=False, keep_log=True
        )
        run = inflate(spec)
        verdict = check_run(fleet, pods, run.log)

        assert run.rejected == verdict.rejected == verdict.refusals_proved, policy


@EACH
@given(
    nodes=fleets(most=4),
    pods=timed_workloads(),
    tie_break=TIE_BREAKS,
    seed=SEEDS,
    arrivals=st.sampled_from((TraceArrivals(), TraceArrivals(scale=3, jitter_s=20, speedup=2.0))),
)
def test_a_replay_holds(
    nodes: tuple[Node, ...],
    pods: Workload,
    tie_break: TieBreak,
    seed: int,
    arrivals: TraceArrivals,
) -> None:
    """Replay: pods come, wait, run and depart, and none is lost or counted twice."""
    fleet = Inventory("tests", nodes)
    for policy in POLICIES:
        spec = Replay(
            fleet, pods, policy, seed, arrivals, tie_break=tie_break, kernels=False, keep_log=True
        )
        run = replay(spec)
        verdict = check_run(fleet, pods, run.log)

        assert verdict.arrived == len(pods.pods) * arrivals.scale, policy
        assert run.rejected == verdict.rejected, policy
        assert run.waiting_at_end == verdict.waiting, policy


@pytest.mark.parametrize("policy", POLICIES)
@pytest.mark.parametrize("seed", [1, 2])
def test_a_stationary_replay_holds(policy: str, seed: int) -> None:
    """Poisson arrivals beyond capacity, with pods half-way through their lives at the start."""
    fleet = inventory(node("one", gpus=2), node("two", gpus=4, cpus=6), node("three", gpus=1))
    asked = (shape(gpus=1), shape(gpus=1, milli=460), shape(gpus=2), shape(cpus=3), shape(gpus=8))
    pods = Workload(
        "tests",
        tuple(
            TracedPod(Pod(f"pod-{at}", each), at, at + 60 * (1 + at))
            for at, each in enumerate(asked)
        ),
    )
    arrivals = PoissonArrivals(load=4.0, days=0.05)
    run = replay(Replay(fleet, pods, policy, seed, arrivals, kernels=False, keep_log=True))
    verdict = check_run(fleet, pods, run.log)

    assert verdict.departed > 0
    assert 0 < run.rejected == verdict.rejected
    assert run.waiting_at_end == verdict.waiting
    assert verdict.refusals_proved > verdict.rejected  # some had to wait
