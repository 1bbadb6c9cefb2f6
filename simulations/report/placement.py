"""The page of `simulate placement`: how much each policy allocates, where, and what kept pods out.

This module must not compute results: intervals and differences come from `inflation_rows`.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from simulations.inflation_rows import arrived_steps, verdict
from simulations.report.document import (
    Band,
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

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from simulations.commands.placement import Experiment, Outcome
    from simulations.inflation_rows import PolicyResult
    from simulations.report.document import Cell, Section

__all__ = ["placement_report", "placement_sections"]

_ZOOM_FROM = 70
"""Percent of arrived load at which the curves begin, so that their ends can be told apart."""
_PROTOCOL = (
    "Pods arrive one by one in random order and never leave; one that fits nowhere is given up.",
    "The trace is drawn from again until the GPUs asked for are as many times the GPUs there are.",
    "Policies know the pod mix they are given with --mix.",
    "Intervals are t-intervals over seeds; with one seed there are none.",
)


def placement_report(
    experiment: Experiment, outcome: Outcome, content: Mapping[str, object]
) -> Report:
    """One page about one experiment; `content` is the document that `--json` writes."""
    return Report(
        title=f"Placement: {experiment.workload.name}",
        verdict=typeset(verdict(outcome.results)),
        facts=facts(
            content,
            ("Workload", f"{len(experiment.workload.pods)} pods"),
            ("Pod mix", str(experiment.mix)),
        ),
        sections=placement_sections(outcome.results),
        notes=(*_PROTOCOL, *sentences(outcome.notes)),
        spec_json=spec_json(content),
    )


def placement_sections(results: Sequence[PolicyResult]) -> tuple[Section, ...]:
    """What a page shows of placement, also as a part of a larger report."""
    ranked = sorted(results, key=lambda result: -result.allocated(result.end).mean)
    best = ranked[0]
    sections: list[Section] = [
        _table(results, best, arrived) for arrived in reversed(arrived_steps(best))
    ]
    if len(results) > 1:
        sections.append(_differences(ranked))
    sections.append(_curves(ranked))
    sections += fleet_maps(
        _maps(ranked), best.runs[0].seed, "Arrived load, % of the GPUs", (0.0, float(best.end))
    )
    when = f"Mean over the pods placed in one run, seed {best.runs[0].seed}."
    losses = {result.policy: dict(result.runs[0].losses) for result in results}
    sections += loss_table(losses, best.policy, when)
    sections.append(_rejected(ranked))
    return tuple(sections)


def _table(results: Sequence[PolicyResult], best: PolicyResult, arrived: int) -> Table:
    several = len(results) > 1
    against = (
        Column(f"Against {best.policy}", unit="points", decimals=2, signed=True),
        Column("95 % interval", unit="points", text=False),
    )
    paired = " Differences are by pairs: same seed, same pods, same order." if several else ""
    return Table(
        title=f"GPUs allocated at {arrived} % arrived load",
        columns=(
            Column("Policy"),
            Column("Allocated", unit="%", decimals=2),
            Column("95 % interval", unit="%", text=False),
            *(against if several else ()),
            Column("Free", unit="%", decimals=2),
            Column("Pods given up", decimals=1),
        ),
        rows=tuple(_row(result, best, arrived, several=several) for result in results),
        caption=f"Means over seeds.{paired}",
        highlight=results.index(best),
    )


def _row(
    result: PolicyResult, best: PolicyResult, arrived: int, *, several: bool
) -> tuple[Cell, ...]:
    allocated = result.allocated(arrived)
    gap = None if result is best else result.against(best, arrived)
    return (
        result.policy,
        allocated.mean,
        interval_cell(allocated),
        *(difference_cells(gap) if several else ()),
        100 - allocated.mean,
        result.rejected(arrived),
    )


def _differences(ranked: Sequence[PolicyResult]) -> IntervalChart:
    best, *others = ranked
    gaps = [(other.policy, best.against(other, best.end)) for other in others]
    return IntervalChart(
        title=f"How much more {best.policy} allocates",
        x_label=f"Points more than each policy at {best.end} % arrived load, "
        "mean of paired seeds and 95 % interval",
        estimates=tuple(Estimated(name, gap.mean, gap.lo, gap.hi) for name, gap in gaps),
        reference=0.0,
        signed=True,
        decimals=2,
    )


def _curves(ranked: Sequence[PolicyResult]) -> LineChart:
    start = min(_ZOOM_FROM, ranked[0].end // 2)
    steps = range(start, ranked[0].end + 1)
    return LineChart(
        title="Allocation as load arrives",
        x_label="Arrived load, % of the GPUs",
        y_label="Allocated, % of the GPUs",
        series=tuple(_curve(result, steps) for result in ranked),
        caption=(
            f"Mean over seeds, band: 95 % interval of the mean. Drawn from {start} % on; before, "
            "nearly all that arrives is allocated."
        ),
        highlight=ranked[0].policy,
    )


def _curve(result: PolicyResult, steps: range) -> Series:
    points = [result.allocated(step) for step in steps]
    band = Band(tuple(p.lo for p in points), tuple(p.hi for p in points))
    return Series(
        name=result.policy,
        xs=tuple(float(step) for step in steps),
        ys=tuple(point.mean for point in points),
        band=band if len(result.runs) > 1 else None,
    )


def _maps(ranked: Sequence[PolicyResult]) -> list[FleetMaps]:
    runs = (result.runs[0] for result in ranked)
    return [
        FleetMaps(run.policy, run.allocated_map, run.stranded_map, run.map_labels)
        for run in runs
        if run.allocated_map is not None and run.stranded_map is not None
    ]


def _rejected(ranked: Sequence[PolicyResult]) -> BarChart:
    total: Counter[str] = Counter()
    for run in (run for result in ranked for run in result.runs):
        total.update(dict(run.reasons))
    reasons = [why for why, _ in total.most_common()]
    return BarChart(
        title="Why pods were given up",
        unit="pods a run",
        bars=tuple(Bar(result.policy, _parts(result, reasons)) for result in ranked),
        caption="For each pod the reason that most nodes gave; mean over seeds, whole run.",
    )


def _parts(result: PolicyResult, reasons: Sequence[str]) -> tuple[Part, ...]:
    counts: Counter[str] = Counter()
    for run in result.runs:
        counts.update(dict(run.reasons))
    return tuple(Part(why, counts[why] / len(result.runs)) for why in reasons)
