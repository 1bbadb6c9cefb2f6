"""A `Timing` that stands still until a test moves it, so that an hour of waiting takes no time.

Whoever sleeps on it is woken in the order of what they wait for, with the loop run to rest between
two wake-ups. It must not read the machine's clock.
"""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from gpu_fleet.clock import NS_PER_S

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["SteppedTiming", "settle"]

BEGAN = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
_ROUNDS = 50


async def settle() -> None:
    """Let every task run until all of them wait (or for as many rounds as any test needs)."""
    for _ in range(_ROUNDS):
        await asyncio.sleep(0)


class SteppedTiming:
    """Time that a test owns."""

    def __init__(self) -> None:
        self._now_ns = 0
        self._sleepers: list[tuple[int, asyncio.Future[None]]] = []

    def now_ns(self) -> int:
        """The time it was last moved to."""
        return self._now_ns

    def wall(self) -> datetime:
        """A date in 2026 and as much later as the time was moved."""
        return BEGAN + timedelta(microseconds=self._now_ns // 1000)

    async def sleep(self, seconds: float) -> None:
        """Wait until a test has moved the time by this much."""
        woken: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._sleepers.append((self._now_ns + round(seconds * NS_PER_S), woken))
        await woken

    async def pass_s(self, seconds: float) -> None:
        """Move the time, waking whoever is due on the way, and let everything settle."""
        await settle()
        until_ns = self._now_ns + round(seconds * NS_PER_S)
        while due := sorted(
            (at_ns for at_ns, woken in self._sleepers if at_ns <= until_ns and not woken.done())
        ):
            self._now_ns = max(self._now_ns, due[0])
            for at_ns, woken in self._sleepers:
                if at_ns <= self._now_ns and not woken.done():
                    woken.set_result(None)
            await settle()
        self._sleepers = [one for one in self._sleepers if not one[1].done()]
        self._now_ns = until_ns

    async def until(self, holds: Callable[[], bool], within_s: float = 3600.0) -> None:
        """Move the time second by second until something holds, at most so far."""
        for _ in range(round(within_s)):
            await settle()
            if holds():
                return
            await self.pass_s(1.0)
        raise AssertionError(f"it does not hold within {within_s:g} s")
