"""What kube-scheduler's plugins read of Kubernetes' JSON beyond what a `PodShape` carries.

Affinities with their terms, spread constraints, images, owners and the selectors of Services and
controllers, as typed structs. This module must not interpret anything.
"""

from __future__ import annotations

from typing import Literal

import msgspec

from scheduler_extender.objects.wire import (
    NodeSelector,
    RawAmount,
    RawRequirement,
    RawTaint,
    RawTerm,
    RawToleration,
)

__all__ = [
    "RawHead",
    "RawKubeNode",
    "RawKubePod",
    "RawMeta",
    "RawPodTerm",
    "RawSelector",
    "RawSelectorOwner",
    "RawService",
    "RawSpread",
]


class _Object(msgspec.Struct, frozen=True, rename="camel"):
    """Camel case outside, snake case inside; unknown fields are no error."""


class RawOwner(_Object, frozen=True):
    """One of `metadata.ownerReferences`."""

    kind: str = ""
    name: str = ""
    controller: bool | None = None


class RawMeta(_Object, frozen=True):
    """`metadata`, with the owners."""

    name: str = ""
    namespace: str = ""
    labels: dict[str, str] | None = None
    owner_references: list[RawOwner] | None = None


class RawHead(_Object, frozen=True):
    """Enough of any object to say what it is."""

    kind: str = ""


class RawSelector(_Object, frozen=True):
    """A LabelSelector."""

    match_labels: dict[str, str] | None = None
    match_expressions: list[RawRequirement] | None = None


class RawPodTerm(_Object, frozen=True):
    """A PodAffinityTerm."""

    topology_key: str
    label_selector: RawSelector | None = None
    namespaces: list[str] | None = None
    namespace_selector: RawSelector | None = None


class RawWeightedPodTerm(_Object, frozen=True):
    """A WeightedPodAffinityTerm."""

    weight: int
    pod_affinity_term: RawPodTerm


class RawPodTerms(_Object, frozen=True):
    """`podAffinity` or `podAntiAffinity`."""

    required: list[RawPodTerm] | None = msgspec.field(
        default=None, name="requiredDuringSchedulingIgnoredDuringExecution"
    )
    preferred: list[RawWeightedPodTerm] | None = msgspec.field(
        default=None, name="preferredDuringSchedulingIgnoredDuringExecution"
    )


class RawPreferredNodes(_Object, frozen=True):
    """A PreferredSchedulingTerm."""

    weight: int
    preference: RawTerm


class RawNodeTerms(_Object, frozen=True):
    """`nodeAffinity`."""

    required: NodeSelector | None = msgspec.field(
        default=None, name="requiredDuringSchedulingIgnoredDuringExecution"
    )
    preferred: list[RawPreferredNodes] | None = msgspec.field(
        default=None, name="preferredDuringSchedulingIgnoredDuringExecution"
    )


class RawAffinity(_Object, frozen=True):
    """`spec.affinity`."""

    node_affinity: RawNodeTerms = RawNodeTerms()
    pod_affinity: RawPodTerms = RawPodTerms()
    pod_anti_affinity: RawPodTerms = RawPodTerms()


class RawSpread(_Object, frozen=True):
    """A TopologySpreadConstraint."""

    topology_key: str
    max_skew: int
    when_unsatisfiable: Literal["DoNotSchedule", "ScheduleAnyway"]
    label_selector: RawSelector | None = None
    min_domains: int | None = None
    node_affinity_policy: Literal["Honor", "Ignore"] | None = None
    node_taints_policy: Literal["Honor", "Ignore"] | None = None
    match_label_keys: list[str] | None = None


class RawImage(_Object, frozen=True):
    """The image of a container."""

    image: str = ""


class RawImageVolume(_Object, frozen=True):
    """`image` of a volume."""

    reference: str = ""


class RawVolume(_Object, frozen=True):
    """One of `spec.volumes`."""

    image: RawImageVolume | None = None


class RawKubePodSpec(_Object, frozen=True):
    """`spec` of a Pod."""

    node_selector: dict[str, str] | None = None
    affinity: RawAffinity | None = None
    tolerations: list[RawToleration] | None = None
    containers: list[RawImage] | None = None
    init_containers: list[RawImage] | None = None
    volumes: list[RawVolume] | None = None
    priority: int | None = None
    topology_spread_constraints: list[RawSpread] | None = None


class RawKubePod(_Object, frozen=True):
    """A Pod."""

    metadata: RawMeta = RawMeta()
    spec: RawKubePodSpec = RawKubePodSpec()


class RawNodeImage(_Object, frozen=True):
    """One of `status.images`."""

    names: list[str] | None = None
    size_bytes: int = 0


class RawKubeNodeSpec(_Object, frozen=True):
    """`spec` of a Node."""

    taints: list[RawTaint] | None = None
    unschedulable: bool | None = None


class RawKubeNodeStatus(_Object, frozen=True):
    """`status` of a Node."""

    allocatable: dict[str, RawAmount] | None = None
    images: list[RawNodeImage] | None = None


class RawKubeNode(_Object, frozen=True):
    """A Node."""

    metadata: RawMeta = RawMeta()
    spec: RawKubeNodeSpec = RawKubeNodeSpec()
    status: RawKubeNodeStatus = RawKubeNodeStatus()


class RawServiceSpec(_Object, frozen=True):
    """`spec` of a Service or a ReplicationController: a plain map of labels."""

    selector: dict[str, str] | None = None


class RawService(_Object, frozen=True):
    """A Service or a ReplicationController."""

    kind: str = ""
    metadata: RawMeta = RawMeta()
    spec: RawServiceSpec = RawServiceSpec()


class RawOwnerSpec(_Object, frozen=True):
    """`spec` of a ReplicaSet or a StatefulSet."""

    selector: RawSelector | None = None


class RawSelectorOwner(_Object, frozen=True):
    """A ReplicaSet or a StatefulSet."""

    kind: str = ""
    metadata: RawMeta = RawMeta()
    spec: RawOwnerSpec = RawOwnerSpec()
