"""Small clusters for worked examples. This module must not assert anything."""

from __future__ import annotations

from typing import TYPE_CHECKING

from simulations.kube.cluster import KubeCluster
from simulations.kube.labels import LabelSelector, PodSet
from simulations.kube.objects import CPU, HOSTNAME, MEMORY, PODS, ZONE, KubeNode, KubePod, PodTerm

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gpu_fleet.nodes import Taint
    from simulations.kube.objects import NodeImage

__all__ = ["GIB", "app", "cluster_of", "node", "pod", "pods_called"]

GIB = 1 << 30


def node(
    name: str,
    cpu: int = 10_000,
    gib: int = 10,
    *,
    zone: str | None = None,
    labels: Mapping[str, str] | None = None,
    taints: tuple[Taint, ...] = (),
    images: tuple[NodeImage, ...] = (),
    cordoned: bool = False,
    most_pods: int = 110,
) -> KubeNode:
    """A node with a hostname and, if given, a zone."""
    own = {HOSTNAME: name, **({} if zone is None else {ZONE: zone}), **(labels or {})}
    return KubeNode(
        name=name,
        allocatable={CPU: cpu, MEMORY: gib * GIB, PODS: most_pods},
        labels=own,
        taints=taints,
        unschedulable=cordoned,
        images=images,
    )


def pod(name: str, cpu: int = 1_000, gib: int = 1, **fields: object) -> KubePod:
    """A pod that asks for CPU and memory."""
    return KubePod(
        name,
        requests={CPU: cpu, MEMORY: gib * GIB},
        scored_cpu_milli=cpu,
        scored_memory_bytes=gib * GIB,
        **fields,  # type: ignore[arg-type]  # a case table names them
    )


def app(name: str) -> LabelSelector:
    """Selects pods with this `app` label."""
    return LabelSelector.equal_to({"app": name})


def pods_called(name: str, key: str) -> PodTerm:
    """A term about such pods within one value of a label."""
    return PodTerm(PodSet(app(name), frozenset({"default"})), key)


def cluster_of(*nodes: KubeNode) -> KubeCluster:
    """These nodes, all empty."""
    cluster = KubeCluster()
    for each in nodes:
        cluster.add_node(each)
    return cluster
