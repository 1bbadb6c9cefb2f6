"""A running chassis for tests, with its certificates, and clients that talk to it byte by byte.

The clients are asyncio's streams over OpenSSL, so that a test decides what is sent and when.
Nothing here may know how the chassis does what it does.
"""

from __future__ import annotations

import asyncio
import os
import ssl
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

from service_runtime.serve import (
    DrainSettings,
    Health,
    LimitSettings,
    Reply,
    Request,
    Reviewer,
    Route,
    Serving,
    TlsSettings,
    decision,
    observation,
)
from service_runtime.telemetry import RecordedLog
from service_runtime.telemetry.metrics import Metrics
from service_runtime.timing import SystemTiming, Timing
from tests.certificates import Authority, Issued
from tests.service_runtime.stepped import SteppedTiming

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Sequence
    from pathlib import Path

    from service_runtime.serve.rotation import Rotation

__all__ = [
    "Chassis",
    "Client",
    "Gone",
    "Secret",
    "SteppedToday",
    "echo",
    "eventually",
    "served_anew",
]

LIMIT_S: Final = 20.0
NO_WAIT: Final = DrainSettings(notice_s=0, finish_s=5)


class Gone(Exception):
    """The server ended the connection instead of answering."""


class SteppedToday(SteppedTiming):
    """Stepped time on today's date, for certificates that are valid today."""

    def wall(self) -> datetime:
        """The real date, which nothing here waits for."""
        return datetime.now(UTC)


async def echo(request: Request) -> Reply:
    """Answers with what it was sent."""
    return Reply(200, request.body, "application/octet-stream")


# ---------------------------------------------------------------- certificates on disk


@dataclass(slots=True)
class Secret:
    """A folder as the kubelet mounts a secret: files are links through `..data`, swapped whole."""

    folder: Path
    _version: int = 0

    def write(self, issued: Issued, authorities: Sequence[Authority]) -> None:
        """Publish a new version by one rename."""
        bundle = b"".join(one.certificate for one in authorities)
        self.write_bytes(issued.certificate, issued.key, bundle)

    def write_bytes(self, certificate: bytes, key: bytes, authorities: bytes) -> None:
        """The same with any bytes."""
        self._version += 1
        version = self.folder / f"..{self._version}"
        version.mkdir(parents=True)
        names = {"tls.crt": certificate, "tls.key": key, "ca.crt": authorities}
        for name, content in names.items():
            (version / name).write_bytes(content)
            if not (self.folder / name).is_symlink():
                (self.folder / name).symlink_to(f"..data/{name}")
        draft = self.folder / "..data_tmp"
        draft.symlink_to(version.name)
        draft.rename(self.folder / "..data")

    @property
    def settings(self) -> TlsSettings:
        """Where a chassis finds them; it looks often."""
        return TlsSettings(
            certificate_file=str(self.folder / "tls.crt"),
            key_file=str(self.folder / "tls.key"),
            client_ca_file=str(self.folder / "ca.crt"),
            poll_interval_s=0.02,
        )


# ---------------------------------------------------------------- the chassis


@dataclass(slots=True)
class Chassis:
    """Both ports, started by `running` and ended by it too."""

    folder: Path
    routes: Sequence[Route] = (Route("POST", "/echo", echo), Route("GET", "/livez", echo))
    observed: Sequence[Route] = ()
    decision_port: int = 0
    common_names: frozenset[str] | None = None
    limits: LimitSettings = field(default_factory=LimitSettings)
    drain: DrainSettings = NO_WAIT
    timing: Timing = field(default_factory=SystemTiming)
    reviewer: Reviewer | None = None
    log: RecordedLog = field(default_factory=RecordedLog)
    metrics: Metrics = field(default_factory=Metrics)
    authority: Authority = field(default_factory=lambda: Authority("ours"))
    health: Health = field(init=False)
    serving: Serving = field(init=False)
    secret: Secret = field(init=False)
    task: asyncio.Task[None] = field(init=False)

    def __post_init__(self) -> None:
        self.health = Health(self.timing)
        self.secret = Secret(self.folder / "secret")
        (self.folder / "server-ca.crt").write_bytes(self.authority.certificate)
        self.secret.write(self.authority.issue("server"), [self.authority])

    def make(self) -> Serving:
        """The part itself, not yet running."""
        return Serving(
            [
                decision(
                    "127.0.0.1", self.decision_port, *self.routes, common_names=self.common_names
                ),
                observation("127.0.0.1", 0, *self.health.routes(), *self.observed),
            ],
            tls=self.secret.settings,
            limits=self.limits,
            drain=self.drain,
            health=self.health,
            timing=self.timing,
            log=self.log,
            metrics=self.metrics,
            reviewer=self.reviewer,
        )

    @asynccontextmanager
    async def running(self) -> AsyncIterator[Chassis]:
        """Started, and ended with all it began."""
        self.serving = self.make()
        ready = asyncio.Event()
        self.task = asyncio.create_task(self.serving.run(ready.set))
        waiting = asyncio.create_task(ready.wait())
        try:
            await asyncio.wait({self.task, waiting}, return_when=asyncio.FIRST_COMPLETED)
            if self.task.done():
                self.task.result()
            yield self
        finally:
            waiting.cancel()
            await self.end()

    async def end(self) -> None:
        """Cancel and wait; stepped time is moved on until it is over."""
        self.task.cancel()
        while not self.task.done():
            if isinstance(self.timing, SteppedTiming):
                await self.timing.pass_s(0.5)
            await asyncio.wait({self.task}, timeout=0.05)
        with suppress(asyncio.CancelledError):
            self.task.result()

    @property
    def rotation(self) -> Rotation:
        """What follows the certificate files."""
        assert self.serving.rotation is not None
        return self.serving.rotation

    @property
    def server_ca(self) -> Path:
        """What clients trust."""
        return self.folder / "server-ca.crt"

    def port(self, name: str = "decision") -> int:
        """The number of a port."""
        return self.serving.port_of(name)

    def client_context(self, issued: Issued | None = None) -> ssl.SSLContext:
        """A client of ours, with a certificate of its own unless another is given."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.load_verify_locations(self.server_ca)
        pair = (issued or self.authority.issue("client")).write(
            self.folder / "clients", os.urandom(6).hex()
        )
        context.load_cert_chain(*pair)
        return context

    @asynccontextmanager
    async def client(
        self, port: str = "decision", context: ssl.SSLContext | None = None
    ) -> AsyncIterator[Client]:
        """One connection."""
        reader, writer = await asyncio.open_connection(
            "127.0.0.1",
            self.port(port),
            ssl=context or self.client_context(),
            server_hostname="localhost",
        )
        try:
            yield Client(reader, writer)
        finally:
            writer.transport.abort()
            with suppress(OSError):
                await writer.wait_closed()

    async def ask(self, port: str, method: str, path: str, **headers: str) -> Answered:
        """One request on a connection of its own."""
        async with self.client(port) as client:
            return await client.ask(method, path, b"", **headers)


# ---------------------------------------------------------------- a client


@dataclass(frozen=True, slots=True)
class Answered:
    """A reply as it came."""

    status: int
    headers: dict[str, str]
    """Names in lower case."""
    body: bytes

    @property
    def text(self) -> str:
        """The body of a person's reply."""
        return self.body.decode()


@dataclass(frozen=True, slots=True)
class Client:
    """One connection, and what can be sent over it."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter

    async def ask(self, method: str, path: str, body: bytes = b"", **headers: str) -> Answered:
        """A well-behaved request and its answer, or `Gone`."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        if body:
            named["Content-Length"] = str(len(body))
        await self.send(head(method, path, named) + body)
        return await self.answer()

    async def send(self, data: bytes) -> None:
        """Any bytes."""
        try:
            self.writer.write(data)
            await self.writer.drain()
        except OSError as error:
            raise Gone from error

    async def answer(self) -> Answered:
        """The next reply, or `Gone` where none comes."""
        try:
            async with asyncio.timeout(LIMIT_S):
                top = await self.reader.readuntil(b"\r\n\r\n")
                first, *lines = top.decode().rstrip().split("\r\n")
                pairs = (line.split(": ", 1) for line in lines)
                fields = {name.lower(): value for name, value in pairs}
                body = await self.reader.readexactly(int(fields.get("content-length", "0")))
        except (OSError, asyncio.IncompleteReadError) as error:
            if isinstance(error, TimeoutError):
                raise
            raise Gone from error
        return Answered(int(first.split()[1]), fields, body)

    async def is_closed(self) -> bool:
        """Whether the server ends the connection, sending nothing more, before long."""
        try:
            async with asyncio.timeout(LIMIT_S):
                return await self.reader.read(1) == b""
        except ConnectionError:
            return True


def head(method: str, path: str, headers: dict[str, str]) -> bytes:
    """A request's head as bytes."""
    lines = [f"{method} {path} HTTP/1.1", "Host: localhost"]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    return ("\r\n".join(lines) + "\r\n\r\n").encode()


async def served_anew(chassis: Chassis, issued: Issued, believed: Sequence[Authority]) -> None:
    """Publish a certificate and these authorities, and wait until the chassis serves them."""
    before = chassis.rotation.current
    chassis.secret.write(issued, believed)
    await eventually(lambda: chassis.rotation.current is not before)


async def eventually(holds: Callable[[], bool], timing: Timing | None = None) -> None:
    """Wait for something in the same process, at most so long; stepped time is moved on."""
    async with asyncio.timeout(LIMIT_S):
        while not holds():
            if isinstance(timing, SteppedTiming):
                await timing.pass_s(0.25)
            await asyncio.sleep(0.002)
