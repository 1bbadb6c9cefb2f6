"""The chassis as one part of a service: all its ports, from the first accept to the last answer.

It starts with certificates that can be served or not at all, follows them, sweeps slow clients,
and drains when cancelled: not ready first, then closed, then empty. Every task it starts ends
inside `run`. This module must not know what the service is for.
"""

from __future__ import annotations

import asyncio
import secrets
from typing import TYPE_CHECKING, Final

from service_runtime.serve.answering import Answering
from service_runtime.serve.listener import Listener
from service_runtime.serve.meters import CertificateMeters, PortMeters
from service_runtime.serve.ports import ClientCertificates, Port
from service_runtime.serve.rotation import Rotation
from service_runtime.timing import elapsed_s

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from service_runtime.serve.access import Reviewer
    from service_runtime.serve.health import Health
    from service_runtime.serve.settings import DrainSettings, LimitSettings, TlsSettings
    from service_runtime.telemetry import Log
    from service_runtime.telemetry.metrics import Metrics
    from service_runtime.timing import Timing

__all__ = ["Serving"]

_SWEEP_S: Final = 0.25
"""How often slow clients are looked for: fine enough for limits in seconds, 4 wakes a second."""


def _draw_id() -> str:
    return secrets.token_hex(6)


class Serving:
    """Serves a port table until cancelled; ports drain in the table's order, observation last."""

    name = "serve"

    def __init__(
        self,
        ports: Sequence[Port],
        *,
        tls: TlsSettings,
        limits: LimitSettings,
        drain: DrainSettings,
        health: Health,
        timing: Timing,
        log: Log,
        metrics: Metrics,
        reviewer: Reviewer | None = None,
        draw_id: Callable[[], str] = _draw_id,
    ) -> None:
        self._ports = tuple(ports)
        self._tls = tls
        self._limits = limits
        self._drain_settings = drain
        self._health = health
        self._timing = timing
        self._log = log.component(self.name)
        self._port_meters = PortMeters(metrics, self._ports)
        self._certificate_meters = CertificateMeters(metrics)
        self._answering = [
            Answering(
                port,
                reviewer=reviewer,
                log=self._log,
                meters=self._port_meters,
                draw_id=draw_id,
            )
            for port in self._ports
        ]
        self._listeners: list[Listener] = []
        self.rotation: Rotation | None = None

    def port_of(self, name: str) -> int:
        """The number of a port that listens."""
        return next(one.number for one in self._listeners if one.port.name == name)

    async def run(self, ready: Callable[[], None]) -> None:
        """Serve until cancelled, then drain; a second cancellation cuts the drain short."""
        rotation = self.rotation = self._read_certificates()
        self._listeners = [
            self._listener(port, answering, rotation)
            for port, answering in zip(self._ports, self._answering, strict=True)
        ]
        try:
            for listener in self._listeners:
                listener.bind()
            await self._serve(rotation, ready)
        finally:
            # All of it first without waiting: yet another cancellation may come while we do.
            cut = sum(listener.cut() for listener in self._listeners)
            self._log.event("served_out", requests_cut=cut)
            for listener in self._listeners:
                await listener.join()

    async def _serve(self, rotation: Rotation, ready: Callable[[], None]) -> None:
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(rotation.follow())
            tasks.create_task(self._sweep())
            accepting = [tasks.create_task(one.serve()) for one in self._listeners]
            self._log.event("serving", ports={one.port.name: one.number for one in self._listeners})
            ready()
            try:
                await asyncio.get_running_loop().create_future()
            finally:
                await self._drain(accepting)

    async def _sweep(self) -> None:
        while True:
            await self._timing.sleep(_SWEEP_S)
            self._health.beat(_SWEEP_S)
            for listener in self._listeners:
                listener.sweep()

    async def _drain(self, accepting: Sequence[asyncio.Task[None]]) -> None:
        self._health.draining = True
        for listener in self._listeners:
            listener.retiring = True
        self._log.event("draining", notice_s=self._drain_settings.notice_s)
        await self._timing.sleep(self._drain_settings.notice_s)
        begun_ns = self._timing.now_ns()
        for listener, task in zip(self._listeners, accepting, strict=True):
            task.cancel()
            await asyncio.wait([task])
            listener.close()
            spent_s = elapsed_s(begun_ns, self._timing.now_ns())
            await listener.finish(self._drain_settings.finish_s - spent_s)

    def _read_certificates(self) -> Rotation:
        clients = any(
            port.client_certificates is ClientCertificates.REQUIRED for port in self._ports
        )
        return Rotation(
            self._tls,
            clients=clients,
            timing=self._timing,
            log=self._log,
            meters=self._certificate_meters,
        )

    def _listener(self, port: Port, answering: Answering, rotation: Rotation) -> Listener:
        return Listener(
            port,
            self._limits,
            answering,
            rotation,
            timing=self._timing,
            log=self._log,
            meters=self._port_meters,
        )
