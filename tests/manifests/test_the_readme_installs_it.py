"""The README's "Install it in your cluster", line by line: from nothing to an explained placement.

The commands are read out of the README's fenced blocks and run by a shell, in a copy of the tree.
Two things are not to be had here. There is no container engine and no registry, so the block that
builds the image is left out. And nodes are KWOK's, which run no containers: once the manifests are
applied, the two programs are started here in the kubelets' place, as what was installed says, with
the settings, certificates, configuration, flags and service accounts that the API server holds.
"""

from __future__ import annotations

import base64
import json
import os
import re
import shutil
import subprocess
import sys
from contextlib import ExitStack, contextmanager
from textwrap import dedent
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from service_runtime.kube.api import PODS
from tests.cluster.fleet import gpu_nodes
from tests.cluster.waiting import wait_until
from tests.house.tree import ROOT
from tests.manifests.rendered import NAMESPACE

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from tests.cluster.control_plane import ControlPlane
    from tests.cluster.fleet import Fleet

HEADING = "## Install it in your cluster"
BLOCK = re.compile(r"^ *```sh\n(.*?)^ *```$", re.MULTILINE | re.DOTALL)
LIMIT_S = 200.0
BASH = shutil.which("bash") or "bash"
EXTENDER, SCHEDULER = "synthscale-extender", "synthscale-scheduler"


def steps() -> list[str]:
    """The fenced blocks of the section, in order."""
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    section = text.partition(f"{HEADING}\n")[2].partition("\n## ")[0]
    return [dedent(block) for block in BLOCK.findall(section)]


def test_its_steps_are_what_a_shell_understands() -> None:
    """Each is well-formed, and every file of ours that it names is there."""
    named = set()
    for step in steps():
        subprocess.run([BASH, "-n", "-c", step], check=True, timeout=LIMIT_S)
        named |= set(re.findall(r"\bmanifests/[\w./-]+", step))

    assert len(steps()) == 6
    assert named
    assert [one for one in sorted(named) if not (ROOT / one).exists()] == []


@pytest.mark.prove
def test_its_steps_lead_from_nothing_to_an_explained_placement(
    control_plane: ControlPlane, fleet: Fleet, tmp_path: Path
) -> None:
    """Every command succeeds; the pod is where the explanation says; nothing is left behind."""
    fleet.add_nodes(gpu_nodes(3, "NVIDIA-L40S", 4, prefix=f"{fleet.namespace}-readme"))
    build, *others = steps()
    *first, remove = others
    shell = Shell(control_plane, tmp_path)
    try:
        with ExitStack() as kubelets:
            told = ""
            for step in first:
                if "apply --server-side -k" not in step:
                    told = shell.run(step)
                    continue
                apply, *rest = step.splitlines()
                shell.run(apply)
                kubelets.enter_context(containers(control_plane, tmp_path))
                shell.run("\n".join(rest))
            pod = control_plane.wire.get(PODS, "first", "default")
            events = control_plane.kubectl("get", "events", "-n", "default", "-o", "json")
    finally:
        shell.run(remove)

    assert build.startswith("docker build")
    assert len(first) == 4
    node = pod["spec"]["nodeName"]
    assert node.startswith(f"{fleet.namespace}-readme")
    assert "default/first: 3 of 3 nodes can take it; best is GPU 0 of" in told
    assert re.search(rf"best is GPU \d of {node}:", told), told
    assert "least-loss" in told
    assert SCHEDULER in events
    gone = control_plane.kubectl("get", "namespace", NAMESPACE, "--ignore-not-found")
    assert not gone


class Shell:
    """Somebody's terminal in a checkout, with the fixture as their cluster."""

    def __init__(self, plane: ControlPlane, folder: Path) -> None:
        self._folder = folder / "checkout"
        self._folder.mkdir()
        shutil.copytree(
            ROOT / "manifests", self._folder / "manifests", ignore=shutil.ignore_patterns("made")
        )
        tools = folder / "bin"
        tools.mkdir()
        (tools / "kubectl").symlink_to(plane.programs.path("kubectl"))
        ours = os.path.dirname(sys.executable)  # noqa: PTH120 - not resolved: a venv's own
        self._environment = {
            "PATH": os.pathsep.join((str(tools), ours, os.environ["PATH"])),
            "HOME": str(folder),
            "KUBECONFIG": str(plane.kubeconfig),
            "PAGER": "cat",
        }

    def run(self, block: str) -> str:
        """What it prints; it must end well."""
        # A pager would wait for somebody.
        done = subprocess.run(
            [BASH, "-euo", "pipefail", "-c", block.replace("| less", "| cat")],
            cwd=self._folder,
            env=self._environment,
            capture_output=True,
            text=True,
            check=False,
            timeout=LIMIT_S,
        )
        assert done.returncode == 0, f"{block}\n{done.stdout}\n{done.stderr}"
        return done.stdout


@contextmanager
def containers(plane: ControlPlane, folder: Path) -> Iterator[None]:
    """What the kubelets would run: one extender and one scheduler, as installed."""
    with ExitStack() as stack:
        port = stack.enter_context(_extender(plane, folder / "extender"))
        stack.enter_context(_scheduler(plane, folder / "scheduler", port))
        yield


@contextmanager
def _extender(plane: ControlPlane, folder: Path) -> Iterator[int]:
    """Its decision port. It binds to this machine's loopback and takes free ports."""
    files = _files(plane, folder, f"configmap/{EXTENDER}", f"secret/{EXTENDER}-tls")
    (container,) = _pod_of(plane, EXTENDER)["containers"]
    arguments = [str(files / "extender.toml") if "/" in one else one for one in container["args"]]
    settings = {
        "POD__NAME": f"{EXTENDER}-0",
        "POD__NAMESPACE": NAMESPACE,
        "POD__ADDRESS": "10.9.0.1",
        "PORTS__ADDRESS": "127.0.0.1",
        "PORTS__DECISION": "0",
        "PORTS__OBSERVATION": "0",
        "TLS__CERTIFICATE_FILE": str(files / "tls.crt"),
        "TLS__KEY_FILE": str(files / "tls.key"),
        "TLS__CLIENT_CA_FILE": str(files / "ca.crt"),
        "KUBE__KUBECONFIG": str(_kubeconfig(plane, EXTENDER, folder)),
        "PROCESS__START_LIMIT_S": "150",
    }
    told = {f"SYNTHSCALE_{key}": value for key, value in settings.items()}
    log = folder / "log"
    with log.open("wb") as out:
        process = subprocess.Popen(
            [sys.executable, "-m", "synthscale", *arguments],
            cwd=ROOT,
            env={**_plain_environment(), **told},
            stdout=out,
            stderr=out,
        )
    try:
        port = wait_until(
            "a leader behind the Service", lambda: _decision_port(process, log), limit_s=LIMIT_S
        )
        assert port is not None
        yield port
    finally:
        process.kill()
        process.wait()


def _decision_port(process: subprocess.Popen[bytes], log: Path) -> int | None:
    told = log.read_text(encoding="utf-8")
    assert process.poll() is None, told
    events = [json.loads(line) for line in told.splitlines() if line.startswith("{")]
    ports: Sequence[int] = [
        event["ports"]["decision"] for event in events if event["event"] == "serving"
    ]
    leads = any(event["event"] == "leader_published" for event in events)
    return ports[-1] if ports and leads else None


@contextmanager
def _scheduler(plane: ControlPlane, folder: Path, port: int) -> Iterator[None]:
    """kube-scheduler by its own account; the Service's name becomes this machine's address."""
    pod = _pod_of(plane, SCHEDULER)
    (volume,) = [one for one in pod["volumes"] if "configMap" in one]
    files = _files(
        plane, folder, f"configmap/{volume['configMap']['name']}", f"secret/{SCHEDULER}-client"
    )
    told = yaml.safe_load((files / "config.yaml").read_text(encoding="utf-8"))
    for entry in told["extenders"]:
        prefix = entry["urlPrefix"].rpartition("/")[2]
        entry["tlsConfig"] = {
            "caFile": str(files / "ca.crt"),
            "certFile": str(files / "tls.crt"),
            "keyFile": str(files / "tls.key"),
            "serverName": f"{EXTENDER}.{NAMESPACE}.svc",
        }
        entry["urlPrefix"] = f"https://127.0.0.1:{port}/{prefix}"
        entry["httpTimeout"] = "5s"  # two cores do the work of a cluster here
    told["clientConnection"]["kubeconfig"] = str(_kubeconfig(plane, SCHEDULER, folder))
    configuration = folder / "config.json"
    configuration.write_text(json.dumps(told), encoding="utf-8")
    flags = [one for one in pod["containers"][0]["command"][1:] if not one.startswith("--config=")]
    command = [plane.programs.path("kube-scheduler"), f"--config={configuration}", *flags]
    secure = f"--secure-port={plane.house.take_port()}"
    running = plane.house.start(
        f"readme-{SCHEDULER}", [*command, secure, "--bind-address=127.0.0.1"]
    )
    try:
        wait_until(
            "the Lease of the second scheduler",
            lambda: "successfully acquired lease" in running.told().lower(),
            limit_s=60,
        )
        yield
    finally:
        running.kill()


def _pod_of(plane: ControlPlane, deployment: str) -> dict[str, Any]:
    told = plane.kubectl("get", f"deployment/{deployment}", "-n", NAMESPACE, "-o", "json")
    pod: dict[str, Any] = json.loads(told)["spec"]["template"]["spec"]
    return pod


def _files(plane: ControlPlane, folder: Path, *objects: str) -> Path:
    """The keys of ConfigMaps and Secrets as files, as a kubelet mounts them."""
    folder.mkdir(exist_ok=True)
    for name in objects:
        held = json.loads(plane.kubectl("get", name, "-n", NAMESPACE, "-o", "json"))
        for key, value in held["data"].items():
            content = base64.b64decode(value) if held["kind"] == "Secret" else value.encode()
            (folder / key).write_bytes(content)
    return folder


def _kubeconfig(plane: ControlPlane, account: str, folder: Path) -> Path:
    """Of a service account that was installed."""
    cluster = {"server": plane.server, "certificate-authority": str(plane.ca)}
    document = {
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": "a",
        "clusters": [{"name": "a", "cluster": cluster}],
        "users": [{"name": "a", "user": {"token": plane.token(NAMESPACE, account)}}],
        "contexts": [{"name": "a", "context": {"cluster": "a", "user": "a"}}],
    }
    file = folder / "kubeconfig"
    file.write_text(json.dumps(document), encoding="utf-8")
    return file


def _plain_environment() -> dict[str, str]:
    kept = {name: told for name, told in os.environ.items() if not name.startswith("SYNTHSCALE_")}
    return {**kept, "OPENBLAS_NUM_THREADS": "1"}
