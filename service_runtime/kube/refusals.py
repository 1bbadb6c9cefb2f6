"""What an HTTP answer that is no success means, as the error of our tree that fits.

An operator reads these messages at three in the morning: each names the verb, the kind, the
object and what to do next, and a 403 names the right that is missing in RBAC's own words. The
twin raises through here as well, so both speak alike. This module must not do I/O, and it must
not retry.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import msgspec

from gpu_fleet.errors import (
    KubeConflict,
    KubeError,
    KubeExpired,
    KubeForbidden,
    KubeInvalid,
    KubeMalformed,
    KubeNotFound,
    KubeThrottled,
    KubeUnauthorized,
    KubeUnreachable,
)
from service_runtime.kube.wire import Status

if TYPE_CHECKING:
    from service_runtime.kube.api import Resource

__all__ = ["Asked", "decode_status", "malformed", "refused", "unreachable"]

_KINDS: Final[dict[int, type[KubeError]]] = {
    400: KubeInvalid,
    401: KubeUnauthorized,
    403: KubeForbidden,
    404: KubeNotFound,
    409: KubeConflict,
    410: KubeExpired,
    422: KubeInvalid,
    429: KubeThrottled,
}
_SERVER_ERROR: Final = 500
_EXCERPT: Final = 300
"""Characters of a body quoted when it is no Status: enough to recognise a proxy's page."""
_REMEDIES: Final[dict[int, str]] = {
    400: "correct the request",
    401: "check the token or client certificate in use, and its expiry",
    404: "check the name, the namespace and that the kind is installed (kubectl api-resources)",
    409: "read it again and decide anew",
    410: "list again",
    422: "correct the object",
    429: "ask again later",
}


@dataclass(frozen=True, slots=True)
class Asked:
    """What was asked of the API server: the subject of every message."""

    verb: str
    """RBAC's word: get, list, watch, create, update, patch, delete."""
    resource: Resource
    name: str | None = None
    namespace: str | None = None
    subresource: str | None = None

    def __str__(self) -> str:
        kind = self.resource.plural + (f"/{self.subresource}" if self.subresource else "")
        target = "/".join(part for part in (self.namespace, self.name) if part)
        return f"{self.verb} {kind}{f' {target}' if target else ''}"

    def right(self) -> str:
        """The RBAC rule that would allow it."""
        resource = self.resource.plural + (f"/{self.subresource}" if self.subresource else "")
        where = f" in namespace {self.namespace}" if self.namespace else ""
        return (
            f'apiGroups: ["{self.resource.group}"], resources: ["{resource}"], '
            f'verbs: ["{self.verb}"]{where}'
        )


def refused(
    asked: Asked, code: int, status: Status, *, retry_after_s: float | None = None
) -> KubeError:
    """The error for an answer of HTTP status `code` that carried `status`."""
    if retry_after_s is None and status.details is not None:
        retry_after_s = status.details.retry_after_seconds
    told = status.message or "no message"
    return _KINDS.get(code, KubeError)(
        f"{asked}: refused with {code} {status.reason or 'without a reason'}: {told}; "
        f"{_remedy(asked, code)}",
        status=code,
        reason=status.reason,
        retry_after_s=retry_after_s,
    )


def decode_status(body: bytes) -> Status:
    """The Status in a body, or one made of its first characters when it holds none."""
    try:
        return msgspec.json.decode(body, type=Status)
    except msgspec.MsgspecError:
        return Status(message=body[:_EXCERPT].decode("utf-8", "replace").strip())


def unreachable(asked: Asked, why: str) -> KubeUnreachable:
    """The error for no answer."""
    return KubeUnreachable(
        f"{asked}: no answer from the API server: {why}; "
        "check that it runs and can be reached from here"
    )


def malformed(asked: Asked, why: str) -> KubeMalformed:
    """The error for an answer that cannot be read."""
    return KubeMalformed(
        f"{asked}: the answer cannot be read: {why}; "
        "check that what answers is a Kubernetes API server of a supported version"
    )


def _remedy(asked: Asked, code: int) -> str:
    if code == 403:  # noqa: PLR2004 - an HTTP status is best known by its number
        return f"grant by RBAC: {asked.right()}"
    if code >= _SERVER_ERROR:
        return "look at the API server's log; asking again may help"
    return _REMEDIES.get(code, "see the message")
