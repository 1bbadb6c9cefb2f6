"""How fast pods are placed on 5,000 nodes with 40,000 GPUs, against two named baselines in one run.

A fleet is filled with 30,000 pods of 104 shapes; then a pod leaves and one arrives, again and
again, as in a cluster that has been running for a while. Both sides of a pair make the
same moves, must decide the same, and take turns, so that a busy machine slows both alike.

1. `fgd`, compiled: totals kept by the score cache, against compiled scans of the whole fleet.
2. `best-fit`, numpy only: our path, against a plain Python loop (tests/bench/naive_best_fit.py).
3. All policies x 10 seeds on openb's default trace with 2 workers: wall time, if traces are there.

    python -m tests.bench.placement_speed [--pairs N] [--moves N] [--nodes N] [--skip-sweep]
"""

# ruff: noqa: T201 - a benchmark prints what it measured

from __future__ import annotations

import argparse
import gc
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from statistics import median
from time import perf_counter
from typing import TYPE_CHECKING, Final, Protocol

import numpy as np

from gpu_fleet import compiled
from gpu_fleet.admission import ANYWHERE, Admission
from gpu_fleet.cluster_view import ClusterView
from gpu_fleet.draws import name_key
from gpu_fleet.nodes import Device, Node
from scheduler_extender.placement.best_fit import BestFit
from scheduler_extender.placement.choice import TieBreak
from scheduler_extender.placement.fgd import Fgd
from scheduler_extender.placement.pod_mix import PodMix
from simulations.placer import Placer
from simulations.recipes.pods import POD_CLASSES
from tests.bench.naive_best_fit import NaiveBestFit, NaiveNode
from tests.figures import machine, record

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    from gpu_fleet.pods import PodShape
    from gpu_fleet.protocols import PlacementPolicy

NODES: Final = 5_000
RESIDENT: Final = 30_000
SEED: Final = 42
CACHE_MUST: Final = 4.0
NAIVE_MUST: Final = 20.0
SWEEP_MUST_S: Final = 60.0
TRACES: Final = Path(__file__).parents[3] / "shared" / "traces" / "openb"

Where = tuple[int, tuple[int, ...]]
Move = tuple[int, int]
"""(the pod that leaves, the shape of the one that arrives)."""


# ---------------------------------------------------------------- the fleet and its pods


def fleet(count: int) -> list[Node]:
    """Nodes with eight GPUs each: three models, two sizes of memory."""
    models = ("A100", "H100", "L40S")
    return [
        Node(
            f"node-{at:05}",
            cpu_milli=(96_000, 128_000)[at % 2],
            memory_mib=(512, 768, 1_024)[at % 3] * 1_024,
            devices=(Device(),) * 8,
            gpu_model=models[at % 7 % 3],
        )
        for at in range(count)
    ]


def known_shapes() -> tuple[list[PodShape], NDArray[np.float64]]:
    """104 shapes and how often each is asked for.

    The bundled recipe's classes, which have a real cluster's statistics, in four sizes of CPU.
    A quarter of the pods with GPUs name models.
    """
    shapes, weights = [], []
    for entry in POD_CLASSES:
        for size in range(4):
            limited = size == 1 and entry.gpus > 0
            shapes.append(
                replace(
                    entry.shape,
                    cpu_milli=entry.cpu_milli * (3 + size) // 4,
                    admission=Admission(gpu_models=("A100", "L40S")) if limited else ANYWHERE,
                )
            )
            weights.append(entry.per_10_000)
    return shapes, np.array(weights) / sum(weights)


def arrivals(count: int, weights: NDArray[np.float64], seed: int) -> list[int]:
    """Which shapes come, in order."""
    drawn: list[int] = np.random.default_rng(seed).choice(len(weights), count, p=weights).tolist()
    return drawn


# ---------------------------------------------------------------- the sides of a pair


class Side(Protocol):
    """Somebody who places pods and lets them go."""

    def place(self, pod: int, shape: int) -> Where | None:
        """Put a pod somewhere."""
        ...

    def release(self, pod: int) -> None:
        """It leaves, if it was ever placed."""
        ...


class Ours:
    """The Placer that every host uses, with or without its cache of scores."""

    def __init__(
        self,
        policy: PlacementPolicy,
        nodes: Sequence[Node],
        shapes: Sequence[PodShape],
        *,
        cached: bool = True,
    ) -> None:
        self.view = ClusterView.of(nodes)
        self.ids = [self.view.intern(shape) for shape in shapes]
        self.placer = Placer(policy, self.view, TieBreak.FIXED, SEED)
        if not cached:
            self.placer._cache = _WholeScan(policy, self.view)  # type: ignore[assignment]

    def place(self, pod: int, shape: int) -> Where | None:
        """See `Side`."""
        decision = self.placer.place(str(pod), self.ids[shape], pod)
        return None if decision is None else (decision.slot, decision.devices)

    def release(self, pod: int) -> None:
        """See `Side`."""
        if self.view.placement(str(pod)) is not None:
            self.view.release(str(pod))


class _WholeScan:
    """In the place of the cache: every node is scored for every pod."""

    def __init__(self, policy: PlacementPolicy, view: ClusterView) -> None:
        self._policy, self._view = policy, view
        self._columns = np.arange(view.slots)

    def totals(self, shape_id: int) -> NDArray[np.int64]:
        return self._policy.totals(self._view, shape_id, self._columns)


class Naive:
    """The plain Python loop, with names for pods."""

    def __init__(self, nodes: Sequence[Node], shapes: Sequence[PodShape]) -> None:
        self.shapes = shapes
        self.best_fit = NaiveBestFit(
            [NaiveNode.of(node, name_key(node.name, salt=SEED + 1)) for node in nodes]
        )
        self.where: dict[int, tuple[int, Where]] = {}

    def place(self, pod: int, shape: int) -> Where | None:
        """See `Side`."""
        where = self.best_fit.place(self.shapes[shape])
        if where is not None:
            self.where[pod] = (shape, where)
        return where

    def put(self, pod: int, shape: int, where: Where) -> None:
        """Where the other side put it: filling a fleet by this loop would take minutes."""
        self.where[pod] = (shape, where)
        self.best_fit.take(where[0], self.shapes[shape], where[1])

    def release(self, pod: int) -> None:
        """See `Side`."""
        known = self.where.pop(pod, None)
        if known is not None:
            shape, (node, devices) = known
            self.best_fit.take(node, self.shapes[shape], devices, -1)


# ---------------------------------------------------------------- measuring


def filled(side: Side, arriving: Sequence[int]) -> dict[int, Where]:
    """Place the first pods and say where they are."""
    where = {}
    for pod, shape in enumerate(arriving):
        at = side.place(pod, shape)
        if at is not None:
            where[pod] = at
    return where


def move(side: Side, moves: Sequence[Move], first: int) -> tuple[list[Where | None], float]:
    """One pod leaves and one arrives, for each move; where they went and how many in a second."""
    gc.collect()
    begun_s = perf_counter()
    where = []
    for at, (leaves, shape) in enumerate(moves):
        side.release(leaves)
        where.append(side.place(first + at, shape))
    return where, len(moves) / (perf_counter() - begun_s)


def pairs(
    ours: Side, theirs: Side, options: argparse.Namespace, weights: NDArray[np.float64]
) -> list[dict[str, float]]:
    """Interleaved pairs of the same moves; stops when the two decide differently."""
    total = (options.pairs + 1) * options.moves
    leaving = np.random.default_rng(SEED + 1).permutation(options.resident)[:total].tolist()
    made = list(zip(leaving, arrivals(total, weights, SEED + 2), strict=True))
    rows = []
    # The first turn brings both sides to where they would be after running for a while.
    for pair in range(options.pairs + 1):
        moves = made[pair * options.moves : (pair + 1) * options.moves]
        first = options.resident + pair * options.moves
        our_moves, our_rate = move(ours, moves, first)
        their_moves, their_rate = move(theirs, moves, first)
        if our_moves != their_moves:
            raise SystemExit("the two decide differently")
        rows.append(
            {"pods_per_s": our_rate, "baseline_pods_per_s": their_rate,
             "ratio": our_rate / their_rate}
        )  # fmt: skip
    return rows[1:]


def told(name: str, baseline: str, rows: Sequence[dict[str, float]], must: float) -> bool:
    """Print the medians and whether they are what they must be."""
    middle = {key: median(row[key] for row in rows) for key in rows[0]}
    print(
        f"{name}: {middle['pods_per_s']:,.0f} pods/s, {baseline}: "
        f"{middle['baseline_pods_per_s']:,.0f}/s, ratio {middle['ratio']:.1f} (must: {must:g}; "
        f"pairs: {', '.join(format(row['ratio'], '.1f') for row in rows)})"
    )
    return middle["ratio"] >= must


def cache_against_scan(options: argparse.Namespace) -> list[dict[str, float]]:
    """`fgd`, compiled: cached totals against whole compiled scans."""
    nodes, (shapes, weights) = fleet(options.nodes), known_shapes()
    arriving = arrivals(options.resident, weights, SEED)
    mix = PodMix.of(shapes[shape] for shape in arriving)
    cached, scanning = (
        Ours(Fgd(mix, kernels=True), nodes, shapes, cached=cached) for cached in (True, False)
    )
    for pod, (slot, devices) in filled(cached, arriving).items():
        scanning.view.place(str(pod), scanning.ids[arriving[pod]], slot, devices)
    return pairs(cached, scanning, options, weights)


def numpy_against_naive(options: argparse.Namespace) -> list[dict[str, float]]:
    """`best-fit` without kernels, against the loop."""
    nodes, (shapes, weights) = fleet(options.nodes), known_shapes()
    arriving = arrivals(options.resident, weights, SEED)
    ours, naive = Ours(BestFit(), nodes, shapes), Naive(nodes, shapes)
    placed = filled(ours, arriving)
    for pod, where in placed.items():
        naive.put(pod, arriving[pod], where)
    used = sum(shapes[arriving[pod]].total_gpu_milli for pod in placed) / 8_000 / options.nodes
    print(f"{len(placed):,} of {options.resident:,} pods run and hold {used:.0%} of the GPUs")
    return pairs(ours, naive, options, weights)


def sweep_wall_s() -> float | None:
    """All policies x seeds 42..51 on openb default with 2 workers, from the command line."""
    pods, nodes = (
        TRACES / f"openb_{name}.csv.gz" for name in ("pod_list_default", "node_list_all_node")
    )
    if not pods.exists():
        print("sweep: skipped, the openb traces are not there")
        return None
    command = [sys.executable, "-m", "synthscale", "simulate", "placement", "--policies", "all",
               "--seeds", "42..51", "--workers", "2",
               "--pods", str(pods), "--nodes", str(nodes)]  # fmt: skip
    begun_s = perf_counter()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    return perf_counter() - begun_s


def main() -> None:
    """Measure all three, print them and record the figures."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--pairs", type=int, default=7)
    parser.add_argument("--moves", type=int, default=1_000)
    parser.add_argument("--nodes", type=int, default=NODES)
    parser.add_argument("--resident", type=int, default=RESIDENT)
    parser.add_argument("--skip-sweep", action="store_true")
    options = parser.parse_args()
    print(f"{options.nodes:,} nodes x 8 GPUs, 104 shapes, on {machine()['cpu']}")
    held = []
    figures: dict[str, Callable[[], list[dict[str, float]]]] = {
        "best-fit, numpy only / plain Python loop": lambda: numpy_against_naive(options),
    }
    musts = {"best-fit, numpy only / plain Python loop": NAIVE_MUST}
    if compiled.is_available():
        figures["fgd by cache / its compiled scan"] = lambda: cache_against_scan(options)
        musts["fgd by cache / its compiled scan"] = CACHE_MUST
    else:
        print("fgd by cache: skipped, the extra `fast` is not installed")
    summary: list[dict[str, object]] = []
    for name, measure in figures.items():
        rows = measure()
        ours, baseline = name.split(" / ")
        held.append(told(ours, baseline, rows, musts[name]))
        summary.append({"what": name, "must": musts[name],
                        **{key: median(row[key] for row in rows) for key in rows[0]}})  # fmt: skip
    wall_s = None if options.skip_sweep else sweep_wall_s()
    if wall_s is not None:
        print(f"all policies x 10 seeds, openb default, 2 workers: {wall_s:.0f} s "
              f"(must: {SWEEP_MUST_S:g})")  # fmt: skip
        held.append(wall_s <= SWEEP_MUST_S)
        summary.append({"what": "all policies x 10 seeds", "must": SWEEP_MUST_S, "wall_s": wall_s})
        if options.nodes == NODES:  # a smaller look is no figure
            record("placement-speed", summary, command="make bench")
    if not all(held):
        raise SystemExit(1)


if __name__ == "__main__":
    main()
