"""`synthscale capacity fit`: how many more of this pod fit, and what stops the next one.

Shell: reads the files, asks `simulations.capacity.fit`, writes what came.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from gpu_fleet.admission import Admission
from gpu_fleet.errors import InputError
from gpu_fleet.nodes import MAX_DEVICES, MOST_CPU_MILLI, MOST_MEMORY_MIB, WHOLE_GPU_MILLI
from gpu_fleet.pods import Pod, PodShape
from gpu_fleet.quantities import Rounding, cpu_milli, memory_mib
from gpu_fleet.words import did_you_mean, shown
from scheduler_extender.placement.registry import policy_names
from simulations.capacity.fit import Fit, Fitting, fit
from simulations.capacity.rows import fit_row, fit_verdict
from simulations.commands.options import (
    JsonPath,
    Kernels,
    LogPath,
    NodesFile,
    ReportPath,
    kernels_choice,
)
from simulations.readers import read_inventory, read_workload, unknown_models
from simulations.readers.demand import read_demand
from simulations.runs.outputs import (
    document,
    fingerprint,
    table,
)
from simulations.runs.publish import Destinations, publish
from simulations.workload import TracedPod, Workload

if TYPE_CHECKING:
    from collections.abc import Callable

    from simulations.report.document import Report

__all__ = ["Experiment", "command", "one_policy", "run_experiment", "spec_of", "words"]


@dataclass(frozen=True, slots=True)
class Experiment:
    """Everything that `capacity fit` was asked for."""

    fitting: Fitting
    pod: str
    """The pod whose shape it is, or `this pod`."""

    @property
    def notes(self) -> tuple[str, ...]:
        """What was assumed and ignored."""
        inventory, also = self.fitting.inventory, self.fitting.also
        bound = len(inventory.bound)
        own = (f"{bound:,} pods run on these nodes already and stay",) if bound else ()
        return (*inventory.notes, *own, *(also.notes if also is not None else ()))


def command(
    nodes: NodesFile,
    cpu: Annotated[str | None, typer.Option(help="CPU that the pod asks for: 4, 500m.")] = None,
    memory: Annotated[str | None, typer.Option(help="Memory: 16Gi, 500M.")] = None,
    gpus: Annotated[int | None, typer.Option(help="GPUs.")] = None,
    gpu_milli: Annotated[
        int | None,
        typer.Option("--gpu-milli", help="Thousandths of one GPU; whole GPUs if absent."),
    ] = None,
    gpu_memory: Annotated[
        str | None, typer.Option("--gpu-memory", help="Memory on each GPU: 8Gi.")
    ] = None,
    gpu_models: Annotated[
        str | None,
        typer.Option("--gpu-models", help='Allowed GPU models: "T4|A10"; any if absent.'),
    ] = None,
    pod: Annotated[
        str | None, typer.Option(help="Ask for the shape of this pod in --pods instead.")
    ] = None,
    pods: Annotated[
        str | None, typer.Option(help="Where --pod is: CSV in openb's columns, or kubectl's JSON.")
    ] = None,
    also: Annotated[
        str | None, typer.Option(help="Pods to place first: CSV, or the pending ones in JSON.")
    ] = None,
    policy: Annotated[str, typer.Option(help="The policy that places them.")] = "least-loss",
    kernels: Kernels = "auto",
    json_path: JsonPath = None,
    report: ReportPath = None,
    log: LogPath = None,
) -> None:
    """How many more of this pod fit on these nodes, and what stops the next one."""
    to = Destinations.checked(json_path, report, log)
    flags = _Flags(cpu, memory, gpus, gpu_milli, gpu_memory, gpu_models)
    wanted = _shape_of_pod(pod, pods, flags) if pod is not None or pods is not None else None
    inventory = read_inventory(nodes)
    if wanted is None:
        wanted = Workload("flags", (TracedPod(Pod("this pod", flags.shape())),))
    _check_models(lambda: unknown_models(inventory, wanted), by_flags=pod is None)
    first = None if also is None else read_workload(also)
    if first is not None:
        unknown_models(inventory, first)
    experiment = Experiment(
        Fitting(
            inventory=inventory,
            shape=wanted.pods[0].pod.shape,
            policy=one_policy(policy),
            also=first,
            kernels=kernels_choice(kernels),
            keep_log=log is not None,
        ),
        wanted.pods[0].pod.name,
    )
    outcome = run_experiment(experiment)
    files = {"nodes": nodes, "pods": pods, "also": also}
    _publish(experiment, outcome, spec_of(experiment, files), to)


def run_experiment(experiment: Experiment) -> Fit:
    """The answer."""
    return fit(experiment.fitting)


# -- options -------------------------------------------------------------------------------------


def one_policy(text: str) -> str:
    """The policy that `--policy` names."""
    names = policy_names(text)
    if len(names) > 1:
        raise InputError(f"{len(names)} policies are named", remedy="name one", field="--policy")
    return names[0]


@dataclass(frozen=True, slots=True)
class _Flags:
    """The pod as the command line describes it."""

    cpu: str | None
    memory: str | None
    gpus: int | None
    gpu_milli: int | None
    gpu_memory: str | None
    gpu_models: str | None

    def shape(self) -> PodShape:
        """Requests round up, as everywhere."""
        gpus = self._gpu_count()
        return PodShape(
            cpu_milli=_amount("--cpu", self.cpu, cpu_milli, MOST_CPU_MILLI),
            memory_mib=_amount("--memory", self.memory, memory_mib, MOST_MEMORY_MIB),
            gpu_count=gpus,
            gpu_milli=self._milli() if gpus else 0,
            gpu_memory_mib=_amount("--gpu-memory", self.gpu_memory, memory_mib, MOST_MEMORY_MIB),
            admission=Admission(gpu_models=self._models()),
        )

    def given(self) -> str | None:
        """The first flag that was given."""
        names = ("--cpu", "--memory", "--gpus", "--gpu-milli", "--gpu-memory", "--gpu-models")
        values = (
            self.cpu,
            self.memory,
            self.gpus,
            self.gpu_milli,
            self.gpu_memory,
            self.gpu_models,
        )
        return next((n for n, v in zip(names, values, strict=True) if v is not None), None)

    def _gpu_count(self) -> int:
        speaks_of_gpus = (self.gpu_milli, self.gpu_memory, self.gpu_models) != (None, None, None)
        if self.gpus is None:
            return 1 if speaks_of_gpus else 0
        if self.gpus == 0 and speaks_of_gpus:
            raise InputError(
                "is 0 beside options about its GPUs", remedy="ask for 1", field="--gpus"
            )
        return _between("--gpus", self.gpus, 0, MAX_DEVICES)

    def _milli(self) -> int:
        if self.gpu_milli is None:
            return WHOLE_GPU_MILLI
        milli = _between("--gpu-milli", self.gpu_milli, 1, WHOLE_GPU_MILLI)
        if milli < WHOLE_GPU_MILLI and (self.gpus or 1) > 1:
            raise InputError(
                "several GPUs are always whole ones",
                remedy="ask for part of one GPU, or leave it out",
                field="--gpu-milli",
            )
        return milli

    def _models(self) -> tuple[str, ...]:
        if self.gpu_models is None:
            return ()
        models = {model.strip() for model in self.gpu_models.split("|")}
        if "" in models:
            raise InputError(
                f"{shown(self.gpu_models)} has an empty model",
                remedy="join the allowed models with single bars, as in T4|P100",
                field="--gpu-models",
            )
        return tuple(sorted(models))


def _amount(flag: str, text: str | None, units: Callable[[str, Rounding], int], most: int) -> int:
    if text is None:
        return 0
    try:
        amount = units(text, Rounding.UP)
    except InputError as error:
        raise InputError(error.problem, remedy=error.remedy, field=flag) from None
    if not 0 <= amount <= most:
        raise InputError(f"{shown(text)} is not possible", remedy="check the unit", field=flag)
    return amount


def _between(flag: str, value: int, least: int, most: int) -> int:
    if not least <= value <= most:
        raise InputError(f"{value} is not possible", remedy=f"give {least} to {most}", field=flag)
    return value


def _shape_of_pod(pod: str | None, pods: str | None, flags: _Flags) -> Workload:
    """A workload of that pod alone."""
    if pod is None or pods is None:
        absent, there = ("--pod", "--pods") if pod is None else ("--pods", "--pod")
        raise InputError(f"is needed beside {there}", remedy="give both", field=absent)
    if (flag := flags.given()) is not None:
        raise InputError(
            "describes a pod that --pod names already", remedy="give one of them", field=flag
        )
    workload = read_demand(pods)
    for index, traced in enumerate(workload.pods):
        if traced.pod.name in (pod, f"default/{pod}"):
            lines = workload.lines[index : index + 1]
            return Workload(workload.name, (traced,), file=workload.file, lines=lines)
    names = [traced.pod.name for traced in workload.pods]
    raise InputError(
        f"there is no pod {shown(pod)} that has not finished",
        remedy=f"name one that is in the file{did_you_mean(pod, names)}",
        file=workload.file,
        field="--pod",
    )


def _check_models(check: Callable[[], None], *, by_flags: bool) -> None:
    """The complaint about a model names the flag where there is no file to name."""
    try:
        check()
    except InputError as error:
        if not by_flags:
            raise
        raise InputError(error.problem, remedy=error.remedy, field="--gpu-models") from None


# -- output --------------------------------------------------------------------------------------


def spec_of(experiment: Experiment, files: dict[str, str | None]) -> dict[str, object]:
    """Everything that decides the result, as `--json` states it."""
    fitting, shape = experiment.fitting, experiment.fitting.shape
    given = {name: path for name, path in files.items() if path is not None}
    return {
        **given,
        **{f"{name}_sha256": fingerprint(Path(path)) for name, path in given.items()},
        "policy": fitting.policy,
        "pod": {
            "name": experiment.pod,
            "cpu_milli": shape.cpu_milli,
            "memory_mib": shape.memory_mib,
            "gpu_count": shape.gpu_count,
            "gpu_milli": shape.gpu_milli if shape.gpu_count else 0,
            "gpu_memory_mib": shape.gpu_memory_mib,
            "gpu_models": list(shape.admission.gpu_models),
        },
        "nodes_used": len(fitting.inventory.nodes),
        "gpus": sum(len(node.devices) for node in fitting.inventory.nodes),
        "notes": list(experiment.notes),
    }


def _publish(
    experiment: Experiment, outcome: Fit, spec: dict[str, object], to: Destinations
) -> None:
    to.say(words(experiment, outcome))
    policy = experiment.fitting.policy
    row = fit_row(policy, experiment.fitting.shape, outcome)
    content = document("capacity fit", spec, [row])

    def report() -> Report:
        from simulations.report.capacity import fit_report  # noqa: PLC0415 - only when asked

        return fit_report(experiment, outcome, content)

    publish(to, content, [(f"policy={policy}", outcome.log)], report)


def words(experiment: Experiment, outcome: Fit) -> str:
    """What the command prints for people."""
    fitting = experiment.fitting
    gpus = sum(len(node.devices) for node in fitting.inventory.nodes)
    only = {thing.refusal.phrase: thing.nodes for thing in outcome.only_things}
    rows = [
        (reason, f"{nodes:,}", f"{only.get(reason, 0):,}")
        for reason, nodes in outcome.stops_by_reason.items()
    ]
    headline = (
        f"{fitting.inventory.name}: {len(fitting.inventory.nodes):,} nodes with {gpus:,} GPUs, "
        f"{experiment.pod}, placed with {fitting.policy}"
    )
    lines = [
        headline,
        *(f"  note: {note}" for note in experiment.notes),
        *_placed_first(fitting.also, outcome),
        "",
        table(("what stops the next pod", "nodes", "alone on"), rows),
        "",
        fit_verdict(fitting.shape, outcome),
    ]
    return "\n".join(lines)


def _placed_first(also: Workload | None, outcome: Fit) -> tuple[str, ...]:
    if also is None:
        return ()
    placed, unplaced = outcome.also_placed, outcome.also_unplaced
    return (f"  before it: {also.name}, {placed:,} pods placed, {unplaced:,} found no place",)
