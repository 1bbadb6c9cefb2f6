"""The inflation protocol of the FGD study: fill a cluster with its own workload, beyond its size.

Pods arrive one by one and never leave; one that fits nowhere is dropped. The workload is the trace
in random order, then pods drawn from it again until the GPUs asked for are `until` times the GPUs
there are. What counts is the share of GPUs allocated as load arrives
(Weng et al., USENIX ATC 2023, section 6.2). This module must not read files or print.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from gpu_fleet.cluster_view import ClusterView
from scheduler_extender.placement.choice import TieBreak
from scheduler_extender.placement.pod_mix import PodMix
from scheduler_extender.placement.registry import build_policy
from simulations.decision_log import DecisionLog
from simulations.learned_mix import MixLessons, MixSource
from simulations.loss_ledger import LossLedger
from simulations.main_reasons import MainReasons
from simulations.occupancy import NodeBins, occupy
from simulations.placer import Placer
from simulations.streams import Streams

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from gpu_fleet.protocols import PlacementPolicy
    from simulations.workload import Inventory, Workload

_FULL = 100
"""Percent of arrived load at which as much was asked for as there is."""

__all__ = ["Inflation", "InflationRun", "arrival_order", "inflate", "study_nodes"]


@dataclass(frozen=True, slots=True)
class Inflation:
    """One run to make: a policy, a seed, and everything both depend on."""

    inventory: Inventory
    workload: Workload
    policy: str
    seed: int
    tie_break: TieBreak = TieBreak.RANDOM
    until: float = 1.3
    mix: MixSource = MixSource()
    kernels: bool | None = None
    keep_log: bool = False
    keep_maps: bool = False
    build: Callable[[PodMix], PlacementPolicy] | None = None
    """Makes the policy instead of the registry: for policies that are not ours."""


@dataclass(frozen=True, slots=True)
class InflationRun:
    """What came of it. Percent are of all GPU of the fleet."""

    policy: str
    seed: int
    allocated_percent: tuple[float, ...]
    """By whole percent of arrived load, from 0 to the end."""
    rejected: int
    rejected_at_100: int
    reasons: tuple[tuple[str, int], ...]
    """What kept the rejected pods out: for each, the reason that most nodes gave."""
    log: str = ""
    allocated_map: NDArray[np.float32] | None = None
    """Node bin by percent of arrived load: share of the bin's GPU that is taken."""
    stranded_map: NDArray[np.float32] | None = None
    """The same for free GPU that the mix cannot use."""
    map_labels: tuple[str, ...] = ()
    """The GPU model of each row of the maps."""
    losses: tuple[tuple[str, float], ...] = ()
    """GPU-seconds lost for each placed pod, by term of least-loss; kept with the maps."""


def study_nodes(inventory: Inventory) -> Inventory:
    """The nodes that have GPUs: the study leaves the others out, since all of it is about GPUs."""
    kept = tuple(node for node in inventory.nodes if node.devices)
    left_out = len(inventory.nodes) - len(kept)
    if left_out == 0:
        return inventory
    names = {node.name for node in kept}
    note = f"{left_out} nodes without GPUs are left out, as in the published protocol"
    bound = tuple(pod for pod in inventory.bound if pod.node_name in names)
    return replace(inventory, nodes=kept, bound=bound, notes=(*inventory.notes, note))


def arrival_order(gpu_milli: NDArray[np.int64], goal_milli: int, seed: int) -> NDArray[np.int64]:
    """Which pod arrives when: the trace shuffled, then drawn from again up to the goal.

    A trace that asks for more than the goal is cut at random. Returns indices into the trace.
    """
    order = Streams(seed).generator("arrival-order").permutation(len(gpu_milli))
    asked = np.cumsum(gpu_milli[order])
    if asked[-1] >= goal_milli:
        return order[: int(np.searchsorted(asked, goal_milli, side="right"))]
    again = Streams(seed).generator("inflation")
    parts, total = [order], int(asked[-1])
    while total < goal_milli and gpu_milli.any():
        drawn = again.integers(len(gpu_milli), size=1_024)
        asked = total + np.cumsum(gpu_milli[drawn])
        kept = int(np.searchsorted(asked, goal_milli, side="right"))
        parts.append(drawn[:kept])
        if kept < len(drawn):
            break
        total = int(asked[-1])
    return np.concatenate(parts)


def inflate(spec: Inflation) -> InflationRun:
    """Run the protocol once."""
    return _Run(spec).run()


class _Run:
    def __init__(self, spec: Inflation) -> None:
        self.spec = spec
        self.view = ClusterView.of(spec.inventory.nodes)
        occupy(self.view, spec.inventory.bound)
        self.main_reasons = MainReasons(self.view)
        self.full: set[int] = set()
        """Shapes that were refused: nothing ever leaves, so they will be refused again."""
        self.pods = [traced.pod for traced in spec.workload.pods]
        self.shape_ids = [self.view.intern(pod.shape) for pod in self.pods]
        self.given = PodMix.of(pod.shape for pod in self.pods)
        mix = spec.mix.at_start(self.given)
        self.lessons = MixLessons(spec.mix)
        self.policy = (
            spec.build(mix)
            if spec.build is not None
            else build_policy(spec.policy, mix, kernels=spec.kernels)
        )
        self.ledger = LossLedger(self.view, self.given) if spec.keep_maps else None
        watch = None if self.ledger is None else self.ledger.note
        self.placer = Placer(self.policy, self.view, spec.tie_break, spec.seed, watch)
        self.log = DecisionLog()
        self.capacity_milli = max(1, self.view.gpu_capacity_milli)
        self.refused: Counter[str] = Counter()

    def run(self) -> InflationRun:
        gpu_milli = np.array([pod.shape.total_gpu_milli for pod in self.pods], np.int64)
        goal = round(self.capacity_milli * self.spec.until)
        order = arrival_order(gpu_milli, goal, self.spec.seed)
        steps = round(self.spec.until * 100)
        taken = self.view.gpu_allocated_milli
        curve: list[float] = []
        maps = _Maps(self, steps)
        arrived = rejected = rejected_at_100 = 0
        for sequence, index in enumerate(order.tolist()):
            arrived += int(gpu_milli[index])
            if self._arrive(sequence, index):
                taken += int(gpu_milli[index])
            else:
                rejected += 1
            while len(curve) <= steps and arrived * 100 >= len(curve) * self.capacity_milli:
                maps.look(len(curve))
                curve.append(taken * 100 / self.capacity_milli)
                if len(curve) == _FULL + 1:
                    rejected_at_100 = rejected
        while len(curve) <= steps:
            maps.look(len(curve))
            curve.append(taken * 100 / self.capacity_milli)
        return InflationRun(
            policy=self.policy.name,
            seed=self.spec.seed,
            allocated_percent=tuple(curve),
            rejected=rejected,
            rejected_at_100=rejected_at_100,
            reasons=tuple(self.refused.most_common()),
            log=self.log.text() if self.spec.keep_log else "",
            allocated_map=maps.allocated,
            stranded_map=maps.stranded,
            map_labels=maps.labels,
            losses=() if self.ledger is None else self.ledger.by_term(),
        )

    def _arrive(self, sequence: int, index: int) -> bool:
        pod, shape_id = self.pods[index], self.shape_ids[index]
        name = f"{pod.name}#{sequence}"
        self.lessons.arrive(self.policy, pod.shape)
        known = shape_id in self.full
        decision = None if known else self.placer.place(name, shape_id, sequence)
        if decision is None:
            self.full.add(shape_id)
            self.refused[self.main_reasons.of(shape_id)] += 1
            if self.spec.keep_log:
                self.log.reject(0, name)
            return False
        if self.spec.keep_log:
            node = self.view.node(decision.slot).name
            self.log.place(0, name, node, decision.devices, decision.score)
        return True


class _Maps:
    """Looks at the fleet at each whole percent, when somebody wants to see it."""

    def __init__(self, run: _Run, steps: int) -> None:
        self.allocated: NDArray[np.float32] | None = None
        self.stranded: NDArray[np.float32] | None = None
        self.labels: tuple[str, ...] = ()
        if run.spec.keep_maps:
            self._bins = NodeBins(run.view, run.given)
            self.labels = self._bins.labels()
            self.allocated = np.zeros((self._bins.count, steps + 1), np.float32)
            self.stranded = np.zeros((self._bins.count, steps + 1), np.float32)

    def look(self, step: int) -> None:
        if self.allocated is None or self.stranded is None:
            return
        self.allocated[:, step], self.stranded[:, step] = self._bins.shares()
