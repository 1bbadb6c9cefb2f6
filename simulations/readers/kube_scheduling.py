"""Kubernetes objects as the scheduler's model wants them: nothing of a pod is left out here.

Amounts are rounded up, as the scheduler itself does with requests and allocatable alike.
This module must not decide anything, and must not read files.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeVar

import msgspec

from gpu_fleet.admission import Requirement, SelectorTerm, Toleration
from gpu_fleet.errors import InputError
from gpu_fleet.nodes import Taint
from gpu_fleet.quantities import NANOS, Quantity, Rounding
from scheduler_extender.objects.complaints import named
from scheduler_extender.objects.requests import effective_requests, quantity
from scheduler_extender.objects.wire import Container, PodObject, Resources
from simulations.kube.labels import LabelSelector, PodSet
from simulations.kube.objects import (
    CPU,
    DEFAULT_CPU_MILLI,
    DEFAULT_MEMORY_BYTES,
    MEMORY,
    KubeNode,
    KubePod,
    NodeImage,
    PodTerm,
    PreferredNodes,
    SpreadConstraint,
    WeightedPodTerm,
)
from simulations.readers.kube_scheduling_wire import (
    RawAffinity,
    RawHead,
    RawKubeNode,
    RawKubePod,
    RawSelectorOwner,
    RawService,
)

if TYPE_CHECKING:
    from scheduler_extender.objects.wire import PodSpec, RawRequirement, RawTerm
    from simulations.readers.kube_scheduling_wire import (
        RawMeta,
        RawPodTerm,
        RawSelector,
        RawSpread,
    )

__all__ = ["Selectors", "kube_node", "kube_pod"]

_SCORED = {CPU: f"{DEFAULT_CPU_MILLI}m", MEMORY: str(DEFAULT_MEMORY_BYTES)}
_PLAIN = frozenset({"Service", "ReplicationController"})
T = TypeVar("T")


@dataclass(slots=True)
class Selectors:
    """What Services and controllers select: the profile's own spread constraints work over it."""

    _services: list[tuple[str, LabelSelector]] = field(default_factory=list)
    _controllers: dict[tuple[str, str, str], LabelSelector] = field(default_factory=dict)

    def add(self, raw: bytes) -> None:
        """Take note of a Service, a ReplicationController, a ReplicaSet or a StatefulSet."""
        kind = _decode(raw, RawHead).kind
        if kind in _PLAIN:
            self._add_plain(_decode(raw, RawService))
        else:
            owner = _decode(raw, RawSelectorOwner)
            self._controllers[_key(kind, owner.metadata)] = (
                _selector(owner.spec.selector) or LabelSelector()
            )

    def _add_plain(self, raw: RawService) -> None:
        if not raw.spec.selector:
            return  # a Service without a selector selects nothing, not everything
        selector = LabelSelector.equal_to(raw.spec.selector)
        if raw.kind == "Service":
            self._services.append((raw.metadata.namespace or "default", selector))
        else:
            self._controllers[_key(raw.kind, raw.metadata)] = selector

    def of(self, raw: RawKubePod) -> LabelSelector | None:
        """All lines of those that select this pod; None where nothing does."""
        namespace, labels = raw.metadata.namespace or "default", raw.metadata.labels or {}
        lines = [
            line
            for home, selector in self._services
            if home == namespace and selector.matches(labels)
            for line in selector.lines
        ]
        for owner in raw.metadata.owner_references or ():
            its = self._controllers.get((namespace, owner.kind, owner.name))
            if owner.controller and its is not None:
                lines += its.lines
        return LabelSelector(tuple(dict.fromkeys(lines))) if lines else None


def _key(kind: str, meta: RawMeta) -> tuple[str, str, str]:
    return (meta.namespace or "default", kind, meta.name)


def kube_node(raw: bytes) -> KubeNode:
    """A Node; raises `InputError`."""
    node = _decode(raw, RawKubeNode)
    owner = f"Node {node.metadata.name}"
    offered = {
        name: quantity(amount, owner, f"status.allocatable.{name}")
        for name, amount in (node.status.allocatable or {}).items()
    }
    return KubeNode(
        name=node.metadata.name,
        allocatable=_units(offered),
        labels=node.metadata.labels or {},
        taints=tuple(
            Taint(each.key, each.value or "", each.effect) for each in node.spec.taints or ()
        ),
        unschedulable=bool(node.spec.unschedulable),
        images=tuple(
            NodeImage(tuple(each.names or ()), each.size_bytes) for each in node.status.images or ()
        ),
    )


def kube_pod(raw: bytes, selectors: Selectors | None = None) -> KubePod:
    """A Pod; raises `InputError`."""
    pod, asking = _decode(raw, RawKubePod), _decode(raw, PodObject)
    spec = pod.spec
    namespace = pod.metadata.namespace or "default"
    affinity = spec.affinity or RawAffinity()
    required = affinity.node_affinity.required
    asked, scored = _requests(asking)
    return KubePod(
        name=pod.metadata.name,
        namespace=namespace,
        labels=pod.metadata.labels or {},
        requests=asked,
        scored_cpu_milli=scored.get(CPU, 0),
        scored_memory_bytes=scored.get(MEMORY, 0),
        images=_images(pod),
        node_selector=tuple(sorted((spec.node_selector or {}).items())),
        node_terms=None
        if required is None
        else tuple(_node_term(each) for each in required.node_selector_terms or ()),
        preferred_nodes=tuple(
            PreferredNodes(each.weight, _node_term(each.preference))
            for each in affinity.node_affinity.preferred or ()
        ),
        tolerations=tuple(
            Toleration(
                each.key or "", each.operator or "Equal", each.value or "", each.effect or ""
            )
            for each in spec.tolerations or ()
            if (each.operator or "Equal") in ("Equal", "Exists")
        ),
        spread=tuple(
            _spread(each, pod.metadata.labels or {})
            for each in spec.topology_spread_constraints or ()
        ),
        default_spread=None if selectors is None else selectors.of(pod),
        with_pods=_pod_terms(affinity.pod_affinity.required, namespace),
        away_from_pods=_pod_terms(affinity.pod_anti_affinity.required, namespace),
        preferred_pods=_preferred(affinity, namespace),
        priority=spec.priority or 0,
    )


# -- amounts -----------------------------------------------------------------------------------


def _requests(pod: PodObject) -> tuple[dict[str, int], dict[str, int]]:
    """What it asks for, and the same with defaults for containers that ask for nothing."""
    owner = named("Pod", pod.metadata)
    asked = _units(effective_requests(pod.spec, owner))
    return asked, _units(effective_requests(_with_defaults(pod.spec, asked), owner))


def _with_defaults(spec: PodSpec, asked: dict[str, int]) -> PodSpec:
    defaults = _SCORED
    if spec.resources is not None and spec.resources.requests:
        defaults = {name: amount for name, amount in _SCORED.items() if name not in asked}
    return msgspec.structs.replace(
        spec,
        containers=[_defaulted(each, defaults) for each in spec.containers or ()],
        init_containers=[_defaulted(each, defaults) for each in spec.init_containers or ()],
    )


def _defaulted(container: Container, defaults: dict[str, str]) -> Container:
    resources = container.resources or Resources()
    requests = {**defaults, **(resources.limits or {}), **(resources.requests or {})}
    return msgspec.structs.replace(
        container, resources=msgspec.structs.replace(resources, requests=requests)
    )


def _units(amounts: dict[str, Quantity]) -> dict[str, int]:
    """CPU in thousandths, all else in ones, rounded up."""
    return {
        name: amount.scaled(NANOS // 1_000 if name == CPU else NANOS, Rounding.UP)
        for name, amount in amounts.items()
    }


# -- terms -------------------------------------------------------------------------------------


def _images(pod: RawKubePod) -> tuple[str, ...]:
    names = [
        *(each.image for each in pod.spec.init_containers or ()),
        *(each.image for each in pod.spec.containers or ()),
        *(each.image.reference for each in pod.spec.volumes or () if each.image is not None),
    ]
    return tuple(_tagged(name) for name in names)


def _tagged(name: str) -> str:
    return name if name.rfind(":") > name.rfind("/") else f"{name}:latest"


def _selector(raw: RawSelector | None) -> LabelSelector | None:
    if raw is None:
        return None
    equal = LabelSelector.equal_to(raw.match_labels or {})
    return LabelSelector((*equal.lines, *_lines(raw.match_expressions)))


def _lines(raw: list[RawRequirement] | None) -> tuple[Requirement, ...]:
    return tuple(
        Requirement(each.key, each.operator, tuple(each.values or ())) for each in raw or ()
    )


def _node_term(raw: RawTerm) -> SelectorTerm:
    return SelectorTerm(labels=_lines(raw.match_expressions), fields=_lines(raw.match_fields))


def _pod_term(raw: RawPodTerm, namespace: str) -> PodTerm:
    chosen = _selector(raw.namespace_selector)
    homes = frozenset(raw.namespaces or ())
    if not homes and chosen is None:
        homes = frozenset({namespace})
    return PodTerm(PodSet(_selector(raw.label_selector), homes, chosen), raw.topology_key)


def _pod_terms(raws: list[RawPodTerm] | None, namespace: str) -> tuple[PodTerm, ...]:
    return tuple(_pod_term(each, namespace) for each in raws or ())


def _preferred(affinity: RawAffinity, namespace: str) -> tuple[WeightedPodTerm, ...]:
    return tuple(
        WeightedPodTerm(sign * each.weight, _pod_term(each.pod_affinity_term, namespace))
        for sign, terms in ((1, affinity.pod_affinity), (-1, affinity.pod_anti_affinity))
        for each in terms.preferred or ()
    )


def _spread(raw: RawSpread, labels: dict[str, str]) -> SpreadConstraint:
    selector = _selector(raw.label_selector)
    same = {key: labels[key] for key in raw.match_label_keys or () if key in labels}
    if selector is not None and same:
        selector = LabelSelector((*LabelSelector.equal_to(same).lines, *selector.lines))
    return SpreadConstraint(
        topology_key=raw.topology_key,
        max_skew=raw.max_skew,
        hard=raw.when_unsatisfiable == "DoNotSchedule",
        selector=selector,
        min_domains=1 if raw.min_domains is None else raw.min_domains,
        honor_affinity=raw.node_affinity_policy != "Ignore",
        honor_taints=raw.node_taints_policy == "Honor",
    )


def _decode(raw: bytes, shape: type[T]) -> T:
    try:
        return msgspec.json.decode(raw, type=shape)
    except msgspec.DecodeError as error:
        raise InputError(
            str(error), remedy="print whole objects: kubectl get nodes,pods -A -o json"
        ) from error
