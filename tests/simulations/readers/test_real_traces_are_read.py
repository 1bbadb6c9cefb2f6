"""The published openb lists, where a developer has them."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from simulations.readers import read_inventory, read_workload, unknown_models

OPENB = Path(__file__).parents[4] / "shared" / "traces" / "openb"
NODES = OPENB / "openb_node_list_all_node.csv.gz"

pytestmark = [
    pytest.mark.traces,
    pytest.mark.skipif(not OPENB.is_dir(), reason="../shared/traces/openb is not here"),
]


def test_the_cluster_is_the_published_one() -> None:
    """Nodes and GPUs by model, as the paper counts them."""
    inventory = read_inventory(NODES)

    gpus = Counter[str]()
    for node in inventory.nodes:
        gpus[node.gpu_model or "none"] += len(node.devices)
    assert (len(inventory.nodes), gpus.total()) == (1_523, 6_212)
    assert gpus == {
        "none": 0,
        "G2": 4_392,
        "T4": 842,
        "G3": 312,
        "P100": 265,
        "V100M32": 204,
        "V100M16": 195,
        "A10": 2,
    }


@pytest.mark.parametrize(
    ("variant", "pods", "gpu_milli", "has_times"),
    [
        ("default", 8_152, 6_086_800, True),
        ("cpu100", 7_853, 6_086_800, True),
        ("gpushare40", 8_152, 5_641_250, True),
        ("gpuspec20", 8_152, 6_086_800, True),
        ("multigpu30", 8_508, 8_086_800, False),
    ],
)
def test_every_variant(variant: str, pods: int, gpu_milli: int, has_times: bool) -> None:
    """All of its pods, all the GPU they ask for, and no model that the cluster has not."""
    workload = read_workload(OPENB / f"openb_pod_list_{variant}.csv.gz")

    unknown_models(read_inventory(NODES), workload)
    assert pods == len(workload.pods)
    assert gpu_milli == sum(traced.pod.shape.total_gpu_milli for traced in workload.pods)
    assert has_times == workload.has_times
