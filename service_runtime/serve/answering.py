"""From a request's head to its reply: limits, routes, access and errors, in the cheapest order.

This is the hot path: one deadline, two dictionary look-ups and two metrics a request, no task
and no middleware. A handler's failure ends here, with an id that the log has too.
This module must not know how connections come and go.
"""

from __future__ import annotations

import asyncio
import traceback
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from aiohttp import web

from gpu_fleet.errors import InputError
from service_runtime.serve.access import Granted, Reviewer
from service_runtime.serve.exchange import Reply, Request, told
from service_runtime.serve.meters import NO_ROUTE
from service_runtime.serve.ports import Access, ClientCertificates, Port, Route

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from service_runtime.serve.peers import Peer
    from service_runtime.serve.settings import LimitSettings
    from service_runtime.telemetry import Log

__all__ = ["Answer", "Answering", "Routes"]

_NOT_FOUND: Final = told(404, "no such path here")
_NO_ENCODING: Final = told(415, "send the body without a Content-Encoding")


@dataclass(frozen=True, slots=True)
class Answer:
    """A reply, and the route that gave it, for the metrics."""

    route: str
    reply: Reply
    close: bool = False
    """Whether what follows on this connection could not be understood."""


class Routes:
    """Finds the route of a path: an exact one first, else the longest that ends in a slash."""

    def __init__(self, routes: Iterable[Route]) -> None:
        self._exact: dict[str, dict[str, Route]] = {}
        below: dict[str, dict[str, Route]] = {}
        for route in routes:
            table = below if route.path.endswith("/") else self._exact
            methods = table.setdefault(route.path, {})
            if route.method in methods:
                raise ValueError(f"{route.method} {route.path} stands in the table twice")
            methods[route.method] = route
        self._below = sorted(below.items(), key=lambda entry: -len(entry[0]))

    def of(self, method: str, path: str) -> Route | Answer:
        """The route, or what is answered where there is none."""
        methods = self._exact.get(path)
        if methods is None:
            methods = next((found for start, found in self._below if path.startswith(start)), None)
        if methods is None:
            return Answer(NO_ROUTE, _NOT_FOUND)
        route = methods.get("GET" if method == "HEAD" and "HEAD" not in methods else method)
        if route is not None:
            return route
        allowed = ", ".join(sorted(methods))
        path = next(iter(methods.values())).path
        return Answer(path, told(405, f"only {allowed} here", Allow=allowed))


class Answering:
    """Answers the requests of one port."""

    def __init__(
        self,
        port: Port,
        limits: LimitSettings,
        *,
        reviewer: Reviewer | None,
        log: Log,
        draw_id: Callable[[], str],
    ) -> None:
        if reviewer is None and any(route.access is Access.REVIEWED for route in port.routes):
            raise ValueError(f"port {port.name}: a route is to be reviewed, but by whom?")
        self._port = port
        self._limits = limits
        self._reviewer = reviewer
        self._log = log
        self._draw_id = draw_id
        self._routes = Routes(port.routes)

    async def answer(self, http: web.BaseRequest, peer: Peer | None) -> Answer:
        """The reply to a request whose head is here; raises nothing but `CancelledError`."""
        if not self._lets_in(peer):
            name = None if peer is None else peer.common_name
            return Answer(NO_ROUTE, told(403, f"the common name {name} is not let in here"))
        path = http.path
        route = self._routes.of(http.method, path)
        if isinstance(route, Answer):
            return route
        deadline = asyncio.timeout(self._limits.request_timeout_s)
        try:
            async with deadline:
                return await self._answer_in_time(http, route, path, peer)
        except Exception as error:  # noqa: BLE001 - whatever a handler raises must end with it
            if deadline.expired() and isinstance(error, TimeoutError):
                limit_s = self._limits.request_timeout_s
                return Answer(route.path, told(504, f"no answer within {limit_s:g} s"))
            return Answer(route.path, self._failed(error, route))

    def _lets_in(self, peer: Peer | None) -> bool:
        if self._port.client_certificates is ClientCertificates.NONE:
            return True
        allowed = self._port.common_names
        return peer is not None and (allowed is None or peer.common_name in allowed)

    async def _answer_in_time(
        self, http: web.BaseRequest, route: Route, path: str, peer: Peer | None
    ) -> Answer:
        user = None
        if route.access is Access.REVIEWED and self._reviewer is not None:
            decision = await self._reviewer.decide(http.headers.get("Authorization"), path)
            if not isinstance(decision, Granted):
                return Answer(route.path, decision.reply)
            user = decision.user
        body = await self._body(http) if http.body_exists else b""
        if isinstance(body, Reply):
            return Answer(route.path, body, close=True)
        request = Request(
            method=http.method,
            path=path,
            raw_path=http.raw_path,
            query=_query(http),
            headers=http.headers,
            body=body,
            peer=peer,
            user=user,
        )
        try:
            return Answer(route.path, await route.handler(request))
        except InputError as error:
            return Answer(route.path, told(400, str(error)))

    async def _body(self, http: web.BaseRequest) -> bytes | Reply:
        most = self._limits.body_max_bytes
        if (http.content_length or 0) > most:
            return _too_long(most)
        if http.headers.get("Content-Encoding", "identity") != "identity":
            return _NO_ENCODING
        if http.headers.get("Expect", "").lower() == "100-continue":
            await http.writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
            http.writer.output_size = 0
        if http.content.is_eof():  # the usual case: it came with the head
            body = http.content.read_nowait()
            return body if len(body) <= most else _too_long(most)
        return await self._body_in_time(http)

    async def _body_in_time(self, http: web.BaseRequest) -> bytes | Reply:
        most, limit_s = self._limits.body_max_bytes, self._limits.body_timeout_s
        parts: list[bytes] = []
        length = 0
        deadline = asyncio.timeout(limit_s)
        try:
            async with deadline:
                while part := await http.content.readany():
                    parts.append(part)
                    length += len(part)
                    if length > most:
                        return _too_long(most)
        except web.RequestPayloadError:
            return told(400, "the body is not as its headers say")
        except TimeoutError:
            if not deadline.expired():
                raise
            return told(408, f"the body did not arrive within {limit_s:g} s")
        return b"".join(parts)

    def _failed(self, error: Exception, route: Route) -> Reply:
        drawn = self._draw_id()
        self._log.error(
            "request_failed",
            id=drawn,
            port=self._port.name,
            route=route.path,
            error=error,
            trace="".join(traceback.format_exception(error)),
        )
        return told(500, f"this failed here; the log has it under id {drawn}")


def _too_long(most_bytes: int) -> Reply:
    return told(413, f"the body is longer than {most_bytes} bytes")


def _query(http: web.BaseRequest) -> Mapping[str, str]:
    if not http.query_string:
        return {}
    return {name: http.query.getall(name)[-1] for name in http.query}
