"""Runs many experiments of a proof; the proofs themselves only state what must hold."""

from __future__ import annotations

from typing import TYPE_CHECKING

from simulations.inflation import Inflation, InflationRun, inflate
from simulations.learned_mix import MixSource
from simulations.statistics import mean_interval
from tests.traces import openb_fleet, openb_pods

if TYPE_CHECKING:
    from collections.abc import Sequence

    from scheduler_extender.placement.choice import TieBreak

__all__ = ["REPORT_SEEDS", "allocated", "inflation_runs", "row"]

REPORT_SEEDS = tuple(range(42, 52))


def inflation_runs(
    variant: str,
    policy: str,
    tie_break: TieBreak,
    mix: MixSource = MixSource(),
    *,
    keep_log: bool = False,
) -> list[InflationRun]:
    """The published protocol on an openb variant, for all reported seeds."""
    return [
        inflate(
            Inflation(
                openb_fleet(),
                openb_pods(variant),
                policy,
                seed,
                tie_break=tie_break,
                keep_log=keep_log,
                mix=mix,
            )
        )
        for seed in REPORT_SEEDS
    ]


def allocated(runs: Sequence[InflationRun], arrived_percent: int) -> float:
    """Mean allocated percent at this arrived load."""
    return mean_interval([run.allocated_percent[arrived_percent] for run in runs]).mean


def row(variant: str, tie_break: TieBreak, runs: Sequence[InflationRun]) -> dict[str, object]:
    """What docs/figures keeps of one cell of a table."""
    end = mean_interval([run.allocated_percent[130] for run in runs])
    return {
        "trace": f"openb {variant}",
        "policy": runs[0].policy,
        "tie_break": tie_break.value,
        "seeds": "42..51",
        "allocated_percent_at_100": round(allocated(runs, 100), 3),
        "allocated_percent_at_130": round(end.mean, 3),
        "sd_at_130": None if end.sd is None else round(end.sd, 3),
        "rejected_mean": sum(run.rejected for run in runs) / len(runs),
    }
