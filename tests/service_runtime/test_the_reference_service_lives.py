"""The reference service as a process on a real control plane: its whole life, and its bad days.

It is started as a pod's container would be: one command, a file of settings, a kubeconfig. Nothing
here may reach into it; only ports, signals, exit codes and its log are looked at.
"""

from __future__ import annotations

import http.client
import itertools
import json
import os
import signal
import ssl
import subprocess
import sys
import threading
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from gpu_fleet.errors import ServiceError
from service_runtime.kube.api import LEASES, NODES, Resource
from tests.certificates import Authority
from tests.cluster.control_plane import start_control_plane
from tests.cluster.waiting import wait_until
from tests.house.tree import ROOT

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.cluster.control_plane import ControlPlane

ROLES = Resource("v1", "clusterroles", "ClusterRole", "rbac.authorization.k8s.io", namespaced=False)
BINDINGS = Resource(
    "v1", "clusterrolebindings", "ClusterRoleBinding", "rbac.authorization.k8s.io", namespaced=False
)
RULES = [
    {"apiGroups": [""], "resources": ["nodes"], "verbs": ["list", "watch"]},
    {
        "apiGroups": ["coordination.k8s.io"],
        "resources": ["leases"],
        "verbs": ["get", "create", "update"],
    },
    {
        "apiGroups": ["authentication.k8s.io", "authorization.k8s.io"],
        "resources": ["tokenreviews", "subjectaccessreviews"],
        "verbs": ["create"],
    },
]
LIMIT_S = 120.0


@dataclass(slots=True)
class Answer:
    """What a port said."""

    status: int
    body: str


class Service:
    """The reference service as a process, with the certificates it serves."""

    def __init__(self, folder: Path, kubeconfig: Path, namespace: str) -> None:
        self.authority = Authority("reference-authority")
        self.folder = folder
        certificate, key = self.authority.issue("reference").write(folder, "tls")
        ca, _ = self.authority.issued.write(folder, "ca")
        self.ca = ca
        self.settings: dict[str, dict[str, object]] = {
            "count": {"namespace": namespace, "oldest_view_s": 300.0},
            "kube": {"kubeconfig": str(kubeconfig), "backoff_cap_s": 1.0},
            "ports": {"address": "127.0.0.1", "decision": 0, "observation": 0},
            "tls": {
                "certificate_file": str(certificate),
                "key_file": str(key),
                "client_ca_file": str(ca),
            },
            "drain": {"notice_s": 0.5, "finish_s": 5.0},
        }
        self.process: subprocess.Popen[bytes] | None = None

    def start(self, environment: dict[str, str] | None = None) -> None:
        """Run it; what it writes goes into a file."""
        file = self.folder / "settings.toml"
        file.write_text(_toml(self.settings), encoding="utf-8")
        command = [sys.executable, "-m", "tests.service_runtime.reference_service"]
        with (self.folder / "log").open("wb") as log:
            self.process = subprocess.Popen(
                [*command, "--settings", str(file)],
                cwd=ROOT,
                env={**os.environ, **(environment or {})},
                stderr=log,
            )

    def told(self) -> str:
        """All it has written so far."""
        return (self.folder / "log").read_text(encoding="utf-8")

    def events(self, name: str) -> list[dict[str, Any]]:
        """Its events of this name."""
        lines = [line for line in self.told().splitlines() if line.startswith("{")]
        return [one for line in lines if (one := json.loads(line))["event"] == name]

    def wait_event(self, name: str) -> dict[str, Any]:
        """The first event of this name, once it has come."""
        return wait_until(f"event {name}", lambda: self._events_of_living(name), limit_s=LIMIT_S)[0]

    def _events_of_living(self, name: str) -> list[dict[str, Any]]:
        assert self.process is not None
        assert self.process.poll() is None, self.told()
        return self.events(name)

    def ask(self, port: str, path: str, *, client: bool = False, token: str = "") -> Answer:
        """GET a path of one of its ports."""
        number = self.wait_event("serving")["ports"][port]
        context = ssl.create_default_context(cafile=str(self.ca))
        if client:
            context.load_cert_chain(*self.authority.issue("client").write(self.folder, "client"))
        connection = http.client.HTTPSConnection("127.0.0.1", number, context=context, timeout=10)
        try:
            headers = {"Authorization": f"Bearer {token}"} if token else {}
            connection.request("GET", path, headers=headers)
            response = connection.getresponse()
            return Answer(response.status, response.read().decode())
        finally:
            connection.close()

    def wait_ready(self, status: int = 200) -> Answer:
        """What `/readyz` says once it has this status."""
        return wait_until(
            f"{status} from /readyz",
            lambda: self.ask("observation", "/readyz"),
            lambda answer: answer.status == status,
            limit_s=LIMIT_S,
        )

    def end(self, *signals: signal.Signals) -> int:
        """Send signals, wait; the exit code."""
        assert self.process is not None
        for one in signals:
            self.process.send_signal(one)
        return self.process.wait(LIMIT_S)


def _toml(settings: dict[str, dict[str, object]]) -> str:
    return "\n".join(
        "\n".join(
            [f"[{subject}]", *(f"{key} = {json.dumps(value)}" for key, value in keys.items())]
        )
        for subject, keys in settings.items()
    )


@contextmanager
def permitted(plane: ControlPlane, namespace: str, folder: Path) -> Iterator[Service]:
    """A service that may do what its rules say, and is not started yet; killed in the end."""
    name = f"reference-{namespace}"
    user = plane.user(name)
    subject = {"kind": "User", "name": name, "apiGroup": "rbac.authorization.k8s.io"}
    role = {"kind": "ClusterRole", "name": name, "apiGroup": "rbac.authorization.k8s.io"}
    plane.wire.create(ROLES, {"metadata": {"name": name}, "rules": RULES})
    plane.wire.create(
        BINDINGS, {"metadata": {"name": name}, "roleRef": role, "subjects": [subject]}
    )
    service = Service(folder, user.kubeconfig, namespace)
    try:
        yield service
    finally:
        if service.process is not None:
            service.process.kill()
            service.process.wait(LIMIT_S)
        plane.wire.delete(BINDINGS, name)
        plane.wire.delete(ROLES, name)


@pytest.fixture
def reference(control_plane: ControlPlane, namespace: str, tmp_path: Path) -> Iterator[Service]:
    """A service of this test alone."""
    with permitted(control_plane, namespace, tmp_path) as service:
        yield service


def test_it_starts_answers_both_ports_and_drains(
    control_plane: ControlPlane, reference: Service, namespace: str
) -> None:
    """Ready, asked on both ports by those who may and those who may not, ended by SIGTERM: 0."""
    node = f"node-{namespace}"
    control_plane.wire.create(NODES, {"metadata": {"name": node}})
    reference.start()
    reference.wait_ready()
    wait_until("leadership", lambda: reference.events("leadership_gained"))
    counted = json.loads(reference.ask("decision", "/nodes", client=True).body)

    control_plane.wire.delete(NODES, node)

    assert counted["nodes"] >= 1
    assert counted["leads"] is True
    with pytest.raises((ssl.SSLError, OSError)):
        reference.ask("decision", "/nodes")
    assert reference.ask("observation", "/livez").status == 200
    assert reference.ask("observation", "/metrics").status == 401
    token = control_plane.token(namespace, "default")
    assert reference.ask("observation", "/metrics", token=token).status == 403
    _let_scrape(control_plane, namespace)
    scraped = wait_until(
        "metrics",
        lambda: reference.ask("observation", "/metrics", token=_another(control_plane, namespace)),
        lambda answer: answer.status == 200,
        every_s=1.0,
    ).body
    assert 'synthscale_kube_view_age_seconds{resource="nodes"}' in scraped
    assert "synthscale_leadership_leading" in scraped
    assert "process_resident_memory_bytes" in scraped

    assert reference.end(signal.SIGTERM) == 0
    lease = control_plane.wire.get(LEASES, "reference", namespace)
    assert not lease["spec"]["holderIdentity"], "released, so that the next replica need not wait"
    assert reference.events("service_ended")[0]["code"] == 0
    assert reference.events("loop_complained") == []


def _let_scrape(plane: ControlPlane, namespace: str) -> None:
    name = f"scrape-{namespace}"
    group = "rbac.authorization.k8s.io"
    rules = [{"nonResourceURLs": ["/metrics"], "verbs": ["get"]}]
    plane.wire.create(ROLES, {"metadata": {"name": name}, "rules": rules})
    binding = {
        "metadata": {"name": name},
        "roleRef": {"kind": "ClusterRole", "name": name, "apiGroup": group},
        "subjects": [{"kind": "ServiceAccount", "name": "default", "namespace": namespace}],
    }
    plane.wire.create(BINDINGS, binding)


def _another(plane: ControlPlane, namespace: str) -> str:
    """A token that no cache of the service has met."""
    return plane.token(namespace, "default")


@contextmanager
def changing(plane: ControlPlane) -> Iterator[None]:
    """A node changes all the time, so that a view is young while the API server lives."""
    plane.wire.create(NODES, {"metadata": {"name": "restless"}})
    over = threading.Event()

    def change() -> None:
        for number in itertools.count():
            if over.wait(0.3):
                return
            patch = {"metadata": {"annotations": {"synthscale.test/seen": str(number)}}}
            with suppress(ServiceError, OSError):
                plane.wire.merge(NODES, "restless", patch)

    thread = threading.Thread(target=change)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


def test_readiness_follows_the_age_of_its_view(
    cluster_tell: Callable[[str], None], tmp_path: Path
) -> None:
    """API server killed: not ready once the view is too old, though alive; back: ready again.

    On a control plane of its own: controllers take longer to return than other tests wait.
    """
    with (
        start_control_plane(tell=cluster_tell) as plane,
        permitted(plane, "default", tmp_path) as reference,
        changing(plane),
    ):
        reference.settings["count"]["oldest_view_s"] = 3.0
        reference.start()
        reference.wait_ready()
        plane.kill("kube-apiserver")
        told = reference.wait_ready(503)
        alive = reference.ask("observation", "/livez")
        plane.start("kube-apiserver")
        reference.wait_ready()
        ended = reference.end(signal.SIGTERM)

    assert "[-]nodes failed: last current" in told.body
    assert alive.status == 200
    assert reference.events("kube_watch_interrupted")
    assert ended == 0


def test_ctrl_c_is_130_and_a_second_signal_does_not_wait(reference: Service) -> None:
    """A person who presses Ctrl-C twice does not wait for a drain."""
    reference.settings["drain"]["notice_s"] = 15.0
    reference.start()
    reference.wait_ready()
    assert reference.process is not None
    reference.process.send_signal(signal.SIGINT)
    reference.wait_event("draining")

    assert reference.end(signal.SIGINT) == 130
    assert reference.events("service_cut_short")


@pytest.mark.parametrize(
    ("subject", "key", "value", "code", "told"),
    [
        ("kube", "kubeconfig", "nowhere/kubeconfig", 2, "nowhere/kubeconfig"),
        ("tls", "certificate_file", "nowhere/tls.crt", 1, "nowhere/tls.crt"),
        ("log", "levle", "info", 2, "log.levle: no such key; did you mean level?"),
    ],
)
def test_what_cannot_work_ends_at_once_with_one_line(
    reference: Service, subject: str, key: str, value: str, code: int, told: str
) -> None:
    """A wrong file, certificate or key ends the start; the last line names it."""
    reference.settings.setdefault(subject, {})[key] = value
    reference.start()

    assert reference.end() == code
    last = reference.told().splitlines()[-1]
    assert last.startswith("reference: ")
    assert told in last
    assert "Traceback" not in reference.told()


def test_an_api_server_that_never_answers_is_named(
    control_plane: ControlPlane, reference: Service, tmp_path: Path
) -> None:
    """It tries until the start limit, saying what is wrong; then the part is named: exit code 1."""
    lost = tmp_path / "kubeconfig"
    reference.settings["process"] = {"start_limit_s": 3.0, "stop_limit_s": 10.0}
    known = Path(str(reference.settings["kube"]["kubeconfig"])).read_text(encoding="utf-8")
    nobody = "https://127.0.0.1:1"
    lost.write_text(known.replace(control_plane.server, nobody), encoding="utf-8")
    reference.settings["kube"]["kubeconfig"] = str(lost)
    reference.start()

    assert reference.end() == 1
    assert (
        reference.told().splitlines()[-1].startswith("reference: watch-nodes: not ready within 3 s")
    )
    assert "127.0.0.1:1" in reference.events("kube_watch_interrupted")[0]["problem"]


def test_a_token_that_is_refused_is_told(
    control_plane: ControlPlane, reference: Service, tmp_path: Path
) -> None:
    """401 is told as such, retried with care, and ends the start with the part's name."""
    cluster = {"server": control_plane.server, "certificate-authority": str(control_plane.ca)}
    document = {
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": "a",
        "clusters": [{"name": "a", "cluster": cluster}],
        "users": [{"name": "a", "user": {"token": "nobody-knows-this"}}],
        "contexts": [{"name": "a", "context": {"cluster": "a", "user": "a"}}],
    }
    forged = tmp_path / "forged"
    forged.write_text(json.dumps(document), encoding="utf-8")
    reference.settings["process"] = {"start_limit_s": 3.0, "stop_limit_s": 10.0}
    reference.settings["kube"]["kubeconfig"] = str(forged)
    reference.start()

    assert reference.end() == 1
    assert "401" in reference.events("kube_watch_interrupted")[0]["problem"]
    assert "nobody-knows-this" not in reference.told()
