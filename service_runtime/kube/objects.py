"""Single objects, asked for and written as structs instead of bytes.

The seam carries bytes; these few functions are the only place that turns a struct into a request
body and an answer into a struct. They must not retry, and they must not read before they write:
what is not set in a struct is not sent, so an apply owns exactly the fields it names.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

import msgspec

from service_runtime.kube.refusals import Asked, malformed

if TYPE_CHECKING:
    from collections.abc import Mapping

    from service_runtime.kube.api import KubeApi, Resource

__all__ = ["apply", "apply_status", "body_of", "create", "fetch", "replace"]

S = TypeVar("S", bound=msgspec.Struct)


def body_of(resource: Resource, content: msgspec.Struct | Mapping[str, object]) -> bytes:
    """A request body: the content with `apiVersion` and `kind`, without what is at its default."""
    plain: dict[str, object] = msgspec.to_builtins(content, str_keys=True)
    return msgspec.json.encode({"apiVersion": resource.api_version, "kind": resource.kind} | plain)


async def fetch(
    api: KubeApi, resource: Resource, kind: type[S], name: str, namespace: str | None = None
) -> S:
    """One object; `KubeNotFound` when there is none."""
    body = await api.get(resource, name, namespace)
    return _read(body, kind, Asked("get", resource, name, namespace))


async def create(api: KubeApi, resource: Resource, content: S, namespace: str | None = None) -> S:
    """Create an object, or put a review to the API server; returns it as stored or answered."""
    body = await api.create(resource, body_of(resource, content), namespace)
    return _read(body, type(content), Asked("create", resource, namespace=namespace))


async def replace(
    api: KubeApi, resource: Resource, name: str, content: S, namespace: str | None = None
) -> S:
    """Replace an object if it still is of the content's `resourceVersion`, else `KubeConflict`."""
    body = await api.replace(resource, name, body_of(resource, content), namespace)
    return _read(body, type(content), Asked("update", resource, name, namespace))


async def apply(
    api: KubeApi,
    resource: Resource,
    name: str,
    content: msgspec.Struct | Mapping[str, object],
    *,
    manager: str,
    namespace: str | None = None,
    force: bool = False,
) -> bytes:
    """Server-side apply: own the fields of `content` as `manager`; returns the object's bytes.

    Without `force`, a field that another manager owns with another value is a `KubeConflict`.
    """
    body = _named(resource, name, content, namespace)
    return await api.apply(resource, name, body, manager=manager, namespace=namespace, force=force)


async def apply_status(
    api: KubeApi,
    resource: Resource,
    name: str,
    status: msgspec.Struct | Mapping[str, object],
    *,
    manager: str,
    namespace: str | None = None,
) -> bytes:
    """Own the fields of `status` as `manager`, by force: a status says what its writer saw."""
    return await api.apply(
        resource,
        name,
        _named(resource, name, {"status": msgspec.to_builtins(status)}, namespace),
        manager=manager,
        namespace=namespace,
        subresource="status",
        force=True,
    )


def _named(
    resource: Resource,
    name: str,
    content: msgspec.Struct | Mapping[str, object],
    namespace: str | None,
) -> bytes:
    """The body of an apply, whose metadata must name the object and must not hold a version."""
    plain: dict[str, object] = msgspec.to_builtins(content, str_keys=True)
    given = plain.get("metadata", {})
    metadata: dict[str, object] = dict(given) if isinstance(given, dict) else {}
    for server_owned in ("resourceVersion", "uid", "creationTimestamp", "generation"):
        metadata.pop(server_owned, None)
    metadata["name"] = name
    if namespace is not None:
        metadata["namespace"] = namespace
    return body_of(resource, plain | {"metadata": metadata})


def _read(body: bytes, kind: type[S], asked: Asked) -> S:
    try:
        return msgspec.json.decode(body, type=kind)
    except msgspec.MsgspecError as error:
        raise malformed(asked, str(error)) from error
