"""One listening port: accepts, shakes hands under today's credentials, answers, and ends in order.

Connections are accepted one by one instead of by asyncio's own server, because then each handshake
takes the credentials of its moment, its failure has a reason that can be counted, and a flood meets
a bound before it costs a handshake. Nothing here may look into a request.
"""

from __future__ import annotations

import asyncio
import socket
import ssl
from email.utils import format_datetime
from typing import TYPE_CHECKING, Final

from gpu_fleet.errors import ServiceError
from service_runtime.serve.connection import READ_BYTES, Connection
from service_runtime.serve.ports import ClientCertificates, Port
from service_runtime.timing import elapsed_s

if TYPE_CHECKING:
    from datetime import datetime

    from service_runtime.serve.answering import Answer, Answering
    from service_runtime.serve.meters import PortMeters
    from service_runtime.serve.rotation import Rotation
    from service_runtime.serve.settings import LimitSettings
    from service_runtime.telemetry import Log
    from service_runtime.timing import Timing

__all__ = ["Listener", "handshake_failure"]

_BACKLOG: Final = 1_024
"""Connections the kernel holds for us while the loop does something else."""

_GOODBYE_S: Final = 1.0
"""How long a TLS close may take: a courtesy, no duty (RFC 8446, 6.1)."""

_POLL_S: Final = 0.02
"""How often an ending port looks whether it is empty."""

_JOIN_S: Final = 2.0
"""How long cancelled handlers may take to end: none of them has a reason to take any time."""

_BREATHER_S: Final = 0.1
"""The pause after accept failed, as it does for want of file descriptors: no spinning."""


def handshake_failure(error: BaseException) -> str:
    """Why a handshake came to nothing, as one of the words in `meters`."""
    if isinstance(error, ssl.SSLCertVerificationError):
        return "foreign_or_expired"
    if isinstance(error, ssl.SSLError):
        return {
            "HTTP_REQUEST": "no_tls",
            "PEER_DID_NOT_RETURN_A_CERTIFICATE": "no_certificate",
            "UNSUPPORTED_PROTOCOL": "old_tls",
            "VERSION_TOO_LOW": "old_tls",
            "WRONG_VERSION_NUMBER": "no_tls",
            "UNEXPECTED_EOF_WHILE_READING": "cut",
        }.get(error.reason, "other")
    if isinstance(error, ConnectionAbortedError):
        return "slow"  # what asyncio raises at the handshake's own time limit
    return "cut" if isinstance(error, ConnectionError) else "other"


class Listener:
    """A port of the table, bound by `bind`, alive in `serve`, ended by `finish` or `cut`."""

    def __init__(
        self,
        port: Port,
        limits: LimitSettings,
        answering: Answering,
        rotation: Rotation,
        *,
        timing: Timing,
        log: Log,
        meters: PortMeters,
    ) -> None:
        self.port = port
        self._limits = limits
        self._answering = answering
        self._rotation = rotation
        self._timing = timing
        self._log = log
        self._meters = meters
        self._mutual = port.client_certificates is ClientCertificates.REQUIRED
        self._socket: socket.socket | None = None
        self._handshakes = 0
        self.connections: set[Connection] = set()
        """Those that are through their handshake."""
        self.tasks: set[asyncio.Task[Answer]] = set()
        self.scratch = memoryview(bytearray(READ_BYTES))
        self.date = _date_of(timing.wall())
        self.retiring = False
        """Whether every answer asks its client to connect anew."""
        meters.in_flight.read(lambda: len(self.tasks), port=port.name)
        meters.connections.read(lambda: len(self.connections), port=port.name)

    # ------------------------------------------------------------ the socket

    def bind(self) -> None:
        """Take the port, or raise `ServiceError`; clients wait in the backlog until `serve`."""
        wanted = (self.port.address, self.port.port)
        family = socket.AF_INET6 if ":" in self.port.address else socket.AF_INET
        try:
            self._socket = socket.create_server(wanted, family=family, backlog=_BACKLOG)
        except OSError as error:
            raise ServiceError(
                f"port {self.port.name}: cannot listen on {wanted[0]}:{wanted[1]} "
                f"({error.strerror}); stop whoever has it, or set another"
            ) from error
        self._socket.settimeout(0)

    @property
    def number(self) -> int:
        """The port that was taken."""
        if self._socket is None:
            raise ServiceError(f"port {self.port.name} does not listen; start the service first")
        found: int = self._socket.getsockname()[1]
        return found

    def close(self) -> None:
        """Take no more connections."""
        if self._socket is not None:
            self._socket.close()
            self._socket = None

    # ------------------------------------------------------------ coming

    async def serve(self) -> None:
        """Accept until cancelled; handshakes that are not through by then are cut."""
        listening = self._socket
        if listening is None:
            raise ServiceError(f"port {self.port.name} does not listen; bind it first")
        async with asyncio.TaskGroup() as handshakes:
            while True:
                await _arrival(listening)
                try:
                    accepted, _ = listening.accept()
                except (BlockingIOError, ConnectionAbortedError):
                    continue  # it left again before we looked
                except OSError as error:
                    self._log.warn("accept_failed", port=self.port.name, error=error)
                    await self._timing.sleep(_BREATHER_S)
                    continue
                if self._is_crowded():
                    self._meters.handshakes_failed.add(port=self.port.name, kind="crowded")
                    accepted.close()
                    continue
                accepted.settimeout(0)
                # asyncio does so only for sockets that say they are TCP; accepted ones do not.
                accepted.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                self._handshakes += 1
                handshakes.create_task(self._shake_hands(accepted))

    def _is_crowded(self) -> bool:
        present = len(self.connections) + self._handshakes
        return (
            self._handshakes >= self._limits.handshakes_max
            or present >= self._limits.connections_max
        )

    async def _shake_hands(self, accepted: socket.socket) -> None:
        credentials = self._rotation.current
        connection = Connection(
            self, self._answering, self._limits, self._timing, trust=credentials.trust
        )
        try:
            await asyncio.get_running_loop().connect_accepted_socket(
                lambda: connection,
                accepted,
                ssl=credentials.mutual if self._mutual else credentials.open,
                ssl_handshake_timeout=self._limits.handshake_timeout_s,
                ssl_shutdown_timeout=_GOODBYE_S,
            )
        except OSError as error:
            kind = handshake_failure(error)
            self._meters.handshakes_failed.add(port=self.port.name, kind=kind)
        finally:
            self._handshakes -= 1

    # ------------------------------------------------------------ what its connections ask

    def arrived(self, connection: Connection) -> None:
        """Its handshake is through."""
        self.connections.add(connection)

    def gone(self, connection: Connection) -> None:
        """It is over."""
        self.connections.discard(connection)

    def is_last(self, connection: Connection) -> bool:
        """Whether its client is to connect anew, elsewhere or for a handshake of today."""
        return self.retiring or connection.trust is not self._rotation.current.trust

    def met_no_http(self) -> None:
        """A client sent what is not HTTP."""
        self._meters.malformed.add(port=self.port.name)

    # ------------------------------------------------------------ trust that was taken back

    def believes(self, connection: Connection) -> bool:
        """Whether the client is one of today's, though its handshake was under another trust.

        One who is stays, if nobody lost our trust; else it is answered and asked to connect anew,
        so that a whole handshake judges it.
        """
        today = self._rotation.current.trust
        if connection.trust is today:
            return True
        if not self._mutual or today.lacks_none_of(connection.trust):
            connection.trust = today
            return True
        if today.vouches_for(connection.shown_chain(), self._timing.wall()):
            return True
        self._meters.cut.add(port=self.port.name, reason="distrusted")
        peer = connection.peer
        self._log.event(
            "connection_distrusted",
            port=self.port.name,
            common_name=None if peer is None else peer.common_name,
        )
        return False

    # ------------------------------------------------------------ going

    def sweep(self) -> None:
        """End what takes too long, and note down the date for the replies until the next time."""
        self.date = _date_of(self._timing.wall())
        now_ns = self._timing.now_ns()
        for connection in tuple(self.connections):
            reason = connection.sweep(now_ns)
            if reason is not None:
                self._meters.cut.add(port=self.port.name, reason=reason)

    async def finish(self, limit_s: float) -> None:
        """Close what idles and wait until all connections are gone, or the limit has passed."""
        self.retiring = True
        begun_ns = self._timing.now_ns()
        while self.connections:
            for connection in tuple(self.connections):
                if not connection.is_busy:
                    connection.close()
            if elapsed_s(begun_ns, self._timing.now_ns()) >= limit_s:
                return
            await self._timing.sleep(_POLL_S)

    def cut(self) -> int:
        """Close the port and cut whatever is left; returns how many requests that were."""
        self.close()
        late = tuple(self.connections)
        busy = sum(connection.has_request for connection in late)
        if busy:
            self._meters.cut.add(busy, port=self.port.name, reason="drain")
        for connection in late:
            connection.abort()
        return busy

    async def join(self) -> None:
        """Wait until every handler that was cut has ended."""
        begun_ns = self._timing.now_ns()
        while self.connections or self.tasks:
            if elapsed_s(begun_ns, self._timing.now_ns()) >= _JOIN_S:
                break
            await self._timing.sleep(_POLL_S)
        if self.tasks:
            self._log.error(
                "handlers_did_not_end",
                port=self.port.name,
                handlers=len(self.tasks),
                remedy="let CancelledError out of the handlers of this port",
            )


def _date_of(moment: datetime) -> bytes:
    return format_datetime(moment, usegmt=True).encode()


async def _arrival(listening: socket.socket) -> None:
    """Wait until somebody connects.

    The loop's own `sock_accept` loses, and leaks, a connection that arrives as it is cancelled.
    """
    loop = asyncio.get_running_loop()
    arrived = asyncio.Event()
    loop.add_reader(listening, arrived.set)
    try:
        await arrived.wait()
    finally:
        loop.remove_reader(listening)
