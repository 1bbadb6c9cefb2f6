"""Nodes and pods as kube-scheduler looks at them: more than a `PodShape` carries.

Amounts are in the scheduler's own units: CPU in thousandths, memory and storage in bytes, every
other resource in whole pieces. A pod that names no defaults gets none: readers fill them in.
This module must not know where objects come from, nor hold anything that changes.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gpu_fleet.admission import SelectorTerm, Toleration
    from gpu_fleet.nodes import Taint
    from simulations.kube.labels import LabelSelector, PodSet

__all__ = [
    "CPU",
    "DEFAULT_CPU_MILLI",
    "DEFAULT_MEMORY_BYTES",
    "HOSTNAME",
    "MEMORY",
    "PODS",
    "REGION",
    "ZONE",
    "KubeNode",
    "KubePod",
    "NodeImage",
    "PodTerm",
    "PreferredNodes",
    "SpreadConstraint",
    "WeightedPodTerm",
]

CPU = "cpu"
MEMORY = "memory"
PODS = "pods"
HOSTNAME = "kubernetes.io/hostname"
ZONE = "topology.kubernetes.io/zone"
REGION = "topology.kubernetes.io/region"

DEFAULT_CPU_MILLI = 100
"""What a container that asks for no CPU counts as when nodes are scored by allocation."""
DEFAULT_MEMORY_BYTES = 200 * 1024 * 1024
"""The same for memory."""


@dataclass(frozen=True, slots=True)
class NodeImage:
    """An image that a node holds, under all its names."""

    names: tuple[str, ...]
    size_bytes: int


@dataclass(frozen=True, slots=True)
class KubeNode:
    """A node: what it offers, not what is free."""

    name: str
    allocatable: Mapping[str, int]
    labels: Mapping[str, str] = field(default_factory=dict)
    taints: tuple[Taint, ...] = ()
    unschedulable: bool = False
    images: tuple[NodeImage, ...] = ()

    @property
    def zone(self) -> tuple[str, str]:
        """Region and zone; nodes without both labels share one zone of their own."""
        labels = self.labels
        old = "failure-domain.beta.kubernetes.io/"
        return (
            labels.get(REGION) or labels.get(f"{old}region", ""),
            labels.get(ZONE) or labels.get(f"{old}zone", ""),
        )


@dataclass(frozen=True, slots=True)
class PreferredNodes:
    """A preferred node affinity: nodes that match gain `weight`."""

    weight: int
    term: SelectorTerm


@dataclass(frozen=True, slots=True)
class PodTerm:
    """Be with, or away from, these pods within one value of a node label."""

    pods: PodSet
    topology_key: str


@dataclass(frozen=True, slots=True)
class WeightedPodTerm:
    """The same as a preference; a negative weight keeps away."""

    weight: int
    term: PodTerm


@dataclass(frozen=True, slots=True)
class SpreadConstraint:
    """Spread the pods that a selector means over the values of a node label."""

    topology_key: str
    max_skew: int
    hard: bool
    """DoNotSchedule; otherwise ScheduleAnyway."""
    selector: LabelSelector | None
    min_domains: int = 1
    honor_affinity: bool = True
    honor_taints: bool = False


@dataclass(frozen=True, slots=True)
class KubePod:
    """A pod as the scheduler's plugins see it."""

    name: str
    namespace: str = "default"
    labels: Mapping[str, str] = field(default_factory=dict)
    requests: Mapping[str, int] = field(default_factory=dict)
    scored_cpu_milli: int = DEFAULT_CPU_MILLI
    """Requests with the defaults of containers that asked for nothing."""
    scored_memory_bytes: int = DEFAULT_MEMORY_BYTES
    images: tuple[str, ...] = ()
    """One for each container, init container and image volume, with its tag."""
    node_selector: tuple[tuple[str, str], ...] = ()
    node_terms: tuple[SelectorTerm, ...] | None = None
    """Required node affinity: one must match. None means no requirement, () that none matches."""
    preferred_nodes: tuple[PreferredNodes, ...] = ()
    tolerations: tuple[Toleration, ...] = ()
    spread: tuple[SpreadConstraint, ...] = ()
    default_spread: LabelSelector | None = None
    """What its Services and its controller select, for the profile's own constraints; None: no
    Service or controller has it."""
    with_pods: tuple[PodTerm, ...] = ()
    """Required pod affinity."""
    away_from_pods: tuple[PodTerm, ...] = ()
    """Required pod anti-affinity."""
    preferred_pods: tuple[WeightedPodTerm, ...] = ()
    """Preferred pod affinity, and anti-affinity with negative weights."""
    priority: int = 0

    @property
    def full_name(self) -> str:
        """`namespace/name`, unique in a cluster."""
        return f"{self.namespace}/{self.name}"
