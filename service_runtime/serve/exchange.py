"""One request and its reply as a handler sees them: plain values, without a word of a protocol.

A handler is called with the whole body, within its limit, and returns the whole reply. Streams
are left out on purpose: every protocol we serve is a question and an answer.
This module must not know sockets or TLS.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeAlias

import msgspec

if TYPE_CHECKING:
    from service_runtime.serve.peers import Peer

__all__ = ["Handler", "Reply", "Request", "told"]


@dataclass(frozen=True, slots=True)
class Request:
    """What a client asks."""

    method: str
    path: str
    """Decoded, without the query."""
    raw_path: str
    """As it came, query included."""
    query: Mapping[str, str]
    """The last value of each key."""
    headers: Mapping[str, str]
    """Looked up whatever the case of the name."""
    body: bytes
    peer: Peer | None = None
    """Who the client certificate says it is; None where the port asks for none."""
    user: str | None = None
    """Whom the API server knows the token's bearer as; None where no token was asked for."""


@dataclass(frozen=True, slots=True)
class Reply:
    """What it is told."""

    status: int = 200
    body: bytes = b""
    content_type: str = "text/plain; charset=utf-8"
    headers: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def of_json(cls, value: object, status: int = 200) -> Reply:
        """Any value that msgspec can write."""
        return cls(status, msgspec.json.encode(value), "application/json")


Handler: TypeAlias = Callable[[Request], Reply | Awaitable[Reply]]
"""Answers one request: at once, or later where it has to wait for something.

An answer at once must be computed in microseconds, since nobody else is served meanwhile; it costs
no task. One that is awaited is cancelled when the client goes away or the deadline passes. An
`InputError` is answered 400 with its text, anything else 500 with an id that the log has.
"""


def told(status: int, text: str, **headers: str) -> Reply:
    """A reply of one line for a person; `Retry_After="1"` becomes the header `Retry-After`."""
    spelled = {name.replace("_", "-"): value for name, value in headers.items()}
    return Reply(status, f"{text}\n".encode(), headers=spelled)
