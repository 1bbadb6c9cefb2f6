"""Whatever is wrong with a file, the answer is one line: file, line, field, and what to do."""

from __future__ import annotations

import gzip
import json
import random
from typing import TYPE_CHECKING

import pytest

from gpu_fleet.errors import InputError
from simulations.readers import read_inventory, read_workload
from tests.simulations.readers.kube_objects import node, pod, write

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from simulations.workload import Inventory, Workload
    from tests.simulations.readers.kube_objects import Object

    Reader = Callable[[Path], Inventory | Workload]

POD = "name,cpu_milli,memory_mib,num_gpu,gpu_milli"
TIMED = f"{POD},gpu_spec,creation_time,deletion_time"
NODE = "sn,cpu_milli,memory_mib,gpu,model"
NOISE = random.Random(7).randbytes(1 << 20)  # noqa: S311 - the same noise every time
TEXT_NOISE = bytes(32 + byte % 95 for byte in NOISE)


def complaint(read: Reader, path: Path) -> str:
    """The one line that `read` answers with, without the path in front of it."""
    with pytest.raises(InputError) as caught:
        read(path)
    message = str(caught.value)
    assert message.startswith(f"{path}:")
    assert "\n" not in message
    assert len(message) < len(str(path)) + 300
    assert caught.value.remedy
    return message.removeprefix(f"{path}:")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param(f"{POD}\n", "1: there is no pod under the header; add a row", id="header"),
        pytest.param("name,cpu_milli\na,1\n", "1: memory_mib: the column is missing", id="column"),
        pytest.param(f"{POD},name\n", "1: header: 'name' is there 2 times", id="column twice"),
        pytest.param(
            f"{NODE}\nn,1,1,0,\n", "this is a node list: give it as --nodes", id="swapped"
        ),
        pytest.param(f"{POD}\na,1,1,1\n", "2: 4 cells under 5 columns", id="short row"),
        pytest.param(f"{POD}\na,1,1,1,1,1\n", "2: 6 cells under 5 columns", id="long row"),
        pytest.param(f"{POD}\na,-1,1,0,0\n", "2: cpu_milli: '-1' is not possible", id="negative"),
        pytest.param(f"{POD}\na,1e12,1,0,0\n", "2: cpu_milli: '1e12' is not possible", id="absurd"),
        pytest.param(f"{POD}\na,1,1e400,0,0\n", "memory_mib: '1e400' is not possible", id="huge"),
        pytest.param(f"{POD}\na,1,{'9' * 5000},0,0\n", "memory_mib: '9999", id="endless digits"),
        pytest.param(f"{POD}\na,nan,1,0,0\n", "2: cpu_milli: 'nan' is not a number", id="NaN"),
        pytest.param(f"{POD}\na,inf,1,0,0\n", "2: cpu_milli: 'inf' is not a number", id="infinity"),
        pytest.param(f"{POD}\na,1_0,1,0,0\n", "cpu_milli: '1_0' is not a number", id="underscore"),
        pytest.param(f"{POD}\na,0x1,1,0,0\n", "cpu_milli: '0x1' is not a number", id="hexadecimal"),
        pytest.param(f"{POD}\na,1.5,1,0,0\n", "2: cpu_milli: '1.5' is not whole", id="fraction"),
        pytest.param(f"{POD}\na,,1,0,0\n", "2: cpu_milli: is empty; give a whole", id="empty cell"),
        pytest.param(f"{POD}\na,1,1,17,1000\n", "2: num_gpu: '17' is not possible", id="17 GPUs"),
        pytest.param(f"{POD}\na,1,1,1,1001\n", "gpu_milli: '1001' is not", id="more than a GPU"),
        pytest.param(f"{POD}\na,1,1,1,0\n", "gpu_milli: '0' is not possible", id="nothing of one"),
        pytest.param(f"{POD}\n,1,1,0,0\n", "2: name: '' is not a name", id="no name"),
        pytest.param(
            f"{POD}\na,1,1,0,0\n\na,1,1,0,0\n", "4: name: pod 'a' is already on line 2", id="twice"
        ),
        pytest.param(
            f"{TIMED}\na,1,1,0,0,,20,10\n",
            "2: deletion_time: 10 is before creation_time 20",
            id="deletion before creation",
        ),
        pytest.param(
            f"{TIMED}\na,1,1,0,0,,-5,\n", "creation_time: '-5' is", id="before time began"
        ),
        pytest.param(
            f"{TIMED}\na,1,1,0,0,,1700000000000,\n", "creation_time: '17", id="milliseconds"
        ),
        pytest.param(f"{TIMED}\na,1,1,1,1,T4||P4,,\n", "2: gpu_spec: 'T4||P4'", id="empty model"),
        pytest.param(f'{POD}\n"a,1,1,0,0\n', "is not CSV", id="quote without an end"),
        pytest.param(f"{POD}\n{'a' * 200_000},1,1,0,0\n", "2: is not CSV", id="endless cell"),
        pytest.param('{"kind": "Pod"}', " kind: is 'Pod', not a List", id="a single Pod"),
        pytest.param('{"items": []}', " kind: is missing", id="no kind"),
        pytest.param("[]", " expected object, got array", id="a JSON array"),
        pytest.param('{"kind": "List", "items": [', " is not JSON (input data was", id="JSON cut"),
        pytest.param(
            '{"kind": "List", "items": []}', " there is no Pod in it (nothing)", id="none"
        ),
        pytest.param('{"kind": "DeploymentList"}', " kind: is 'DeploymentList'", id="Deployments"),
        pytest.param(f'{{"a":{"[" * 100_000}', " is not JSON (maximum recursion", id="a deep hole"),
    ],
)
def test_a_pod_list(tmp_path: Path, text: str, expected: str) -> None:
    """Each row of this table is a mistake that somebody makes."""
    path = tmp_path / "pods.csv"
    path.write_text(text)

    assert expected in complaint(read_workload, path)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param(f"{NODE}\n", "1: there is no node under the header", id="header only"),
        pytest.param("sn,cpu_milli\nn,1\n", "1: memory_mib: the column is missing", id="column"),
        pytest.param(f"{POD}\na,1,1,0,0\n", "this is a pod list: give it as --pods", id="swapped"),
        pytest.param(f"{NODE}\nn,1,1,17,T4\n", "2: gpu: '17' is not possible", id="17 GPUs"),
        pytest.param(f"{NODE}\nn,1,1,2,\n", "2: model: node 'n' has 2 GPUs of no", id="no model"),
        pytest.param(f"{NODE}\nn,nan,1,0,\n", "2: cpu_milli: 'nan' is not a", id="NaN"),
        pytest.param(f"{NODE}\nn,1,-1,0,\n", "2: memory_mib: '-1' is not possible", id="negative"),
        pytest.param(
            f"{NODE}\nn,1,1,0,\nn,1,1,0,\n", "3: sn: node 'n' is already on line 2", id="twice"
        ),
    ],
)
def test_a_node_list(tmp_path: Path, text: str, expected: str) -> None:
    """The same for the other file."""
    path = tmp_path / "nodes.csv"
    path.write_text(text)

    assert expected in complaint(read_inventory, path)


@pytest.mark.parametrize("read", [read_inventory, read_workload])
@pytest.mark.parametrize(
    ("name", "content", "expected"),
    [
        pytest.param("a.csv", b"", "the file is empty", id="empty"),
        pytest.param("a.csv", b" \n\n", "the file is empty", id="blank"),
        pytest.param("a.csv.gz", gzip.compress(b""), "the file is empty", id="empty gzip"),
        pytest.param(
            "a.csv.gz", gzip.compress(NOISE)[:5000], "the gzip is cut short", id="cut gzip"
        ),
        pytest.param("a.csv.gz", b"\x1f\x8b", "the gzip is cut short", id="gzip cut at once"),
        pytest.param("a.csv.gz", b"\x1f\x8b" + NOISE, "the gzip is damaged", id="damaged gzip"),
        pytest.param("a.csv", NOISE, "is not UTF-8 text", id="noise as CSV"),
        pytest.param("a.csv.gz", NOISE, "is not UTF-8 text", id="noise as gzip"),
        pytest.param("a.csv.gz", gzip.compress(NOISE), "is not UTF-8 text", id="gzipped noise"),
        pytest.param("a.json", NOISE, "is not UTF-8 text", id="noise as JSON"),
        pytest.param("a.json", b"{" + TEXT_NOISE, "is not JSON", id="noise that opens like JSON"),
        pytest.param("a.csv", TEXT_NOISE, "", id="noise of letters"),
        pytest.param("a.csv", "größe".encode("latin-1"), "byte 3 is not UTF-8", id="Latin-1"),
        pytest.param("a.csv", "name".encode("utf-16"), "is not UTF-8 text", id="UTF-16"),
    ],
)
def test_bytes_that_are_no_text(
    tmp_path: Path, read: Reader, name: str, content: bytes, expected: str
) -> None:
    """Found before anything is parsed, and named for what it is."""
    path = tmp_path / name
    path.write_bytes(content)

    assert expected in complaint(read, path)


@pytest.mark.parametrize("read", [read_inventory, read_workload])
def test_paths_that_lead_nowhere(tmp_path: Path, read: Reader) -> None:
    """A folder, a name nobody has, and a file that is not for us."""
    locked = tmp_path / "file.csv" / "inside.csv"
    (tmp_path / "file.csv").write_text("x")

    assert "no such file" in complaint(read, tmp_path / "absent.csv")
    assert "is a folder; name a file inside it" in complaint(read, tmp_path)
    assert "cannot be read (Not a directory)" in complaint(read, locked)


def test_a_message_stays_on_one_line_whatever_the_names_are(tmp_path: Path) -> None:
    """Line feeds in a path, a column or a cell are shown, not printed."""
    path = tmp_path / "a\nb.csv"
    path.write_text(f'{POD}\n"x\ny",1,1,0,0\n')

    with pytest.raises(InputError) as caught:
        read_workload(path)

    assert "\n" not in str(caught.value)
    assert r"name: 'x\ny' is not a name" in str(caught.value)


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        pytest.param(
            pod("x", {"cpu": "1e12"}),
            " Pod default/x spec.containers resources cpu: 1e12 is more than any machine has",
            id="absurd",
        ),
        pytest.param(
            pod("x", {"cpu": "1"}, {"memory": "-1Gi"}),
            " Pod default/x spec.containers[1].resources.requests.memory: -1Gi is negative",
            id="negative",
        ),
        pytest.param(
            pod("x", {"cpu": "1 core"}),
            " Pod default/x spec.containers[0].resources.requests.cpu: '1 core' is not a",
            id="no quantity",
        ),
        pytest.param(
            pod("x", {"nvidia.com/gpu": "17"}),
            " Pod default/x spec.containers resources nvidia.com/gpu: 17 is not possible",
            id="17 GPUs",
        ),
        pytest.param(
            pod("x", {"nvidia.com/gpu": "500m"}),
            " Pod default/x spec.containers resources nvidia.com/gpu: 500m is not a whole number",
            id="half a GPU",
        ),
        pytest.param(
            pod("x", annotations={"alibabacloud.com/gpu-milli": "1500"}),
            " Pod default/x metadata.annotations.alibabacloud.com/gpu-milli: '1500' is not",
            id="one and a half GPUs",
        ),
        pytest.param(
            pod("x", priority=10**30), " Pod default/x spec.priority: expected int", id="no int32"
        ),
        pytest.param(
            pod("x", priority="high"),
            " Pod default/x spec.priority: expected int | null, got str",
            id="a word for a number",
        ),
        pytest.param(
            pod("x", containers=[{"resources": {"requests": {"cpu": []}}}]),
            " Pod default/x spec.containers[0].resources.requests[...]: expected",
            id="a list for an amount",
        ),
        pytest.param(
            {"kind": "Pod", "metadata": {"name": "x", "creationTimestamp": "yesterday"}},
            " Pod x metadata.creationTimestamp: 'yesterday' is not a time",
            id="no time",
        ),
        pytest.param(
            {"kind": "Pod", "metadata": {}}, " Pod items[0] metadata.name: is no name", id="no name"
        ),
        pytest.param(
            pod("x", {"cpu": "1"}, nodeName="a", phase="Running"),
            " none of its 1 Pod is waiting for a node; give a list with pending pods",
            id="nothing waits",
        ),
        pytest.param(node(), " there is no Pod in it (1 Node); print it with", id="nodes only"),
        pytest.param(
            {"kind": "Deployment", "metadata": {"name": "d"}},
            " there is no Pod in it (1 Deployment); print it with: kubectl get nodes,pods -A",
            id="another kind",
        ),
    ],
)
def test_a_pod_of_a_cluster(tmp_path: Path, raw: Object, expected: str) -> None:
    """The object is named as kubectl names it, and the field by its path."""
    assert expected in complaint(read_workload, write(tmp_path / "c.json", raw))


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        pytest.param(pod("x"), " there is no Node in it (1 Pod); print it with", id="pods only"),
        pytest.param(
            node("a", status={"allocatable": {"cpu": "1"}}),
            " Node a status.allocatable.memory: is missing",
            id="no memory",
        ),
        pytest.param(
            node("a", status={"allocatable": {"cpu": "x", "memory": "1Gi"}}),
            " Node a status.allocatable.cpu: 'x' is not a Kubernetes quantity",
            id="no quantity",
        ),
        pytest.param(
            node("a", gpus=17),
            " Node a status.allocatable.nvidia.com/gpu: 17 GPUs in one node",
            id="17 GPUs",
        ),
        pytest.param(
            node("a", gpus=1, labels={"nvidia.com/gpu.memory": "much"}),
            " Node a metadata.labels.nvidia.com/gpu.memory: 'much' is no amount of MiB",
            id="no memory label",
        ),
        pytest.param(
            node("a", spec={"taints": "none"}), " Node a spec.taints: expected array", id="no list"
        ),
    ],
)
def test_a_node_of_a_cluster(tmp_path: Path, raw: Object, expected: str) -> None:
    """The same for nodes."""
    assert expected in complaint(read_inventory, write(tmp_path / "c.json", raw))


@pytest.mark.parametrize(
    ("read", "raw"), [(read_inventory, node("a")), (read_workload, pod("x", {"cpu": "1"}))]
)
def test_an_object_that_is_there_twice(tmp_path: Path, read: Reader, raw: Object) -> None:
    """Two dumps glued together, most likely."""
    expected = "metadata.name: is there twice; remove one of them"

    assert expected in complaint(read, write(tmp_path / "c.json", raw, raw))


def test_a_number_that_json_does_not_have(tmp_path: Path) -> None:
    """Python writes NaN into JSON; nobody else reads it."""
    path = tmp_path / "c.json"
    path.write_text(
        json.dumps({"kind": "List", "items": [pod("x", {"cpu": float("nan")})]}, allow_nan=True)
    )

    assert " is not JSON (malformed" in complaint(read_workload, path)
