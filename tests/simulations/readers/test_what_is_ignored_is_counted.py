"""An answer that leaves a constraint out says so, and how often."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from simulations.readers import read_inventory, read_workload
from tests.simulations.readers.kube_objects import container, node, pod, write

if TYPE_CHECKING:
    from pathlib import Path

    from tests.simulations.readers.kube_objects import Object

CPU = {"cpu": "1"}


@pytest.mark.parametrize(
    ("spec", "note"),
    [
        ({"affinity": {"podAffinity": {}}}, "1 pod asks for pod affinity: ignored"),
        ({"affinity": {"podAntiAffinity": {}}}, "1 pod asks for pod anti-affinity: ignored"),
        (
            {
                "affinity": {
                    "nodeAffinity": {"preferredDuringSchedulingIgnoredDuringExecution": [{}]}
                }
            },
            "1 pod asks for preferred node affinity: ignored",
        ),
        ({"topologySpreadConstraints": [{}]}, "1 pod asks for topology spread: ignored"),
        (
            {"containers": [container(CPU, ports=[{"hostPort": 80}])]},
            "1 pod asks for host ports: ignored",
        ),
        ({"resourceClaims": [{"name": "gpu"}]}, "1 pod asks for DRA resource claims: ignored"),
        (
            {"volumes": [{"name": "v", "persistentVolumeClaim": {"claimName": "c"}}]},
            "1 pod asks for persistent volumes (and the zones they bind to): ignored",
        ),
        ({"schedulingGates": [{"name": "g"}]}, "1 pod asks for scheduling gates: ignored"),
        (
            {"containers": [container({"rdma/hca": "1"})]},
            "1 pod asks for rdma/hca: ignored",
        ),
        (
            {"containers": [container({"ephemeral-storage": "1Gi"})]},
            "1 pod asks for ephemeral-storage: ignored",
        ),
        (
            {"containers": [container({"nvidia.com/mig-1g.5gb": "1"})]},
            "1 pod asks for nvidia.com/mig-1g.5gb: ignored",
        ),
        ({"priority": 5}, "1 pod has a priority: nothing is preempted for it"),
        ({"schedulerName": "volcano"}, "1 pod names another scheduler: placed like the rest"),
        (
            {"tolerations": [{"key": "sla", "operator": "Gt", "value": "9"}]},
            "1 pod has tolerations that compare numbers: taken as absent",
        ),
        (
            {"containers": [container({"nvidia.com/gpumem": "100"})]},
            "1 pod asks for device memory and no cores: memory alone limits it",
        ),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_one_pod(tmp_path: Path, spec: Object, note: str) -> None:
    """Each constraint that placement does not know has its sentence."""
    workload = read_workload(write(tmp_path / "c.json", pod("x", spec=spec)))

    assert workload.notes == (note,)


def test_several_pods_are_counted_in_one_note(tmp_path: Path) -> None:
    """A report of a thousand pods is not a thousand lines."""
    pods = [pod(f"p{i}", CPU, topologySpreadConstraints=[{}]) for i in range(12)]

    workload = read_workload(write(tmp_path / "c.json", *pods))

    assert workload.notes == ("12 pods ask for topology spread: ignored",)


def test_a_plain_pod_has_no_note(tmp_path: Path) -> None:
    """Volumes that bind to nothing, ports inside the pod and the default scheduler are harmless."""
    raw = pod(
        "x",
        volumes=[{"name": "v", "emptyDir": {}}, {"name": "c", "configMap": {"name": "c"}}],
        containers=[container(CPU, ports=[{"containerPort": 80}])],
        schedulerName="default-scheduler",
        priority=0,
        affinity={"nodeAffinity": {}},
    )

    assert read_workload(write(tmp_path / "c.json", raw)).notes == ()


def test_what_is_not_understood_about_nodes(tmp_path: Path) -> None:
    """MIG instances, pods per node, GPUs of no named model, objects of other kinds."""
    odd = node(
        status={
            "allocatable": {
                "cpu": "8",
                "memory": "32Gi",
                "pods": "110",
                "nvidia.com/gpu": "1",
                "amd.com/gpu": "1",
                "nvidia.com/mig-1g.5gb": "7",
            }
        }
    )
    service: Object = {"kind": "Service", "metadata": {"name": "s"}}

    inventory = read_inventory(write(tmp_path / "c.json", odd, service))

    assert inventory.notes == (
        "1 node has GPUs and no label that names their model: model unknown",
        "1 node offers MIG instances as resources of their own: ignored",
        "1 node has GPUs of a second kind: ignored",
        "1 node limits how many pods it holds: ignored",
        "1 object of other kinds: ignored",
    )
