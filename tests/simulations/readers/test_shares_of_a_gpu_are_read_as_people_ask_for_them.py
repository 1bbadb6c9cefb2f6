"""Kubernetes counts whole devices; sharing schedulers found words of their own."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from simulations.readers import read_inventory, read_workload
from tests.simulations.readers.kube_objects import node, pod, write

if TYPE_CHECKING:
    from pathlib import Path

    from tests.simulations.readers.kube_objects import Object

MILLI, COUNT = "alibabacloud.com/gpu-milli", "alibabacloud.com/gpu-count"


@pytest.mark.parametrize(
    ("requests", "annotations", "gpus"),
    [
        pytest.param({}, {}, (0, 0, 0), id="none"),
        pytest.param({"nvidia.com/gpu": "1"}, {}, (1, 1000, 0), id="one"),
        pytest.param({"nvidia.com/gpu": "8"}, {}, (8, 1000, 0), id="eight"),
        pytest.param({"amd.com/gpu": 2}, {}, (2, 1000, 0), id="another vendor"),
        pytest.param({}, {MILLI: "460", COUNT: "1"}, (1, 460, 0), id="openb, a share"),
        pytest.param({}, {MILLI: "460"}, (1, 460, 0), id="openb, one is meant"),
        pytest.param({}, {MILLI: "1000", COUNT: "4"}, (4, 1000, 0), id="openb, several"),
        pytest.param({}, {MILLI: "0", COUNT: "0"}, (0, 0, 0), id="openb, none"),
        pytest.param(
            {"nvidia.com/gpu": "1", "nvidia.com/gpucores": "30", "nvidia.com/gpumem": "3000"},
            {},
            (1, 300, 3000),
            id="HAMi, cores and memory",
        ),
        pytest.param(
            {"nvidia.com/gpu": "1", "nvidia.com/gpumem": "3000"},
            {},
            (1, 1, 3000),
            id="HAMi, memory",
        ),
        pytest.param(
            {"nvidia.com/gpumem-percentage": "50"}, {}, (1, 500, 0), id="HAMi, half the memory"
        ),
        pytest.param(
            {"nvidia.com/gpu": "2", "nvidia.com/gpumem": "3000"},
            {},
            (2, 1000, 3000),
            id="HAMi, parts of several are whole ones here",
        ),
    ],
)
def test_gpu_request(
    tmp_path: Path, requests: Object, annotations: Object, gpus: tuple[int, int, int]
) -> None:
    """How many devices, thousandths of each, MiB of each."""
    raw = pod("x", requests, annotations=annotations)

    (traced,) = read_workload(write(tmp_path / "c.json", raw)).pods
    shape = traced.pod.shape

    assert gpus == (shape.gpu_count, shape.gpu_milli, shape.gpu_memory_mib)


def test_an_openb_node_says_its_gpus_in_openb_words(tmp_path: Path) -> None:
    """The published simulator's own node objects are read as they are."""
    raw = node(
        labels={"alibabacloud.com/gpu-card-model": "V100M16"},
        status={"allocatable": {"cpu": "8", "memory": "32Gi", COUNT: "4", MILLI: "1000"}},
    )

    (read,) = read_inventory(write(tmp_path / "c.json", raw)).nodes

    assert (
        len(read.devices),
        read.gpu_model,
        read.devices[0].memory_mib,
    ) == (4, "V100M16", 16_160)


def test_a_time_sliced_gpu_is_as_many_devices_as_it_has_replicas(tmp_path: Path) -> None:
    """That is what a request for one replica gets; no replica has memory of its own."""
    raw = node(gpus=8, labels={"nvidia.com/gpu.replicas": "4", "nvidia.com/gpu.memory": "15360"})

    inventory = read_inventory(write(tmp_path / "c.json", raw))

    assert len(inventory.nodes[0].devices) == 8
    assert str(inventory.nodes[0].devices[0].memory_mib).startswith("unknown (time-sliced")
    assert "1 node shares its GPUs among replicas: each replica counts as a GPU" in inventory.notes
