"""Where pods come and go: least-loss beside the baselines and beside FGD-S, by paired seeds.

Stationary: openb's pods created after day 111, each with its own lifetime, at Poisson times.
Trace-shaped: their own creation times, 75 copies moved by up to two days, on a quarter of the fleet
(every fourth node), which keeps the bursts, offers a load of 1.0 and makes ten seeds affordable.
"""

from __future__ import annotations

import os
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from scheduler_extender.placement.choice import TieBreak
from simulations.arrivals import PoissonArrivals, TraceArrivals
from simulations.replay import Replay, ReplayRun, replay
from simulations.statistics import mean_interval, paired_difference
from tests.baselines.fgd_s import FgdS
from tests.figures import record
from tests.prove.study import REPORT_SEEDS
from tests.traces import openb_fleet, openb_pods

if TYPE_CHECKING:
    from simulations.statistics import Estimate

pytestmark = pytest.mark.prove

POLICIES = ("least-loss", "fgd-s", "fgd", "best-fit", "least-allocated")
FIRST_BUSY_DAY_S = 111 * 86_400
STATIONARY_DAYS = 1.5
WARM_UP = 0.3
COPIES = 75


def runs(arrivals: PoissonArrivals | TraceArrivals, share: int) -> dict[str, list[ReplayRun]]:
    """Every policy on every seed; ties are fixed, which favours the baselines."""
    fleet = openb_fleet()
    fleet = replace(fleet, nodes=fleet.nodes[::share])
    pods = openb_pods("default")
    specs = [
        Replay(
            fleet,
            pods,
            policy,
            seed,
            arrivals,
            tie_break=TieBreak.FIXED,
            warm_up=WARM_UP,
            build=FgdS if policy == "fgd-s" else None,
        )
        for policy in POLICIES
        for seed in REPORT_SEEDS
    ]
    with ProcessPoolExecutor(len(os.sched_getaffinity(0))) as workers:
        made = list(workers.map(replay, specs))
    many = len(REPORT_SEEDS)
    return {policy: made[at * many : (at + 1) * many] for at, policy in enumerate(POLICIES)}


def difference(results: dict[str, list[ReplayRun]], what: str) -> Estimate:
    """least-loss less FGD-S, seed by seed."""
    return paired_difference(
        [getattr(run, what) for run in results["least-loss"]],
        [getattr(run, what) for run in results["fgd-s"]],
    )


def keep(name: str, results: dict[str, list[ReplayRun]]) -> None:
    """Write the table of one regime."""
    rows = []
    for policy, some in results.items():
        row: dict[str, object] = {"policy": policy, "seeds": "42..51"}
        for what in (
            "offered_load",
            "allocated_gpu_time_avg",
            "stranded_gpu_time_avg",
            "mean_wait_s",
            "waiting_at_end",
        ):
            row[what] = round(mean_interval([getattr(run, what) for run in some]).mean, 3)
        rows.append(row)
    for what in ("allocated_gpu_time_avg", "stranded_gpu_time_avg", "mean_wait_s"):
        gap = difference(results, what)
        rows.append(
            {
                "difference": f"least-loss less fgd-s, {what}",
                "mean": round(gap.mean, 3),
                "ci95": [round(end, 3) for end in (gap.lo, gap.hi) if end is not None],
            }
        )
    record(name, rows)


@pytest.mark.parametrize("load", [0.90, 0.95])
def test_below_saturation_least_loss_allocates_what_fgd_s_does(load: float) -> None:
    """Whole nodes decide there; allocated GPU is never more than 0.1 points below FGD-S."""
    results = runs(PoissonArrivals(load, STATIONARY_DAYS, FIRST_BUSY_DAY_S), share=1)
    keep(f"replay_stationary_{load:.2f}", results)

    assert difference(results, "allocated_gpu_time_avg").mean >= -0.1


@pytest.mark.parametrize("load", [1.05, 1.3])
def test_in_overload_least_loss_strands_less_than_fgd_s(load: float) -> None:
    """The queue always has somebody for a hole that is worth something."""
    results = runs(PoissonArrivals(load, STATIONARY_DAYS, FIRST_BUSY_DAY_S), share=1)
    keep(f"replay_stationary_{load:.2f}", results)

    assert difference(results, "stranded_gpu_time_avg").mean < 0


def test_in_bursts_least_loss_allocates_no_less_than_fgd_s() -> None:
    """The same parameters are as good where quiet and busy days alternate."""
    arrivals = TraceArrivals(scale=COPIES, skip_s=FIRST_BUSY_DAY_S)
    results = runs(arrivals, share=4)
    keep("replay_trace_shaped", results)

    assert difference(results, "allocated_gpu_time_avg").mean >= 0
