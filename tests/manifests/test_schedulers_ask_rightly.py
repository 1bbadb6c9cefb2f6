"""Both shipped configurations of kube-scheduler are without traps and meet our Service.

A wrong address or list is silent: the scorer would simply never be asked. So each name in them is
followed to what it means.
"""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import pytest
import yaml

from gpu_fleet.names import GPU_RESOURCES, SHARE_RESOURCES
from scheduler_extender.scheduler_config.finding import Subject
from scheduler_extender.scheduler_config.lint import lint
from scheduler_extender.scheduler_config.reading import Reading, read
from scheduler_extender.scheduler_config.scores import score_weights, weight_to_outweigh
from tests.house.tree import ROOT

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tests.manifests.rendered import Objects

COMPONENTS = ROOT / "manifests" / "components"
SECOND = COMPONENTS / "second-scheduler" / "scheduler-config.yaml"
OWN = COMPONENTS / "control-plane" / "kubeadm" / "scheduler-config.yaml"
STATIC_POD = COMPONENTS / "control-plane" / "kubeadm" / "kube-scheduler+strategic.yaml"
BOTH = pytest.mark.parametrize("path", [SECOND, OWN], ids=["second", "own"])


def reading_of(path: object) -> Reading:
    """One shipped configuration."""
    (reading,) = read((ROOT / str(path)).read_text(encoding="utf-8"), "config.yaml")
    return reading


@BOTH
@pytest.mark.parametrize("nodes", [None, 10, 1_000, 1_500])
def test_a_shipped_configuration_has_no_trap(path: object, nodes: int | None) -> None:
    """Our own linter finds nothing, for clusters of up to 1,500 nodes."""
    reading = reading_of(path)

    assert lint(Subject(reading.config, reading.unknown, nodes)) == ()


@BOTH
def test_guard_and_scorer_share_the_resources_between_them(path: object) -> None:
    """Parts of GPUs must be guarded, whole ones must not wait; the lists are those we read."""
    guard, scorer = reading_of(path).config.extenders

    assert set(SHARE_RESOURCES) == set(guard.resources)
    assert set(GPU_RESOURCES) == set(scorer.resources)
    assert (guard.ignorable, scorer.ignorable) == (False, True)


@BOTH
def test_one_rank_outweighs_everything_else(path: object) -> None:
    """The weight is the least that does, so that nobody wonders where it comes from."""
    config = reading_of(path).config
    (profile,) = config.profiles
    wanted = weight_to_outweigh(sum(score_weights(profile).values()))

    assert {wanted} == {extender.weight for extender in config.extenders}


@BOTH
def test_both_calls_go_to_the_two_prefixes(path: object) -> None:
    """The guard's and the scorer's, on the decision port."""
    urls = [urlsplit(extender.url_prefix) for extender in reading_of(path).config.extenders]
    asked = [(url.path, url.port) for url in urls]

    assert asked == [("/guard", 8443), ("/scorer", 8443)]


def test_the_second_scheduler_calls_the_service_by_name(builds: Mapping[str, Objects]) -> None:
    """Its pods resolve names; the name is that of the Service, whose certificate carries it."""
    service = builds["base"].named("Service", "synthscale-extender")["metadata"]
    hosts = {urlsplit(e.url_prefix).hostname for e in reading_of(SECOND).config.extenders}

    assert {f"{service['name']}.{service['namespace']}.svc"} == hosts


def test_the_second_scheduler_gets_that_configuration(builds: Mapping[str, Objects]) -> None:
    """The mounted ConfigMap is the file, and its name changes with it."""
    build = builds["install/second-scheduler"]
    made = build.named("ConfigMap", "synthscale-scheduler-configuration-")
    pod = build.named("Deployment", "synthscale-scheduler")["spec"]["template"]["spec"]

    assert made["data"] == {"config.yaml": SECOND.read_text(encoding="utf-8")}
    assert pod["volumes"][0]["configMap"]["name"] == made["metadata"]["name"]
    assert pod["containers"][0]["image"].startswith("registry.k8s.io/kube-scheduler:v1.37.")


def test_a_patient_scheduler_differs_by_one_flag(builds: Mapping[str, Objects]) -> None:
    """Everything else is as shipped."""
    shipped, patient = (
        build.named("Deployment", "synthscale-scheduler")["spec"]["template"]["spec"]
        for build in (
            builds["install/second-scheduler"],
            builds["install/patient-second-scheduler"],
        )
    )
    flag = patient["containers"][0]["command"].pop()

    assert flag == "--feature-gates=SchedulerPopFromBackoffQ=false"
    assert shipped == patient


def test_the_bell_is_one_that_nobody_else_hears(builds: Mapping[str, Objects]) -> None:
    """The object that the extender changes describes no volume of any class, for any node."""
    bell = builds["base"].named("CSIStorageCapacity", "synthscale-extender")

    assert set(bell) == {"apiVersion", "kind", "metadata", "storageClassName"}
    assert bell["storageClassName"] == "synthscale-no-such-class"


def test_the_second_scheduler_may_hold_the_lease_it_names(builds: Mapping[str, Objects]) -> None:
    """The Role's only Lease is the one in the configuration, in that namespace."""
    election = reading_of(SECOND).config.leader_election
    role = builds["install/second-scheduler"].named("Role", "synthscale-scheduler")

    assert [[election.resource_name]] == [rule["resourceNames"] for rule in role["rules"]]
    assert election.resource_namespace == role["metadata"]["namespace"]


def test_a_control_plane_calls_the_service_by_address(builds: Mapping[str, Objects]) -> None:
    """The host's network has no names: the address is the Service's, the name is the certificate's.

    Anybody may knock there, since those calls come from no pod.
    """
    build = builds["install/control-plane"]
    address = build.named("Service", "synthscale-extender")["spec"]["clusterIP"]
    extenders = reading_of(OWN).config.extenders
    ingress = build.named("NetworkPolicy", "synthscale-extender")["spec"]["ingress"]

    assert {address} == {urlsplit(e.url_prefix).hostname for e in extenders}
    assert {"synthscale-extender.synthscale-system.svc"} == {e.tls.server_name for e in extenders}
    assert "from" not in ingress[0]
    assert "from" in ingress[1]


def test_the_static_pod_mounts_what_the_configuration_names() -> None:
    """Every file stands in the folder that kubeadm's patch brings into the pod."""
    pod = yaml.safe_load(STATIC_POD.read_text(encoding="utf-8"))["spec"]
    (folder,) = [mount["mountPath"] for mount in pod["containers"][0]["volumeMounts"]]
    extenders = reading_of(OWN).config.extenders
    files = {f for e in extenders for f in (e.tls.ca_file, e.tls.cert_file, e.tls.key_file)}

    assert {folder} == {file.rpartition("/")[0] for file in files}
    assert f"--config={folder}/scheduler-config.yaml" in pod["containers"][0]["command"]
