"""`synthscale simulate replay`: pods come and go as a trace says, and policies are compared.

Shell: reads the files, runs `simulations.replay` for each policy and seed, writes what came.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from gpu_fleet.clock import DAY_S
from gpu_fleet.errors import InputError
from scheduler_extender.placement.choice import TieBreak
from scheduler_extender.placement.registry import policy_names
from simulations.arrivals import PoissonArrivals, TraceArrivals
from simulations.commands.options import (
    CheckOption,
    JsonPath,
    Kernels,
    LogPath,
    NodesFile,
    PodsFile,
    ReportPath,
    Seeds,
    TieBreakOption,
    kernels_choice,
    tie_break_choice,
)
from simulations.commands.replay_words import tables_in_words
from simulations.inflation import study_nodes
from simulations.kube_placer import KUBE_SCHEDULER, KubeHost
from simulations.readers import read_inventory, read_workload, unknown_models
from simulations.readers.kube_host import read_kube_host
from simulations.replay import Replay, ReplayRun, draw_arrivals, replay
from simulations.replay_rows import PolicyReplays, gather, json_rows
from simulations.runs.outputs import document, fingerprint
from simulations.runs.progress import Progress
from simulations.runs.publish import Destinations, publish, timed
from simulations.runs.seeds import parse_seeds
from simulations.runs.sweep import sweep, workers
from simulations.time_order import in_time_order

if TYPE_CHECKING:
    from concurrent.futures import Executor

    from simulations.report.document import Report
    from simulations.workload import Inventory, Workload

__all__ = ["Experiment", "Outcome", "command", "run_experiment", "spec_of", "words"]


@dataclass(frozen=True, slots=True)
class Experiment:
    """Everything that `simulate replay` was asked for."""

    inventory: Inventory
    workload: Workload
    policies: tuple[str, ...]
    seeds: tuple[int, ...]
    arrivals: TraceArrivals | PoissonArrivals
    tie_break: TieBreak = TieBreak.RANDOM
    warm_up: float = 0.3
    kernels: bool | None = None
    keep_log: bool = False
    keep_maps: bool = False
    kube: KubeHost = field(default_factory=KubeHost)
    """What the model of kube-scheduler knows, where it is among the policies."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of it."""

    results: list[PolicyReplays]
    runs: list[ReplayRun]
    notes: tuple[str, ...]


def command(
    pods: PodsFile,
    nodes: NodesFile,
    policies: Annotated[
        str,
        typer.Option(
            help="Policies, separated by commas, or all; kube-scheduler is what a cluster does now."
        ),
    ] = "least-loss,fgd,best-fit,least-allocated",
    seeds: Seeds = "42..51",
    arrivals: Annotated[
        str,
        typer.Option(
            help="trace: the file's own times; poisson: its pods at random, steady times."
        ),
    ] = "trace",
    load: Annotated[
        float | None,
        typer.Option(help="Offer this load: GPU-time asked for over GPU-time there is."),
    ] = None,
    scale: Annotated[
        int,
        typer.Option(help="Copies of each pod (trace), moved at random by up to --jitter-days."),
    ] = 1,
    speedup: Annotated[
        float, typer.Option(help="Divides the gaps between arrivals; pods stay as long (trace).")
    ] = 1.0,
    jitter_days: Annotated[
        float, typer.Option(help="How far copies move, when --scale is above 1.")
    ] = 2.0,
    days: Annotated[float, typer.Option(help="Days to simulate (poisson).")] = 4.0,
    skip_days: Annotated[float, typer.Option(help="Leave out the first days of the trace.")] = 0.0,
    warm_up: Annotated[
        float, typer.Option(help="Share of the time that is simulated but not measured.")
    ] = 0.3,
    tie_break: TieBreakOption = "random",
    scheduler_config: Annotated[
        str | None,
        typer.Option(help="KubeSchedulerConfiguration of the policy kube-scheduler (YAML, JSON)."),
    ] = None,
    gpu_nodes_only: Annotated[
        bool,
        typer.Option("--gpu-nodes-only/--all-nodes", help="Leave out nodes without GPUs, or keep."),
    ] = False,
    check: CheckOption = False,
    kernels: Kernels = "auto",
    workers_: Annotated[int, typer.Option("--workers", help="Processes that share the runs.")] = 1,
    json_path: JsonPath = None,
    report: ReportPath = None,
    log: LogPath = None,
) -> None:
    """Replay pods that come and go, and compare how policies keep them waiting and GPUs idle."""
    to = Destinations.checked(json_path, report, log)
    chosen = _arrivals(arrivals, load, scale, speedup, jitter_days, days, skip_days)
    inventory = read_inventory(nodes)
    workload = in_time_order(read_workload(pods))
    unknown_models(inventory, workload)
    names = _policy_names(policies)
    experiment = Experiment(
        inventory=study_nodes(inventory) if gpu_nodes_only else inventory,
        workload=workload,
        policies=names,
        seeds=parse_seeds(seeds),
        arrivals=chosen,
        tie_break=tie_break_choice(tie_break),
        warm_up=_between("--warm-up", warm_up, 0, 0.95, "0.3 is a good start"),
        kernels=kernels_choice(kernels),
        keep_log=log is not None or check,
        keep_maps=report is not None,
        kube=_kube_host(names, nodes, scheduler_config),
    )
    with workers(workers_) as executor:
        outcome = run_experiment(experiment, executor, Progress("replaying"))
    _publish(
        experiment, outcome, spec_of(experiment, pods, nodes, scheduler_config), to, check=check
    )


def run_experiment(
    experiment: Experiment, executor: Executor | None, progress: Progress
) -> Outcome:
    """Run each policy with each seed; results are in that order whatever the executor does."""
    _refuse_what_cannot_be_replayed(experiment)
    tasks = [
        Replay(
            inventory=experiment.inventory,
            workload=experiment.workload,
            policy=policy,
            seed=seed,
            arrivals=experiment.arrivals,
            tie_break=experiment.tie_break,
            warm_up=experiment.warm_up,
            kernels=experiment.kernels,
            keep_log=experiment.keep_log,
            keep_maps=experiment.keep_maps and seed == experiment.seeds[0],
            kube=experiment.kube if policy == KUBE_SCHEDULER else None,
        )
        for policy in experiment.policies
        for seed in experiment.seeds
    ]
    runs = sweep(partial(timed, replay), tasks, executor, progress)
    return Outcome(
        results=gather(runs),
        runs=[run for run, _, _ in runs],
        notes=_notes(experiment),
    )


def _refuse_what_cannot_be_replayed(experiment: Experiment) -> None:
    """Complain before the first run and before the first worker: it takes one draw of arrivals."""
    if not any(node.devices for node in experiment.inventory.nodes):
        raise InputError(
            "no node has a GPU",
            remedy="give a node file with GPUs; replays are measured in GPU",
            file=experiment.inventory.file or experiment.inventory.name,
        )
    draw_arrivals(
        experiment.arrivals, experiment.workload, experiment.inventory, experiment.seeds[0]
    )


def _notes(experiment: Experiment) -> tuple[str, ...]:
    """What was assumed, beside what the readers had to assume."""
    own = []
    arrivals = experiment.arrivals
    if isinstance(arrivals, TraceArrivals) and arrivals.scale == 1 and len(experiment.seeds) > 1:
        own.append(
            "every seed replays the same arrivals (--scale 1), so intervals tell the chance among "
            "equal nodes, not that of demand"
        )
    endless = sum(traced.deleted_s is None for traced in experiment.workload.pods)
    if endless:
        own.append(f"pods without deletion_time stay to the end of the trace: {endless}")
    if experiment.inventory.bound:
        own.append(
            f"pods that are bound already stay throughout: {len(experiment.inventory.bound)}"
        )
    own += _kube_notes(experiment)
    return (*experiment.inventory.notes, *experiment.workload.notes, *own)


def _kube_notes(experiment: Experiment) -> tuple[str, ...]:
    if KUBE_SCHEDULER not in experiment.policies:
        return ()
    told = f"{KUBE_SCHEDULER} is a model of 1.37.2 that knows pods by their shapes alone"
    limits = "shares of a GPU are counted for it; pods wait in this replay's queue, not in its own"
    return (f"{told}; {limits}",)


# -- options -----------------------------------------------------------------------------------


def _policy_names(text: str) -> tuple[str, ...]:
    """Those of the registry, and the scheduler that a cluster has already."""
    words = [word.strip() for word in text.split(",")]
    if KUBE_SCHEDULER not in words:
        return policy_names(text)
    others = ",".join(word for word in words if word != KUBE_SCHEDULER)
    known = policy_names(others) if others.strip(", ") else ()
    place = sum(word in known for word in words[: words.index(KUBE_SCHEDULER)])
    return (*known[:place], KUBE_SCHEDULER, *known[place:])


def _kube_host(names: tuple[str, ...], nodes: str, configuration: str | None) -> KubeHost:
    if KUBE_SCHEDULER in names:
        return read_kube_host(nodes, configuration)
    if configuration is not None:
        raise InputError(
            f"configures {KUBE_SCHEDULER}, which is not among the policies",
            remedy=f"add {KUBE_SCHEDULER} to --policies, or leave the option out",
            field="--scheduler-config",
        )
    return KubeHost()


def _arrivals(
    kind: str,
    load: float | None,
    scale: int,
    speedup: float,
    jitter_days: float,
    days: float,
    skip_days: float,
) -> TraceArrivals | PoissonArrivals:
    if load is not None:
        _between("--load", load, 0.001, 100, "1 asks for as much GPU-time as there is")
    skip_s = round(_between("--skip-days", skip_days, 0, 36_500, "0 skips nothing") * DAY_S)
    if kind == "trace":
        return _trace_arrivals(load, scale, speedup, jitter_days, skip_s)
    if kind != "poisson":
        raise InputError(
            f"'{kind}' is not known", remedy="say trace or poisson", field="--arrivals"
        )
    if load is None:
        raise InputError(
            "is needed for --arrivals poisson", remedy="give one, such as 0.95", field="--load"
        )
    if scale != 1 or speedup != 1:
        raise InputError(
            "there are no copies and no gaps of a trace with --arrivals poisson",
            remedy="say how busy with --load, how long with --days",
            field="--scale" if scale != 1 else "--speedup",
        )
    return PoissonArrivals(load, _between("--days", days, 0.01, 3_650, "4 is a start"), skip_s)


def _trace_arrivals(
    load: float | None, scale: int, speedup: float, jitter_days: float, skip_s: int
) -> TraceArrivals:
    if load is not None and speedup != 1:
        raise InputError(
            "chooses the speedup itself", remedy="give --load or --speedup", field="--load"
        )
    return TraceArrivals(
        scale=round(_between("--scale", scale, 1, 10_000, "1 is the trace as it is")),
        speedup=_between("--speedup", speedup, 0.0001, 10_000, "1 is the trace as it is"),
        load=load,
        jitter_s=round(_between("--jitter-days", jitter_days, 0, 3_650, "2 is a start") * DAY_S),
        skip_s=skip_s,
    )


def _between(field: str, value: float, least: float, most: float, advice: str) -> float:
    if not least <= value <= most:
        raise InputError(
            f"{value:g} is not possible",
            remedy=f"give {least:g} to {most:g}; {advice}",
            field=field,
        )
    return value


# -- output ------------------------------------------------------------------------------------


def spec_of(
    experiment: Experiment, pods: str, nodes: str, scheduler_config: str | None = None
) -> dict[str, object]:
    """Everything that decides the result, as `--json` states it."""
    arrivals = experiment.arrivals
    how: dict[str, object] = (
        {
            "arrivals": "trace",
            "scale": arrivals.scale,
            "speedup": arrivals.speedup if arrivals.load is None else None,
            "jitter_s": arrivals.jitter_s,
        }
        if isinstance(arrivals, TraceArrivals)
        else {"arrivals": "poisson", "days": arrivals.days}
    )
    configured: dict[str, object] = {}
    if scheduler_config is not None:
        configured["scheduler_config"] = scheduler_config
        configured["scheduler_config_sha256"] = fingerprint(Path(scheduler_config))
    return {
        "pods": pods,
        "pods_sha256": fingerprint(Path(pods)),
        "nodes": nodes,
        "nodes_sha256": fingerprint(Path(nodes)),
        "policies": list(experiment.policies),
        **configured,
        "seeds": list(experiment.seeds),
        "tie_break": experiment.tie_break.value,
        **how,
        "load": arrivals.load,
        "skip_s": arrivals.skip_s,
        "warm_up": experiment.warm_up,
        "nodes_used": len(experiment.inventory.nodes),
        "gpus": sum(len(node.devices) for node in experiment.inventory.nodes),
        "notes": list(_notes(experiment)),
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
    content = document("simulate replay", spec, rows)
    logs = [(f"policy={run.policy} seed={run.seed}", run.log) for run in outcome.runs]

    def report() -> Report:
        from simulations.report.replay import replay_report  # noqa: PLC0415 - only when asked

        return replay_report(experiment, outcome, content)

    publish(to, content, logs, report)


def _check(experiment: Experiment, outcome: Outcome, to: Destinations) -> None:
    from simulations.checker import check_run  # noqa: PLC0415 - only when asked

    for run in outcome.runs:
        check_run(experiment.inventory, experiment.workload, run.log)
    to.say(
        f"checked {len(outcome.runs)} runs independently: nothing oversubscribed, no pod lost",
    )


def words(experiment: Experiment, outcome: Outcome) -> str:
    """What the command prints for people."""
    gpus = sum(len(node.devices) for node in experiment.inventory.nodes)
    seeds = "1 seed" if len(experiment.seeds) == 1 else f"{len(experiment.seeds)} seeds"
    headline = (
        f"{experiment.workload.name}: {len(experiment.workload.pods)} pods that come and go, on "
        f"{len(experiment.inventory.nodes)} nodes with {gpus} GPUs, "
        f"{seeds}, {experiment.tie_break.value} choice among equals"
    )
    lines = [
        headline,
        *(f"  note: {note}" for note in outcome.notes),
        *tables_in_words(outcome.results, experiment.warm_up),
    ]
    return "\n".join(lines)
