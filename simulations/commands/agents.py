"""`synthscale simulate agents`: how soon tasks are done, and where the GPU-seconds went.

Shell: makes or reads the scenario, runs `simulations.agents` for each policy and seed, writes what
came.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from gpu_fleet.errors import InputError
from scheduler_extender.placement.choice import TieBreak
from scheduler_extender.placement.registry import policy_names
from simulations.agents.demand import Demand, demand_for
from simulations.agents.losses import TERMS
from simulations.agents.rows import PolicyResult, against_first, gather, json_rows, verdict
from simulations.agents.world import AgentRun, AgentTrial, run_agents
from simulations.commands.options import (
    JsonPath,
    Kernels,
    LogPath,
    Policies,
    ReportPath,
    Seeds,
    TieBreakOption,
    kernels_choice,
    tie_break_choice,
)
from simulations.readers import read_inventory
from simulations.readers.measured import read_latencies, read_throughputs
from simulations.recipes.agents import agents
from simulations.recipes.load_times import PUBLISHED_LOADS, LoadTimes
from simulations.recipes.measured_agents import measured_agents
from simulations.runs.outputs import (
    document,
    fingerprint,
    table,
)
from simulations.runs.progress import Progress
from simulations.runs.publish import Destinations, publish
from simulations.runs.seeds import parse_seeds
from simulations.runs.sweep import sweep, workers

if TYPE_CHECKING:
    from concurrent.futures import Executor

    from simulations.agents.scenario import Scenario
    from simulations.report.document import Report
    from simulations.statistics import Estimate

__all__ = [
    "Experiment",
    "Outcome",
    "command",
    "read_scenario",
    "run_experiment",
    "spec_of",
    "words",
]

_LOWEST_LOAD, _HIGHEST_LOAD = 0.05, 2.0
_FEWEST_TASKS, _MOST_TASKS = 20, 1_000_000


@dataclass(frozen=True, slots=True)
class Experiment:
    """Everything that `simulate agents` was asked for."""

    scenario: Scenario
    policies: tuple[str, ...]
    seeds: tuple[int, ...]
    load: float = 0.8
    tasks: int = 3_000
    warm_up_percent: int = 25
    tie_break: TieBreak = TieBreak.RANDOM
    kernels: bool | None = None
    keep_log: bool = False


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of it."""

    results: list[PolicyResult]
    runs: list[AgentRun]
    demand: Demand


def command(
    throughputs: Annotated[
        str | None,
        typer.Option(help="CSV: gpu,job_type,scale_factor,steps_per_s; jobs become agents."),
    ] = None,
    latencies: Annotated[
        str | None,
        typer.Option(help="CSV: component,value_ms; its load times become sizes of weights."),
    ] = None,
    nodes: Annotated[
        str | None, typer.Option(help="Another fleet: CSV in openb's columns, or kubectl's JSON.")
    ] = None,
    policies: Policies = "least-loss,fgd,best-fit,least-allocated",
    seeds: Seeds = "42..51",
    load: Annotated[
        float,
        typer.Option(help="GPU-time that arrives over GPU-time there is, at agents' mean speeds."),
    ] = 0.8,
    tasks: Annotated[
        int, typer.Option(help="Tasks in each run; the first quarter warms the fleet up.")
    ] = 3_000,
    tie_break: TieBreakOption = "random",
    kernels: Kernels = "auto",
    workers_: Annotated[int, typer.Option("--workers", help="Processes that share the runs.")] = 1,
    json_path: JsonPath = None,
    report: ReportPath = None,
    log: LogPath = None,
) -> None:
    """Run agents with skills, data and speeds; compare completion times and split the losses."""
    to = Destinations.checked(json_path, report, log)
    experiment = Experiment(
        scenario=read_scenario(throughputs, latencies, nodes),
        policies=policy_names(policies),
        seeds=parse_seeds(seeds),
        load=_between(load, _LOWEST_LOAD, _HIGHEST_LOAD, "--load"),
        tasks=round(_between(tasks, _FEWEST_TASKS, _MOST_TASKS, "--tasks")),
        tie_break=tie_break_choice(tie_break),
        kernels=kernels_choice(kernels),
        keep_log=log is not None,
    )
    with workers(workers_) as executor:
        outcome = run_experiment(experiment, executor, Progress("working"))
    files = {"throughputs": throughputs, "latencies": latencies, "nodes": nodes}
    _publish(experiment, outcome, spec_of(experiment, outcome, files), to)


def read_scenario(
    throughputs: str | None = None, latencies: str | None = None, nodes: str | None = None
) -> Scenario:
    """The bundled agents, or agents made of measurements, on the fleet that goes with them."""
    inventory = None if nodes is None else read_inventory(nodes)
    notes: tuple[str, ...] = ()
    loads = None
    if latencies is not None:
        observed = read_latencies(latencies)
        loads = LoadTimes(observed.base_s, observed.adapter_s)
        notes = observed.notes
    if throughputs is not None:
        measured = read_throughputs(throughputs)
        scenario = measured_agents(measured.steps_per_s, loads or PUBLISHED_LOADS, inventory)
        return replace(scenario, notes=(*scenario.notes, *measured.notes, *notes))
    scenario = agents(loads)
    if inventory is not None:
        scenario = replace(scenario, inventory=inventory)
        notes = (*inventory.notes, *notes)
    return replace(scenario, notes=(*scenario.notes, *notes))


def run_experiment(
    experiment: Experiment, executor: Executor | None, progress: Progress
) -> Outcome:
    """Run each policy with each seed; results are in that order whatever the executor does."""
    demand = demand_for(experiment.scenario, experiment.load)
    trials = [
        AgentTrial(
            scenario=experiment.scenario,
            policy=policy,
            seed=seed,
            load=experiment.load,
            tasks=experiment.tasks,
            warm_up_percent=experiment.warm_up_percent,
            tie_break=experiment.tie_break,
            kernels=experiment.kernels,
            keep_log=experiment.keep_log,
        )
        for policy in experiment.policies
        for seed in experiment.seeds
    ]
    runs = sweep(run_agents, trials, executor, progress)
    return Outcome(results=gather(runs), runs=runs, demand=demand)


def _between(value: float, least: float, most: float, field: str) -> float:
    if not least <= value <= most:
        raise InputError(
            f"{value:g} is not possible", remedy=f"give {least:g} to {most:g}", field=field
        )
    return value


def spec_of(
    experiment: Experiment, outcome: Outcome, files: dict[str, str | None]
) -> dict[str, object]:
    """Everything that decides the result, as `--json` states it."""
    scenario = experiment.scenario
    named = {what: path for what, path in files.items() if path is not None}
    return {
        "scenario": scenario.name,
        **named,
        **{f"{what}_sha256": fingerprint(Path(path)) for what, path in named.items()},
        "policies": list(experiment.policies),
        "seeds": list(experiment.seeds),
        "tie_break": experiment.tie_break.value,
        "load": experiment.load,
        "perfect_load": outcome.demand.perfect_load,
        "tasks_per_s": outcome.demand.rate_per_s,
        "tasks": experiment.tasks,
        "warm_up_percent": experiment.warm_up_percent,
        "nodes_used": len(scenario.inventory.nodes),
        "gpus": sum(len(node.devices) for node in scenario.inventory.nodes),
        "notes": list(scenario.notes),
    }


def _publish(
    experiment: Experiment, outcome: Outcome, spec: dict[str, object], to: Destinations
) -> None:
    to.say(words(experiment, outcome))
    content = document("simulate agents", spec, json_rows(outcome.runs))
    logs = [(f"policy={run.policy} seed={run.seed}", run.log) for run in outcome.runs]

    def report() -> Report:
        from simulations.report.agents import agents_report  # noqa: PLC0415 - only when asked

        return agents_report(outcome.results, content)

    publish(to, content, logs, report)


def words(experiment: Experiment, outcome: Outcome) -> str:
    """What the command prints for people."""
    scenario, demand = experiment.scenario, outcome.demand
    gpus = sum(len(node.devices) for node in scenario.inventory.nodes)
    first = outcome.results[0].policy
    columns = (
        "policy",
        "completion s",
        "95 % CI",
        f"{first} sooner by s (95 % CI)",
        "95th percentile s",
        "moved TB",
        "busy %",
    )
    lost = ("GPU-seconds lost a task", *TERMS, "together")
    gaps = against_first(outcome.results)
    nodes = len(scenario.inventory.nodes)
    who = (
        f"{scenario.name}: {len(scenario.agents())} agents on {nodes} nodes "
        f"with {gpus} GPUs, {experiment.tasks} tasks a run, {demand.rate_per_s:.3f} a second, "
        f"{len(experiment.seeds)} seeds"
    )
    how_full = (
        f"offered load {demand.load:.2f} at mean speeds; a perfect choice of GPU models alone "
        f"would need {demand.perfect_load:.2f}"
    )
    return "\n".join(
        [
            who,
            how_full,
            *(f"  note: {note}" for note in scenario.notes),
            "",
            table(columns, [_row(*pair) for pair in zip(outcome.results, gaps, strict=True)]),
            "",
            table(lost, [_lost_row(result) for result in outcome.results]),
            "",
            verdict(outcome.results),
        ]
    )


def _row(result: PolicyResult, gap: Estimate | None) -> tuple[str, ...]:
    completion = result.completion_s()
    return (
        result.policy,
        f"{completion.mean:.1f}",
        _interval(completion),
        "-" if gap is None else f"{gap.mean:.1f} ({_interval(gap)})",
        f"{result.mean('p95_completion_s'):.0f}",
        f"{result.mean('moved_bytes') / 1e12:.1f}",
        f"{result.mean('busy_percent'):.1f}",
    )


def _lost_row(result: PolicyResult) -> tuple[str, ...]:
    lost = result.lost_gpu_s_per_task()
    by_term = (f"{lost[term]:.1f}" for term in TERMS)
    return (result.policy, *by_term, f"{sum(lost.values()):.1f}")


def _interval(estimate: Estimate) -> str:
    return "-" if estimate.lo is None else f"{estimate.lo:.1f}..{estimate.hi:.1f}"
