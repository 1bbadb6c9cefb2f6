"""Places pods as kube-scheduler would: a host of the model, where `Placer` is a host of policies.

What can be taken is the fleet's own answer, shares of a GPU included, which a plain kube-scheduler
cannot count; which of those nodes is taken is the model's. A total over sampled and normalised
scores is no property of a node, so this is no `PlacementPolicy`, and nothing is cached.
It must not know about time: a replay keeps its own queue.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import numpy as np

from scheduler_extender.placement.feasibility import fits
from scheduler_extender.placement.policy import first_free_devices, tightest_device
from simulations.kube.cluster import KubeCluster
from simulations.kube.objects import (
    CPU,
    DEFAULT_CPU_MILLI,
    DEFAULT_MEMORY_BYTES,
    MEMORY,
    PODS,
    KubeNode,
    KubePod,
)
from simulations.kube.profile import DEFAULT, Profile
from simulations.kube.scheduler import schedule
from simulations.placer import Decision

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from gpu_fleet.cluster_view import ClusterView
    from gpu_fleet.nodes import Node
    from gpu_fleet.pods import PodShape

__all__ = ["KUBE_SCHEDULER", "KubeHost", "KubePlacer"]

KUBE_SCHEDULER = "kube-scheduler"
"""Its name among policies."""
_MIB = 1 << 20
_NO_LIMIT = 1 << 30
"""Pods that a node may hold where its list does not say."""


@dataclass(frozen=True, slots=True)
class KubeHost:
    """How the scheduler is configured, and what is known of objects beyond their shapes."""

    profile: Profile = DEFAULT
    nodes: Mapping[str, KubeNode] = field(default_factory=dict)
    """By name; a node that is missing is made up from the fleet's."""
    pods: Mapping[str, KubePod] = field(default_factory=dict)
    """By `namespace/name`; a pod that is missing is made up from its shape."""


class KubePlacer:
    """The model at work on one view, which others may change as well."""

    name = KUBE_SCHEDULER

    def __init__(
        self,
        view: ClusterView,
        host: KubeHost,
        seed: int,
        watch: Callable[[int, int], None] | None = None,
    ) -> None:
        """`watch` is told (shape, slot) of each placement just before it takes effect."""
        self.view = view
        self._host = host
        self._seed = seed
        self._watch = watch
        self._start = 0
        self._cluster = KubeCluster()
        self._on: list[set[str]] = []
        for node in view.nodes():
            self._cluster.add_node(host.nodes.get(node.name) or _node(node))
            self._on.append(set())
        self._seen = view.changes
        for slot in view.live_slots().tolist():
            self._follow(slot)

    def place(self, pod: str, shape_id: int, sequence: int) -> Decision | None:
        """Put a pod where the scheduler would and say where, or None when no node can take it."""
        self._catch_up()
        cluster, view = self._cluster, self.view
        also = np.zeros(cluster.capacity, np.bool_)
        also[: view.slots] = fits(view, shape_id, np.arange(view.slots))
        cycle = schedule(
            cluster,
            self._pod(pod, view.shapes[shape_id]),
            self._host.profile,
            self._start,
            key=(self._seed, sequence),
            also=also,
        )
        self._start = cycle.next_start
        if cycle.node is None:
            return None
        slot = view.slot(cycle.node)
        devices = _devices(view, shape_id, slot)
        if self._watch is not None:
            self._watch(shape_id, slot)
        view.place(pod, shape_id, slot, devices)
        return Decision(slot, devices, -int(cycle.totals.max()))

    def _catch_up(self) -> None:
        """Pods that came and went in the view since the last look."""
        view = self.view
        changed = view.changes_since(self._seen)
        slots = view.live_slots() if changed is None else np.unique(changed)
        self._seen = view.changes
        for slot in slots.tolist():
            self._follow(slot)

    def _follow(self, slot: int) -> None:
        node = self.view.node(slot).name
        now = set(self.view.pods_on(node))
        known = self._on[slot]
        for pod in known - now:
            self._cluster.release(_full_name(pod))
        for pod in sorted(now - known):
            placement = self.view.placements()[pod]
            self._cluster.place(self._pod(pod, self.view.shapes[placement.shape_id]), node)
        self._on[slot] = now

    def _pod(self, name: str, shape: PodShape) -> KubePod:
        told = self._host.pods.get(name.partition("#")[0])
        namespace, _, own = _full_name(name).partition("/")
        if told is not None:
            return replace(told, name=own, namespace=namespace)
        return KubePod(
            name=own,
            namespace=namespace,
            requests={CPU: shape.cpu_milli, MEMORY: shape.memory_mib * _MIB},
            # Who asks for nothing counts as much as the scheduler's defaults.
            scored_cpu_milli=shape.cpu_milli or DEFAULT_CPU_MILLI,
            scored_memory_bytes=shape.memory_mib * _MIB or DEFAULT_MEMORY_BYTES,
            node_selector=shape.admission.node_selector,
            node_terms=shape.admission.affinity or None,
            tolerations=shape.admission.tolerations,
        )


def _full_name(name: str) -> str:
    return name if "/" in name else f"default/{name}"


def _node(node: Node) -> KubeNode:
    return KubeNode(
        name=node.name,
        allocatable={CPU: node.cpu_milli, MEMORY: node.memory_mib * _MIB, PODS: _NO_LIMIT},
        labels=node.labels,
        taints=node.taints,
        unschedulable=node.cordoned,
    )


def _devices(view: ClusterView, shape_id: int, slot: int) -> tuple[int, ...]:
    """What a device plugin would give out: the tightest fit for one, the first free for more."""
    count = int(view.shapes.gpu_count[shape_id])
    if count == 1:
        return (tightest_device(view, shape_id, slot),)
    return first_free_devices(view, shape_id, slot) if count else ()
