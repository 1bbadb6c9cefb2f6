"""The page of `simulate agents`: who is done sooner, by how much, and where GPU-seconds went.

This module must not compute what a row does not say; it only chooses tables and charts.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from simulations.agents.losses import TERMS
from simulations.agents.rows import against_first, verdict
from simulations.report.document import (
    Bar,
    BarChart,
    Column,
    Estimated,
    IntervalChart,
    Part,
    Report,
    Table,
)

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from simulations.agents.rows import PolicyResult
    from simulations.report.document import Cell, Section

__all__ = ["agents_report", "agents_sections"]

_TERMS_MEAN = (
    "Waiting: all GPU it may use was taken. Stranding: enough was free, but in pieces, without CPU "
    "or memory beside, or the pod was backing off. Locality: it held GPUs and waited for data. "
    "Specialisation: it ran slower than on its best model. The parts add up to completion less "
    "work, times GPUs."
)


def agents_report(results: Sequence[PolicyResult], content: Mapping[str, object]) -> Report:
    """One page about one experiment; `content` is the document that `--json` writes."""
    spec = content["spec"]
    assert isinstance(spec, dict)  # noqa: S101 - our own document
    return Report(
        title=f"Agents: {spec['scenario']}",
        verdict=verdict(results),
        facts=(
            ("Command", f"synthscale {content['command']}"),
            ("Version", str(content["version"])),
            ("Fleet", f"{spec['nodes_used']} nodes with {spec['gpus']} GPUs"),
            ("Tasks a run", f"{spec['tasks']}, the first {spec['warm_up_percent']} % not counted"),
            ("Offered load", f"{spec['load']:.2f} at mean speeds"),
            ("Load of a perfect choice of models", f"{spec['perfect_load']:.2f}"),
            ("Seeds", ", ".join(map(str, spec["seeds"]))),
            ("Choice among equals", str(spec["tie_break"])),
        ),
        sections=agents_sections(results),
        notes=tuple(spec["notes"]),
        spec_json=json.dumps(spec, indent=2),
    )


def agents_sections(results: Sequence[PolicyResult]) -> tuple[Section, ...]:
    """What a page shows of agents, also as a part of a larger report."""
    best = min(range(len(results)), key=lambda at: results[at].completion_s().mean)
    sections: list[Section] = [_completions(results, best)]
    if len(results) > 1:
        sections.append(_differences(results))
    sections.append(_losses(results))
    return tuple(sections)


def _completions(results: Sequence[PolicyResult], best: int) -> Table:
    return Table(
        title="How soon a task is done",
        columns=(
            Column("Policy"),
            Column("Completion", unit="s"),
            Column("from", unit="s"),
            Column("to", unit="s"),
            Column("Slowest 5 %", unit="s", decimals=0),
            Column("Wait", unit="s"),
            Column("Lost a task", unit="GPU-s"),
            Column("Moved", unit="TB a run", decimals=1),
            Column("Busy", unit="% of GPU", decimals=1),
        ),
        rows=tuple(_completion_row(result) for result in results),
        caption=(
            "Completion is wait, fetch and work, from asking to being done: its mean, and the 95 % "
            "interval of that mean. The slowest 5 % take at least as long as the figure there."
        ),
        highlight=best,
    )


def _completion_row(result: PolicyResult) -> tuple[Cell, ...]:
    completion = result.completion_s()
    return (
        result.policy,
        completion.mean,
        completion.lo,
        completion.hi,
        result.mean("p95_completion_s"),
        result.mean("mean_wait_s"),
        sum(result.lost_gpu_s_per_task().values()),
        result.mean("moved_bytes") / 1e12,
        result.mean("busy_percent"),
    )


def _differences(results: Sequence[PolicyResult]) -> IntervalChart:
    first = results[0].policy
    pairs = zip(results[1:], against_first(results)[1:], strict=True)
    return IntervalChart(
        title=f"How much sooner {first} is done",
        x_label="Seconds sooner than this policy, mean of paired seeds and 95 % interval",
        estimates=tuple(
            Estimated(result.policy, gap.mean, gap.lo, gap.hi)
            for result, gap in pairs
            if gap is not None
        ),
        reference=0.0,
        signed=True,
    )


def _losses(results: Sequence[PolicyResult]) -> BarChart:
    return BarChart(
        title="GPU-seconds lost by term",
        unit="GPU-s a task",
        bars=tuple(
            Bar(result.policy, tuple(Part(t, result.lost_gpu_s_per_task()[t]) for t in TERMS))
            for result in results
        ),
        caption=_TERMS_MEAN,
    )
