"""Pods that were refused, fit now, and that their scheduler does not know to ask about again.

kube-scheduler asks again when it sees an event that may help, which can be a moment before this
process sees it: then the answer is the old one, and nothing tells when ours has caught up. Nor
does anything happen in the cluster when a promise expires or a takeover's silence ends. Without
help such a pod waits up to five minutes. A condition on its status is an event that its scheduler
sees.
This module must not say where the pod may go.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from gpu_fleet.errors import KubeError
from gpu_fleet.names import GROUP
from service_runtime.kube.api import PODS
from service_runtime.kube.objects import apply_status
from service_runtime.kube.wire import micro_time

if TYPE_CHECKING:
    from collections.abc import Callable

    from scheduler_extender.extender import Extender
    from scheduler_extender.service.settings import NudgeSettings
    from service_runtime.kube.api import KubeApi
    from service_runtime.telemetry import Log
    from service_runtime.telemetry.metrics import Metrics
    from service_runtime.timing import Timing

__all__ = ["CONDITION", "Nudging"]

CONDITION: Final = f"{GROUP}/Fits"
_MANAGER: Final = "synthscale-extender"
_MOST_QUEUED: Final = 256
_NS_PER_S: Final = 1_000_000_000


@dataclass(slots=True)
class _Case:
    """One pod that could go and is not asked about."""

    since_ns: int
    nudges: int = 0


class Nudging:
    """A part that states the condition; `look` finds whom, once a second."""

    name = "nudging"

    def __init__(
        self,
        api: KubeApi,
        extender: Extender,
        settings: NudgeSettings,
        *,
        may_answer: Callable[[], bool],
        timing: Timing,
        log: Log,
        metrics: Metrics,
    ) -> None:
        """`may_answer` is false while a pod that is asked about would be refused in any case."""
        self._api = api
        self._extender = extender
        self._settings = settings
        self._may_answer = may_answer
        self._timing = timing
        self._log = log.component(self.name)
        self._cases: dict[str, _Case] = {}
        self._queue: asyncio.Queue[str] = asyncio.Queue(_MOST_QUEUED)
        self._nudged = metrics.counter(
            "synthscale_extender_nudges_total",
            "Pods whose scheduler was told to ask again, by what became of it.",
            {"outcome": ("stated", "refused", "crowded")},
        )

    def look(self) -> None:
        """Find the pods that could go, and queue those that were given time enough."""
        if not self._settings.enabled or not self._may_answer():
            self._cases.clear()
            return
        now_ns = self._timing.now_ns()
        could = self._extender.could_go_now()
        self._cases = {uid: self._cases.get(uid) or _Case(now_ns) for uid in could}
        for uid, case in self._cases.items():
            wait_ns = round(self._settings.after_s * 2**case.nudges * _NS_PER_S)
            if case.nudges >= self._settings.most or now_ns - case.since_ns < wait_ns:
                continue
            case.nudges += 1
            case.since_ns = now_ns
            if self._queue.full():
                self._nudged.add(outcome="crowded")
            else:
                self._queue.put_nowait(uid)

    async def run(self, ready: Callable[[], None]) -> None:
        """State the condition on whoever is queued, within the budget, until cancelled."""
        ready()
        while True:
            uid = await self._queue.get()
            await self._nudge(uid)
            await self._timing.sleep(1.0 / self._settings.per_s)

    async def _nudge(self, uid: str) -> None:
        pod = self._extender.ledger.pod(uid)
        if pod is None or pod.node is not None:
            return
        namespace, _, name = pod.name.partition("/")
        now = micro_time(self._timing.wall())
        status = {
            "conditions": [
                {
                    "type": CONDITION,
                    "status": "True",
                    "reason": "AskAgain",
                    "message": f"refused before, and would not be at {now}",
                    "lastTransitionTime": f"{now[:19]}Z",
                }
            ]
        }
        try:
            await apply_status(self._api, PODS, name, status, manager=_MANAGER, namespace=namespace)
        except KubeError as error:
            self._nudged.add(outcome="refused")
            self._log.warn("pod_not_nudged", pod=pod.name, error=error)
            return
        self._nudged.add(outcome="stated")
        self._log.event("pod_nudged", pod=pod.name)
