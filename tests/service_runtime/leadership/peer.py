"""Our elector as a program, with the flags and the lines of the client-go one, to play against it.

It stands for a Lease on a real API server until SIGTERM, and prints one JSON line whenever it
begins or ends to lead. It must not do anything with its leadership.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import random
import signal
import sys
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from service_runtime.kube.client import ApiServer
from service_runtime.kube.settings import KubeSettings
from service_runtime.leadership import Elector, LeadershipMetrics, LeadershipSettings, LeaseName
from service_runtime.telemetry.metrics import Metrics
from service_runtime.timing import SystemTiming

if TYPE_CHECKING:
    from collections.abc import Callable

    from service_runtime.leadership import Reign

__all__: list[str] = []


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    for flag in ("--kubeconfig", "--namespace", "--name", "--identity"):
        parser.add_argument(flag, required=True)
    parser.add_argument("--lease-duration-s", type=int, required=True)
    parser.add_argument("--renew-deadline-s", type=float, required=True)
    parser.add_argument("--retry-period-s", type=float, required=True)
    return parser.parse_args()


class _Spoken:
    """A log whose events are lines; that a leader was seen is told in client-go's words."""

    def __init__(self, tell: Callable[..., None]) -> None:
        self._tell = tell

    def event(self, name: str, /, **fields: object) -> None:
        """Tell it."""
        self._tell("new leader" if name == "leader_seen" else name, **fields)

    warn = error = event

    def component(self, _name: str, /) -> _Spoken:
        """The same."""
        return self


async def _stand(given: argparse.Namespace) -> None:
    def tell(event: str, **more: object) -> None:
        at = datetime.now(UTC).isoformat()
        told = {"event": event, "identity": given.identity, "at": at, **more}
        print(json.dumps(told, default=str), flush=True)  # noqa: T201  # its lines are its purpose

    async def work(reign: Reign) -> None:
        tell("started leading", epoch=reign.epoch)
        try:
            await asyncio.Event().wait()
        finally:
            tell("stopped leading", epoch=reign.epoch)

    settings = LeadershipSettings(
        lease_duration_s=given.lease_duration_s,
        renew_deadline_s=given.renew_deadline_s,
        retry_period_s=given.retry_period_s,
        request_timeout_s=given.renew_deadline_s / 2,
    )
    timing = SystemTiming()
    async with ApiServer(KubeSettings(kubeconfig=given.kubeconfig), timing) as api:
        elector = Elector(
            api,
            LeaseName(given.namespace, given.name),
            given.identity,
            settings=settings,
            timing=timing,
            log=_Spoken(tell),
            metrics=LeadershipMetrics(Metrics()),
            draw=random.random,
        )
        tasks = [
            asyncio.ensure_future(elector.lead(work)),
            asyncio.ensure_future(elector.run(lambda: None)),
        ]
        ended = asyncio.Event()
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, ended.set)
        await ended.wait()
        for task in tasks:
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task


if __name__ == "__main__":
    asyncio.run(_stand(_arguments()))
    sys.exit(0)
