"""Each kustomization renders to the kinds it is for, and its parts fit one another.

A Service that no pod has the port of, or a volume of a Secret that nobody makes, is valid YAML and
a dead installation; so names are followed from one object to the next.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

import synthscale
from tests.manifests.rendered import BUILDS, NAMESPACE, Objects, in_pods, render

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

CLUSTER_WIDE = {
    "ClusterRole",
    "ClusterRoleBinding",
    "CustomResourceDefinition",
    "Namespace",
    "PriorityClass",
}
BASE = {
    *CLUSTER_WIDE,
    "CSIStorageCapacity",
    "ConfigMap",
    "Deployment",
    "NetworkPolicy",
    "PodDisruptionBudget",
    "Role",
    "RoleBinding",
    "Service",
    "ServiceAccount",
}
ALSO = {
    "base": set(),
    "install/second-scheduler": {"Secret"},
    "install/patient-second-scheduler": {"Secret"},
    "install/second-scheduler-cert-manager": {"Certificate", "Issuer"},
    "install/control-plane": {"Certificate", "Issuer"},
}
OUTSIDE = {("RoleBinding", "synthscale-scheduler-authentication"): "kube-system"}
"""The one object that has to stand in another namespace, since the role it binds stands there."""


@pytest.mark.parametrize("name", BUILDS)
def test_it_has_the_kinds_it_is_for(builds: Mapping[str, Objects], name: str) -> None:
    """Nothing is missing and nothing unexpected is made."""
    kinds = {one["kind"] for one in builds[name].all}

    assert BASE | ALSO[name] == kinds


def test_every_object_stands_where_it_belongs(build: Objects) -> None:
    """Namespaced objects are in our namespace, whatever the caller's is; names are unique."""
    for one in build.all:
        key = one["kind"], one["metadata"]["name"]
        wanted = None if one["kind"] in CLUSTER_WIDE else OUTSIDE.get(key, NAMESPACE)

        assert wanted == one["metadata"].get("namespace"), key
    assert len({(o["kind"], o["metadata"]["name"]) for o in build.all}) == len(build.all)


def test_every_object_can_be_found(build: Objects) -> None:
    """All carry the label that says what they are part of."""
    assert {"synthscale"} == {
        one["metadata"]["labels"]["app.kubernetes.io/part-of"] for one in build.all
    }


def test_every_volume_is_made_by_somebody(builds: Mapping[str, Objects]) -> None:
    """ConfigMaps and Secrets that pods mount are in the installation, or a Certificate's."""
    for name in BUILDS[1:]:
        build = builds[name]
        made = {("configMap", o["metadata"]["name"]) for o in build.kind("ConfigMap")}
        made |= {("secret", o["metadata"]["name"]) for o in build.kind("Secret")}
        made |= {("secret", o["spec"]["secretName"]) for o in build.kind("Certificate")}
        for _, pod in in_pods(build):
            for volume in pod["volumes"]:
                for source in volume.get("projected", {}).get("sources", [volume]):
                    wanted = {
                        (kind, source[kind].get("secretName") or source[kind].get("name"))
                        for kind in ("configMap", "secret")
                        if kind in source
                    }

                    assert wanted <= made, (name, volume)


def test_every_selector_finds_its_pods(build: Objects) -> None:
    """Budgets, policies and Services with a selector match a Deployment of ours."""
    labels = [
        one["spec"]["template"]["metadata"]["labels"].items() for one in build.kind("Deployment")
    ]
    selectors = [o["spec"]["selector"]["matchLabels"] for o in build.kind("PodDisruptionBudget")]
    selectors += [o["spec"]["podSelector"]["matchLabels"] for o in build.kind("NetworkPolicy")]
    selectors += [o["spec"]["selector"] for o in build.kind("Service") if "selector" in o["spec"]]

    for selector in selectors:
        assert any(selector.items() <= of_pod for of_pod in labels), selector


def test_one_replica_is_behind_the_decision_service(build: Objects) -> None:
    """The Service has no selector: the leader puts its own address behind it."""
    service = build.named("Service", "synthscale-extender")

    assert "selector" not in service["spec"]
    assert service["spec"]["ports"][0]["port"] == 8443


def test_a_rollout_and_a_drain_can_end(build: Objects) -> None:
    """A new replica is ready before an old one goes, and a drain may take one of two."""
    for deployment in build.kind("Deployment"):
        name, spec = deployment["metadata"]["name"], deployment["spec"]

        assert spec["replicas"] == 2
        assert spec["strategy"]["rollingUpdate"] == {"maxSurge": 1, "maxUnavailable": 0}
        assert build.named("PodDisruptionBudget", name)["spec"]["maxUnavailable"] == 1


def test_the_image_is_the_version_that_stands_here(build: Objects) -> None:
    """The tag that is replaced by a digest is that of the package."""
    (container,) = dict(in_pods(build))["synthscale-extender"]["containers"]

    assert f"synthscale:{synthscale.__version__}" == container["image"]


def test_rendering_is_the_same_each_time(builds: Mapping[str, Objects], manifests: Path) -> None:
    """Byte for byte, so that a difference in review is a difference in the cluster."""
    for name in BUILDS:
        assert builds[name].text == render(manifests / name).text
