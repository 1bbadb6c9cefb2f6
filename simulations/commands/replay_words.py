"""The results of replays as a planner reads them on a terminal: two tables and what they leave out.

It must not compute results, and must not let a mean wait stand alone: who never started has none.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from simulations.replay_rows import (
    ALLOCATED,
    MEAN_WAIT,
    P99_WAIT,
    QUEUE_SHARE,
    REJECTED,
    STRANDED,
    WAITING,
    ranked,
    verdict,
    wait_unit,
)
from simulations.runs.outputs import table

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from simulations.replay_rows import PolicyReplays
    from simulations.statistics import Estimate

__all__ = ["tables_in_words"]

_MOST_REASONS = 5
_ALIKE = 0.0005
_WHAT_IT_MEANS = (
    "means over seeds, +- half a 95 % interval; % are of all GPUs, averaged over the time",
    "  allocated  GPUs that pods hold",
    "  stranded   GPUs that are free while a pod waits",
    "  wait, p99  of pods that came in the measured time and started, those at once included",
    "  queue      share of the time in which at least one pod waits",
    "  rejected   pods that no node could hold even when empty",
    "  waiting    pods that still wait at the end: their waits are not over, and not in the mean",
)


def tables_in_words(results: Sequence[PolicyReplays], warm_up: float) -> Iterator[str]:
    """Lines: the load, a table of means, a table of paired differences, reasons, the verdict."""
    yield _load_line(results)
    yield _time_line(results, warm_up)
    yield ""
    yield _means(results)
    if len(results) > 1:
        yield ""
        yield from _differences(results)
    yield ""
    yield from _footnotes(results)
    yield verdict(results)


def _load_line(results: Sequence[PolicyReplays]) -> str:
    loads = [run.offered_load for run in results[0].runs]
    mean = sum(loads) / len(loads)
    alike = max(loads) - min(loads) < _ALIKE
    spread = "" if alike else f", {min(loads):.3f} to {max(loads):.3f} by seed"
    return (
        f"offered load {mean:.3f}: GPU-time asked for, in whole lifetimes, over GPU-time there is"
        f"{spread}"
    )


def _time_line(results: Sequence[PolicyReplays], warm_up: float) -> str:
    measured_s = min(run.measured_s for run in results[0].runs)
    return (
        f"warm-up: the first {warm_up * 100:.0f} % of the time is simulated but not measured; "
        f"measured are {measured_s / 86_400:.2f} days"
    )


def _means(results: Sequence[PolicyReplays]) -> str:
    unit, seconds = _column_unit(results)
    rows = [
        (
            result.policy,
            _mean(result.estimate(ALLOCATED)),
            _mean(result.estimate(STRANDED)),
            _mean(result.estimate(MEAN_WAIT), seconds),
            f"{result.estimate(P99_WAIT).mean / seconds:.1f}",
            f"{result.estimate(QUEUE_SHARE).mean:.1f}",
            f"{result.estimate(REJECTED).mean:.0f}",
            f"{result.estimate(WAITING).mean:.0f}",
        )
        for result in results
    ]
    columns = (
        "policy",
        "allocated %",
        "stranded %",
        f"wait {unit}",
        f"p99 {unit}",
        "queue %",
        "rejected",
        "waiting",
    )
    return table(columns, rows)


def _column_unit(results: Sequence[PolicyReplays]) -> tuple[str, float]:
    return wait_unit(max(result.estimate(MEAN_WAIT).mean for result in results))


def _mean(estimate: Estimate, divisor: float = 1) -> str:
    mean = f"{estimate.mean / divisor:.2f}"
    if estimate.half_width is None:
        return mean
    return f"{mean} +-{estimate.half_width / divisor:.2f}"


def _differences(results: Sequence[PolicyReplays]) -> Iterator[str]:
    unit, seconds = _column_unit(results)
    best, *others = ranked(results)
    yield f"paired differences to {best.policy}, same seeds, mean and 95 % interval:"
    rows = [
        (
            result.policy,
            _gap(result.against(best, ALLOCATED)),
            _gap(result.against(best, STRANDED)),
            _gap(result.against(best, MEAN_WAIT), seconds),
        )
        for result in others
    ]
    columns = ("policy", "allocated, points", "stranded, points", f"mean wait, {unit}")
    yield table(columns, rows)


def _gap(gap: Estimate, divisor: float = 1) -> str:
    mean = f"{gap.mean / divisor:+.2f}"
    if gap.lo is None or gap.hi is None:
        return mean
    return f"{mean} ({gap.lo / divisor:+.2f} to {gap.hi / divisor:+.2f})"


def _footnotes(results: Sequence[PolicyReplays]) -> Iterator[str]:
    yield from _WHAT_IT_MEANS
    best = ranked(results)[0]
    yield from _reasons("why pods are rejected", best.reject_reasons())
    yield from _reasons(f"why pods wait under {best.policy}", best.wait_reasons())
    yield ""


def _reasons(what: str, reasons: Sequence[tuple[str, float]]) -> Iterator[str]:
    if reasons:
        counts = ", ".join(f"{why} {count:.0f}" for why, count in reasons[:_MOST_REASONS])
        yield f"{what} (pods a seed): {counts}"
