"""Time as a service's shell sees it: a clock that only goes forward, and a way to wait.

Everything here that waits is handed a `Timing`, so that a test decides when an hour has passed.
Intervals are measured on a clock that no one sets and that counts the time a machine is suspended;
wall time is only for what other machines read, and nothing may be decided by comparing wall times
of two machines.
"""

from __future__ import annotations

import asyncio
import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

from gpu_fleet.clock import NS_PER_S

if TYPE_CHECKING:
    from collections.abc import Coroutine

__all__ = ["SystemTiming", "Timing", "elapsed_s", "within"]

_Answer = TypeVar("_Answer")


class Timing(Protocol):
    """A `gpu_fleet.clock.Clock` that can also be waited on."""

    def now_ns(self) -> int:
        """Nanoseconds since a zero of its own; never set, and goes on while the machine sleeps."""
        ...

    def wall(self) -> datetime:
        """The date and time in UTC, which may be wrong and may step."""
        ...

    async def sleep(self, seconds: float) -> None:
        """Return once `seconds` have passed; later, if the machine was suspended meanwhile."""
        ...


class SystemTiming:
    """The machine's own clocks."""

    __slots__ = ()

    def now_ns(self) -> int:
        """`CLOCK_BOOTTIME`: like `CLOCK_MONOTONIC`, but it goes on through a suspend.

        A leader that was suspended for a minute must find on waking that its lease is long over,
        and a view that it is a minute older. The monotonic clock would show both as fresh.
        """
        return time.clock_gettime_ns(time.CLOCK_BOOTTIME)

    def wall(self) -> datetime:
        """`CLOCK_REALTIME`."""
        return datetime.now(UTC)

    async def sleep(self, seconds: float) -> None:
        """The event loop's own sleep."""
        await asyncio.sleep(seconds)


def elapsed_s(since_ns: int, now_ns: int) -> float:
    """Seconds between two readings of one `Timing`."""
    return (now_ns - since_ns) / NS_PER_S


async def within(timing: Timing, limit_s: float, call: Coroutine[Any, Any, _Answer]) -> _Answer:
    """What `call` returns, or `TimeoutError` after `limit_s`, when it has been cancelled and ended.

    `asyncio.timeout` does the same by the event loop's clock; this one goes by the clock passed in.
    """
    task = asyncio.ensure_future(call)
    limit = asyncio.ensure_future(timing.sleep(limit_s))
    try:
        await asyncio.wait({task, limit}, return_when=asyncio.FIRST_COMPLETED)
        if task.done():
            return task.result()
    finally:
        task.cancel()
        limit.cancel()
        await asyncio.gather(task, limit, return_exceptions=True)
    raise TimeoutError(f"no end after {limit_s:g} s")
