"""Whether the process lives and whether it should be sent work, as a cluster asks.

Alive means that the event loop turns; ready means that every named check says so and that no drain
has begun. Both are open to anybody, so a reason must hold nothing secret. Nothing here may do I/O:
a check reads what a part already knows.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, TypeAlias

from service_runtime.serve.exchange import Reply, Request
from service_runtime.serve.ports import Access, Route
from service_runtime.timing import elapsed_s

if TYPE_CHECKING:
    from service_runtime.telemetry.metrics import Metrics
    from service_runtime.timing import Timing

__all__ = ["Check", "Health", "NotReady", "Ready", "metrics_route"]

_NO_CHECKS: Mapping[str, Check] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Ready:
    """Send work."""


@dataclass(frozen=True, slots=True)
class NotReady:
    """Send none, for this reason."""

    reason: str


Check: TypeAlias = Callable[[], Ready | NotReady]


class Health:
    """Answers `/livez` and `/readyz`; a chassis beats for it and tells it when it drains."""

    def __init__(
        self,
        timing: Timing,
        checks: Mapping[str, Check] = _NO_CHECKS,
        *,
        late_max_s: float = 10.0,
    ) -> None:
        self._timing = timing
        self._checks = dict(checks)
        self._late_max_s = late_max_s
        self._beaten_at_ns: int | None = None
        self._late_s = 0.0
        self.draining = False

    def beat(self, interval_s: float) -> None:
        """The loop turned; it was asked to do so `interval_s` after the last time."""
        now_ns = self._timing.now_ns()
        if self._beaten_at_ns is not None:
            self._late_s = elapsed_s(self._beaten_at_ns, now_ns) - interval_s
        self._beaten_at_ns = now_ns

    def alive(self) -> Ready | NotReady:
        """Whether the event loop wakes its tasks about when they asked for."""
        since = self._beaten_at_ns
        silent_s = 0.0 if since is None else elapsed_s(since, self._timing.now_ns())
        late_s = max(self._late_s, silent_s)
        if late_s <= self._late_max_s:
            return Ready()
        return NotReady(f"the event loop ran {late_s:.1f} s late")

    def ready(self) -> dict[str, Ready | NotReady]:
        """Every check by its name, the drain among them."""
        drain = NotReady("draining") if self.draining else Ready()
        return {"drain": drain} | {name: _asked(check) for name, check in self._checks.items()}

    def routes(self) -> tuple[Route, ...]:
        """For the observation port."""
        return (
            Route("GET", "/livez", self._answer_livez),
            Route("GET", "/readyz", self._answer_readyz),
        )

    def _answer_livez(self, request: Request) -> Reply:
        return _listing({"loop": self.alive()}, verbose="verbose" in request.query)

    def _answer_readyz(self, request: Request) -> Reply:
        return _listing(self.ready(), verbose="verbose" in request.query)


def metrics_route(metrics: Metrics) -> Route:
    """`/metrics`, for whoever the API server lets read that path."""

    async def answer(request: Request) -> Reply:
        accept = request.headers.get("Accept", "")
        # Thousands of series take tens of milliseconds, in which a decision must not wait.
        body, content_type = await asyncio.to_thread(metrics.exposition, accept)
        return Reply(200, body, content_type)

    return Route("GET", "/metrics", answer, Access.REVIEWED)


def _asked(check: Check) -> Ready | NotReady:
    try:
        return check()
    except Exception as error:  # noqa: BLE001 - a check that fails is a check that is not passed
        return NotReady(f"the check itself failed ({type(error).__name__})")


def _listing(outcomes: Mapping[str, Ready | NotReady], *, verbose: bool) -> Reply:
    """As kube-apiserver's own health endpoints write it."""
    failed = [one for one in outcomes.values() if isinstance(one, NotReady)]
    status = 503 if failed else 200
    if not verbose and not failed:
        return Reply(status, b"ok\n")
    lines = [
        f"[-]{name} failed: {one.reason}" if isinstance(one, NotReady) else f"[+]{name} ok"
        for name, one in outcomes.items()
    ]
    lines.append("check failed" if failed else "check passed")
    return Reply(status, "".join(f"{line}\n" for line in lines).encode())
