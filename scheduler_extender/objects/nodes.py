"""Kubernetes nodes as the fleet's nodes.

What a node offers is `status.allocatable`, rounded down; which GPUs it has is told by labels and by
whoever shares them out (HAMi, gpushare, our own resources).
This module must not look at pods.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from gpu_fleet.accelerators import allocatable_memory_mib
from gpu_fleet.errors import InputError
from gpu_fleet.names import (
    GPU_MEMORY_LABEL,
    GPU_MODEL_LABELS,
    GPU_REPLICAS_LABEL,
    GPU_RESOURCES,
    GPU_SHARE_MEMORY_MIB_RESOURCE,
    GPU_SHARE_MILLI_RESOURCE,
    GPUSHARE_COUNT_RESOURCE,
    GPUSHARE_MEMORY_GIB_RESOURCE,
    HAMI_REGISTER_ANNOTATION,
)
from gpu_fleet.nodes import (
    MAX_DEVICES,
    MOST_CPU_MILLI,
    MOST_MEMORY_MIB,
    WHOLE_GPU_MILLI,
    Device,
    Node,
    Taint,
)
from gpu_fleet.quantities import Rounding, count, cpu_milli, memory_mib
from gpu_fleet.readings import Missing
from scheduler_extender.objects.complaints import complaint, named
from scheduler_extender.objects.hami import registered
from scheduler_extender.objects.requests import quantity

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gpu_fleet.quantities import Quantity
    from scheduler_extender.objects.tally import Tally
    from scheduler_extender.objects.wire import NodeObject

__all__ = ["ObservedNode", "observed_node", "to_node"]

_ALLOCATABLE = "status.allocatable"
_MIG_PREFIX = "nvidia.com/mig-"
_MIB_PER_GIB = 1_024
_MOST_DEVICE_GIB = 1_024
"""No GPU has a TiB; a larger figure is in MiB."""
_FEW_DIGITS = 10
"""Enough for every figure here, and int() of a longer text could take for ever."""


@dataclass(frozen=True, slots=True)
class ObservedNode:
    """A node, with what only a host that follows its pods needs."""

    node: Node
    device_ids: tuple[str, ...] = ()
    """How its device plugin calls the devices, where it tells; by index."""
    counted: int | None = None
    """Whole GPUs as kube-scheduler counts them, where time-slicing or MPS makes them more than
    `MAX_DEVICES`: then `node.devices` shows the last ones of them, which fill up last."""


def to_node(raw: NodeObject, tally: Tally) -> Node:
    """The node, with what could not be carried over counted in `tally`."""
    owner = named("Node", raw.metadata)
    amounts = _amounts(raw, owner)
    gpus = _gpus(raw, amounts, owner)
    if gpus.counted > MAX_DEVICES:
        raise complaint(
            owner,
            f"{_ALLOCATABLE}.{gpus.name}",
            f"{gpus.counted} GPUs in one node",
            f"the largest node known here has {MAX_DEVICES}; take out shared replicas",
        )
    _note(tally, amounts, raw.metadata.labels or {}, ready=_is_ready(raw), gpus=gpus)
    return _node(raw, amounts, gpus, owner)


def observed_node(raw: NodeObject) -> ObservedNode:
    """The node as it is; raises `InputError` where it cannot be read."""
    owner = named("Node", raw.metadata)
    amounts = _amounts(raw, owner)
    gpus = _gpus(raw, amounts, owner)
    counted = gpus.counted if gpus.counted > MAX_DEVICES else None
    return ObservedNode(_node(raw, amounts, gpus, owner), gpus.ids, counted)


@dataclass(frozen=True, slots=True)
class _Gpus:
    name: str = ""
    devices: tuple[Device, ...] = ()
    model: str | None = None
    ids: tuple[str, ...] = ()
    counted: int = 0


def _node(raw: NodeObject, amounts: Mapping[str, Quantity], gpus: _Gpus, owner: str) -> Node:
    return Node(
        name=raw.metadata.name,
        cpu_milli=_bounded(amounts, "cpu", owner, most=MOST_CPU_MILLI),
        memory_mib=_bounded(amounts, "memory", owner, most=MOST_MEMORY_MIB),
        devices=gpus.devices,
        gpu_model=gpus.model if gpus.devices else None,
        labels=raw.metadata.labels or {},
        taints=tuple(
            Taint(taint.key, taint.value or "", taint.effect) for taint in raw.spec.taints or ()
        ),
        cordoned=bool(raw.spec.unschedulable) or not _is_ready(raw),
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


def _gpus(raw: NodeObject, amounts: Mapping[str, Quantity], owner: str) -> _Gpus:
    """Devices as whoever shares them out tells: HAMi, our own resources, a count, gpushare."""
    labels = raw.metadata.labels or {}
    model = next((labels[label] for label in GPU_MODEL_LABELS if labels.get(label)), None)
    if text := (raw.metadata.annotations or {}).get(HAMI_REGISTER_ANNOTATION):
        return _registered(text, model, owner)
    milli = _counted(amounts, GPU_SHARE_MILLI_RESOURCE, owner)
    if milli:
        return _advertised(amounts, milli, labels, model, owner)
    for name in GPU_RESOURCES:
        if counted := _counted(amounts, name, owner):
            device = Device(memory_mib=_device_memory(labels, model, owner))
            return _Gpus(name, (device,) * min(counted, MAX_DEVICES), model, (), counted)
    return _gpushare(amounts, model, owner)


def _registered(text: str, model: str | None, owner: str) -> _Gpus:
    devices = registered(text, owner)
    _at_most(len(devices), HAMI_REGISTER_ANNOTATION, owner)
    return _Gpus(
        HAMI_REGISTER_ANNOTATION,
        tuple(Device(memory_mib=one.memory_mib, healthy=one.healthy) for one in devices),
        model or next((one.model for one in devices if one.model), None),
        tuple(one.id for one in devices),
        len(devices),
    )


def _advertised(
    amounts: Mapping[str, Quantity],
    milli: int,
    labels: Mapping[str, str],
    model: str | None,
    owner: str,
) -> _Gpus:
    """Our own resources: thousandths and memory of all GPUs together."""
    name, count_ = GPU_SHARE_MILLI_RESOURCE, milli // WHOLE_GPU_MILLI
    _at_most(count_, name, owner)
    if milli % WHOLE_GPU_MILLI or _replicas(labels) > 1:
        raise complaint(
            owner,
            f"{_ALLOCATABLE}.{name}",
            f"{milli} beside {_replicas(labels)} replicas of each GPU",
            "advertise 1000 for each physical GPU, and share it by one means only",
        )
    together = _counted(amounts, GPU_SHARE_MEMORY_MIB_RESOURCE, owner)
    memory = together // count_ if together else _device_memory(labels, model, owner)
    return _Gpus(name, (Device(memory_mib=memory),) * count_, model, (), count_)


def _gpushare(amounts: Mapping[str, Quantity], model: str | None, owner: str) -> _Gpus:
    devices = _counted(amounts, GPUSHARE_COUNT_RESOURCE, owner)
    gib = _counted(amounts, GPUSHARE_MEMORY_GIB_RESOURCE, owner)
    if not devices or not gib:
        return _Gpus()
    _at_most(devices, GPUSHARE_COUNT_RESOURCE, owner)
    if gib // devices > _MOST_DEVICE_GIB:
        raise complaint(
            owner,
            f"{_ALLOCATABLE}.{GPUSHARE_MEMORY_GIB_RESOURCE}",
            f"{gib} GiB on {devices} GPUs is more than any GPU has",
            "start gpushare's device plugin with --memory-unit=GiB",
        )
    device = Device(memory_mib=gib // devices * _MIB_PER_GIB)
    return _Gpus(GPUSHARE_COUNT_RESOURCE, (device,) * devices, model, (), devices)


def _at_most(devices: int, name: str, owner: str) -> None:
    if devices > MAX_DEVICES:
        raise complaint(
            owner, name, f"{devices} GPUs in one node", f"the largest known has {MAX_DEVICES}"
        )


def _counted(amounts: Mapping[str, Quantity], name: str, owner: str) -> int:
    if name not in amounts:
        return 0
    try:
        return count(amounts[name])
    except InputError as error:
        raise complaint(owner, f"{_ALLOCATABLE}.{name}", error.problem, error.remedy) from None


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
    gpus: _Gpus,
) -> None:
    tally.add("is not Ready: taken as cordoned", "are not Ready: taken as cordoned", when=not ready)
    tally.add(
        "has GPUs and no label that names their model: model unknown",
        "have GPUs and no label that names their model: model unknown",
        when=bool(gpus.devices) and gpus.model is None,
    )
    tally.add(
        "shares its GPUs among replicas: each replica counts as a GPU",
        "share their GPUs among replicas: each replica counts as a GPU",
        when=bool(gpus.devices) and _replicas(labels) > 1,
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
