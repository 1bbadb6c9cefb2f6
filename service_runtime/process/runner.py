"""Runs the parts of a service: each once the one before is ready, ended in the reverse order.

Whatever ends one part ends the service, by name and with its cause; nothing that a part raised is
lost, and no task is left unless it refuses to end and its limit has passed. This module must not
know what a part is for, and must not end the process: it returns the exit code.
"""

from __future__ import annotations

import asyncio
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from service_runtime.process import endings
from service_runtime.process.readiness import Readiness
from service_runtime.process.settings import ProcessSettings
from service_runtime.process.signals import system_signals
from service_runtime.timing import elapsed_s

if TYPE_CHECKING:
    import signal
    from collections.abc import Iterator, Sequence

    from service_runtime.process.endings import Ending
    from service_runtime.process.part import Part
    from service_runtime.process.signals import Signals
    from service_runtime.telemetry import Log
    from service_runtime.timing import Timing

__all__ = ["run_service"]


async def run_service(
    parts: Sequence[Part],
    *,
    timing: Timing,
    log: Log,
    settings: ProcessSettings | None = None,
    readiness: Readiness | None = None,
    signals: Signals | None = None,
) -> Ending:
    """Run until a signal comes or a part ends by itself, then end every part; says how it ended.

    `signals` defaults to this process's own SIGTERM and SIGINT; `endings` has the exit codes.
    """
    with ExitStack() as opened:
        opened.enter_context(_loop_tells(log))
        run = _Run(
            timing=timing,
            log=log.component("process"),
            settings=settings or ProcessSettings(),
            readiness=readiness or Readiness(),
            signals=signals or opened.enter_context(system_signals()),
        )
        return await run.whole(parts)


@dataclass(slots=True)
class _Running:
    part: Part
    task: asyncio.Task[None]


class _Run:
    """One life of a service."""

    def __init__(
        self,
        *,
        timing: Timing,
        log: Log,
        settings: ProcessSettings,
        readiness: Readiness,
        signals: Signals,
    ) -> None:
        self._timing = timing
        self._log = log
        self._settings = settings
        self._readiness = readiness
        self._signals = signals
        self._asked = asyncio.ensure_future(signals.next())
        self._signalled = 0
        self._running: list[_Running] = []

    async def whole(self, parts: Sequence[Part]) -> Ending:
        try:
            ending = await self._start(parts) or await self._until_something_ends()
            return await self._stop(ending)
        finally:
            # Here with parts still running only if we were cancelled ourselves.
            await self._end_at_once()
            await _dismiss(self._asked)

    async def _start(self, parts: Sequence[Part]) -> Ending | None:
        began_ns = self._timing.now_ns()
        for part in parts:
            self._readiness.expect(part.name)
        for part in parts:
            ending = await self._start_one(part)
            if ending is not None:
                return ending
        self._log.event("service_ready", after_s=self._since(began_ns))
        return None

    async def _start_one(self, part: Part) -> Ending | None:
        began_ns = self._timing.now_ns()
        ready: asyncio.Future[None] = asyncio.get_running_loop().create_future()

        def call() -> None:
            if not ready.done():
                ready.set_result(None)

        self._running.append(
            _Running(part, asyncio.create_task(part.run(call), name=f"part {part.name}"))
        )
        limit_s = self._settings.start_limit_s
        await self._first(limit_s, ready, *self._tasks())
        ending = self._ending()
        if ending is not None:
            return ending
        if not ready.done():
            return endings.not_ready(part.name, limit_s)
        self._readiness.ready(part.name)
        self._log.event("part_ready", part=part.name, after_s=self._since(began_ns))
        return None

    async def _until_something_ends(self) -> Ending:
        while True:
            ending = self._ending()
            if ending is not None:
                return ending
            await self._first(None, *self._tasks())

    def _ending(self) -> Ending | None:
        """Why the service must end now, if it must; a request to end comes before a failure."""
        if self._asked.done():
            return endings.by_signal(self._next_signal())
        for one in self._running:
            if one.task.done():
                return endings.failed(one.part.name, _raised(one.task))
        return None

    async def _stop(self, ending: Ending) -> Ending:
        self._readiness.ending()
        self._tell(ending)
        began_ns = self._timing.now_ns()
        while self._running:
            one = self._running[-1]
            one.task.cancel()
            again = await self._ended(one.task)
            if again is not None:
                return await self._stop_hard(again)
            self._running.pop()
            worse = self._judge(one, self._settings.stop_limit_s, ending)
            ending = ending if worse is None else endings.after(ending, worse)
        self._log.event("service_ended", code=ending.code, after_s=self._since(began_ns))
        return ending

    async def _ended(self, task: asyncio.Task[None]) -> Ending | None:
        """Wait for a part's end or its limit; a second signal before that is another ending."""
        limit = asyncio.ensure_future(self._timing.sleep(self._settings.stop_limit_s))
        try:
            while True:
                await self._first(None, limit, task)
                if task.done() or limit.done():
                    return None
                came = self._next_signal()
                if self._signalled > 1:
                    return endings.by_second(came)
        finally:
            await _dismiss(limit)

    async def _stop_hard(self, ending: Ending) -> Ending:
        self._log.warn("service_cut_short", reason=ending.reason)
        left, self._running = self._running, []
        for one in left:
            one.task.cancel()
        await self._all(self._settings.hard_stop_limit_s, [one.task for one in left])
        for one in reversed(left):
            self._judge(one, self._settings.hard_stop_limit_s, ending)
        return ending

    def _judge(self, one: _Running, limit_s: float, ending: Ending) -> Ending | None:
        """What a part's own end adds to the story; each failure is told exactly once."""
        if not one.task.done():
            worse = endings.stuck(one.part.name, limit_s)
        elif (cause := _raised(one.task)) is None or cause is ending.cause:
            return None
        else:
            worse = endings.failed(one.part.name, cause)
        self._tell(worse)
        return worse

    def _tell(self, ending: Ending) -> None:
        if not ending.part:
            self._log.event("service_ending", reason=ending.reason)
        elif ending.cause is None:
            self._log.error("part_failed", part=ending.part, reason=ending.reason)
        else:
            self._log.error(
                "part_failed", part=ending.part, reason=ending.reason, cause=ending.cause
            )

    def _next_signal(self) -> signal.Signals:
        came = self._asked.result()
        self._signalled += 1
        self._asked = asyncio.ensure_future(self._signals.next())
        return came

    async def _first(self, limit_s: float | None, *others: asyncio.Future[Any]) -> None:
        """Return when a signal came, one of `others` is done or time is up."""
        awaited = {self._asked, *others}
        limit = None if limit_s is None else asyncio.ensure_future(self._timing.sleep(limit_s))
        try:
            await asyncio.wait(
                awaited if limit is None else {*awaited, limit},
                return_when=asyncio.FIRST_COMPLETED,
            )
        finally:
            await _dismiss(limit)

    async def _all(self, limit_s: float, tasks: Sequence[asyncio.Task[None]]) -> None:
        limit = asyncio.ensure_future(self._timing.sleep(limit_s))
        try:
            while not limit.done() and (left := [one for one in tasks if not one.done()]):
                await asyncio.wait({limit, *left}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            await _dismiss(limit)

    async def _end_at_once(self) -> None:
        left, self._running = self._running, []
        for one in left:
            one.task.cancel()
        await self._all(self._settings.hard_stop_limit_s, [one.task for one in left])

    def _tasks(self) -> list[asyncio.Task[None]]:
        return [one.task for one in self._running]

    def _since(self, began_ns: int) -> float:
        return round(elapsed_s(began_ns, self._timing.now_ns()), 3)


def _raised(task: asyncio.Task[None]) -> BaseException | None:
    return None if task.cancelled() else task.exception()


async def _dismiss(task: asyncio.Future[Any] | None) -> None:
    if task is not None:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


@contextmanager
def _loop_tells(log: Log) -> Iterator[None]:
    """What nobody awaits must not vanish: the loop tells it as an event."""
    loop = asyncio.get_running_loop()
    before = loop.get_exception_handler()

    def tell(_: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        log.component("event-loop").error(
            "loop_complained", message=context.get("message"), cause=context.get("exception")
        )

    loop.set_exception_handler(tell)
    try:
        yield
    finally:
        loop.set_exception_handler(before)
