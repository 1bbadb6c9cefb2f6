"""A reply as bytes: one head that says how long the body is, and nothing a client has not asked.

What repeats is written once. A handler's header that would begin a line of its own is a mistake
and no reply. This module must not know connections or time.
"""

from __future__ import annotations

from functools import lru_cache
from http import HTTPStatus
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from service_runtime.serve.exchange import Reply

__all__ = ["GO_ON", "SERVER", "asks_to_leave", "head_of"]

SERVER: Final = "synthscale"
"""What the `Server` header says: not which version of what."""

_CONNECTION: Final = "Connection"
"""Of a handler's headers the only one that is not passed on but obeyed."""

GO_ON: Final = b"HTTP/1.1 100 Continue\r\n\r\n"


def head_of(reply: Reply, *, date: bytes, last: bool) -> bytes:
    """Everything before the body; `last` asks the client to connect anew for the next request."""
    start = _start(reply.status, reply.content_type)
    ending = b"\r\nConnection: close\r\n\r\n" if last else b"\r\n\r\n"
    more = _more(reply) if reply.headers else b""
    return b"%b%bDate: %b\r\nContent-Length: %d%b" % (start, more, date, len(reply.body), ending)


def asks_to_leave(reply: Reply) -> bool:
    """Whether the handler wants the client to connect anew, by `Connection: close`."""
    return bool(reply.headers) and reply.headers.get(_CONNECTION, "").lower() == "close"


@lru_cache(maxsize=256)
def _start(status: int, content_type: str) -> bytes:
    try:
        phrase = HTTPStatus(status).phrase
    except ValueError:
        phrase = ""
    lines = f"HTTP/1.1 {status} {phrase}\r\nServer: {SERVER}\r\n"
    return (lines + _line("Content-Type", content_type)).encode()


def _more(reply: Reply) -> bytes:
    lines = [_line(*pair) for pair in reply.headers.items() if pair[0] != _CONNECTION]
    return "".join(lines).encode()


def _line(name: str, value: str) -> str:
    if not (name + value).isprintable() or ":" in name:
        raise ValueError(f"header {name!r}: {value!r} holds what would begin a line of its own")
    return f"{name}: {value}\r\n"
