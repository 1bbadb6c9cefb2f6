"""The cluster that `kubectl get nodes,pods -A -o json` shows: what is there, and what waits.

Bound pods occupy their nodes, pending pods are the workload, finished ones are only counted.
This module must not read files or ask a cluster.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from gpu_fleet.errors import InputError
from gpu_fleet.words import counted
from scheduler_extender.objects.complaints import complaint, named
from scheduler_extender.objects.devices import device_indices
from scheduler_extender.objects.nodes import to_node
from scheduler_extender.objects.pods import PodBuilder
from scheduler_extender.objects.tally import Tally
from simulations.readers.created import created_s
from simulations.readers.dump import REMEDY, take_apart
from simulations.workload import BoundPod, Inventory, TracedPod, Workload

if TYPE_CHECKING:
    from collections.abc import Iterable

    from scheduler_extender.objects.wire import NodeObject, PodObject
    from simulations.readers.dump import Dump
    from simulations.readers.files import SourceText

__all__ = ["inventory", "workload"]

_FINISHED = frozenset({"Succeeded", "Failed"})


def inventory(source: SourceText) -> Inventory:
    """The nodes, and the pods that are bound to them."""
    try:
        return _inventory(source)
    except InputError as error:
        raise error.within(source.file) from None


def workload(source: SourceText) -> Workload:
    """The pods that wait for a node, in file order."""
    try:
        return _workload(source)
    except InputError as error:
        raise error.within(source.file) from None


def _inventory(source: SourceText) -> Inventory:
    dump = take_apart(source.text)
    if not dump.nodes:
        raise InputError(f"there is no Node in it ({dump.contents()})", remedy=REMEDY)
    _unique("Node", dump.nodes)
    _unique("Pod", dump.pods)
    nodes_tally, pods_tally = Tally("node"), Tally("pod")
    nodes = tuple(to_node(raw, nodes_tally) for raw in dump.nodes)
    bound = _bound(dump, frozenset(node.name for node in nodes), pods_tally)
    return Inventory(
        name=source.stem,
        nodes=nodes,
        bound=bound,
        notes=nodes_tally.notes() + pods_tally.notes() + _others(dump),
        file=source.file,
    )


def _bound(dump: Dump, names: frozenset[str], tally: Tally) -> tuple[BoundPod, ...]:
    builder = PodBuilder(Tally("pod"))  # its constraints were met when it was bound
    bound = []
    for raw in dump.pods:
        node_name = raw.spec.node_name
        if not node_name or raw.status.phase in _FINISHED:
            continue
        if node_name not in names:
            tally.add(
                "runs on a node that is not in the file: ignored",
                "run on nodes that are not in the file: ignored",
            )
            continue
        pod = builder.pod(raw)
        bound.append(BoundPod(pod, node_name, device_indices(raw, pod.shape.gpu_count)))
    return tuple(bound)


def _workload(source: SourceText) -> Workload:
    dump = take_apart(source.text)
    if not dump.pods:
        raise InputError(f"there is no Pod in it ({dump.contents()})", remedy=REMEDY)
    _unique("Pod", dump.pods)
    tally = Tally("pod")
    builder = PodBuilder(tally)
    pods = tuple(
        TracedPod(builder.pod(raw), created_s(raw)) for raw in dump.pods if _waits(raw, tally)
    )
    if not pods:
        raise InputError(
            f"none of its {counted(len(dump.pods), 'Pod')} is waiting for a node",
            remedy="give a list with pending pods, or a CSV of the pods to place",
        )
    return Workload(
        name=source.stem, pods=pods, notes=tally.notes() + _others(dump), file=source.file
    )


def _waits(raw: PodObject, tally: Tally) -> bool:
    if raw.status.phase in _FINISHED:
        tally.add("has finished: skipped", "have finished: skipped")
        return False
    if raw.spec.node_name:
        tally.add(
            "has a node already: not part of the workload",
            "have a node already: not part of the workload",
        )
        return False
    if raw.metadata.deletion_timestamp:
        tally.add("is being deleted: skipped", "are being deleted: skipped")
        return False
    return True


def _unique(kind: str, objects: Iterable[NodeObject | PodObject]) -> None:
    seen = set()
    for raw in objects:
        name = (raw.metadata.namespace or "default", raw.metadata.name)
        if name in seen:
            owner = named(kind, raw.metadata)
            raise complaint(owner, "metadata.name", "is there twice", "remove one of them")
        seen.add(name)


def _others(dump: Dump) -> tuple[str, ...]:
    many = dump.others.total()
    return (f"{counted(many, 'object')} of other kinds: ignored",) if many else ()
