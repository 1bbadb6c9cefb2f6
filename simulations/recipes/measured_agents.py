"""Agents made of measurements: speeds of jobs by GPU model, and times that weights took to load.

A job that somebody measured on several GPU models is an agent with a stated speed on each; jobs of
one family (ResNet-50 with five batch sizes) share a domain and its base weights, and each has a
small adapter of its own. What was not measured is a constant with its reason.
This module must not read files, and draws nothing.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from gpu_fleet.agents import AgentProfile
from gpu_fleet.errors import InputError
from gpu_fleet.nodes import Device, Node
from gpu_fleet.pods import PodShape
from scheduler_extender.placement.terms.specialisation import bind
from simulations.agents.scenario import RequestKind, Scenario
from simulations.durations import LogNormal
from simulations.recipes.agents import DISK_BYTES, FETCH_BYTES_PER_S
from simulations.recipes.load_times import PUBLISHED_LOADS, LoadTimes
from simulations.workload import Inventory

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

__all__ = ["measured_agents"]

GPUS_OF_EACH_MODEL = 36
"""The cluster that Gavel's evaluation simulates has 36 GPUs of each of its three models."""
_GPUS_PER_NODE = 4
_WORK_S = 300
"""Mean work of a session. The measured jobs train for hours, which would hide every fetch."""
_SPREAD = 2.0
"""Squared coefficient of variation, as in the bundled agents."""
_SESSIONS = (
    f"each job is an agent whose sessions take {_WORK_S} s of work on average on its best model; "
    "all jobs come equally often"
)
_WEIGHTS = (
    f"weights are load time x {FETCH_BYTES_PER_S * 8 / 1e9:g} Gbit/s; "
    "the jobs of a family share its base weights"
)


def measured_agents(
    speeds: Mapping[str, Mapping[str, float]],
    loads: LoadTimes = PUBLISHED_LOADS,
    inventory: Inventory | None = None,
) -> Scenario:
    """Agents from `speeds[job][model]`, in any unit of work per second, on equal GPU numbers."""
    names = sorted(speeds)
    families = sorted({_family(name) for name in names})
    sizes = _sizes(families, loads.base_s, "base") | _sizes(names, loads.adapter_s, "adapter")
    fleet = inventory or _equal_fleet(sorted({m for by_model in speeds.values() for m in by_model}))
    return Scenario(
        name="measured-agents",
        inventory=fleet,
        kinds=tuple(_kind(name, speeds[name], sizes) for name in names),
        dataset_bytes=sizes,
        fetch_bytes_per_s=FETCH_BYTES_PER_S,
        disk_bytes=DISK_BYTES,
        notes=(_SESSIONS, _WEIGHTS),
    )


def _kind(name: str, by_model: Mapping[str, float], sizes: Mapping[str, int]) -> RequestKind:
    best = max(by_model.values())
    own = (f"{_slug(_family(name))}-base", f"{_slug(name)}-adapter")
    agent = AgentProfile(
        name=_slug(name),
        domains=(_slug(_family(name)),),
        datasets=tuple(dataset for dataset in own if dataset in sizes),
        speed_permille={m: max(1, round(s / best * 1_000)) for m, s in by_model.items()},
    )
    asked = PodShape(cpu_milli=4_000, memory_mib=16 * 1_024, gpu_count=1)
    return RequestKind(
        agent=agent, domain="", shape=bind(asked, agent), weight=1, work=LogNormal(_WORK_S, _SPREAD)
    )


def _sizes(names: Sequence[str], observed_s: Sequence[float], what: str) -> dict[str, int]:
    if not observed_s:
        return {}
    times_s = LoadTimes.spread(observed_s, len(names))
    return {
        f"{_slug(name)}-{what}": round(time_s * FETCH_BYTES_PER_S)
        for name, time_s in zip(names, times_s, strict=True)
    }


def _equal_fleet(models: Sequence[str]) -> Inventory:
    nodes = tuple(
        Node(
            name=f"{_slug(model)}-{number:02d}",
            cpu_milli=48_000,
            memory_mib=192 * 1_024,
            devices=(Device(),) * _GPUS_PER_NODE,
            gpu_model=model,
        )
        for model in models
        for number in range(GPUS_OF_EACH_MODEL // _GPUS_PER_NODE)
    )
    return Inventory(name=f"{GPUS_OF_EACH_MODEL} GPUs of each model", nodes=nodes)


def _family(name: str) -> str:
    """`ResNet-50 (batch size 16)` is of the family `ResNet-50`."""
    return name.partition("(")[0].strip() or name


def _slug(name: str) -> str:
    slug = re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")
    if not slug:
        raise InputError(f"'{name[:40]}' is not a name", remedy="use letters and digits")
    return slug
