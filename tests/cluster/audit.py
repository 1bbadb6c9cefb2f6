"""The API server's audit log as a record that can be asked who did what.

Least privilege is proved by what a user was seen to do, not by what a manifest grants. This reads
the file as it grows and decodes a few fields; it must not be used to decide anything at run time.
"""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

import msgspec

from tests.cluster.waiting import wait_until

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from pathlib import Path

__all__ = ["AuditEvent", "AuditLog", "AuditRecord", "AuditStatus", "AuditUser", "Touched"]


class AuditUser(msgspec.Struct, frozen=True):
    """Who asked, as the server authenticated them."""

    username: str = ""
    groups: tuple[str, ...] = ()


class Touched(msgspec.Struct, frozen=True, rename="camel"):
    """The object a request was about; its name is empty for a list or a creation."""

    resource: str = ""
    namespace: str = ""
    name: str = ""
    api_group: str = ""
    subresource: str = ""


class AuditStatus(msgspec.Struct, frozen=True):
    """What the server answered."""

    code: int = 0


class AuditEvent(msgspec.Struct, frozen=True, rename="camel"):
    """One request, or one stage of a long one (a watch begins and ends)."""

    audit_id: str = msgspec.field(name="auditID")
    stage: str
    verb: str
    user: AuditUser
    request_uri: str = msgspec.field(name="requestURI", default="")
    user_agent: str = ""
    object_ref: Touched = Touched()
    response_status: AuditStatus = AuditStatus()
    request_received_timestamp: str = ""
    annotations: dict[str, str] = msgspec.field(default_factory=dict)

    @property
    def resource(self) -> str:
        """As RBAC writes it: `pods`, `pods/binding`, `deployments.apps`; empty for a plain URL."""
        about = self.object_ref
        group = f".{about.api_group}" if about.api_group else ""
        subresource = f"/{about.subresource}" if about.subresource else ""
        return f"{about.resource}{group}{subresource}"

    @property
    def allowed(self) -> bool:
        """Whether the server did not refuse it for want of permission."""
        return self.response_status.code not in {401, 403}


class AuditRecord:
    """Events in the order in which they were written; each question returns a smaller record."""

    def __init__(self, events: Iterable[AuditEvent]) -> None:
        self.events = tuple(events)

    def __len__(self) -> int:
        return len(self.events)

    def __iter__(self) -> Iterator[AuditEvent]:
        return iter(self.events)

    def where(self, holds: Callable[[AuditEvent], bool]) -> AuditRecord:
        """The events of which this holds."""
        return AuditRecord(event for event in self.events if holds(event))

    def by(self, user: str) -> AuditRecord:
        """What this user did."""
        return self.where(lambda event: event.user.username == user)

    def doing(self, *verbs: str) -> AuditRecord:
        """Requests with one of these verbs."""
        return self.where(lambda event: event.verb in verbs)

    def on(self, resource: str) -> AuditRecord:
        """Requests about one resource, written as RBAC does (`leases.coordination.k8s.io`)."""
        return self.where(lambda event: event.resource == resource)

    def inside(self, namespace: str) -> AuditRecord:
        """Requests about objects of one namespace."""
        return self.where(lambda event: event.object_ref.namespace == namespace)

    def named(self, name: str) -> AuditRecord:
        """Requests about objects of one name."""
        return self.where(lambda event: event.object_ref.name == name)

    def users(self) -> set[str]:
        """Everybody who appears."""
        return {event.user.username for event in self.events}

    def verbs_by_resource(self) -> dict[str, set[str]]:
        """What was done to what: the permissions that were used."""
        used: defaultdict[str, set[str]] = defaultdict(set)
        for event in self.events:
            used[event.resource or event.request_uri.partition("?")[0]].add(event.verb)
        return dict(used)


class AuditLog:
    """The log file; each `read` returns all there is by now and decodes only what is new."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._events: list[AuditEvent] = []
        self._offset = 0
        self._decode = msgspec.json.Decoder(AuditEvent).decode

    def read(self) -> AuditRecord:
        """Everything written so far; a line that is still being written waits."""
        if self.path.exists():
            with self.path.open("rb") as file:
                file.seek(self._offset)
                whole, newline, _ = file.read().rpartition(b"\n")
            self._offset += len(whole) + len(newline)
            self._events += [self._decode(line) for line in whole.splitlines() if line]
        return AuditRecord(self._events)

    def wait_for(
        self, what: str, ask: Callable[[AuditRecord], AuditRecord], *, limit_s: float = 10.0
    ) -> AuditRecord:
        """The answer to a question about the record, once it is not empty."""
        return wait_until(f"audit event of {what}", lambda: ask(self.read()), limit_s=limit_s)
