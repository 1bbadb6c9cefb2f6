"""Kubernetes nodes as the fleet's nodes.

What a node offers is `status.allocatable`, rounded down; which GPUs it has is told by labels.
This module must not look at pods.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from gpu_fleet.accelerators import allocatable_memory_mib
from gpu_fleet.errors import InputError
from gpu_fleet.names import (
    GPU_MEMORY_LABEL,
    GPU_MODEL_LABELS,
    GPU_REPLICAS_LABEL,
    GPU_RESOURCES,
)
from gpu_fleet.nodes import MAX_DEVICES, MOST_CPU_MILLI, MOST_MEMORY_MIB, Device, Node, Taint
from gpu_fleet.quantities import Rounding, count, cpu_milli, memory_mib
from gpu_fleet.readings import Missing
from scheduler_extender.objects.complaints import complaint, named
from scheduler_extender.objects.requests import quantity

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gpu_fleet.quantities import Quantity
    from scheduler_extender.objects.tally import Tally
    from scheduler_extender.objects.wire import NodeObject

__all__ = ["to_node"]

_ALLOCATABLE = "status.allocatable"
_MIG_PREFIX = "nvidia.com/mig-"
_FEW_DIGITS = 10
"""Enough for every figure here, and int() of a longer text could take for ever."""


def to_node(raw: NodeObject, tally: Tally) -> Node:
    """The node, with what could not be carried over counted in `tally`."""
    owner = named("Node", raw.metadata)
    labels = raw.metadata.labels or {}
    amounts = _amounts(raw, owner)
    gpus = _gpu_count(amounts, owner)
    model = next((labels[label] for label in GPU_MODEL_LABELS if labels.get(label)), None)
    ready = _is_ready(raw)
    _note(tally, amounts, labels, ready=ready, gpus=gpus, model=model)
    return Node(
        name=raw.metadata.name,
        cpu_milli=_bounded(amounts, "cpu", owner, most=MOST_CPU_MILLI),
        memory_mib=_bounded(amounts, "memory", owner, most=MOST_MEMORY_MIB),
        devices=(Device(memory_mib=_device_memory(labels, model, owner)),) * gpus if gpus else (),
        gpu_model=model if gpus else None,
        labels=labels,
        taints=tuple(
            Taint(taint.key, taint.value or "", taint.effect) for taint in raw.spec.taints or ()
        ),
        cordoned=bool(raw.spec.unschedulable) or not ready,
    )


def _amounts(raw: NodeObject, owner: str) -> dict[str, Quantity]:
    allocatable = raw.status.allocatable or {}
    for needed in ("cpu", "memory"):
        if needed not in allocatable:
            raise complaint(
                owner,
                f"{_ALLOCATABLE}.{needed}",
                "is missing",
                "print whole objects: kubectl get nodes,pods -A -o json",
            )
    return {
        name: quantity(amount, owner, f"{_ALLOCATABLE}.{name}")
        for name, amount in allocatable.items()
    }


def _bounded(amounts: Mapping[str, Quantity], name: str, owner: str, *, most: int) -> int:
    to_units = cpu_milli if name == "cpu" else memory_mib
    amount = to_units(amounts[name], Rounding.DOWN)
    if amount > most:
        raise complaint(
            owner,
            f"{_ALLOCATABLE}.{name}",
            f"{amounts[name]} is more than any machine has",
            "check the unit",
        )
    return amount


def _gpu_count(amounts: Mapping[str, Quantity], owner: str) -> int:
    """Devices of the first GPU resource that the node has any of."""
    for name in GPU_RESOURCES:
        if name not in amounts:
            continue
        path = f"{_ALLOCATABLE}.{name}"
        try:
            devices = count(amounts[name])
        except InputError as error:
            raise complaint(owner, path, error.problem, error.remedy) from None
        if devices > MAX_DEVICES:
            raise complaint(
                owner,
                path,
                f"{amounts[name]} GPUs in one node",
                f"the largest node known here has {MAX_DEVICES}; take out shared replicas",
            )
        if devices:
            return devices
    return 0


def _device_memory(labels: Mapping[str, str], model: str | None, owner: str) -> int | Missing:
    if _replicas(labels) > 1:
        return Missing("time-sliced: no replica has memory of its own")
    if GPU_MEMORY_LABEL not in labels:
        return Missing("no model label") if model is None else allocatable_memory_mib(model)
    text = labels[GPU_MEMORY_LABEL]
    if not (text.isascii() and text.isdigit() and len(text) < _FEW_DIGITS and int(text) > 0):
        raise complaint(
            owner,
            f"metadata.labels.{GPU_MEMORY_LABEL}",
            f"{text[:40]!r} is no amount of MiB",
            "give a whole number, or remove the label",
        )
    return int(text)


def _replicas(labels: Mapping[str, str]) -> int:
    text = labels.get(GPU_REPLICAS_LABEL, "1")
    return int(text) if text.isascii() and text.isdigit() and len(text) < _FEW_DIGITS else 1


def _is_ready(raw: NodeObject) -> bool:
    """A node that says nothing about readiness is taken to be ready."""
    return all(c.status == "True" for c in raw.status.conditions or () if c.type == "Ready")


def _note(
    tally: Tally,
    amounts: Mapping[str, Quantity],
    labels: Mapping[str, str],
    *,
    ready: bool,
    gpus: int,
    model: str | None,
) -> None:
    tally.add("is not Ready: taken as cordoned", "are not Ready: taken as cordoned", when=not ready)
    tally.add(
        "has GPUs and no label that names their model: model unknown",
        "have GPUs and no label that names their model: model unknown",
        when=bool(gpus) and model is None,
    )
    tally.add(
        "shares its GPUs among replicas: each replica counts as a GPU",
        "share their GPUs among replicas: each replica counts as a GPU",
        when=bool(gpus) and _replicas(labels) > 1,
    )
    tally.add(
        "offers MIG instances as resources of their own: ignored",
        "offer MIG instances as resources of their own: ignored",
        when=any(name.startswith(_MIG_PREFIX) and a.nanos for name, a in amounts.items()),
    )
    tally.add(
        "has GPUs of a second kind: ignored",
        "have GPUs of a second kind: ignored",
        when=sum(name in amounts and amounts[name].nanos > 0 for name in GPU_RESOURCES) > 1,
    )
    tally.add(
        "limits how many pods it holds: ignored",
        "limit how many pods they hold: ignored",
        when="pods" in amounts,
    )
