"""What every process tells about itself: who it is, what it uses, how late its event loop runs.

The standard process metrics come from the Prometheus client under their usual names, so that the
dashboards everybody has work for ours too. Nothing here may know what the process is for.
"""

from __future__ import annotations

import platform
from importlib.metadata import version
from typing import TYPE_CHECKING

from prometheus_client import GCCollector, ProcessCollector

from gpu_fleet.clock import NS_PER_S
from service_runtime.timing import elapsed_s

if TYPE_CHECKING:
    from collections.abc import Callable

    from service_runtime.telemetry.metrics import Metrics
    from service_runtime.timing import Timing

__all__ = ["LoopLag", "declare_process"]

_LAG_BUCKETS_S = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 5)


def declare_process(metrics: Metrics, service: str) -> None:
    """CPU, memory, open files and collections of this process, and which build it runs."""
    metrics.collect_from(
        lambda registry: ProcessCollector(registry=registry),
        lambda registry: GCCollector(registry=registry),
    )
    build = metrics.gauge(
        "synthscale_build_info",
        "Which service, of which version and on which Python, runs here; always 1.",
        {"service": (service,), "version": (_version(),), "python": (platform.python_version(),)},
    )
    build.set(1, service=service, version=_version(), python=platform.python_version())


def _version() -> str:
    return version("synthscale")


class LoopLag:
    """A part that asks to be woken every so often, and measures how much later it is.

    A loop that runs late answers late, whatever the code of the answer takes.
    """

    name = "loop-lag"

    def __init__(
        self,
        metrics: Metrics,
        timing: Timing,
        *,
        interval_s: float = 1.0,
        tick: Callable[[], None] = lambda: None,
    ) -> None:
        self._lag = metrics.histogram(
            "synthscale_event_loop_lag_seconds",
            "How much later than asked the event loop woke a task.",
            buckets=_LAG_BUCKETS_S,
        )
        self._timing = timing
        self._interval_s = interval_s
        self._tick = tick

    async def run(self, ready: Callable[[], None]) -> None:
        """Measure until cancelled; `tick` is called at each wake-up, for what is due by time."""
        ready()
        while True:
            due_ns = self._timing.now_ns() + round(self._interval_s * NS_PER_S)
            await self._timing.sleep(self._interval_s)
            self._lag.observe(max(0.0, elapsed_s(due_ns, self._timing.now_ns())))
            self._tick()
