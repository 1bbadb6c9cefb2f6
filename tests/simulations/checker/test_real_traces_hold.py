"""Whole runs on the real trace, every policy, filled and replayed, recomputed from their logs.

Long, so they belong to `make prove`. They must not pick the policies that are known to pass.
"""

from __future__ import annotations

import pytest

from scheduler_extender.placement.choice import TieBreak
from scheduler_extender.placement.registry import POLICIES
from simulations.arrivals import PoissonArrivals, TraceArrivals
from simulations.checker import check_run
from simulations.inflation import Inflation, inflate
from simulations.replay import Replay, replay
from tests.traces import OPENB, openb_fleet, openb_pods

pytestmark = [pytest.mark.prove, pytest.mark.traces]


@pytest.mark.parametrize("variant", OPENB)
@pytest.mark.parametrize("policy", POLICIES)
def test_a_filled_fleet_holds(policy: str, variant: str) -> None:
    """Every pod that is rejected fits nowhere, and nothing is oversubscribed."""
    fleet, pods = openb_fleet(), openb_pods(variant)
    tie_break = list(TieBreak)[OPENB.index(variant) % 2]
    run = inflate(Inflation(fleet, pods, policy, 42, tie_break=tie_break, keep_log=True))
    verdict = check_run(fleet, pods, run.log)

    assert run.rejected == verdict.rejected == verdict.refusals_proved > 0


@pytest.mark.parametrize("policy", POLICIES)
@pytest.mark.parametrize(
    "arrivals",
    [
        pytest.param(TraceArrivals(load=1.0), id="trace-shaped"),
        pytest.param(PoissonArrivals(load=0.95, days=0.5), id="stationary"),
    ],
)
def test_a_replay_holds(policy: str, arrivals: TraceArrivals | PoissonArrivals) -> None:
    """No pod is lost between arrival, waiting, running and departure."""
    fleet, pods = openb_fleet(), openb_pods("default")
    run = replay(Replay(fleet, pods, policy, 42, arrivals, keep_log=True))
    verdict = check_run(fleet, pods, run.log)

    assert run.rejected == verdict.rejected
    assert run.waiting_at_end == verdict.waiting
    assert verdict.departed > 0
