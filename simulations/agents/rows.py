"""What the agent runs of one experiment say together: rows, differences by pairs, a verdict.

Runs with the same seed saw the same tasks, so policies are compared pair by pair.
This module must not run anything, print or draw.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from simulations.agents.losses import TERMS
from simulations.statistics import Estimate, mean_interval, paired_difference

if TYPE_CHECKING:
    from collections.abc import Sequence

    from simulations.agents.world import AgentRun

__all__ = ["PolicyResult", "against_first", "gather", "json_rows", "verdict"]


@dataclass(frozen=True, slots=True)
class PolicyResult:
    """One policy over all seeds."""

    policy: str
    runs: tuple[AgentRun, ...]

    def completion_s(self) -> Estimate:
        """Mean time from asking to being done."""
        return mean_interval([run.mean_completion_s for run in self.runs])

    def sooner_than(self, other: PolicyResult) -> Estimate:
        """The other's mean completion time less ours, seed by seed, in seconds."""
        return paired_difference(
            [run.mean_completion_s for run in other.runs],
            [run.mean_completion_s for run in self.runs],
        )

    def lost_gpu_s_per_task(self) -> dict[str, float]:
        """GPU-seconds lost by term, for a task, over all seeds."""
        tasks = sum(run.tasks for run in self.runs)
        return {
            term: sum(run.losses.gpu_seconds()[term] for run in self.runs) / tasks for term in TERMS
        }

    def mean(self, field: str) -> float:
        """The mean of one of the runs' figures over all seeds."""
        return sum(float(getattr(run, field)) for run in self.runs) / len(self.runs)


def gather(runs: Sequence[AgentRun]) -> list[PolicyResult]:
    """Runs by policy, in order of first appearance."""
    by_policy: dict[str, list[AgentRun]] = {}
    for run in runs:
        by_policy.setdefault(run.policy, []).append(run)
    return [PolicyResult(name, tuple(some)) for name, some in by_policy.items()]


def json_rows(runs: Sequence[AgentRun]) -> list[dict[str, object]]:
    """The rows that stay stable; see docs/reference/simulate-agents.schema.json."""
    return [
        {
            "policy": run.policy,
            "seed": run.seed,
            "tasks": run.tasks,
            "mean_completion_s": run.mean_completion_s,
            "p95_completion_s": run.p95_completion_s,
            "mean_wait_s": run.mean_wait_s,
            "gpu_seconds_lost": dict(run.losses.gpu_seconds()),
            "gpu_seconds_lost_total": run.losses.total_gpu_seconds,
            "bytes_moved": run.moved_bytes,
            "busy_percent": run.busy_percent,
        }
        for run in runs
    ]


def against_first(results: Sequence[PolicyResult]) -> list[Estimate | None]:
    """For each policy how much sooner than it the first one is done; None for the first itself."""
    first = results[0]
    return [None, *(first.sooner_than(other) for other in results[1:])]


def verdict(results: Sequence[PolicyResult]) -> str:
    """The answer in a sentence."""
    ranked = sorted(results, key=lambda result: result.completion_s().mean)
    best = ranked[0]
    mean_s = best.completion_s().mean
    if len(ranked) == 1:
        return f"{best.policy} completes a task in {mean_s:.0f} s on average."
    gap = best.sooner_than(ranked[1])
    sure = (
        "one seed says nothing about chance"
        if gap.half_width is None
        else f"95 % sure of {gap.lo:.0f} to {gap.hi:.0f} s"
    )
    return (
        f"{best.policy} completes a task in {mean_s:.0f} s on average, "
        f"{gap.mean:.0f} s sooner than {ranked[1].policy}, the next best ({sure})."
    )
