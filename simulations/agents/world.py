"""Runs tasks of agents on a fleet: arrive, get a node, fetch what is missing, work, leave.

Completion = wait + fetch + work / speed. The policy sees what the live extender would see: free
room, which datasets each node holds, the agents' profiles and the mix. All chance but the choice
among equals is drawn before the run, so every policy meets the same tasks.
This module must not read files or print.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from gpu_fleet.clock import NS_PER_S
from gpu_fleet.cluster_view import ClusterView
from scheduler_extender.placement.choice import TieBreak
from scheduler_extender.placement.feasibility import shapes_that_fit
from scheduler_extender.placement.pod_mix import MixClass, PodMix
from scheduler_extender.placement.registry import build_policy
from scheduler_extender.placement.terms.expectations import Expectations
from simulations.agents.demand import best_speed, demand_for, draw_tasks
from simulations.agents.disks import NodeDisk
from simulations.agents.losses import Losses, Passage
from simulations.agents.stranded_clock import StrandedClock
from simulations.decision_log import DecisionLog
from simulations.engine import Engine
from simulations.occupancy import occupy
from simulations.pending import Pending
from simulations.placer import Placer
from simulations.statistics import TimeAverage

if TYPE_CHECKING:
    from collections.abc import Callable

    from gpu_fleet.protocols import PlacementPolicy
    from simulations.agents.scenario import Scenario

__all__ = ["AgentRun", "AgentTrial", "expectations", "pod_mix", "run_agents"]

_ARRIVE, _FETCHED, _END, _RETRY = range(4)
_FREEING, _RETRYING, _TAKING = range(3)
"""At one instant, what ends makes room before what waits or arrives asks for it."""
_LATE_PERCENT = 95


@dataclass(frozen=True, slots=True)
class AgentTrial:
    """One run to make: a policy, a seed, and everything both depend on."""

    scenario: Scenario
    policy: str
    seed: int
    load: float = 0.8
    tasks: int = 3_000
    warm_up_percent: int = 25
    """Of the tasks: they fill the fleet and the disks, and are not counted."""
    tie_break: TieBreak = TieBreak.RANDOM
    kernels: bool | None = None
    keep_log: bool = False
    keep_passages: bool = False
    build: Callable[[PodMix, Expectations], PlacementPolicy] | None = None
    """Makes the policy instead of the registry: for policies that are not ours."""


@dataclass(frozen=True, slots=True)
class AgentRun:
    """What came of it, over the tasks that arrived after the warm-up."""

    policy: str
    seed: int
    tasks: int
    mean_completion_s: float
    p95_completion_s: float
    mean_wait_s: float
    losses: Losses
    moved_bytes: int
    busy_percent: float
    """GPU that is taken, averaged from the end of the warm-up to the last arrival."""
    passages: tuple[Passage, ...] = ()
    """Every task in order of arrival, warm-up included."""
    log: str = ""


def pod_mix(scenario: Scenario) -> PodMix:
    """The mix that policies are told: each kind's share and its expected time on its best model."""
    classes = [
        MixClass(kind.shape, kind.weight, max(1, round(kind.work.mean_s)))
        for kind in scenario.kinds
    ]
    return PodMix(tuple(sorted(classes, key=lambda entry: -entry.count)))


def expectations(scenario: Scenario) -> Expectations:
    """What a policy may expect: lifetimes by shape, profiles, and how fast bytes come."""
    return Expectations(
        lifetimes_s=pod_mix(scenario).lifetimes_s(),
        agents=scenario.agents(),
        fetch_bytes_per_s=scenario.fetch_bytes_per_s,
    )


def run_agents(trial: AgentTrial) -> AgentRun:
    """Run the tasks until the last one is done."""
    return _World(trial).run()


class _World:
    def __init__(self, trial: AgentTrial) -> None:
        self.trial = trial
        scenario = self.scenario = trial.scenario
        view = self.view = ClusterView.of(scenario.inventory.nodes)
        occupy(view, scenario.inventory.bound)
        rate = demand_for(scenario, trial.load).rate_per_s
        tasks = draw_tasks(scenario, rate, trial.tasks, trial.seed)
        self.arrivals_ns: list[int] = tasks.arrival_ns.tolist()
        self.kinds: list[int] = tasks.kind.tolist()
        self.work_ns: list[int] = tasks.work_ns.tolist()
        self.shape_ids = [view.intern(kind.shape) for kind in scenario.kinds]
        self.needed = [self._datasets(kind.shape.datasets) for kind in scenario.kinds]
        self.speeds = [kind.agent.speed_permille for kind in scenario.kinds]
        self.best = [best_speed(kind, frozenset(view.models)) for kind in scenario.kinds]
        self.disks = [
            NodeDisk(scenario.disk_bytes, scenario.fetch_bytes_per_s) for _ in range(view.slots)
        ]
        self.placer = Placer(_policy(trial), view, trial.tie_break, trial.seed)
        self.pending = Pending(len(view.shapes))
        self.failed_at = [-1] * len(view.shapes)
        self.departures = 0
        self.stranded = StrandedClock(view, self.shape_ids)
        self.book = _Book(trial.tasks)
        self.first_counted = trial.tasks * trial.warm_up_percent // 100
        self.busy = TimeAverage(level=view.gpu_allocated_milli)
        self.busy_percent = 0.0
        self.log = DecisionLog()
        self.engine = Engine()

    def run(self) -> AgentRun:
        engine = self.engine
        engine.on(_ARRIVE, self._arrive)
        engine.on(_FETCHED, self._fetched)
        engine.on(_END, self._end)
        engine.on(_RETRY, self._retry)
        engine.schedule(self.arrivals_ns[0], _ARRIVE, priority=_TAKING)
        engine.run()
        return self._result()

    def _datasets(self, names: tuple[str, ...]) -> list[tuple[int, int]]:
        sizes = self.scenario.dataset_bytes
        return [
            (self.view.define_dataset(name, sizes[name]), sizes[name])
            for name in names
            if name in sizes
        ]

    # -- events --------------------------------------------------------------------------------

    def _arrive(self, now_ns: int, _a: int, _b: int) -> int | None:
        task = self.book.arrived
        self.book.arrived += 1
        if task == self.first_counted:
            self.busy.restart(now_ns)
        self.stranded.advance(now_ns)
        if not self._try(now_ns, task):
            self._wait(now_ns, task)
        self._look()
        if self.book.arrived < self.trial.tasks:
            return self.arrivals_ns[self.book.arrived]
        if now_ns > self.arrivals_ns[self.first_counted]:
            self.busy_percent = 100 * self.busy.average(now_ns) / self.view.gpu_capacity_milli
        return None

    def _fetched(self, _now_ns: int, slot: int, dataset: int) -> None:
        self.view.hold(slot, dataset)

    def _end(self, now_ns: int, task: int, slot: int) -> None:
        self.stranded.advance(now_ns)
        name = self._name(task)
        self.view.release(name)
        self.departures += 1
        self.busy.set(now_ns, self.view.gpu_allocated_milli)
        self.disks[slot].release(self.book.pinned.pop(task))
        self.book.ended_ns[task] = now_ns
        if self.trial.keep_log:
            self.log.depart(now_ns, name, self.view.node(slot).name)
        if self.pending.count:
            self._serve(now_ns, slot)
            self._look()

    def _retry(self, now_ns: int, shape_id: int, _b: int) -> None:
        """The back-off of a shape is over, and something was free meanwhile."""
        self.stranded.advance(now_ns)
        while self.pending.waiting[shape_id]:
            if not self._start_waiting(now_ns, shape_id):
                self.pending.failed(shape_id, now_ns)
                break
        self._look()

    # -- steps ---------------------------------------------------------------------------------

    def _serve(self, now_ns: int, slot: int) -> None:
        """Tasks in line start, longest wait first, as long as the freed node takes one."""
        fits = shapes_that_fit(self.view, slot, self.pending.shapes())
        for shape_id, at_ns in self.pending.departure(fits, now_ns):
            self.engine.schedule(at_ns, _RETRY, shape_id, priority=_RETRYING)
        while (in_turn := self.pending.in_turn(fits, now_ns)) is not None:
            if not self._start_waiting(now_ns, in_turn):
                return
            fits = shapes_that_fit(self.view, slot, self.pending.shapes())

    def _start_waiting(self, now_ns: int, shape_id: int) -> bool:
        if not self._try(now_ns, self.pending.head(shape_id)):
            return False
        self.pending.take(shape_id)
        return True

    def _wait(self, now_ns: int, task: int) -> None:
        kind = self.kinds[task]
        self.book.clock_at_join[task] = self.stranded.read(kind)
        self.pending.add(self.shape_ids[kind], task, now_ns)
        if self.trial.keep_log:
            self.log.wait(now_ns, self._name(task))

    def _try(self, now_ns: int, task: int) -> bool:
        """Give the task a node if there is one."""
        kind = self.kinds[task]
        shape_id = self.shape_ids[kind]
        # Placements only take room away: without a departure since it failed it fails again.
        if self.failed_at[shape_id] == self.departures:
            return False
        name = self._name(task)
        decision = self.placer.place(name, shape_id, task)
        if decision is None:
            self.failed_at[shape_id] = self.departures
            return False
        self.busy.set(now_ns, self.view.gpu_allocated_milli)
        if self.trial.keep_log:
            node = self.view.node(decision.slot).name
            self.log.place(now_ns, name, node, decision.devices, decision.score)
        self._begin(now_ns, task, decision.slot)
        return True

    def _begin(self, now_ns: int, task: int, slot: int) -> None:
        """Fetch what the node lacks, and say when the task will be done."""
        kind, book = self.kinds[task], self.book
        fetch = self.disks[slot].fetch(now_ns, self.needed[kind])
        for dataset in fetch.evicted:
            self.view.hold(slot, dataset, held=False)
        for dataset, there_ns in fetch.arriving:
            self.engine.schedule(there_ns, _FETCHED, slot, dataset, priority=_FREEING)
        clock = self.stranded.read(kind)
        book.stranded_ns[task] = clock - book.clock_at_join.pop(task, clock)
        book.started_ns[task], book.ready_ns[task] = now_ns, fetch.ready_ns
        book.moved_bytes[task], book.pinned[task] = fetch.moved_bytes, fetch.pinned
        end_ns = fetch.ready_ns + self._run_ns(task, slot)
        self.engine.schedule(end_ns, _END, task, slot, priority=_FREEING)

    def _run_ns(self, task: int, slot: int) -> int:
        kind = self.kinds[task]
        best = self.best[kind]
        speed = self.speeds[kind].get(self.view.node(slot).gpu_model or "", best)
        return self.work_ns[task] * best // speed

    def _look(self) -> None:
        if self.pending.count:
            self.stranded.look()

    def _name(self, task: int) -> str:
        return f"{self.scenario.kinds[self.kinds[task]].name}#{task}"

    # -- result --------------------------------------------------------------------------------

    def _result(self) -> AgentRun:
        passages = tuple(self._passage(task) for task in range(self.trial.tasks))
        counted = passages[self.first_counted :]
        completion_s = np.array([p.completion_ns for p in counted]) / NS_PER_S
        losses = Losses()
        for passage in counted:
            losses.add(passage)
        return AgentRun(
            policy=self.placer.policy.name,
            seed=self.trial.seed,
            tasks=len(counted),
            mean_completion_s=float(completion_s.mean()),
            p95_completion_s=float(np.percentile(completion_s, _LATE_PERCENT)),
            mean_wait_s=sum(p.waited_ns for p in counted) / NS_PER_S / len(counted),
            losses=losses,
            moved_bytes=sum(p.moved_bytes for p in counted),
            busy_percent=self.busy_percent,
            passages=passages if self.trial.keep_passages else (),
            log=self.log.text(),
        )

    def _passage(self, task: int) -> Passage:
        book = self.book
        return Passage(
            gpu_milli=self.scenario.kinds[self.kinds[task]].shape.total_gpu_milli,
            arrived_ns=self.arrivals_ns[task],
            started_ns=book.started_ns[task],
            ready_ns=book.ready_ns[task],
            ended_ns=book.ended_ns[task],
            work_ns=self.work_ns[task],
            stranded_ns=book.stranded_ns[task],
            moved_bytes=book.moved_bytes[task],
        )


class _Book:
    """What is written down of each task while it passes."""

    def __init__(self, tasks: int) -> None:
        self.arrived = 0
        self.started_ns = [0] * tasks
        self.ready_ns = [0] * tasks
        self.ended_ns = [0] * tasks
        self.stranded_ns = [0] * tasks
        self.moved_bytes = [0] * tasks
        self.clock_at_join: dict[int, int] = {}
        self.pinned: dict[int, tuple[int, ...]] = {}


def _policy(trial: AgentTrial) -> PlacementPolicy:
    mix, expect = pod_mix(trial.scenario), expectations(trial.scenario)
    if trial.build is not None:
        return trial.build(mix, expect)
    return build_policy(trial.policy, mix, expect, kernels=trial.kernels)
