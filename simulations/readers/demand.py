"""All pods that a fleet must hold: those that wait and those that run already.

A fleet that is bought anew must hold everything, so a kubectl dump gives all its pods that have not
finished. A CSV has no such difference. This module must not decide where a pod goes.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from gpu_fleet.errors import InputError
from gpu_fleet.words import counted
from scheduler_extender.objects.complaints import complaint, named
from scheduler_extender.objects.pods import PodBuilder
from scheduler_extender.objects.tally import Tally
from simulations.readers import openb
from simulations.readers.created import created_s
from simulations.readers.dump import take_apart
from simulations.readers.files import read_text
from simulations.workload import TracedPod, Workload

if TYPE_CHECKING:
    from scheduler_extender.objects.wire import PodObject
    from simulations.readers.files import SourceText

__all__ = ["read_demand"]

_FINISHED = frozenset({"Succeeded", "Failed"})


def read_demand(path: Path | str) -> Workload:
    """The pods in `path` that have not finished, in file order; raises `InputError`."""
    source = read_text(Path(path))
    if not source.is_json:
        return openb.workload(source)
    try:
        return _demand(source)
    except InputError as error:
        raise error.within(source.file) from None


def _demand(source: SourceText) -> Workload:
    dump = take_apart(source.text)
    tally = Tally("pod")
    builder = PodBuilder(tally)
    pods: dict[str, TracedPod] = {}
    for raw in dump.pods:
        if not _counts(raw, tally):
            continue
        pod = builder.pod(raw)
        if pod.name in pods:
            owner = named("Pod", raw.metadata)
            raise complaint(owner, "metadata.name", "is there twice", "remove one of them")
        pods[pod.name] = TracedPod(pod, created_s(raw))
    if not pods:
        raise InputError(
            f"there is no Pod in it that has not finished ({dump.contents()})",
            remedy="print it with: kubectl get pods -A -o json",
        )
    others = dump.others.total()
    ignored = (f"{counted(others, 'object')} of other kinds: ignored",) if others else ()
    return Workload(
        name=source.stem,
        pods=tuple(pods.values()),
        notes=tally.notes() + ignored,
        file=source.file,
    )


def _counts(raw: PodObject, tally: Tally) -> bool:
    if raw.status.phase in _FINISHED:
        tally.add("has finished: skipped", "have finished: skipped")
        return False
    if raw.metadata.deletion_timestamp:
        tally.add("is being deleted: skipped", "are being deleted: skipped")
        return False
    tally.add(
        "runs already: part of the workload",
        "run already: part of the workload, also those that run once on every node",
        when=bool(raw.spec.node_name),
    )
    return True
