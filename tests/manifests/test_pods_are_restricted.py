"""Pods keep the restricted standard of pod security, and a little more than it asks.

The standard is written here as rules of our own; the API server is asked elsewhere.
"""

from __future__ import annotations

import tomllib
from typing import TYPE_CHECKING, Any

from service_runtime.process.settings import ProcessSettings
from service_runtime.serve.settings import DrainSettings, TlsSettings
from service_runtime.settings.chassis import ChassisSettings
from service_runtime.settings.reading import read_settings
from tests.manifests.rendered import in_pods

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from tests.manifests.rendered import Objects

EXTENDER = "synthscale-extender"
OF_THE_EXTENDER = {"leader", "pod"}
"""Subjects of the extender's own settings; all others are the chassis's."""


def extender(build: Objects) -> dict[str, Any]:
    """The pod spec of the extender."""
    return dict(in_pods(build))[EXTENDER]


def settings_text(build: Objects) -> str:
    """The settings file that it gets."""
    text: str = build.named("ConfigMap", EXTENDER)["data"]["extender.toml"]
    return text


def test_the_namespace_enforces_the_restricted_standard(build: Objects) -> None:
    """In the newest version the cluster knows."""
    labels = build.named("Namespace", "synthscale-system")["metadata"]["labels"]

    assert labels["pod-security.kubernetes.io/enforce"] == "restricted"
    assert labels["pod-security.kubernetes.io/enforce-version"] == "latest"


def test_no_pod_has_a_privilege(build: Objects) -> None:
    """No root, no host, no capability, no writable root, seccomp on, a number for a user."""
    for name, pod in in_pods(build):
        context = pod["securityContext"]

        assert context["runAsNonRoot"] is True, name
        assert context["runAsUser"] > 0, name
        assert context["seccompProfile"] == {"type": "RuntimeDefault"}, name
        assert not {"hostNetwork", "hostPID", "hostIPC"} & set(pod), name
        for container in (*pod["containers"], *pod.get("initContainers", [])):
            own = container["securityContext"]

            assert own["allowPrivilegeEscalation"] is False, name
            assert own["readOnlyRootFilesystem"] is True, name
            assert own["capabilities"] == {"drop": ["ALL"]}, name
            assert all("hostPort" not in port for port in container["ports"]), name
        kinds = {kind for volume in pod["volumes"] for kind in volume if kind != "name"}

        assert kinds <= {"configMap", "emptyDir", "projected", "secret"}, name


def test_every_container_says_what_it_needs(build: Objects) -> None:
    """Requests for CPU and memory, a limit of memory, none of CPU; probes over HTTPS."""
    for name, pod in in_pods(build):
        for container in pod["containers"]:
            wanted = container["resources"]

            assert {"cpu", "memory"} <= set(wanted["requests"]), name
            assert "memory" in wanted["limits"], name
            assert "cpu" not in wanted["limits"], name
            for probe in ("livenessProbe", "readinessProbe"):
                assert container[probe]["httpGet"]["scheme"] == "HTTPS", (name, probe)


def test_a_pod_has_time_to_drain(build: Objects) -> None:
    """Notice and finish end before the process gives up, and that before the kubelet kills."""
    told = tomllib.loads(settings_text(build))
    drain, process = DrainSettings(**told["drain"]), ProcessSettings(**told["process"])
    grace_s = extender(build)["terminationGracePeriodSeconds"]

    assert drain.notice_s + drain.finish_s < process.stop_limit_s < grace_s


def test_the_start_may_take_as_long_as_the_process_allows(build: Objects) -> None:
    """The kubelet does not kill what may still be starting."""
    (container,) = extender(build)["containers"]
    probe = container["startupProbe"]
    allowed_s = ProcessSettings().start_limit_s

    assert probe["periodSeconds"] * probe["failureThreshold"] > allowed_s


def test_the_chassis_understands_its_settings(build: Objects, tmp_path: Path) -> None:
    """Each subject that is the chassis's is one it knows, key by key."""
    lines, skipping = [], False
    for line in settings_text(build).splitlines():
        if line.startswith("["):
            skipping = line[1:].partition("]")[0] in OF_THE_EXTENDER
        lines += [] if skipping else [line]
    file = tmp_path / "chassis.toml"
    file.write_text("\n".join(lines), encoding="utf-8")
    effective = read_settings(ChassisSettings, file=str(file), environment={})

    assert effective.settings.log.format == "json"


def test_ports_are_the_same_wherever_they_stand(builds: Mapping[str, Objects]) -> None:
    """Settings, container, Services and policies speak of the same two ports."""
    build = builds["base"]
    told = tomllib.loads(settings_text(build))["ports"]
    (container,) = extender(build)["containers"]
    ports = {port["name"]: port["containerPort"] for port in container["ports"]}
    policy = build.named("NetworkPolicy", EXTENDER)["spec"]["ingress"]

    assert ports == told
    assert list(ports.values()) == [port["port"] for rule in policy for port in rule["ports"]]


def test_certificates_are_where_the_chassis_looks(build: Objects) -> None:
    """The mounted files are the defaults of its TLS settings, in a folder that is kept current."""
    pod = extender(build)
    (container,) = pod["containers"]
    mounts = {mount["name"]: mount for mount in container["volumeMounts"]}
    (volume,) = [volume for volume in pod["volumes"] if volume["name"] == "configuration"]
    secret = volume["projected"]["sources"][1]["secret"]
    files = {f"{mounts['configuration']['mountPath']}/{item['path']}" for item in secret["items"]}
    tls = TlsSettings()

    assert {tls.certificate_file, tls.key_file, tls.client_ca_file} == files
    assert all("subPath" not in mount for mount in mounts.values())
    assert volume["projected"]["defaultMode"] == 0o440


def test_compiled_kernels_have_a_place(build: Objects) -> None:
    """The root is read-only; what numba compiles goes to a volume that may be written."""
    pod = extender(build)
    (container,) = pod["containers"]
    variables = {one["name"]: one.get("value") for one in container["env"]}
    writable = {volume["name"] for volume in pod["volumes"] if "emptyDir" in volume}
    places = {m["mountPath"] for m in container["volumeMounts"] if m["name"] in writable}

    assert {variables["NUMBA_CACHE_DIR"]} == places
