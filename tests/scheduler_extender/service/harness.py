"""The extender started as its Deployment would start it, and a scheduler configured to ask it.

Its rights are those of `manifests/base/rbac.yaml` in the namespace of the test, its kubeconfig
holds the token of that very service account, and the scheduler's configuration is the shipped one
with addresses and files of this machine. Nothing here may grant more than the manifests do.
"""

from __future__ import annotations

import http.client
import json
import os
import ssl
import subprocess
import sys
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import yaml

from service_runtime.kube.api import PODS, Resource
from tests.certificates import Authority
from tests.cluster.waiting import wait_until
from tests.house.tree import ROOT

if TYPE_CHECKING:
    import signal
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from tests.cluster.control_plane import ControlPlane
    from tests.cluster.processes import Running

__all__ = ["ACCOUNT", "Answer", "Extender", "Installation", "share_pod"]

ACCOUNT = "synthscale-extender"
SCHEDULER = "synthscale-scheduler"
BASE = ROOT / "manifests" / "base"
COMPONENTS = ROOT / "manifests" / "components"
CONFIGURATION = COMPONENTS / "second-scheduler" / "scheduler-config.yaml"
PATIENT = COMPONENTS / "patient-scheduler"
RIGHTS = ("service-account.yaml", "rbac.yaml", "service.yaml", "bell.yaml")
LIMIT_S = 180.0
_BINDING = "ClusterRoleBinding"


@dataclass(frozen=True, slots=True)
class Answer:
    """What a port said."""

    status: int
    body: bytes
    headers: Mapping[str, str]


@dataclass(slots=True)
class Installation:
    """What the manifests install, in the namespace of one test, and the certificates beside it."""

    plane: ControlPlane
    namespace: str
    folder: Path
    authority: Authority = field(default_factory=lambda: Authority("synthscale-authority"))

    @property
    def user(self) -> str:
        """The service account as the audit log names it."""
        return f"system:serviceaccount:{self.namespace}:{ACCOUNT}"

    def apply(self) -> None:
        """Grant what the manifests grant, to the account of this namespace."""
        objects = [one for file in RIGHTS for one in self._objects(file)]
        self.plane.kubectl("apply", "-f", "-", stdin=json.dumps(_list(objects)))

    def remove(self) -> None:
        """Take back what would outlive the namespace."""
        self.plane.kubectl(
            "delete", "clusterrolebinding", f"{ACCOUNT}-{self.namespace}", "--ignore-not-found"
        )

    def _objects(self, file: str) -> Iterator[dict[str, Any]]:
        for one in yaml.safe_load_all((BASE / file).read_text(encoding="utf-8")):
            metadata = one["metadata"]
            if "namespace" in metadata:
                metadata["namespace"] = self.namespace
            for subject in one.get("subjects", ()):
                subject["namespace"] = self.namespace
            if one["kind"] == _BINDING:
                metadata["name"] += f"-{self.namespace}"
            yield one

    def kubeconfig(self) -> Path:
        """Of the extender's own account."""
        cluster = {"server": self.plane.server, "certificate-authority": str(self.plane.ca)}
        token = self.plane.token(self.namespace, ACCOUNT)
        document = {
            "apiVersion": "v1",
            "kind": "Config",
            "current-context": "a",
            "clusters": [{"name": "a", "cluster": cluster}],
            "users": [{"name": "a", "user": {"token": token}}],
            "contexts": [{"name": "a", "context": {"cluster": "a", "user": "a"}}],
        }
        file = self.folder / "kubeconfig"
        file.write_text(json.dumps(document), encoding="utf-8")
        return file

    def client(self, name: str = SCHEDULER) -> tuple[Path, Path]:
        """A client certificate of this common name."""
        return self.authority.issue(name).write(self.folder, f"client-{name}")

    def extender(self, name: str = "extender-0", address: str = "10.9.0.1") -> Extender:
        """A replica, not started yet."""
        return Extender(self, name, address)

    def configuration(self, scheduler: str, port: int, **more: object) -> dict[str, Any]:
        """The shipped configuration, pointing at a port of this machine."""
        shipped = yaml.safe_load(CONFIGURATION.read_text(encoding="utf-8"))
        for profile in shipped["profiles"]:
            profile["schedulerName"] = scheduler
        certificate, key = self.client()
        ca, _ = self.authority.issued.write(self.folder, "ca")
        for entry in shipped["extenders"]:
            prefix = entry["urlPrefix"].rpartition("/")[2]
            entry["urlPrefix"] = f"https://127.0.0.1:{port}/{prefix}"
            entry["tlsConfig"] = {
                "caFile": str(ca),
                "certFile": str(certificate),
                "keyFile": str(key),
            }
            # Two cores do the work of a cluster here: an answer may be late and still be right.
            entry["httpTimeout"] = "5s"
        return {"profiles": shipped["profiles"], "extenders": shipped["extenders"], **more}

    @contextmanager
    def scheduler(self, name: str, port: int, *, patient: bool = False) -> Iterator[Running]:
        """The shipped second scheduler under this name, asking at this port.

        `patient`: with the component that makes it wait out every back-off.
        """
        flags = [self._patience()] if patient else []
        configuration = self.configuration(name, port)
        with self.plane.second_scheduler(name, configuration, flags) as running:
            yield running

    @staticmethod
    def _patience() -> str:
        component = yaml.safe_load((PATIENT / "kustomization.yaml").read_text(encoding="utf-8"))
        (added,) = yaml.safe_load(component["patches"][0]["patch"])
        flag: str = added["value"]
        return flag


class Extender:
    """One replica as a process."""

    def __init__(self, installation: Installation, name: str, address: str) -> None:
        self.installation = installation
        self.name = name
        self.folder = installation.folder / name
        certificate, key = installation.authority.issue(ACCOUNT).write(self.folder, "tls")
        self.ca, _ = installation.authority.issued.write(installation.folder, "ca")
        self.settings: dict[str, dict[str, object]] = {
            "pod": {"name": name, "namespace": installation.namespace, "address": address},
            "kube": {"kubeconfig": str(installation.kubeconfig())},
            "ports": {"address": "127.0.0.1", "decision": 0, "observation": 0},
            "tls": {
                "certificate_file": str(certificate),
                "key_file": str(key),
                "client_ca_file": str(self.ca),
            },
            "drain": {"notice_s": 0.2, "finish_s": 5.0},
            "process": {"start_limit_s": 150.0},
            "accounting": {"takeover_s": 0.5},
        }
        self.environment: dict[str, str] = {}
        """What it is started with besides ours."""
        self.process: subprocess.Popen[bytes] | None = None

    def start(self, **settings: Mapping[str, object]) -> Extender:
        """Run it with these settings besides; what it writes goes into a file."""
        for subject, keys in settings.items():
            self.settings.setdefault(subject, {}).update(keys)
        file = self.folder / "settings.toml"
        file.write_text(_toml(self.settings), encoding="utf-8")
        with (self.folder / "log").open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "synthscale", "serve", "extender", "--settings", str(file)],
                cwd=ROOT,
                env=_environment() | self.environment,
                stdout=log,
                stderr=log,
            )
        return self

    def told(self) -> str:
        """All it has written so far."""
        return (self.folder / "log").read_text(encoding="utf-8")

    def events(self, name: str) -> list[dict[str, Any]]:
        """What its log says of this name, in order."""
        lines = [line for line in self.told().splitlines() if line.startswith("{")]
        return [one for line in lines if (one := json.loads(line))["event"] == name]

    def wait_event(self, name: str, n: int = 1) -> dict[str, Any]:
        """The n-th event of this name, once it has come."""
        return wait_until(
            f"event {name}",
            lambda: self._living(name),
            lambda seen: len(seen) >= n,
            limit_s=LIMIT_S,
        )[n - 1]

    def _living(self, name: str) -> list[dict[str, Any]]:
        assert self.process is not None
        assert self.process.poll() is None, self.told()
        return self.events(name)

    def port(self, name: str = "decision") -> int:
        """The number of one of its ports, once it serves."""
        assert self.process is not None
        number: int = wait_until("serving", lambda: self._living("serving"), limit_s=LIMIT_S)[-1][
            "ports"
        ][name]
        return number

    def last_port(self) -> int:
        """Where it answered, whether or not it still does: an address outlives its process."""
        number: int = self.events("serving")[-1]["ports"]["decision"]
        return number

    def wait_leading(self, n: int = 1) -> Extender:
        """Itself, once it leads for the n-th time."""
        self.wait_event("leader_published", n)
        return self

    def ask(
        self,
        path: str,
        body: bytes | None = None,
        *,
        port: str = "decision",
        client: str | None = SCHEDULER,
        token: str = "",
    ) -> Answer:
        """Ask one of its ports, on a connection of its own."""
        connection = self.connect(port, client)
        try:
            return asked(connection, path, body, token)
        finally:
            connection.close()

    def connect(
        self, port: str = "decision", client: str | None = SCHEDULER
    ) -> http.client.HTTPSConnection:
        """A connection, to be closed by the caller."""
        context = ssl.create_default_context(cafile=str(self.ca))
        if client is not None and port == "decision":
            context.load_cert_chain(*self.installation.client(client))
        return http.client.HTTPSConnection(
            "127.0.0.1", self.port(port), context=context, timeout=30
        )

    def wait_ready(self, status: int = 200) -> Answer:
        """What `/readyz` says once it has this status."""
        return wait_until(
            f"{status} from /readyz",
            lambda: self.ask("/readyz", port="observation"),
            lambda answer: answer.status == status,
            limit_s=LIMIT_S,
        )

    def end(self, *signals: signal.Signals) -> int:
        """Send signals, wait; the exit code."""
        assert self.process is not None
        for one in signals:
            self.process.send_signal(one)
        return self.process.wait(LIMIT_S)

    def kill(self) -> None:
        """As the kernel would, if it still runs."""
        if self.process is not None:
            self.process.kill()
            self.process.wait(LIMIT_S)


@contextmanager
def installed(plane: ControlPlane, namespace: str, folder: Path) -> Iterator[Installation]:
    """An installation for one test; every replica that was started is gone after it."""
    made = Installation(plane, namespace, folder)
    made.apply()
    try:
        yield made
    finally:
        made.remove()


def asked(
    connection: http.client.HTTPSConnection, path: str, body: bytes | None = None, token: str = ""
) -> Answer:
    """One request on a connection that stays open."""
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    connection.request("GET" if body is None else "POST", path, body=body, headers=headers)
    response = connection.getresponse()
    return Answer(response.status, response.read(), dict(response.headers))


def share_pod(
    name: str, scheduler: str, resources: Mapping[str, str], **metadata: object
) -> dict[str, Any]:
    """A pod that asks for these extended resources beside a little CPU and memory."""
    wanted = {"cpu": "500m", "memory": "256Mi", **resources}
    container = {
        "name": "work",
        "image": "registry.invalid/pause:1",
        "resources": {"requests": wanted, "limits": dict(resources)},
    }
    return {
        "apiVersion": PODS.api_version,
        "kind": PODS.kind,
        "metadata": {"name": name, "labels": {}, **metadata},
        "spec": {"schedulerName": scheduler, "containers": [container]},
    }


EVENTS_V1 = Resource("v1", "events", "Event", group="events.k8s.io")


def _environment() -> dict[str, str]:
    """Ours without what is said to the tests: a service refuses a setting that it does not know."""
    kept = {name: told for name, told in os.environ.items() if not name.startswith("SYNTHSCALE_")}
    return {**kept, "OPENBLAS_NUM_THREADS": "1"}


def _list(items: list[dict[str, Any]]) -> dict[str, Any]:
    return {"apiVersion": "v1", "kind": "List", "items": items}


def _toml(settings: Mapping[str, Mapping[str, object]]) -> str:
    return "\n".join(
        "\n".join(
            [f"[{subject}]", *(f"{key} = {json.dumps(value)}" for key, value in keys.items())]
        )
        for subject, keys in settings.items()
    )
