"""One connection: feeds what comes to a reader, answers in order, and knows what it waits for.

It stands directly on asyncio's TLS transport: bytes are read into a buffer that all connections
share, a reply is one write, and neither a request nor an answer at once makes a task or a timer.
Since when it waits for what is noted down, and one sweep of the port judges all of them.
This module must not know what a request means.
"""

from __future__ import annotations

import asyncio
import ssl
from functools import lru_cache, partial
from math import inf
from typing import TYPE_CHECKING, Final, Literal, Protocol, cast

from service_runtime.serve.answering import Answer
from service_runtime.serve.credentials import shown_chain
from service_runtime.serve.exchange import told
from service_runtime.serve.incoming import Reader
from service_runtime.serve.outgoing import GO_ON, asks_to_leave, head_of
from service_runtime.serve.peers import Peer
from service_runtime.timing import elapsed_s

if TYPE_CHECKING:
    from collections.abc import Coroutine, Mapping

    from service_runtime.serve.answering import Answering, Call
    from service_runtime.serve.credentials import Trust
    from service_runtime.serve.incoming import Arrived
    from service_runtime.serve.ports import Route
    from service_runtime.serve.settings import LimitSettings
    from service_runtime.timing import Timing

__all__ = ["READ_BYTES", "Connection", "Host", "Overdue"]

READ_BYTES: Final = 256 << 10
"""How much is read at once: what asyncio's TLS reads from the socket at once."""

_PIECE_BYTES: Final = 256 << 10
"""Longer replies are sent piece by piece: asyncio's TLS takes one write of any size into memory and
says that it is sent, so that nobody would notice a client that takes nothing."""

_LINGER_S: Final = 1.0
"""The rest of what nobody wants is thrown away so long, so that its sender reads why."""

Overdue = Literal["slow_head", "slow_taker"]


_Waiting = Literal["first byte", "request", "head", "body", "reply", "sent", "leaving", "nothing"]
"""What a connection waits for; `leaving`: that the client reads the last reply and goes.

Words and no Enum: looking up a member costs ten times as much, and a call looks twenty times.
"""

_FREE: Final = ("first byte", "request", "head", "body")
_ASKED: Final = ("head", "body", "reply", "sent")
_OVER: Final = ("leaving", "nothing")


class Host(Protocol):
    """What a connection needs of the port it belongs to."""

    scratch: memoryview
    """Where bytes are read to, and from where they are taken before the next are."""
    date: bytes
    """For the `Date` header."""
    tasks: set[asyncio.Task[Answer]]
    """Answers that are being waited for."""

    def arrived(self, connection: Connection) -> None:
        """Its handshake is through."""

    def gone(self, connection: Connection) -> None:
        """It is over."""

    def believes(self, connection: Connection) -> bool:
        """Whether its client is still one of ours; one that is not is told nothing."""
        ...

    def is_last(self, connection: Connection) -> bool:
        """Whether its client is to connect anew for the next request."""
        ...

    def met_no_http(self) -> None:
        """A client sent what is not HTTP."""


class Connection(asyncio.BufferedProtocol):
    """A client, from the end of its handshake on."""

    __slots__ = (
        *("_afterwards", "_answering", "_host", "_late", "_limits", "_reader", "_reading_paused"),
        *("_since_ns", "_task", "_timing", "_unsent", "_waiting", "_writing_paused", "peer"),
        *("transport", "trust"),
    )

    def __init__(
        self,
        host: Host,
        answering: Answering,
        limits: LimitSettings,
        timing: Timing,
        *,
        trust: Trust,
    ) -> None:
        self.trust = trust
        self.peer: Peer | None = None
        """Who the client's certificate says it is; None where it showed none."""
        self.transport: asyncio.Transport | None = None
        self._host = host
        self._answering = answering
        self._limits = limits
        self._timing = timing
        self._reader = Reader(limits, self._judge)
        self._waiting: _Waiting = "first byte"
        self._afterwards: _Waiting = "request"
        self._since_ns = 0
        self._task: asyncio.Task[Answer] | None = None
        self._late = False
        self._unsent = memoryview(b"")
        self._writing_paused = self._reading_paused = False

    # ------------------------------------------------------------ who

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """The handshake is through."""
        self.transport = cast("asyncio.Transport", transport)
        certificate = transport.get_extra_info("peercert")
        self.peer = self._reader.peer = Peer.of(certificate) if certificate else None
        self._since_ns = self._timing.now_ns()
        self._host.arrived(self)

    def shown_chain(self) -> tuple[bytes, ...]:
        """The certificates the client showed, its own first, as DER."""
        found = None if self.transport is None else self.transport.get_extra_info("ssl_object")
        return shown_chain(found) if isinstance(found, ssl.SSLObject) else ()

    def _judge(self, method: str, path: str) -> Route | Answer:
        return self._answering.judge(self.peer, method, path)

    # ------------------------------------------------------------ what comes

    def get_buffer(self, sizehint: int) -> memoryview:  # noqa: ARG002 - asyncio's signature
        """Where the next bytes go."""
        return self._host.scratch

    def buffer_updated(self, nbytes: int) -> None:
        """Bytes came: read them, and answer what is whole."""
        if self._waiting in _OVER:
            return
        if self._waiting == "request":
            self._waiting = "head"
            self._since_ns = self._timing.now_ns()
        elif self._waiting == "first byte":
            self._waiting = "head"  # whose time runs since the handshake
        reader = self._reader
        reader.feed(self._host.scratch[:nbytes])
        if self._waiting == "head" and not reader.in_head:
            self._since_ns = self._timing.now_ns()
            self._wait_for_body()
        self._go_on()

    def _go_on(self) -> None:
        """Answer in order, as long as answers come at once and are taken."""
        arrived = self._reader.arrived
        while arrived and self._waiting in _FREE:
            self._answer(arrived.popleft())
        if self.transport is None or bool(arrived) is self._reading_paused:
            return
        self._reading_paused = not self._reading_paused
        if self._reading_paused:  # sent ahead: no more of them until these are answered
            self.transport.pause_reading()
        else:
            self.transport.resume_reading()

    # ------------------------------------------------------------ what is answered

    def _answer(self, arrived: Arrived) -> None:
        self._waiting = "reply"
        if not self._host.believes(self):
            self.abort()
            return
        what = arrived.what
        found = what if isinstance(what, Answer) else self._answering.answer(what)
        if isinstance(found, Answer):
            self._reply(found, arrived)
        else:
            self._await(found, arrived)

    def _await(self, coming: Coroutine[None, None, Answer], arrived: Arrived) -> None:
        self._late = False
        self._task = asyncio.get_running_loop().create_task(coming)
        self._host.tasks.add(self._task)
        self._task.add_done_callback(partial(self._ended, arrived))

    def _ended(self, arrived: Arrived, task: asyncio.Task[Answer]) -> None:
        self._task = None
        self._host.tasks.discard(task)
        if self.transport is None or (task.cancelled() and not self._late):
            self._answering.count_gone()
            self.abort()
            return
        if task.cancelled():
            self._reply(self._too_late(arrived.what), arrived)
        else:
            self._reply(task.result(), arrived)
        self._go_on()

    def _too_late(self, what: Call | Answer) -> Answer:
        route = what.route if isinstance(what, Answer) else what.route.path
        limit_s = self._limits.request_timeout_s
        return Answer(route, told(504, f"no answer within {limit_s:g} s"))

    def _reply(self, answer: Answer, arrived: Arrived) -> None:
        last = arrived.last or self._host.is_last(self)
        try:
            last = last or asks_to_leave(answer.reply)
            head = head_of(answer.reply, date=self._host.date, last=last)
        except Exception as error:  # noqa: BLE001 - whatever a handler returns must end with it
            answer = self._answering.spoilt(answer, error)
            head = head_of(answer.reply, date=self._host.date, last=last)
        begun_ns, self._since_ns = self._since_ns, self._timing.now_ns()
        if arrived.is_http:
            self._answering.count(answer, elapsed_s(begun_ns, self._since_ns))
        else:
            self._host.met_no_http()
        self._afterwards = "request"
        if last:
            self._afterwards = "nothing" if arrived.is_whole else "leaving"
        self._waiting = "sent"
        self._send(head, answer.reply.body if arrived.wants_body else b"")

    def _send(self, head: bytes, body: bytes) -> None:
        if len(body) <= _PIECE_BYTES:
            self._write(head + body)
        else:
            self._write(head)
            self._unsent = memoryview(body)
        self._push()

    def _push(self) -> None:
        """Send what is left, as fast as the client takes it; then wait for what comes next."""
        while self._unsent and not self._writing_paused:
            piece, self._unsent = self._unsent[:_PIECE_BYTES], self._unsent[_PIECE_BYTES:]
            self._write(piece)
        if self._unsent or self._writing_paused:
            return
        self._waiting = self._afterwards
        if self._waiting == "nothing":
            self.close()
        elif self._reader.in_body:
            self._wait_for_body()
        elif self._reader.in_head:
            self._waiting = "head"

    def _write(self, data: bytes | memoryview) -> None:
        if self.transport is not None:
            self.transport.write(data)

    def pause_writing(self) -> None:
        """The client takes less than it asks for."""
        self._writing_paused = True

    def resume_writing(self) -> None:
        """It has caught up."""
        self._writing_paused = False
        if self._waiting == "sent":
            self._since_ns = self._timing.now_ns()
            self._push()
            self._go_on()

    # ------------------------------------------------------------ how long

    def sweep(self, now_ns: int) -> Overdue | None:
        """End what takes too long; tells about what the client is to blame for."""
        if elapsed_s(self._since_ns, now_ns) <= _longest_s(self._limits)[self._waiting]:
            return None
        match self._waiting:
            case "first byte" | "head":
                self.abort()
                return "slow_head"
            case "sent":
                self.abort()
                return "slow_taker"
            case "body":
                self._refuse_slow_body()
            case "reply":
                self._cancel_late()
            case _:
                self.close()
        return None

    def _refuse_slow_body(self) -> None:
        limit_s = self._limits.body_timeout_s
        text = f"the body did not arrive within {limit_s:g} s"
        self._reader.give_up(Answer(self._reader.route, told(408, text)))
        self._go_on()

    def _cancel_late(self) -> None:
        if self._task is not None and not self._late:
            self._late = True
            self._task.cancel()

    def _wait_for_body(self) -> None:
        self._waiting = "body"
        if self._reader.awaits_go_on:
            self._write(GO_ON)

    # ------------------------------------------------------------ the end

    @property
    def is_busy(self) -> bool:
        """Whether it must not be closed: a client that has just connected is about to ask."""
        return self._waiting == "first byte" or self.has_request

    @property
    def has_request(self) -> bool:
        """Whether a request is coming, being answered or its reply being taken."""
        return self._waiting in _ASKED

    def close(self) -> None:
        """Say goodbye and end it."""
        self._waiting = "nothing"
        if self.transport is not None:
            self.transport.close()

    def abort(self) -> None:
        """Cut it now; a handler at work is cancelled once it is lost."""
        self._waiting = "nothing"
        if self.transport is not None:
            self.transport.abort()

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - asyncio's signature
        """Nobody is there any more."""
        self.transport = None
        self._waiting = "nothing"
        self._host.gone(self)
        if self._task is not None:
            self._task.cancel()


@lru_cache(maxsize=8)
def _longest_s(limits: LimitSettings) -> Mapping[_Waiting, float]:
    """How long each kind of waiting may take."""
    return {
        "first byte": limits.head_timeout_s,
        "request": limits.idle_timeout_s,
        "head": limits.head_timeout_s,
        "body": limits.body_timeout_s,
        "reply": limits.request_timeout_s,
        "sent": limits.send_timeout_s,
        "leaving": _LINGER_S,
        "nothing": inf,
    }
