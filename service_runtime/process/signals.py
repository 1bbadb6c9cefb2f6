"""The signals that end a service, as something that can be waited for.

Only SIGTERM, which Kubernetes sends, and SIGINT, which Ctrl-C sends, mean anything; which end they
mean is the runner's business. This module must put back the handlers it replaced.
"""

from __future__ import annotations

import asyncio
import signal
from contextlib import contextmanager
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["Signals", "system_signals"]

ENDING = (signal.SIGTERM, signal.SIGINT)
_MOST_WAITING = 8


class Signals(Protocol):
    """Where requests to end come from."""

    async def next(self) -> signal.Signals:
        """The next one, once it has come."""
        ...


class _SystemSignals:
    def __init__(self) -> None:
        self._waiting: asyncio.Queue[signal.Signals] = asyncio.Queue(_MOST_WAITING)

    async def next(self) -> signal.Signals:
        return await self._waiting.get()

    def came(self, one: signal.Signals) -> None:
        # The second already means "at once", so that nothing is lost by dropping a ninth.
        if not self._waiting.full():
            self._waiting.put_nowait(one)


@contextmanager
def system_signals() -> Iterator[Signals]:
    """This process's own signals, taken over from the running loop on until the block is left."""
    loop = asyncio.get_running_loop()
    signals = _SystemSignals()
    for one in ENDING:
        loop.add_signal_handler(one, signals.came, one)
    try:
        yield signals
    finally:
        for one in ENDING:
            loop.remove_signal_handler(one)
