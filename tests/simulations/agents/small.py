"""A scenario small enough to think through: three nodes, three agents, two domains.

This module must not assert anything.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from gpu_fleet.agents import AgentProfile
from gpu_fleet.nodes import Device, Node
from gpu_fleet.pods import PodShape
from scheduler_extender.placement.terms.specialisation import bind
from simulations.agents.scenario import RequestKind, Scenario
from simulations.agents.world import AgentRun, AgentTrial, run_agents
from simulations.durations import Fixed, LogNormal
from simulations.workload import Inventory

if TYPE_CHECKING:
    from simulations.durations import Duration

__all__ = ["kind", "node", "one_kind", "run", "scenario"]

GB = 1_000_000_000


def node(name: str, model: str, gpus: int = 2, gpu_mib: int = 40_000) -> Node:
    """A node with 16 CPUs and 64 GiB for each GPU."""
    return Node(name, 16_000 * gpus, 65_536 * gpus, (Device(memory_mib=gpu_mib),) * gpus, model)


def kind(
    agent: str,
    speeds: dict[str, int],
    *,
    data: tuple[str, ...] = (),
    gpus: int = 1,
    milli: int = 1_000,
    work: Duration | None = None,
) -> RequestKind:
    """Tasks of an agent with these speeds and datasets."""
    profile = AgentProfile(agent, ("d",), data, speed_permille=speeds)
    asked = PodShape(2_000, 4_096, gpus, milli)
    return RequestKind(profile, "d", bind(asked, profile), 1, work or LogNormal(60, 1.5))


def scenario() -> Scenario:
    """Fast and slow nodes; one agent for part of a GPU, one for a whole one, one for two."""
    return Scenario(
        name="small",
        inventory=Inventory("three", (node("f0", "FAST"), node("s0", "SLOW"), node("s1", "SLOW"))),
        kinds=(
            kind("part", {"FAST": 1_000, "SLOW": 800}, data=("corpus", "w1"), milli=400),
            kind("whole", {"FAST": 1_000, "SLOW": 300}, data=("w2",)),
            kind("pair", {"FAST": 900, "SLOW": 1_000}, data=("corpus",), gpus=2),
        ),
        dataset_bytes={"corpus": 20 * GB, "w1": 5 * GB, "w2": 30 * GB},
        fetch_bytes_per_s=GB,
        disk_bytes=40 * GB,
    )


def one_kind(only: RequestKind, *nodes: Node, sizes: dict[str, int] | None = None) -> Scenario:
    """One sort of task on these nodes, with room for every dataset."""
    return Scenario("one", Inventory("some", nodes), (only,), sizes or {}, GB, 1_000 * GB)


def run(
    made: Scenario | None = None, policy: str = "least-loss", seed: int = 7, **changes: object
) -> AgentRun:
    """A short run with its log and every passage kept."""
    trial = AgentTrial(
        made or scenario(), policy, seed, tasks=200, keep_log=True, keep_passages=True
    )
    return run_agents(replace(trial, **changes))  # type: ignore[arg-type]


FIXED_MINUTE = Fixed(60)
