"""The extender's decisions behind the chassis, over a fleet in memory: what the Go client asks.

The handlers, the listener and the core are the shipped ones. What a cluster would do is done after
each answer: the pod appears bound to the best node and the oldest one leaves. The process counts
what it spends on what, in processor time, since wall time on a busy machine tells of others.

    python -m tests.bench_extender.host --nodes 500 --certificates FOLDER
"""

# ruff: noqa: T201 - the parent reads what it prints

from __future__ import annotations

import argparse
import asyncio
import gc
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from scheduler_extender.answers import PrioritizeAnswer
from scheduler_extender.service.answering import Answering
from service_runtime.serve import (
    DrainSettings,
    Health,
    LimitSettings,
    Reply,
    Request,
    Route,
    Serving,
    TlsSettings,
    decision,
)
from service_runtime.telemetry import RecordedLog
from service_runtime.telemetry.metrics import Metrics
from service_runtime.timing import SystemTiming
from tests.bench.extender_core import Bench

if TYPE_CHECKING:
    from scheduler_extender.answers import Entry
    from scheduler_extender.calls import Calls
    from scheduler_extender.calls import Reply as Answered

__all__ = ["Host", "serve", "tls"]


class Timed:
    """`Calls`, and how much processor time they took."""

    def __init__(self, calls: Calls) -> None:
        self._calls = calls
        self.spent_ns = 0

    def filter(self, entry: Entry, body: bytes, now_ns: int) -> Answered:
        """As of `Calls`."""
        begun_ns = time.thread_time_ns()
        try:
            return self._calls.filter(entry, body, now_ns)
        finally:
            self.spent_ns += time.thread_time_ns() - begun_ns

    def prioritize(self, entry: Entry, body: bytes, now_ns: int) -> Answered:
        """As of `Calls`."""
        begun_ns = time.thread_time_ns()
        try:
            return self._calls.prioritize(entry, body, now_ns)
        finally:
            self.spent_ns += time.thread_time_ns() - begun_ns


class Host:
    """A fleet that answers, and that binds what was prioritized."""

    def __init__(self, nodes: int) -> None:
        self.bench = Bench(nodes)
        self.timing = SystemTiming()
        self.calls = Timed(self.bench.calls)
        self._beside_ns = 0

    def routes(self) -> list[Route]:
        """The four paths of the service, and what has been spent."""
        answering = Answering(
            self.calls,  # type: ignore[arg-type]  # it is asked the same two questions
            self.timing,
            leads=lambda: True,
            vouch=lambda: self.bench.extender.vouch(self.timing.now_ns()),
            after=self._after,
        )
        return [*answering.routes(), Route("GET", "/spent", self._spent)]

    def _after(self, _: Entry, verb: str, reply: Answered | None, __: int) -> None:
        """What the cluster and the service do beside answering; counted apart."""
        begun_ns = time.thread_time_ns()
        if verb == "prioritize" and reply is not None:
            self._bind(reply.answer)
        self._beside_ns += time.thread_time_ns() - begun_ns

    def _bind(self, answer: object) -> None:
        extender, bound, last = self.bench.extender, self.bench.bound, self.bench.calls._last_pod
        if not isinstance(answer, PrioritizeAnswer) or answer.best is None or last is None:
            raise SystemExit("the bench's scheduler was not told where to bind")
        extender.explain_next()
        pod = replace(last[1], node=answer.asked.names[answer.best])
        extender.pod_seen(pod, self.timing.now_ns())
        bound.append(pod.uid)
        extender.pod_gone(bound.pop(0))

    def _spent(self, _: Request) -> Reply:
        return Reply.of_json(
            {
                "process_ns": time.process_time_ns(),
                "core_ns": self.calls.spent_ns,
                "beside_ns": self._beside_ns,
            }
        )


async def serve(nodes: int, certificates: Path) -> None:
    """Serve on a free port, print it, until the parent closes standard input."""
    host = Host(nodes)
    serving = Serving(
        [decision("127.0.0.1", 0, *host.routes())],
        tls=tls(certificates),
        limits=LimitSettings(),
        drain=DrainSettings(notice_s=0, finish_s=1),
        health=Health(host.timing),
        timing=host.timing,
        log=RecordedLog(),
        metrics=Metrics(),
    )
    gc.collect()
    gc.freeze()
    ready = asyncio.Event()
    task = asyncio.create_task(serving.run(ready.set))
    await ready.wait()
    print(serving.port_of("decision"), flush=True)
    await asyncio.to_thread(sys.stdin.read)
    task.cancel()
    await asyncio.wait([task])


def tls(folder: Path) -> TlsSettings:
    """Where the certificates of this run are."""
    return TlsSettings(
        certificate_file=str(folder / "server.crt"),
        key_file=str(folder / "server.key"),
        client_ca_file=str(folder / "ca.crt"),
    )


def main() -> None:
    """As a process of its own."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--nodes", type=int, required=True)
    parser.add_argument("--certificates", type=Path, required=True)
    options = parser.parse_args()
    asyncio.run(serve(options.nodes, options.certificates))


if __name__ == "__main__":
    main()
