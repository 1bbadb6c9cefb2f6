"""What is read and written matches what Kubernetes writes and reads, field by field."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import msgspec

from service_runtime.kube.api import LEASES
from service_runtime.kube.objects import body_of
from service_runtime.kube.wire import (
    Image,
    Lease,
    LeaseSpec,
    Node,
    ObjectMeta,
    Pod,
    TokenReviewSpec,
    micro_time,
)
from tests.service_runtime.kube.recorded import node_body, pod_body

NOON = datetime(2026, 3, 4, 12, 0, 0, tzinfo=UTC)


def test_a_pod_is_read_with_what_the_suite_needs() -> None:
    """A pod as a real API server writes it gives its place, requests, tolerations and state."""
    pod = msgspec.json.decode(pod_body(7), type=Pod)

    assert pod.metadata.name == "train-000007"
    assert pod.spec.node_name == "node-00007"
    assert pod.spec.containers[0].resources.requests["nvidia.com/gpu"] == "1"
    assert pod.spec.tolerations[0].key == "nvidia.com/gpu"
    assert pod.status.phase == "Running"
    assert pod.metadata.controller() is not None


def test_a_node_is_read_with_what_the_suite_needs() -> None:
    """A node as a real API server writes it gives its labels, taints, room and images."""
    node = msgspec.json.decode(node_body(3), type=Node)

    assert node.metadata.name == "node-00003"
    assert node.spec.taints[0].effect == "NoSchedule"
    assert node.status.allocatable["nvidia.com/gpu"] == "8"
    assert node.status.images[0].size_bytes > 0
    assert {"Ready"} <= {condition.type for condition in node.status.conditions}


def test_an_image_without_names_is_an_image() -> None:
    """Go writes a nil list as null, and a node that holds such an image is still read."""
    node = msgspec.json.decode(b'{"status":{"images":[{"names":null,"sizeBytes":5}]}}', type=Node)

    assert node.status.images == (Image(None, 5),)


def test_a_full_second_has_six_digits() -> None:
    """client-go refuses a MicroTime without its digits, so a full second has them too."""
    assert micro_time(NOON) == "2026-03-04T12:00:00.000000Z"


def test_a_micro_time_is_utc() -> None:
    """A time of another zone is written as UTC."""
    there = NOON.astimezone(timezone(timedelta(hours=2)))

    assert micro_time(there) == "2026-03-04T12:00:00.000000Z"


def test_what_is_not_set_is_not_sent() -> None:
    """A body names its kind and holds only what was set."""
    lease = Lease(ObjectMeta(name="leader"), LeaseSpec(holder_identity="a", lease_transitions=0))
    expected = {
        "apiVersion": "coordination.k8s.io/v1",
        "kind": "Lease",
        "metadata": {"name": "leader"},
        "spec": {"holderIdentity": "a", "leaseTransitions": 0},
    }

    assert expected == msgspec.json.decode(body_of(LEASES, lease))


def test_a_token_is_not_printed() -> None:
    """The text of a review does not show the token."""
    assert "hunter2" not in repr(TokenReviewSpec(token="hunter2"))  # noqa: S106 - the test's own
