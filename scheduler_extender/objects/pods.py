"""Kubernetes pods as the fleet's pods.

Shapes carry what is honoured: amounts, node selector, required node affinity, tolerations, allowed
models, agent and datasets. Everything that is not honoured is counted. Shares of a GPU are read as
people already ask for them: openb's annotations, HAMi's and gpushare's extended resources, and
our own.
This module must not decide where a pod goes.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from gpu_fleet.admission import Admission, Requirement, SelectorTerm, Toleration
from gpu_fleet.errors import InputError
from gpu_fleet.names import (
    AGENT_LABEL,
    DATASETS_ANNOTATION,
    GPU_CARD_MODEL,
    GPU_CORES_PERCENT_RESOURCE,
    GPU_COUNT_ANNOTATION,
    GPU_MEMORY_MIB_RESOURCE,
    GPU_MEMORY_PERCENT_RESOURCE,
    GPU_MILLI_ANNOTATION,
    GPU_RESOURCES,
    GPU_SHARE_MEMORY_MIB_RESOURCE,
    GPU_SHARE_MILLI_RESOURCE,
    GPUSHARE_MEMORY_GIB_RESOURCE,
    SHARE_RESOURCES,
)
from gpu_fleet.nodes import MAX_DEVICES, MOST_CPU_MILLI, MOST_MEMORY_MIB, WHOLE_GPU_MILLI
from gpu_fleet.pods import Pod, PodShape
from gpu_fleet.quantities import Quantity, Rounding, count, cpu_milli, memory_mib
from gpu_fleet.words import shown
from scheduler_extender.objects.complaints import complaint, named
from scheduler_extender.objects.requests import effective_requests

if TYPE_CHECKING:
    from collections.abc import Mapping

    from scheduler_extender.objects.tally import Tally
    from scheduler_extender.objects.wire import PodObject, RawRequirement, RawTerm, RawToleration

__all__ = ["PodBuilder", "full_name", "pod_shape"]

_COUNTED = frozenset({"cpu", "memory", "pods", *GPU_RESOURCES, *SHARE_RESOURCES})
_HAMI = (GPU_MEMORY_MIB_RESOURCE, GPU_MEMORY_PERCENT_RESOURCE, GPU_CORES_PERCENT_RESOURCE)
_LEAST_SHARE_MILLI = 1
_PERCENT = 100
_MIB_PER_GIB = 1_024
_FEW_DIGITS = 10
"""Enough for every figure here, and int() of a longer text could take for ever."""


def pod_shape(raw: PodObject, asked: Mapping[str, Quantity], owner: str, tally: Tally) -> PodShape:
    """What placement may look at; raises `InputError` where the pod makes no sense."""
    gpus = _gpus(raw, asked, owner, tally)
    return PodShape(
        cpu_milli=_bounded(asked, "cpu", owner, most=MOST_CPU_MILLI),
        memory_mib=_bounded(asked, "memory", owner, most=MOST_MEMORY_MIB),
        gpu_count=gpus.count,
        gpu_milli=gpus.milli,
        gpu_memory_mib=gpus.memory_mib,
        admission=_admission(raw, tally),
        agent=(raw.metadata.labels or {}).get(AGENT_LABEL) or None,
        datasets=_words((raw.metadata.annotations or {}).get(DATASETS_ANNOTATION, ""), ","),
    )


def full_name(raw: PodObject) -> str:
    """`namespace/name`; a pod printed without a namespace is in `default`."""
    return f"{raw.metadata.namespace or 'default'}/{raw.metadata.name}"


class PodBuilder:
    """Pods one by one; equal shapes become one object, so that later tables are small."""

    __slots__ = ("_shapes", "_tally")

    def __init__(self, tally: Tally) -> None:
        self._tally = tally
        self._shapes: dict[PodShape, PodShape] = {}

    def pod(self, raw: PodObject) -> Pod:
        """The pod by its full name, with what is ignored counted."""
        owner = named("Pod", raw.metadata)
        asked = effective_requests(raw.spec, owner)
        shape = pod_shape(raw, asked, owner, self._tally)
        _count_ignored(raw, asked, self._tally)
        return Pod(
            name=full_name(raw),
            shape=self._shapes.setdefault(shape, shape),
            priority=raw.spec.priority or 0,
        )


@dataclass(frozen=True, slots=True)
class _Gpus:
    count: int = 0
    milli: int = 0
    memory_mib: int = 0


def _gpus(raw: PodObject, asked: Mapping[str, Quantity], owner: str, tally: Tally) -> _Gpus:
    annotations = raw.metadata.annotations or {}
    if GPU_MILLI_ANNOTATION in annotations or GPU_COUNT_ANNOTATION in annotations:
        return _annotated_gpus(annotations, owner)
    devices = 0
    for name in GPU_RESOURCES:
        devices = devices or _whole(asked, name, owner, most=MAX_DEVICES)
    alone = _own_share(asked, owner) or _gpushare(asked, owner)
    if alone is not None:
        return _only(alone, devices, owner)
    share = _hami_share(asked, owner, tally)
    if not devices and share is not None:
        devices = 1  # HAMi gives one device to who asks for memory only
    if not devices:
        return _Gpus()
    if share is None:
        return _Gpus(devices, WHOLE_GPU_MILLI)
    if devices == 1:
        return _Gpus(1, share.milli, share.memory_mib)
    tally.add(
        "asks for parts of several GPUs: counted as whole GPUs",
        "ask for parts of several GPUs: counted as whole GPUs",
    )
    return _Gpus(devices, WHOLE_GPU_MILLI, share.memory_mib)


def _annotated_gpus(annotations: Mapping[str, str], owner: str) -> _Gpus:
    devices = _annotated(annotations, GPU_COUNT_ANNOTATION, owner, default=1, most=MAX_DEVICES)
    milli = _annotated(
        annotations, GPU_MILLI_ANNOTATION, owner, default=WHOLE_GPU_MILLI, most=WHOLE_GPU_MILLI
    )
    if not devices or not milli:
        return _Gpus()
    return _Gpus(devices, milli if devices == 1 else WHOLE_GPU_MILLI)


def _annotated(
    annotations: Mapping[str, str], name: str, owner: str, *, default: int, most: int
) -> int:
    text = annotations.get(name, str(default))
    if text.isascii() and text.isdigit() and len(text) < _FEW_DIGITS and int(text) <= most:
        return int(text)
    raise complaint(
        owner,
        f"metadata.annotations.{name}",
        f"{shown(text)} is not possible",
        f"give a whole number from 0 to {most}",
    )


def _own_share(asked: Mapping[str, Quantity], owner: str) -> _Gpus | None:
    """Our own resources: thousandths, and memory of each device. Memory alone shares by memory."""
    milli = _whole(asked, GPU_SHARE_MILLI_RESOURCE, owner, most=MAX_DEVICES * WHOLE_GPU_MILLI)
    memory = _whole(asked, GPU_SHARE_MEMORY_MIB_RESOURCE, owner, most=MOST_MEMORY_MIB)
    if not milli:
        return _Gpus(1, _LEAST_SHARE_MILLI, memory) if memory else None
    if milli <= WHOLE_GPU_MILLI:
        return _Gpus(1, milli, memory)
    if milli % WHOLE_GPU_MILLI:
        raise complaint(
            owner,
            f"spec.containers resources {GPU_SHARE_MILLI_RESOURCE}",
            f"{milli} is neither part of one GPU nor whole GPUs",
            f"ask for 1 to {WHOLE_GPU_MILLI}, or a multiple of {WHOLE_GPU_MILLI}",
        )
    return _Gpus(milli // WHOLE_GPU_MILLI, WHOLE_GPU_MILLI, memory)


def _gpushare(asked: Mapping[str, Quantity], owner: str) -> _Gpus | None:
    """gpushare: GiB of one device's memory, and nothing about its compute units."""
    gib = _whole(asked, GPUSHARE_MEMORY_GIB_RESOURCE, owner, most=MOST_MEMORY_MIB // _MIB_PER_GIB)
    return _Gpus(1, _LEAST_SHARE_MILLI, gib * _MIB_PER_GIB) if gib else None


def _only(share: _Gpus, devices: int, owner: str) -> _Gpus:
    """A share in a currency of its own cannot be asked for beside whole devices."""
    if devices:
        raise complaint(
            owner,
            "spec.containers resources",
            "ask for whole GPUs and for part of one",
            "ask for one of the two; a second pod can ask for the other",
        )
    return share


def _hami_share(asked: Mapping[str, Quantity], owner: str, tally: Tally) -> _Gpus | None:
    """HAMi: cores and memory of each device. Without cores, memory alone limits who shares it."""
    if not any(name in asked for name in _HAMI):
        return None
    memory = _whole(asked, GPU_MEMORY_MIB_RESOURCE, owner, most=MOST_MEMORY_MIB)
    percent = _whole(asked, GPU_MEMORY_PERCENT_RESOURCE, owner, most=_PERCENT)
    cores = _whole(asked, GPU_CORES_PERCENT_RESOURCE, owner, most=_PERCENT)
    milli = max(percent, cores) * WHOLE_GPU_MILLI // _PERCENT
    tally.add(
        "asks for device memory and no cores: memory alone limits it",
        "ask for device memory and no cores: memory alone limits them",
        when=not milli,
    )
    return _Gpus(1, milli or _LEAST_SHARE_MILLI, memory)


def _whole(asked: Mapping[str, Quantity], name: str, owner: str, *, most: int) -> int:
    if name not in asked:
        return 0
    path = f"spec.containers resources {name}"
    try:
        amount = count(asked[name])
    except InputError as error:
        raise complaint(owner, path, error.problem, error.remedy) from None
    if amount > most:
        raise complaint(owner, path, f"{asked[name]} is not possible", f"ask for 0 to {most}")
    return amount


def _bounded(asked: Mapping[str, Quantity], name: str, owner: str, *, most: int) -> int:
    if name not in asked:
        return 0
    to_units = cpu_milli if name == "cpu" else memory_mib
    amount = to_units(asked[name], Rounding.UP)
    if amount > most:
        raise complaint(
            owner,
            f"spec.containers resources {name}",
            f"{asked[name]} is more than any machine has",
            "check the unit",
        )
    return amount


def _admission(raw: PodObject, tally: Tally) -> Admission:
    spec = raw.spec
    affinity = spec.affinity.node_affinity if spec.affinity else None
    required = affinity.required.node_selector_terms if affinity and affinity.required else None
    models = _words((raw.metadata.annotations or {}).get(GPU_CARD_MODEL, ""), "|")
    return Admission(
        gpu_models=tuple(sorted(set(models))),
        node_selector=tuple(sorted((spec.node_selector or {}).items())),
        affinity=tuple(_term(term) for term in required or ()),
        tolerations=tuple(_tolerations(spec.tolerations or [], tally)),
    )


def _term(term: RawTerm) -> SelectorTerm:
    return SelectorTerm(
        labels=_requirements(term.match_expressions), fields=_requirements(term.match_fields)
    )


def _requirements(lines: list[RawRequirement] | None) -> tuple[Requirement, ...]:
    return tuple(Requirement(x.key, x.operator, tuple(x.values or ())) for x in lines or ())


def _tolerations(raws: list[RawToleration], tally: Tally) -> list[Toleration]:
    known = [raw for raw in raws if (raw.operator or "Equal") in ("Equal", "Exists")]
    tally.add(
        "has tolerations that compare numbers: taken as absent",
        "have tolerations that compare numbers: taken as absent",
        when=len(known) < len(raws),
    )
    return [
        Toleration(raw.key or "", raw.operator or "Equal", raw.value or "", raw.effect or "")
        for raw in known
    ]


def _words(text: str, separator: str) -> tuple[str, ...]:
    return tuple(word.strip() for word in text.split(separator) if word.strip())


def _count_ignored(raw: PodObject, asked: Mapping[str, Quantity], tally: Tally) -> None:
    spec = raw.spec
    affinity = spec.affinity
    node_affinity = affinity.node_affinity if affinity else None
    volumes = spec.volumes or ()
    containers = [*(spec.containers or ()), *(spec.init_containers or ())]
    ignored = {
        "pod affinity": bool(affinity and affinity.pod_affinity),
        "pod anti-affinity": bool(affinity and affinity.pod_anti_affinity),
        "preferred node affinity": bool(node_affinity and node_affinity.preferred),
        "topology spread": bool(spec.topology_spread_constraints),
        "host ports": any(p.host_port for c in containers for p in c.ports or ()),
        "DRA resource claims": bool(spec.resource_claims),
        "persistent volumes (and the zones they bind to)": any(
            v.persistent_volume_claim or v.ephemeral for v in volumes
        ),
        "scheduling gates": bool(spec.scheduling_gates),
    }
    for what, present in ignored.items():
        tally.add(f"asks for {what}: ignored", f"ask for {what}: ignored", when=present)
    for name in sorted(asked.keys() - _COUNTED):
        what = name if name.isprintable() else shown(name)
        tally.add(
            f"asks for {what}: ignored", f"ask for {what}: ignored", when=asked[name].nanos > 0
        )
    tally.add(
        "has a priority: nothing is preempted for it",
        "have a priority: nothing is preempted for them",
        when=bool(spec.priority) and spec.preemption_policy != "Never",
    )
    tally.add(
        "names another scheduler: placed like the rest",
        "name another scheduler: placed like the rest",
        when=spec.scheduler_name not in (None, "", "default-scheduler"),
    )
