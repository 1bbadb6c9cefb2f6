"""What has to be done every second: figures copied, promises expired, the mix learned anew.

None of it may take long, because calls wait meanwhile: a lesson's linear program is the longest
pause, and there is one in ten minutes. Refused pods that would fit now are left to the nudging.
This module must not decide about a pod.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from scheduler_extender.service.judgement import mix_of
from service_runtime.timing import elapsed_s

if TYPE_CHECKING:
    from collections.abc import Callable

    from scheduler_extender.service.judgement import Judgement
    from scheduler_extender.service.metrics import ExtenderMetrics
    from scheduler_extender.service.nudging import Nudging
    from scheduler_extender.service.watches import ClusterWatch
    from service_runtime.telemetry import Log
    from service_runtime.timing import Timing

__all__ = ["Upkeep"]

_EVERY_S: Final = 1.0


class Upkeep:
    """A part that learns the mix before anything is answered, then looks after all each second.

    `learn_every_s` None: the mix is given and nothing is learned.
    """

    name = "upkeep"

    def __init__(
        self,
        judgement: Judgement,
        cluster: ClusterWatch,
        metrics: ExtenderMetrics,
        nudging: Nudging,
        *,
        learn_every_s: float | None,
        timing: Timing,
        log: Log,
    ) -> None:
        self._judgement = judgement
        self._cluster = cluster
        self._metrics = metrics
        self._nudging = nudging
        self._learn_every_s = learn_every_s
        self._timing = timing
        self._log = log.component(self.name)

    async def run(self, ready: Callable[[], None]) -> None:
        """Ready once the policy knows what usually comes and its code is compiled."""
        self._learn()
        self._judgement.warm_up()
        ready()
        learned_ns = self._timing.now_ns()
        while True:
            await self._timing.sleep(_EVERY_S)
            now_ns = self._timing.now_ns()
            self._cluster.refuse_unreadable()
            self._judgement.extender.ledger.expire(now_ns)
            self._metrics.copy_totals()
            self._nudging.look()
            due = self._learn_every_s is not None and (
                elapsed_s(learned_ns, now_ns) >= self._learn_every_s
            )
            if due:
                self._learn()
                learned_ns = now_ns

    def _learn(self) -> None:
        if self._learn_every_s is None:
            return
        mix = mix_of(self._judgement.extender.ledger.pods())
        if mix.total and mix != self._judgement.mix:
            self._judgement.learn(mix, f"learned from {mix.total} pods")
            self._log.event("mix_learned", pods=mix.total, classes=len(mix.classes))
