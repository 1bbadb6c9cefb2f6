"""The page of `simulate replay`: who waits, what lies idle meanwhile, and where.

This module must not compute results: intervals and differences come from `replay_rows`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from gpu_fleet.clock import DAY_S
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
from simulations.report.document import (
    Bar,
    BarChart,
    Column,
    Estimated,
    IntervalChart,
    LineChart,
    Part,
    Report,
    Series,
    Table,
)
from simulations.report.fleet_parts import (
    FleetMaps,
    difference_cells,
    facts,
    fleet_maps,
    interval_cell,
    loss_table,
    sentences,
    spec_json,
    typeset,
)
from simulations.report.numbers import interval

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from simulations.commands.replay import Experiment, Outcome
    from simulations.replay_rows import PolicyReplays
    from simulations.report.document import Cell, Section

__all__ = ["replay_report", "replay_sections"]

_MODEL = (
    "A pod that fits nowhere waits, and is tried again after a back-off when others have left.",
    "Nothing is evicted.",
    "Trace arrivals begin with an empty fleet and end with the last arrival.",
    "The load counts whole lifetimes, also what lies after the end, which is never allocated here.",
    "A pod stays as long after its start as it stayed in the trace, however long it waited.",
    "A pod that no node could hold even when empty is rejected at once.",
    "Waits are of pods that came in the measured time and started, not of those that still wait.",
)


def replay_report(
    experiment: Experiment, outcome: Outcome, content: Mapping[str, object]
) -> Report:
    """One page about one experiment; `content` is the document that `--json` writes."""
    runs = outcome.results[0].runs
    loads = [run.offered_load for run in runs]
    return Report(
        title=f"Replay: {experiment.workload.name}",
        verdict=typeset(verdict(outcome.results)),
        facts=facts(
            content,
            ("Workload", f"{len(experiment.workload.pods)} pods"),
            ("Offered load", f"{sum(loads) / len(loads):.3f} (GPU-time asked for over GPU-time)"),
            ("Warm-up", f"the first {experiment.warm_up * 100:.0f} % of the time is not measured"),
            ("Measured", f"{min(run.measured_s for run in runs) / DAY_S:.2f} days"),
        ),
        sections=replay_sections(outcome.results),
        notes=(*_MODEL, *sentences(outcome.notes)),
        spec_json=spec_json(content),
    )


def replay_sections(results: Sequence[PolicyReplays]) -> tuple[Section, ...]:
    """What a page shows of a replay, also as a part of a larger report."""
    order = ranked(results)
    best = order[0]
    sections: list[Section] = [_fleet(results, best), _waits(results, best)]
    if len(results) > 1:
        sections += [_paired(results, best), _differences(order)]
    maps = _maps(order)
    days = _span_days(best)
    if maps:
        sections.append(_over_time(order, days))
    sections += fleet_maps(maps, best.runs[0].seed, "Days since the first arrival", (0.0, days))
    when = f"Mean over the pods placed in the measured time of one run, seed {best.runs[0].seed}."
    losses = {result.policy: dict(result.runs[0].losses) for result in results}
    sections += loss_table(losses, best.policy, when)
    sections.append(_reasons(order, "wait"))
    if any(result.reject_reasons() for result in results):
        sections.append(_reasons(order, "reject"))
    return tuple(sections)


def _fleet(results: Sequence[PolicyReplays], best: PolicyReplays) -> Table:
    return Table(
        title="What each policy does with the fleet",
        columns=(
            Column("Policy"),
            Column("Stranded", unit="% of GPUs", decimals=2),
            Column("95 % interval", unit="% of GPUs", text=False),
            Column("Allocated", unit="% of GPUs", decimals=2),
            Column("95 % interval", unit="% of GPUs", text=False),
            Column("Somebody waits", unit="% of time", decimals=1),
        ),
        rows=tuple(_fleet_row(result) for result in results),
        caption=(
            "Means over seeds; % are averages over the measured time. Stranded: free GPU while a "
            "pod waits."
        ),
        highlight=results.index(best),
    )


def _waits(results: Sequence[PolicyReplays], best: PolicyReplays) -> Table:
    unit, seconds = wait_unit(max(result.estimate(MEAN_WAIT).mean for result in results))
    return Table(
        title="How pods wait",
        columns=(
            Column("Policy"),
            Column("Mean wait", unit=unit, decimals=1),
            Column("95 % interval", unit=unit, text=False),
            Column("p99 wait", unit=unit, decimals=1),
            Column("Still waiting at the end", unit="pods", decimals=1),
            Column("Rejected", unit="pods", decimals=1),
        ),
        rows=tuple(_waits_row(result, seconds) for result in results),
        caption=(
            "Waits are of pods that came in the measured time and started, those at once included. "
            "Who still waits has no wait yet: a policy must not be praised for letting pods wait."
        ),
        highlight=results.index(best),
    )


def _waits_row(result: PolicyReplays, seconds: float) -> tuple[Cell, ...]:
    wait = result.estimate(MEAN_WAIT)
    between = (
        None
        if wait.lo is None or wait.hi is None
        else interval(wait.lo / seconds, wait.hi / seconds, 1)
    )
    return (
        result.policy,
        wait.mean / seconds,
        between,
        result.estimate(P99_WAIT).mean / seconds,
        result.estimate(WAITING).mean,
        result.estimate(REJECTED).mean,
    )


def _fleet_row(result: PolicyReplays) -> tuple[Cell, ...]:
    stranded = result.estimate(STRANDED)
    return (
        result.policy,
        stranded.mean,
        interval_cell(stranded),
        result.estimate(ALLOCATED).mean,
        interval_cell(result.estimate(ALLOCATED)),
        result.estimate(QUEUE_SHARE).mean,
    )


def _paired(results: Sequence[PolicyReplays], best: PolicyReplays) -> Table:
    return Table(
        title=f"Differences to {best.policy}, seed by seed",
        columns=(
            Column("Policy"),
            Column("Stranded", unit="points", decimals=2, signed=True),
            Column("95 % interval", unit="points", text=False),
            Column("Allocated", unit="points", decimals=2, signed=True),
            Column("95 % interval", unit="points", text=False),
            Column("Mean wait", unit="s", decimals=1, signed=True),
            Column("95 % interval", unit="s", text=False),
        ),
        rows=tuple(
            (
                result.policy,
                *difference_cells(result.against(best, STRANDED)),
                *difference_cells(result.against(best, ALLOCATED)),
                *difference_cells(result.against(best, MEAN_WAIT), decimals=1),
            )
            for result in results
            if result is not best
        ),
        caption="The same arrivals for all policies of a seed; interval of the mean difference.",
    )


def _differences(order: Sequence[PolicyReplays]) -> IntervalChart:
    best, *others = order
    gaps = [(other.policy, other.against(best, STRANDED)) for other in others]
    return IntervalChart(
        title=f"How much more the others strand than {best.policy}",
        x_label="Points of GPU stranded more, mean of paired seeds and 95 % interval",
        estimates=tuple(Estimated(name, gap.mean, gap.lo, gap.hi) for name, gap in gaps),
        reference=0.0,
        signed=True,
        decimals=2,
    )


def _span_days(result: PolicyReplays) -> float:
    """From the first to the last arrival, of the run that has maps."""
    return result.runs[0].span_s / DAY_S


def _over_time(order: Sequence[PolicyReplays], days: float) -> LineChart:
    return LineChart(
        title="Allocation over time",
        x_label="Days since the first arrival",
        y_label="Allocated, % of the GPUs",
        series=tuple(
            _line(result.policy, result.runs[0].allocated_map, result.runs[0].map_gpus, days)
            for result in order
        ),
        caption=f"One run, seed {order[0].runs[0].seed}; the warm-up is shown, not measured.",
        highlight=order[0].policy,
    )


def _line(
    policy: str, allocated: np.ndarray | None, gpus: tuple[float, ...], days: float
) -> Series:
    if allocated is None:
        return Series(policy, (), ())
    weights = np.array(gpus)
    share = (weights[:, np.newaxis] * allocated).sum(axis=0) / max(1e-9, float(weights.sum()))
    steps = len(share)
    return Series(
        name=policy,
        xs=tuple(days * step / steps for step in range(steps)),
        ys=tuple((share * 100).tolist()),
    )


def _maps(order: Sequence[PolicyReplays]) -> list[FleetMaps]:
    runs = (result.runs[0] for result in order)
    return [
        FleetMaps(run.policy, run.allocated_map, run.stranded_map, run.map_labels)
        for run in runs
        if run.allocated_map is not None and run.stranded_map is not None
    ]


def _reasons(order: Sequence[PolicyReplays], what: str) -> BarChart:
    waits = what == "wait"
    by_policy = {
        result.policy: dict(result.wait_reasons() if waits else result.reject_reasons())
        for result in order
    }
    total: dict[str, float] = {}
    for counts in by_policy.values():
        for why, count in counts.items():
            total[why] = total.get(why, 0.0) + count
    names = sorted(total, key=lambda why: -total[why]) or ["nobody had to wait"]
    return BarChart(
        title="Why pods had to wait" if waits else "Why pods were rejected",
        unit="pods a run",
        bars=tuple(
            Bar(policy, tuple(Part(why, counts.get(why, 0.0)) for why in names))
            for policy, counts in by_policy.items()
        ),
        caption=(
            "For each pod the reason that most nodes gave when it came; mean over seeds."
            if waits
            else "For each pod the reason that most nodes give even when empty; mean over seeds."
        ),
    )
