"""What the inflation runs of one experiment say together: rows, a verdict, differences by pairs.

Runs with the same seed saw the same arrivals, so policies are compared pair by pair.
This module must not run anything, print or draw.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from simulations.statistics import Estimate, mean_interval, paired_difference

if TYPE_CHECKING:
    from collections.abc import Sequence

    from simulations.inflation import InflationRun

__all__ = ["PolicyResult", "gather", "json_rows", "verdict"]


@dataclass(frozen=True, slots=True)
class PolicyResult:
    """One policy over all seeds."""

    policy: str
    runs: tuple[InflationRun, ...]
    seconds: float
    """Wall time of its runs, added up over workers."""
    cpu_seconds: float

    @property
    def end(self) -> int:
        """The last whole percent of arrived load."""
        return len(self.runs[0].allocated_percent) - 1

    def allocated(self, arrived_percent: int) -> Estimate:
        """Allocated GPU in percent of the fleet, at this arrived load."""
        return mean_interval([run.allocated_percent[arrived_percent] for run in self.runs])

    def rejected(self, arrived_percent: int) -> float:
        """Mean number of pods rejected by then."""
        counts = [
            run.rejected if arrived_percent == self.end else run.rejected_at_100
            for run in self.runs
        ]
        return sum(counts) / len(counts)

    def against(self, other: PolicyResult, arrived_percent: int) -> Estimate:
        """Our allocation less the other's, seed by seed."""
        return paired_difference(
            [run.allocated_percent[arrived_percent] for run in self.runs],
            [run.allocated_percent[arrived_percent] for run in other.runs],
        )


def gather(runs: Sequence[tuple[InflationRun, float, float]]) -> list[PolicyResult]:
    """Runs with their (wall, CPU) seconds, by policy, in order of first appearance."""
    by_policy: dict[str, list[tuple[InflationRun, float, float]]] = {}
    for run in runs:
        by_policy.setdefault(run[0].policy, []).append(run)
    return [
        PolicyResult(
            name,
            tuple(r for r, _, _ in some),
            sum(w for _, w, _ in some),
            sum(c for _, _, c in some),
        )
        for name, some in by_policy.items()
    ]


def arrived_steps(result: PolicyResult) -> tuple[int, ...]:
    """The loads that are reported: when as much has arrived as there is, and the end."""
    full = 100
    return (full, result.end) if result.end > full else (result.end,)


def json_rows(
    results: Sequence[PolicyResult], trace: str, tie_break: str
) -> list[dict[str, object]]:
    """The rows that stay stable; see docs/reference/formats.md."""
    return [
        _row(result, arrived, trace, tie_break)
        for result in results
        for arrived in arrived_steps(result)
    ]


def _row(result: PolicyResult, arrived: int, trace: str, tie_break: str) -> dict[str, object]:
    allocated = result.allocated(arrived)
    return {
        "policy": result.policy,
        "tie_break": tie_break,
        "trace": trace,
        "seeds": [run.seed for run in result.runs],
        "arrived_percent": arrived,
        "allocated_percent_mean": allocated.mean,
        "allocated_percent_sd": allocated.sd,
        "ci95": None if allocated.lo is None else [allocated.lo, allocated.hi],
        "unallocated_percent_mean": 100 - allocated.mean,
        "rejected_mean": result.rejected(arrived),
        "seconds": result.seconds,
        "cpu_seconds": result.cpu_seconds,
    }


def verdict(results: Sequence[PolicyResult]) -> str:
    """The answer in a sentence."""
    end = results[0].end
    ranked = sorted(results, key=lambda result: -result.allocated(end).mean)
    best = ranked[0]
    share = best.allocated(end).mean
    if len(ranked) == 1:
        return f"{best.policy} allocates {share:.2f} % of the GPUs at {end} % arrived load."
    gap = best.against(ranked[1], end)
    sure = (
        "one seed says nothing about chance"
        if gap.half_width is None
        else f"95 % sure of {gap.lo:+.2f} to {gap.hi:+.2f}"
    )
    return (
        f"{best.policy} allocates {share:.2f} % of the GPUs at {end} % arrived load, "
        f"{gap.mean:.2f} points more than {ranked[1].policy} ({sure})."
    )
