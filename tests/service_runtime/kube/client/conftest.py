"""A TLS server whose one answer a test chooses: a real API server will not misbehave on demand."""

from __future__ import annotations

import ssl
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pytest
from aiohttp import web

from service_runtime.kube.client import ApiServer
from service_runtime.kube.settings import KubeSettings
from service_runtime.timing import SystemTiming
from tests.certificates import Authority
from tests.service_runtime.kube.kubeconfigs import write_kubeconfig

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable
    from pathlib import Path

EMPTY = b'{"metadata":{"resourceVersion":"1"},"items":[]}'


async def empty_list(_: web.Request) -> web.StreamResponse:
    """What a server of nothing answers."""
    return web.Response(body=EMPTY, content_type="application/json")


@dataclass(slots=True)
class Misbehaving:
    """The server: how it answers, and who asked."""

    folder: Path
    authority: Authority
    answer: Callable[[web.Request], Awaitable[web.StreamResponse]] = empty_list
    port: int = 0
    asked_by: list[str] = field(default_factory=list)

    def kubeconfig(self, user: dict[str, Any] | None = None, **cluster: object) -> Path:
        """A kubeconfig for it."""
        (self.folder / "ca.crt").write_bytes(self.authority.certificate)
        trusted = {"certificate-authority": str(self.folder / "ca.crt")}
        return write_kubeconfig(
            self.folder / "kubeconfig",
            f"https://127.0.0.1:{self.port}",
            user if user is not None else {"token": "one"},
            **(trusted | cluster),
        )

    @asynccontextmanager
    async def client(self, path: Path | None = None, **settings: Any) -> AsyncIterator[ApiServer]:  # noqa: ANN401 - any of KubeSettings' fields
        """The client, by that kubeconfig."""
        chosen = KubeSettings(kubeconfig=str(path or self.kubeconfig()), **settings)
        async with ApiServer(chosen, SystemTiming(), environment={}) as api:
            yield api

    @asynccontextmanager
    async def listening(self, serving: Authority, tls: ssl.TLSVersion) -> AsyncIterator[int]:
        """Serve with a certificate of `serving`, at most of this TLS version."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.maximum_version = tls
        context.load_cert_chain(*serving.issue("serving").write(self.folder, "serving"))
        context.load_verify_locations(cadata=self.authority.certificate.decode())
        context.verify_mode = ssl.CERT_OPTIONAL
        app = web.Application()
        app.router.add_route("*", "/{path:.*}", self._handle)
        runner = web.AppRunner(app, shutdown_timeout=0.1)
        await runner.setup()
        try:
            await web.TCPSite(runner, "127.0.0.1", 0, ssl_context=context).start()
            yield runner.addresses[0][1]
        finally:
            await runner.cleanup()

    async def _handle(self, request: web.Request) -> web.StreamResponse:
        certificate = request.transport and request.transport.get_extra_info("peercert")
        subject = certificate["subject"][-1][0][1] if certificate else ""
        self.asked_by.append(request.headers.get("Authorization", subject))
        return await self.answer(request)


@pytest.fixture
async def misbehaving(tmp_path: Path) -> AsyncIterator[Misbehaving]:
    """The server, over TLS 1.3."""
    one = Misbehaving(tmp_path, Authority("of-the-server"))
    async with AsyncExitStack() as stack:
        one.port = await stack.enter_async_context(
            one.listening(one.authority, ssl.TLSVersion.TLSv1_3)
        )
        yield one
