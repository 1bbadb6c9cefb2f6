"""A real kube-scheduler with and without the extender, in pairs, on KWOK nodes.

Both sides run the shipped profile; `extenders` is all that differs, and on the side without them no
extender runs either, so that it takes no processor away. Two questions: how many pods a second when
a whole burst is waiting, and whether pods that come at a steady rate wait longer. Times are those
of the API server's audit log, by one clock and to the microsecond.
"""

# ruff: noqa: T201 - a benchmark prints what it measured

from __future__ import annotations

import os
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from statistics import median, quantiles
from typing import TYPE_CHECKING, Any, Final

from prometheus_client.parser import text_string_to_metric_families

from service_runtime.kube.api import PODS, Resource
from tests.cluster.components import Settings
from tests.cluster.control_plane import _answers, start_control_plane
from tests.cluster.fleet import Fleet, PodShape, gpu_nodes, is_bound, pods
from tests.cluster.waiting import wait_until
from tests.cluster.wire import KubeWire
from tests.figures import machine, record
from tests.scheduler_extender.service.harness import installed

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from tests.cluster.audit import AuditEvent
    from tests.cluster.control_plane import ControlPlane
    from tests.cluster.processes import Running
    from tests.scheduler_extender.service.harness import Installation

__all__ = ["run"]

NAMESPACE: Final = "bench"
NAMESPACES: Final = Resource("v1", "namespaces", "Namespace", namespaced=False)
MUST_SATURATED: Final = 0.75
GOAL_SATURATED: Final = 0.90
MUST_ARRIVING: Final = 0.99
"""Of 50 pods a second: as many are bound a second as without, but for the ends of a run."""
ARRIVALS_PER_S: Final = 50
CREATORS: Final = 8
"""Pods created at once, so that one slow answer of the API server does not slow the arrivals."""
QUIET_LOAD: Final = 0.5
LOOK_EVERY_S: Final = 1.0
_LIMIT_S: Final = 600.0
_TICKS_PER_S: Final = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True, slots=True)
class Run:
    """One side of one pair."""

    nodes: int
    pair: int
    question: str
    """`burst` or `arrivals`."""
    extender: bool
    pods: int
    pods_per_s: float
    """From the first binding to the last."""
    created_per_s: float
    """From the first creation to the last: what a busy machine really offered."""
    wait_p50_ms: float
    wait_p99_ms: float
    """From a pod's creation to its binding; of a burst, which waits by design, no figure."""
    attempt_ms: float
    """The mean of scheduler_scheduling_attempt_duration_seconds of what was scheduled."""
    scheduler_cpu_s: float
    extender_cpu_s: float


class Bench:
    """One control plane with one fleet, and runs on it."""

    def __init__(self, plane: ControlPlane, fleet: Fleet, installation: Installation) -> None:
        self._plane = plane
        self._fleet = fleet
        self._installation = installation
        self._nodes = len(fleet.nodes())
        self._begun = 0

    def burst(self, pair: int, many: int, *, extender: bool) -> Run:
        """All pods wait before the scheduler starts."""
        name = self._next_name()
        self._fleet.add_pods(_pods(name, many))
        with self._side(name, extender=extender) as side:
            self._wait_bound(many)
            return self._told(side, pair, "burst", many)

    def arrivals(self, pair: int, many: int, *, extender: bool) -> Run:
        """The scheduler runs, and pods come one after the other."""
        name = self._next_name()
        with self._side(name, extender=extender) as side:
            begun_s = time.monotonic()
            with ThreadPoolExecutor(CREATORS) as creators:
                for at, pod in enumerate(_pods(name, many)):
                    time.sleep(max(0.0, begun_s + at / ARRIVALS_PER_S - time.monotonic()))
                    creators.submit(self._fleet.add_pods, [pod])
            self._wait_bound(many)
            return self._told(side, pair, "arrivals", many)

    def _wait_bound(self, many: int) -> None:
        """Look seldom: a list of all pods takes the API server as long as many bindings do."""
        wait_until(
            f"{many} bound pods",
            lambda: sum(map(is_bound, self._fleet.pods())),
            lambda bound: bound >= many,
            limit_s=_LIMIT_S,
            every_s=LOOK_EVERY_S,
        )

    def _next_name(self) -> str:
        self._begun += 1
        return f"side-{self._begun}"

    @contextmanager
    def _side(self, name: str, *, extender: bool) -> Iterator[Side]:
        with ExitStack() as stack:
            stack.callback(self._clear)
            configuration = self._installation.configuration(name, 0)
            pid = 0
            if extender:
                replica = self._installation.extender(name)
                stack.callback(replica.kill)
                replica.start().wait_leading()
                configuration = self._installation.configuration(name, replica.port())
                pid = replica.process.pid if replica.process is not None else 0
            else:
                del configuration["extenders"]
            yield stack.enter_context(self._scheduler(name, configuration, pid))

    @contextmanager
    def _scheduler(self, name: str, configuration: dict[str, Any], extender: int) -> Iterator[Side]:
        plane = self._plane
        user, port = plane.user(name), plane.house.take_port()
        plane._let_schedule(name)
        command = plane.scheduler_command(name, user, port, configuration)
        running = plane.add(name, command, _answers(port, plane.ca, "/readyz"))
        try:
            yield Side(name, running, port, extender)
        finally:
            running.kill()

    def _told(self, side: Side, pair: int, question: str, many: int) -> Run:
        bound = _times(self._plane, "pods/binding", NAMESPACE, side.name)
        made = _times(self._plane, "pods", NAMESPACE, side.name)
        waits_ms = [(bound[name] - made[name]) * 1e3 for name in bound if name in made]
        return Run(
            nodes=self._nodes,
            pair=pair,
            question=question,
            extender=bool(side.extender),
            pods=many,
            pods_per_s=_rate(bound),
            created_per_s=_rate(made),
            wait_p50_ms=median(waits_ms) if question == "arrivals" else 0.0,
            wait_p99_ms=quantiles(waits_ms, n=100)[98] if question == "arrivals" else 0.0,
            attempt_ms=self._attempt_ms(side.port),
            scheduler_cpu_s=_cpu_s(side.scheduler.pid),
            extender_cpu_s=_cpu_s(side.extender) if side.extender else 0.0,
        )

    def _attempt_ms(self, port: int) -> float:
        admin = self._plane.admin
        wire = KubeWire(
            f"https://127.0.0.1:{port}", self._plane.ca, certificate=(admin.certificate, admin.key)
        )
        try:
            text = wire.ask("GET", "/metrics").decode()
        finally:
            wire.close()
        wanted = "scheduler_scheduling_attempt_duration_seconds"
        sums: dict[str, float] = {}
        for family in text_string_to_metric_families(text):
            for sample in family.samples if family.name == wanted else ():
                if sample.labels.get("result") == "scheduled":
                    kind = sample.name.removeprefix(wanted)
                    sums[kind] = sums.get(kind, 0.0) + sample.value
        return 1e3 * sums["_sum"] / sums["_count"]

    def _clear(self) -> None:
        self._fleet.wire.delete_all(PODS, NAMESPACE)
        wait_until("no pods", lambda: not self._fleet.pods(), limit_s=_LIMIT_S)


@dataclass(frozen=True, slots=True)
class Side:
    """A scheduler at work, and the process of the extender it asks, if any."""

    name: str
    scheduler: Running
    port: int
    extender: int


def _pods(scheduler: str, many: int) -> list[dict[str, Any]]:
    """Pods of three shapes, one after the other."""
    shapes = [
        PodShape(cpu_milli=4_000, memory_mib=16_384, gpus=gpus, scheduler=scheduler)
        for gpus in (1, 2, 4)
    ]
    made = [pods(shape, -(-many // 3), prefix=f"{scheduler}-{shape.gpus}") for shape in shapes]
    return [pod for three in zip(*made, strict=True) for pod in three][:many]


def _times(plane: ControlPlane, resource: str, namespace: str, prefix: str) -> dict[str, float]:
    """When each pod of a run was created, or bound, in seconds."""

    def wanted(event: AuditEvent) -> bool:
        about = event.object_ref
        return (
            (event.verb, event.resource, about.namespace) == ("create", resource, namespace)
            and about.name.startswith(f"{prefix}-")
            and event.response_status.code < 300
        )

    return {
        event.object_ref.name: datetime.fromisoformat(event.request_received_timestamp).timestamp()
        for event in plane.audit.read().where(wanted)
    }


def _rate(times: Mapping[str, float]) -> float:
    return (len(times) - 1) / (max(times.values()) - min(times.values()))


def _cpu_s(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / _TICKS_PER_S


def measure(nodes: int, pairs: int, many: int) -> list[Run]:
    """So many pairs of each question; who begins changes from pair to pair."""
    runs = []
    with ExitStack() as stack:
        plane = stack.enter_context(start_control_plane(Settings()))
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        plane.wire.create(NAMESPACES, {"metadata": {"name": NAMESPACE}})
        plane.wire.create(NAMESPACES, {"metadata": {"name": f"{NAMESPACE}-extender"}})
        fleet = Fleet(plane.wire, NAMESPACE)
        fleet.add_nodes(gpu_nodes(nodes, "NVIDIA-A100", 8, prefix="bench"), limit_s=_LIMIT_S)
        installation = stack.enter_context(installed(plane, f"{NAMESPACE}-extender", folder))
        bench = Bench(plane, fleet, installation)
        for pair in range(pairs):
            for extender in (pair % 2 == 0, pair % 2 == 1):
                for ask in (bench.burst, bench.arrivals):
                    runs.append(ask(pair, many, extender=extender))
                    _tell(runs[-1])
    return runs


def _tell(one: Run) -> None:
    side = "with" if one.extender else "without"
    waits = (
        f" of {one.created_per_s:.1f}, waits p50 {one.wait_p50_ms:.0f} p99 {one.wait_p99_ms:.0f} ms"
    )
    print(
        f"  {one.nodes:5,} nodes, pair {one.pair}, {one.question:8} {side:7}"
        f" {one.pods_per_s:6.1f} pods/s{waits if one.question == 'arrivals' else ''},"
        f" attempt {one.attempt_ms:.2f} ms;"
        f" scheduler {one.scheduler_cpu_s:.1f} s, extender {one.extender_cpu_s:.1f} s of processor",
        flush=True,
    )


def run(sizes: Sequence[int], pairs: int, many: int) -> bool:
    """Measure, print, record; whether what must hold does, as far as this machine can tell."""
    load = os.getloadavg()[0] / len(os.sched_getaffinity(0))
    print(f"a real scheduler, {pairs} pairs, on {machine()['cpu']}, load {load:.1f} a core")
    runs = [one for nodes in sizes for one in measure(nodes, pairs, many)]
    holds = True
    for nodes in sizes:
        for question, must in (("burst", MUST_SATURATED), ("arrivals", MUST_ARRIVING)):
            ratios = _ratios(
                [one for one in runs if (one.nodes, one.question) == (nodes, question)]
            )
            middle = median(ratios)
            holds = holds and middle >= must
            print(
                f"  {nodes:5,} nodes, {question:8} with / without: {middle:.2f}"
                f" ({min(ratios):.2f} to {max(ratios):.2f}; must: {must:g})"
            )
    rows = [{"load_per_core": round(load, 1), **asdict(one)} for one in runs]
    record("extender-throughput", rows, command="make bench-extender")
    if not holds and load > QUIET_LOAD:
        print("  the machine is busy: these rates are no verdict")
        return True
    return holds


def _ratios(runs: Sequence[Run]) -> list[float]:
    """Pods a second with by without, for each pair."""
    with_, without = ([one for one in runs if one.extender is side] for side in (True, False))
    by_pair = {one.pair: one.pods_per_s for one in without}
    return [one.pods_per_s / by_pair[one.pair] for one in with_]
