"""What a test writes for Karpenter: pools of nodes, buffers of headroom, and their addresses.

Pure functions that return objects with the fields a test is about; everything else is Karpenter's
default. Nothing here may ask the API server.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from service_runtime.kube.api import Resource

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from tests.cluster.wire import Object

__all__ = [
    "CAPACITY_BUFFERS",
    "NODE_CLAIMS",
    "NODE_CLASSES",
    "NODE_OVERLAYS",
    "NODE_POOLS",
    "NODE_POOL_LABEL",
    "POD_TEMPLATES",
    "buffer",
    "condition",
    "node_class",
    "node_pool",
    "pod_template",
]

GROUP = "karpenter.sh"
NODE_POOL_LABEL = f"{GROUP}/nodepool"
"""On a node and on a NodeClaim: the pool it is of."""

NODE_POOLS = Resource("v1", "nodepools", "NodePool", group=GROUP, namespaced=False)
NODE_CLAIMS = Resource("v1", "nodeclaims", "NodeClaim", group=GROUP, namespaced=False)
NODE_OVERLAYS = Resource("v1alpha1", "nodeoverlays", "NodeOverlay", group=GROUP, namespaced=False)
NODE_CLASSES = Resource(
    "v1alpha1", "kwoknodeclasses", "KWOKNodeClass", group="karpenter.kwok.sh", namespaced=False
)
CAPACITY_BUFFERS = Resource(
    "v1beta1", "capacitybuffers", "CapacityBuffer", group="autoscaling.x-k8s.io"
)
POD_TEMPLATES = Resource("v1", "podtemplates", "PodTemplate")


def node_class(name: str, *, boot_s: int = 0) -> Object:
    """How a pool's machines come up: their Node appears `boot_s` after the launch, each alike."""
    spec = {"nodeRegistrationDelay": f"{boot_s}s"} if boot_s else {}
    return {
        "apiVersion": NODE_CLASSES.api_version,
        "kind": NODE_CLASSES.kind,
        "metadata": {"name": name},
        "spec": spec,
    }


def node_pool(
    name: str,
    *,
    node_class: str,
    allowed: Mapping[str, Sequence[str]] | None = None,
    labels: Mapping[str, str] | None = None,
    limits: Mapping[str, str] | None = None,
    weight: int | None = None,
    consolidate_after: str = "Never",
) -> Object:
    """A pool whose machines' labels are within `allowed`.

    Its nodes stay unless a test says after how long they may be consolidated (`0s`, `30s`).
    """
    requirements = [
        {"key": key, "operator": "In", "values": list(values)}
        for key, values in (allowed or {}).items()
    ]
    optional = {"limits": dict(limits or {}), "weight": weight}
    return {
        "apiVersion": NODE_POOLS.api_version,
        "kind": NODE_POOLS.kind,
        "metadata": {"name": name},
        "spec": {
            "template": {
                "metadata": {"labels": dict(labels or {})},
                "spec": {
                    "nodeClassRef": {
                        "group": NODE_CLASSES.group,
                        "kind": NODE_CLASSES.kind,
                        "name": node_class,
                    },
                    "requirements": requirements,
                    "expireAfter": "Never",
                },
            },
            "disruption": {"consolidateAfter": consolidate_after},
            **{key: value for key, value in optional.items() if value},
        },
    }


def pod_template(name: str, pod: Object) -> Object:
    """A PodTemplate of a pod such as `fleet.pods` makes."""
    return {
        "apiVersion": POD_TEMPLATES.api_version,
        "kind": POD_TEMPLATES.kind,
        "metadata": {"name": name},
        "template": {"metadata": {"labels": pod["metadata"]["labels"]}, "spec": pod["spec"]},
    }


def buffer(name: str, *, template: str, replicas: int) -> Object:
    """A CapacityBuffer: headroom for so many pods of a PodTemplate in its namespace."""
    return {
        "apiVersion": CAPACITY_BUFFERS.api_version,
        "kind": CAPACITY_BUFFERS.kind,
        "metadata": {"name": name},
        "spec": {"podTemplateRef": {"name": template}, "replicas": replicas},
    }


def condition(seen: Object, kind: str) -> Mapping[str, str]:
    """One condition of an object's status; empty while there is none of that kind."""
    conditions = seen.get("status", {}).get("conditions", ())
    return next((each for each in conditions if each["type"] == kind), {})
