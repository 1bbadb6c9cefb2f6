"""The objects we read and write, as small structs of the fields that somebody here uses.

A struct here is a promise about the wire, so names and shapes are Kubernetes' own, only spelled
in snake case; a field nobody reads is not decoded, which is what makes a pod cost microseconds.
Times that are only compared stay text, because Kubernetes' `MicroTime` wants exactly six digits
and an election must not read another machine's clock anyway. Nothing here may hold bytes of the
body it came from (a `Raw` would keep a whole page alive), and nothing may decide what a value
means.
"""

from __future__ import annotations

from datetime import UTC, datetime
from sys import intern
from typing import Any, Final, Generic, Protocol, TypeVar

import msgspec
from msgspec.structs import force_setattr

__all__ = [
    "Bookmark",
    "Condition",
    "Container",
    "ContainerResources",
    "ContainerStatus",
    "Event",
    "HasIdentity",
    "Identified",
    "Identity",
    "Image",
    "Lease",
    "LeaseSpec",
    "ListMeta",
    "ListPage",
    "Namespace",
    "NamespaceStatus",
    "Node",
    "NodeSpec",
    "NodeStatus",
    "NonResourceAttributes",
    "ObjectMeta",
    "ObjectReference",
    "OwnerReference",
    "Pod",
    "PodResourceClaim",
    "PodSpec",
    "PodStatus",
    "ResourceAttributes",
    "Status",
    "StatusCause",
    "StatusDetails",
    "SubjectAccessReview",
    "SubjectAccessReviewSpec",
    "SubjectAccessReviewStatus",
    "Taint",
    "TokenReview",
    "TokenReviewSpec",
    "TokenReviewStatus",
    "Toleration",
    "UserInfo",
    "WatchEvent",
    "WithMetadata",
    "micro_time",
]

T = TypeVar("T")

_FLAG: Final = 5
"""Label values up to this length (`true`, `false`, a count) are shared; longer ones are names."""


class Wire(msgspec.Struct, frozen=True, rename="camel", omit_defaults=True, gc=False):
    """The house style of a wire struct.

    Frozen, camelCase outside, nothing written that is at its default, and not tracked by the
    garbage collector (a decoded object has no cycles, and there are millions of them).
    """

    def _share(self, *fields: str) -> None:
        """Hold the words that thousands of objects repeat once: a fifth of a large view's memory.

        Called on decoding, before anybody else can see the struct. `intern` forgets a word with
        its last user, so nothing grows.
        """
        for name in fields:
            force_setattr(self, name, intern(getattr(self, name)))


class OwnerReference(Wire, frozen=True):
    """Who made an object, and whether it controls it."""

    api_version: str
    kind: str
    name: str
    uid: str
    controller: bool = False
    block_owner_deletion: bool | None = None

    def __post_init__(self) -> None:
        self._share("api_version", "kind")


class ObjectMeta(Wire, frozen=True):
    """What every object says of itself."""

    name: str = ""
    namespace: str = ""
    uid: str = ""
    resource_version: str = ""
    generate_name: str = ""
    generation: int = 0
    labels: dict[str, str] = {}
    annotations: dict[str, str] = {}
    creation_timestamp: datetime | None = None
    deletion_timestamp: datetime | None = None
    finalizers: tuple[str, ...] = ()
    owner_references: tuple[OwnerReference, ...] = ()

    def __post_init__(self) -> None:
        self._share("namespace")
        labels = {
            intern(key): intern(value) if len(value) <= _FLAG else value
            for key, value in self.labels.items()
        }
        force_setattr(self, "labels", labels)

    def controller(self) -> OwnerReference | None:
        """The owner that controls this object, if one does."""
        return next((owner for owner in self.owner_references if owner.controller), None)


class HasIdentity(Protocol):
    """What is needed of an object's metadata to follow it."""

    @property
    def name(self) -> str:
        """Unique in its namespace, at any one time."""
        ...

    @property
    def namespace(self) -> str:
        """Empty where the kind has none."""
        ...

    @property
    def uid(self) -> str:
        """Unique for all time."""
        ...

    @property
    def resource_version(self) -> str:
        """Changes with the object."""
        ...


class WithMetadata(Protocol):
    """Anything that can be watched: it says which object it is, and in which version."""

    @property
    def metadata(self) -> HasIdentity:
        """Name, namespace, uid and version; a kind of our own may hold more."""
        ...


class Identity(Wire, frozen=True):
    """The least that tells objects and versions apart, for one that cannot be read otherwise."""

    name: str = ""
    namespace: str = ""
    uid: str = ""
    resource_version: str = ""


class Identified(Wire, frozen=True):
    """An object of which only the identity is read."""

    metadata: Identity = Identity()


# ---------------------------------------------------------------- lists, watches, errors


class ListMeta(Wire, frozen=True):
    """What a page says of its list."""

    resource_version: str = ""
    continue_token: str = msgspec.field(name="continue", default="")


class ListPage(Wire, Generic[T], frozen=True):
    """One page of a list; an empty one may come as null."""

    metadata: ListMeta = ListMeta()
    items: list[T] | None = None


class WatchEvent(Wire, frozen=True):
    """One line of a watch: what happened, to an object that is not decoded yet."""

    type: str
    object: msgspec.Raw


class Bookmark(Wire, frozen=True):
    """The object of a BOOKMARK: only a version from which a watch may go on."""

    metadata: ListMeta = ListMeta()


class StatusCause(Wire, frozen=True):
    """One reason among several, such as one field of an invalid object."""

    reason: str = ""
    message: str = ""
    field: str = ""


class StatusDetails(Wire, frozen=True):
    """What a refusal was about."""

    name: str = ""
    group: str = ""
    kind: str = ""
    causes: tuple[StatusCause, ...] | None = None
    retry_after_seconds: int | None = None


class Status(Wire, frozen=True):
    """The API's own account of a refusal."""

    code: int = 0
    reason: str = ""
    message: str = ""
    details: StatusDetails | None = None


# ---------------------------------------------------------------- nodes


class Taint(Wire, frozen=True):
    """Why pods stay away from a node, or leave it."""

    key: str
    effect: str
    value: str = ""
    time_added: datetime | None = None


class NodeSpec(Wire, frozen=True):
    """What was decided about a node."""

    taints: tuple[Taint, ...] = ()
    unschedulable: bool = False
    provider_id: str = msgspec.field(name="providerID", default="")


class Condition(Wire, frozen=True):
    """One observation about an object, true, false or unknown."""

    type: str
    status: str
    reason: str = ""
    message: str = ""
    last_transition_time: datetime | None = None
    last_heartbeat_time: datetime | None = None

    def __post_init__(self) -> None:
        self._share("type", "status")


class Image(Wire, frozen=True):
    """A container image that a node holds."""

    names: tuple[str, ...] | None = None
    """Null where the kubelet knows only a size: Go writes an empty list so."""
    size_bytes: int = 0

    def __post_init__(self) -> None:
        if self.names is not None:
            force_setattr(self, "names", tuple(map(intern, self.names)))


class NodeStatus(Wire, frozen=True):
    """What was observed about a node; quantities are text, as Kubernetes writes them."""

    allocatable: dict[str, str] = {}
    capacity: dict[str, str] = {}
    conditions: tuple[Condition, ...] = ()
    images: tuple[Image, ...] = ()


class Node(Wire, frozen=True):
    """A machine of the cluster."""

    metadata: ObjectMeta = ObjectMeta()
    spec: NodeSpec = NodeSpec()
    status: NodeStatus = NodeStatus()


# ---------------------------------------------------------------- pods


class ContainerResources(Wire, frozen=True):
    """What a container asks for and may use at most; quantities are text."""

    requests: dict[str, str] = {}
    limits: dict[str, str] = {}

    def __post_init__(self) -> None:
        requests = {key: intern(value) for key, value in self.requests.items()}
        limits = {key: intern(value) for key, value in self.limits.items()}
        force_setattr(self, "requests", requests)
        force_setattr(self, "limits", requests if limits == requests else limits)


class Container(Wire, frozen=True):
    """One container of a pod."""

    name: str
    image: str = ""
    resources: ContainerResources = ContainerResources()
    restart_policy: str = ""
    """`Always` makes an init container a sidecar, whose requests count for the pod's whole life."""

    def __post_init__(self) -> None:
        self._share("image")


class Toleration(Wire, frozen=True):
    """A taint that a pod bears, for a time or for good."""

    key: str = ""
    operator: str = ""
    value: str = ""
    effect: str = ""
    toleration_seconds: int | None = None

    def __post_init__(self) -> None:
        self._share("key", "effect")


class PodResourceClaim(Wire, frozen=True):
    """A device claim that a pod names."""

    name: str
    resource_claim_name: str = ""
    resource_claim_template_name: str = ""


class PodSpec(Wire, frozen=True):
    """What a pod asks for, and where it was put."""

    containers: tuple[Container, ...] = ()
    init_containers: tuple[Container, ...] = ()
    node_name: str = ""
    scheduler_name: str = ""
    node_selector: dict[str, str] = {}
    tolerations: tuple[Toleration, ...] = ()
    affinity: dict[str, Any] = {}
    """As it came; who needs it knows its shape."""
    priority: int = 0
    overhead: dict[str, str] = {}
    resources: ContainerResources | None = None
    """The pod's own requests, where it sets them beside its containers'."""
    resource_claims: tuple[PodResourceClaim, ...] = ()

    def __post_init__(self) -> None:
        self._share("node_name", "scheduler_name")


class ContainerStatus(Wire, frozen=True):
    """How one container does."""

    name: str
    ready: bool = False
    restart_count: int = 0


class PodStatus(Wire, frozen=True):
    """How a pod does."""

    phase: str = ""
    conditions: tuple[Condition, ...] = ()
    container_statuses: tuple[ContainerStatus, ...] = ()
    nominated_node_name: str = ""


class Pod(Wire, frozen=True):
    """A piece of work."""

    metadata: ObjectMeta = ObjectMeta()
    spec: PodSpec = PodSpec()
    status: PodStatus = PodStatus()


# ---------------------------------------------------------------- namespaces, leases, events


class NamespaceStatus(Wire, frozen=True):
    """Whether a namespace lives or is being emptied."""

    phase: str = ""


class Namespace(Wire, frozen=True):
    """A room for names."""

    metadata: ObjectMeta = ObjectMeta()
    status: NamespaceStatus = NamespaceStatus()


class LeaseSpec(Wire, frozen=True):
    """Who leads, in client-go's terms; times are text and only ever compared for equality."""

    holder_identity: str | None = None
    lease_duration_seconds: int | None = None
    acquire_time: str | None = None
    renew_time: str | None = None
    lease_transitions: int | None = None
    strategy: str | None = None
    preferred_holder: str | None = None


class Lease(Wire, frozen=True):
    """A lock that its holder renews."""

    metadata: ObjectMeta = ObjectMeta()
    spec: LeaseSpec = LeaseSpec()


class ObjectReference(Wire, frozen=True):
    """An object that something is about."""

    api_version: str = ""
    kind: str = ""
    name: str = ""
    namespace: str = ""
    uid: str = ""


class Event(Wire, frozen=True):
    """Something worth telling the people who watch an object (`events.k8s.io/v1`), to be written.

    `event_time` is a `micro_time`; `type` is `Normal` or `Warning`.
    """

    metadata: ObjectMeta
    event_time: str
    reporting_controller: str
    reporting_instance: str
    action: str
    reason: str
    regarding: ObjectReference
    type: str
    """Never left out, so it has no default: the API server insists on it."""
    note: str = ""


# ---------------------------------------------------------------- who asks, and may they


class UserInfo(Wire, frozen=True):
    """Somebody the API server knows."""

    username: str = ""
    uid: str = ""
    groups: tuple[str, ...] = ()
    extra: dict[str, tuple[str, ...]] = {}


class TokenReviewSpec(Wire, frozen=True):
    """The token in question; it is a secret and is never printed."""

    token: str
    audiences: tuple[str, ...] = ()

    def __repr__(self) -> str:
        return f"TokenReviewSpec(token=<{len(self.token)} characters>, audiences={self.audiences})"


class TokenReviewStatus(Wire, frozen=True):
    """Whose token it is, if anybody's."""

    authenticated: bool = False
    user: UserInfo = UserInfo()
    audiences: tuple[str, ...] = ()
    error: str = ""


class TokenReview(Wire, frozen=True):
    """The question whose token this is, and its answer."""

    spec: TokenReviewSpec
    status: TokenReviewStatus = TokenReviewStatus()
    metadata: ObjectMeta = ObjectMeta()


class ResourceAttributes(Wire, frozen=True):
    """An act on an object."""

    verb: str = ""
    group: str = ""
    version: str = ""
    resource: str = ""
    subresource: str = ""
    namespace: str = ""
    name: str = ""


class NonResourceAttributes(Wire, frozen=True):
    """An act on a path that is no object, such as `get /metrics`."""

    path: str = ""
    verb: str = ""


class SubjectAccessReviewSpec(Wire, frozen=True):
    """Who wants to do what."""

    user: str = ""
    uid: str = ""
    groups: tuple[str, ...] = ()
    extra: dict[str, tuple[str, ...]] = {}
    resource_attributes: ResourceAttributes | None = None
    non_resource_attributes: NonResourceAttributes | None = None


class SubjectAccessReviewStatus(Wire, frozen=True):
    """Whether they may."""

    allowed: bool = False
    denied: bool = False
    reason: str = ""
    evaluation_error: str = ""


class SubjectAccessReview(Wire, frozen=True):
    """The question whether somebody may do something, and its answer."""

    spec: SubjectAccessReviewSpec
    status: SubjectAccessReviewStatus = SubjectAccessReviewStatus()
    metadata: ObjectMeta = ObjectMeta()


def micro_time(moment: datetime) -> str:
    """A time as Kubernetes' `MicroTime` demands it: UTC with exactly six digits.

    client-go refuses a time without the digits, which is what a generic encoder writes on the
    full second.
    """
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
