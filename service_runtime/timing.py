"""Time as a service's shell sees it: a clock that only goes forward, and a way to wait.

Everything here that waits is handed a `Timing`, so that a test decides when an hour has passed.
Intervals are measured on the monotonic clock alone; wall time is only for what other machines
read, and nothing may be decided by comparing wall times of two machines.
"""

from __future__ import annotations

import asyncio
import time
from datetime import UTC, datetime
from typing import Protocol

from gpu_fleet.clock import NS_PER_S

__all__ = ["SystemTiming", "Timing", "elapsed_s"]


class Timing(Protocol):
    """A `gpu_fleet.clock.Clock` that can also be waited on."""

    def now_ns(self) -> int:
        """Monotonic nanoseconds since a zero of its own; goes on while the machine runs."""
        ...

    def wall(self) -> datetime:
        """The date and time in UTC, which may be wrong and may step."""
        ...

    async def sleep(self, seconds: float) -> None:
        """Return once `seconds` have passed on this clock."""
        ...


class SystemTiming:
    """The machine's own clocks."""

    __slots__ = ()

    def now_ns(self) -> int:
        """`CLOCK_MONOTONIC`."""
        return time.monotonic_ns()

    def wall(self) -> datetime:
        """`CLOCK_REALTIME`."""
        return datetime.now(UTC)

    async def sleep(self, seconds: float) -> None:
        """The event loop's own sleep."""
        await asyncio.sleep(seconds)


def elapsed_s(since_ns: int, now_ns: int) -> float:
    """Seconds between two readings of one `Timing`."""
    return (now_ns - since_ns) / NS_PER_S
