"""Real traces that lie beside the checkout on some machines, and are never part of it.

Tests that need one skip with a message where it is absent. This module must not copy any of it.
"""

from __future__ import annotations

import csv
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from simulations.inflation import study_nodes
from simulations.readers import read_inventory, read_workload

if TYPE_CHECKING:
    from simulations.workload import Inventory, Workload

TRACES = Path(__file__).parents[2] / "shared" / "traces"
OPENB = ("default", "cpu100", "gpushare40", "gpuspec20", "multigpu30")


def trace_file(name: str) -> Path:
    """The path of a trace; skips the test where there is none."""
    path = TRACES / name
    if not path.exists():
        pytest.skip(f"needs the shared trace {name}, which is not on this machine")
    return path


@cache
def openb_fleet() -> Inventory:
    """The 1,213 GPU nodes of the published study."""
    return study_nodes(read_inventory(trace_file("openb/openb_node_list_all_node.csv.gz")))


@cache
def openb_pods(variant: str) -> Workload:
    """One of the study's pod lists."""
    return read_workload(trace_file(f"openb/openb_pod_list_{variant}.csv.gz"))


def published_allocation() -> dict[tuple[str, str], float]:
    """Mean allocated percent at 130 % arrived load, by (variant, published policy name)."""
    with trace_file("openb/published_allocation.csv").open(encoding="utf-8") as lines:
        return {
            (row["trace"], row["policy"]): float(row["alloc130_mean"])
            for row in csv.DictReader(lines)
        }
