"""Pods that were refused, fit now, and that their scheduler does not know to ask about again.

kube-scheduler asks again when it sees an event that may help, which can be a moment before this
process sees it: then the answer is the old one, and nothing tells when ours has caught up. Nor
does anything happen in the cluster when a promise expires or a takeover's silence ends. Without
help such a pod waits up to five minutes. So an object of our own, of a kind that every scheduler
with an extender watches, is changed: that is an event, and no pod of anybody's is touched for it.
This module must not say where a pod may go.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from gpu_fleet.errors import KubeError
from gpu_fleet.names import GROUP
from service_runtime.kube.api import Resource
from service_runtime.kube.objects import apply
from service_runtime.kube.wire import micro_time

if TYPE_CHECKING:
    from collections.abc import Callable

    from scheduler_extender.extender import Extender
    from scheduler_extender.service.settings import NudgeSettings
    from service_runtime.kube.api import KubeApi
    from service_runtime.telemetry import Log
    from service_runtime.telemetry.metrics import Metrics
    from service_runtime.timing import Timing

__all__ = ["ASK_AGAIN", "BELLS", "Nudging"]

BELLS: Final = Resource(
    "v1", "csistoragecapacities", "CSIStorageCapacity", group="storage.k8s.io", namespaced=True
)
"""The only namespaced kind among those that wake an extender's pods (1.37: pods, nodes, volumes and
what belongs to them, claims, device classes) which, empty, means nothing to anybody."""
ASK_AGAIN: Final = f"{GROUP}/ask-again"
"""On that object: when it was changed last, and for how many pods."""
_MANAGER: Final = "synthscale-extender"
_NS_PER_S: Final = 1_000_000_000


@dataclass(slots=True)
class _Case:
    """One pod that could go and is not asked about."""

    since_ns: int
    nudges: int = 0


class Nudging:
    """A part that rings; `look` finds for whom, once a second."""

    name = "nudging"

    def __init__(
        self,
        api: KubeApi,
        extender: Extender,
        settings: NudgeSettings,
        *,
        namespace: str,
        may_answer: Callable[[], bool],
        timing: Timing,
        log: Log,
        metrics: Metrics,
    ) -> None:
        """`may_answer` is false while a pod that is asked about would be refused in any case."""
        self._api = api
        self._extender = extender
        self._settings = settings
        self._namespace = namespace
        self._may_answer = may_answer
        self._timing = timing
        self._log = log.component(self.name)
        self._cases: dict[str, _Case] = {}
        self._due: set[str] = set()
        self._ring = asyncio.Event()
        self._nudged = metrics.counter(
            "synthscale_extender_nudges_total",
            "Times that schedulers were told to ask again, by what became of it.",
            {"outcome": ("told", "refused")},
        )

    def look(self) -> None:
        """Find the pods that could go, and ring for those that were given time enough."""
        if not self._settings.enabled or not self._may_answer():
            self._cases.clear()
            self._due.clear()
            return
        now_ns = self._timing.now_ns()
        could = self._extender.could_go_now()
        self._cases = {uid: self._cases.get(uid) or _Case(now_ns) for uid in could}
        self._due &= self._cases.keys()
        for uid, case in self._cases.items():
            wait_ns = round(self._settings.after_s * 2**case.nudges * _NS_PER_S)
            if case.nudges < self._settings.most and now_ns - case.since_ns >= wait_ns:
                self._due.add(uid)
        if self._due:
            self._ring.set()

    async def run(self, ready: Callable[[], None]) -> None:
        """Ring whenever somebody is due, at most once in a while, until cancelled."""
        ready()
        while True:
            await self._ring.wait()
            self._ring.clear()
            if self._due:
                await self._nudge()
                await self._timing.sleep(self._settings.every_s)

    async def _nudge(self) -> None:
        now_ns = self._timing.now_ns()
        for uid in self._due:
            self._cases[uid].nudges += 1
            self._cases[uid].since_ns = now_ns
        pods = len(self._due)
        self._due.clear()
        told = f"{micro_time(self._timing.wall())} for {pods}"
        try:
            await apply(
                self._api,
                BELLS,
                self._settings.object,
                {"metadata": {"annotations": {ASK_AGAIN: told}}},
                manager=_MANAGER,
                namespace=self._namespace,
                force=True,
            )
        except KubeError as error:
            self._nudged.add(outcome="refused")
            self._log.warn("schedulers_not_nudged", object=self._settings.object, error=error)
            return
        self._nudged.add(outcome="told")
        self._log.event("schedulers_nudged", pods=pods)
