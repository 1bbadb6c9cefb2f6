"""The chassis put together: makes the parts of a service out of its settings, and runs them.

It spares every service the same forty lines and makes sure that each part gets the same clock, log
and metrics. It is a convenience and no framework: it holds no loop and calls no handler, and a
service that needs a part made differently makes it by hand. Nothing here may decide anything.
"""

from __future__ import annotations

import random
from contextlib import asynccontextmanager
from functools import cached_property
from typing import TYPE_CHECKING, TypeVar

from service_runtime.kube.api import EVERYTHING
from service_runtime.kube.client import ApiServer
from service_runtime.kube.watching import Watch
from service_runtime.kube.wire import WithMetadata
from service_runtime.leadership import Elector, LeadershipMetrics, LeaseName, unique_identity
from service_runtime.process import Readiness, run_service
from service_runtime.serve import (
    Health,
    NotReady,
    Ready,
    Reviewer,
    Serving,
    decision,
    metrics_route,
    observation,
)
from service_runtime.telemetry.metrics import AtMost, Gauge
from service_runtime.telemetry.opened import open_telemetry
from service_runtime.timing import SystemTiming

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Sequence

    from service_runtime.kube.api import KubeApi, Resource, Selection
    from service_runtime.kube.view import Change
    from service_runtime.process import Ending, Part
    from service_runtime.serve import Route
    from service_runtime.serve.health import Check
    from service_runtime.settings.chassis import ChassisSettings
    from service_runtime.telemetry.opened import Telemetry
    from service_runtime.timing import Timing

__all__ = ["Chassis", "no_older_than", "open_chassis"]

T = TypeVar("T", bound=WithMetadata)

_MOST_VIEWS = 32
"""Resources a service watches; each is a value of a label."""


class Chassis:
    """One service's clock, log, metrics and API server, and the parts made of them."""

    def __init__(
        self,
        name: str,
        settings: ChassisSettings,
        *,
        telemetry: Telemetry,
        timing: Timing,
        api: KubeApi,
        draw: Callable[[], float],
    ) -> None:
        self.name = name
        self.log = telemetry.log
        self.metrics = telemetry.metrics
        self.timing = timing
        self.api = api
        self.draw = draw
        self._settings = settings
        self._telemetry = telemetry
        self._readiness = Readiness()

    def watch(
        self,
        resource: Resource,
        kind: type[T],
        *,
        selection: Selection = EVERYTHING,
        on_changes: Callable[[Sequence[Change[T]]], None] = lambda _: None,
    ) -> Watch[T]:
        """A view of these objects that is kept current; its age and size are measured."""
        made = Watch(
            self.api,
            resource,
            kind,
            settings=self._settings.kube,
            timing=self.timing,
            draw=self.draw,
            log=self.log.component(f"watch-{resource.plural}"),
            on_changes=on_changes,
            selection=selection,
        )
        age, objects, unreadable = self._views
        age.read(made.age_s, resource=resource.plural)
        objects.read(lambda: len(made.objects), resource=resource.plural)
        unreadable.read(lambda: len(made.unreadable), resource=resource.plural)
        return made

    def elector(self, lease: LeaseName) -> Elector:
        """Stands for this Lease in the name of this process."""
        return Elector(
            self.api,
            lease,
            unique_identity(),
            settings=self._settings.leadership,
            timing=self.timing,
            log=self.log.component("leadership"),
            metrics=self._elections,
            draw=self.draw,
        )

    def serving(
        self,
        decisions: Sequence[Route],
        *,
        observations: Sequence[Route] = (),
        checks: dict[str, Check] | None = None,
        common_names: frozenset[str] | None = None,
    ) -> Serving:
        """Both ports: `decisions` on the one, health, metrics and `observations` on the other.

        `common_names` are those of the clients that the decision port answers; None: any client
        whose certificate is good.
        """
        ports = self._settings.ports
        health = Health(self.timing, {"parts": self._readiness.check, **(checks or {})})
        watched = (*health.routes(), metrics_route(self.metrics), *observations)
        return Serving(
            [
                decision(ports.address, ports.decision, *decisions, common_names=common_names),
                observation(ports.address, ports.observation, *watched),
            ],
            tls=self._settings.tls,
            limits=self._settings.limits,
            drain=self._settings.drain,
            health=health,
            timing=self.timing,
            log=self.log,
            metrics=self.metrics,
            reviewer=Reviewer(
                self.api,
                self._settings.access,
                timing=self.timing,
                log=self.log.component("access"),
                metrics=self.metrics,
            ),
        )

    async def run(self, *parts: Part) -> Ending:
        """Run these parts in this order until the service is ended."""
        return await run_service(
            (self._telemetry.loop_lag, *parts),
            timing=self.timing,
            log=self.log,
            settings=self._settings.process,
            readiness=self._readiness,
        )

    @cached_property
    def _elections(self) -> LeadershipMetrics:
        return LeadershipMetrics(self.metrics)

    @cached_property
    def _views(self) -> tuple[Gauge, Gauge, Gauge]:
        resource = {"resource": AtMost(_MOST_VIEWS)}
        return (
            self.metrics.gauge(
                "synthscale_kube_view_age_seconds",
                "How long ago a view was last known to be current; infinite before the first list.",
                resource,
            ),
            self.metrics.gauge(
                "synthscale_kube_view_objects", "Objects that a view holds.", resource
            ),
            self.metrics.gauge(
                "synthscale_kube_view_unreadable_objects",
                "Objects whose newest state cannot be decoded.",
                resource,
            ),
        )


def no_older_than(limit_s: float, watch: Watch[T]) -> Check:
    """A check that a view was current not longer ago than this.

    The limit must exceed the API server's bookmark interval (a minute), within which a view of
    objects that never change grows old though all is well.
    """

    def check() -> Ready | NotReady:
        age_s = watch.age_s()
        if age_s <= limit_s:
            return Ready()
        return NotReady(f"last current {age_s:.0f} s ago, and {limit_s:g} s is the limit")

    return check


@asynccontextmanager
async def open_chassis(name: str, settings: ChassisSettings) -> AsyncIterator[Chassis]:
    """The chassis of this process: the machine's clock, stderr, and the API server of `kube`."""
    timing = SystemTiming()
    with open_telemetry(name, settings.log, timing) as telemetry:
        async with ApiServer(settings.kube, timing, user_agent=f"synthscale-{name}") as api:
            yield Chassis(
                name,
                settings,
                telemetry=telemetry,
                timing=timing,
                api=api,
                draw=random.SystemRandom().random,
            )
