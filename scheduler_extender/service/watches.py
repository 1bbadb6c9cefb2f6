"""What the watches say, told to the extender in its own words: nodes, pods, agents.

Objects are converted once, when they change. One that cannot be read costs itself only: its node
gives nothing, its pod is passed or refused, and both are counted. The cluster's AgentProfiles may
not exist at all, which is told once and keeps nobody waiting.
This module must not decide what an object means for a placement.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import msgspec

from gpu_fleet.agents import AgentProfile
from gpu_fleet.errors import InputError, KubeError
from gpu_fleet.names import GROUP
from scheduler_extender.objects.nodes import observed_node
from scheduler_extender.objects.observed import PodReader, version_number
from scheduler_extender.objects.wire import Meta, NodeObject, PodObject
from service_runtime.kube.api import EVERYTHING, NODES, PODS, Resource
from service_runtime.kube.view import Deleted

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from scheduler_extender.extender import Extender
    from service_runtime.chassis import Chassis
    from service_runtime.kube.view import Change
    from service_runtime.kube.watching import Watch
    from service_runtime.timing import Timing

__all__ = ["AGENT_PROFILES", "AgentObject", "AgentWatch", "ClusterWatch"]

AGENT_PROFILES = Resource("v1alpha1", "agentprofiles", "AgentProfile", GROUP, namespaced=False)

_LOOK_AGAIN_S = 60.0


class _AgentSpec(msgspec.Struct, frozen=True, rename="camel"):
    """`spec` of an AgentProfile."""

    domains: tuple[str, ...] = ()
    datasets: tuple[str, ...] = ()
    needs_gpu_memory_mib: int = 0
    speed_permille: dict[str, int] = {}


class AgentObject(msgspec.Struct, frozen=True):
    """An AgentProfile."""

    metadata: Meta = Meta()
    spec: _AgentSpec = _AgentSpec()


class ClusterWatch:
    """Three watches, and what they do to the extender."""

    def __init__(
        self,
        chassis: Chassis,
        extender: Extender,
        *,
        on_agents: Callable[[dict[str, AgentProfile]], None],
    ) -> None:
        self._extender = extender
        self._timing: Timing = chassis.timing
        self._log = chassis.log.component("cluster")
        self._reader = PodReader()
        self._on_agents = on_agents
        self._told: dict[str, str] = {}
        self.nodes: Watch[NodeObject] = chassis.watch(
            NODES, NodeObject, on_changes=self._nodes_changed
        )
        self.pods: Watch[PodObject] = chassis.watch(PODS, PodObject, on_changes=self._pods_changed)
        self.agents: Watch[AgentObject] = chassis.watch(
            AGENT_PROFILES, AgentObject, on_changes=self._agents_changed
        )

    def age_s(self) -> float:
        """How old the older of nodes and pods is."""
        return max(self.nodes.age_s(), self.pods.age_s())

    def vouch(self) -> None:
        """Tell the extender how old its view is at this moment."""
        age_s = self.age_s()
        if math.isfinite(age_s):
            self._extender.vouch(self._timing.now_ns() - round(age_s * 1_000_000_000))

    def refuse_unreadable(self) -> None:
        """Nodes that cannot even be decoded give nothing more."""
        for (_, name), bad in self.nodes.unreadable.items():
            if name:
                self._unreadable(name, bad.problem, bad.version)

    def _nodes_changed(self, changes: Sequence[Change[NodeObject]]) -> None:
        ledger = self._extender.ledger
        for change in changes:
            raw = change.object
            version = version_number(raw.metadata.resource_version)
            if isinstance(change, Deleted):
                self._told.pop(raw.metadata.name, None)
                ledger.node_gone(raw.metadata.name, version)
                continue
            try:
                seen = observed_node(raw)
            except InputError as error:
                self._unreadable(raw.metadata.name, str(error), raw.metadata.resource_version)
                continue
            self._told.pop(raw.metadata.name, None)
            ledger.node_seen(seen, version)

    def _unreadable(self, name: str, problem: str, version: str) -> None:
        self._extender.ledger.node_unreadable(name, problem, version_number(version))
        if self._told.get(name) != problem:
            self._told[name] = problem
            self._log.warn("node_unreadable", node=name, problem=problem)

    def _pods_changed(self, changes: Sequence[Change[PodObject]]) -> None:
        now_ns = self._timing.now_ns()
        for change in changes:
            meta = change.object.metadata
            if isinstance(change, Deleted):
                self._extender.pod_gone(meta.uid, version_number(meta.resource_version))
            else:
                self._extender.pod_seen(self._reader.read(change.object), now_ns)

    def _agents_changed(self, _: Sequence[Change[AgentObject]]) -> None:
        agents = {}
        for raw in self.agents.objects.values():
            spec = raw.spec
            try:
                agents[raw.metadata.name] = AgentProfile(
                    raw.metadata.name,
                    domains=spec.domains,
                    datasets=spec.datasets,
                    needs_gpu_memory_mib=spec.needs_gpu_memory_mib,
                    speed_permille=spec.speed_permille,
                )
            except InputError as error:
                self._log.warn("agent_unreadable", agent=raw.metadata.name, problem=str(error))
        self._on_agents(agents)


class AgentWatch:
    """The watch of AgentProfiles as a part that nobody waits for.

    A cluster may not know the kind, or not let us read it: that is told once, and looked at again
    every minute.
    """

    def __init__(self, chassis: Chassis, watch: Watch[AgentObject]) -> None:
        self.name = watch.name
        self._watch = watch
        self._api = chassis.api
        self._timing = chassis.timing
        self._log = chassis.log.component(self.name)
        self._readable = chassis.metrics.gauge(
            "synthscale_extender_agent_profiles_ready",
            "Whether the cluster has AgentProfiles and lets them be read.",
        )

    async def run(self, ready: Callable[[], None]) -> None:
        """Ready at once; then wait for the kind, and follow it for as long as the service lives."""
        ready()
        told = ""
        while problem := await self._problem():
            if problem != told:
                told = problem
                self._log.event("agent_profiles_absent", problem=problem)
            await self._timing.sleep(_LOOK_AGAIN_S)
        self._readable.set(1)
        await self._watch.run()

    async def _problem(self) -> str:
        """Why they cannot be listed; empty where they can."""
        try:
            await self._api.list_page(AGENT_PROFILES, EVERYTHING, limit=1)
        except KubeError as error:
            return str(error)
        return ""
