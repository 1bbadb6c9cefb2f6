"""One connection: aiohttp's HTTP/1.1 protocol, watched for clients that are slow on purpose.

aiohttp limits how long a connection may idle, but neither how long a request's headers may take
nor how long a client may take its answer; so each connection knows since when it waits for what,
and the chassis sweeps. It also knows the trust under which its client was verified.
This module must not answer requests.
"""

from __future__ import annotations

import asyncio
import ssl
from enum import Enum
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Final, Literal

from aiohttp import web
from aiohttp.http_exceptions import LineTooLong

from service_runtime.serve.credentials import shown_chain
from service_runtime.serve.peers import Peer
from service_runtime.timing import elapsed_s

if TYPE_CHECKING:
    from collections.abc import Callable

    from service_runtime.serve.credentials import Trust
    from service_runtime.serve.settings import LimitSettings
    from service_runtime.timing import Timing

__all__ = ["SERVER", "Connection", "Overdue"]

SERVER: Final = "synthscale"
"""What the `Server` header says: not which version of what, as aiohttp would."""

_LINGER_S: Final = 1.0
"""The rest of a body that nobody wants is thrown away so long, so that its sender reads why."""

Overdue = Literal["slow_head", "slow_taker"]


class _Waiting(Enum):
    """What a connection waits for."""

    FIRST_BYTE = "first byte"
    REQUEST = "request"
    HEAD = "head"
    REPLY = "reply"
    SENT = "sent"


_BEFORE_A_HEAD: Final = (_Waiting.FIRST_BYTE, _Waiting.HEAD)


class Connection(web.RequestHandler):
    """A client, from the end of its handshake on."""

    __slots__ = ("_malformed", "_peer", "_since_ns", "_timing", "_waiting", "trust")

    def __init__(
        self,
        server: web.Server,
        *,
        trust: Trust,
        limits: LimitSettings,
        timing: Timing,
        malformed: Callable[[], None],
    ) -> None:
        options: dict[str, Any] = {
            "access_log": None,
            "auto_decompress": False,
            "keepalive_timeout": limits.idle_timeout_s,
            "lingering_time": _LINGER_S,
            "max_field_size": limits.head_line_max_bytes,
            "max_headers": limits.headers_max,
            "max_line_size": limits.head_line_max_bytes,
        }
        super().__init__(server, loop=asyncio.get_running_loop(), **options)
        self.trust = trust
        self._timing = timing
        self._malformed = malformed
        self._peer: Peer | None = None
        self._waiting = _Waiting.FIRST_BYTE
        self._since_ns = timing.now_ns()

    # ------------------------------------------------------------ who

    @property
    def peer(self) -> Peer | None:
        """Who the client's certificate says it is; None where it showed none."""
        if self._peer is None and self.transport is not None:
            certificate = self.transport.get_extra_info("peercert")
            self._peer = Peer.of(certificate) if certificate else None
        return self._peer

    def shown_chain(self) -> tuple[bytes, ...]:
        """The certificates the client showed, its own first, as DER."""
        found = None if self.transport is None else self.transport.get_extra_info("ssl_object")
        return shown_chain(found) if isinstance(found, ssl.SSLObject) else ()

    # ------------------------------------------------------------ how long

    def overdue(self, now_ns: int, limits: LimitSettings) -> Overdue | None:
        """Whether the client takes too long about something, and about what."""
        waited_s = elapsed_s(self._since_ns, now_ns)
        if self._waiting in _BEFORE_A_HEAD and waited_s > limits.head_timeout_s:
            return "slow_head"
        if self._waiting is _Waiting.SENT and waited_s > limits.send_timeout_s:
            return "slow_taker"
        return None

    def answering(self) -> None:
        """A request's head is complete; its handler has the time from here on."""
        self._wait_for(_Waiting.REPLY)

    def answered(self) -> None:
        """A reply is there; the client has the time until it is taken."""
        self._wait_for(_Waiting.SENT)

    def data_received(self, data: bytes) -> None:
        """Bytes came: if nothing was going on, a request begins."""
        if self._waiting is _Waiting.REQUEST:
            self._wait_for(_Waiting.HEAD)
        elif self._waiting is _Waiting.FIRST_BYTE:
            self._waiting = _Waiting.HEAD  # whose time runs since the handshake
        super().data_received(data)

    async def finish_response(
        self, request: web.BaseRequest, resp: web.StreamResponse, start_time: float | None
    ) -> tuple[web.StreamResponse, bool]:
        """Send a reply; the connection is idle once the reply is taken."""
        sent = await super().finish_response(request, resp, start_time)
        self._wait_for(_Waiting.REQUEST)
        return sent

    def _wait_for(self, waiting: _Waiting) -> None:
        self._waiting = waiting
        self._since_ns = self._timing.now_ns()

    # ------------------------------------------------------------ the end

    @property
    def is_busy(self) -> bool:
        """Whether it must not be closed: a client that has just connected is about to ask."""
        return self._waiting is not _Waiting.REQUEST

    @property
    def has_request(self) -> bool:
        """Whether a request is coming, being answered or its reply being taken."""
        return self.is_busy and self._waiting is not _Waiting.FIRST_BYTE

    def abort(self) -> None:
        """Cut it now; a handler at work is cancelled."""
        if self.transport is not None:
            self.transport.abort()

    def handle_error(
        self,
        request: web.BaseRequest,  # noqa: ARG002 - aiohttp's signature
        status: int = 500,
        exc: BaseException | None = None,
        message: str | None = None,  # noqa: ARG002 - it may repeat what the client sent
    ) -> web.StreamResponse:
        """Tell a client whose bytes were no HTTP request; no trace, and no echo of them."""
        if status >= HTTPStatus.INTERNAL_SERVER_ERROR:  # a bug of the chassis, not of the client
            self.logger.error("a reply could not be made", exc_info=exc)
            return web.Response(status=status, body=b"this failed here\n")
        self._malformed()
        line_is_long = isinstance(exc, LineTooLong)
        status = 431 if line_is_long else status
        text = "a header is too long" if line_is_long else "this is no HTTP/1.1 request"
        reply = web.Response(status=status, body=f"{text}\n".encode(), headers={"Server": SERVER})
        reply.force_close()
        return reply
