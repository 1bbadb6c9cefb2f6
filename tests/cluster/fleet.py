"""Nodes with GPUs and pods that want them, made by the thousand, and nodes that fall silent.

KWOK plays the kubelets: a node is Ready within a second, a bound pod runs at once. The objects are
what a device plugin and GPU feature discovery would have written; nothing here may decide where a
pod goes.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from urllib.parse import quote

from gpu_fleet.names import GPU_MEMORY_LABEL, GPU_MODEL_LABELS, GPU_RESOURCES, HOSTNAME_LABEL
from service_runtime.kube.api import NODES, PODS
from tests.cluster.components import HEARTBEAT_ANNOTATION, SILENT_LABEL
from tests.cluster.waiting import wait_until

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from tests.cluster.wire import KubeWire, Object

__all__ = [
    "Fleet",
    "PodShape",
    "gpu_nodes",
    "is_bound",
    "is_ready",
    "pods",
    "takes_pods",
]

GPU_RESOURCE = GPU_RESOURCES[0]
GPU_MODEL_LABEL = GPU_MODEL_LABELS[0]
FLEET_LABEL = "synthscale.test/fleet"
"""On what one fleet made, so that it takes away no other's."""
LOOK_S_PER_NODE = 0.001
"""Between two looks at a large fleet: listing it costs the server about a tenth of this."""
PAUSE_IMAGE = "registry.invalid/pause:1"
"""Nobody pulls it: KWOK runs no container."""


@dataclass(frozen=True, slots=True)
class PodShape:
    """What a pod asks for."""

    cpu_milli: int = 1_000
    memory_mib: int = 1_024
    gpus: int = 0
    scheduler: str = "default-scheduler"
    priority_class: str = ""
    node_selector: Mapping[str, str] = field(default_factory=dict)
    labels: Mapping[str, str] = field(default_factory=dict)
    annotations: Mapping[str, str] = field(default_factory=dict)


def gpu_nodes(
    n: int,
    model: str,
    devices: int,
    *,
    prefix: str = "gpu",
    cpu_milli: int = 128_000,
    memory_mib: int = 1_024 * 1_024,
    max_pods: int = 110,
    gpu_memory_mib: int | None = 81_920,
    labels: Mapping[str, str] | None = None,
) -> list[Object]:
    """`n` nodes called PREFIX-0 and on, with a heartbeat, each with `devices` GPUs of one model.

    `gpu_memory_mib=None` leaves its label out, as on machines that cannot tell.
    """
    resources = {
        "cpu": f"{cpu_milli}m",
        "memory": f"{memory_mib}Mi",
        "pods": str(max_pods),
        "ephemeral-storage": "1Ti",
        GPU_RESOURCE: str(devices),
    }
    memory = {} if gpu_memory_mib is None else {GPU_MEMORY_LABEL: str(gpu_memory_mib)}
    told = {GPU_MODEL_LABEL: model, **memory, **(labels or {})}
    return [
        {
            "apiVersion": NODES.api_version,
            "kind": NODES.kind,
            "metadata": {
                "name": name,
                "labels": {HOSTNAME_LABEL: name, "kubernetes.io/os": "linux", **told},
                "annotations": {HEARTBEAT_ANNOTATION: "fake"},
            },
            "status": {"capacity": resources, "allocatable": resources},
        }
        for name in (f"{prefix}-{number}" for number in range(n))
    ]


def pods(shape: PodShape, n: int, *, prefix: str = "pod") -> list[Object]:
    """`n` pods called PREFIX-0 and on, all of one shape, bound to nothing yet."""
    gpus = {GPU_RESOURCE: str(shape.gpus)} if shape.gpus else {}
    wanted = {"cpu": f"{shape.cpu_milli}m", "memory": f"{shape.memory_mib}Mi", **gpus}
    priority = {"priorityClassName": shape.priority_class} if shape.priority_class else {}
    return [
        {
            "apiVersion": PODS.api_version,
            "kind": PODS.kind,
            "metadata": {
                "name": f"{prefix}-{number}",
                "labels": dict(shape.labels),
                "annotations": dict(shape.annotations),
            },
            "spec": {
                "schedulerName": shape.scheduler,
                "nodeSelector": dict(shape.node_selector),
                "containers": [
                    {
                        "name": "work",
                        "image": PAUSE_IMAGE,
                        # Extended resources cannot be overcommitted: request is limit.
                        "resources": {"requests": wanted, "limits": gpus},
                    }
                ],
                **priority,
            },
        }
        for number in range(n)
    ]


def is_ready(node: Object) -> bool:
    """Whether a node's Ready condition is True (False and Unknown are both not)."""
    conditions = node.get("status", {}).get("conditions", ())
    return any(each["type"] == "Ready" and each["status"] == "True" for each in conditions)


def takes_pods(node: Object) -> bool:
    """Whether a node is Ready and the controllers have taken the taint of an unready one away."""
    return is_ready(node) and not node["spec"].get("taints")


def is_bound(pod: Object) -> bool:
    """Whether some scheduler gave a pod its node."""
    return bool(pod["spec"].get("nodeName"))


class Fleet:
    """The nodes of one test, and pods in its namespace; `remove()` takes all of it away."""

    def __init__(self, wire: KubeWire, namespace: str) -> None:
        self.wire = wire
        self.namespace = namespace
        self._selector = f"labelSelector={quote(f'{FLEET_LABEL}={namespace}')}"

    def add_nodes(self, nodes: Iterable[Object], *, limit_s: float = 60.0) -> list[Object]:
        """Create nodes and return all of this fleet's once every one takes pods."""
        made = [self._own(node) for node in nodes]
        self.wire.create_all(NODES, made)
        return wait_until(
            "sight of every node ready for pods",
            self.nodes,
            lambda seen: len(seen) >= len(made) and all(map(takes_pods, seen)),
            limit_s=limit_s,
            every_s=max(0.1, len(made) * LOOK_S_PER_NODE),
        )

    def add_pods(self, wanted: Iterable[Object]) -> None:
        """Create pods in the fleet's namespace."""
        self.wire.create_all(PODS, [self._own(pod) for pod in wanted], self.namespace)

    def nodes(self) -> list[Object]:
        """This fleet's nodes as they are now."""
        return self.wire.items(NODES, query=self._selector)

    def pods(self) -> list[Object]:
        """The pods of its namespace as they are now."""
        return self.wire.items(PODS, self.namespace)

    def wait_bound(self, n: int, *, limit_s: float = 60.0) -> list[Object]:
        """The pods that have a node, once they are `n`."""
        return wait_until(
            f"{n} bound pods",
            lambda: [pod for pod in self.pods() if is_bound(pod)],
            lambda bound: len(bound) >= n,
            limit_s=limit_s,
        )

    def stop_heartbeat(self, node: str) -> None:
        """The node falls silent: KWOK lets go of it, and its lease is renewed no more."""
        self._set_silent(node, "true")

    def resume_heartbeat(self, node: str) -> None:
        """The node is heard again."""
        self._set_silent(node, None)

    def wait_ready(self, node: str, *, ready: bool, limit_s: float = 60.0) -> Object:
        """The node, once Kubernetes takes it for ready, or for lost."""
        return wait_until(
            f"node {node} that is {'ready' if ready else 'lost'}",
            lambda: self.wire.get(NODES, node),
            lambda seen: is_ready(seen) is ready,
            limit_s=limit_s,
        )

    def remove(self) -> None:
        """Delete its nodes and its pods; the namespace is its maker's to delete."""
        self.wire.delete_all(PODS, self.namespace)
        self.wire.delete_all(NODES, query=self._selector)

    def _set_silent(self, node: str, silent: str | None) -> None:
        self.wire.merge(NODES, node, {"metadata": {"labels": {SILENT_LABEL: silent}}})

    def _own(self, made: Object) -> Object:
        metadata = made["metadata"]
        labels = {**metadata["labels"], FLEET_LABEL: self.namespace}
        return {**made, "metadata": {**metadata, "labels": labels}}
