"""Kubernetes objects become what the scheduler's plugins look at, nothing left out."""

from __future__ import annotations

import json
from typing import Any

import pytest

from gpu_fleet.admission import Requirement
from gpu_fleet.errors import InputError
from simulations.kube.labels import LabelSelector
from simulations.kube.objects import ZONE
from simulations.readers.kube_scheduling import Selectors, kube_node, kube_pod

MIB = 1 << 20


def raw(**fields: object) -> bytes:
    """An object as the API server would send it."""
    return json.dumps(fields).encode()


def pod(spec: dict[str, Any], **metadata: object) -> bytes:
    """A pod called p."""
    return raw(kind="Pod", metadata={"name": "p", "namespace": "x", **metadata}, spec=spec)


def container(**requests: str) -> dict[str, Any]:
    """A container that asks for these."""
    return {"image": "img.invalid/a", "resources": {"requests": requests}}


def test_a_node_is_read_in_the_schedulers_units() -> None:
    """CPU in thousandths and the rest in ones, both rounded up; images with all their names."""
    node = kube_node(
        raw(
            metadata={"name": "a", "labels": {ZONE: "z"}},
            spec={"taints": [{"key": "k", "effect": "NoSchedule"}], "unschedulable": True},
            status={
                "allocatable": {"cpu": "1.5", "memory": "1Gi", "pods": "110", "x/y": "3"},
                "images": [{"names": ["i:1", "i@sha256:0"], "sizeBytes": 7}],
            },
        )
    )

    assert node.allocatable == {"cpu": 1_500, "memory": 1 << 30, "pods": 110, "x/y": 3}
    assert node.zone == ("", "z")
    assert node.unschedulable
    assert [taint.effect for taint in node.taints] == ["NoSchedule"]
    assert node.images[0].names == ("i:1", "i@sha256:0")


def test_containers_that_ask_for_nothing_are_scored_by_defaults() -> None:
    """Two containers, each missing one amount; the init container and its default are less."""
    read = kube_pod(
        pod(
            {
                "containers": [container(cpu="700m"), container(memory="3Gi")],
                "initContainers": [container(cpu="200m")],
            }
        )
    )

    assert read.requests == {"cpu": 700, "memory": 3 << 30}
    assert read.scored_cpu_milli == 800
    assert read.scored_memory_bytes == (3 << 30) + 200 * MIB
    assert read.images == ("img.invalid/a:latest",) * 3


def test_a_pod_without_requests_counts_a_little() -> None:
    """100 m and 200 MiB, and no request at all."""
    read = kube_pod(pod({"containers": [{"image": "r.invalid:5000/a:2"}]}))

    assert read.requests == {}
    assert (read.scored_cpu_milli, read.scored_memory_bytes) == (100, 200 * MIB)
    assert read.images == ("r.invalid:5000/a:2",)


def test_pod_terms_know_their_namespaces() -> None:
    """Without any, a term means the pod's own; a selector of namespaces stands beside names."""
    own = {"topologyKey": ZONE, "labelSelector": {"matchLabels": {"app": "web"}}}
    wide = {"topologyKey": ZONE, "namespaceSelector": {}, "namespaces": ["y"]}
    required = "requiredDuringSchedulingIgnoredDuringExecution"
    preferred = "preferredDuringSchedulingIgnoredDuringExecution"
    affinity = {
        "podAffinity": {required: [own]},
        "podAntiAffinity": {required: [wide], preferred: [{"weight": 7, "podAffinityTerm": own}]},
    }

    read = kube_pod(pod({"containers": [], "affinity": affinity}))

    assert read.with_pods[0].pods.namespaces == {"x"}
    assert read.away_from_pods[0].pods.namespaces == {"y"}
    assert read.away_from_pods[0].pods.namespace_selector == LabelSelector()
    assert read.away_from_pods[0].pods.selector is None
    assert read.preferred_pods[0].weight == -7


def test_spread_constraints_have_the_apis_defaults() -> None:
    """One domain, affinity honoured, taints ignored; label keys join the selector."""
    constraint = {
        "topologyKey": ZONE,
        "maxSkew": 2,
        "whenUnsatisfiable": "DoNotSchedule",
        "labelSelector": {"matchExpressions": [{"key": "a", "operator": "Exists"}]},
    }
    other = {**constraint, "nodeAffinityPolicy": "Ignore", "nodeTaintsPolicy": "Honor"}
    keys = {**constraint, "minDomains": 3, "matchLabelKeys": ["rev", "none"]}
    spec = {"containers": [], "topologySpreadConstraints": [constraint, other, keys]}

    plain, flipped, keyed = kube_pod(pod(spec, labels={"rev": "1"})).spread

    assert (plain.hard, plain.min_domains) == (True, 1)
    assert (plain.honor_affinity, plain.honor_taints) == (True, False)
    assert (flipped.honor_affinity, flipped.honor_taints) == (False, True)
    assert keyed.min_domains == 3
    assert keyed.selector is not None
    assert keyed.selector.lines == (Requirement("rev", "In", ("1",)), Requirement("a", "Exists"))


def test_services_and_controllers_say_what_is_spread_by_default() -> None:
    """A Service that matches and the ReplicaSet that owns the pod; others do not count."""
    selectors = Selectors()
    for namespace, selector in (("x", {"app": "web"}), ("x", {"app": "db"}), ("y", {"app": "web"})):
        selectors.add(
            raw(kind="Service", metadata={"namespace": namespace}, spec={"selector": selector})
        )
    selectors.add(raw(kind="Service", metadata={"namespace": "x"}, spec={}))
    owned = {"matchLabels": {"hash": "1"}}
    selectors.add(
        raw(kind="ReplicaSet", metadata={"name": "r", "namespace": "x"}, spec={"selector": owned})
    )
    owner = {"kind": "ReplicaSet", "name": "r", "controller": True}

    served = kube_pod(pod({}, labels={"app": "web"}), selectors)
    both = kube_pod(pod({}, labels={"app": "web"}, ownerReferences=[owner]), selectors)
    alone = kube_pod(pod({}, labels={"app": "other"}), selectors)

    assert served.default_spread == LabelSelector.equal_to({"app": "web"})
    assert both.default_spread == LabelSelector.equal_to({"app": "web", "hash": "1"})
    assert alone.default_spread is None


@pytest.mark.parametrize("broken", [b"{", b'{"spec": {"containers": 3}}', b"[]"])
def test_what_is_no_object_is_one_line(broken: bytes) -> None:
    """Bytes that are no pod are an input error that says what to print."""
    with pytest.raises(InputError, match="kubectl get"):
        kube_pod(broken)
