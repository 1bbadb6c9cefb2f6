"""A pod of the cluster as the accounting needs it: who it is, where it is, what it asks for.

Pods of one template differ in names only, so the shape is kept by the parts of the object that
determine it and worked out once. What is not understood is a value with a reason, never a guess:
pods with DRA claims, and pods whose GPU request makes no sense.
This module must not decide where a pod goes, nor what becomes of a pod that is not understood.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import Enum
from typing import TYPE_CHECKING, TypeAlias

from gpu_fleet.admission import ANYWHERE
from gpu_fleet.errors import InputError
from gpu_fleet.names import (
    AGENT_LABEL,
    DATASETS_ANNOTATION,
    GPU_CARD_MODEL,
    GPU_COUNT_ANNOTATION,
    GPU_MILLI_ANNOTATION,
)
from scheduler_extender.objects.complaints import named
from scheduler_extender.objects.devices import told_devices
from scheduler_extender.objects.pods import full_name, pod_shape
from scheduler_extender.objects.requests import effective_requests
from scheduler_extender.objects.tally import Tally

if TYPE_CHECKING:
    from collections.abc import Hashable, Mapping, Sequence

    from gpu_fleet.pods import PodShape
    from scheduler_extender.objects.devices import Told
    from scheduler_extender.objects.wire import Container, PodObject, RawAmount, Resources

__all__ = ["ObservedPod", "PodReader", "Unclear", "Understanding", "version_number"]

_DETERMINING = (DATASETS_ANNOTATION, GPU_CARD_MODEL, GPU_COUNT_ANNOTATION, GPU_MILLI_ANNOTATION)
_FINISHED = frozenset({"Succeeded", "Failed"})
_MOST_KEPT = 4_096
"""Shapes remembered; openb has 151. Beyond it the memory starts afresh."""
_MOST_DIGITS = 19


class Unclear(Enum):
    """Why a pod is not understood."""

    CLAIMS = "asks for devices by resource claims"
    UNREADABLE = "asks for GPUs in a way that makes no sense"


Understanding: TypeAlias = "PodShape | Unclear"


@dataclass(frozen=True, slots=True)
class ObservedPod:
    """One pod, as of one version of it."""

    uid: str
    name: str
    """`namespace/name`."""
    version: int
    """Its resourceVersion as a number; 0 where it has none, which is never too old."""
    shape: Understanding
    node: str | None = None
    finished: bool = False
    """Succeeded or Failed: it holds nothing any more."""
    told: Told = ()
    """Devices that whoever hands them out says it holds."""
    problem: str = ""
    """What is wrong with it, for a person, where it cannot be read."""
    leaves: bool = False
    """It is being deleted; until it is gone it holds what it has."""


class PodReader:
    """Pods one by one, shapes from memory where the template is known."""

    __slots__ = ("_kept",)

    def __init__(self) -> None:
        self._kept: dict[Hashable, Understanding] = {}

    def read(self, raw: PodObject) -> ObservedPod:
        """The pod; never raises for what is in it."""
        meta = raw.metadata
        shape, problem = self._shape(raw)
        return ObservedPod(
            uid=meta.uid,
            name=full_name(raw),
            version=version_number(meta.resource_version),
            shape=shape,
            node=raw.spec.node_name or None,
            finished=raw.status.phase in _FINISHED,
            told=told_devices(meta.annotations) if meta.annotations else (),
            problem=problem,
            leaves=meta.deletion_timestamp is not None,
        )

    def _shape(self, raw: PodObject) -> tuple[Understanding, str]:
        key = _determining(raw)
        kept = self._kept.get(key)
        if kept is not None:
            return kept, ""
        try:
            shape = _understood(raw)
        except InputError as error:
            return Unclear.UNREADABLE, str(error)
        if len(self._kept) >= _MOST_KEPT:
            self._kept.clear()
        self._kept[key] = shape
        return shape, ""


def version_number(text: str) -> int:
    """A resourceVersion as a number, by which versions are compared (KEP-5504); 0 for none."""
    return int(text) if text.isascii() and text.isdigit() and len(text) <= _MOST_DIGITS else 0


def _understood(raw: PodObject) -> Understanding:
    if raw.spec.resource_claims:
        return Unclear.CLAIMS
    owner = named("Pod", raw.metadata)
    asked = effective_requests(raw.spec, owner)
    shape = pod_shape(raw, asked, owner, Tally("pod"))
    if raw.spec.node_name and shape.admission != ANYWHERE:
        # Where it may go was decided when it was bound: fewer shapes, and smaller tables.
        return replace(shape, admission=ANYWHERE)
    return shape


def _determining(raw: PodObject) -> Hashable:
    """All that the shape depends on; equal keys mean equal shapes."""
    spec, meta = raw.spec, raw.metadata
    labels, notes = meta.labels, meta.annotations
    bound = bool(spec.node_name)
    return (
        bound,
        _amounts_of(spec.containers),
        _amounts_of(spec.init_containers),
        _amounts(spec.resources),
        _items(spec.overhead),
        bool(spec.resource_claims),
        None if bound else _items(spec.node_selector),
        None if bound or not spec.tolerations else tuple(spec.tolerations),
        None if bound or spec.affinity is None else repr(spec.affinity.node_affinity),
        None if not labels else labels.get(AGENT_LABEL),
        None if not notes else tuple([notes.get(name) for name in _DETERMINING]),
    )


def _amounts_of(containers: Sequence[Container] | None) -> Hashable:
    if not containers:
        return None
    return tuple([(_amounts(one.resources), one.restart_policy) for one in containers])


def _amounts(resources: Resources | None) -> Hashable:
    return resources and (_items(resources.requests), _items(resources.limits))


def _items(amounts: Mapping[str, RawAmount] | None) -> Hashable:
    return amounts and tuple(amounts.items())
