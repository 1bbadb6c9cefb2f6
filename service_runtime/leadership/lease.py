"""A Lease on the wire: read into a record, and written back with everything else left as it was.

Labels, owners and the fields of coordinated election (`strategy`, `preferredHolder`) belong to
somebody else; they are carried through and not obeyed, for an elector here is no LeaseCandidate.
This module must not decide what a record means.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import msgspec

from gpu_fleet.errors import KubeMalformed
from service_runtime.kube.api import LEASES
from service_runtime.leadership.election import LeaseRecord

__all__ = ["Lease", "LeaseName", "read_lease", "write_lease"]


@dataclass(frozen=True, slots=True)
class LeaseName:
    """Which Lease is stood for."""

    namespace: str
    name: str

    def __str__(self) -> str:
        """As kubectl users write it."""
        return f"{self.namespace}/{self.name}"


@dataclass(frozen=True, slots=True)
class Lease:
    """One stored Lease: what it says, its version, and the whole object to write back."""

    record: LeaseRecord
    version: str
    document: dict[str, Any]


class _Metadata(msgspec.Struct, rename="camel"):
    resource_version: str


class _Spec(msgspec.Struct, rename="camel"):
    holder_identity: str | None = None
    lease_duration_seconds: int | None = None
    acquire_time: str | None = None
    renew_time: str | None = None
    lease_transitions: int | None = None


class _Object(msgspec.Struct):
    metadata: _Metadata
    spec: _Spec = msgspec.field(default_factory=_Spec)


def read_lease(body: bytes, name: LeaseName) -> Lease:
    """The Lease in an answer; what it leaves out is what client-go reads there: no holder, 0."""
    try:
        document = msgspec.json.decode(body, type=dict[str, Any])
        found = msgspec.convert(document, _Object)
    except msgspec.MsgspecError as error:
        raise KubeMalformed(
            f"Lease {name}: an answer that is no Lease ({error}); look at it with kubectl"
        ) from error
    spec = found.spec
    record = LeaseRecord(
        holder=spec.holder_identity or "",
        duration_s=spec.lease_duration_seconds,
        acquired=spec.acquire_time or "",
        renewed=spec.renew_time or "",
        transitions=spec.lease_transitions or 0,
    )
    return Lease(record, found.metadata.resource_version, document)


def write_lease(record: LeaseRecord, name: LeaseName, over: Lease | None) -> bytes:
    """The body that puts `record` over a Lease that was read, or into a new one."""
    document: dict[str, Any] = {} if over is None else dict(over.document)
    document["apiVersion"] = LEASES.api_version
    document["kind"] = LEASES.kind
    if over is None:
        document["metadata"] = {"name": name.name, "namespace": name.namespace}
    document["spec"] = {
        **(document.get("spec") or {}),
        "holderIdentity": record.holder,
        "leaseDurationSeconds": record.duration_s,
        "acquireTime": record.acquired,
        "renewTime": record.renewed,
        "leaseTransitions": record.transitions,
    }
    return msgspec.json.encode(document)
