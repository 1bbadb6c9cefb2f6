"""The seam: what we ask of an API server, and of the twin that stands in for it in tests.

It carries bytes and knows paths, versions and errors; decoding belongs to whoever asked.
An implementation must raise the `KubeError` that fits, must not retry (whoever asks owns the
patience) and must not remember objects.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Protocol

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from contextlib import AbstractAsyncContextManager

__all__ = [
    "DEPLOYMENTS",
    "EVENTS",
    "EVERYTHING",
    "LEASES",
    "NAMESPACES",
    "NODES",
    "PODS",
    "SUBJECT_ACCESS_REVIEWS",
    "TOKEN_REVIEWS",
    "KubeApi",
    "Resource",
    "Selection",
]


@dataclass(frozen=True, slots=True)
class Resource:
    """One kind of object and where the API serves it."""

    version: str
    plural: str
    kind: str
    group: str = ""
    """Empty for the core group."""
    namespaced: bool = True

    @property
    def api_version(self) -> str:
        """As an object's `apiVersion` says it."""
        return f"{self.group}/{self.version}" if self.group else self.version

    def path(
        self, namespace: str | None = None, name: str | None = None, subresource: str | None = None
    ) -> str:
        """The URL path; without a namespace, that of all namespaces."""
        root = f"/apis/{self.group}" if self.group else "/api"
        parts = [root, self.version]
        if namespace is not None:
            parts += ["namespaces", namespace]
        parts += [part for part in (self.plural, name, subresource) if part is not None]
        return "/".join(parts)


NODES = Resource("v1", "nodes", "Node", namespaced=False)
PODS = Resource("v1", "pods", "Pod")
NAMESPACES = Resource("v1", "namespaces", "Namespace", namespaced=False)
DEPLOYMENTS = Resource("v1", "deployments", "Deployment", group="apps")
EVENTS = Resource("v1", "events", "Event", group="events.k8s.io")
LEASES = Resource("v1", "leases", "Lease", group="coordination.k8s.io")
TOKEN_REVIEWS = Resource(
    "v1", "tokenreviews", "TokenReview", group="authentication.k8s.io", namespaced=False
)
SUBJECT_ACCESS_REVIEWS = Resource(
    "v1",
    "subjectaccessreviews",
    "SubjectAccessReview",
    group="authorization.k8s.io",
    namespaced=False,
)


@dataclass(frozen=True, slots=True)
class Selection:
    """Which objects of a kind a list or a watch is about; the default is all of them."""

    namespace: str | None = None
    label_selector: str = ""
    field_selector: str = ""


EVERYTHING: Final = Selection()
"""All objects of a kind, in all namespaces."""


class KubeApi(Protocol):
    """An API server. Every method may raise any `KubeError`; bodies are JSON as bytes."""

    async def list_page(
        self,
        resource: Resource,
        selection: Selection,
        *,
        limit: int,
        continue_token: str = "",
        resource_version: str = "",
    ) -> bytes:
        """One page of a list: an object with `metadata.resourceVersion`, `continue`, `items`."""
        ...

    def watch(
        self,
        resource: Resource,
        selection: Selection,
        *,
        resource_version: str,
        timeout_s: int,
    ) -> AbstractAsyncContextManager[AsyncIterator[bytes]]:
        """Events after `resource_version`, one JSON line each, bookmarks included.

        The iterator ends when the server ends the stream, and raises `KubeUnreachable` when the
        connection breaks. A 410 may come as `KubeExpired` on entering, or as an ERROR event.
        """
        ...

    async def get(self, resource: Resource, name: str, namespace: str | None = None) -> bytes:
        """One object."""
        ...

    async def create(self, resource: Resource, body: bytes, namespace: str | None = None) -> bytes:
        """The object as stored; `KubeConflict` when the name is taken."""
        ...

    async def replace(
        self, resource: Resource, name: str, body: bytes, namespace: str | None = None
    ) -> bytes:
        """Compare and swap by the body's `metadata.resourceVersion`, or `KubeConflict`."""
        ...

    async def apply(
        self,
        resource: Resource,
        name: str,
        body: bytes,
        *,
        manager: str,
        namespace: str | None = None,
        subresource: str | None = None,
        force: bool = False,
    ) -> bytes:
        """Server-side apply: the fields of `body` become `manager`'s; `KubeConflict` if another's.

        `subresource="status"` is the status patch.
        """
        ...

    async def delete(self, resource: Resource, name: str, namespace: str | None = None) -> None:
        """Ask for the object's end; it may stay until its finalizers are done."""
        ...
