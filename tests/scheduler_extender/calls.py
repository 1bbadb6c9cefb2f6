"""Requests as kube-scheduler writes them, and an extender to answer them.

Helpers for worked examples; this module must not assert anything.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from gpu_fleet.nodes import Device, Node
from scheduler_extender.calls import Calls
from scheduler_extender.extender import Extender, ExtenderSettings
from scheduler_extender.objects.nodes import ObservedNode
from scheduler_extender.placement.best_fit import BestFit

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from gpu_fleet.protocols import PlacementPolicy

__all__ = ["S", "args", "extender_of", "gpu_node", "pod_object", "share_pod"]

S = 1_000_000_000


def gpu_node(name: str, *, gpus: int = 1, memory_mib: int = 16_000) -> ObservedNode:
    """A node as the watches show it."""
    devices = (Device(memory_mib=memory_mib),) * gpus
    return ObservedNode(Node(name, 64_000, 262_144, devices, "A"))


def extender_of(*nodes: ObservedNode, policy: PlacementPolicy | None = None) -> Calls:
    """An extender whose view is of this moment, 0 ns."""
    extender = Extender(policy or BestFit(), ExtenderSettings())
    for node in nodes:
        extender.ledger.node_seen(node)
    extender.vouch(0)
    return Calls(extender)


def pod_object(
    name: str,
    amounts: Mapping[str, str],
    *,
    spec: Mapping[str, object] | None = None,
    annotations: Mapping[str, str] | None = None,
) -> dict[str, Any]:
    """A pod with one container that asks for these amounts."""
    return {
        "metadata": {
            "name": name,
            "namespace": "ml",
            "uid": f"uid-{name}",
            "resourceVersion": "7",
            "creationTimestamp": None,
            "annotations": dict(annotations or {}),
        },
        "spec": {
            "containers": [{"name": "c", "resources": {"requests": dict(amounts)}}],
            **(spec or {}),
        },
        "status": {},
    }


def share_pod(name: str, milli: int) -> dict[str, Any]:
    """A pod that asks for part of a GPU by our own resource."""
    return pod_object(name, {"cpu": "1", "synthscale.io/gpu-milli": str(milli)})


def args(pod: object, names: Sequence[str] | None, nodes: Sequence[object] | None = None) -> bytes:
    """An ExtenderArgs as Go encodes it."""
    listed = None if nodes is None else {"metadata": {}, "items": list(nodes)}
    body = {"Pod": pod, "Nodes": listed, "NodeNames": None if names is None else list(names)}
    return json.dumps(body, separators=(",", ":")).encode()
