"""Decisions taken apart once their answers have gone, and told to whoever asks.

A scheduler's next call goes first: records are made in the quiet between calls, and when calls do
not stop, one at a time so that the queue of drafts stays short. `GET /explain/{pod uid}` reads what
is in memory. This module must not be on the path of an answer.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final

from scheduler_extender.wire import encode_record
from service_runtime.serve import Access, Reply, Request, Route
from service_runtime.serve.exchange import told

if TYPE_CHECKING:
    from collections.abc import Callable

    from scheduler_extender.calls import Reply as Answered
    from scheduler_extender.explain import DecisionRecord
    from scheduler_extender.extender import Extender
    from service_runtime.timing import Timing

__all__ = ["PATH", "Explaining"]

PATH: Final = "/explain/"
_MOST_WAITING: Final = 64
"""Beyond it the quiet is not waited for: the extender keeps 256."""
_NS_PER_MS: Final = 1_000_000
_HURRY_NS: Final = 100 * _NS_PER_MS


class Explaining:
    """A part that makes records; `on_record` gets each one."""

    name = "explaining"

    def __init__(
        self,
        extender: Extender,
        timing: Timing,
        *,
        idle_ms: float,
        on_record: Callable[[DecisionRecord], None],
    ) -> None:
        self._extender = extender
        self._timing = timing
        self._idle_ns = round(idle_ms * _NS_PER_MS)
        self._on_record = on_record
        self._called_ns = timing.now_ns()
        self._work = asyncio.Event()

    def in_a_hurry(self) -> bool:
        """Whether a scheduler has pods in line: a call came less than a tenth of a second ago."""
        return self._timing.now_ns() - self._called_ns < _HURRY_NS

    def called(self, answered: Answered) -> None:
        """A call was answered: what is known already is told now, the rest later."""
        self._called_ns = self._timing.now_ns()
        record = self._extender.records.of(answered.uid)
        if record is not None and record.refused:
            self._on_record(record)
        if self._extender.unexplained:
            self._work.set()

    async def run(self, ready: Callable[[], None]) -> None:
        """Explain what was decided, until cancelled."""
        ready()
        while True:
            await self._work.wait()
            self._work.clear()
            while self._extender.unexplained:
                await self._quiet()
                record = self._extender.explain_next()
                if record is not None:
                    self._on_record(record)

    async def _quiet(self) -> None:
        """Return when no call came for a while, or too much waits."""
        await asyncio.sleep(0)
        while self._extender.unexplained < _MOST_WAITING:
            rest_ns = self._called_ns + self._idle_ns - self._timing.now_ns()
            if rest_ns <= 0:
                return
            await self._timing.sleep(rest_ns / 1_000_000_000)

    def route(self) -> Route:
        """`GET /explain/{uid}`, for whoever the API server lets read that path."""

        def answer(request: Request) -> Reply:
            uid = request.path.removeprefix(PATH)
            record = self._extender.records.of(uid)
            if record is None:
                return told(
                    404, "nothing is kept about this pod; see its events, or ask the leader"
                )
            return Reply(200, encode_record(record), "application/json")

        return Route("GET", PATH, answer, Access.REVIEWED)
