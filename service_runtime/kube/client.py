"""The real API server, over the official client's configuration, credentials and transport.

The official client finds the server, trusts it and says who we are; what it would do with an
answer (a full model of every object) is left out: bytes go to whoever asked. A changed certificate
or authority makes a new transport, and what is under way ends on the old one.
This module must not retry, decode objects or remember them.
"""

from __future__ import annotations

import asyncio
import os
import ssl
from contextlib import AsyncExitStack, aclosing, asynccontextmanager
from typing import TYPE_CHECKING, Final, Self

import aiohttp
from kubernetes.aio.client.rest import RESTClientObject
from yarl import URL

from gpu_fleet.errors import CertificateUnusable, InputError
from service_runtime.kube.credentials import read_credentials
from service_runtime.kube.refusals import Asked, decode_status, malformed, refused, unreachable
from service_runtime.timing import elapsed_s

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, AsyncIterator, Mapping
    from types import TracebackType

    from service_runtime.kube.api import Resource, Selection
    from service_runtime.kube.credentials import Credentials
    from service_runtime.kube.settings import KubeSettings
    from service_runtime.timing import Timing

__all__ = ["ApiServer"]

_JSON: Final = "application/json"
_APPLY: Final = "application/apply-patch+yaml"
"""JSON is YAML, and this is the type every supported server knows."""
_OK: Final = range(200, 300)
_UNAUTHORIZED: Final = 401
_BROKEN: Final = (aiohttp.ClientError, OSError, TimeoutError)
_EXCERPT_BYTES: Final = 65_536
"""A refusal's body is read no further: a Status is a few hundred bytes."""


class ApiServer:
    """A `KubeApi` that asks a real API server; enter it to open, leave it to close.

    Opening reads the credentials and raises `InputError` where that fails; it does not connect.
    """

    def __init__(
        self,
        settings: KubeSettings,
        timing: Timing,
        *,
        environment: Mapping[str, str] = os.environ,
        user_agent: str = "synthscale",
    ) -> None:
        self._settings = settings
        self._timing = timing
        self._environment = environment
        self._user_agent = user_agent
        self._credentials: Credentials | None = None
        self._read_at_ns: int | None = None
        self._reading = asyncio.Lock()
        self._transport: _Transport | None = None
        self._retired: list[_Transport] = []

    async def __aenter__(self) -> Self:
        await self._reread()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        current = [] if self._transport is None else [self._transport]
        self._transport = None
        for transport in (*self._retired, *current):
            await transport.close()
        self._retired.clear()

    async def list_page(
        self,
        resource: Resource,
        selection: Selection,
        *,
        limit: int,
        continue_token: str = "",
        resource_version: str = "",
    ) -> bytes:
        """One page, as the server wrote it."""
        query = _selected(selection) | {"limit": str(limit)}
        if continue_token:
            query["continue"] = continue_token
        elif resource_version:
            query["resourceVersion"] = resource_version
        asked = Asked("list", resource, namespace=selection.namespace)
        return await self._ask(asked, "GET", resource.path(selection.namespace), query)

    @asynccontextmanager
    async def watch(
        self,
        resource: Resource,
        selection: Selection,
        *,
        resource_version: str,
        timeout_s: int,
    ) -> AsyncIterator[AsyncIterator[bytes]]:
        """The lines of a watch; silence beyond `watch_idle_s` counts as a broken connection."""
        asked = Asked("watch", resource, namespace=selection.namespace)
        query = _selected(selection) | {
            "watch": "true",
            "allowWatchBookmarks": "true",
            "resourceVersion": resource_version,
            "timeoutSeconds": str(timeout_s),
        }
        timeout = aiohttp.ClientTimeout(
            total=None,
            connect=self._settings.connect_timeout_s,
            sock_read=self._settings.watch_idle_s,
        )
        path = resource.path(selection.namespace)
        async with (
            self._answer(asked, "GET", path, query, timeout=timeout) as response,
            aclosing(self._lines(asked, response)) as lines,
        ):
            yield lines

    async def get(self, resource: Resource, name: str, namespace: str | None = None) -> bytes:
        """One object, as the server wrote it."""
        asked = Asked("get", resource, name, namespace)
        return await self._ask(asked, "GET", resource.path(namespace, name))

    async def create(self, resource: Resource, body: bytes, namespace: str | None = None) -> bytes:
        """POST; reviews, which are asked and not stored, go this way too."""
        asked = Asked("create", resource, namespace=namespace)
        return await self._ask(asked, "POST", resource.path(namespace), body=body)

    async def replace(
        self, resource: Resource, name: str, body: bytes, namespace: str | None = None
    ) -> bytes:
        """PUT; the body's version is the one that must still be there."""
        asked = Asked("update", resource, name, namespace)
        return await self._ask(asked, "PUT", resource.path(namespace, name), body=body)

    async def apply(
        self,
        resource: Resource,
        name: str,
        body: bytes,
        *,
        manager: str,
        namespace: str | None = None,
        subresource: str | None = None,
        force: bool = False,
    ) -> bytes:
        """PATCH by server-side apply."""
        asked = Asked("patch", resource, name, namespace, subresource)
        query = {"fieldManager": manager, "force": "true" if force else "false"}
        path = resource.path(namespace, name, subresource)
        return await self._ask(asked, "PATCH", path, query, body=body, content_type=_APPLY)

    async def delete(self, resource: Resource, name: str, namespace: str | None = None) -> None:
        """DELETE; dependents go in the background, as is the server's default."""
        asked = Asked("delete", resource, name, namespace)
        await self._ask(asked, "DELETE", resource.path(namespace, name))

    async def _ask(
        self,
        asked: Asked,
        method: str,
        path: str,
        query: Mapping[str, str] | None = None,
        *,
        body: bytes | None = None,
        content_type: str = _JSON,
    ) -> bytes:
        timeout = aiohttp.ClientTimeout(
            total=self._settings.request_timeout_s, connect=self._settings.connect_timeout_s
        )
        async with self._answer(
            asked, method, path, query, timeout=timeout, body=body, content_type=content_type
        ) as response:
            return await self._whole(asked, response)

    @asynccontextmanager
    async def _answer(
        self,
        asked: Asked,
        method: str,
        path: str,
        query: Mapping[str, str] | None,
        *,
        timeout: aiohttp.ClientTimeout,  # noqa: ASYNC109 - aiohttp's own kind of timeout
        body: bytes | None = None,
        content_type: str = _JSON,
    ) -> AsyncIterator[aiohttp.ClientResponse]:
        """A successful answer, its body not read yet; anything else is raised.

        What the caller raises while reading is the caller's, so only our own awaits are guarded.
        """
        transport, headers = await self._ready(asked)
        if body is not None:
            headers["Content-Type"] = content_type
        exchange = transport.exchange(
            method, path, query or {}, headers=headers, body=body, timeout=timeout
        )
        async with AsyncExitStack() as stack:
            try:
                response = await stack.enter_async_context(exchange)
            except _BROKEN as error:
                raise unreachable(asked, _why(error)) from error
            if response.status not in _OK:
                raise await self._refusal(asked, response)
            yield response

    async def _refusal(self, asked: Asked, response: aiohttp.ClientResponse) -> Exception:
        if response.status == _UNAUTHORIZED:
            self._read_at_ns = None  # what we hold is not believed: read it again before asking
        try:
            body = await response.content.read(_EXCERPT_BYTES)
        except _BROKEN:
            body = b""
        after = response.headers.get("Retry-After", "")
        return refused(
            asked,
            response.status,
            decode_status(body),
            retry_after_s=float(after) if after.isdecimal() else None,
        )

    async def _whole(self, asked: Asked, response: aiohttp.ClientResponse) -> bytes:
        limit = self._settings.answer_limit_mib * 2**20
        body = bytearray()
        while chunk := await _chunk(asked, response):
            body += chunk
            if len(body) > limit:
                raise malformed(asked, f"it is longer than {limit} bytes (kube.answer_limit_mib)")
        return bytes(body)

    async def _lines(self, asked: Asked, response: aiohttp.ClientResponse) -> AsyncGenerator[bytes]:
        limit = self._settings.answer_limit_mib * 2**20
        rest = bytearray()
        while chunk := await _chunk(asked, response):
            first, *others = chunk.split(b"\n")
            rest += first
            for start in others:
                if rest:
                    yield bytes(rest)
                rest = bytearray(start)
            if len(rest) > limit:
                raise malformed(asked, f"a line exceeds {limit} bytes (kube.answer_limit_mib)")
        if rest:
            raise unreachable(asked, "the stream ended in the middle of an event")

    async def _ready(self, asked: Asked) -> tuple[_Transport, dict[str, str]]:
        """A transport and the headers to ask with, made of credentials that are fresh."""
        async with self._reading:
            if self._credentials is not None and self._stale(self._credentials):
                await self._renew()
        if self._transport is None or self._credentials is None:
            raise unreachable(asked, "this client is not open (use `async with`)")
        headers = {"Accept": _JSON, "User-Agent": self._user_agent, "Accept-Encoding": "identity"}
        return self._transport, headers | await self._credentials.headers()

    async def _renew(self) -> None:
        """Read the credentials again; those that cannot be read leave the old ones in use."""
        try:
            await self._reread()
        except (InputError, CertificateUnusable):
            self._read_at_ns = self._timing.now_ns()  # a 401 will tell when the old ones end

    def _stale(self, credentials: Credentials) -> bool:
        if self._read_at_ns is None:
            return True
        age_s = elapsed_s(self._read_at_ns, self._timing.now_ns())
        return age_s >= self._settings.credentials_reread_s and credentials.may_be_renewed(
            self._timing.wall()
        )

    async def _reread(self) -> None:
        """Read the credentials; where TLS changed, later requests go over a new transport."""
        fresh = await read_credentials(self._settings, self._environment)
        known = self._credentials
        if self._transport is None or known is None or known.fingerprint != fresh.fingerprint:
            transport = _Transport(fresh, self._settings)
            if self._transport is not None:
                self._retired.append(self._transport)
            self._transport = transport
        self._credentials = fresh
        self._read_at_ns = self._timing.now_ns()
        idle = [old for old in self._retired if not old.in_use]
        self._retired = [old for old in self._retired if old.in_use]
        for transport in idle:
            await transport.close()


class _Transport(RESTClientObject):
    """The official client's TLS context and connection pool, without its reading of bodies."""

    def __init__(self, credentials: Credentials, settings: KubeSettings) -> None:
        configuration = credentials.configuration
        configuration.connection_pool_maxsize = settings.connections
        try:
            super().__init__(configuration)
        except (OSError, ssl.SSLError) as error:
            raise CertificateUnusable(
                f"{credentials.source}: its certificate, key or authority cannot be used: {error}; "
                "check that the files are PEM and belong together"
            ) from error
        self.ssl_context.minimum_version = (
            ssl.TLSVersion.TLSv1_3 if settings.tls_minimum == "1.3" else ssl.TLSVersion.TLSv1_2
        )
        self._base = configuration.host.rstrip("/")
        self._server_name: str | None = configuration.tls_server_name
        self._requests = 0

    @property
    def in_use(self) -> bool:
        """Whether a request or a watch is still under way on it."""
        return self._requests > 0

    @asynccontextmanager
    async def exchange(
        self,
        method: str,
        path: str,
        query: Mapping[str, str],
        *,
        headers: Mapping[str, str],
        body: bytes | None,
        timeout: aiohttp.ClientTimeout,  # noqa: ASYNC109 - aiohttp's own kind of timeout
    ) -> AsyncIterator[aiohttp.ClientResponse]:
        """One request on the pool; the connection is given back on leaving."""
        if self.pool_manager is None:
            self.pool_manager = self._create_pool_manager()
        self._requests += 1
        try:
            async with self.pool_manager.request(
                method,
                URL(self._base + path).with_query(query),
                headers=headers,
                data=body,
                timeout=timeout,
                proxy=self.proxy,
                proxy_headers=self.proxy_headers,
                server_hostname=self._server_name,
                allow_redirects=False,
            ) as response:
                yield response
        finally:
            self._requests -= 1


async def _chunk(asked: Asked, response: aiohttp.ClientResponse) -> bytes:
    """What has come of a body, at least one byte; nothing at its end."""
    try:
        return await response.content.readany()
    except _BROKEN as error:
        raise unreachable(asked, _why(error)) from error


def _selected(selection: Selection) -> dict[str, str]:
    query = {
        "labelSelector": selection.label_selector,
        "fieldSelector": selection.field_selector,
    }
    return {key: value for key, value in query.items() if value}


def _why(error: BaseException) -> str:
    if isinstance(error, TimeoutError):
        return "it took too long"
    if type(error) is aiohttp.ClientConnectorError and error.os_error.errno is None:
        return "it broke off the TLS handshake (does it speak TLS of kube.tls_minimum?)"
    return f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
