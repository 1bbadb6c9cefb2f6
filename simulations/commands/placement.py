"""`synthscale simulate placement`: how much of a fleet's GPU each policy puts to use.

Shell: reads the files, runs `simulations.inflation` for each policy and seed, writes what came.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from gpu_fleet.errors import InputError
from scheduler_extender.placement.choice import TieBreak
from scheduler_extender.placement.registry import policy_names
from simulations.commands.options import (
    CheckOption,
    JsonPath,
    Kernels,
    LogPath,
    NodesFile,
    PodsFile,
    Policies,
    ReportPath,
    Seeds,
    TieBreakOption,
    kernels_choice,
    tie_break_choice,
)
from simulations.inflation import Inflation, InflationRun, inflate, study_nodes
from simulations.inflation_rows import PolicyResult, gather, json_rows, verdict
from simulations.learned_mix import MixSource
from simulations.readers import read_inventory, read_workload, unknown_models
from simulations.runs.outputs import (
    document,
    fingerprint,
    table,
)
from simulations.runs.progress import Progress
from simulations.runs.publish import Destinations, publish, timed
from simulations.runs.seeds import parse_seeds
from simulations.runs.sweep import sweep, workers

if TYPE_CHECKING:
    from concurrent.futures import Executor

    from simulations.report.document import Report
    from simulations.workload import Inventory, Workload

__all__ = ["Experiment", "Outcome", "command", "run_experiment", "spec_of", "words"]

_LOWEST_UNTIL, _HIGHEST_UNTIL = 0.01, 10.0


@dataclass(frozen=True, slots=True)
class Experiment:
    """Everything that `simulate placement` was asked for."""

    inventory: Inventory
    workload: Workload
    policies: tuple[str, ...]
    seeds: tuple[int, ...]
    tie_break: TieBreak = TieBreak.RANDOM
    until: float = 1.3
    mix: MixSource = MixSource()
    kernels: bool | None = None
    keep_log: bool = False
    keep_maps: bool = False


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of it."""

    results: list[PolicyResult]
    runs: list[InflationRun]
    notes: tuple[str, ...]


def command(
    pods: PodsFile,
    nodes: NodesFile,
    policies: Policies = "least-loss,fgd,best-fit,least-allocated",
    seeds: Seeds = "42..51",
    tie_break: TieBreakOption = "random",
    until: Annotated[
        float, typer.Option(help="GPUs asked for in the end, as a multiple of the GPUs there are.")
    ] = 1.3,
    mix: Annotated[
        str,
        typer.Option(
            help="Pod mix that policies know: given, or first:N, learned from N arrivals."
        ),
    ] = "given",
    all_nodes: Annotated[
        bool,
        typer.Option("--all-nodes", help="Keep nodes without GPUs; the study leaves them out."),
    ] = False,
    check: CheckOption = False,
    kernels: Kernels = "auto",
    workers_: Annotated[int, typer.Option("--workers", help="Processes that share the runs.")] = 1,
    json_path: JsonPath = None,
    report: ReportPath = None,
    log: LogPath = None,
) -> None:
    """Fill a fleet with its own workload, beyond its size, and compare what policies allocate."""
    to = Destinations.checked(json_path, report, log)
    inventory = read_inventory(nodes)
    workload = read_workload(pods)
    unknown_models(inventory, workload)
    experiment = Experiment(
        inventory=inventory if all_nodes else study_nodes(inventory),
        workload=workload,
        policies=policy_names(policies),
        seeds=parse_seeds(seeds),
        tie_break=tie_break_choice(tie_break),
        until=_checked_until(until),
        mix=MixSource.parse(mix),
        kernels=kernels_choice(kernels),
        keep_log=log is not None or check,
        keep_maps=report is not None,
    )
    with workers(workers_) as executor:
        outcome = run_experiment(experiment, executor, Progress("placing"))
    _publish(experiment, outcome, spec_of(experiment, pods, nodes), to, check=check)


def run_experiment(
    experiment: Experiment, executor: Executor | None, progress: Progress
) -> Outcome:
    """Run each policy with each seed; results are in that order whatever the executor does."""
    if not any(node.devices for node in experiment.inventory.nodes):
        raise InputError(
            "no node has a GPU",
            remedy="give a node file with GPUs; placement is measured in GPU",
            file=experiment.inventory.file or experiment.inventory.name,
        )
    tasks = [
        Inflation(
            inventory=experiment.inventory,
            workload=experiment.workload,
            policy=policy,
            seed=seed,
            tie_break=experiment.tie_break,
            until=experiment.until,
            mix=experiment.mix,
            kernels=experiment.kernels,
            keep_log=experiment.keep_log,
            keep_maps=experiment.keep_maps and seed == experiment.seeds[0],
        )
        for policy in experiment.policies
        for seed in experiment.seeds
    ]
    runs = sweep(partial(timed, inflate), tasks, executor, progress)
    return Outcome(
        results=gather(runs),
        runs=[run for run, _, _ in runs],
        notes=(*experiment.inventory.notes, *experiment.workload.notes),
    )


def _checked_until(until: float) -> float:
    if not _LOWEST_UNTIL <= until <= _HIGHEST_UNTIL:
        raise InputError(
            f"{until} is not possible",
            remedy=f"give {_LOWEST_UNTIL} to {_HIGHEST_UNTIL}; 1.3 is the published protocol",
            field="--until",
        )
    return until


def spec_of(experiment: Experiment, pods: str, nodes: str) -> dict[str, object]:
    """Everything that decides the result, as `--json` states it."""
    return {
        "pods": pods,
        "pods_sha256": fingerprint(Path(pods)),
        "nodes": nodes,
        "nodes_sha256": fingerprint(Path(nodes)),
        "policies": list(experiment.policies),
        "seeds": list(experiment.seeds),
        "tie_break": experiment.tie_break.value,
        "until": experiment.until,
        "mix": str(experiment.mix),
        "nodes_used": len(experiment.inventory.nodes),
        "gpus": sum(len(node.devices) for node in experiment.inventory.nodes),
        "notes": [*experiment.inventory.notes, *experiment.workload.notes],
    }


def _publish(
    experiment: Experiment,
    outcome: Outcome,
    spec: dict[str, object],
    to: Destinations,
    *,
    check: bool,
) -> None:
    to.say(words(experiment, outcome))
    if check:
        _check(experiment, outcome, to)
    rows = json_rows(outcome.results, experiment.workload.name, experiment.tie_break.value)
    content = document("simulate placement", spec, rows)
    logs = [(f"policy={run.policy} seed={run.seed}", run.log) for run in outcome.runs]

    def report() -> Report:
        from simulations.report.placement import placement_report  # noqa: PLC0415 - only when asked

        return placement_report(experiment, outcome, content)

    publish(to, content, logs, report)


def _check(experiment: Experiment, outcome: Outcome, to: Destinations) -> None:
    from simulations.checker import check_run  # noqa: PLC0415 - only when asked

    for run in outcome.runs:
        check_run(experiment.inventory, experiment.workload, run.log)
    to.say(
        f"checked {len(outcome.runs)} runs independently: nothing oversubscribed, "
        "every pod that fitted was placed",
    )


def words(experiment: Experiment, outcome: Outcome) -> str:
    """What the command prints for people."""
    columns = ("policy", "arrived %", "allocated %", "95 % CI", "free %", "rejected pods", "CPU s")
    rows = []
    for row in json_rows(outcome.results, experiment.workload.name, experiment.tie_break.value):
        interval = row["ci95"]
        rows.append(
            (
                str(row["policy"]),
                str(row["arrived_percent"]),
                f"{row['allocated_percent_mean']:.2f}",
                f"{interval[0]:.2f}..{interval[1]:.2f}" if isinstance(interval, list) else "-",
                f"{row['unallocated_percent_mean']:.2f}",
                f"{row['rejected_mean']:.0f}",
                f"{row['cpu_seconds']:.1f}",
            )
        )
    gpus = sum(len(node.devices) for node in experiment.inventory.nodes)
    seeds = "1 seed" if len(experiment.seeds) == 1 else f"{len(experiment.seeds)} seeds"
    headline = (
        f"{experiment.workload.name}: {len(experiment.workload.pods)} pods onto "
        f"{len(experiment.inventory.nodes)} nodes with {gpus} GPUs, "
        f"{seeds}, {experiment.tie_break.value} choice among equals"
    )
    lines = [
        headline,
        *(f"  note: {note}" for note in outcome.notes),
        "",
        table(columns, rows),
        "",
        verdict(outcome.results),
    ]
    return "\n".join(lines)
