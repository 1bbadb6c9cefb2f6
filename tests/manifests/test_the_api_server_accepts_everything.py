"""A real API server takes every object, first as a dry run, and a cluster runs what comes of it.

The namespace enforces the restricted standard, so that pods which run have been judged by it.
Everything applied here is taken away again; no test may leave the namespace behind.
"""

from __future__ import annotations

import json
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from gpu_fleet.errors import KubeError, ServiceError
from service_runtime.kube.api import LEASES, PODS, Resource
from tests.cluster.fleet import Fleet, PodShape, gpu_nodes, is_bound, pods
from tests.cluster.waiting import wait_until
from tests.manifests.rendered import NAMESPACE, Objects

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from tests.cluster.control_plane import ControlPlane

AGENTS = Resource("v1alpha1", "agentprofiles", "AgentProfile", "synthscale.io", namespaced=False)
EXTENDER = f"system:serviceaccount:{NAMESPACE}:synthscale-extender"
SECOND = "synthscale-scheduler"
CERTIFICATES = """
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: PLURAL.cert-manager.io}
spec:
  group: cert-manager.io
  scope: Namespaced
  names: {kind: KIND, plural: PLURAL}
  versions:
  - name: v1
    served: true
    storage: true
    schema:
      openAPIV3Schema: {type: object, x-kubernetes-preserve-unknown-fields: true}
"""
"""Stands for cert-manager's own kinds, whose controllers would make the Secrets."""


@contextmanager
def installed(plane: ControlPlane, text: str, folder: Path) -> Iterator[None]:
    """Apply objects as a person does, and take them away at the end, namespace and all."""
    file = folder / "objects.yaml"
    file.write_text(text, encoding="utf-8")
    try:
        plane.kubectl("apply", "--server-side", "-f", str(file))
        yield
    finally:
        _take_away(plane, file)


def _take_away(plane: ControlPlane, file: Path) -> None:
    """Delete it all; where that takes too long, say what is still there and why."""
    try:
        plane.kubectl("delete", "--ignore-not-found", "--wait=true", "-f", str(file))
    except ServiceError as problem:
        left = plane.kubectl("get", "--ignore-not-found", "-f", str(file), "-o", "yaml")
        raise AssertionError(f"{problem}\n{left}") from problem


def of_the_fixture(text: str) -> str:
    """The fixed address is of kubeadm's service range; the fixture's is 10.0.0.0/16."""
    return text.replace("10.96.0.86", "10.0.0.86")


@pytest.fixture(scope="module")
def certificate_kinds(
    control_plane: ControlPlane, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[None]:
    """The API server knows Certificates and Issuers."""
    kinds = {"Certificate": "certificates", "Issuer": "issuers"}
    text = "---".join(
        CERTIFICATES.replace("KIND", kind).replace("PLURAL", plural)
        for kind, plural in kinds.items()
    )
    with installed(control_plane, text, tmp_path_factory.mktemp("kinds")):
        names = [f"crd/{plural}.cert-manager.io" for plural in kinds.values()]
        control_plane.kubectl("wait", "--for=condition=Established", *names, "--timeout=60s")
        yield


@pytest.mark.usefixtures("certificate_kinds")
def test_it_takes_every_installation(
    control_plane: ControlPlane, build: Objects, tmp_path: Path
) -> None:
    """Once namespace and kinds exist, a strict server-side dry run of all of it passes."""
    first = [o for o in build.all if o["kind"] in {"Namespace", "CustomResourceDefinition"}]
    with installed(control_plane, yaml.safe_dump_all(first), tmp_path):
        file = tmp_path / "all.yaml"
        file.write_text(of_the_fixture(build.text), encoding="utf-8")
        words = ("apply", "--server-side", "--dry-run=server", "--validate=strict", "-f", str(file))
        told = control_plane.kubectl(*words)

    assert len(build.all) == len(told.splitlines())


def test_what_is_installed_runs(
    control_plane: ControlPlane, builds: Mapping[str, Objects], fleet: Fleet, tmp_path: Path
) -> None:
    """Both Deployments become available under the restricted standard, one replica a node."""
    fleet.add_nodes(gpu_nodes(2, "NVIDIA-L40S", 1, prefix="installed"))
    with installed(control_plane, builds["install/second-scheduler"].text, tmp_path):
        for name in ("synthscale-extender", "synthscale-scheduler"):
            control_plane.kubectl(
                "rollout", "status", f"deployment/{name}", "-n", NAMESPACE, "--timeout=120s"
            )
        running = json.loads(control_plane.kubectl("get", "pods", "-n", NAMESPACE, "-o", "json"))
        events = control_plane.kubectl("get", "events", "-n", NAMESPACE)

    nodes: dict[str, set[str]] = {}
    for pod in running["items"]:
        name = pod["metadata"]["labels"]["app.kubernetes.io/name"]
        nodes.setdefault(name, set()).add(pod["spec"]["nodeName"])
    spread = {name: len(on) for name, on in nodes.items()}

    assert spread == {"synthscale-extender": 2, "synthscale-scheduler": 2}
    assert "violates PodSecurity" not in events


def test_a_drain_takes_one_replica_and_not_both(
    control_plane: ControlPlane, builds: Mapping[str, Objects], fleet: Fleet, tmp_path: Path
) -> None:
    """With both replicas ready, one may be evicted, and the next has to wait."""
    fleet.add_nodes(gpu_nodes(2, "NVIDIA-L40S", 1, prefix="drained"))
    with installed(control_plane, builds["base"].text, tmp_path):
        control_plane.kubectl(
            *("rollout", "status", "deployment/synthscale-extender", "-n", NAMESPACE),
            "--timeout=120s",
        )
        budget = wait_until(
            "a budget that has seen both",
            lambda: json.loads(control_plane.kubectl("get", "pdb", "-n", NAMESPACE, "-o", "json"))[
                "items"
            ][0]["status"],
            lambda seen: seen.get("currentHealthy") == 2,
        )

    assert budget["disruptionsAllowed"] == 1
    assert budget["desiredHealthy"] == 1


def test_the_second_scheduler_works_with_its_grants(
    control_plane: ControlPlane,
    builds: Mapping[str, Objects],
    manifests: Path,
    fleet: Fleet,
    tmp_path: Path,
) -> None:
    """kube-scheduler with the shipped file and account leads by its own Lease and binds a pod."""
    build = builds["install/second-scheduler"]
    fleet.add_nodes(gpu_nodes(1, "NVIDIA-L40S", 1, prefix="second"))
    with installed(control_plane, without_pods(build), tmp_path):
        command = scheduler_command(control_plane, build, manifests, tmp_path)
        lease = LEASES.path(NAMESPACE, "synthscale-scheduler")
        control_plane.add(SECOND, command, lambda: control_plane.wire.ask("GET", lease))
        try:
            fleet.add_pods(pods(PodShape(scheduler=SECOND), 1))
            wait_until("a bound pod", lambda: [pod for pod in fleet.pods() if is_bound(pod)])
            told = control_plane.log(SECOND)
        finally:
            control_plane.kill(SECOND)

    assert "forbidden" not in told


def without_pods(build: Objects) -> str:
    """An installation whose programs a test runs itself."""
    left_out = {"Deployment", "PodDisruptionBudget"}
    return str(yaml.safe_dump_all([o for o in build.all if o["kind"] not in left_out]))


def scheduler_command(
    plane: ControlPlane, build: Objects, manifests: Path, folder: Path
) -> list[str | Path]:
    """kube-scheduler as its pod would run it: the same file, account and certificates."""
    made = manifests / "components" / "certificates-secrets" / "made"
    for name, file in (
        ("ca.crt", "ca.crt"),
        ("tls.crt", "scheduler.crt"),
        ("tls.key", "scheduler.key"),
    ):
        (folder / name).write_bytes((made / file).read_bytes())
    cluster = {"server": plane.server, "certificate-authority": str(plane.ca)}
    kubeconfig = {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": "c", "cluster": cluster}],
        "users": [{"name": "u", "user": {"token": plane.token(NAMESPACE, SECOND)}}],
        "contexts": [{"name": "x", "context": {"cluster": "c", "user": "u"}}],
        "current-context": "x",
    }
    (folder / "kubeconfig").write_text(yaml.safe_dump(kubeconfig), encoding="utf-8")
    text = build.named("ConfigMap", f"{SECOND}-configuration-")["data"]["config.yaml"]
    config = yaml.safe_load(text.replace("/etc/kubernetes/synthscale", str(folder)))
    # In a pod the account comes by itself.
    config["clientConnection"]["kubeconfig"] = str(folder / "kubeconfig")
    (folder / "config.yaml").write_text(yaml.safe_dump(config), encoding="utf-8")
    return [
        plane.programs.path("kube-scheduler"),
        f"--config={folder / 'config.yaml'}",
        "--secure-port=0",
    ]


def test_a_privileged_pod_is_kept_out(
    control_plane: ControlPlane, builds: Mapping[str, Objects], tmp_path: Path
) -> None:
    """The namespace refuses what its own pods do not need."""
    pod = {
        "metadata": {"name": "sinful"},
        "spec": {"containers": [{"name": "c", "image": "registry.invalid/c:1"}]},
    }
    namespace = yaml.safe_dump(builds["base"].named("Namespace", NAMESPACE))
    with installed(control_plane, namespace, tmp_path):
        control_plane.wire.ask("GET", f"/api/v1/namespaces/{NAMESPACE}")
        with pytest.raises(KubeError, match="violates PodSecurity"):
            control_plane.wire.create(PODS, pod, NAMESPACE)


MAY = [
    ("list", "nodes", True),
    ("watch", "pods", True),
    ("list", "agentprofiles.synthscale.io", True),
    ("create", "events.events.k8s.io", True),
    ("create", "tokenreviews.authentication.k8s.io", True),
    ("update", "leases.coordination.k8s.io/synthscale-extender", True),
    ("create", "leases.coordination.k8s.io", True),
    ("patch", "endpointslices.discovery.k8s.io/synthscale-extender", True),
    ("update", "leases.coordination.k8s.io/synthscale-scheduler", False),
    ("patch", "endpointslices.discovery.k8s.io/other", False),
    ("get", "secrets", False),
    ("patch", "nodes", False),
    ("update", "pods", False),
    ("create", "pods/binding", False),
    ("create", "pods/exec", False),
    ("patch", "agentprofiles.synthscale.io", False),
]


def test_the_account_may_do_its_work_and_no_more(
    control_plane: ControlPlane, builds: Mapping[str, Objects], tmp_path: Path
) -> None:
    """The API server is asked, verb by verb, as the extender's own account."""
    kinds = {"Namespace", "ServiceAccount", "ClusterRole", "ClusterRoleBinding", "Role"}
    kinds |= {"RoleBinding", "CustomResourceDefinition"}
    wanted = [one for one in builds["base"].all if one["kind"] in kinds]
    with installed(control_plane, yaml.safe_dump_all(wanted), tmp_path):
        control_plane.kubectl(
            *("wait", "--for=condition=Established", "crd/agentprofiles.synthscale.io"),
            "--timeout=60s",
        )
        found = [(verb, what, _may(control_plane, verb, what)) for verb, what, _ in MAY]

    assert found == MAY


def _may(plane: ControlPlane, verb: str, what: str) -> bool:
    resource, _, name = what.partition("/")
    attributes: dict[str, Any] = {"verb": verb, "namespace": NAMESPACE}
    attributes["resource"], _, attributes["group"] = resource.partition(".")
    attributes["subresource" if resource == "pods" and name else "name"] = name
    body = {
        "apiVersion": "authorization.k8s.io/v1",
        "kind": "SubjectAccessReview",
        "spec": {"user": EXTENDER, "resourceAttributes": attributes},
    }
    answer = plane.wire.ask("POST", "/apis/authorization.k8s.io/v1/subjectaccessreviews", body)
    return bool(json.loads(answer)["status"]["allowed"])


WHOLE = {
    "domains": ["law", "finance"],
    "datasets": ["statutes-2026", "weights/llm-7b"],
    "needsGpuMemoryMib": 16_384,
    "speedPermille": {"NVIDIA-H100-80GB-HBM3": 1000, "NVIDIA-L40S": 410},
}

PROFILES: list[tuple[str, dict[str, object], str]] = [
    # what it is, what its spec says, what is said against it
    ("everything", WHOLE, ""),
    ("nothing", {}, ""),
    ("no speed is known", {"speedPermille": {}}, ""),
    ("a speed of zero", {"speedPermille": {"A": 1000, "B": 0}}, "greater than or equal to 1"),
    ("a negative speed", {"speedPermille": {"A": 1000, "B": -5}}, "greater than or equal to 1"),
    ("faster than the best", {"speedPermille": {"A": 1200}}, "less than or equal to 1000"),
    ("no best model", {"speedPermille": {"A": 900}}, "one of them is 1000"),
    ("a model without a name", {"speedPermille": {"": 1000}}, "value of a node's label"),
    ("a model that no label holds", {"speedPermille": {"m" * 64: 1000}}, "value of a node's label"),
    ("a speed in words", {"speedPermille": {"A": "fast"}}, "must be of type integer"),
    ("a comma in a dataset", {"datasets": ["a,b"]}, "should match"),
    ("an empty dataset", {"datasets": [""]}, "should be at least 1 chars"),
    ("a dataset twice", {"datasets": ["a", "a"]}, "Duplicate value"),
    ("a domain twice", {"domains": ["law", "law"]}, "Duplicate value"),
    ("no memory at all", {"needsGpuMemoryMib": 0}, "greater than or equal to 1"),
    ("a typing error", {"dataset": ["a"]}, 'unknown field "spec.dataset"'),
]


def agent(name: str, spec: Mapping[str, object]) -> dict[str, Any]:
    """An AgentProfile."""
    return {
        "apiVersion": AGENTS.api_version,
        "kind": AGENTS.kind,
        "metadata": {"name": name},
        "spec": {**spec},
    }


@pytest.fixture(scope="module")
def agent_kind(
    control_plane: ControlPlane,
    builds: Mapping[str, Objects],
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[None]:
    """The API server knows AgentProfiles."""
    crd = builds["base"].named("CustomResourceDefinition", "agentprofiles.synthscale.io")
    with installed(control_plane, yaml.safe_dump(crd), tmp_path_factory.mktemp("agents")):
        control_plane.kubectl(
            *("wait", "--for=condition=Established", "crd/agentprofiles.synthscale.io"),
            "--timeout=60s",
        )
        yield


@pytest.mark.usefixtures("agent_kind")
@pytest.mark.parametrize(
    ("spec", "against"), [row[1:] for row in PROFILES], ids=[row[0] for row in PROFILES]
)
def test_a_profile_is_judged_when_it_is_written(
    control_plane: ControlPlane, spec: dict[str, object], against: str
) -> None:
    """What placement could not use is refused with a sentence, before any pod names it."""
    text = json.dumps(agent("agent", spec))
    words = ("create", "--dry-run=server", "--validate=strict", "-f", "-")
    if not against:
        assert "agent" in control_plane.kubectl(*words, stdin=text)
        return
    with pytest.raises(ServiceError) as caught:
        control_plane.kubectl(*words, stdin=text)

    assert against in str(caught.value)


@pytest.mark.usefixtures("agent_kind")
@pytest.mark.parametrize(("length", "good"), [(63, True), (64, False)])
def test_an_agents_name_fits_a_label(
    control_plane: ControlPlane, length: int, *, good: bool
) -> None:
    """A pod names its agent in a label, so a longer name could never be named."""
    profile = agent("a" * length, {})
    if good:
        control_plane.wire.create(AGENTS, profile)
        control_plane.wire.delete(AGENTS, "a" * length)
        return
    with pytest.raises(KubeError, match="holds 63 characters"):
        control_plane.wire.create(AGENTS, profile)


@pytest.mark.usefixtures("agent_kind")
def test_status_is_written_apart_from_spec(control_plane: ControlPlane) -> None:
    """Who writes the status cannot change what people wrote, nor the other way round."""
    wanted = {**agent("apart", WHOLE), "status": {"observedGeneration": 9}}
    made = control_plane.wire.create(AGENTS, wanted)
    path = AGENTS.path(None, "apart", "status")
    changed = {**made, "spec": {}, "status": {"observedGeneration": 1}}
    after = json.loads(control_plane.wire.ask("PUT", path, changed))
    control_plane.wire.delete(AGENTS, "apart")

    assert "status" not in made
    assert after["spec"] == wanted["spec"]
    assert after["status"] == {"observedGeneration": 1}
