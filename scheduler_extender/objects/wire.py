"""The few fields of Kubernetes' JSON that are read, as typed structs.

Everything else in an object is passed over while decoding, which is what makes a dump of 100,000
pods readable in a second. Names are Kubernetes' own, in this language's spelling.
This module must not interpret anything: no sums, no defaults that Kubernetes does not have.
"""

from __future__ import annotations

from typing import Annotated, Literal, TypeAlias

import msgspec

__all__ = [
    "Affinity",
    "Container",
    "Meta",
    "NodeObject",
    "PodObject",
    "PodSpec",
    "RawAmount",
    "RawRequirement",
    "RawTaint",
    "RawTerm",
    "RawToleration",
    "Resources",
    "Whatever",
]

RawAmount: TypeAlias = str | int | float
"""kubectl prints quantities as strings; files written by hand also hold numbers."""


class _Object(msgspec.Struct, frozen=True, rename="camel"):
    """Camel case outside, snake case inside; unknown fields are no error."""


class Whatever(_Object, frozen=True):
    """Something whose presence counts and whose content does not."""


class Meta(_Object, frozen=True):
    """`metadata` of any object."""

    name: str = ""
    namespace: str = ""
    uid: str = ""
    resource_version: str = ""
    labels: dict[str, str] | None = None
    annotations: dict[str, str] | None = None
    creation_timestamp: str | None = None
    deletion_timestamp: str | None = None


class RawTaint(_Object, frozen=True):
    """One of `spec.taints`."""

    key: str = ""
    value: str | None = None
    effect: str = ""


class NodeSpec(_Object, frozen=True):
    """`spec` of a Node."""

    taints: list[RawTaint] | None = None
    unschedulable: bool | None = None


class Condition(_Object, frozen=True):
    """One of `status.conditions`."""

    type: str = ""
    status: str = ""


class NodeStatus(_Object, frozen=True):
    """`status` of a Node."""

    allocatable: dict[str, RawAmount] | None = None
    conditions: list[Condition] | None = None


class NodeObject(_Object, frozen=True):
    """A Node."""

    metadata: Meta = Meta()
    spec: NodeSpec = NodeSpec()
    status: NodeStatus = NodeStatus()


class Resources(_Object, frozen=True):
    """`resources` of a container or a pod."""

    requests: dict[str, RawAmount] | None = None
    limits: dict[str, RawAmount] | None = None


class Port(_Object, frozen=True):
    """One of a container's `ports`."""

    host_port: int | None = None


class Container(_Object, frozen=True):
    """A container, an init container or a sidecar."""

    resources: Resources | None = None
    ports: list[Port] | None = None
    restart_policy: str | None = None
    """`Always` on an init container makes it a sidecar (KEP-753)."""


class RawRequirement(_Object, frozen=True):
    """One line of a node selector term."""

    key: str
    operator: Literal["In", "NotIn", "Exists", "DoesNotExist", "Gt", "Lt"]
    values: list[str] | None = None


class RawTerm(_Object, frozen=True):
    """One of `nodeSelectorTerms`; all its lines must hold."""

    match_expressions: list[RawRequirement] | None = None
    match_fields: list[RawRequirement] | None = None


class NodeSelector(_Object, frozen=True):
    """Terms of which one must hold."""

    node_selector_terms: list[RawTerm] | None = None


class NodeAffinity(_Object, frozen=True):
    """`affinity.nodeAffinity`."""

    required: NodeSelector | None = msgspec.field(
        default=None, name="requiredDuringSchedulingIgnoredDuringExecution"
    )
    preferred: list[Whatever] | None = msgspec.field(
        default=None, name="preferredDuringSchedulingIgnoredDuringExecution"
    )


class Affinity(_Object, frozen=True):
    """`spec.affinity`."""

    node_affinity: NodeAffinity | None = None
    pod_affinity: Whatever | None = None
    pod_anti_affinity: Whatever | None = None


class RawToleration(_Object, frozen=True):
    """One of `spec.tolerations`."""

    key: str | None = None
    operator: str | None = None
    value: str | None = None
    effect: str | None = None


class Volume(_Object, frozen=True):
    """One of `spec.volumes`, only as far as it may bind the pod to a zone."""

    persistent_volume_claim: Whatever | None = None
    ephemeral: Whatever | None = None


class PodSpec(_Object, frozen=True):
    """`spec` of a Pod."""

    node_name: str | None = None
    node_selector: dict[str, str] | None = None
    affinity: Affinity | None = None
    tolerations: list[RawToleration] | None = None
    containers: list[Container] | None = None
    init_containers: list[Container] | None = None
    overhead: dict[str, RawAmount] | None = None
    resources: Resources | None = None
    """Pod-level resources (KEP-2837); they replace the containers' sum where they are given."""
    priority: Annotated[int, msgspec.Meta(ge=-(2**31), lt=2**31)] | None = None
    preemption_policy: str | None = None
    scheduler_name: str | None = None
    scheduling_gates: list[Whatever] | None = None
    topology_spread_constraints: list[Whatever] | None = None
    resource_claims: list[Whatever] | None = None
    volumes: list[Volume] | None = None


class PodStatus(_Object, frozen=True):
    """`status` of a Pod."""

    phase: str = ""


class PodObject(_Object, frozen=True):
    """A Pod."""

    metadata: Meta = Meta()
    spec: PodSpec = PodSpec()
    status: PodStatus = PodStatus()
