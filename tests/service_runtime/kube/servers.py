"""The two grounds of the contract suite: the twin on a clock of its own, and a real API server.

Each can do what tests need done to a server: let other people write, cut, stop, start, forget.
Nothing here may know what is expected of either.
"""

from __future__ import annotations

import asyncio
import base64
import json
from abc import ABC, abstractmethod
from contextlib import AsyncExitStack, asynccontextmanager
from typing import TYPE_CHECKING, Any

import msgspec

from gpu_fleet.errors import KubeError
from service_runtime.kube.api import Resource, Selection
from service_runtime.kube.client import ApiServer
from service_runtime.kube.settings import KubeSettings
from service_runtime.kube.twin import Twin
from service_runtime.timing import SystemTiming
from tests.service_runtime.kube.gadgets import DEFINITION, DEFINITIONS, GADGETS
from tests.service_runtime.kube.tap import Tap
from tests.service_runtime.kube.tcp_proxy import TcpProxy, tcp_proxy
from tests.service_runtime.stepped import SteppedTiming

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterable, Mapping
    from pathlib import Path

    from service_runtime.kube.api import KubeApi
    from service_runtime.timing import Timing
    from tests.cluster.control_plane import ControlPlane

__all__ = ["RealServer", "Server", "TwinServer", "real_server", "twin_server"]

QUICK = KubeSettings(page_size=20, backoff_base_s=0.05, backoff_cap_s=0.2)
_DEADLINE_S = 60.0
_LOOK_EVERY_S = 0.02
_WRITERS = 16


class Server(ABC):
    """An API server that a test does things to; `api` is the way to it that can be cut."""

    timing: Timing
    many: int
    """How many objects a list of many has here."""
    outage_s: float
    """How long an outage lasts here."""

    def __init__(self, api: KubeApi, namespace: str) -> None:
        self.api = Tap(api)
        self.namespace = namespace
        self.settings = QUICK
        self.here = Selection(namespace)

    @abstractmethod
    async def put(self, content: Mapping[str, Any]) -> None:
        """Somebody else writes a gadget."""

    @abstractmethod
    async def remove(self, name: str) -> None:
        """Somebody else deletes a gadget."""

    @abstractmethod
    async def cut(self) -> None:
        """Break the open connections."""

    @abstractmethod
    async def stop(self) -> None:
        """Be gone."""

    @abstractmethod
    async def start(self) -> None:
        """Be back."""

    @abstractmethod
    async def expire(self) -> None:
        """Meet the next watch with a 410, and break the open ones."""

    @abstractmethod
    async def expire_pages(self) -> None:
        """Meet the next continued page with a 410."""

    @abstractmethod
    def stranger(self) -> KubeApi:
        """The same server, asked by somebody it knows and who may do nothing."""

    @abstractmethod
    def unknown(self) -> KubeApi:
        """The same server, asked by somebody it does not know."""

    @abstractmethod
    async def forgive(self) -> None:
        """Give the stranger every right on gadgets."""

    @abstractmethod
    async def until(self, holds: Callable[[], bool]) -> None:
        """Wait until something holds."""

    @abstractmethod
    async def pass_s(self, seconds: float) -> None:
        """Let time pass."""

    async def put_all(self, contents: Iterable[Mapping[str, Any]]) -> None:
        """Somebody else writes many gadgets."""
        for content in contents:
            await self.put(content)


class TwinServer(Server):
    """The twin, where time passes when a test says so."""

    many = 5_000
    outage_s = 60.0

    def __init__(self, twin: Twin, timing: SteppedTiming) -> None:
        super().__init__(twin, "somewhere")
        self.twin = twin
        self.timing: SteppedTiming = timing

    async def put(self, content: Mapping[str, Any]) -> None:
        """At once, whatever faults are on."""
        metadata = {**content["metadata"], "namespace": self.namespace}
        self.twin.put(GADGETS, {**content, "metadata": metadata})

    async def remove(self, name: str) -> None:
        """At once, whatever faults are on."""
        self.twin.remove(GADGETS, name, self.namespace)

    async def cut(self) -> None:
        """Every open stream."""
        self.twin.cut()

    async def stop(self) -> None:
        """Nothing answers."""
        self.twin.stop()

    async def start(self) -> None:
        """Everything answers."""
        self.twin.start()

    async def expire(self) -> None:
        """By forgetting."""
        self.twin.expire()

    async def expire_pages(self) -> None:
        """By a token that is not known."""
        self.api.ages_next_page = True

    def stranger(self) -> KubeApi:
        """The twin knows no users, so it refuses everybody until `forgive`."""
        for verb in ("list", "get", "watch", "create", "delete", "update", "patch"):
            self.twin.faults.refuse(403, verb, GADGETS)
        return self.twin

    def unknown(self) -> KubeApi:
        """The twin knows no users, so it refuses everybody."""
        self.twin.faults.refuse(401, "list", GADGETS)
        return self.twin

    async def forgive(self) -> None:
        """Refuse nobody."""
        self.twin.faults.allow()

    async def until(self, holds: Callable[[], bool]) -> None:
        """By turning the clock."""
        await self.timing.until(holds)

    async def pass_s(self, seconds: float) -> None:
        """By turning the clock."""
        await self.timing.pass_s(seconds)


class RealServer(Server):
    """A real kube-apiserver, behind a stretch of network."""

    many = 500
    outage_s = 2.0

    def __init__(
        self,
        plane: ControlPlane,
        namespace: str,
        proxy: TcpProxy,
        *,
        near: ApiServer,
        far: ApiServer,
        stranger: ApiServer,
        unknown: ApiServer,
    ) -> None:
        super().__init__(far, namespace)
        self.timing = SystemTiming()
        self.plane = plane
        self.proxy = proxy
        self._near = near
        self._stranger = stranger
        self._unknown = unknown

    async def put(self, content: Mapping[str, Any]) -> None:
        """By server-side apply over a way that is never cut."""
        name = content["metadata"]["name"]
        body = msgspec.json.encode(
            {"apiVersion": GADGETS.api_version, "kind": GADGETS.kind, **content}
        )
        await self._near.apply(
            GADGETS, name, body, manager="others", namespace=self.namespace, force=True
        )

    async def put_all(self, contents: Iterable[Mapping[str, Any]]) -> None:
        """A few at a time."""
        slots = asyncio.Semaphore(_WRITERS)

        async def put(content: Mapping[str, Any]) -> None:
            async with slots:
                await self.put(content)

        async with asyncio.TaskGroup() as group:
            for content in contents:
                group.create_task(put(content))

    async def remove(self, name: str) -> None:
        """Over a way that is never cut."""
        await self._near.delete(GADGETS, name, self.namespace)

    async def cut(self) -> None:
        """By resetting connections."""
        await self.proxy.cut()

    async def stop(self) -> None:
        """By closing the port we know."""
        await self.proxy.close()

    async def start(self) -> None:
        """By opening it again."""
        await self.proxy.open()

    async def expire(self) -> None:
        """By asking for version 1, which the watch cache never knew."""
        self.api.ages_next_watch = True
        await self.proxy.cut()

    async def expire_pages(self) -> None:
        """By compacting etcd, and asking for a page of version 1."""
        await asyncio.to_thread(compact, self.plane)
        self.api.ages_next_page = True

    def stranger(self) -> KubeApi:
        """A user without a role."""
        return self._stranger

    def unknown(self) -> KubeApi:
        """A token that nobody issued."""
        return self._unknown

    async def forgive(self) -> None:
        """By RBAC."""
        await asyncio.to_thread(grant, self.plane, self.namespace)

    async def until(self, holds: Callable[[], bool]) -> None:
        """By looking again and again."""
        async with asyncio.timeout(_DEADLINE_S):
            while not holds():  # noqa: ASYNC110 - a real process raises no event of ours
                await asyncio.sleep(_LOOK_EVERY_S)

    async def pass_s(self, seconds: float) -> None:
        """By waiting: this is a real process."""
        await asyncio.sleep(seconds)


@asynccontextmanager
async def twin_server() -> AsyncIterator[TwinServer]:
    """A fresh twin."""
    timing = SteppedTiming()
    yield TwinServer(Twin(timing), timing)


@asynccontextmanager
async def real_server(plane: ControlPlane, namespace: str) -> AsyncIterator[RealServer]:
    """The run's control plane, in one namespace, with the kind of these tests installed."""
    await asyncio.to_thread(install, plane)
    async with AsyncExitStack() as stack:
        proxy = await stack.enter_async_context(tcp_proxy("127.0.0.1", plane.server_port))
        folder = plane.house.folder

        async def open_as(file: str, kubeconfig: Path, *, cuttable: bool = False) -> ApiServer:
            path = _through(proxy, kubeconfig, folder / f"{file}.kubeconfig", cuttable=cuttable)
            settings = msgspec.structs.replace(QUICK, kubeconfig=str(path))
            return await stack.enter_async_context(ApiServer(settings, SystemTiming()))

        yield RealServer(
            plane,
            namespace,
            proxy,
            near=await open_as("contract-near", plane.kubeconfig),
            far=await open_as("contract-far", plane.kubeconfig, cuttable=True),
            stranger=await open_as("contract-stranger", plane.user(f"s-{namespace}").kubeconfig),
            unknown=await open_as(
                "contract-unknown", plane.credentials.token_kubeconfig("unknown", "not-a-token")
            ),
        )


def _through(proxy: TcpProxy, kubeconfig: Path, copy: Path, *, cuttable: bool) -> Path:
    """The kubeconfig itself, or a copy of it that goes through the proxy."""
    if not cuttable:
        return kubeconfig
    config = json.loads(kubeconfig.read_text(encoding="utf-8"))
    config["clusters"][0]["cluster"]["server"] = f"https://127.0.0.1:{proxy.port}"
    copy.write_text(json.dumps(config), encoding="utf-8")
    return copy


def install(plane: ControlPlane) -> None:
    """Install the kind of these tests, once a control plane, and wait until it is served."""
    from tests.cluster.waiting import wait_until

    path = DEFINITIONS.path(name=str(DEFINITION["metadata"]["name"]))
    try:
        plane.wire.ask("GET", path)
    except KubeError as error:
        if error.status != 404:
            raise
        plane.wire.create(DEFINITIONS, dict(DEFINITION))
    wait_until("gadgets", lambda: plane.wire.ask("GET", GADGETS.path()))


def grant(plane: ControlPlane, namespace: str) -> None:
    """Let the stranger of a namespace do everything with gadgets in it."""
    group = "rbac.authorization.k8s.io"
    roles = Resource("v1", "roles", "Role", group=group)
    bindings = Resource("v1", "rolebindings", "RoleBinding", group=group)
    rule = {"apiGroups": [GADGETS.group], "resources": [GADGETS.plural], "verbs": ["*"]}
    role = {"metadata": {"name": "gadgets"}, "rules": [rule]}
    binding = {
        "metadata": {"name": "gadgets"},
        "roleRef": {"apiGroup": group, "kind": "Role", "name": "gadgets"},
        "subjects": [{"apiGroup": group, "kind": "User", "name": f"s-{namespace}"}],
    }
    plane.wire.create(roles, role, namespace)
    plane.wire.create(bindings, binding, namespace)


def compact(plane: ControlPlane) -> None:
    """Make etcd forget everything before now, by its gateway for JSON."""
    from tests.cluster.wire import KubeWire

    flag = "--listen-client-urls="
    command = plane.part("etcd").launch.command
    url = next(str(one).removeprefix(flag) for one in command if str(one).startswith(flag))
    wire = KubeWire(url, plane.ca, certificate=plane.credentials.serving)
    try:
        key = base64.b64encode(b"/").decode()
        found = json.loads(wire.ask("POST", "/v3/kv/range", {"key": key, "limit": 1}))
        revision = {"revision": found["header"]["revision"], "physical": True}
        wire.ask("POST", "/v3/kv/compaction", revision)
    finally:
        wire.close()
