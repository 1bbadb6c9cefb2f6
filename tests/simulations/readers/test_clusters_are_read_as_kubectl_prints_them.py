"""`kubectl get nodes,pods -A -o json`: bound pods occupy, pending pods are the workload."""

from __future__ import annotations

import gzip
import json
from typing import TYPE_CHECKING

import pytest

from gpu_fleet.admission import Requirement, SelectorTerm, Toleration
from gpu_fleet.nodes import Taint
from gpu_fleet.readings import Missing
from simulations.readers import read_inventory, read_workload
from tests.simulations.readers.kube_objects import node, pod, write

if TYPE_CHECKING:
    from pathlib import Path

    from tests.simulations.readers.kube_objects import Object

CPU = {"cpu": "1", "memory": "1Gi"}


def test_what_a_node_offers_is_rounded_down(tmp_path: Path) -> None:
    """Allocatable, not capacity; and never a MiB that is not there."""
    raw = node(status={"allocatable": {"cpu": "31.8505", "memory": "32767472Ki"}})

    (read,) = read_inventory(write(tmp_path / "c.json", raw)).nodes

    assert (read.cpu_milli, read.memory_mib) == (31_850, 31_999)


def test_gpus_models_labels_and_taints(tmp_path: Path) -> None:
    """A device's memory comes from its label; where there is none, from the catalogue."""
    labels = {"nvidia.com/gpu.product": "Tesla-T4", "zone": "a"}
    tainted = node(
        "a",
        gpus=2,
        labels={**labels, "nvidia.com/gpu.memory": "15000"},
        spec={"taints": [{"key": "gpu", "value": "yes", "effect": "NoSchedule"}]},
    )

    a, b, c = read_inventory(
        write(tmp_path / "c.json", tainted, node("b", gpus=1, labels=labels), node("c", gpus=1))
    ).nodes

    assert [device.memory_mib for device in a.devices] == [15_000, 15_000]
    assert [device.memory_mib for device in b.devices] == [15_360]
    assert [Missing("no model label")] == [device.memory_mib for device in c.devices]
    assert (a.gpu_model, a.labels["zone"]) == ("Tesla-T4", "a")
    assert a.taints == (Taint("gpu", "yes", "NoSchedule"),)
    assert (b.gpu_model, c.gpu_model) == ("Tesla-T4", None)


@pytest.mark.parametrize(
    ("spec", "ready", "cordoned"),
    [
        pytest.param({}, "True", False, id="ready"),
        pytest.param({"unschedulable": True}, "True", True, id="cordoned by a person"),
        pytest.param({}, "False", True, id="not ready"),
        pytest.param({}, "Unknown", True, id="not heard of"),
        pytest.param({}, None, False, id="says nothing about readiness"),
    ],
)
def test_a_node_that_takes_no_pods_is_cordoned(
    tmp_path: Path, spec: Object, ready: str | None, cordoned: bool
) -> None:
    """Both reasons keep pods away; only one of them is a person's will, so the other is noted."""
    conditions: list[Object] = [{"type": "Ready", "status": ready}] if ready else []
    allocatable = {"cpu": "1", "memory": "1Gi"}
    raw = node(spec=spec, status={"allocatable": allocatable, "conditions": conditions})

    inventory = read_inventory(write(tmp_path / "c.json", raw))

    assert cordoned == inventory.nodes[0].cordoned
    assert inventory.notes == (
        ("1 node is not Ready: taken as cordoned",) if ready in ("False", "Unknown") else ()
    )


def test_bound_pods_occupy_and_pending_pods_want(tmp_path: Path) -> None:
    """Finished pods do neither; a pod whose node is not in the file occupies nothing."""
    path = write(
        tmp_path / "c.json",
        node("a"),
        pod("bound", CPU, nodeName="a", phase="Running"),
        pod("starting", CPU, nodeName="a", phase="Pending"),
        pod("lost", CPU, nodeName="gone", phase="Running"),
        pod("done", CPU, nodeName="a", phase="Succeeded"),
        pod("failed", CPU, phase="Failed"),
        pod("wants", CPU),
    )

    inventory, workload = read_inventory(path), read_workload(path)

    assert [(bound.pod.name, bound.node_name) for bound in inventory.bound] == [
        ("default/bound", "a"),
        ("default/starting", "a"),
    ]
    assert [traced.pod.name for traced in workload.pods] == ["default/wants"]
    assert "1 pod runs on a node that is not in the file: ignored" in inventory.notes
    assert workload.notes == (
        "3 pods have a node already: not part of the workload",
        "2 pods have finished: skipped",
    )


def test_a_pod_on_its_way_out_keeps_its_place_and_wants_no_other(tmp_path: Path) -> None:
    """The scheduler leaves terminating pods alone; the kubelet has not freed them yet."""
    leaving, gone = pod("leaving", CPU, nodeName="a"), pod("gone", CPU)
    for raw in (leaving, gone):
        assert isinstance(raw["metadata"], dict)
        raw["metadata"] |= {"deletionTimestamp": "2026-01-02T03:05:00Z"}
    path = write(tmp_path / "c.json", node("a"), leaving, gone, pod("stays", CPU))

    assert len(read_inventory(path).bound) == 1
    assert [traced.pod.name for traced in read_workload(path).pods] == ["default/stays"]


def test_where_a_pod_may_go(tmp_path: Path) -> None:
    """Node selector, required affinity, tolerations and openb's list of models are honoured."""
    raw = pod(
        "x",
        CPU,
        annotations={"alibabacloud.com/gpu-card-model": "V100M32|T4"},
        nodeSelector={"zone": "a", "disk": "ssd"},
        tolerations=[{"operator": "Exists"}, {"key": "gpu", "value": "yes"}],
        affinity={
            "nodeAffinity": {
                "requiredDuringSchedulingIgnoredDuringExecution": {
                    "nodeSelectorTerms": [
                        {
                            "matchExpressions": [
                                {"key": "cores", "operator": "Gt", "values": ["8"]}
                            ],
                            "matchFields": [
                                {"key": "metadata.name", "operator": "In", "values": ["a"]}
                            ],
                        }
                    ]
                }
            }
        },
    )

    (traced,) = read_workload(write(tmp_path / "c.json", raw)).pods
    admission = traced.pod.shape.admission

    assert admission.gpu_models == ("T4", "V100M32")
    assert admission.node_selector == (("disk", "ssd"), ("zone", "a"))
    assert admission.tolerations == (
        Toleration(operator="Exists"),
        Toleration(key="gpu", value="yes"),
    )
    assert admission.affinity == (
        SelectorTerm(
            labels=(Requirement("cores", "Gt", ("8",)),),
            fields=(Requirement("metadata.name", "In", ("a",)),),
        ),
    )


def test_what_a_pod_is_about(tmp_path: Path) -> None:
    """Its agent, its datasets, its priority and its age."""
    raw = pod(
        "x",
        CPU,
        labels={"synthscale.io/agent": "coder"},
        annotations={"synthscale.io/datasets": "weights, , wiki"},
        priority=7,
    )

    (traced,) = read_workload(write(tmp_path / "c.json", raw)).pods

    assert (traced.pod.shape.agent, traced.pod.shape.datasets) == ("coder", ("weights", "wiki"))
    assert (traced.pod.priority, traced.created_s, traced.deleted_s) == (7, 1_767_323_045, None)


def test_devices_are_known_where_an_annotation_names_them(tmp_path: Path) -> None:
    """An index that makes no sense is as good as none: the host picks the devices."""
    one = {"cpu": "1", "nvidia.com/gpu": "2"}
    named = [
        pod(f"p{i}", one, nodeName="a", annotations={"alibabacloud.com/gpu-index": text})
        for i, text in enumerate(["3-1", "1-1", "1", "a-b", ""])
    ]

    inventory = read_inventory(write(tmp_path / "c.json", node("a", gpus=8), *named))

    assert [bound.device_indices for bound in inventory.bound] == [(1, 3), None, None, None, None]


def test_equal_pods_share_one_shape(tmp_path: Path) -> None:
    """A Deployment of a hundred replicas is one shape."""
    pods = read_workload(write(tmp_path / "c.json", *(pod(f"p{i}", CPU) for i in range(3)))).pods

    assert len({id(traced.pod.shape) for traced in pods}) == 1


@pytest.mark.parametrize("kind", ["NodeList", "PodList"])
def test_raw_lists_are_read_too(tmp_path: Path, kind: str) -> None:
    """`kubectl get --raw /api/v1/pods` prints items that do not repeat their kind."""
    raw = node() if kind == "NodeList" else pod("x", CPU)
    del raw["kind"]
    path = tmp_path / "c.json"
    path.write_text(json.dumps({"kind": kind, "items": [raw]}))

    if kind == "NodeList":
        assert len(read_inventory(path).nodes) == 1
    else:
        assert len(read_workload(path).pods) == 1


def test_compressed_dumps_and_byte_order_marks(tmp_path: Path) -> None:
    """PowerShell writes a mark, support bundles are compressed."""
    plain = write(tmp_path / "c.json", node()).read_bytes()
    other = tmp_path / "cluster.json.gz"
    other.write_bytes(gzip.compress(b"\xef\xbb\xbf\n  " + plain))

    assert read_inventory(other).name == "cluster"
