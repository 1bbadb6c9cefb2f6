"""The extender put together: its parts, in the order in which they need each other.

It is the one place where everything of this folder meets, and it fits on a page.
Nothing here may decide anything.
"""

from __future__ import annotations

from pathlib import Path
from socket import gethostname
from typing import TYPE_CHECKING

from scheduler_extender.calls import Calls
from scheduler_extender.service.answering import Answering
from scheduler_extender.service.events import EventWriter
from scheduler_extender.service.explaining import Explaining
from scheduler_extender.service.judgement import Judgement, read_mix
from scheduler_extender.service.leading import Leading
from scheduler_extender.service.metrics import ExtenderMetrics
from scheduler_extender.service.nudging import Nudging
from scheduler_extender.service.upkeep import Upkeep
from scheduler_extender.service.watches import AgentWatch, ClusterWatch
from service_runtime.chassis import open_chassis
from service_runtime.leadership import LeaseName
from service_runtime.serve.health import NotReady, Ready

if TYPE_CHECKING:
    from scheduler_extender.answers import Entry
    from scheduler_extender.calls import Reply
    from scheduler_extender.explain import DecisionRecord
    from scheduler_extender.service.settings import ServiceSettings
    from service_runtime.chassis import Chassis
    from service_runtime.process import Ending

__all__ = ["NAME", "serve_extender"]

NAME = "extender"


async def serve_extender(settings: ServiceSettings) -> Ending:
    """Serve until told to end."""
    given = read_mix(Path(settings.policy.mix_file)) if settings.policy.mix_file else None
    async with open_chassis(NAME, settings) as chassis:
        judgement = Judgement(settings, given, chassis.timing.now_ns)
        return await _run(chassis, settings, judgement, learns=given is None)


async def _run(
    chassis: Chassis, settings: ServiceSettings, judgement: Judgement, *, learns: bool
) -> Ending:
    extender, timing = judgement.extender, chassis.timing
    cluster = ClusterWatch(chassis, extender, on_agents=judgement.know_agents)
    metrics = ExtenderMetrics(
        chassis.metrics,
        extender,
        budget=judgement.budget,
        mix=lambda: judgement.mix,
        age_s=cluster.age_s,
        late_after_s=settings.scheduler.waits_s,
    )

    def in_a_hurry() -> bool:
        return explaining.in_a_hurry()

    events = EventWriter(
        chassis.api,
        settings.events,
        settings.pod.name or gethostname(),
        in_a_hurry=in_a_hurry,
        timing=timing,
        log=chassis.log,
        metrics=chassis.metrics,
    )

    def on_record(record: DecisionRecord) -> None:
        metrics.explained(record)
        events.offer(record)

    explaining = Explaining(extender, timing, idle_ms=settings.explain.idle_ms, on_record=on_record)

    def after(entry: Entry, verb: str, reply: Reply | None, taken_ns: int) -> None:
        metrics.called(entry, verb, reply, taken_ns)
        if reply is not None and reply.answer is not None:
            explaining.called(reply)

    elector = chassis.elector(LeaseName(settings.pod.namespace, settings.leader.lease_name))
    leading = Leading(
        chassis,
        elector,
        extender,
        pod=settings.pod,
        leader=settings.leader,
        port=lambda: serving.port_of("decision"),
        takeover=chassis.metrics.gauge(
            "synthscale_extender_takeover_seconds",
            "From the Lease being ours to our address being behind the Service, the last time.",
        ),
    )

    def may_answer() -> bool:
        young = cluster.age_s() <= settings.view.stale_after_s
        return young and leading.leads() and not extender.ledger.is_silent(timing.now_ns())

    nudging = Nudging(
        chassis.api,
        extender,
        settings.nudge,
        namespace=settings.pod.namespace,
        may_answer=may_answer,
        timing=timing,
        log=chassis.log,
        metrics=chassis.metrics,
    )

    def view_is_young() -> Ready | NotReady:
        age_s, limit_s = cluster.age_s(), settings.view.stale_after_s
        if age_s <= limit_s:
            return Ready()
        return NotReady(f"last current {age_s:.0f} s ago, and {limit_s:g} s is the limit")

    answering = Answering(
        Calls(extender), timing, leads=leading.leads, vouch=cluster.vouch, after=after
    )
    serving = chassis.serving(
        answering.routes(),
        observations=[explaining.route()],
        checks={"view": view_is_young},
        common_names=frozenset(settings.scheduler.common_names) or None,
    )
    upkeep = Upkeep(
        judgement,
        cluster,
        metrics,
        nudging,
        learn_every_s=settings.policy.learn_every_s if learns else None,
        timing=timing,
        log=chassis.log,
    )
    return await chassis.run(
        cluster.nodes,
        cluster.pods,
        AgentWatch(chassis, cluster.agents),
        upkeep,
        events,
        explaining,
        nudging,
        serving,
        elector,
        leading,
    )
