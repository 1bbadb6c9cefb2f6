"""Who answers a request and what becomes of its answer: routes, access, errors, and their count.

This is the hot path: two dictionary look-ups and two metrics a request, no middleware, and no task
where the handler answers at once. A handler's failure ends here, with an id that the log has too.
This module must not know how connections come and go.
"""

from __future__ import annotations

import traceback
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final, NamedTuple, TypeAlias

from gpu_fleet.errors import InputError
from service_runtime.serve.access import Granted, Reviewer
from service_runtime.serve.exchange import Reply, Request, told
from service_runtime.serve.meters import NO_ROUTE
from service_runtime.serve.ports import Access, ClientCertificates, Port, Route

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Coroutine, Iterable

    from service_runtime.serve.meters import PortMeters
    from service_runtime.serve.peers import Peer
    from service_runtime.telemetry import Log

__all__ = ["Answer", "Answering", "Call", "Routes"]

_Count: TypeAlias = "tuple[Callable[[], None], Callable[[float], None]]"
"""Counts one more answer; observes how long it took."""

_NOT_FOUND: Final = told(404, "no such path here")


@dataclass(frozen=True, slots=True)
class Answer:
    """A reply, and the route that gave it, for the metrics."""

    route: str
    reply: Reply


class Call(NamedTuple):
    """A whole request, and who answers it."""

    route: Route
    request: Request


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
        *,
        reviewer: Reviewer | None,
        log: Log,
        meters: PortMeters,
        draw_id: Callable[[], str],
    ) -> None:
        reviewed = [route for route in port.routes if route.access is Access.REVIEWED]
        if reviewed and reviewer is None:
            raise ValueError(f"port {port.name}: a route is to be reviewed, but by whom?")
        for route in reviewed:
            if route.method != "GET":
                raise ValueError(
                    f"{route.method} {route.path}: a body would be read before its sender is "
                    "reviewed; only GET can be"
                )
        self._port = port
        self._reviewer = reviewer
        self._log = log
        self._meters = meters
        self._draw_id = draw_id
        self._routes = Routes(port.routes)
        self._counts: dict[tuple[str, int], _Count] = {}
        """By route and first digit of the status, so that a call looks up no labels."""

    def judge(self, peer: Peer | None, method: str, path: str) -> Route | Answer:
        """Who answers, or what is answered at once; a head is enough to say so."""
        if not self._lets_in(peer):
            name = None if peer is None else peer.common_name
            return Answer(NO_ROUTE, told(403, f"the common name {name} is not let in here"))
        return self._routes.of(method, path)

    def answer(self, call: Call) -> Answer | Coroutine[None, None, Answer]:
        """The answer, or what will bring it; neither raises anything but `CancelledError`."""
        route = call.route
        if route.access is Access.REVIEWED:
            return self._reviewed(route, call.request)
        return self._ask(route, call.request)

    def spoilt(self, answer: Answer, error: Exception) -> Answer:
        """What is said instead of a reply that cannot be written down."""
        return Answer(answer.route, self._failed(error, answer.route))

    def count(self, answer: Answer, taken_s: float) -> None:
        """Measure what was answered."""
        key = answer.route, answer.reply.status // 100
        found = self._counts.get(key) or self._begin_count(*key)
        found[0]()
        found[1](taken_s)

    def count_gone(self) -> None:
        """Measure a request whose client left before it was answered, or was cut."""
        self._meters.requests.add(port=self._port.name, route=NO_ROUTE, code="gone")

    def _begin_count(self, route: str, code: int) -> _Count:
        port = self._port.name
        made = self._counts[route, code] = (
            self._meters.requests.bound(port=port, route=route, code=f"{code}xx"),
            self._meters.seconds.bound(port=port, route=route),
        )
        return made

    def _lets_in(self, peer: Peer | None) -> bool:
        if self._port.client_certificates is ClientCertificates.NONE:
            return True
        allowed = self._port.common_names
        return peer is not None and (allowed is None or peer.common_name in allowed)

    async def _reviewed(self, route: Route, request: Request) -> Answer:
        if self._reviewer is None:  # which the constructor refuses
            return Answer(route.path, told(503, "nobody reviews tokens here"))
        authorization = request.headers.get("Authorization")
        try:
            decision = await self._reviewer.decide(authorization, request.path)
        except Exception as error:  # noqa: BLE001 - as with a handler
            return Answer(route.path, self._failed(error, route.path))
        if not isinstance(decision, Granted):
            return Answer(route.path, decision.reply)
        found = self._ask(route, replace(request, user=decision.user))
        return found if isinstance(found, Answer) else await found

    def _ask(self, route: Route, request: Request) -> Answer | Coroutine[None, None, Answer]:
        try:
            made = route.handler(request)
        except Exception as error:  # noqa: BLE001 - whatever a handler raises must end with it
            return Answer(route.path, self._failed(error, route.path))
        if isinstance(made, Reply):
            return Answer(route.path, made)
        return self._awaited(route, made)

    async def _awaited(self, route: Route, made: Awaitable[Reply]) -> Answer:
        try:
            return Answer(route.path, await made)
        except Exception as error:  # noqa: BLE001 - whatever a handler raises must end with it
            return Answer(route.path, self._failed(error, route.path))

    def _failed(self, error: Exception, route: str) -> Reply:
        if isinstance(error, InputError):
            return told(400, str(error))
        drawn = self._draw_id()
        self._log.error(
            "request_failed",
            id=drawn,
            port=self._port.name,
            route=route,
            error=error,
            trace="".join(traceback.format_exception(error)),
        )
        return told(500, f"this failed here; the log has it under id {drawn}")
