"""How many more pods of one shape fit on a fleet as it is, and what stops the next one.

Pods are placed one by one with a policy until no node can take another, so the number is exact, not
an estimate from free amounts: a fleet with plenty of free GPU and no CPU beside it holds none.
Every node then has a reason. The first thing in the way is counted, and where it is the only thing
in the way it is counted again: there, more of that alone would let pods in.
This module must not read files or print.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from gpu_fleet.cluster_view import ClusterView
from gpu_fleet.errors import InputError
from gpu_fleet.nodes import WHOLE_GPU_MILLI
from gpu_fleet.pods import Pod
from gpu_fleet.refusals import Refusal
from scheduler_extender.placement.choice import TieBreak
from scheduler_extender.placement.feasibility import open_devices, reasons
from scheduler_extender.placement.pod_mix import PodMix
from scheduler_extender.placement.registry import build_policy
from simulations.decision_log import DecisionLog
from simulations.occupancy import occupy
from simulations.placer import Placer

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import NDArray

    from gpu_fleet.pods import PodShape
    from simulations.workload import Inventory, Workload

__all__ = ["Fit", "Fitting", "OnlyThing", "fit"]

_USED_UP = (Refusal.CPU, Refusal.MEMORY, Refusal.GPU_FREE)


@dataclass(frozen=True, slots=True)
class Fitting:
    """A question: how many more of this shape fit on these nodes."""

    inventory: Inventory
    shape: PodShape
    policy: str = "least-loss"
    also: Workload | None = None
    """Pods that are placed before, in their order."""
    kernels: bool | None = None
    keep_log: bool = False


@dataclass(frozen=True, slots=True)
class OnlyThing:
    """What alone keeps the pod off some nodes: there, more of it would let one in."""

    refusal: Refusal
    nodes: int
    free_gpus: float
    """GPU that is free on these nodes, in devices."""

    @property
    def is_used_up(self) -> bool:
        """It is something that pods took, so that there may be more of it."""
        return self.refusal in _USED_UP

    def __str__(self) -> str:
        nodes = "1 node" if self.nodes == 1 else f"{self.nodes:,} nodes"
        gpus = f", and {self.free_gpus:,g} GPUs are free there" if self.free_gpus else ""
        return f"the only obstacle on {nodes} is '{self.refusal.phrase}'{gpus}"


@dataclass(frozen=True, slots=True)
class Fit:
    """The answer."""

    pods: int
    stops_by_reason: dict[str, int]
    """Nodes by the first thing that keeps the next pod off them; together all nodes."""
    only_things: tuple[OnlyThing, ...]
    """What is used up first, then what the nodes never had; the most nodes first."""
    also_placed: int
    also_unplaced: int
    """Pods placed before that found no place themselves."""
    log: str = ""


def fit(fitting: Fitting) -> Fit:
    """Place until nothing fits, and look at what stops the next pod."""
    shape = fitting.shape
    if not (shape.cpu_milli or shape.memory_mib or shape.gpu_count):
        raise InputError(
            "the pod asks for nothing, so any number of it fits",
            remedy="say what it asks for: --cpu, --memory, --gpus",
        )
    run = _Run(fitting)
    also_placed, also_unplaced = run.place_also()
    pods = run.place_until_full()
    view, shape_id = run.view, run.shape_id
    why = reasons(view, shape_id, view.live_slots())
    stops = Counter(Refusal(int(reason)) for reason in why)
    return Fit(
        pods=pods,
        stops_by_reason={refusal.phrase: many for refusal, many in stops.most_common()},
        only_things=_only_things(view, shape_id, why),
        also_placed=also_placed,
        also_unplaced=also_unplaced,
        log=run.log.text(),
    )


class _Run:
    def __init__(self, fitting: Fitting) -> None:
        self.fitting = fitting
        self.view = ClusterView.of(fitting.inventory.nodes)
        occupy(self.view, fitting.inventory.bound)
        self.shape_id = self.view.intern(fitting.shape)
        self.also = [t.pod for t in fitting.also.pods] if fitting.also is not None else []
        mix = PodMix.of([*(pod.shape for pod in self.also), fitting.shape])
        policy = build_policy(fitting.policy, mix, kernels=fitting.kernels)
        self.placer = Placer(policy, self.view, TieBreak.RANDOM, seed=0)
        self.log = DecisionLog()
        self.sequence = 0

    def place_also(self) -> tuple[int, int]:
        """The pods that come before; returns how many found a place and how many did not."""
        placed = self._place(self.also)
        return placed, len(self.also) - placed

    def place_until_full(self) -> int:
        pods = 0
        while self._place([Pod(f"next#{pods}", self.fitting.shape)]):
            pods += 1
        return pods

    def _place(self, pods: Iterable[Pod]) -> int:
        placed = 0
        for pod in pods:
            name = pod.name if self.view.placement(pod.name) is None else f"{pod.name}#again"
            decision = self.placer.place(name, self.view.intern(pod.shape), self.sequence)
            self.sequence += 1
            placed += decision is not None
            if not self.fitting.keep_log:
                continue
            if decision is None:
                self.log.reject(0, name)
            else:
                node = self.view.node(decision.slot).name
                self.log.place(0, name, node, decision.devices, decision.score)
        return placed


def _only_things(view: ClusterView, shape_id: int, why: NDArray[np.uint8]) -> tuple[OnlyThing, ...]:
    """Each reason with the nodes on which it stands alone."""
    slots, shapes = view.live_slots(), view.shapes
    gpus = int(shapes.gpu_count[shape_id])
    lacks = np.array(
        (
            view.refusals[shapes.admission_id[shape_id]][slots] != Refusal.NONE,
            view.cpu_free_milli[slots] < shapes.cpu_milli[shape_id],
            view.memory_free_mib[slots] < shapes.memory_mib[shape_id],
            open_devices(view, shape_id, slots).sum(axis=1) < gpus,
        )
    )
    alone = lacks.sum(axis=0) == 1
    free = view.gpu_free_milli[slots].sum(axis=1) / WHOLE_GPU_MILLI
    things = [
        OnlyThing(Refusal(refusal), many, float(free[alone & (why == refusal)].sum()))
        for refusal, many in Counter(why[alone].tolist()).items()
    ]
    return tuple(sorted(things, key=lambda thing: (not thing.is_used_up, -thing.nodes)))
