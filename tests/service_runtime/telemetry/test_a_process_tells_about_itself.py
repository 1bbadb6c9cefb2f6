"""Every process tells what it is, what it uses and how late its event loop runs."""

from __future__ import annotations

import asyncio

import pytest

from service_runtime.telemetry.metrics import Metrics
from service_runtime.telemetry.own import LoopLag, declare_process
from tests.service_runtime.stepped import SteppedTiming, settle


class LateTiming(SteppedTiming):
    """A clock of a loop that wakes everybody a quarter of a second late."""

    async def sleep(self, seconds: float) -> None:
        """As asked, and a little more."""
        await super().sleep(seconds + 0.25)


def test_the_usual_process_metrics_are_there() -> None:
    """Memory, CPU and the build stand under the names that every dashboard knows."""
    metrics = Metrics()
    declare_process(metrics, "extender")
    text = metrics.exposition()[0].decode()

    assert "process_resident_memory_bytes" in text
    assert "process_cpu_seconds_total" in text
    assert "synthscale_build_info{" in text
    assert 'service="extender"' in text


async def test_a_late_loop_is_measured() -> None:
    """A wake-up a quarter of a second late counts as that, and what is due by time is done."""
    metrics, timing, ticks = Metrics(), LateTiming(), 0

    def tick() -> None:
        nonlocal ticks
        ticks += 1

    lag = LoopLag(metrics, timing, tick=tick)
    task = asyncio.create_task(lag.run(lambda: None))
    await timing.pass_s(2.6)
    task.cancel()
    await settle()

    assert task.cancelled()
    assert ticks == 2
    assert metrics.value("synthscale_event_loop_lag_seconds_sum") == pytest.approx(0.5)
