"""Replays a workload with its arrivals and departures: waits, stranded GPU, rejected pods.

A pod that fits nowhere waits and is tried again when others leave (`simulations.pending`); one that
no node could hold even when empty is rejected at once. Averages are over time, after a warm-up.
This module must not read files or print.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from gpu_fleet.clock import NS_PER_S
from gpu_fleet.cluster_view import ClusterView
from gpu_fleet.refusals import Refusal
from scheduler_extender.placement.choice import TieBreak
from scheduler_extender.placement.feasibility import reasons
from scheduler_extender.placement.pod_mix import MixClass, PodMix
from scheduler_extender.placement.registry import build_policy
from simulations.arrivals import lifetimes_s
from simulations.decision_log import DecisionLog
from simulations.engine import Engine
from simulations.kube_placer import KubePlacer
from simulations.loss_ledger import LossLedger
from simulations.main_reasons import MainReasons
from simulations.occupancy import NodeBins, occupy
from simulations.openings import Openings
from simulations.pending import Pending
from simulations.placer import Placer

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from gpu_fleet.pods import PodShape
    from gpu_fleet.protocols import PlacementPolicy
    from simulations.arrivals import Arrivals, PoissonArrivals, TraceArrivals
    from simulations.kube_placer import KubeHost
    from simulations.workload import Inventory, Workload

__all__ = ["Replay", "ReplayRun", "draw_arrivals", "replay"]

_ARRIVE, _DEPART, _RETRY, _WARM, _LOOK = range(5)
_MAP_STEPS = 120


@dataclass(frozen=True, slots=True)
class Replay:
    """One run to make."""

    inventory: Inventory
    workload: Workload
    policy: str
    seed: int
    arrivals: TraceArrivals | PoissonArrivals
    tie_break: TieBreak = TieBreak.RANDOM
    warm_up: float = 0.3
    """Share of the span of arrivals that is simulated but not measured."""
    kernels: bool | None = None
    keep_log: bool = False
    keep_maps: bool = False
    build: Callable[[PodMix], PlacementPolicy] | None = None
    """Makes the policy instead of the registry: for policies that are not ours."""
    kube: KubeHost | None = None
    """Hosts the model of kube-scheduler instead of a policy."""


@dataclass(frozen=True, slots=True)
class ReplayRun:
    """What came of it. Averages are percent of all GPU of the fleet, over the measured time."""

    policy: str
    seed: int
    offered_load: float
    span_s: float
    """From the first arrival to the last, warm-up included."""
    measured_s: float
    mean_wait_s: float
    """Of pods that arrived and started in the measured time."""
    p99_wait_s: float
    allocated_gpu_time_avg: float
    stranded_gpu_time_avg: float
    """Free GPU while a pod waits."""
    queue_time_share: float
    """Share of the measured time in which a pod waits."""
    started: int
    rejected: int
    waiting_at_end: int
    reject_reasons: tuple[tuple[str, int], ...]
    wait_reasons: tuple[tuple[str, int], ...]
    """Why pods had to wait when they came: the reason that most nodes gave."""
    log: str = ""
    allocated_map: NDArray[np.float32] | None = None
    stranded_map: NDArray[np.float32] | None = None
    map_labels: tuple[str, ...] = ()
    """The GPU model of each row of the maps."""
    map_gpus: tuple[float, ...] = ()
    """How many GPUs each row of the maps stands for."""
    losses: tuple[tuple[str, float], ...] = ()
    """GPU-seconds lost for each pod placed in the measured time, by term of least-loss; kept with
    the maps."""


def draw_arrivals(
    arrivals: TraceArrivals | PoissonArrivals, workload: Workload, inventory: Inventory, seed: int
) -> Arrivals:
    """The arrivals that a seed means on this fleet; raises `InputError` where there can be none."""
    gpu_milli = np.array([traced.pod.shape.total_gpu_milli for traced in workload.pods], np.int64)
    capacity_milli = max(1, ClusterView.of(inventory.nodes).gpu_capacity_milli)
    return arrivals.draw(workload, gpu_milli, capacity_milli, seed)


def replay(spec: Replay) -> ReplayRun:
    """Run it once."""
    return _World(spec).run()


class _World:
    def __init__(self, spec: Replay) -> None:
        self.spec = spec
        self.view = ClusterView.of(spec.inventory.nodes)
        occupy(self.view, spec.inventory.bound)
        self.capacity_milli = max(1, self.view.gpu_capacity_milli)
        self.pods = [traced.pod for traced in spec.workload.pods]
        self.arrivals = draw_arrivals(spec.arrivals, spec.workload, spec.inventory, spec.seed)
        self.shape_ids = [self.view.intern(pod.shape) for pod in self.pods]
        mix = _mix(spec.workload, np.unique(self.arrivals.index))
        self.ledger = LossLedger(self.view, mix) if spec.keep_maps else None
        watch = None if self.ledger is None else self.ledger.note
        self.placer = _placer(spec, mix, self.view, watch)
        self.impossible = _impossible(spec.inventory, self.view)
        self.pending = Pending(len(self.view.shapes))
        self.openings = Openings(self.view)
        self.meter = _Meter(self.capacity_milli, self.view.gpu_allocated_milli)
        self.log = DecisionLog()
        self.engine = Engine()
        self.attempts = 0
        self.departures = 0
        self.failed_at = [-1] * len(self.view.shapes)
        self.index = self.arrivals.index.tolist()
        self.at_ns = self.arrivals.at_ns.tolist()
        self.stays_ns = self.arrivals.stays_ns.tolist()
        self.next = 0
        self.waits_ns: list[int] = []
        self.rejects: Counter[str] = Counter()
        self.reasons: Counter[str] = Counter()
        self.main_reasons = MainReasons(self.view)
        self.warm_ns = round(self.arrivals.end_ns * spec.warm_up)
        self.maps = _Maps(self, mix) if spec.keep_maps else None

    def run(self) -> ReplayRun:
        engine = self.engine
        engine.on(_ARRIVE, self._arrive)
        engine.on(_DEPART, self._depart)
        engine.on(_RETRY, self._retry)
        engine.on(_WARM, self._warm)
        engine.on(_LOOK, self._look)
        engine.schedule(self.warm_ns, _WARM, priority=-1)
        engine.schedule(self.at_ns[0], _ARRIVE, priority=1)
        if self.maps is not None:
            for step in range(_MAP_STEPS):
                engine.schedule(self.arrivals.end_ns * step // _MAP_STEPS, _LOOK, step, priority=2)
        engine.run(self.arrivals.end_ns)
        self.meter.to(self.arrivals.end_ns, len(self.pending))
        return self._result()

    # -- events --------------------------------------------------------------------------------

    def _arrive(self, now_ns: int, _a: int, _b: int) -> int | None:
        number = self.next
        self.next = number + 1
        shape_id = self.shape_ids[self.index[number]]
        if self.impossible[shape_id] is not None:
            self._reject(now_ns, number, shape_id)
        elif not self._try(now_ns, number, shape_id):
            self.meter.to(now_ns, len(self.pending))
            if not self.pending.waiting[shape_id]:
                self.openings.join(shape_id)
            self.pending.add(shape_id, number, now_ns)
            if now_ns >= self.warm_ns:
                self.reasons[self.main_reasons.of(shape_id)] += 1
            if self.spec.keep_log:
                self.log.wait(now_ns, self._name(number))
        return self.at_ns[self.next] if self.next < len(self.at_ns) else None

    def _depart(self, now_ns: int, number: int, _b: int) -> None:
        name = self._name(number)
        placement = self.view.release(name)
        self.departures += 1
        self.meter.to(now_ns, len(self.pending))
        self.meter.taken_milli -= self.pods[self.index[number]].shape.total_gpu_milli
        if self.spec.keep_log:
            self.log.depart(now_ns, name, self.view.node(placement.slot).name)
        if not self.pending.count:
            return
        fits = self.openings.freed(placement.slot, self.pending.shapes())
        for shape_id, at_ns in self.pending.departure(fits, now_ns):
            self.engine.schedule(at_ns, _RETRY, shape_id)
        self._serve(now_ns, placement.slot, fits)

    def _serve(self, now_ns: int, slot: int, fits: NDArray[np.bool_]) -> None:
        """Pods in line start, longest wait first, as long as the freed node takes one."""
        while (shape_id := self.pending.in_turn(fits, now_ns)) is not None:
            if not self._start_waiting(now_ns, shape_id):
                return
            fits = self.openings.at(slot, self.pending.shapes())

    def _retry(self, now_ns: int, shape_id: int, _b: int) -> None:
        """The back-off of a shape is over, and something was free meanwhile."""
        while self.pending.waiting[shape_id]:
            if not self._start_waiting(now_ns, shape_id):
                self.pending.failed(shape_id, now_ns)
                return

    def _warm(self, now_ns: int, _a: int, _b: int) -> None:
        self.meter.to(now_ns, len(self.pending))
        self.meter.restart()
        if self.ledger is not None:
            self.ledger.restart()

    def _look(self, _now_ns: int, step: int, _b: int) -> None:
        if self.maps is not None:
            self.maps.look(step)

    # -- steps ---------------------------------------------------------------------------------

    def _start_waiting(self, now_ns: int, shape_id: int) -> bool:
        if not self._try(now_ns, self.pending.head(shape_id), shape_id):
            return False
        self.pending.take(shape_id)
        if not self.pending.waiting[shape_id]:
            self.openings.leave(shape_id)
        return True

    def _try(self, now_ns: int, number: int, shape_id: int) -> bool:
        # Placements only take room away: without a departure since it failed it fails again.
        if self.failed_at[shape_id] == self.departures:
            return False
        attempt = self.attempts
        self.attempts += 1
        if self._is_hopeless(shape_id) or not self._place(now_ns, number, shape_id, attempt):
            self.failed_at[shape_id] = self.departures
            return False
        return True

    def _is_hopeless(self, shape_id: int) -> bool:
        """Whether an attempt is known to be in vain, and nobody would notice that it was not made.

        kube-scheduler would: its cycles move the node at which the next one begins to look.
        """
        if self.spec.kube is not None or not self.pending.waiting[shape_id]:
            return False
        return not self.openings.somewhere(shape_id)

    def _place(self, now_ns: int, number: int, shape_id: int, attempt: int) -> bool:
        name = self._name(number)
        decision = self.placer.place(name, shape_id, attempt)
        if decision is None:
            return False
        if self.pending.count:
            self.openings.filled(decision.slot, self.pending.shapes())
        self.meter.to(now_ns, len(self.pending))
        self.meter.taken_milli += self.view.shapes[shape_id].total_gpu_milli
        arrived_ns = self.at_ns[number]
        if arrived_ns >= self.warm_ns:
            self.waits_ns.append(now_ns - arrived_ns)
        self.engine.schedule(now_ns + self.stays_ns[number], _DEPART, number)
        if self.spec.keep_log:
            node = self.view.node(decision.slot).name
            self.log.place(now_ns, name, node, decision.devices, decision.score)
        return True

    def _reject(self, now_ns: int, number: int, shape_id: int) -> None:
        why = self.impossible[shape_id]
        assert why is not None  # noqa: S101 - the caller asked
        self.rejects[why] += 1
        if self.spec.keep_log:
            self.log.reject(now_ns, self._name(number))

    def _name(self, number: int) -> str:
        return f"{self.pods[self.index[number]].name}#{number}"

    def _result(self) -> ReplayRun:
        waits = np.array(self.waits_ns, np.int64) / NS_PER_S
        meter = self.meter
        return ReplayRun(
            policy=self.placer.name,
            seed=self.spec.seed,
            offered_load=self.arrivals.offered_load,
            span_s=self.arrivals.end_ns / NS_PER_S,
            measured_s=meter.measured_ns / NS_PER_S,
            mean_wait_s=float(waits.mean()) if len(waits) else 0.0,
            p99_wait_s=float(np.quantile(waits, 0.99)) if len(waits) else 0.0,
            allocated_gpu_time_avg=meter.allocated_percent,
            stranded_gpu_time_avg=meter.stranded_percent,
            queue_time_share=meter.queue_share,
            started=len(waits),
            rejected=self.rejects.total(),
            waiting_at_end=len(self.pending),
            reject_reasons=tuple(self.rejects.most_common()),
            wait_reasons=tuple(self.reasons.most_common()),
            log=self.log.text() if self.spec.keep_log else "",
            allocated_map=None if self.maps is None else self.maps.allocated,
            stranded_map=None if self.maps is None else self.maps.stranded,
            map_labels=() if self.maps is None else self.maps.bins.labels(),
            map_gpus=() if self.maps is None else self.maps.bins.gpus(),
            losses=() if self.ledger is None else self.ledger.by_term(),
        )


def _placer(
    spec: Replay, mix: PodMix, view: ClusterView, watch: Callable[[int, int], None] | None
) -> Placer | KubePlacer:
    if spec.kube is not None:
        return KubePlacer(view, spec.kube, spec.seed, watch)
    make = spec.build or partial(build_policy, spec.policy, kernels=spec.kernels)
    return Placer(make(mix), view, spec.tie_break, spec.seed, watch)


class _Meter:
    """Time integrals of GPU taken, and of GPU free while pods wait, in exact whole numbers."""

    __slots__ = (
        "_area",
        "_at_ns",
        "_capacity",
        "_queued_ns",
        "_start_ns",
        "_stranded",
        "taken_milli",
    )

    def __init__(self, capacity_milli: int, taken_milli: int) -> None:
        self.taken_milli = taken_milli
        self._capacity = capacity_milli
        self._at_ns = self._start_ns = 0
        self._area = self._stranded = self._queued_ns = 0

    def to(self, now_ns: int, queued: int) -> None:
        """Nothing changed until now; call before each change."""
        passed = now_ns - self._at_ns
        if passed == 0:
            return
        self._at_ns = now_ns
        self._area += self.taken_milli * passed
        if queued:
            self._stranded += (self._capacity - self.taken_milli) * passed
            self._queued_ns += passed

    def restart(self) -> None:
        """The warm-up is over: forget what was measured."""
        self._start_ns = self._at_ns
        self._area = self._stranded = self._queued_ns = 0

    @property
    def measured_ns(self) -> int:
        return self._at_ns - self._start_ns

    @property
    def allocated_percent(self) -> float:
        return self._area * 100 / (self._capacity * max(1, self.measured_ns))

    @property
    def stranded_percent(self) -> float:
        return self._stranded * 100 / (self._capacity * max(1, self.measured_ns))

    @property
    def queue_share(self) -> float:
        return self._queued_ns / max(1, self.measured_ns)


class _Maps:
    """The fleet at equal steps of time."""

    def __init__(self, world: _World, mix: PodMix) -> None:
        self.bins = NodeBins(world.view, mix)
        self.allocated = np.zeros((self.bins.count, _MAP_STEPS), np.float32)
        self.stranded = np.zeros((self.bins.count, _MAP_STEPS), np.float32)

    def look(self, step: int) -> None:
        self.allocated[:, step], self.stranded[:, step] = self.bins.shares()


def _mix(workload: Workload, replayed: NDArray[np.int64]) -> PodMix:
    """Classes of the pods that are replayed, with their counts and mean lifetimes."""
    stays = lifetimes_s(workload).tolist()
    counts: Counter[PodShape] = Counter()
    total_s: Counter[PodShape] = Counter()
    for index in replayed.tolist():
        shape = workload.pods[index].pod.shape
        counts[shape] += 1
        total_s[shape] += stays[index]
    return PodMix(
        tuple(
            MixClass(shape, count, max(1, total_s[shape] // count))
            for shape, count in counts.most_common()
        )
    )


def _impossible(inventory: Inventory, view: ClusterView) -> list[str | None]:
    """By shape id: why no node of this fleet could hold it even when empty, or None."""
    empty = ClusterView.of(inventory.nodes)
    every = empty.live_slots()
    answers: list[str | None] = []
    for shape_id in range(len(view.shapes)):
        why = reasons(empty, empty.intern(view.shapes[shape_id]), every)
        if (why == Refusal.NONE).any():
            answers.append(None)
        else:
            answers.append(Refusal(int(np.bincount(why).argmax())).phrase)
    return answers
