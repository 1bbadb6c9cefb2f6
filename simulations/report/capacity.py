"""The pages of `capacity fit` and `capacity size`: the answer, its evidence, what it assumes.

This module must not compute results: rows, usage and verdicts come from `capacity_rows`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from simulations.capacity.rows import fit_verdict, policy_remark, size_verdict, usage
from simulations.report.document import Bar, BarChart, Column, Part, Report, Table
from simulations.report.fleet_parts import sentences, spec_json, typeset

if TYPE_CHECKING:
    from collections.abc import Mapping

    from simulations.capacity.fit import Fit
    from simulations.capacity.size import Size
    from simulations.commands import capacity_fit, capacity_size
    from simulations.report.document import Section

__all__ = ["fit_report", "fit_sections", "size_report", "size_sections"]

_FIT_NOTES = (
    "Pods are placed one by one until no node can take another.",
    "A node counts for the first thing in the way; where it is alone, more of it would help.",
)
_SIZE_NOTES = (
    "The set is checked by placing every pod on it, device by device.",
    "The bound holds for every way to pack: docs/explanation/capacity-size.md says why.",
)


def fit_report(
    experiment: capacity_fit.Experiment, outcome: Fit, content: Mapping[str, object]
) -> Report:
    """One page about one question; `content` is the document that `--json` writes."""
    fitting = experiment.fitting
    return Report(
        title=f"What still fits: {fitting.inventory.name}",
        verdict=typeset(fit_verdict(fitting.shape, outcome)),
        facts=(
            ("Command", f"synthscale {content['command']}"),
            ("Version", str(content["version"])),
            ("Nodes", f"{len(fitting.inventory.nodes):,} in {fitting.inventory.name}"),
            ("Pod", f"{experiment.pod}: {fitting.shape.describe()}"),
            ("Policy", fitting.policy),
        ),
        sections=fit_sections(outcome),
        notes=(*_FIT_NOTES, *sentences(experiment.notes)),
        spec_json=spec_json(content),
    )


def fit_sections(outcome: Fit) -> tuple[Section, ...]:
    """What a page shows of a fit, also as a part of a larger report."""
    only = {thing.refusal.phrase: thing for thing in outcome.only_things}
    free = {reason: thing.free_gpus for reason, thing in only.items()}
    nodes_alone = {reason: thing.nodes for reason, thing in only.items()}
    return (
        BarChart(
            title="What stops the next pod",
            unit="nodes",
            bars=tuple(
                Bar(
                    reason,
                    (
                        Part("only this", nodes_alone.get(reason, 0)),
                        Part("this and more", nodes - nodes_alone.get(reason, 0)),
                    ),
                )
                for reason, nodes in outcome.stops_by_reason.items()
            ),
            caption="By the first thing in the way; more of one thing helps where it is alone.",
        ),
        Table(
            title="Where more of one thing would help",
            columns=(
                Column("What stops the next pod"),
                Column("First in the way", unit="nodes"),
                Column("Alone in the way", unit="nodes"),
                Column("Free GPU there", unit="GPUs", decimals=1),
            ),
            rows=tuple(
                (reason, nodes, nodes_alone.get(reason, 0), free.get(reason, 0.0))
                for reason, nodes in outcome.stops_by_reason.items()
            ),
            highlight=_most_helpful(outcome),
        ),
    )


def _most_helpful(outcome: Fit) -> int | None:
    """The row of the thing that the verdict speaks of."""
    if not outcome.only_things:
        return None
    return list(outcome.stops_by_reason).index(outcome.only_things[0].refusal.phrase)


def size_report(
    experiment: capacity_size.Experiment, outcome: Size, content: Mapping[str, object]
) -> Report:
    """One page about one question; `content` is the document that `--json` writes."""
    pods = len(experiment.workload.pods)
    return Report(
        title=f"What to buy: {experiment.workload.name}",
        verdict=typeset(size_verdict(pods, outcome)),
        facts=(
            ("Command", f"synthscale {content['command']}"),
            ("Version", str(content["version"])),
            ("Workload", f"{pods:,} pods"),
            ("Offerings", f"{len(experiment.prices.offerings):,} of {experiment.prices.name}"),
            ("Policy", experiment.policy),
        ),
        sections=size_sections(experiment.policy, outcome),
        notes=(*_SIZE_NOTES, *sentences(experiment.notes)),
        spec_json=spec_json(content),
    )


def size_sections(policy: str, outcome: Size) -> tuple[Section, ...]:
    """What a page shows of a size, also as a part of a larger report."""
    return (_costs(policy, outcome), _nodes(outcome), _use(outcome))


def _costs(policy: str, outcome: Size) -> Table:
    least = outcome.lower_bound_cost_per_hour
    costs = (
        ("No set can cost less than", least),
        ("The set that was found", outcome.cost_per_hour),
        (f"What {policy} needs, largest pods first", outcome.policy_cost_per_hour),
    )
    return Table(
        title="Cost and how low it can be",
        columns=(
            Column("Set"),
            Column("Cost", unit="an hour", decimals=2),
            Column("Above the bound", unit="%", decimals=2),
        ),
        rows=tuple(
            (name, cost, 100 * (cost / least - 1) if least else 0.0) for name, cost in costs
        ),
        caption=typeset(policy_remark(policy, outcome)),
        highlight=1,
    )


def _nodes(outcome: Size) -> Table:
    return Table(
        title="What to buy, and how full it will be",
        columns=(
            Column("Offering"),
            Column("Nodes"),
            Column("Each", unit="an hour", decimals=3),
            Column("All", unit="an hour", decimals=2),
            Column("Pods"),
            Column("CPU", unit="%", decimals=1),
            Column("Memory", unit="%", decimals=1),
            Column("GPU", unit="%", decimals=1),
        ),
        rows=tuple(
            (
                use.offering.name,
                use.nodes,
                use.offering.cost_per_hour,
                use.cost_per_hour,
                use.pods,
                use.cpu_percent,
                use.memory_percent,
                "-" if use.gpu_percent is None else use.gpu_percent,
            )
            for use in usage(outcome)
        ),
        caption="What is used of the nodes' CPU, memory and GPU by the pods that are held.",
    )


def _use(outcome: Size) -> BarChart:
    return BarChart(
        title="Where the money goes",
        unit="an hour",
        bars=tuple(
            Bar(use.offering.name, (Part("cost", use.cost_per_hour),)) for use in usage(outcome)
        ),
    )
