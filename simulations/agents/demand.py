"""How many tasks a second make a stated load, and the tasks that come: the same for every policy.

Load is the GPU-time that arrives over the GPU-time there is, with each task at its agent's mean
speed over the GPUs it may use: what a fleet would be busy with if nobody looked at speed. Time for
fetching is not in it. `perfect_load` is what the best assignment of kinds to GPU models would need,
from a linear program: no policy can be below it, and below 1 the load can be served at all.
This module must not look at what is free.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from gpu_fleet.clock import NS_PER_S
from gpu_fleet.cluster_view import ClusterView
from gpu_fleet.errors import InputError, SimulationError
from gpu_fleet.refusals import Refusal
from scheduler_extender.placement.feasibility import reasons
from simulations.streams import Streams

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from simulations.agents.scenario import RequestKind, Scenario

__all__ = ["Demand", "Tasks", "best_speed", "demand_for", "draw_tasks"]

_WHOLE = 1_000


@dataclass(frozen=True, slots=True)
class Demand:
    """What a stated load means for a scenario."""

    load: float
    rate_per_s: float
    perfect_load: float


@dataclass(frozen=True, slots=True, eq=False)
class Tasks:
    """The tasks of one run in order of arrival, as columns."""

    arrival_ns: NDArray[np.int64]
    kind: NDArray[np.int64]
    work_ns: NDArray[np.int64]
    """On the best model of the fleet."""


def best_speed(kind: RequestKind, models: frozenset[str]) -> int:
    """The agent's speed, in thousandths, on its best of these models; 1000 where none is stated."""
    return max((s for m, s in kind.agent.speed_permille.items() if m in models), default=_WHOLE)


def demand_for(scenario: Scenario, load: float) -> Demand:
    """Arrivals a second for a load; raises `InputError` for an agent that no node can take."""
    capacity, slower = _slower_by_model(scenario)
    weights = np.array([kind.weight for kind in scenario.kinds], np.float64)
    gpu_s = np.array(
        [kind.shape.total_gpu_milli / _WHOLE * kind.work.mean_s for kind in scenario.kinds]
    )
    per_task = weights / weights.sum() * gpu_s
    usable = np.isfinite(slower)
    seats = usable * capacity
    mean_slower = np.where(usable, slower, 0.0) @ capacity / np.maximum(1.0, seats.sum(axis=1))
    asked = float(per_task @ np.where(gpu_s > 0, mean_slower, 0.0))
    if asked <= 0 or capacity.sum() <= 0:
        raise InputError(
            f"nothing in {scenario.name} asks for a GPU that is there",
            remedy="give agents that use GPUs, and nodes that have them",
        )
    rate = load * float(capacity.sum()) / asked
    return Demand(load, rate, _perfect_load(rate * per_task, slower, capacity))


def draw_tasks(scenario: Scenario, rate_per_s: float, count: int, seed: int) -> Tasks:
    """The first `count` tasks of a Poisson process; each cause of chance has its own stream."""
    streams = Streams(seed)
    gaps = streams.generator("agent-arrivals").exponential(NS_PER_S / rate_per_s, count)
    weights = np.array([kind.weight for kind in scenario.kinds], np.int64)
    ticket = streams.generator("agent-kinds").integers(int(weights.sum()), size=count)
    chosen = np.searchsorted(np.cumsum(weights), ticket, side="right")
    work = np.zeros(count, np.int64)
    for index, kind in enumerate(scenario.kinds):
        mine = np.flatnonzero(chosen == index)
        stream = streams.generator(f"agent-work:{kind.name}")
        work[mine] = np.maximum(1, kind.work.sample_ns(stream, len(mine)))
    return Tasks(np.cumsum(np.rint(gaps).astype(np.int64)), chosen, work)


def _slower_by_model(scenario: Scenario) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """GPUs of each model, and by (kind, model) how much longer work takes; inf: it cannot run."""
    view = ClusterView.of(scenario.inventory.nodes)
    slots = view.live_slots()
    models = view.models
    of_slot = view.model_id[slots]
    capacity = np.array(
        [view.gpu_total_milli[slots[of_slot == m]].sum() / _WHOLE for m in range(len(models))]
    )
    slower = np.full((len(scenario.kinds), len(models)), np.inf)
    for row, kind in enumerate(scenario.kinds):
        fits = reasons(view, view.intern(kind.shape), slots) == Refusal.NONE
        if not fits.any():
            raise InputError(
                f"agent {kind.agent.name} fits on no node of {scenario.inventory.name}",
                remedy=f"it needs {kind.shape.describe()} and {kind.shape.gpu_memory_mib} MiB "
                "on each GPU: add such a node or leave the agent out",
            )
        speeds, best = kind.agent.speed_permille, best_speed(kind, frozenset(models))
        for model in {int(m) for m in of_slot[fits] if m >= 0}:
            slower[row, model] = best / speeds.get(models[model], best)
    return capacity, slower


def _perfect_load(
    gpu_s_per_s: NDArray[np.float64], slower: NDArray[np.float64], capacity: NDArray[np.float64]
) -> float:
    """The least load of the busiest model over all ways to share the kinds out among models."""
    from scipy.optimize import linprog  # noqa: PLC0415 - slow to import, needed once in a command

    kinds, models = np.nonzero(np.isfinite(slower) & (gpu_s_per_s > 0)[:, np.newaxis])
    flows = len(kinds)
    rows = np.flatnonzero(gpu_s_per_s > 0)
    shared_out = np.zeros((len(rows), flows + 1))
    busy = np.zeros((len(capacity), flows + 1))
    for column, (kind, model) in enumerate(zip(kinds, models, strict=True)):
        shared_out[np.searchsorted(rows, kind), column] = 1.0
        busy[model, column] = gpu_s_per_s[kind] * slower[kind, model]
    busy[:, flows] = -capacity
    plan = linprog(
        np.append(np.zeros(flows), 1.0),
        A_ub=busy,
        b_ub=np.zeros(len(capacity)),
        A_eq=shared_out,
        b_eq=np.ones(len(rows)),
        method="highs",
    )
    if plan.x is None:
        raise SimulationError(f"the load's linear program was not solved: {plan.message}")
    return float(plan.x[flows])
