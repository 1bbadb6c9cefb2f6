"""The CSV columns of openb, from a file of the cluster or from a spreadsheet."""

from __future__ import annotations

import gzip
from typing import TYPE_CHECKING

import pytest

from gpu_fleet.readings import Missing
from simulations.readers import read_inventory, read_workload

if TYPE_CHECKING:
    from pathlib import Path

NODES = """sn,cpu_milli,memory_mib,gpu,model
n0,32000,262144,0,
n1,96000,393216,8,G2
n2,64000,131072,2,T4
"""
PODS = """\
name,cpu_milli,memory_mib,num_gpu,gpu_milli,gpu_spec,qos,creation_time,deletion_time,scheduled_time
p1,12000,16384,1,460,V100M32|T4,LS,20,50,
p0,6000,12288,8,1000,,BE,10,,12.0
p2,6000,12288.0,0,0,T4,BE,1e1,10.0,
p3,6000,12288,8,1000,,BE,30,40,31
"""


def test_nodes_with_their_devices(tmp_path: Path) -> None:
    """A model that openb does not disclose has devices of unknown memory, and a note says so."""
    path = tmp_path / "cluster.csv"
    path.write_text(NODES)

    inventory = read_inventory(path)

    assert [node.name for node in inventory.nodes] == ["n0", "n1", "n2"]
    assert [len(node.devices) for node in inventory.nodes] == [0, 8, 2]
    assert [node.gpu_model for node in inventory.nodes] == [None, "G2", "T4"]
    assert isinstance(inventory.nodes[1].devices[0].memory_mib, Missing)
    assert inventory.nodes[2].devices[0].memory_mib == 15_109
    assert inventory.bound == ()
    assert inventory.notes == (
        "device memory of G2 is unknown: no pod that asks for some goes there",
    )
    assert inventory.name == "cluster"


def test_pods_in_file_order_with_their_times(tmp_path: Path) -> None:
    """Nothing is sorted here; an empty time is an absent one."""
    path = tmp_path / "pods.csv"
    path.write_text(PODS)

    workload = read_workload(path)

    assert [traced.pod.name for traced in workload.pods] == ["p1", "p0", "p2", "p3"]
    assert [(traced.created_s, traced.deleted_s) for traced in workload.pods] == [
        (20, 50),
        (10, None),
        (10, 10),
        (30, 40),
    ]
    assert workload.lines == (2, 3, 4, 5)
    assert workload.notes == ("columns not read: qos, scheduled_time",)
    assert workload.has_times


def test_shapes_are_shared_objects(tmp_path: Path) -> None:
    """Pods that ask for the same are of one shape, which is what makes scores reusable."""
    path = tmp_path / "pods.csv"
    path.write_text(PODS)

    share, whole, cpu_only, again = (traced.pod.shape for traced in read_workload(path).pods)

    assert whole is again
    assert (share.gpu_count, share.gpu_milli) == (1, 460)
    assert share.admission.gpu_models == ("T4", "V100M32")
    assert (cpu_only.gpu_count, cpu_only.gpu_milli) == (0, 0)
    assert cpu_only.admission.gpu_models == ()


def test_several_gpus_are_whole_ones(tmp_path: Path) -> None:
    """`gpu_milli` speaks only where one GPU is asked for; a contradiction is noted."""
    path = tmp_path / "pods.csv"
    path.write_text("name,cpu_milli,memory_mib,num_gpu,gpu_milli\na,1,1,2,500\nb,1,1,0,500\n")

    workload = read_workload(path)

    assert [
        (traced.pod.shape.gpu_count, traced.pod.shape.gpu_milli) for traced in workload.pods
    ] == [(2, 1000), (0, 0)]
    assert workload.notes == ("1 pod asks for parts of several GPUs: counted as whole GPUs",)


def test_five_columns_are_enough(tmp_path: Path) -> None:
    """A list without times can be placed, and says that it cannot be replayed."""
    path = tmp_path / "pods.csv"
    path.write_text("num_gpu,gpu_milli,name,memory_mib,cpu_milli\n1,1000,a,2,3\n")

    workload = read_workload(path)

    assert (workload.pods[0].pod.shape.cpu_milli, workload.pods[0].pod.shape.memory_mib) == (3, 2)
    assert not workload.has_times


def test_creation_times_alone_cannot_be_replayed(tmp_path: Path) -> None:
    """Where nobody ever leaves there is nothing to replay."""
    path = tmp_path / "pods.csv"
    path.write_text("name,cpu_milli,memory_mib,num_gpu,gpu_milli,creation_time\na,1,1,0,0,5\n")

    assert not read_workload(path).has_times


@pytest.mark.parametrize(
    ("name", "content"),
    [
        pytest.param("pods.csv.gz", gzip.compress(PODS.encode()), id="gzip"),
        pytest.param("pods.csv", gzip.compress(PODS.encode()), id="gzip under a plain name"),
        pytest.param("pods.csv.gz", PODS.encode(), id="plain under a gzip name"),
        pytest.param("pods.csv", PODS.encode("utf-8-sig"), id="byte order mark"),
        pytest.param("pods.csv", PODS.replace("\n", "\r\n").encode(), id="CRLF"),
        pytest.param("pods.csv", PODS.replace("\n", "\r").encode(), id="CR alone"),
        pytest.param("pods.csv", PODS.replace("\n", "\n\n").encode(), id="blank lines"),
        pytest.param("pods.csv", PODS.strip().encode(), id="no line feed at the end"),
        pytest.param("pods.csv", PODS.replace(",", " , ").encode(), id="spaces around cells"),
        pytest.param("pods.txt", PODS.replace("p1", '"p1"').encode(), id="quotes, other ending"),
    ],
)
def test_content_decides_not_the_ending(tmp_path: Path, name: str, content: bytes) -> None:
    """However the file was saved, the same pods come out."""
    plain, other = tmp_path / "plain.csv", tmp_path / name
    plain.write_text(PODS)
    other.write_bytes(content)

    assert read_workload(plain).pods == read_workload(other).pods


def test_a_complaint_counts_lines_as_an_editor_does(tmp_path: Path) -> None:
    """Blank lines and line feeds inside quotes count, so the number leads to the place."""
    path = tmp_path / "pods.csv"
    path.write_text(
        'name,cpu_milli,memory_mib,num_gpu,gpu_milli,note\n\na,1,1,0,0,"two\nlines"\nb,1,1,0,0,\n'
    )

    assert read_workload(path).lines == (4, 5)
