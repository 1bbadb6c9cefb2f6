"""The control plane is a real one: nodes become Ready, pods run, and it says who did what.

These tests need every part to work together, so they are the first to look at when a service's own
cluster tests fail. They must not test anything of ours but the fixture.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from gpu_fleet.errors import KubeError, ServiceError
from service_runtime.kube.api import DEPLOYMENTS, PODS, Resource
from tests.cluster.components import KUBERNETES_VERSION
from tests.cluster.fleet import PodShape, gpu_nodes, is_bound, is_ready, pods
from tests.cluster.waiting import wait_until
from tests.cluster.wire import KubeWire

if TYPE_CHECKING:
    from tests.cluster.control_plane import ControlPlane
    from tests.cluster.fleet import Fleet

AUTOSCALERS = Resource(
    "v2", "horizontalpodautoscalers", "HorizontalPodAutoscaler", group="autoscaling"
)
API_SERVICES = Resource(
    "v1", "apiservices", "APIService", group="apiregistration.k8s.io", namespaced=False
)


def test_it_is_the_kubernetes_that_is_pinned(control_plane: ControlPlane) -> None:
    """Clients are told the version whose modules were built, so they know what it can do."""
    told = json.loads(control_plane.wire.ask("GET", "/version"))

    assert told["gitVersion"] == KUBERNETES_VERSION


def test_a_pod_that_wants_gpus_runs_on_a_node_that_has_them(fleet: Fleet) -> None:
    """Ready nodes with GPUs get the pods that ask for one, and KWOK lets them run."""
    nodes = fleet.add_nodes(gpu_nodes(2, "NVIDIA-H100-80GB-HBM3", 8))
    fleet.add_pods(pods(PodShape(gpus=4), 4))
    running = wait_until(
        "four running pods",
        lambda: [pod for pod in fleet.pods() if pod["status"]["phase"] == "Running"],
        lambda seen: len(seen) == 4,
    )

    assert all(is_ready(node) for node in nodes)
    assert {"gpu-0", "gpu-1"} == {pod["spec"]["nodeName"] for pod in running}


def test_a_pod_that_fits_nowhere_stays_pending(fleet: Fleet) -> None:
    """More GPUs than any node has is a condition on the pod, with the scheduler's reason."""
    fleet.add_nodes(gpu_nodes(1, "NVIDIA-L40S", 1))
    fleet.add_pods(pods(PodShape(gpus=2), 1))
    (pod,) = wait_until(
        "a pod with a condition",
        lambda: [pod for pod in fleet.pods() if pod["status"].get("conditions")],
    )

    assert not is_bound(pod)
    assert "Insufficient nvidia.com/gpu" in pod["status"]["conditions"][0]["message"]


@pytest.mark.parametrize("n", [100, pytest.param(1_000, marks=pytest.mark.prove)])
def test_a_whole_fleet_is_ready_in_seconds(fleet: Fleet, n: int) -> None:
    """The size of a real fleet is no reason to test on a small one."""
    nodes = fleet.add_nodes(gpu_nodes(n, "NVIDIA-H100-80GB-HBM3", 8), limit_s=300)

    assert len(nodes) == n


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


def test_the_audit_log_tells_what_was_refused(control_plane: ControlPlane, namespace: str) -> None:
    """A user without rights is refused by RBAC, and the record has the try and its refusal."""
    stranger = control_plane.wire_as(control_plane.user("stranger", ["nobodies"]))
    with pytest.raises(KubeError, match="403") as refused:
        stranger.items(PODS, namespace)
    stranger.close()
    (event,) = control_plane.audit.wait_for(
        "the try", lambda record: record.by("stranger").inside(namespace)
    )

    assert refused.value.status == 403
    assert (event.verb, event.resource, event.allowed) == ("list", "pods", False)
    assert "nobodies" in event.user.groups


def test_a_service_account_has_a_token(control_plane: ControlPlane, namespace: str) -> None:
    """A token of TokenRequest is known to the server as its service account."""
    token = control_plane.token(namespace, "default")
    bearer = KubeWire(control_plane.server, control_plane.ca, token=token)
    with pytest.raises(KubeError, match=f"system:serviceaccount:{namespace}:default"):
        bearer.items(PODS, namespace)
    bearer.close()


def test_a_second_scheduler_binds_what_names_it(
    control_plane: ControlPlane, fleet: Fleet, namespace: str
) -> None:
    """Another kube-scheduler with settings of its own takes its pods, under its own name."""
    fleet.add_nodes(gpu_nodes(1, "NVIDIA-L40S", 4))
    with control_plane.second_scheduler("second-scheduler", {"parallelism": 2}):
        fleet.add_pods(pods(PodShape(gpus=1, scheduler="second-scheduler"), 2))
        fleet.wait_bound(2)
    bindings = control_plane.audit.wait_for(
        "two bindings", lambda record: record.inside(namespace).on("pods/binding")
    )

    assert {"second-scheduler"} == bindings.users()


def test_the_autoscaler_asks_at_test_speed(control_plane: ControlPlane, namespace: str) -> None:
    """An HPA is looked at within seconds, as its condition shows; nobody serves metrics here."""
    container = {"name": "work", "image": "none.invalid/none"}
    labels = {"app": "scaled"}
    deployment = {
        "metadata": {"name": "scaled"},
        "spec": {
            "selector": {"matchLabels": labels},
            "template": {"metadata": {"labels": labels}, "spec": {"containers": [container]}},
        },
    }
    target = {"apiVersion": "apps/v1", "kind": "Deployment", "name": "scaled"}
    wanted = {"type": "AverageValue", "averageValue": "1"}
    metric = {"type": "Pods", "pods": {"metric": {"name": "queue_depth"}, "target": wanted}}
    scaler = {
        "metadata": {"name": "scaled"},
        "spec": {"scaleTargetRef": target, "maxReplicas": 8, "metrics": [metric]},
    }
    control_plane.wire.create(DEPLOYMENTS, deployment, namespace)
    control_plane.wire.create(AUTOSCALERS, scaler, namespace)
    conditions = wait_until(
        "a condition of the HPA",
        lambda: control_plane.wire.get(AUTOSCALERS, "scaled", namespace)["status"],
        lambda status: len(status.get("conditions") or ()) >= 2,
        limit_s=15,
    )["conditions"]

    assert "FailedGetPodsMetric" in {each["reason"] for each in conditions}


def test_an_aggregated_api_is_asked_for_on_loopback(
    control_plane: ControlPlane, namespace: str
) -> None:
    """An APIService reaches for a local port through an ExternalName Service (closed, here)."""
    port = control_plane.house.take_port()
    service = {
        "metadata": {"name": "aggregated"},
        "spec": {"type": "ExternalName", "externalName": "localhost"},
    }
    group = {
        "metadata": {"name": f"v1.{namespace}.example.org"},
        "spec": {
            "group": f"{namespace}.example.org",
            "version": "v1",
            "service": {"name": "aggregated", "namespace": namespace, "port": port},
            "insecureSkipTLSVerify": True,
            "groupPriorityMinimum": 100,
            "versionPriority": 100,
        },
    }
    control_plane.wire.create(Resource("v1", "services", "Service"), service, namespace)
    made = control_plane.wire.create(API_SERVICES, group)["metadata"]["name"]
    try:
        (condition,) = wait_until(
            "a judgement of the aggregator",
            lambda: control_plane.wire.get(API_SERVICES, made)["status"].get("conditions", []),
        )
    finally:
        control_plane.wire.delete(API_SERVICES, made)

    assert condition["reason"] == "FailedDiscoveryCheck"
    assert f"localhost:{port}" in condition["message"]


def test_kubectl_works_on_it(control_plane: ControlPlane) -> None:
    """The pinned kubectl answers as an administrator, and its complaint is told when it fails."""
    assert "namespace/kube-system" in control_plane.kubectl("get", "namespaces", "-o", "name")

    with pytest.raises(ServiceError, match=r'kubectl get pods none: .*pods "none" not found'):
        control_plane.kubectl("get", "pods", "none")


@pytest.mark.parametrize("name", ["kube-apiserver", "kube-scheduler", "etcd"])
def test_a_part_that_is_killed_comes_back_as_it_was(
    control_plane: ControlPlane, namespace: str, name: str
) -> None:
    """After `kill -9` a part starts again on its old port, and what was stored is there."""
    control_plane.wire.create(PODS, pods(PodShape(), 1)[0], namespace)
    server = control_plane.part(name)
    first_pid = server.pid
    control_plane.kill(name)

    assert server.ended_with == -9

    control_plane.start(name)
    stored = wait_until("stored pods", lambda: control_plane.wire.items(PODS, namespace))

    assert [pod["metadata"]["name"] for pod in stored] == ["pod-0"]
    assert server.pid != first_pid
