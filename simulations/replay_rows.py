"""What the replays of one experiment say together: rows, a verdict, differences by pairs.

Runs with the same seed saw the same arrivals, so policies are compared pair by pair. The order of
policies is that of stranded GPU: free GPU while somebody waits is what a policy is to blame for,
at any load; a mean wait alone would praise a policy that lets large pods wait for ever, since who
never starts has no wait. This module must not run anything, print or draw.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from simulations.statistics import Estimate, mean_interval, paired_difference

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from simulations.replay import ReplayRun

__all__ = [
    "ALLOCATED",
    "MEAN_WAIT",
    "P99_WAIT",
    "QUEUE_SHARE",
    "REJECTED",
    "STRANDED",
    "WAITING",
    "Metric",
    "PolicyReplays",
    "gather",
    "json_rows",
    "ranked",
    "verdict",
    "wait_unit",
]


@dataclass(frozen=True, slots=True)
class Metric:
    """One figure of a run, with the words that tables and charts use for it."""

    name: str
    unit: str
    of: Callable[[ReplayRun], float]


ALLOCATED = Metric("allocated", "% of GPUs", lambda run: run.allocated_gpu_time_avg)
STRANDED = Metric("stranded", "% of GPUs", lambda run: run.stranded_gpu_time_avg)
MEAN_WAIT = Metric("mean wait", "s", lambda run: run.mean_wait_s)
P99_WAIT = Metric("p99 wait", "s", lambda run: run.p99_wait_s)
QUEUE_SHARE = Metric("somebody waits", "% of time", lambda run: run.queue_time_share * 100)
REJECTED = Metric("rejected", "pods", lambda run: float(run.rejected))
WAITING = Metric("waiting at end", "pods", lambda run: float(run.waiting_at_end))


@dataclass(frozen=True, slots=True)
class PolicyReplays:
    """One policy over all seeds."""

    policy: str
    runs: tuple[ReplayRun, ...]
    seconds: float
    """Wall time of its runs, added up over workers."""
    cpu_seconds: float

    def estimate(self, metric: Metric) -> Estimate:
        """The metric's mean over seeds, with its interval if there is more than one."""
        return mean_interval([metric.of(run) for run in self.runs])

    def against(self, other: PolicyReplays, metric: Metric) -> Estimate:
        """Our metric less the other's, seed by seed."""
        return paired_difference(
            [metric.of(run) for run in self.runs], [metric.of(run) for run in other.runs]
        )

    def reject_reasons(self) -> list[tuple[str, float]]:
        """Why pods were rejected, with the mean number over seeds; the most frequent first."""
        return self._mean_counts([run.reject_reasons for run in self.runs])

    def wait_reasons(self) -> list[tuple[str, float]]:
        """Why pods had to wait when they came, in the same way."""
        return self._mean_counts([run.wait_reasons for run in self.runs])

    def _mean_counts(
        self, counted: Sequence[tuple[tuple[str, int], ...]]
    ) -> list[tuple[str, float]]:
        total: Counter[str] = Counter()
        for reasons in counted:
            total.update(dict(reasons))
        return [(why, count / len(counted)) for why, count in total.most_common()]


def gather(runs: Sequence[tuple[ReplayRun, float, float]]) -> list[PolicyReplays]:
    """Runs with their (wall, CPU) seconds, by policy, in order of first appearance."""
    by_policy: dict[str, list[tuple[ReplayRun, float, float]]] = {}
    for run in runs:
        by_policy.setdefault(run[0].policy, []).append(run)
    return [
        PolicyReplays(
            name,
            tuple(run for run, _, _ in some),
            sum(wall for _, wall, _ in some),
            sum(cpu for _, _, cpu in some),
        )
        for name, some in by_policy.items()
    ]


def ranked(results: Sequence[PolicyReplays]) -> list[PolicyReplays]:
    """The policies, the least stranded GPU first; equals by mean wait, then as given."""
    return sorted(results, key=lambda r: (r.estimate(STRANDED).mean, r.estimate(MEAN_WAIT).mean))


def json_rows(
    results: Sequence[PolicyReplays], trace: str, tie_break: str
) -> list[dict[str, object]]:
    """The rows that stay stable; see docs/reference/formats.md."""
    return [_row(run, trace, tie_break) for result in results for run in result.runs]


def _row(run: ReplayRun, trace: str, tie_break: str) -> dict[str, object]:
    nobody = run.started == 0
    return {
        "policy": run.policy,
        "tie_break": tie_break,
        "trace": trace,
        "seed": run.seed,
        "offered_load": run.offered_load,
        "mean_wait_s": None if nobody else run.mean_wait_s,
        "p99_wait_s": None if nobody else run.p99_wait_s,
        "stranded_gpu_time_avg": run.stranded_gpu_time_avg,
        "allocated_gpu_time_avg": run.allocated_gpu_time_avg,
        "rejected": run.rejected,
        "waiting_at_end": run.waiting_at_end,
        "started": run.started,
        "queue_time_share": run.queue_time_share,
    }


def wait_unit(longest_s: float) -> tuple[str, float]:
    """A unit that people wait in, and its seconds: one for a whole column, so that it compares."""
    minute, hour = 60, 3_600
    if longest_s < 5 * minute:
        return "s", 1
    return ("min", minute) if longest_s < 5 * hour else ("h", hour)


def verdict(results: Sequence[PolicyReplays]) -> str:
    """The answer in a sentence."""
    order = ranked(results)
    best = order[0]
    lead = (
        f"{best.policy} leaves {best.estimate(STRANDED).mean:.2f} % of the GPUs idle "
        f"while somebody waits"
    )
    if len(order) == 1:
        return f"{lead}; pods that started had waited {_wait(best)} on average."
    second = order[1]
    return (
        f"{lead}, {_less(second.against(best, STRANDED), second.policy)}; pods that started had "
        f"waited {_wait(best)} on average ({second.policy}: {_wait(second)})."
    )


def _less(gap: Estimate, other: str) -> str:
    if gap.sd in {None, 0} and gap.mean == 0:
        return f"no different from {other}"
    if gap.lo is None or gap.hi is None:
        return f"{gap.mean:.2f} points less than {other} (one seed says nothing about chance)"
    if gap.lo <= 0 <= gap.hi:
        return (
            f"no different from {other} beyond chance (95 % sure of {gap.lo:+.2f} to {gap.hi:+.2f})"
        )
    return f"{gap.mean:.2f} points less than {other} (95 % sure of {gap.lo:.2f} to {gap.hi:.2f})"


def _wait(result: PolicyReplays) -> str:
    mean_s = result.estimate(MEAN_WAIT).mean
    unit, seconds = wait_unit(mean_s)
    return f"{mean_s / seconds:.3g} {unit}"
