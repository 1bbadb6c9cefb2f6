"""Parts that end in every way a part can end, and signals that a test sends.

They write down what happens to them, in one list, so that an order can be read. They must not wait
in real time.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import signal
    from collections.abc import Callable

__all__ = ["Scripted", "SentSignals"]


class SentSignals:
    """Signals that come when a test says so."""

    def __init__(self) -> None:
        self._sent: asyncio.Queue[signal.Signals] = asyncio.Queue()

    def send(self, one: signal.Signals) -> None:
        """This one comes now."""
        self._sent.put_nowait(one)

    async def next(self) -> signal.Signals:
        """As the runner asks."""
        return await self._sent.get()


class Scripted:
    """A part that writes `NAME VERB` for what it does."""

    def __init__(
        self,
        name: str,
        story: list[str],
        *,
        becomes_ready: bool = True,
        raises: BaseException | None = None,
        raises_at_end: BaseException | None = None,
        drains: bool = True,
        stubborn: bool = False,
    ) -> None:
        self.name = name
        self.over = asyncio.Event()
        self.drained = asyncio.Event()
        if drains:
            self.drained.set()
        self._story = story
        self._becomes_ready = becomes_ready
        self._raises = raises
        self._raises_at_end = raises_at_end
        self._stubborn = stubborn

    async def run(self, ready: Callable[[], None]) -> None:
        """Start, serve until told that it is over or cancelled, end as scripted."""
        self._story.append(f"{self.name} starts")
        if self._becomes_ready:
            ready()
        try:
            await self.over.wait()
        except asyncio.CancelledError:
            await self._drain()
            if self._raises_at_end is not None:
                raise self._raises_at_end from None
            raise
        finally:
            self._story.append(f"{self.name} ended")
        if self._raises is not None:
            raise self._raises

    async def _drain(self) -> None:
        self._story.append(f"{self.name} drains")
        while not self.drained.is_set():
            try:
                await self.drained.wait()
            except asyncio.CancelledError:
                if not self._stubborn:
                    raise
