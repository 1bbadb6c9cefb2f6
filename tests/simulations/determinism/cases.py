"""The runs whose logs are compared, and a command that prints their digests.

    python -m tests.simulations.determinism.cases [auto|numpy|compiled]

A process of its own is the only place where numba's compiler can be switched off, and where hash
seeds differ. This module must not compare anything.
"""

from __future__ import annotations

import json
import sys

from scheduler_extender.placement.registry import POLICIES
from simulations.arrivals import PoissonArrivals, TraceArrivals
from simulations.decision_log import digest
from simulations.inflation import Inflation, inflate
from simulations.recipes.fleet import fleet
from simulations.recipes.pods import Arrivals, Lifetimes, pods
from simulations.replay import Replay, replay

__all__ = ["KERNELS", "digest_of_run", "digests", "small"]

KERNELS: dict[str, bool | None] = {"auto": None, "numpy": False, "compiled": True}

Task = Inflation | Replay


def small(kernels: bool | None) -> dict[str, Task]:
    """Every policy, filling a small fleet and replaying a short day on it, twice loaded."""
    nodes = fleet(14)
    asked = pods(150, 7, Arrivals(span_s=3_600), Lifetimes(median_s=600, most_s=7_200))
    tasks: dict[str, Task] = {}
    for name in POLICIES:
        tasks[f"placement {name}"] = Inflation(
            nodes, asked, name, 42, kernels=kernels, keep_log=True
        )
        tasks[f"replay {name}"] = Replay(
            nodes, asked, name, 42, TraceArrivals(load=2.0), kernels=kernels, keep_log=True
        )
    tasks["stationary least-loss"] = Replay(
        nodes,
        asked,
        "least-loss",
        42,
        PoissonArrivals(load=1.3, days=0.05),
        kernels=kernels,
        keep_log=True,
    )
    return tasks


def digest_of_run(task: Task) -> str:
    """SHA-256 of the log of one run."""
    run = inflate(task) if isinstance(task, Inflation) else replay(task)
    return digest(run.log)


def digests(tasks: dict[str, Task]) -> dict[str, str]:
    """One digest for each task."""
    return {name: digest_of_run(task) for name, task in tasks.items()}


if __name__ == "__main__":
    chosen = KERNELS[sys.argv[1] if len(sys.argv) > 1 else "auto"]
    json.dump(digests(small(chosen)), sys.stdout)
