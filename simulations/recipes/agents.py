"""Twelve agents of an assistant platform on a fleet of five GPU generations.

The agents are made up; what makes placement matter is not: large models fit on few GPUs, decoding
goes with memory bandwidth and encoding with matrix throughput, recommenders are held back by the
CPU beside them (measured in Gavel, OSDI 2020: half the speed on the newer GPU), weights and domain
data take seconds to minutes to fetch. docs/explanation/bundled-workloads.md tells where each figure
comes from. This module must not draw anything.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from gpu_fleet.agents import AgentProfile
from gpu_fleet.nodes import WHOLE_GPU_MILLI
from gpu_fleet.pods import PodShape
from scheduler_extender.placement.terms.specialisation import bind
from simulations.agents.scenario import RequestKind, Scenario
from simulations.durations import LogNormal
from simulations.recipes.fleet import NodeKind, machines
from simulations.workload import Inventory

if TYPE_CHECKING:
    from collections.abc import Mapping

    from simulations.recipes.load_times import LoadTimes

__all__ = ["AGENTS", "DISK_BYTES", "DOMAIN_GB", "FETCH_BYTES_PER_S", "AgentRecipe", "agents"]

GB = 1_000_000_000
FETCH_BYTES_PER_S = 1_250_000_000
"""10 Gbit/s, the link that a node has unless somebody measured another."""
DISK_BYTES = 300 * GB
"""For datasets on a node: about half of all there are, so that nodes have to choose."""
_SPREAD = 2.0
"""Squared coefficient of variation of the work: most requests are short, some are long."""

_FLEET = (
    (NodeKind("A100-80GB", gpus=8, cpus=128, memory_gib=768), 2),
    (NodeKind("V100M32", gpus=4, cpus=48, memory_gib=368), 4),
    (NodeKind("A10", gpus=8, cpus=96, memory_gib=384), 4),
    (NodeKind("T4", gpus=4, cpus=96, memory_gib=384), 4),
    (NodeKind("P100", gpus=2, cpus=64, memory_gib=256), 8),
)

# Speed by model in thousandths of the best. The first two follow the vendors' figures of memory
# bandwidth (2,039, 900, 600, 320, 732 GB/s) and of dense FP16 (312, 125, 125, 65, 21 TFLOPS).
_DECODES = {"A100-80GB": 1_000, "V100M32": 441, "A10": 294, "T4": 157, "P100": 359}
_ENCODES = {"A100-80GB": 1_000, "V100M32": 401, "A10": 401, "T4": 208, "P100": 67}
# Small networks wait for launches and for input: the GPU hardly matters.
_SMALL = {"A100-80GB": 1_000, "V100M32": 950, "A10": 980, "T4": 900, "P100": 850}
# Held back by the CPU beside the GPU, as measured for recommenders in Gavel.
_CPU_BOUND = {"T4": 1_000, "P100": 900, "A10": 700, "A100-80GB": 800, "V100M32": 450}

DOMAIN_GB: Mapping[str, int] = {
    "code": 60,
    "finance": 30,
    "law": 40,
    "manufacturing": 25,
    "marketing": 15,
    "medicine": 80,
    "retail": 60,
    "support": 10,
}
"""What the agents of a domain read: documents, indices, images."""


@dataclass(frozen=True, slots=True)
class AgentRecipe:
    """One agent: what its pods ask for, how fast it is where, and how often it is asked."""

    name: str
    domains: tuple[str, ...]
    gpus: int
    gpu_milli: int
    needs_gib: float
    """Of each GPU's memory."""
    cpus: int
    memory_gib: int
    weights_gb: float
    speeds: Mapping[str, int]
    work_s: int
    weight: int
    """Of a hundred tasks."""

    def profile(self, weights: str) -> AgentProfile:
        """The profile, reading these weights. Only models with enough memory have a speed."""
        needs_mib = round(self.needs_gib * 1_024)
        return AgentProfile(
            name=self.name,
            domains=self.domains,
            datasets=(weights,),
            needs_gpu_memory_mib=needs_mib,
            speed_permille={
                m: s for m, s in self.speeds.items() if _MEMORY_GIB[m] >= self.needs_gib
            },
        )


_MEMORY_GIB = {"A100-80GB": 80.0, "V100M32": 31.7, "A10": 22.2, "T4": 14.75, "P100": 15.9}
_ONE = WHOLE_GPU_MILLI

AGENTS = (
    AgentRecipe("counsel", ("law", "finance"), 1, _ONE, 74, 12, 64, 70, _DECODES, 240, 4),
    AgentRecipe("coder", ("code",), 2, _ONE, 31, 20, 96, 60, _DECODES, 200, 5),
    AgentRecipe("writer", ("law", "medicine", "finance"), 1, _ONE, 27, 8, 40, 26, _DECODES, 150, 9),
    AgentRecipe("helpdesk", ("support", "retail"), 1, _ONE, 14, 8, 32, 14, _DECODES, 90, 16),
    AgentRecipe("translator", ("support", "law"), 1, 500, 7, 4, 16, 6, _DECODES, 60, 12),
    AgentRecipe("embedder", ("law", "code"), 1, 300, 2, 4, 12, 1.5, _ENCODES, 90, 14),
    AgentRecipe("inspector", ("manufacturing",), 1, _ONE, 10, 10, 40, 4, _ENCODES, 150, 7),
    AgentRecipe("radiologist", ("medicine",), 1, _ONE, 20, 8, 48, 10, _ENCODES, 180, 5),
    AgentRecipe("illustrator", ("marketing",), 1, _ONE, 13, 6, 32, 12, _ENCODES, 60, 8),
    AgentRecipe("listener", ("support", "medicine"), 1, 250, 3, 3, 8, 3, _SMALL, 90, 10),
    AgentRecipe("recommender", ("retail",), 1, _ONE, 11, 20, 64, 2, _CPU_BOUND, 180, 5),
    AgentRecipe("auditor", ("finance",), 1, 500, 6, 8, 32, 1, _CPU_BOUND, 90, 5),
)


def agents(loads: LoadTimes | None = None) -> Scenario:
    """The bundled scenario: 22 nodes with 96 GPUs, 12 agents in 8 domains.

    With observed load times the weights take these instead of the recipe's sizes: the longest goes
    to the largest.
    """
    sizes = {_corpus(domain): gb * GB for domain, gb in DOMAIN_GB.items()}
    return Scenario(
        name="bundled-agents",
        inventory=Inventory(name="bundled-agent-fleet", nodes=machines(_FLEET)),
        kinds=tuple(_kind(agent, domain) for agent in AGENTS for domain in agent.domains),
        dataset_bytes=sizes | _weight_bytes(loads),
        fetch_bytes_per_s=FETCH_BYTES_PER_S,
        disk_bytes=DISK_BYTES,
        notes=("agents, their speeds and their data are generated by a documented recipe",),
    )


def _weight_bytes(loads: LoadTimes | None) -> dict[str, int]:
    if loads is None:
        return {_weights(agent): round(agent.weights_gb * GB) for agent in AGENTS}
    by_size = sorted(AGENTS, key=lambda agent: agent.weights_gb)
    times_s = loads.spread(loads.base_s, len(AGENTS))
    return {
        _weights(agent): round(time_s * FETCH_BYTES_PER_S)
        for agent, time_s in zip(by_size, times_s, strict=True)
    }


def _kind(agent: AgentRecipe, domain: str) -> RequestKind:
    asked = PodShape(
        cpu_milli=agent.cpus * 1_000,
        memory_mib=agent.memory_gib * 1_024,
        gpu_count=agent.gpus,
        gpu_milli=agent.gpu_milli,
        datasets=(_corpus(domain),),
    )
    profile = agent.profile(_weights(agent))
    return RequestKind(
        agent=profile,
        domain=domain,
        shape=bind(asked, profile),
        weight=agent.weight * 6 // len(agent.domains),  # 6: whole numbers for 1, 2 and 3 domains
        work=LogNormal(agent.work_s, _SPREAD),
    )


def _weights(agent: AgentRecipe) -> str:
    return f"{agent.name}-weights"


def _corpus(domain: str) -> str:
    return f"{domain}-corpus"
