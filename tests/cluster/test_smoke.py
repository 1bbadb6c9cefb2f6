"""The control plane is a real one: nodes become Ready, pods are bound, and it says who did what.

These tests need every part to work together, so they are the first to look at when a service's own
cluster tests fail. They must not test anything of ours but the fixture.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.cluster.fleet import PodShape, gpu_nodes, is_ready, pods

if TYPE_CHECKING:
    from tests.cluster.control_plane import ControlPlane
    from tests.cluster.fleet import Fleet


def test_a_pod_that_wants_gpus_runs_on_a_node_that_has_them(fleet: Fleet) -> None:
    """Ready nodes with GPUs get the pods that ask for one, and KWOK lets them run."""
    nodes = fleet.add_nodes(gpu_nodes(2, "NVIDIA-H100-80GB-HBM3", 8))
    fleet.add_pods(pods(PodShape(gpus=4), 4))

    bound = fleet.wait_bound(4)

    assert all(is_ready(node) for node in nodes)
    assert {"gpu-0", "gpu-1"} == {pod["spec"]["nodeName"] for pod in bound}


def test_the_audit_log_says_who_bound_a_pod(
    control_plane: ControlPlane, fleet: Fleet, namespace: str
) -> None:
    """A binding is found under the scheduler's own name."""
    fleet.add_nodes(gpu_nodes(1, "NVIDIA-L40S", 1))
    fleet.add_pods(pods(PodShape(gpus=1), 1))

    bindings = control_plane.audit.wait_for(
        "a binding", lambda record: record.inside(namespace).on("pods/binding")
    )

    assert {"system:kube-scheduler"} == bindings.users()
    assert {"pods/binding": {"create"}} == bindings.verbs_by_resource()
