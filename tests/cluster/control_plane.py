"""Starts a real Kubernetes control plane and hands it to a test: etcd to KWOK, on free ports.

A part that does not come up is named, with the end of its log; nothing is waited for without a
limit. It must not know what is tested on it, and it leaves nothing behind (`processes` sees to it).
"""

from __future__ import annotations

import json
import os
import subprocess
import time
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from gpu_fleet.errors import KubeError, ServiceError
from service_runtime.kube.api import Resource
from tests.cluster import components
from tests.cluster.audit import AuditLog
from tests.cluster.build import Binaries, binaries, tell_terminal
from tests.cluster.components import CONTROL_PLANE, Settings
from tests.cluster.credentials import Credentials, User
from tests.cluster.processes import Household, Running, household
from tests.cluster.waiting import NotInTime, wait_until
from tests.cluster.wire import KubeWire

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from pathlib import Path

__all__ = ["ControlPlane", "PortTaken", "start_control_plane"]

START_ATTEMPTS = 3
"""A port may be taken by a stranger between choice and use; thrice in a row is another fault."""
READY_LIMIT_S = 120.0
"""Of each part: a hundred times its need, for a machine that is busy with other things."""
PROBE_EVERY_S = 0.05
COMMAND_LIMIT_S = 120.0

CLUSTER_ROLE_BINDINGS = Resource(
    "v1",
    "clusterrolebindings",
    "ClusterRoleBinding",
    group="rbac.authorization.k8s.io",
    namespaced=False,
)
ROLE_BINDINGS = Resource("v1", "rolebindings", "RoleBinding", group="rbac.authorization.k8s.io")


class PortTaken(ServiceError):
    """A stranger took a port that was free a moment ago; choosing again helps."""


@dataclass(frozen=True, slots=True)
class Part:
    """One program of the control plane and the question it answers once it can work."""

    running: Running
    probe: Callable[[], object]

    def wait_ready(self, limit_s: float = READY_LIMIT_S) -> None:
        """Return once it answers; a `ServiceError` with the end of its log when it does not."""
        running = self.running

        def look() -> str:
            if running.ended_with is None:
                self.probe()
            return "ready" if running.ended_with is None else "ended"

        try:
            state = wait_until(
                f"answer from {running.name}", look, limit_s=limit_s, every_s=PROBE_EVERY_S
            )
        except NotInTime as problem:
            raise ServiceError(f"{problem}\nthe end of its log:\n{running.tail()}") from problem
        if state == "ready":
            return
        told = running.tail()
        kind = PortTaken if "address already in use" in told else ServiceError
        raise kind(f"{running.name} ended with {running.ended_with}; the end of its log:\n{told}")


class ControlPlane:
    """A Kubernetes that runs now, and what a test may do to it."""

    def __init__(
        self, house: Household, programs: Binaries, settings: Settings, server_port: int
    ) -> None:
        self.house = house
        self.programs = programs
        self.settings = settings
        self.server = f"https://127.0.0.1:{server_port}"
        self.server_port = server_port
        self.credentials = Credentials(house.folder / "certificates", self.server)
        self.admin = self.credentials.user("admin", ["system:masters"])
        self.wire = self.wire_as(self.admin)
        self.audit = AuditLog(house.folder / "audit.log")
        self.ready_s: dict[str, float] = {}
        """How long each part took from its start to its first answer."""
        self._parts: dict[str, Part] = {}

    # ---------------------------------------------------------------- who

    @property
    def ca(self) -> Path:
        """What a client must trust."""
        return self.credentials.ca

    @property
    def kubeconfig(self) -> Path:
        """Of an administrator."""
        return self.admin.kubeconfig

    def user(self, name: str, groups: Sequence[str] = ()) -> User:
        """Somebody new, who may do what RBAC grants that name and those groups."""
        return self.credentials.user(name, groups)

    def wire_as(self, user: User) -> KubeWire:
        """The API server as this user sees it; close it after use."""
        return KubeWire(self.server, self.ca, certificate=(user.certificate, user.key))

    def token(
        self,
        namespace: str,
        service_account: str,
        *,
        audiences: Sequence[str] = (),
        life_s: int = 3_600,
    ) -> str:
        """A bearer token of a service account, by TokenRequest as a kubelet gets it."""
        path = f"/api/v1/namespaces/{namespace}/serviceaccounts/{service_account}/token"
        body = {
            "apiVersion": "authentication.k8s.io/v1",
            "kind": "TokenRequest",
            "spec": {"audiences": list(audiences), "expirationSeconds": life_s},
        }
        token: str = json.loads(self.wire.ask("POST", path, body))["status"]["token"]
        return token

    def kubectl(
        self, *words: str, stdin: str | None = None, limit_s: float = COMMAND_LIMIT_S
    ) -> str:
        """What kubectl prints; a `ServiceError` with its complaint when it fails."""
        command = (
            *(str(self.programs.path("kubectl")), f"--kubeconfig={self.kubeconfig}"),
            *(f"--cache-dir={self.house.folder / 'kubectl'}", *words),
        )
        try:
            return subprocess.run(
                command, input=stdin, capture_output=True, text=True, check=True, timeout=limit_s
            ).stdout
        except subprocess.CalledProcessError as problem:
            raise ServiceError(f"kubectl {' '.join(words)}: {problem.stderr.strip()}") from problem
        except subprocess.TimeoutExpired as problem:
            said = (problem.stdout or b"").decode(errors="replace").strip()
            raise ServiceError(
                f"kubectl {' '.join(words)}: not done after {limit_s:.0f} s; it said: {said}"
            ) from problem

    # ---------------------------------------------------------------- its parts

    def part(self, name: str) -> Running:
        """The process of one part, such as `kube-apiserver`."""
        return self._parts[name].running

    def log(self, name: str) -> str:
        """All that one part has written."""
        return self.part(name).told()

    def kill(self, name: str) -> None:
        """`kill -9` of one part; the others stay and meet its absence."""
        self.part(name).kill()

    def stop(self, name: str) -> int:
        """SIGTERM to one part; returns its exit code."""
        return self.part(name).stop()

    def start(self, name: str) -> None:
        """Start a part that was ended, with its old ports and data, and wait until it answers."""
        self.part(name).start()
        self._parts[name].wait_ready()

    def add(
        self,
        name: str,
        command: Sequence[str | Path],
        probe: Callable[[], object],
        environment: Mapping[str, str] | None = None,
    ) -> Running:
        """Start one more part and wait until `probe` raises nothing."""
        begun_s = time.monotonic()
        self.add_soon(name, command, probe, environment)
        self._finish(name, begun_s)
        return self.part(name)

    def add_soon(
        self,
        name: str,
        command: Sequence[str | Path],
        probe: Callable[[], object],
        environment: Mapping[str, str] | None = None,
    ) -> None:
        """Start one more part without waiting."""
        running = self.house.start(name, command, environment=environment)
        self._parts[name] = Part(running, probe)

    def _finish(self, name: str, begun_s: float) -> None:
        self._parts[name].wait_ready()
        self.ready_s[name] = time.monotonic() - begun_s

    @contextmanager
    def second_scheduler(
        self,
        name: str,
        configuration: Mapping[str, Any] | None = None,
        flags: Sequence[str] = (),
    ) -> Iterator[Running]:
        """One more kube-scheduler, for pods whose `schedulerName` is `name`.

        `configuration` holds fields of KubeSchedulerConfiguration; without `profiles` it gets one
        called `name`. It acts as the user `name`, so the audit log tells it from the first.
        """
        user = self.user(name)
        self._let_schedule(name)
        overrides = {"profiles": [{"schedulerName": name}], **(configuration or {})}
        port = self.house.take_port()
        command = [*self.scheduler_command(name, user, port, overrides), *flags]
        running = self.add(name, command, _answers(port, self.ca, "/readyz"))
        try:
            yield running
        finally:
            running.kill()

    def scheduler_command(
        self, name: str, user: User, port: int, overrides: Mapping[str, Any]
    ) -> list[str | Path]:
        """How to run kube-scheduler as this user with these settings."""
        file = self.house.folder / f"{name}.json"
        configuration = components.scheduler_configuration(self.settings, user, overrides)
        file.write_text(json.dumps(configuration, indent=1), encoding="utf-8")
        flags = components.scheduler(self.settings, self.credentials, user, port, file)
        return [self.programs.path("kube-scheduler"), *flags]

    def _let_schedule(self, user: str) -> None:
        """Grant what the first scheduler has by its name."""
        for role in ("system:kube-scheduler", "system:volume-scheduler"):
            self._bind(CLUSTER_ROLE_BINDINGS, "ClusterRole", role, user)
        reader = "extension-apiserver-authentication-reader"
        self._bind(ROLE_BINDINGS, "Role", reader, user, namespace="kube-system")

    def _bind(
        self, resource: Resource, kind: str, role: str, user: str, namespace: str | None = None
    ) -> None:
        group = "rbac.authorization.k8s.io"
        binding = {
            "metadata": {"name": f"{user}-{role.rpartition(':')[2]}"},
            "roleRef": {"apiGroup": group, "kind": kind, "name": role},
            "subjects": [{"apiGroup": group, "kind": "User", "name": user}],
        }
        try:
            self.wire.create(resource, binding, namespace)
        except KubeError as problem:
            if problem.status != 409:
                raise


@contextmanager
def start_control_plane(
    settings: Settings | None = None,
    *,
    tell: Callable[[str], None] = tell_terminal,
    environment: Mapping[str, str] = os.environ,
) -> Iterator[ControlPlane]:
    """A control plane that is ready for work; it ends, whole, with the context."""
    programs = binaries(CONTROL_PLANE, tell, environment=environment)
    for attempt in range(1, START_ATTEMPTS + 1):
        with household("cluster") as house:
            try:
                plane = _start(house, programs, settings or Settings())
            except PortTaken:
                if attempt == START_ATTEMPTS:
                    raise
                continue
            try:
                yield plane
            finally:
                plane.wire.close()
            return


def _start(house: Household, programs: Binaries, settings: Settings) -> ControlPlane:
    plane = ControlPlane(house, programs, settings, house.take_port())
    etcd_port, peer_port = house.take_port(), house.take_port()
    credentials = plane.credentials
    plane.add(
        "etcd",
        [
            programs.path("etcd"),
            *components.etcd(settings, credentials, house.folder / "etcd", etcd_port, peer_port),
        ],
        _answers(etcd_port, plane.ca, "/health", credentials.serving),
    )
    policy = house.folder / "audit-policy.json"
    policy.write_text(json.dumps(settings.audit_policy), encoding="utf-8")
    plane.add(
        "kube-apiserver",
        [
            programs.path("kube-apiserver"),
            *components.server(
                settings, credentials, plane.server_port, etcd_port, plane.audit.path
            ),
        ],
        lambda: plane.wire.ask("GET", "/readyz"),
    )
    begun_s = time.monotonic()
    for name, command, probe in _workers(plane):
        plane.add_soon(name, command, probe)
    for name in ("kube-controller-manager", "kube-scheduler", "kwok"):
        plane._finish(name, begun_s)
    return plane


def _workers(
    plane: ControlPlane,
) -> Iterator[tuple[str, list[str | Path], Callable[[], object]]]:
    """The three that need the API server and not each other."""
    settings, programs, house = plane.settings, plane.programs, plane.house
    user = plane.user("system:kube-controller-manager")
    port = house.take_port()
    flags = components.controllers(settings, plane.credentials, user, port)
    command: list[str | Path] = [programs.path("kube-controller-manager"), *flags]
    yield "kube-controller-manager", command, _answers(port, plane.ca, "/healthz")

    user = plane.user("system:kube-scheduler")
    port = house.take_port()
    command = plane.scheduler_command("kube-scheduler", user, port, settings.scheduler)
    yield "kube-scheduler", command, _answers(port, plane.ca, "/readyz")

    user = plane.user("kwok", ["system:masters"])
    port = house.take_port()
    file = house.folder / "kwok.json"
    file.write_text(json.dumps(components.KWOK_CONFIGURATION), encoding="utf-8")
    flags = components.kwok(settings, user, port, programs.files("stages"), file)
    url = f"http://127.0.0.1:{port}"
    yield "kwok", [programs.path("kwok"), *flags], _asks(KubeWire(url, plane.ca), "/healthz")


def _answers(
    port: int, ca: Path, path: str, certificate: tuple[Path, Path] | None = None
) -> Callable[[], object]:
    return _asks(KubeWire(f"https://127.0.0.1:{port}", ca, certificate=certificate), path)


def _asks(wire: KubeWire, path: str) -> Callable[[], object]:
    def probe() -> object:
        try:
            return wire.ask("GET", path)
        finally:
            wire.close()

    return probe
